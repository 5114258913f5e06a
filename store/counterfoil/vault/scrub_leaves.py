"""What one leaf of the log requires of document, tree and indexes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final, TypeAlias

from counterfoil.app.ports import Entry
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import (
    BRINGS_DOCUMENT,
    FILLS_LANES,
    Act,
    Standing,
)
from counterfoil.domain.voucher import VoucherKey
from counterfoil.tlog.errors import TileError
from counterfoil.tlog.merkle import HASH_BYTES, leaf_hash
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.names import PARTS, part_of, short
from counterfoil.vault.records import (
    Bucket,
    LogRow,
    Title,
    book_key,
    bucket_of,
    lanes_fit,
    step_key,
)
from counterfoil.vault.scrub_trees import scrub_sm3_leaf, scrub_tiles
from counterfoil.vault.verify_tree import TREE_FAULTS
from counterfoil.vault.verify_witness import check_witness

_NO_EVIDENCE: Final = sha256(b"").digest()
_BUCKETS_MAX: Final = 65_536
"""Sums that are added up again in memory; beyond, only `vault verify` does it."""

_Waiting = tuple[str, str | int, bytes]
"""What a later leaf must explain: `lane`, carrier and document; `entry`, the leaf."""


SawBinding: TypeAlias = Callable[[int, bytes, bool], None]
"""Told of each leaf that names an end of the record of refused calls: its index, the
end, and whether it goes on from the end that the leaf before it named."""


class LeafCheck:
    """Checks leaves in their order; remembers what later leaves must explain.

    Args:
        saw_binding: Told of each end of the record of refused calls in the log.
    """

    def __init__(self, saw_binding: SawBinding) -> None:
        self._saw_binding = saw_binding
        self._bound: bytes | None = None
        self._waiting: dict[_Waiting, tuple[int, int]] = {}
        self._buckets: dict[tuple[str, int], Bucket] | None = None

    def begin(self) -> None:
        """Begin a pass at the first leaf."""
        self._waiting.clear()
        self._buckets = {}
        self._bound = bytes(HASH_BYTES)

    def waiting_since(self) -> list[int]:
        """Return the leaves whose explanation was not met yet."""
        return [index for index, _ in self._waiting.values()]

    def check(
        self,
        reading: Reading,
        trees: Mapping[LogTree, TileReader],
        report: Report,
        index: int,
    ) -> None:
        """Check leaf `index`, with all that hangs on it."""
        for tree, reader in trees.items():
            scrub_tiles(reader, TREE_FAULTS[tree], report, index)
        try:
            row = reading.row(index)
            if row is None:
                report.add(Fault.LEAF_MISSING, index=index)
                return
            leaf = Leaf.from_bytes(row.leaf)
            in_tree = trees[LogTree.SHA256].node(0, index)
        except (VaultCorrupt, ValueError, TileError) as error:
            report.add(Fault.LEAF_CHANGED, index=index, detail=str(error))
            return
        if leaf_hash(row.leaf) != in_tree:
            report.add(Fault.LEAF_CHANGED, index=index)
        if LogTree.SM3 in trees:
            scrub_sm3_leaf(trees[LogTree.SM3], report, index, row.leaf)
        _document(reading, report, index, leaf)
        self._opening(reading, report, index, row, leaf)
        _standing(reading, report, index, row)
        self._lanes(reading, report, index, row, leaf)
        _step(reading, report, index, row, leaf)
        _evidence(reading, report, index, leaf)
        if leaf.act in {Act.DELIVER, Act.REFUSE}:
            self._waiting.pop(("lane", leaf.by, leaf.document), None)
        elif leaf.act is Act.WITHDRAW:
            self._waiting.pop(("entry", row.opened, b""), None)
        elif leaf.act is Act.BIND:
            # Where a pass was resumed, nobody knows what the first goes on from.
            goes_on = self._bound in {None, leaf.subject}
            self._saw_binding(index, leaf.document, goes_on)
            self._bound = leaf.document

    def settle(self, report: Report, index: int) -> None:
        """Tell what no leaf before `index` explained and none behind can."""
        over = [what for what, (_, size) in self._waiting.items() if size <= index]
        for what in over:
            _unexplained(report, what, self._waiting.pop(what)[0])

    def end(self, reading: Reading, report: Report) -> None:
        """Tell what no leaf explained, and compare the sums kept for peers."""
        for what, (index, _) in self._waiting.items():
            _unexplained(report, what, index)
        self._waiting.clear()
        if self._buckets is None or len(self._buckets) > _BUCKETS_MAX:
            return
        for carrier, number, kept in reading.all_buckets():
            if kept != self._buckets.pop((carrier, number), None):
                report.add(Fault.BUCKET_CHANGED, index=number, key=carrier)
        for carrier, number in self._buckets:
            report.add(Fault.BUCKET_CHANGED, index=number, key=carrier)
        self._buckets = None

    def _opening(
        self, reading: Reading, report: Report, index: int, row: LogRow, leaf: Leaf
    ) -> None:
        """Compare the entry of the book of keys, and the digest index."""
        title = row.title
        if title is None or row.opened != index:
            return
        entry = _entry(reading, report, title)
        if entry is None or entry.document != index:
            self._wait(reading, ("entry", index, b""), index)
        elif _differs(entry, title, leaf):
            report.add(Fault.ENTRY_CHANGED, index=index, key=_name(title))
        elif leaf.act is Act.ARRIVE and leaf.kind is DocumentKind.VOUCHER:
            for passage in entry.passages:
                waits = reading.waits(passage.recipient, index)
                if passage.standing is Standing.ARRIVED and not waits:
                    key = passage.recipient
                    report.add(Fault.INBOX_MISSING, index=index, key=key)
        reaches = reading.named_to() or (0,) * PARTS
        if leaf.kind is DocumentKind.VOUCHER and index < reaches[part_of(leaf.subject)]:
            found = reading.name(short(leaf.subject))
            if found is None or found < index:
                report.add(Fault.NAME_MISSING, index=index)

    def _lanes(
        self, reading: Reading, report: Report, index: int, row: LogRow, leaf: Leaf
    ) -> None:
        if not lanes_fit(leaf, row.carriers):
            report.add(Fault.ROW_CHANGED, index=index, detail="lanes")
        sign = -1 if leaf.act is Act.REFUSE else 1
        for carrier in row.carriers:
            # What is registered is told to whom it concerns, and in nobody's sums.
            if self._buckets is not None and leaf.kind is not DocumentKind.REGISTRATION:
                place = (carrier, bucket_of(leaf.document))
                bucket = self._buckets.get(place, Bucket())
                self._buckets[place] = bucket.add(leaf.document, sign)
            if leaf.act not in FILLS_LANES:
                continue
            try:
                waits = reading.lane_row(carrier, index)
            except VaultCorrupt:
                waits = None
            if waits is None:
                self._wait(reading, ("lane", carrier, leaf.document), index)
            elif waits.digest != leaf.document:
                report.add(Fault.LANE_STRAY, index=index, key=carrier)

    def _wait(self, reading: Reading, what: _Waiting, index: int) -> None:
        """Wait for an explanation: it stands before the size of this reading."""
        self._waiting[what] = (index, reading.size())


def _unexplained(report: Report, what: _Waiting, index: int) -> None:
    if what[0] == "lane":
        report.add(Fault.LANE_MISSING, index=index, key=str(what[1]))
    else:
        report.add(Fault.ENTRY_MISSING, index=index)


def _entry(reading: Reading, report: Report, title: Title) -> Entry | None:
    try:
        return reading.entry(book_key(title.key, title.role))
    except VaultCorrupt:
        report.add(Fault.ENTRY_CHANGED, key=_name(title), detail="check sum")
        return None


def _differs(entry: Entry, title: Title, leaf: Leaf) -> bool:
    recipients = tuple(passage.recipient for passage in entry.passages)
    has = (entry.role, entry.digest, entry.amount_fen, entry.count, recipients)
    told = (title.role, leaf.subject, title.amount_fen, title.count, title.recipients)
    return has != told


def _name(title: Title) -> str:
    return str(VoucherKey.from_bytes(title.key))


def _document(reading: Reading, report: Report, index: int, leaf: Leaf) -> None:
    sealed = reading.document(index)
    if leaf.act not in BRINGS_DOCUMENT:
        if sealed is not None:
            report.add(Fault.DOCUMENT_STRAY, index=index)
        return
    if sealed is None:
        report.add(Fault.DOCUMENT_MISSING, index=index, detail=leaf.kind.name)
        return
    report.documents += 1
    if sha256(sealed).digest() != leaf.version:
        report.add(Fault.DOCUMENT_CHANGED, index=index, detail=leaf.kind.name)


def _standing(reading: Reading, report: Report, index: int, row: LogRow) -> None:
    """Compare what this leaf changed with where the voucher stands."""
    try:
        opening = reading.row(row.opened) if row.changes else None
    except VaultCorrupt:
        return  # told where it stands
    if opening is None or opening.title is None:
        return
    entry = _entry(reading, report, opening.title)
    if entry is None or entry.document != row.opened:
        return  # told where it was opened
    for at, standing in row.changes:
        passage = entry.passages[at] if at < len(entry.passages) else None
        if (
            passage is None
            or passage.leaf < index
            or (passage.leaf == index and passage.standing is not standing)
        ):
            detail = f"standing of {standing.name}"
            key = _name(opening.title)
            report.add(Fault.ENTRY_CHANGED, index=index, key=key, detail=detail)


def _step(
    reading: Reading, report: Report, index: int, row: LogRow, leaf: Leaf
) -> None:
    if leaf.act not in BRINGS_DOCUMENT or leaf.kind is DocumentKind.VOUCHER:
        return
    if leaf.kind is DocumentKind.REGISTRATION:
        _registration(reading, report, index, leaf)
        return
    key = step_key(row.opened, leaf.kind, leaf.by, leaf.document)
    try:
        found = reading.step(key)
    except VaultCorrupt:
        found = None
    if found != index:
        report.add(Fault.STEP_MISSING, index=index, detail=leaf.kind.name)


def _registration(reading: Reading, report: Report, index: int, leaf: Leaf) -> None:
    try:
        found = reading.registration(leaf.document)
    except VaultCorrupt:
        found = None
    if found != index:
        report.add(Fault.REGISTRATION_MISSING, index=index)


def _evidence(reading: Reading, report: Report, index: int, leaf: Leaf) -> None:
    if leaf.act is Act.WITNESS:
        check_witness(reading, report, index, leaf)
    if leaf.act is not Act.DELIVER or leaf.version == _NO_EVIDENCE:
        return
    found = reading.evidence(index)
    if found is None or sha256(found[1]).digest() != leaf.version:
        report.add(Fault.EVIDENCE_MISSING, index=index, key=leaf.by)
