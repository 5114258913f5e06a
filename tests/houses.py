"""Institutions for tests: certificates, configuration, and gateways that run.

A `Town` is a directory with a development CA and one configured gateway for each
party. A gateway runs inside the test's own process and event loop (`running`) or as
a process of its own (`Process`), always on a free loopback port and on disk.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import serialization

from counterfoil.daemon.config import Configuration, load_configuration
from counterfoil.daemon.gateway import Gateway
from counterfoil.daemon.serving import initialise_stores
from counterfoil.day.cast import Institution
from counterfoil.day.founding import POSTS, Founders
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.office import Access, AsyncDesk, Patience, Person
from counterfoil.seal.head_keys import (
    head_signers,
    load_log_keys,
    load_sm2_key,
    sm3_head_signers,
)
from counterfoil.seal.keys import KeyReference
from counterfoil.tlog.ed25519 import Ed25519Signer
from counterfoil.tlog.ml_dsa import MlDsa44Signer

FINANCE = "420000-011"
BANK = "420000-102"
OTHER_BANK = "420000-103"
TREASURY = "420000-001"
SPECIAL_BANK = "420000-301"
"""A bank where finance keeps a special account (财政专户)."""
UNIT = "420000-101001"
"""A budget unit hosted on finance's gateway."""

KINDS: Mapping[str, str] = {
    FINANCE: "finance",
    BANK: "agent-bank",
    OTHER_BANK: "agent-bank",
    TREASURY: "treasury",
    SPECIAL_BANK: "special-account-bank",
    UNIT: "budget-unit",
}
HOSTED: Mapping[str, str] = {UNIT: FINANCE}
_ROOTS = ("proto", "gateway", "store", "clients")
_REPOSITORY = Path(__file__).parent.parent


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(kw_only=True)
class Town:
    """Some institutions that know each other.

    Attributes:
        directory: Everything is below it.
        carriers: The parties with gateways.
        ports: The port of each gateway.
        sections: More TOML for each gateway, appended to what is written.
        founded: Whether registers are founded; else the configuration says who calls.
        settings: Lines for `[seal]`, `[limits]`, `[trust]` of every gateway.
        sm2: The parties whose institutions seal with SM2; needs its library.
        sm3: The parties whose logs have an SM3 tree; needs the library, too.
    """

    directory: Path
    carriers: tuple[str, ...] = (FINANCE, BANK)
    ports: dict[str, int] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    founded: bool = True
    sm2: tuple[str, ...] = ()
    sm3: tuple[str, ...] = ()
    ca: DevelopmentCa = field(init=False)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC).replace(microsecond=0)
        self.ca = DevelopmentCa.create(self.pki, self.parties, now=now)
        for party in self.sm2:
            self.ca.issue(party, "institution", "1", now=now, algorithm="sm2")
        for party in self.sm3:
            self.ca.add_sm2_head_key(party)
        (self.pki / "authorities.pem").write_bytes(self.ca.authorities_pem)
        for party in self.carriers:
            self.ports.setdefault(party, free_port())
        for party in self.carriers:
            self.file(party).write_text(self.configuration_text(party))
        if self.founded:
            self.found()

    @property
    def pki(self) -> Path:
        """Where certificates and keys are."""
        return self.directory / "pki"

    @property
    def parties(self) -> list[str]:
        """Every party: those with gateways, and those they host."""
        hosted = [
            unit
            for unit, carrier in HOSTED.items()
            if carrier in self.carriers and unit not in self.carriers
        ]
        return [*self.carriers, *hosted]

    def carrier_of(self, party: str) -> str:
        """Return the party whose gateway carries for a party."""
        return party if party in self.carriers else HOSTED.get(party, party)

    def found(self) -> None:
        """Write what each register begins with, by the certificates that are there."""
        for party, founding in self.founders().files().items():
            self.founding(party).write_bytes(founding)

    def founders(self) -> Founders:
        """Return who founds the registers."""
        return Founders(
            institutions=[
                Institution(
                    code=code,
                    name=f"机构{code}",
                    kind=KINDS[code],
                    carrier=self.carrier_of(code),
                )
                for code in self.parties
            ],
            person=self.person,
            seal=lambda party: self.ca.credential(
                party, "institution"
            ).certificate.public_bytes(serialization.Encoding.DER),
            now=datetime.now(UTC).replace(microsecond=0),
        )

    def founding(self, party: str) -> Path:
        """Return the file of registrations that a gateway's register begins with."""
        return self.directory / f"{party}.registrations"

    def file(self, party: str) -> Path:
        """Return the configuration file of a gateway."""
        return self.directory / f"{party}.toml"

    def configuration(self, party: str) -> Configuration:
        """Return the configuration of a gateway, read from its file."""
        return load_configuration(self.file(party))

    def state(self, party: str) -> Path:
        """Return the directory of a gateway's durable state."""
        return self.directory / f"state-{party}"

    def initialise(self, *parties: str) -> None:
        """Make the empty stores of the gateways of `parties`, or of all."""
        for party in parties or self.carriers:
            initialise_stores(self.configuration(party))

    def heads(self, party: str) -> list[str]:
        """Return the verifier keys of a party's log."""
        return [signer.key.to_text() for signer in self._signers(party)]

    def sm3_heads(self, party: str) -> list[str]:
        """Return the verifier keys of the SM3 tree of a party's log."""
        ed25519, _ = self._signers(party)
        sm2 = load_sm2_key(self._head_key(party, "sm2"))
        return [one.key.to_text() for one in sm3_head_signers(ed25519, sm2)]

    def _signers(self, party: str) -> tuple[Ed25519Signer, MlDsa44Signer]:
        pair = [self._head_key(party, name) for name in ("ed25519", "ml-dsa-44")]
        return head_signers(f"{party}/log", *load_log_keys(*pair))

    def _head_key(self, party: str, name: str) -> KeyReference:
        stem = f"file:{self.pki / party}/head-{name}"
        return KeyReference(f"{stem}.key", f"{stem}.pass")

    def credentials(
        self, party: str, use: str = "system", name: str = "1"
    ) -> grpc.ChannelCredentials:
        """Return what a caller shows; and whom it trusts."""
        credential = self.ca.credential(party, use, name)
        key = credential.load_key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return grpc.ssl_channel_credentials(
            (self.pki / "authorities.pem").read_bytes(),
            key,
            credential.chain_file.read_bytes(),
        )

    @asynccontextmanager
    async def channel(
        self, party: str, use: str = "system", name: str = "1", *, at: str = ""
    ) -> AsyncIterator[grpc.aio.Channel]:
        """Open a channel of a caller to its own gateway, or to that of `at`."""
        carrier = at or self.carrier_of(party)
        async with grpc.aio.secure_channel(
            f"127.0.0.1:{self.ports[carrier]}",
            self.credentials(party, use, name),
            options=[("grpc.use_local_subchannel_pool", 1)],
        ) as channel:
            yield channel

    def access(self, party: str, use: str = "system", name: str = "1") -> Access:
        """Return what a business system or person shows at its desk."""
        credential = self.ca.credential(party, use, name)
        return Access.from_files(
            certificate=credential.chain_file,
            key=credential.key_file,
            authorities=self.pki / "authorities.pem",
            passphrase=credential.pass_file.read_bytes(),
        )

    def desk(
        self, party: str, use: str = "system", name: str = "1", *, total_s: float = 60.0
    ) -> AsyncDesk:
        """Return the desk of a caller at its own gateway; close it."""
        return AsyncDesk(
            f"127.0.0.1:{self.ports[self.carrier_of(party)]}",
            self.access(party, use, name),
            Patience(total_s=total_s, wait_s_min=0.02, wait_s_max=0.2),
        )

    def person(self, party: str, name: str) -> Person:
        """Return a person with the own key."""
        access = self.access(party, "person", name)
        return Person.from_pem(access.certificate, access.key)

    def rewrite(self, party: str, old: str, new: str) -> None:
        """Replace what stands once in a gateway's configuration."""
        text = self.file(party).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        self.file(party).write_text(text.replace(old, new))

    def configuration_text(self, party: str) -> str:
        """Return the configuration of one gateway."""
        lines = [
            "[gateway]",
            f'party = "{party}"',
            f'directory = "state-{party}"',
            f'listen = "127.0.0.1:{self.ports[party]}"',
            *self._keys("tls", party, "gateway-1"),
            "[trust]",
            'authorities = "pki/authorities.pem"',
            f"revocation_lists = {[f'pki/{name}.crl' for name in self.ca.names]!r}",
            self.settings.get("trust", ""),
            *self._founding(party),
            "[head]",
            *(
                f'{key} = "file:pki/{party}/head-{name}.key"\n'
                f'{key}_passphrase = "file:pki/{party}/head-{name}.pass"'
                for key, name in (
                    ("ed25519", "ed25519"),
                    ("mldsa44", "ml-dsa-44"),
                    *([("sm2", "sm2")] if party in self.sm3 else []),
                )
            ),
            *self._keys("seal", party, "institution-1"),
            self.settings.get("seal", ""),
            "[limits]",
            self.settings.get("limits", "retry_s_min = 0.1\nretry_s_max = 1.0"),
        ]
        for code in self.parties:
            carrier = self.carrier_of(code)
            lines += ["[[party]]", f'code = "{code}"', f'name = "机构{code}"']
            lines += [f'kind = "{KINDS[code]}"', f'carrier = "{carrier}"']
            if carrier == party and code != party:
                lines += self._keys("[hosted]", code, "institution-1")
                lines.append(f'party = "{code}"')
        for peer in self.carriers:
            if peer != party:
                lines += ["[[peer]]", f'party = "{peer}"']
                lines.append(f'addresses = ["127.0.0.1:{self.ports[peer]}"]')
                lines.append(f"heads = {self.heads(peer)!r}")
        return "\n".join(lines) + "\n"

    def _founding(self, party: str) -> Iterator[str]:
        """Yield what says who may call the desks of a gateway."""
        if self.founded:
            yield "[register]"
            yield f'founding = "{party}.registrations"'
            return
        for code in self.parties:
            for use, name, post in POSTS:
                if self.carrier_of(code) == party:
                    yield "[[caller]]"
                    yield f'identity = "urn:counterfoil:{code}:{use}:{name}"'
                    yield f'posts = ["{post}"]'

    def _keys(self, section: str, party: str, name: str) -> list[str]:
        stem = f"pki/{party}/{name}"
        return [
            f"[{section}]",
            f'certificate = "{stem}.pem"',
            f'key = "file:{stem}.key"',
            f'passphrase = "file:{stem}.pass"',
        ]


@asynccontextmanager
async def running(town: Town, *parties: str) -> AsyncIterator[dict[str, Gateway]]:
    """Run the gateways of `parties`, or of all, inside this event loop."""
    gateways = {
        party: Gateway(town.configuration(party)) for party in parties or town.carriers
    }
    started: list[Gateway] = []
    try:
        for gateway in gateways.values():
            await gateway.start()
            started.append(gateway)
        yield gateways
    finally:
        for gateway in started:
            await gateway.stop()


@dataclass(kw_only=True)
class Process:
    """A gateway as a process of its own, started by `counterfoil serve`.

    Attributes:
        town: Where its configuration is.
        party: Whose gateway it is.
    """

    town: Town
    party: str
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it serves.

        Raises:
            AssertionError: It ended instead; its log is in the message.
        """
        log = self.log_file.open("a")
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "counterfoil.daemon",
                "serve",
                "--config",
                str(self.town.file(self.party)),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
        )
        log.close()
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        assert ready == "ready\n", self.log_file.read_text()[-4000:]

    @property
    def log_file(self) -> Path:
        """Where its log goes."""
        return self.town.directory / f"{self.party}.log"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it with SIGKILL and reap it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._close()

    def stop(self) -> int:
        """End it with SIGTERM; return its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(timeout=60)
        self._close()
        return status

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None


def environment() -> dict[str, str]:
    """Return the environment in which our modules are found from the checkout."""
    roots = os.pathsep.join(str(_REPOSITORY / root) for root in _ROOTS)
    return {**os.environ, "PYTHONPATH": roots}
