"""Vaults on either engine, and documents to put into them."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import (
    Arrive,
    Committed,
    Deed,
    Deliver,
    Enter,
    Outcome,
    PeerAnswer,
    Perform,
    Recorded,
)
from counterfoil.domain.document import Document
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.register import Register
from counterfoil.domain.registration import Registration, key_of_registration
from counterfoil.domain.standing import Act, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.tlog.checkpoint import Checkpoint
from counterfoil.tlog.merkle import TreeHead
from counterfoil.vault.engine import Engine
from counterfoil.vault.heads import HeadStore, MemoryHeads
from counterfoil.vault.lmdb_engine import MEBIBYTE, LmdbEngine, LmdbLimits
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.vault import EngineVault
from counterfoil.vault.writer import WriterLimits
from tests.doubles import kept

FINANCE, BANK, TREASURY = "330000001", "330000002", "330000003"
LANES = {BANK: BANK, TREASURY: TREASURY, FINANCE: FINANCE}
SAID: dict[bytes, Registration] = {}
"""What the registrations made here say, by their sealed bytes."""
UNFOUNDED = Register(
    home=FINANCE, carriers={code: code for code in (FINANCE, BANK, TREASURY)}
)
ORIGIN = "vault.example/finance"
START_US = 1_767_225_600_000_000
SMALL = LmdbLimits(map_bytes=16 * MEBIBYTE, growth_bytes=16 * MEBIBYTE)
T = TypeVar("T")


def run(call: Coroutine[object, object, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(call)


@dataclass
class StepClock:
    """A clock that a test sets."""

    now: int = START_US

    def now_us(self) -> int:
        """Return the time, one millisecond later at each reading."""
        self.now += 1000
        return self.now


def sign(checkpoint: Checkpoint, time_s: int) -> bytes:
    """Stand in for the log's keys: the text, and a line that says when."""
    return checkpoint.to_text() + b"\nsigned at %d\n" % time_s


def peer_checkpoint(root: bytes, size: int, by: str = BANK) -> bytes:
    """Return a checkpoint of a peer's log, with a line that no key has signed."""
    origin = f"{by}/log"
    text = Checkpoint(origin=origin, head=TreeHead(size, root)).to_text()
    signature = b64encode(b"key hash, and a signature").decode()
    return text + f"\n— {origin} {signature}\n".encode()


def digest_of(text: str) -> bytes:
    """Return a digest made from a text."""
    return sha256(text.encode()).digest()


def voucher(
    number: str = "1",
    *,
    issuer: str = FINANCE,
    to: tuple[str, ...] = (BANK,),
    content: str = "a voucher",
    issue: int = 1,
    replaces: bytes = b"",
    seals: str = "seals",
) -> Document:
    """Make a voucher over 100.00 yuan in two rows."""
    key = VoucherKey(
        issuer=issuer,
        adm_div="330000",
        fiscal_year=2026,
        type_code=5201,
        number=number,
        issue=issue,
    )
    payload = f"{key!r} {content}".encode()
    sealed = payload + seals.encode()
    digest = sha256(payload).digest()
    return Document(
        kind=DocumentKind.VOUCHER,
        sealed=sealed,
        digest=digest,
        version=sha256(sealed).digest(),
        key=key,
        subject=digest,
        by=issuer,
        recipients=to,
        amount_fen=10_000,
        count=2,
        replaces=replaces,
    )


def step(
    kind: DocumentKind,
    about: Document,
    *,
    by: str = BANK,
    content: str = "",
    amount_fen: int = 10_000,
) -> Document:
    """Make a receipt or a step about a voucher."""
    payload = f"{kind.name} {about.digest.hex()} {by} {content} {amount_fen}".encode()
    receipt = kind is DocumentKind.RECEIPT
    issuer = about.key.issuer
    return Document(
        kind=kind,
        sealed=payload + b" sealed",
        digest=sha256(payload).digest(),
        version=sha256(payload + b" sealed").digest(),
        key=about.key,
        subject=about.digest,
        by=by,
        recipients=about.recipients if by == issuer else (issuer,),
        amount_fen=amount_fen if receipt else 0,
        count=about.count if receipt else 0,
    )


@dataclass
class Bench:
    """A vault under test, with short words for what tests do."""

    vault: EngineVault
    clock: StepClock = field(default_factory=StepClock)

    def perform(self, *deeds: Deed) -> list[Committed]:
        """Perform deeds in one call."""
        return run(self.vault.perform(deeds))

    def one(self, deed: Deed) -> Outcome:
        """Perform one deed and return its only outcome."""
        (committed,) = self.perform(deed)
        (outcome,) = committed.outcomes
        return outcome

    def enter(
        self,
        document: Document,
        *,
        send: bool = False,
        lanes: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Enter a document."""
        lanes = LANES if lanes is None else lanes
        return self.one(Enter(document=document, lanes=lanes, send=send))

    def arrive(
        self, *documents: Document, carrier: str = BANK, hosted: tuple[str, ...] = ()
    ) -> Committed:
        """Let a batch arrive."""
        parties = frozenset(hosted or (FINANCE, TREASURY))
        (committed,) = self.perform(
            Arrive(carrier=carrier, documents=documents, hosted=parties)
        )
        return committed

    def act(self, act: Act, about: Document, recipient: str = FINANCE) -> Outcome:
        """Begin or end acting."""
        return self.one(
            Perform(act=act, key=about.key, digest=about.digest, recipient=recipient)
        )

    def deliver(self, *answers: PeerAnswer, evidence: bytes = b"proof") -> Committed:
        """Let the bank answer."""
        (committed,) = self.perform(
            Deliver(
                carrier=BANK,
                answers=answers,
                evidence=evidence,
                not_before_us=START_US + 5,
            )
        )
        return committed

    def standing(self, about: Document, position: int = 0) -> Standing:
        """Return where a voucher stands."""
        entry = kept(self.vault, about.key)
        assert entry is not None
        return entry.passages[position].standing

    def unchanged(self) -> tuple[object, ...]:
        """Return what a refusal must not change."""
        return (
            self.vault.size(),
            self.vault.lane_lengths(),
            self.vault.lane(BANK, after=-1, limit=100),
            [
                item.leaf_index
                for party in (FINANCE, TREASURY, BANK)
                for item in self.vault.waiting(party, after=-1, limit=100)
            ],
        )


def open_vault(
    engine: Engine,
    heads: HeadStore | None = None,
    clock: StepClock | None = None,
    limits: WriterLimits | None = None,
    register: Register | None = None,
) -> EngineVault:
    """Open a vault on an engine, with a key for each tree that it has."""
    with engine.reading() as reading:
        has_sm3 = reading.sm3_tree() is not None
    return EngineVault(
        engine,
        MemoryHeads() if heads is None else heads,
        origin=ORIGIN,
        sign=sign,
        sign_sm3=sign if has_sm3 else None,
        clock=clock or StepClock(),
        register=register or UNFOUNDED,
        read_registration=read_registration,
        limits=limits,
    )


def read_registration(
    sealed: bytes,
    _find: Callable[[bytes], bytes | None],
    _listed: Callable[[bytes], Identity | None],
) -> Registration:
    """Return what a registration made here says."""
    return SAID[sealed]


def registered(said: Registration, *, signers: tuple[bytes, ...] = ()) -> Document:
    """Make a registration."""
    payload = f"{said.by} {said.number} {said.matter!r}".encode()
    sealed = payload + b" signed"
    said = replace(said, digest=sha256(payload).digest())
    SAID[sealed] = said
    return Document(
        kind=DocumentKind.REGISTRATION,
        sealed=sealed,
        digest=said.digest,
        version=sha256(sealed).digest(),
        key=key_of_registration(said.by, said.number),
        subject=said.digest,
        by=said.by,
        recipients=said.told,
        signers=signers,
        registration=said,
    )


def make_engine(kind: str, directory: Path) -> Engine:
    """Open an engine by name: `memory` or `lmdb`, and `+sm3` for the second tree."""
    name, _, second = kind.partition("+")
    if name == "memory":
        return MemoryEngine(sm3_tree=bool(second))
    return LmdbEngine(directory, SMALL, sm3_tree=bool(second))


def recorded(outcome: Outcome) -> Recorded:
    """Return what was recorded, or raise the refusal."""
    if isinstance(outcome, CounterfoilError):
        raise outcome
    return outcome


def with_other_seals(document: Document) -> Document:
    """Return the same payload under other seals."""
    sealed = document.sealed + b" again"
    return replace(document, sealed=sealed, version=sha256(sealed).digest())
