"""The file that says which gateway is judged, whom we play, and what is exchanged.

`docs/conformance.md` explains every key. Paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from counterfoil.conformance.peer_log import LogSettings, read_log
from counterfoil.office import Access, Person
from counterfoil.office.channel import read_passphrase
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.keys import VerifierKey
from counterfoil.tlog.note import NoteVerifier
from counterfoil.tlog.verifiers import verifier_of

_FILE: Final = "file:"
Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A certificate that may be shown, and its key.

    Attributes:
        certificate: File of the certificate and its intermediates, PEM.
        key: File of the key, PEM.
        passphrase: Of the key; None for none.
        access: The same, read, with the authorities that are trusted.
    """

    certificate: Path
    key: Path
    passphrase: bytes | None = field(repr=False)
    access: Access = field(repr=False)

    @property
    def signer(self) -> Person:
        """Whoever seals with this certificate."""
        return Person.of(self.access)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A form to be filled in again and again, under another number each time.

    Attributes:
        type_code: The kind of voucher.
        fields: Fields of the form; `{number}` stands for the number.
        rows: The same of every row.
    """

    type_code: int
    fields: Table
    rows: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """The voucher that the peer may send to the gateway under test.

    Attributes:
        content: Its kind and form.
        recipient: The party that it goes to, kept by the gateway under test.
        misdirected: A party kept there that may not get this kind; empty for none.
        unagreed: A party kept there that may, and agreed on nothing; empty for none.
        adm_div: Administrative division of its numbers.
        fiscal_year: Year of its numbers.
        varied: A text field of the form that may say anything.
    """

    content: Content
    recipient: str
    misdirected: str
    unagreed: str
    adm_div: str
    fiscal_year: int
    varied: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """Who signs registrations of the peer, and what may be registered about.

    Attributes:
        supervisor: The peer's supervisor.
        officer: The peer's security officer.
        counterpart: The recipient's supervisor; None for none.
        unfiled: A seal of the peer's whose holder has no filing; None for none.
        spares: Seals of the peer's whose certificates may be made void.
    """

    supervisor: Identity
    officer: Identity
    counterpart: Identity | None
    unfiled: Identity | None
    spares: tuple[Identity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Everything that a run needs.

    Attributes:
        address: `host:port` of the gateway under test.
        server_name: DNS name that its certificate bears, if it is not the host.
        party: The party whose gateway it is.
        authorities: File of the trusted authorities, PEM.
        heads: The keys of its log.
        sm3_heads: The keys of its log's SM3 tree; none if it has no such tree.
        peer: The party that we play.
        gateway: The peer's gateway.
        institution: The peer's institution, which seals.
        persons: The peer's persons, who seal in the order of the kind's plan.
        voucher: What we send.
        receipt: A receipt that we could send; None for none.
        system: A business system of the recipient's desk; None for none.
        reviewer: A reviewer of that desk; None for none.
        register: Who signs registrations; None for nobody.
        log: The peer's log; None for none.
    """

    address: str
    server_name: str
    party: str
    authorities: Path
    heads: tuple[NoteVerifier, ...]
    peer: str
    gateway: Identity
    institution: Identity
    persons: tuple[Identity, ...]
    voucher: Exchanged
    receipt: Content | None
    system: Identity | None
    reviewer: Identity | None
    register: Registering | None = None
    log: LogSettings | None = None
    sm3_heads: tuple[NoteVerifier, ...] = ()

    @property
    def host(self) -> str:
        """The host of the address."""
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port of the address."""
        return int(self.address.rpartition(":")[2])


def read_target(path: Path) -> Target:
    """Read the file.

    Raises:
        OSError: It, or a file that it names, cannot be read.
        ValueError: A key is missing or wrong; the text says which.
    """
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return _target(document, path.parent)
    except KeyError as error:
        raise ValueError(f"{path.name}: {error.args[0]} is missing") from error
    except TlogError as error:
        raise ValueError(f"{path.name}: heads: {error}") from error


def _target(document: Table, base: Path) -> Target:
    gateway, peer, desk = document["gateway"], document["peer"], document.get("desk")
    authorities = base / gateway["authorities"]

    def identity(table: Table) -> Identity:
        return _identity(table, authorities, base)

    def of_desk(name: str) -> Identity | None:
        return identity(desk[name]) if desk and name in desk else None

    target = Target(
        address=gateway["address"],
        server_name=gateway.get("server_name", ""),
        party=gateway["party"],
        authorities=authorities,
        heads=_verifiers(gateway["heads"]),
        peer=peer["party"],
        gateway=identity(peer["gateway"]),
        institution=identity(peer["institution"]),
        persons=tuple(map(identity, peer.get("person", ()))),
        voucher=_exchanged(document["voucher"]),
        receipt=_content(document["receipt"]) if "receipt" in document else None,
        system=of_desk("system"),
        reviewer=of_desk("reviewer"),
        register=_registering(document.get("register"), identity),
        log=read_log(peer["log"], peer["party"], base) if "log" in peer else None,
        sm3_heads=_verifiers(gateway.get("sm3_heads", ())),
    )
    if not target.heads:
        raise ValueError("gateway.heads names no key; no proof could be judged")
    if not (target.host and target.address.rpartition(":")[2].isdecimal()):
        raise ValueError("gateway.address is no host:port")
    return target


def _verifiers(keys: Iterable[str]) -> tuple[NoteVerifier, ...]:
    return tuple(verifier_of(VerifierKey.from_text(text)) for text in keys)


def _registering(
    table: Table | None, identity: Callable[[Table], Identity]
) -> Registering | None:
    if table is None:
        return None

    def optional(name: str) -> Identity | None:
        return identity(table[name]) if name in table else None

    return Registering(
        supervisor=identity(table["supervisor"]),
        officer=identity(table["officer"]),
        counterpart=optional("counterpart"),
        unfiled=optional("unfiled"),
        spares=tuple(map(identity, table.get("spare", ()))),
    )


def _identity(table: Table, authorities: Path, base: Path) -> Identity:
    reference = table["key"]
    if not reference.startswith(_FILE):
        raise ValueError("a key is given as file:PATH")
    certificate = base / table["certificate"]
    key = base / reference.removeprefix(_FILE)
    passphrase = read_passphrase(table["passphrase"], base)
    return Identity(
        certificate=certificate,
        key=key,
        passphrase=passphrase,
        access=Access.from_files(
            certificate=certificate,
            key=key,
            authorities=authorities,
            passphrase=passphrase,
        ),
    )


def _content(table: Table) -> Content:
    return Content(
        type_code=table["type"],
        fields=table["form"],
        rows=tuple(table.get("rows", ())),
    )


def _exchanged(table: Table) -> Exchanged:
    content = _content(table)
    texts = {name for name, one in content.fields.items() if isinstance(one, str)}
    if table["varied"] not in texts:
        raise ValueError("voucher.varied names no text field of voucher.form")
    return Exchanged(
        content=content,
        recipient=table["recipient"],
        misdirected=table.get("misdirected", ""),
        unagreed=table.get("unagreed", ""),
        adm_div=table["adm_div"],
        fiscal_year=table["fiscal_year"],
        varied=table["varied"],
    )
