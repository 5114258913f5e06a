"""The sub-databases of the LMDB engine, and reading them inside one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Final, TypeVar

import lmdb

from counterfoil.app.ports import Entry
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.tlog.merkle import Frontier
from counterfoil.tlog.sm3 import sm3
from counterfoil.vault.engine import StoredTree
from counterfoil.vault.packing import (
    name_key,
    seal,
    split_name_key,
    unpack_bucket,
    unpack_entry,
    unpack_lane,
    unpack_reference,
    unpack_row,
    unseal,
)
from counterfoil.vault.records import (
    INDEX,
    Bucket,
    LaneRow,
    LogRow,
    split_reference_key,
)

FORMAT: Final = b"counterfoil vault 6"
FORMAT_WITH_SM3: Final = FORMAT + b" sm3"
"""Of a vault with an SM3 tree: a program that does not know it must not write there."""

TABLES: Final = (
    "log",  # index -> row of the log; appended
    "documents",  # index -> sealed bytes; appended
    "tiles",  # level, index -> hashes
    "keys",  # voucher key, role -> entry
    "lanes",  # carrier, sequence -> lane row
    "inbox",  # party, index -> nothing
    "steps",  # index that opened the voucher, kind, party, digest -> index
    "references",  # common name, index that opened who names it -> amount
    "registrations",  # digest -> index
    "evidence",  # first leaf -> evidence; appended
    "witnessed",  # carrier, time -> index
    "certificates",  # digest -> DER
    "buckets",  # carrier, number -> count and sum
    "names",  # short digest -> index that opened the voucher
    "meta",  # format, origin, state
)
SM3_TILES: Final = "sm3_tiles"
"""Only of a vault with an SM3 tree, whose state is in `meta` as `sm3`."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tables:
    """The opened sub-databases."""

    log: lmdb.Database
    documents: lmdb.Database
    tiles: lmdb.Database
    keys: lmdb.Database
    lanes: lmdb.Database
    inbox: lmdb.Database
    steps: lmdb.Database
    references: lmdb.Database
    registrations: lmdb.Database
    evidence: lmdb.Database
    witnessed: lmdb.Database
    certificates: lmdb.Database
    buckets: lmdb.Database
    names: lmdb.Database
    meta: lmdb.Database
    sm3_tiles: lmdb.Database | None = None

    @classmethod
    def open(cls, env: lmdb.Environment) -> Tables:
        """Open those that every vault has, creating those that are missing."""
        return cls(*[env.open_db(name.encode()) for name in TABLES])

    def with_sm3(self, env: lmdb.Environment) -> Tables:
        """Return them with that of the SM3 tree."""
        return replace(self, sm3_tiles=env.open_db(SM3_TILES.encode()))


def tile_key(level: int, index: int) -> bytes:
    """Return the key of a tile."""
    return b"%c%b" % (level, INDEX.pack(index))


def pack_state(frontier: Frontier, time_us: int) -> bytes:
    """Encode what changes with every commit."""
    return seal(b"state", INDEX.pack(time_us) + frontier.to_bytes())


def pack_sm3(frontier: Frontier) -> bytes:
    """Encode the SM3 tree as it changes with every commit."""
    return seal(b"sm3", frontier.to_bytes())


class LmdbReading:
    """One consistent state, in one LMDB transaction.

    Args:
        txn: The transaction; whoever opened it closes it.
        tables: The sub-databases.
    """

    def __init__(self, txn: lmdb.Transaction, tables: Tables) -> None:
        self._txn = txn
        self._tables = tables
        record = txn.get(b"state", db=tables.meta)
        state = INDEX.pack(0) + Frontier().to_bytes()
        if record is not None:
            state = unseal(b"state", record)
        self._time_us: int = INDEX.unpack(state[:8])[0]
        self._frontier = state[8:]

    def frontier(self) -> Frontier:
        """Return the committed tree."""
        return Frontier.from_bytes(self._frontier)

    def size(self) -> int:
        """Return the size of the committed tree."""
        size: int = INDEX.unpack(self._frontier[:8])[0]
        return size

    def time_us(self) -> int:
        """Return the time of the last commit that wrote a leaf."""
        return self._time_us

    def row(self, index: int) -> LogRow | None:
        """Return a row of the log."""
        record = self._txn.get(INDEX.pack(index), db=self._tables.log)
        return None if record is None else unpack_row(index, record)

    def document(self, index: int) -> bytes | None:
        """Return the sealed bytes under a log index."""
        return self._txn.get(INDEX.pack(index), db=self._tables.documents)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile's hashes."""
        return self._txn.get(tile_key(level, index), b"", db=self._tables.tiles)

    def sm3_tree(self) -> StoredTree | None:
        """Return the SM3 tree; None if the vault was made without.

        Raises:
            VaultCorrupt: It was made with it, and it is gone or damaged.
        """
        tiles = self._tables.sm3_tiles
        if tiles is None:
            return None
        state = unseal(b"sm3", self._txn.get(b"sm3", b"", db=self._tables.meta))
        return StoredTree(
            frontier=Frontier.from_bytes(state, hash_function=sm3),
            tile=lambda level, index: self._txn.get(
                tile_key(level, index), b"", db=tiles
            ),
        )

    def entry(self, key: bytes) -> Entry | None:
        """Return an entry of the book of keys."""
        record = self._txn.get(key, db=self._tables.keys)
        return None if record is None else unpack_entry(key, record)

    def entries_named(self, name: bytes) -> list[tuple[bytes, Entry]]:
        """Return the entries of the book of keys that have a common name."""
        found = self._scan_from(self._tables.keys, name, name)
        return [(key, unpack_entry(key, record)) for key, record in found]

    def references(self, name: bytes) -> list[tuple[int, int]]:
        """Return who names vouchers of a common name, and with what amounts."""
        found = self._scan_from(self._tables.references, name, name)
        return [
            (split_reference_key(key)[1], unpack_reference(key, record))
            for key, record in found
        ]

    def lane_row(self, carrier: str, sequence: int) -> LaneRow | None:
        """Return what waits at one place of a lane."""
        if sequence < 0:
            return None
        key = name_key(carrier, sequence)
        record = self._txn.get(key, db=self._tables.lanes)
        return None if record is None else unpack_lane(key, record)

    def lane(self, carrier: str, after: int, limit: int) -> list[tuple[int, LaneRow]]:
        """Return what waits in a lane behind `after`."""
        found = self._scan_name(self._tables.lanes, carrier, after, limit)
        return [
            (split_name_key(key)[1], unpack_lane(key, record)) for key, record in found
        ]

    def lane_lengths(self) -> dict[str, int]:
        """Return for each carrier how many documents wait."""
        lengths: Counter[str] = Counter()
        with self._txn.cursor(self._tables.lanes) as cursor:
            lengths.update(
                split_name_key(key)[0] for key in cursor.iternext(values=False)
            )
        return dict(lengths)

    def waits(self, party: str, index: int) -> bool:
        """Return whether a document waits to be read by `party`."""
        key = name_key(party, index)
        return self._txn.get(key, db=self._tables.inbox) is not None

    def inbox(self, party: str, after: int, limit: int) -> list[int]:
        """Return the log indices of what waits for `party` behind `after`."""
        found = self._scan_name(self._tables.inbox, party, after, limit)
        return [split_name_key(key)[1] for key, _ in found]

    def step(self, key: bytes) -> int | None:
        """Return the log index of a step."""
        record = self._txn.get(key, db=self._tables.steps)
        return None if record is None else _index(key, record)

    def registration(self, digest: bytes) -> int | None:
        """Return the log index of a registration."""
        record = self._txn.get(digest, db=self._tables.registrations)
        return None if record is None else _index(digest, record)

    def evidence(self, index: int) -> tuple[int, bytes] | None:
        """Return the last evidence stored at or before `index`."""
        with self._txn.cursor(self._tables.evidence) as cursor:
            there = cursor.set_range(INDEX.pack(index))
            if not there:
                there = cursor.last()
            elif cursor.key() != INDEX.pack(index):
                there = cursor.prev()
            if not there:
                return None
            return INDEX.unpack(cursor.key())[0], cursor.value()

    def witnessed(self, carrier: str, until_us: int) -> int | None:
        """Return the leaf of the newest head of a peer's log witnessed by then."""
        key = name_key(carrier, until_us)
        with self._txn.cursor(self._tables.witnessed) as cursor:
            there = cursor.set_range(key)
            if not there:
                there = cursor.last()
            elif cursor.key() != key:
                there = cursor.prev()
            if not there or split_name_key(cursor.key())[0] != carrier:
                return None
            return _index(cursor.key(), cursor.value())

    def certificate(self, digest: bytes) -> bytes | None:
        """Return a certificate in DER."""
        return self._txn.get(digest, db=self._tables.certificates)

    def bucket(self, carrier: str, number: int) -> Bucket:
        """Return a bucket."""
        key = name_key(carrier, number)
        record = self._txn.get(key, db=self._tables.buckets)
        return Bucket() if record is None else unpack_bucket(key, record)

    def name(self, short: bytes) -> int | None:
        """Return where a voucher was opened last."""
        record = self._txn.get(short, db=self._tables.names)
        return None if record is None else INDEX.unpack(record)[0]

    def named_to(self) -> tuple[int, ...]:
        """Return how far each part of the digest index reaches."""
        record = self._txn.get(b"named_to", db=self._tables.meta)
        if record is None:
            return ()
        body = unseal(b"named_to", record)
        return tuple(value for (value,) in INDEX.iter_unpack(body))

    def all_documents(self) -> Iterator[tuple[int, bytes]]:
        """Scan documents."""
        for key, value in self._scan(self._tables.documents):
            yield INDEX.unpack(key)[0], value

    def all_entries(
        self, after: bytes = b""
    ) -> Iterator[tuple[bytes, Entry | VaultCorrupt]]:
        """Scan the book of keys."""
        for key, record in self._scan(self._tables.keys, after):
            yield key, _whole(unpack_entry, key, record)

    def all_lanes(
        self, after: bytes = b""
    ) -> Iterator[tuple[str, int, LaneRow | VaultCorrupt]]:
        """Scan all lanes."""
        for key, record in self._scan(self._tables.lanes, after):
            yield *split_name_key(key), _whole(unpack_lane, key, record)

    def all_inbox(self) -> Iterator[tuple[str, int]]:
        """Scan what waits to be read."""
        for key, _ in self._scan(self._tables.inbox):
            yield split_name_key(key)

    def all_steps(self, after: bytes = b"") -> Iterator[tuple[bytes, int]]:
        """Scan the steps."""
        for key, record in self._scan(self._tables.steps, after):
            yield key, INDEX.unpack(record[-8:])[0]

    def all_references(self) -> Iterator[tuple[bytes, int | VaultCorrupt]]:
        """Scan who names whom."""
        for key, record in self._scan(self._tables.references):
            yield key, _whole(unpack_reference, key, record)

    def all_registrations(self) -> Iterator[tuple[bytes, int | VaultCorrupt]]:
        """Scan the registrations."""
        for digest, record in self._scan(self._tables.registrations):
            yield digest, _whole(_index, digest, record)

    def all_evidence(self) -> Iterator[tuple[int, bytes]]:
        """Scan the evidence."""
        for key, value in self._scan(self._tables.evidence):
            yield INDEX.unpack(key)[0], value

    def all_witnessed(self) -> Iterator[tuple[str, int, int | VaultCorrupt]]:
        """Scan what was witnessed."""
        for key, record in self._scan(self._tables.witnessed):
            yield *split_name_key(key), _whole(_index, key, record)

    def all_certificates(self, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Scan the certificates."""
        return self._scan(self._tables.certificates, after)

    def all_buckets(self) -> Iterator[tuple[str, int, Bucket | VaultCorrupt]]:
        """Scan the buckets."""
        for key, record in self._scan(self._tables.buckets):
            yield *split_name_key(key), _whole(unpack_bucket, key, record)

    def all_names(self) -> Iterator[tuple[bytes, int]]:
        """Scan the digest index."""
        for key, value in self._scan(self._tables.names):
            yield key, INDEX.unpack(value)[0]

    def _scan(
        self, table: lmdb.Database, after: bytes = b""
    ) -> Iterator[tuple[bytes, bytes]]:
        """Return rows behind the key `after`; no key is empty."""
        with self._txn.cursor(table) as cursor:
            # The least key behind it: with a zero byte at the end.
            if not after or cursor.set_range(after + b"\0"):
                yield from cursor

    def _scan_name(
        self, table: lmdb.Database, name: str, after: int, limit: int
    ) -> list[tuple[bytes, bytes]]:
        first = name_key(name, max(after + 1, 0))
        return self._scan_from(table, first, name_key(name, 0)[:-8], limit)

    def _scan_from(
        self,
        table: lmdb.Database,
        first: bytes,
        prefix: bytes,
        limit: int | None = None,
    ) -> list[tuple[bytes, bytes]]:
        """Return rows from the key `first` on, as long as keys begin alike."""
        with self._txn.cursor(table) as cursor:
            if not cursor.set_range(first):
                return []
            inside = takewhile(lambda item: item[0].startswith(prefix), cursor)
            return list(islice(inside, limit))


def _index(key: bytes, record: bytes) -> int:
    index: int = INDEX.unpack(unseal(key, record))[0]
    return index


def _whole(
    unpack: Callable[[bytes, bytes], T], key: bytes, record: bytes
) -> T | VaultCorrupt:
    """Return the record, or what is wrong with it."""
    try:
        return unpack(key, record)
    except VaultCorrupt as fault:
        return fault
