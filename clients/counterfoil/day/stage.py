"""Where everything of a day stands as files.

Below the day's directory:

    pki/                    the development authority, keys and certificates
    <party>/gateway.toml    one per gateway; its state stands beside it
    <party>/founding.registrations   what its register begins with
    systems/<party>/        each business system: system.toml and its books
    files/                  national XML files that finance is to issue
    corrections/            corrected files
    working_days.toml       which days the systems hold for working days
    settled                 the day by which everything must be answered
    logs/                   what each program wrote to its standard error

All paths inside are relative, so the whole directory can be copied.
"""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from counterfoil.day.cast import GATEWAYS, PARTIES
from counterfoil.day.founding import Founders
from counterfoil.day.gateways import gateway_toml
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.office import Person

_ADDRESSES: Final = "addresses.json"
_SETTLED: Final = "settled"


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

    @property
    def settled(self) -> date:
        """The day by which everything must be answered."""
        return date.fromisoformat((self.directory / _SETTLED).read_text())

    def settle_by(self, day: date) -> None:
        """Write down the day by which everything must be answered."""
        (self.directory / _SETTLED).write_text(day.isoformat())

    @property
    def working_days(self) -> Path:
        """The file of working days that all systems go by."""
        return self.directory / "working_days.toml"

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

    @property
    def files(self) -> Path:
        """The folder of national files that finance is to issue."""
        return self.directory / "files"

    @property
    def corrections(self) -> Path:
        """The folder of finance's corrected files."""
        return self.directory / "corrections"


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
    founded = _founders(ca, now).files()
    for institution in GATEWAYS:
        file = stage.gateway(institution.code)
        file.parent.mkdir()
        file.write_text(gateway_toml(ca, institution, addresses), encoding="utf-8")
        founding = file.with_name("founding.registrations")
        founding.write_bytes(founded[institution.code])
    for institution in PARTIES:
        stage.system(institution.code).parent.mkdir(parents=True)
    for folder in (stage.files, stage.corrections):
        folder.mkdir()
    return stage


def _founders(ca: DevelopmentCa, now: datetime) -> Founders:
    """Return who founds the registers, with their development keys."""

    def person(party: str, name: str) -> Person:
        credential = ca.credential(party, "person", name)
        key = credential.load_key().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        return Person.from_pem(credential.chain_file.read_bytes(), key)

    def seal(party: str) -> bytes:
        certificate = ca.credential(party, "institution").certificate
        return certificate.public_bytes(Encoding.DER)

    return Founders(institutions=PARTIES, person=person, seal=seal, now=now)


def _free_addresses(count: int) -> list[str]:
    """Return that many addresses on loopback that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
