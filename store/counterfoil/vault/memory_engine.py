"""The contract of an engine in dictionaries: for tests, simulation and trials."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import TypeVar

from counterfoil.app.ports import Entry
from counterfoil.tlog.merkle import Frontier
from counterfoil.tlog.sm3 import sm3
from counterfoil.vault.engine import Batch, Reading, StoredTree, Writing
from counterfoil.vault.packing import name_key
from counterfoil.vault.records import Bucket, LaneRow, LogRow, split_reference_key

K = TypeVar("K")
V = TypeVar("V")


class MemoryEngine:
    """Keeps everything in memory and forgets it with the process.

    Readings are not isolated from a commit on another thread: each call is.

    Args:
        sm3_tree: Whether it has an SM3 tree.
    """

    def __init__(self, *, sm3_tree: bool = False) -> None:
        self._tree = Frontier()
        self._sm3_tree = Frontier(hash_function=sm3) if sm3_tree else None
        self._sm3_tiles: dict[tuple[int, int], bytes] = {}
        self._time_us = 0
        self._named_to: tuple[int, ...] = ()
        self._rows: list[LogRow] = []
        self._documents: dict[int, bytes] = {}
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._entries: dict[bytes, Entry] = {}
        self._lanes: dict[tuple[str, int], LaneRow] = {}
        self._inbox: set[tuple[str, int]] = set()
        self._steps: dict[bytes, int] = {}
        self._references: dict[bytes, int] = {}
        self._registrations: dict[bytes, int] = {}
        self._evidence: dict[int, bytes] = {}
        self._witnessed: dict[tuple[str, int], int] = {}
        self._certificates: dict[bytes, bytes] = {}
        self._buckets: dict[tuple[str, int], Bucket] = {}
        self._names: dict[bytes, int] = {}

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Open a reading."""
        yield self

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """Open the writing."""
        yield self

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def commit(self, batch: Batch) -> None:
        """Store `batch`."""
        assert batch.first == len(self._rows), "another writer was here"
        self._rows += batch.rows
        self._documents.update(batch.documents)
        self._tiles |= {(tile.level, tile.index): tile.hashes for tile in batch.tiles}
        if batch.sm3 is not None:
            assert self._sm3_tree is not None, "the batch has what the vault has"
            self._sm3_tree = batch.sm3.frontier
            self._sm3_tiles |= {
                (tile.level, tile.index): tile.hashes for tile in batch.sm3.tiles
            }
        _merge(self._entries, batch.entries)
        _merge(self._lanes, batch.lanes)
        self._inbox |= {place for place, waits in batch.inbox.items() if waits}
        self._inbox -= {place for place, waits in batch.inbox.items() if not waits}
        self._steps |= batch.steps
        self._references |= batch.references
        self._registrations |= batch.registrations
        self._evidence |= batch.evidence
        self._witnessed |= batch.witnessed
        self._certificates |= batch.certificates
        self._buckets |= batch.buckets
        self._names |= dict(batch.names)
        self._named_to = batch.named_to or self._named_to
        self._tree, self._time_us = batch.frontier, batch.time_us

    def frontier(self) -> Frontier:
        """Return the committed tree."""
        return self._tree.copy()

    def size(self) -> int:
        """Return the size of the committed tree."""
        return self.frontier().size

    def time_us(self) -> int:
        """Return the time of the last commit that wrote a leaf."""
        return self._time_us

    def row(self, index: int) -> LogRow | None:
        """Return a row of the log."""
        return self._rows[index] if 0 <= index < len(self._rows) else None

    def document(self, index: int) -> bytes | None:
        """Return the sealed bytes under a log index."""
        return self._documents.get(index)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile's hashes."""
        return self._tiles.get((level, index), b"")

    def sm3_tree(self) -> StoredTree | None:
        """Return the SM3 tree; None if there is none."""
        if self._sm3_tree is None:
            return None
        return StoredTree(
            frontier=self._sm3_tree.copy(),
            tile=lambda level, index: self._sm3_tiles.get((level, index), b""),
        )

    def entry(self, key: bytes) -> Entry | None:
        """Return an entry of the book of keys."""
        return self._entries.get(key)

    def entries_named(self, name: bytes) -> list[tuple[bytes, Entry]]:
        """Return the entries of the book of keys that have a common name."""
        return sorted(
            (item for item in self._entries.items() if item[0].startswith(name)),
            key=itemgetter(0),
        )

    def references(self, name: bytes) -> list[tuple[int, int]]:
        """Return who names vouchers of a common name, and with what amounts."""
        named = (
            (split_reference_key(key), fen) for key, fen in self._references.items()
        )
        return sorted((opened, fen) for (other, opened), fen in named if other == name)

    def lane_row(self, carrier: str, sequence: int) -> LaneRow | None:
        """Return what waits at one place of a lane."""
        return self._lanes.get((carrier, sequence))

    def lane(self, carrier: str, after: int, limit: int) -> list[tuple[int, LaneRow]]:
        """Return what waits in a lane behind `after`."""
        found = [
            (sequence, row)
            for (name, sequence), row in self._lanes.items()
            if name == carrier and sequence > after
        ]
        return sorted(found, key=lambda item: item[0])[:limit]

    def lane_lengths(self) -> dict[str, int]:
        """Return for each carrier how many documents wait."""
        return dict(Counter(carrier for carrier, _ in self._lanes))

    def waits(self, party: str, index: int) -> bool:
        """Return whether a document waits to be read by `party`."""
        return (party, index) in self._inbox

    def inbox(self, party: str, after: int, limit: int) -> list[int]:
        """Return the log indices of what waits for `party` behind `after`."""
        found = (index for name, index in self._inbox if name == party)
        return sorted(index for index in found if index > after)[:limit]

    def step(self, key: bytes) -> int | None:
        """Return the log index of a step."""
        return self._steps.get(key)

    def registration(self, digest: bytes) -> int | None:
        """Return the log index of a registration."""
        return self._registrations.get(digest)

    def evidence(self, index: int) -> tuple[int, bytes] | None:
        """Return the last evidence stored at or before `index`."""
        places = sorted(self._evidence)
        at = bisect_right(places, index)
        return (places[at - 1], self._evidence[places[at - 1]]) if at else None

    def witnessed(self, carrier: str, until_us: int) -> int | None:
        """Return the leaf of the newest head of a peer's log witnessed by then."""
        times = [
            time_us
            for name, time_us in self._witnessed
            if name == carrier and time_us <= until_us
        ]
        return self._witnessed[carrier, max(times)] if times else None

    def certificate(self, digest: bytes) -> bytes | None:
        """Return a certificate in DER."""
        return self._certificates.get(digest)

    def bucket(self, carrier: str, number: int) -> Bucket:
        """Return a bucket."""
        return self._buckets.get((carrier, number), Bucket())

    def name(self, short: bytes) -> int | None:
        """Return where a voucher was opened last."""
        return self._names.get(short)

    def named_to(self) -> tuple[int, ...]:
        """Return how far each part of the digest index reaches."""
        return self._named_to

    def all_documents(self) -> Iterator[tuple[int, bytes]]:
        """Scan documents."""
        return iter(sorted(self._documents.items()))

    def all_entries(self, after: bytes = b"") -> Iterator[tuple[bytes, Entry]]:
        """Scan the book of keys."""
        return _behind(self._entries, after)

    def all_lanes(self, after: bytes = b"") -> Iterator[tuple[str, int, LaneRow]]:
        """Scan all lanes."""
        places = sorted(place for place in self._lanes if name_key(*place) > after)
        return ((*place, self._lanes[place]) for place in places)

    def all_inbox(self) -> Iterator[tuple[str, int]]:
        """Scan what waits to be read."""
        return iter(sorted(self._inbox))

    def all_steps(self, after: bytes = b"") -> Iterator[tuple[bytes, int]]:
        """Scan the steps."""
        return _behind(self._steps, after)

    def all_references(self) -> Iterator[tuple[bytes, int]]:
        """Scan who names whom."""
        return iter(sorted(self._references.items()))

    def all_registrations(self) -> Iterator[tuple[bytes, int]]:
        """Scan the registrations."""
        return iter(sorted(self._registrations.items()))

    def all_evidence(self) -> Iterator[tuple[int, bytes]]:
        """Scan the evidence."""
        return iter(sorted(self._evidence.items()))

    def all_witnessed(self) -> Iterator[tuple[str, int, int]]:
        """Scan what was witnessed."""
        return ((*place, self._witnessed[place]) for place in sorted(self._witnessed))

    def all_certificates(self, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Scan the certificates."""
        return _behind(self._certificates, after)

    def all_buckets(self) -> Iterator[tuple[str, int, Bucket]]:
        """Scan the buckets."""
        places = sorted(self._buckets)
        return ((*place, self._buckets[place]) for place in places)

    def all_names(self) -> Iterator[tuple[bytes, int]]:
        """Scan the digest index."""
        return iter(sorted(self._names.items()))


def _behind(table: dict[bytes, V], after: bytes) -> Iterator[tuple[bytes, V]]:
    return ((key, table[key]) for key in sorted(table) if key > after)


def _merge(table: dict[K, V], changes: dict[K, V | None]) -> None:
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value
