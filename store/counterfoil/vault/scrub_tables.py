"""Looks in the indexes for what no leaf of the log accounts for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar

from counterfoil.app.ports import Entry
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import (
    BRINGS_DOCUMENT,
    FILLS_LANES,
    Act,
    Role,
    Standing,
)
from counterfoil.domain.voucher import VoucherKey
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.packing import name_key, split_name_key
from counterfoil.vault.records import (
    LogRow,
    leaf_version,
    split_book_key,
    step_key,
)

T = TypeVar("T")

_ANSWERED: Final = {Standing.RECEIPTED, Standing.CLOSED, Standing.DISPUTED}
"""Where a voucher stands once a receipt came."""

_WAITING_ITEMS: Final = 1_024
"""Of each list of what waits to be read, the oldest that are looked at in a pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How far a slice came in a table.

    Attributes:
        count: Rows looked at.
        after: The last key.
        is_last: Whether there is nothing behind it.
    """

    count: int
    after: bytes
    is_last: bool


def scrub_entries(
    reading: Reading,
    report: Report,
    after: bytes,
    items: int,
    expired: Callable[[], bool],
) -> Rows:
    """Compare entries of the book of keys with the leaves that they name."""
    taken = _Taken(reading.all_entries(after), items, expired)
    for encoded, entry in taken:
        key = str(VoucherKey.from_bytes(split_book_key(encoded)[0]))
        if isinstance(entry, VaultCorrupt):
            report.add(Fault.ENTRY_CHANGED, key=key, detail="check sum")
            continue
        opening = _row(reading, entry.document)
        title = None if opening is None else opening.title
        if title is None or (title.key, title.role) != split_book_key(encoded):
            report.add(Fault.ENTRY_STRAY, index=entry.document, key=key)
        elif not _stands(reading, entry):
            report.add(
                Fault.ENTRY_CHANGED, index=entry.document, key=key, detail="standing"
            )
    return taken.rows(after)


def scrub_steps(
    reading: Reading,
    report: Report,
    after: bytes,
    items: int,
    expired: Callable[[], bool],
) -> Rows:
    """Look for steps that no leaf brought."""
    taken = _Taken(reading.all_steps(after), items, expired)
    for encoded, index in taken:
        row = _row(reading, index)
        leaf = None if row is None else Leaf.from_bytes(row.leaf)
        if (
            row is None
            or leaf is None
            or leaf.act not in BRINGS_DOCUMENT
            or step_key(row.opened, leaf.kind, leaf.by, leaf.document) != encoded
        ):
            report.add(Fault.STEP_STRAY, index=index)
    return taken.rows(after)


def scrub_certificates(
    reading: Reading,
    report: Report,
    after: bytes,
    items: int,
    expired: Callable[[], bool],
) -> Rows:
    """Hash certificates again."""
    taken = _Taken(reading.all_certificates(after), items, expired)
    for digest, der in taken:
        if sha256(der).digest() != digest:
            report.add(Fault.CERTIFICATE_CHANGED, key=digest.hex())
    return taken.rows(after)


def scrub_lanes(
    reading: Reading,
    report: Report,
    after: bytes,
    items: int,
    expired: Callable[[], bool],
) -> Rows:
    """Look in the lanes for what no leaf put there."""
    rows = ((name_key(name, at), row) for name, at, row in reading.all_lanes(after))
    taken = _Taken(rows, items, expired)
    for encoded, row in taken:
        carrier, index = split_name_key(encoded)
        if isinstance(row, VaultCorrupt):
            report.add(Fault.LANE_STRAY, index=index, key=carrier, detail="check sum")
            continue
        sent = _row(reading, index)
        leaf = None if sent is None else Leaf.from_bytes(sent.leaf)
        if (
            sent is None
            or leaf is None
            or leaf.act not in FILLS_LANES
            or leaf.document != row.digest
            or carrier not in sent.carriers
        ):
            report.add(Fault.LANE_STRAY, index=index, key=carrier)
    return taken.rows(after)


def scrub_inbox(reading: Reading, report: Report, parties: Sequence[str]) -> int:
    """Look in the lists of what waits to be read for what did not arrive.

    Returns:
        How many were looked at: of each party, the oldest.
    """
    count = 0
    for party in parties:
        for index in reading.inbox(party, -1, _WAITING_ITEMS):
            count += 1
            row = _row(reading, index)
            if row is None or Leaf.from_bytes(row.leaf).act is not Act.ARRIVE:
                report.add(Fault.INBOX_STRAY, index=index, key=party)
    return count


class _Taken(Iterator[tuple[bytes, T]]):
    """The first rows of a scan, as many as items and time allow."""

    def __init__(
        self,
        rows: Iterable[tuple[bytes, T]],
        items: int,
        expired: Callable[[], bool],
    ) -> None:
        self._rows = iter(rows)
        self._items = items
        self._expired = expired
        self._count = 0
        self._after: bytes | None = None
        self._is_last = False

    def __next__(self) -> tuple[bytes, T]:
        if self._count >= self._items or (self._count and self._expired()):
            raise StopIteration
        row = next(self._rows, None)
        if row is None:
            self._is_last = True
            raise StopIteration
        self._count += 1
        self._after = row[0]
        return row

    def rows(self, before: bytes) -> Rows:
        """Return how far it came; `before` where it came nowhere."""
        after = before if self._after is None else self._after
        return Rows(count=self._count, after=after, is_last=self._is_last)


def _row(reading: Reading, index: int) -> LogRow | None:
    """Return a row; None if it is damaged, which the log's stage tells."""
    try:
        return reading.row(index)
    except VaultCorrupt:
        return None


def _stands(reading: Reading, entry: Entry) -> bool:
    """Return whether leaves led to every standing and receipt of an entry."""
    return all(_passage_stands(reading, entry, at) for at in range(len(entry.passages)))


def _passage_stands(reading: Reading, entry: Entry, at: int) -> bool:
    passage = entry.passages[at]
    row = _row(reading, passage.leaf)
    if row is None or row.opened != entry.document:
        return False
    if (at, passage.standing) not in row.changes:
        return False
    reason = passage.refused_reason.encode()
    if passage.standing is Standing.REFUSED:
        return sha256(reason).digest() == leaf_version(row.leaf)
    if entry.role is Role.COPY:
        return not reason  # it opens with the receipt, and keeps no second one
    if passage.standing in _ANSWERED:
        return not reason and _has_receipt(reading, entry, passage.receipt)
    return not reason and not passage.receipt


def _has_receipt(reading: Reading, entry: Entry, receipt: bytes) -> bool:
    """Return whether a recipient's receipt with this digest is in the log."""
    for passage in entry.passages:
        key = step_key(entry.document, DocumentKind.RECEIPT, passage.recipient, receipt)
        try:
            if reading.step(key) is not None:
                return True
        except VaultCorrupt:
            return True  # the log's stage tells that the index is damaged
    return False
