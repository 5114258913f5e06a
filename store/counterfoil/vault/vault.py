"""The vault port on an engine, a writer and a head store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from hashlib import sha256

from counterfoil.app.ports import (
    Clock,
    Entry,
    LaneItem,
    LogRecord,
    RegistrationRow,
    Waiting,
)
from counterfoil.domain.deeds import Committed, Deed
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import HeadForked
from counterfoil.domain.register import Register
from counterfoil.domain.standing import Role
from counterfoil.domain.voucher import VoucherKey
from counterfoil.domain.witnessing import WitnessedHead
from counterfoil.tlog.trees import LogTree
from counterfoil.vault import reading as look
from counterfoil.vault.answering import committed_as
from counterfoil.vault.engine import Engine, Reading, stored_tree
from counterfoil.vault.heads import HeadStore
from counterfoil.vault.names import NameIndex, short
from counterfoil.vault.proving import TreeProofs
from counterfoil.vault.read_counts import ReadCounts
from counterfoil.vault.recent import Recent
from counterfoil.vault.records import book_key
from counterfoil.vault.registering import (
    ReadRegistration,
    registered,
    registrations,
)
from counterfoil.vault.signing import HeadSigner, SignHead
from counterfoil.vault.told import Told
from counterfoil.vault.writer import Group, Writer, WriterLimits

_MICROSECONDS = 1_000_000
_KEPT_MAX = 4096  # certificates known to be stored, so that nobody looks again


class EngineVault:
    """An institution's vault; implements `counterfoil.app.ports.Vault`.

    A vault that is older than what it signed, or differs from it, can be read but
    neither writes nor signs; `stopped_reason` says so.

    Args:
        engine: Where it is stored; the vault closes it.
        heads: Where signed heads are remembered; the vault does not close it.
        origin: The log's name in its checkpoints.
        sign: Signs its checkpoints.
        sign_sm3: Signs those of its SM3 tree; None if it is to have none.
        clock: Its clock.
        register: What stands registered before the log's first registration.
        read_registration: Says what a stored registration says.
        limits: How much waits for a commit.

    Raises:
        TreesDiffer: The vault was made with other trees.
        VaultCorrupt: A registration of the log is damaged.
    """

    def __init__(  # noqa: PLR0913  # the parts that a daemon puts together
        self,
        engine: Engine,
        heads: HeadStore,
        *,
        origin: str,
        sign: SignHead,
        sign_sm3: SignHead | None = None,
        clock: Clock,
        register: Register,
        read_registration: ReadRegistration,
        limits: WriterLimits | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._recent = Recent()
        self._kept: set[bytes] = set()
        self._read_counts = ReadCounts()
        self._proofs = TreeProofs(engine.reading)
        signs = {LogTree.SHA256: sign}
        if sign_sm3 is not None:
            signs[LogTree.SM3] = sign_sm3
        self.trees = frozenset(signs)
        with engine.reading() as reading:
            self._signer = HeadSigner(origin, heads, signs, reading)
            self._names = NameIndex(reading)
            self._size = Told(reading.frontier().size)
            self._time_us = reading.time_us()
            self._lane_lengths = Counter(reading.lane_lengths())
            stands = registered(reading, register, read_registration)
            self._register = Told(stands)
        self._writer = Writer(
            engine,
            self._names,
            stands,
            clock.now_us,
            self._conclude,
            limits or WriterLimits(),
        )

    @property
    def stopped_reason(self) -> str:
        """Why nothing is written any more; empty while the vault is ready."""
        return self._signer.forked or self._writer.stopped_reason

    @property
    def time_us(self) -> int:
        """When the newest leaf was written, by our clock then; 0 if there is none."""
        return self._time_us

    async def stopped(self) -> None:
        """Return once nothing is written any more; see `stopped_reason`."""
        if not self._signer.forked:
            # Shielded: who stops waiting must not cancel what others wait for.
            await asyncio.shield(asyncio.wrap_future(self._writer.stopped))

    async def perform(self, deeds: Sequence[Deed]) -> list[Committed]:
        """Judge and write `deeds`, and return when they are on disk."""
        self._require_whole()
        return await self._writer.submit(tuple(deeds))

    async def keep_certificates(self, certificates: Iterable[bytes]) -> None:
        """Store certificates (DER) that seals name; known ones cost nothing."""
        unknown = [der for der in certificates if der not in self._kept]
        if not unknown:
            return
        with self._engine.reading() as reading:
            missing = tuple(
                der
                for der in unknown
                if reading.certificate(sha256(der).digest()) is None
            )
        if missing:
            self._require_whole()
            await self._writer.submit((), missing)
        if len(self._kept) > _KEPT_MAX:
            self._kept.clear()
        self._kept.update(unknown)

    async def changed(self, size: int) -> int:
        """Wait until more than `size` leaves are committed; return how many."""
        return await self._size.until(lambda now: now > size)

    def reading(self) -> AbstractContextManager[Reading]:
        """Open one consistent state, for a moment: for whoever checks the vault."""
        return self._engine.reading()

    def close(self) -> None:
        """Write what is waiting and close the engine; idempotent."""
        self._writer.close()
        self._engine.close()

    def entry(self, key: VoucherKey, role: Role) -> Entry | None:
        """Return what the book of keys says of `key` on the side of `role`."""
        with self._engine.reading() as reading:
            return reading.entry(book_key(key.to_bytes(), role))

    def entries(self, keys: Sequence[VoucherKey], role: Role) -> list[Entry | None]:
        """Return what the book says of each key on one side, all at one moment."""
        with self._engine.reading() as reading:
            return [reading.entry(book_key(key.to_bytes(), role)) for key in keys]

    def key_of(self, digest: bytes) -> VoucherKey | None:
        """Return the key of the voucher with this digest."""
        # Memory first: what leaves it is in the stored index by then.
        opened = self._names.find(digest)
        with self._engine.reading() as reading:
            if opened is None:
                opened = reading.name(short(digest))
            row = None if opened is None else reading.row(opened)
            if row is None or row.title is None:
                return None
            entry = reading.entry(book_key(row.title.key, row.title.role))
            if entry is None or entry.digest != digest:
                return None
            return VoucherKey.from_bytes(row.title.key)

    def document(self, index: int) -> bytes:
        """Return the sealed bytes that entered or arrived as leaf `index`."""
        with self._engine.reading() as reading:
            return look.document(reading, index)

    def documents(self, indices: Sequence[int], *, bytes_max: int) -> list[bytes]:
        """Return the sealed bytes of the first of these leaves, up to `bytes_max`."""
        with self._engine.reading() as reading:
            return look.documents(reading, indices, bytes_max)

    def holds(self, document: Document) -> bool:
        """Tell whether the log has a peer's document, with these very seals."""
        with self._engine.reading() as reading:
            return look.holds(reading, document)

    def leaf(self, index: int) -> Leaf:
        """Return a leaf of the log."""
        with self._engine.reading() as reading:
            return look.leaf(reading, index)

    def evidence(self, index: int) -> bytes:
        """Return the peer's evidence for the `DELIVER` leaf `index`."""
        with self._engine.reading() as reading:
            return look.evidence(reading, index)

    def earlier_proof(self, index: int) -> bytes:
        """Return what shows that a document that arrived was sealed earlier."""
        with self._engine.reading() as reading:
            return look.earlier_proof(reading, index)

    def witnessed(self, carrier: str, until_us: int) -> WitnessedHead | None:
        """Return the newest head of a peer's log that ours had witnessed by then."""
        with self._engine.reading() as reading:
            return look.witnessed(reading, carrier, until_us)

    def witnessed_at(self, index: int) -> WitnessedHead:
        """Return the head of a peer's log that a leaf of ours witnessed."""
        with self._engine.reading() as reading:
            return look.witnessed_at(reading, index)

    def size(self) -> int:
        """Return how many leaves are committed."""
        return self._size.value

    def checkpoint(self, tree: LogTree = LogTree.SHA256) -> bytes:
        """Return a signed checkpoint of everything that is committed."""
        with self._engine.reading() as reading:
            stored = {one: stored_tree(reading, one) for one in {tree, *self.trees}}
            heads = {one: tree.frontier.head() for one, tree in stored.items()}
        return self._signer.sign(tree, heads, self._clock.now_us() // _MICROSECONDS)

    def inclusion_proof(
        self, index: int, size: int, tree: LogTree = LogTree.SHA256
    ) -> tuple[bytes, ...]:
        """Prove leaf `index` in the tree of `size` leaves (RFC 9162 2.1.3.1)."""
        (proof,) = self._proofs.inclusion((index,), size, tree)
        return proof

    def inclusion_proofs(
        self, indices: Iterable[int], size: int, tree: LogTree = LogTree.SHA256
    ) -> list[tuple[bytes, ...]]:
        """Prove each of these leaves, by one reading."""
        return self._proofs.inclusion(indices, size, tree)

    def consistency_proof(
        self, older: int, size: int, tree: LogTree = LogTree.SHA256
    ) -> tuple[bytes, ...]:
        """Prove that the tree of `older` leaves is a prefix (RFC 9162 2.1.4.1)."""
        return self._proofs.consistency(older, size, tree)

    def lane(self, carrier: str, *, after: int, limit: int) -> list[LaneItem]:
        """Return what waits in the lane to `carrier` behind sequence `after`."""
        with self._engine.reading() as reading:
            return look.lane(reading, self._recent, carrier, after, limit)

    def lane_lengths(self) -> dict[str, int]:
        """Return for each carrier how many documents wait."""
        return {carrier: n for carrier, n in self._lane_lengths.items() if n}

    def waiting(
        self, party: str, *, after: int, limit: int, bytes_max: int | None = None
    ) -> list[Waiting]:
        """Return what waits to be read by `party` behind log index `after`."""
        with self._engine.reading() as reading:
            found = look.waiting(
                reading,
                self._recent,
                party,
                after=after,
                limit=limit,
                bytes_max=bytes_max,
                counts=self._read_counts,
            )
        for item in found:
            self._read_counts.add(party, item.leaf_index)
        return found

    def records(self, first: int, limit: int) -> list[LogRecord]:
        """Return committed acts from log index `first`, for the ledger."""
        with self._engine.reading() as reading:
            return look.records(reading, self._recent, first, limit)

    @property
    def register(self) -> Register:
        """What stands registered, as of the last commit."""
        return self._register.value

    def name_of(self, certificate: bytes) -> Identity | None:
        """Return for whom the directory lists a certificate now, by its SHA-256."""
        return self._register.value.name_of(certificate)

    async def register_changed(self, known: Register) -> Register:
        """Wait until something else stands registered than `known`; return it."""
        return await self._register.until(lambda now: now is not known)

    def registrations(self, *, after: int, limit: int) -> list[RegistrationRow]:
        """Return the registrations behind log index `after`, in log order."""
        with self._engine.reading() as reading:
            return [
                RegistrationRow(
                    index=index, leaf=look.leaf(reading, index), sealed=sealed
                )
                for index, sealed in registrations(reading, after, limit)
            ]

    def certificate(self, digest: bytes) -> bytes | None:
        """Return a certificate in DER that the vault keeps."""
        with self._engine.reading() as reading:
            return look.certificate(reading, digest)

    def _require_whole(self) -> None:
        if self._signer.forked:
            raise HeadForked(self._signer.forked)

    def _conclude(self, group: Group) -> list[list[Committed]]:
        """Sign if a peer waits for it, publish the new size, make the answers."""
        batch, checkpoint = group.batch, b""
        if batch.registrations:
            self._register.tell(batch.register)
        self._recent.remember(batch)
        self._lane_lengths.update(batch.lane_changes)
        for place, waits in batch.inbox.items():
            if not waits:
                self._read_counts.forget(*place)
        if any(job.arrivals() for job in group.jobs):
            heads = {LogTree.SHA256: batch.frontier.head()}
            if batch.sm3 is not None:
                heads[LogTree.SM3] = batch.sm3.frontier.head()
            time_s = group.time_us // _MICROSECONDS
            checkpoint = self._signer.sign(LogTree.SHA256, heads, time_s)
        committed = [
            [
                committed_as(deed, applied, group, checkpoint)
                for deed, applied in zip(job.deeds, job.applied, strict=True)
            ]
            for job in group.jobs
        ]
        self._time_us = batch.time_us
        self._size.tell(batch.frontier.size)
        return committed
