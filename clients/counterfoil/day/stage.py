"""The institutions of the day, and everything that they need as files.

Below the day's directory:

    pki/                    the development authority, keys and certificates
    <party>/gateway.toml    one per gateway; its state stands beside it
    systems/<party>/        each business system: system.toml and its books
    files/<party>/          national XML files that the party is to issue
    corrections/<party>/    corrected files

All paths inside are relative, so the whole directory can be copied.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from counterfoil.bank.core import Fate
from counterfoil.devca.directory import Credential, DevelopmentCa
from counterfoil.tlog.keys import SignatureType, VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """A party of the day.

    Attributes:
        code: Its party code.
        name: Its name.
        kind: Its kind, as a gateway's configuration names it.
        carrier: Whose gateway carries for it; empty if it has its own.
    """

    code: str
    name: str
    kind: str
    carrier: str = ""


FINANCE: Final = Institution(code="420000-011", name="湖北省财政厅", kind="finance")
TREASURY: Final = Institution(
    code="420000-001", name="国家金库湖北省分库", kind="treasury"
)
ICBC: Final = Institution(
    code="420000-102", name="工商银行湖北省分行", kind="agent-bank"
)
ABC: Final = Institution(
    code="420000-103", name="农业银行湖北省分行", kind="agent-bank"
)
UNIT: Final = Institution(
    code="420000-101001",
    name="湖北省教育厅机关",
    kind="budget-unit",
    carrier=FINANCE.code,
)
GATEWAYS: Final = (FINANCE, TREASURY, ICBC, ABC)
BANKS: Final = (ICBC, ABC)
ISSUERS: Final = (FINANCE, UNIT)
PARTIES: Final = (*GATEWAYS, UNIT)

_POSTS: Final = {
    ("system", "1"): "business-system",
    ("person", "first"): "first-reviewer",
    ("person", "second"): "second-reviewer",
    ("person", "manager"): "system-manager",
}
_CALLERS: Final = {
    "system": ("system", "1"),
    "first_reviewer": ("person", "first"),
    "second_reviewer": ("person", "second"),
}
_ADDRESSES: Final = "addresses.json"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the files of a day stand.

    Attributes:
        directory: The day's directory.
    """

    directory: Path

    @property
    def pki(self) -> Path:
        """The development authority's directory."""
        return self.directory / "pki"

    @property
    def addresses(self) -> dict[str, str]:
        """Every gateway's `host:port`, by party."""
        text = (self.directory / _ADDRESSES).read_text(encoding="utf-8")
        addresses: dict[str, str] = json.loads(text)
        return addresses

    def gateway(self, party: str) -> Path:
        """Return the configuration of a party's gateway."""
        return self.directory / party / "gateway.toml"

    def state(self, party: str) -> Path:
        """Return where a party's vault and ledger stand."""
        return self.directory / party / "state"

    def system(self, party: str) -> Path:
        """Return the configuration of a party's business system."""
        return self.directory / "systems" / party / "system.toml"

    def books(self, party: str, name: str = "books") -> str:
        """Return the URL of a business system's books, or of a bank's core."""
        return f"sqlite:///{self.system(party).parent / name}.sqlite"

    def files(self, party: str) -> Path:
        """Return the folder of files that a party is to issue."""
        return self.directory / "files" / party

    def corrections(self, party: str) -> Path:
        """Return the folder of a party's corrected files."""
        return self.directory / "corrections" / party


def build(directory: Path, now: datetime) -> Stage:
    """Make authority, keys, certificates and configurations in `directory`."""
    stage = Stage(directory)
    ca = DevelopmentCa.create(stage.pki, [one.code for one in PARTIES], now=now)
    (stage.pki / "authorities.pem").write_bytes(
        b"".join(
            (stage.pki / f"{name}.pem").read_bytes() for name in ("root", "authority")
        )
    )
    addresses = dict(
        zip((one.code for one in GATEWAYS), _free_addresses(len(GATEWAYS)), strict=True)
    )
    (directory / _ADDRESSES).write_text(json.dumps(addresses), encoding="utf-8")
    for institution in GATEWAYS:
        file = stage.gateway(institution.code)
        file.parent.mkdir()
        file.write_text(_gateway_toml(ca, institution, addresses), encoding="utf-8")
    for institution in (*ISSUERS, *BANKS):
        stage.system(institution.code).parent.mkdir(parents=True)
    for institution in ISSUERS:
        for folder in (
            stage.files(institution.code),
            stage.corrections(institution.code),
        ):
            folder.mkdir(parents=True)
        banks = {one.code.partition("-")[2]: one.code for one in BANKS}
        write_system(stage, institution, "banks", {**banks, "default": BANKS[0].code})
    return stage


def write_system(
    stage: Stage, institution: Institution, table: str, content: Mapping[str, object]
) -> None:
    """Write the configuration of a business system, with one table of its own."""
    party = institution.code
    pki = f"../../pki/{party}"
    lines = [
        "[office]",
        f'party = "{party}"',
        f'address = "{stage.addresses[institution.carrier or party]}"',
        'authorities = "../../pki/authorities.pem"',
    ]
    for caller, (use, name) in _CALLERS.items():
        lines += [
            f"[office.caller.{caller}]",
            f'certificate = "{pki}/{use}-{name}.pem"',
            f'key = "file:{pki}/{use}-{name}.key"',
            f'passphrase = "file:{pki}/{use}-{name}.pass"',
        ]
    # Relative to the working directory, which is the system's own folder.
    lines += ["[books]", 'url = "sqlite:///books.sqlite"', f"[{table}]"]
    lines += [f"{json.dumps(key)} = {json.dumps(one)}" for key, one in content.items()]
    stage.system(party).write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_bank(
    stage: Stage, institution: Institution, seed: int, fates: Mapping[str, Fate]
) -> None:
    """Write the configuration of a bank's system and its core."""
    write_system(
        stage, institution, "core", {"url": "sqlite:///core.sqlite", "seed": seed}
    )
    lines = ["[core.fates]"]
    lines += [
        f"{json.dumps(number)} = {json.dumps(fate)}" for number, fate in fates.items()
    ]
    with stage.system(institution.code).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def _gateway_toml(
    ca: DevelopmentCa, institution: Institution, addresses: Mapping[str, str]
) -> str:
    """Return the configuration of one gateway; see `docs/gateway.toml`."""
    party = institution.code
    hosted = [one for one in PARTIES if one.carrier == party]
    lines = [
        "[gateway]",
        f'party = "{party}"',
        'directory = "state"',
        f'listen = "{addresses[party]}"',
        "[tls]",
        *_credential(ca.credential(party, "gateway"), party),
        "[trust]",
        'authorities = "../pki/authorities.pem"',
        'revocation_lists = ["../pki/authority.crl", "../pki/root.crl"]',
        "[head]",
        f'ed25519 = "file:../pki/{party}/head-ed25519.key"',
        f'mldsa44 = "file:../pki/{party}/head-ml-dsa-44.key"',
        f'ed25519_passphrase = "file:../pki/{party}/head-ed25519.pass"',
        f'mldsa44_passphrase = "file:../pki/{party}/head-ml-dsa-44.pass"',
        "[seal]",
        *_credential(ca.credential(party, "institution"), party),
    ]
    for one in hosted:
        lines += ["[[hosted]]", f'party = "{one.code}"']
        lines += _credential(ca.credential(one.code, "institution"), one.code)
    for one in PARTIES:
        lines += ["[[party]]", f'code = "{one.code}"', f'name = "{one.name}"']
        lines += [f'kind = "{one.kind}"']
        lines += [f'carrier = "{one.carrier}"'] if one.carrier else []
    for one in GATEWAYS:
        if one.code != party:
            heads = json.dumps(verifier_keys(ca, one.code))
            lines += ["[[peer]]", f'party = "{one.code}"']
            lines += [f'addresses = ["{addresses[one.code]}"]', f"heads = {heads}"]
    for one in (institution, *hosted):
        for (use, name), post in _POSTS.items():
            lines += [
                "[[caller]]",
                f'identity = "urn:counterfoil:{one.code}:{use}:{name}"',
                f'posts = ["{post}"]',
            ]
    # A gateway that was killed is back within seconds: its peers try often. At the
    # end nothing is under way any more but the peers' open streams.
    lines += ["[limits]", "retry_s_min = 0.1", "retry_s_max = 2.0", "drain_s_max = 2.0"]
    return "\n".join(lines) + "\n"


def _credential(credential: Credential, party: str) -> list[str]:
    stem = f"../pki/{party}/{credential.stem.name}"
    return [
        f'certificate = "{stem}.pem"',
        f'key = "file:{stem}.key"',
        f'passphrase = "file:{stem}.pass"',
    ]


def verifier_keys(ca: DevelopmentCa, party: str) -> list[str]:
    """Return the public keys of a log, as a peer's configuration states them."""
    ed25519 = serialization.load_pem_public_key(
        ca.log_key(party, "head", "ed25519").public_file.read_bytes()
    )
    ml_dsa = serialization.load_pem_public_key(
        ca.log_key(party, "head", "ml-dsa-44").public_file.read_bytes()
    )
    assert isinstance(ed25519, Ed25519PublicKey)
    assert isinstance(ml_dsa, MLDSA44PublicKey)
    origin = f"{party}/log"
    return [
        VerifierKey(
            name=origin, signature_type=kind, public_key=key.public_bytes_raw()
        ).to_text()
        for kind, key in (
            (SignatureType.ED25519, ed25519),
            (SignatureType.ML_DSA_44, ml_dsa),
        )
    ]


def _free_addresses(count: int) -> list[str]:
    """Return that many addresses on loopback that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
