"""What each matter of `counterfoil register propose` needs, and what it makes of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from counterfoil.daemon.applied_key import public_key_in
from counterfoil.daemon.config import OptionRefused
from counterfoil.office import matters
from counterfoil.seal.certificates import CertificateRefused, load_pem_chain

_DIGITS_MAX: Final = 18
"""A longer number is none that the contract can hold."""

_DIGEST_BYTES: Final = 32

Make = Callable[[argparse.Namespace], matters.Matter]


@dataclass(frozen=True, slots=True)
class _Proposal:
    """One matter.

    Attributes:
        needs: The options that it cannot do without, parted by spaces.
        make: Makes it from the options.
    """

    needs: str
    make: Make


def matter_of(arguments: argparse.Namespace) -> matters.Matter:
    """Return the matter that a command line proposes.

    Raises:
        OptionRefused: An option is missing or cannot be used.
    """
    proposal = MATTERS[arguments.matter]
    for option in proposal.needs.split():
        if getattr(arguments, option.replace("-", "_")) is None:
            msg = f"{arguments.matter}: --{option} is needed"
            raise OptionRefused(msg)
    try:
        return proposal.make(arguments)
    except (ValueError, CertificateRefused) as error:
        msg = f"{arguments.matter}: {error}"
        raise OptionRefused(msg) from error


def told_of(arguments: argparse.Namespace) -> list[str]:
    """Return the parties that are told of what a command line proposes.

    Raises:
        OptionRefused: It concerns others, and nobody is named and nobody excluded.
    """
    if arguments.told == NOBODY:
        return []
    told = listed(arguments.told)
    if not told and arguments.matter in CONCERNS_OTHERS:
        msg = (
            f"{arguments.matter}: --told is needed: the parties whose gateways must "
            f"know, or {NOBODY}"
        )
        raise OptionRefused(msg)
    return told


def listed(text: str | None) -> list[str]:
    """Return what a text names, parted by commas."""
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def _number(option: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        msg = f"--{option}: not a number: {text!r}"
        raise ValueError(msg)
    return int(text)


def _der(path: str) -> bytes:
    try:
        return load_pem_chain(Path(path).read_bytes())[0]
    except CertificateRefused as error:
        msg = f"{path}: {error}"
        raise ValueError(msg) from error


def _digest(arguments: argparse.Namespace) -> bytes:
    try:
        digest = bytes.fromhex(arguments.digest)
    except ValueError:
        digest = b""
    if len(digest) != _DIGEST_BYTES:
        msg = (
            f"--digest: not 64 hexadecimal digits, as `propose`, `submit` and "
            f"`list` print them: {arguments.digest}"
        )
        raise ValueError(msg)
    return digest


def _one_of(option: str, text: str, names: Iterable[str]) -> str:
    if text not in names:
        msg = f"--{option}: {text} is none of {', '.join(names)}"
        raise ValueError(msg)
    return text


def _post(arguments: argparse.Namespace) -> str:
    return _one_of("post", arguments.post, matters.POSTS)


def _found(arguments: argparse.Namespace) -> matters.Matter:
    """Return the opening of a register; `--named` says `FILE=URN,FILE=URN`."""
    seals = [_der(path) for path in listed(arguments.seals)]
    directory = {}
    for named in listed(arguments.named):
        path, parted, holder = named.partition("=")
        if not parted:
            msg = f"--named: not FILE=URN: {named}"
            raise ValueError(msg)
        directory[_der(path)] = holder
    return matters.founding(
        arguments.supervisor, arguments.system_manager, seals, directory
    )


def _agree(arguments: argparse.Namespace) -> matters.Matter:
    """Return an agreement; `--ways` says `ISSUER:TYPE+TYPE,ISSUER:TYPE`."""
    ways = {}
    for way in listed(arguments.ways):
        issuer, parted, types = way.partition(":")
        if not parted:
            msg = f"--ways: not CODE:TYPE+TYPE: {way}"
            raise ValueError(msg)
        ways[issuer] = [_number("ways", one) for one in types.split("+")]
    try:
        one, other = listed(arguments.parties)
    except ValueError:
        msg = f"--parties: not two codes parted by a comma: {arguments.parties}"
        raise ValueError(msg) from None
    return matters.agreement(
        ways,
        (one, other),
        valid_from=arguments.valid_from,
        valid_until=arguments.valid_until,
    )


def _file(arguments: argparse.Namespace) -> matters.Matter:
    return matters.filing(
        arguments.holder,
        valid_from=arguments.valid_from,
        valid_until=arguments.valid_until,
        types=[_number("types", one) for one in listed(arguments.types)],
        positions=listed(arguments.positions),
        amount_max_fen=_number("amount-max-fen", arguments.amount_max_fen or "0"),
    )


def _name(arguments: argparse.Namespace) -> matters.Matter:
    return matters.directory_entry(arguments.holder, _der(arguments.of))


def _apply(arguments: argparse.Namespace) -> matters.Matter:
    path = Path(arguments.of)
    try:
        key = public_key_in(path.read_bytes())
    except CertificateRefused as error:
        msg = f"{path}: {error}"
        raise ValueError(msg) from error
    return matters.certificate_application(arguments.holder, key)


def _admit(arguments: argparse.Namespace) -> matters.Matter:
    return matters.party_admission(
        arguments.party,
        arguments.name,
        _one_of("kind", arguments.kind, matters.KINDS),
        carrier=arguments.carrier or "",
        encoding=arguments.encoding or "",
    )


def _connect(arguments: argparse.Namespace) -> matters.Matter:
    return matters.peer_connection(
        arguments.party,
        listed(arguments.addresses),
        listed(arguments.heads),
        server_name=arguments.server_name or "",
    )


def _changes(change: str) -> Make:
    return lambda arguments: matters.agreement_change(_digest(arguments), change)


MATTERS: Final = {
    "found": _Proposal("supervisor system-manager seals", _found),
    "assign": _Proposal(
        "holder post", lambda a: matters.post_assignment(a.holder, _post(a))
    ),
    "withdraw": _Proposal(
        "holder post", lambda a: matters.post_withdrawal(a.holder, _post(a))
    ),
    "agree": _Proposal("parties ways valid-from valid-until", _agree),
    "suspend": _Proposal("digest", _changes("suspend")),
    "resume": _Proposal("digest", _changes("resume")),
    "end": _Proposal("digest", _changes("end")),
    "lose": _Proposal("of", lambda a: matters.loss_notice(_der(a.of))),
    "revoke": _Proposal("of", lambda a: matters.revocation(_der(a.of))),
    "apply": _Proposal("holder of", _apply),
    "approve": _Proposal("digest", lambda a: matters.certificate_approval(_digest(a))),
    "activate": _Proposal(
        "digest of", lambda a: matters.certificate_activation(_digest(a), _der(a.of))
    ),
    "file": _Proposal("holder valid-from valid-until", _file),
    "unfile": _Proposal("digest", lambda a: matters.filing_withdrawal(_digest(a))),
    "name": _Proposal("holder of", _name),
    "unname": _Proposal("of", lambda a: matters.directory_removal(_der(a.of))),
    "demand": _Proposal("by", lambda a: matters.certificate_demand(a.party or a.by)),
    "admit": _Proposal("party name kind", _admit),
    "dismiss": _Proposal("party", lambda a: matters.party_dismissal(a.party)),
    "connect": _Proposal("party addresses heads", _connect),
    "disconnect": _Proposal("party", lambda a: matters.peer_disconnection(a.party)),
    "check": _Proposal(
        "about finding", lambda a: matters.audit_check(a.about, a.finding)
    ),
}
"""Every matter by the word of the command line."""

CONCERNS_OTHERS: Final = frozenset(
    (
        *("agree", "suspend", "resume", "end", "lose", "revoke"),
        *("file", "unfile", "name", "unname"),
    )
)
"""Matters that count at another party's gateway only once it was told."""

NOBODY: Final = "none"
"""What `--told` says where nobody is told."""

OPTIONS: Final = {
    "holder": ("URN", "whose post, certificate or seal (assign, apply, file, name …)"),
    "post": ("POST", "the post, e.g. first-reviewer (assign, withdraw)"),
    "digest": ("HEX", "the registration that it is about (suspend, approve, unfile …)"),
    "of": ("FILE", "certificate, or for apply: request or public key, PEM (lose …)"),
    "parties": ("CODE,CODE", "the two, in the order of their signatures (agree)"),
    "ways": ("CODE:TYPE+…,…", "what each may send (agree)"),
    "types": ("CODE,…", "types that a seal may stand on; none: every one (file)"),
    "positions": ("ID,…", "positions of a seal; none: every one (file)"),
    "amount-max-fen": ("FEN", "largest amount; 0: any (file)"),
    "valid-from": ("yyyyMMdd", "first day in China (agree, file)"),
    "valid-until": ("yyyyMMdd", "last day (agree, file)"),
    "supervisor": ("URN", "the first supervisor (found)"),
    "system-manager": ("URN", "the first system manager, who proposes it (found)"),
    "seals": ("FILE,…", "certificates of the seals in use, PEM (found)"),
    "party": ("CODE", "which institution (admit, connect …); --by by default (demand)"),
    "name": ("TEXT", "its name in Chinese (admit)"),
    "kind": ("KIND", f"one of {', '.join(matters.KINDS)} (admit)"),
    "carrier": ("CODE", "whose gateway carries for it; its own by default (admit)"),
    "encoding": ("NAME", "of national documents, GBK by default or GB18030 (admit)"),
    "addresses": ("HOST:PORT,…", "in the order in which they are tried (connect)"),
    "heads": ("KEY,…", "verifier keys of its log, as its `keys` prints them (connect)"),
    "server-name": ("NAME", "what its certificate bears, if not the usual (connect)"),
    "named": ("FILE=URN,…", "whose certificates are that bear no name (found)"),
    "about": ("TEXT", "what was looked at (check)"),
    "finding": ("TEXT", "what was found (check)"),
}
"""Options of matters: placeholder and help."""
