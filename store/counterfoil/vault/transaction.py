"""Gathers what one commit writes, and reads what it has gathered.

Everything is judged and encoded before the engine is asked to write anything, so a
refused document costs no write, and a commit that found no room can be repeated
without judging again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice

from counterfoil.app.ports import Entry
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.register import Register
from counterfoil.domain.standing import Role
from counterfoil.domain.voucher import VoucherKey
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.tile_writer import TileWriter
from counterfoil.vault.engine import Batch, GrownTree, Reading
from counterfoil.vault.records import (
    Bucket,
    Changes,
    LaneRow,
    LogRow,
    Title,
    book_key,
    bucket_of,
    common_name_of,
    make_log_row,
    reference_key,
)
from counterfoil.vault.written import Place, Written


class Transaction:
    """The state of the vault with everything that this commit will change.

    `register` is what stands registered, and `time_us` the commit's time.

    Args:
        reading: The state before.
        time_us: The commit's clock reading; never earlier than the last one.
        written: What the caller knows from earlier commits.
    """

    def __init__(self, reading: Reading, time_us: int, written: Written) -> None:
        self._reading = reading
        self._written = written
        self.register = written.register
        self.time_us = max(time_us, reading.time_us())
        self._frontier = reading.frontier()
        self._first = self._frontier.size
        self._rows: list[LogRow] = []
        self._leaves: list[Leaf] = []
        self._documents: list[tuple[int, bytes]] = []
        self._entries: dict[bytes, Entry | None] = {}
        self._lanes: dict[Place, LaneRow | None] = {}
        self._lane_changes: Counter[str] = Counter()
        self._inbox: dict[tuple[str, int], bool] = {}
        self._steps: dict[bytes, int] = {}
        self._references: defaultdict[bytes, dict[int, int]] = defaultdict(dict)
        self._newly_named = NewlyNamed(self._entries)
        self._registrations: dict[bytes, int] = {}
        self._evidence: dict[int, bytes] = {}
        self._witnessed: dict[tuple[str, int], int] = {}
        self._certificates: dict[bytes, bytes] = {}
        self._buckets: dict[Place, Bucket] = {}

    # --- reading ---------------------------------------------------------------

    @property
    def size(self) -> int:
        """The size of the log with the new leaves."""
        return self._first + len(self._rows)

    def entry(self, key: VoucherKey | bytes, role: Role) -> Entry | None:
        """Return what the book of keys says of `key` on the side of `role`."""
        encoded = _book_key(key, role)
        for known in (self._entries, self._written.entries):
            if encoded in known:
                return known[encoded]
        return self._reading.entry(encoded)

    def entries_named(self, name: bytes) -> list[tuple[bytes, Entry]]:
        """Return the entries of the book of keys that have a common name."""
        found: dict[bytes, Entry | None] = dict(self._reading.entries_named(name))
        found.update(self._newly_named.of(name))
        return [(key, entry) for key, entry in found.items() if entry is not None]

    def references(self, name: bytes) -> list[tuple[int, int]]:
        """Return who names vouchers of a common name, and with what amounts."""
        new = self._references.get(name, {})
        return [*self._reading.references(name), *new.items()]

    def row(self, index: int) -> LogRow | None:
        """Return a row of the log."""
        if index >= self._first:
            at = index - self._first
            return self._rows[at] if at < len(self._rows) else None
        return self._reading.row(index)

    def lane_row(self, carrier: str, sequence: int) -> LaneRow | None:
        """Return what waits at one place of a lane."""
        place = (carrier, sequence)
        for known in (self._lanes, self._written.lanes):
            if place in known:
                return known[place]
        return self._reading.lane_row(carrier, sequence)

    def waits(self, party: str, index: int) -> bool:
        """Return whether a document waits to be read by `party`."""
        known = self._inbox.get((party, index))
        return self._reading.waits(party, index) if known is None else known

    def step(self, key: bytes) -> int | None:
        """Return the log index of a step, by `step_key`."""
        index = self._steps.get(key)
        return self._reading.step(key) if index is None else index

    def registration(self, digest: bytes) -> int | None:
        """Return the log index of a registration."""
        index = self._registrations.get(digest)
        return self._reading.registration(digest) if index is None else index

    def witnessed(self, carrier: str) -> int | None:
        """Return the leaf of the newest head of a peer's log that was witnessed."""
        index = self._witnessed.get((carrier, self.time_us))
        return (
            self._reading.witnessed(carrier, self.time_us) if index is None else index
        )

    def has_certificate(self, digest: bytes) -> bool:
        """Return whether the vault keeps a certificate."""
        return (
            digest in self._certificates
            or self._reading.certificate(digest) is not None
        )

    # --- writing ---------------------------------------------------------------

    def append(  # noqa: PLR0913  # a row of the log, field by field
        self,
        leaf: Leaf,
        *,
        opened: int | None = None,
        changes: Changes = (),
        carriers: tuple[str, ...] = (),
        title: Title | None = None,
        sealed: bytes | None = None,
    ) -> int:
        """Append a leaf; return its index.

        Args:
            leaf: What the log will say.
            opened: Index of the leaf that opened the voucher; None if this one does.
            changes: See `LogRow.changes`.
            carriers: See `LogRow.carriers`.
            title: Set if this leaf opens the voucher.
            sealed: The document that it brought, if it brought one.
        """
        index = self._first + len(self._rows)
        self._leaves.append(leaf)
        self._rows.append(
            make_log_row(
                leaf=leaf.to_bytes(),
                opened=index if opened is None else opened,
                changes=changes,
                carriers=carriers,
                title=title,
            )
        )
        if sealed is not None:
            self._documents.append((index, sealed))
        return index

    def put_entry(self, key: VoucherKey | bytes, entry: Entry) -> None:
        """Write an entry of the book of keys."""
        self._entries[_book_key(key, entry.role)] = entry

    def strike_entry(self, key: VoucherKey | bytes, role: Role) -> None:
        """Strike an entry out of the book of keys."""
        self._entries[_book_key(key, role)] = None

    def put_step(self, key: bytes, index: int) -> None:
        """Remember a step that was recorded."""
        self._steps[key] = index

    def put_registration(self, digest: bytes, index: int, register: Register) -> None:
        """Remember a registration, and what stands registered after it."""
        self._registrations[digest] = index
        self.register = register

    def put_reference(self, name: bytes, opened: int, amount_fen: int) -> None:
        """Remember that the voucher opened at `opened` names another one."""
        self._references[name][opened] = amount_fen

    def push(self, carrier: str, sequence: int, row: LaneRow) -> None:
        """Put a document into a lane."""
        self._lane_changes[carrier] += 1
        self._lanes[carrier, sequence] = row

    def put_back(self, carrier: str, sequence: int, row: LaneRow) -> None:
        """Change what waits in a lane."""
        self._lanes[carrier, sequence] = row

    def pop(self, carrier: str, sequence: int) -> None:
        """Take a document out of a lane, where it is."""
        self._lane_changes[carrier] -= 1
        self._lanes[carrier, sequence] = None

    def show(self, party: str, index: int) -> None:
        """Let a document wait to be read by `party`."""
        self._inbox[party, index] = True

    def take_off(self, party: str, index: int) -> None:
        """Let a document wait no longer."""
        if self.waits(party, index):
            self._inbox[party, index] = False

    def put_evidence(self, first_leaf: int, evidence: bytes) -> None:
        """Store evidence under the first leaf that it serves."""
        self._evidence[first_leaf] = evidence

    def put_witnessed(self, carrier: str, index: int) -> None:
        """Remember that a head of a peer's log was witnessed by leaf `index`."""
        self._witnessed[carrier, self.time_us] = index

    def put_certificates(self, certificates: Iterable[bytes]) -> None:
        """Store certificates; known ones cost nothing."""
        for der in certificates:
            digest = sha256(der).digest()
            if not self.has_certificate(digest):
                self._certificates[digest] = der

    def count_exchanged(self, carrier: str, digest: bytes, sign: int = 1) -> None:
        """Add a document to the sums kept for a peer, or take it out."""
        place = (carrier, bucket_of(digest))
        bucket = self._buckets.get(place) or self._written.sums.get(place)
        if bucket is None:
            bucket = self._reading.bucket(*place)
        self._buckets[place] = bucket.add(digest, sign)

    # --- the outcome -----------------------------------------------------------

    def batch(self) -> Batch:
        """Return what to commit."""
        writer = TileWriter(self._frontier, self._reading.tile)
        tiles = writer.extend([leaf_hash(row.leaf) for row in self._rows])
        return Batch(
            first=self._first,
            frontier=writer.frontier,
            growth=writer.growth,
            register=self.register,
            time_us=self.time_us if self._rows else self._reading.time_us(),
            rows=self._rows,
            documents=self._documents,
            tiles=tiles,
            sm3=self._grown_sm3(),
            entries=self._entries,
            lanes=self._lanes,
            inbox=self._inbox,
            steps=self._steps,
            references={
                reference_key(name, opened): fen
                for name, naming in self._references.items()
                for opened, fen in naming.items()
            },
            registrations=self._registrations,
            evidence=self._evidence,
            witnessed=self._witnessed,
            certificates=self._certificates,
            buckets=self._buckets,
            lane_changes=self._lane_changes,
            leaves=self._leaves,
        )

    def _grown_sm3(self) -> GrownTree | None:
        """Return the SM3 tree with the new leaves; None if the vault has none."""
        tree = self._reading.sm3_tree()
        if tree is None:
            return None
        writer = TileWriter(tree.frontier, tree.tile)
        hash_function = tree.frontier.hash_function
        tiles = writer.extend(
            [leaf_hash(row.leaf, hash_function) for row in self._rows]
        )
        return GrownTree(frontier=writer.frontier, tiles=tiles)


class NewlyNamed:
    """Finds entries that a commit will write by the common name of their vouchers.

    Args:
        entries: The entries, by book key; new keys are only ever added to them.
    """

    def __init__(self, entries: dict[bytes, Entry | None]) -> None:
        self._entries = entries
        self._keys: defaultdict[bytes, list[bytes]] = defaultdict(list)
        self._sorted = 0

    def of(self, name: bytes) -> Iterator[tuple[bytes, Entry | None]]:
        """Yield the entries of a common name as they now stand."""
        # Sorted when somebody asks: most commits hold no voucher that names another.
        # From the end: a dictionary is gone through, not entered in the middle.
        new = islice(reversed(self._entries), len(self._entries) - self._sorted)
        for key in reversed(list(new)):
            self._keys[common_name_of(key)].append(key)
        self._sorted = len(self._entries)
        for key in self._keys.get(name, ()):
            yield key, self._entries[key]


def _book_key(key: VoucherKey | bytes, role: Role) -> bytes:
    return book_key(key if isinstance(key, bytes) else key.to_bytes(), role)
