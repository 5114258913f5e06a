"""What an engine of storage must offer: a consistent reading, and one commit.

An engine stores what custody decided and decides nothing itself. Reads inside a
`Writing` see the state before its commit; what the transaction adds on top is kept
by `transaction.Transaction`. So an engine is a set of tables, and one on SQL needs
no other code than these two protocols ask for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from counterfoil.app.ports import Entry
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import TreeMissing, VaultCorrupt
from counterfoil.domain.register import Register
from counterfoil.tlog.growth import Growth
from counterfoil.tlog.merkle import Frontier
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.tlog.tiles import ReadTile, Tile
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.records import Bucket, LaneRow, LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTree:
    """One tree of the log, as a reading shows it.

    Attributes:
        frontier: The committed tree; also says what it is hashed with.
        tile: Returns a tile's hashes; no bytes if there is none.
    """

    frontier: Frontier
    tile: ReadTile

    def reader(self) -> TileReader:
        """Return what reads proofs out of it, for as long as the reading lasts."""
        return TileReader(self.tile, self.frontier.hash_function)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrownTree:
    """What a commit writes of a tree beside the first.

    Attributes:
        frontier: The tree afterwards.
        tiles: Tiles that changed.
    """

    frontier: Frontier
    tiles: list[Tile]


@dataclass(slots=True, kw_only=True)
class Batch:
    """Everything that one commit writes. None stands for a row to remove.

    Attributes:
        first: Log index of the first new leaf.
        frontier: The tree afterwards.
        time_us: Commit time; 0 if no leaf was ever written.
        rows: New rows of the log, in order.
        documents: Log index and sealed bytes, in order.
        tiles: Tiles that changed.
        sm3: The SM3 tree; None if the vault has none.
        entries: Book of keys, by `VoucherKey.to_bytes`.
        lanes: By carrier and sequence.
        inbox: By party and log index; whether it waits.
        steps: Log index of a step, by `step_key`.
        references: Amounts stated with the names of other vouchers, by
            `reference_key`.
        registrations: Log index of a registration, by its digest.
        evidence: By the first leaf that it serves: of deliveries what the peer proved,
            of `WITNESS` the peer's checkpoint, and of a document that came late its
            earlier proof.
        witnessed: Log index of a leaf `WITNESS`, by peer and time.
        certificates: By digest.
        buckets: By carrier and number.
        names: Where vouchers were opened, by the short form of their digest: what
            is to be written of the digest index now.
        named_to: For each part of the digest index, the size of the log up to
            which it is complete; empty if `names` is.
        lane_changes: By how much each lane became longer. Not stored.
        leaves: The leaves of `rows`, decoded. Not stored.
        growth: What the tree grew by, to prove the new leaves. Not stored.
        register: What stands registered afterwards. Not stored.
    """

    first: int
    frontier: Frontier
    growth: Growth
    register: Register
    time_us: int
    rows: list[LogRow] = field(default_factory=list)
    documents: list[tuple[int, bytes]] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)
    sm3: GrownTree | None = None
    entries: dict[bytes, Entry | None] = field(default_factory=dict)
    lanes: dict[tuple[str, int], LaneRow | None] = field(default_factory=dict)
    inbox: dict[tuple[str, int], bool] = field(default_factory=dict)
    steps: dict[bytes, int] = field(default_factory=dict)
    references: dict[bytes, int] = field(default_factory=dict)
    registrations: dict[bytes, int] = field(default_factory=dict)
    evidence: dict[int, bytes] = field(default_factory=dict)
    witnessed: dict[tuple[str, int], int] = field(default_factory=dict)
    certificates: dict[bytes, bytes] = field(default_factory=dict)
    buckets: dict[tuple[str, int], Bucket] = field(default_factory=dict)
    names: list[tuple[bytes, int]] = field(default_factory=list)
    named_to: tuple[int, ...] = ()
    lane_changes: dict[str, int] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Return whether there is nothing to commit."""
        return not (
            self.rows
            or self.lanes
            or self.inbox
            or self.certificates
            or self.entries
            or self.names
        )


class Reading(Protocol):
    """One consistent state of the vault. Kept for a moment, by one thread.

    Any method raises VaultCorrupt if what it reads fails its check sum. Scans go
    in the order of the key.
    """

    def frontier(self) -> Frontier:
        """Return the committed tree; its size is the log's."""

    def size(self) -> int:
        """Return the size of the committed tree."""

    def time_us(self) -> int:
        """Return the time of the last commit that wrote a leaf."""

    def row(self, index: int) -> LogRow | None:
        """Return a row of the log."""

    def document(self, index: int) -> bytes | None:
        """Return the sealed bytes under a log index, unchecked."""

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile's hashes; no bytes if there is none."""

    def sm3_tree(self) -> StoredTree | None:
        """Return the SM3 tree; None if the vault was made without."""

    def entry(self, key: bytes) -> Entry | None:
        """Return an entry of the book of keys."""

    def entries_named(self, name: bytes) -> list[tuple[bytes, Entry]]:
        """Return the entries of the book of keys that have a common name."""

    def references(self, name: bytes) -> list[tuple[int, int]]:
        """Return who names vouchers of a common name.

        Returns:
            Log indices that opened them, and the amounts that they state.
        """

    def lane_row(self, carrier: str, sequence: int) -> LaneRow | None:
        """Return what waits at one place of a lane."""

    def lane(self, carrier: str, after: int, limit: int) -> list[tuple[int, LaneRow]]:
        """Return what waits in a lane behind `after`."""

    def lane_lengths(self) -> dict[str, int]:
        """Return for each carrier how many documents wait."""

    def waits(self, party: str, index: int) -> bool:
        """Return whether a document waits to be read by `party`."""

    def inbox(self, party: str, after: int, limit: int) -> list[int]:
        """Return the log indices of what waits for `party` behind `after`."""

    def step(self, key: bytes) -> int | None:
        """Return the log index of a step, by `step_key`."""

    def registration(self, digest: bytes) -> int | None:
        """Return the log index of a registration."""

    def evidence(self, index: int) -> tuple[int, bytes] | None:
        """Return the last evidence stored at or before `index`, with its place."""

    def witnessed(self, carrier: str, until_us: int) -> int | None:
        """Return the leaf of the newest head of a peer's log witnessed by then."""

    def certificate(self, digest: bytes) -> bytes | None:
        """Return a certificate in DER, unchecked."""

    def bucket(self, carrier: str, number: int) -> Bucket:
        """Return a bucket; an empty one if there is none."""

    def name(self, short: bytes) -> int | None:
        """Return where a voucher was opened last, by its short digest."""

    def named_to(self) -> tuple[int, ...]:
        """Return how far each part of the digest index reaches; empty if new."""

    def all_documents(self) -> Iterator[tuple[int, bytes]]:
        """Scan documents, unchecked."""

    def all_entries(
        self, after: bytes = b""
    ) -> Iterator[tuple[bytes, Entry | VaultCorrupt]]:
        """Scan the book of keys, behind the key `after`."""

    def all_lanes(
        self, after: bytes = b""
    ) -> Iterator[tuple[str, int, LaneRow | VaultCorrupt]]:
        """Scan all lanes, behind the place `after`, as `packing.name_key` has it."""

    def all_inbox(self) -> Iterator[tuple[str, int]]:
        """Scan what waits to be read."""

    def all_steps(self, after: bytes = b"") -> Iterator[tuple[bytes, int]]:
        """Scan the steps, behind the key `after`."""

    def all_references(self) -> Iterator[tuple[bytes, int | VaultCorrupt]]:
        """Scan who names whom, by `reference_key`."""

    def all_registrations(self) -> Iterator[tuple[bytes, int | VaultCorrupt]]:
        """Scan the registrations: digests and log indices."""

    def all_evidence(self) -> Iterator[tuple[int, bytes]]:
        """Scan the evidence."""

    def all_witnessed(self) -> Iterator[tuple[str, int, int | VaultCorrupt]]:
        """Scan what was witnessed: peers, times and log indices."""

    def all_certificates(self, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Scan the certificates, behind the digest `after`."""

    def all_buckets(self) -> Iterator[tuple[str, int, Bucket | VaultCorrupt]]:
        """Scan the buckets."""

    def all_names(self) -> Iterator[tuple[bytes, int]]:
        """Scan the digest index."""


class CannotBeStored(Exception):
    """What is to be stored has no form in which the engine keeps it: a defect of ours.

    Nothing was stored, and nothing was begun: the engine may be written to as before.
    """


class Writing(Reading, Protocol):
    """The state on which one commit is judged, by the only writer."""

    def commit(self, batch: Batch) -> None:
        """Store `batch`, whole or not at all; durable on return.

        Raises:
            VaultFull: There is no room; nothing was stored.
            CannotBeStored: It cannot be written down; nothing was stored.
            Exception: Whatever else is raised means that the engine must not be
                written to any more.
        """


class Engine(Protocol):
    """An engine of storage that one process has opened for itself."""

    def reading(self) -> AbstractContextManager[Reading]:
        """Open a reading; closed on leaving."""

    def writing(self) -> AbstractContextManager[Writing]:
        """Open the one writing; nothing is stored unless `commit` was called."""

    def close(self) -> None:
        """Close it; idempotent."""


def stored_tree(reading: Reading, tree: LogTree) -> StoredTree:
    """Return a tree of the log.

    Raises:
        TreeMissing: The vault was made without it.
        VaultCorrupt: The vault does not say how large it is.
    """
    if tree is LogTree.SHA256:
        return StoredTree(frontier=reading.frontier(), tile=reading.tile)
    stored = reading.sm3_tree()
    if stored is None:
        raise TreeMissing("this log has no such tree", tree=tree.value)
    return stored
