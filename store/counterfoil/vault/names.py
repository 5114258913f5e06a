"""Finds vouchers by their digest: an index that is written behind the commit.

Keys that are random cost a B-tree most, one page per key. So what a commit adds is
kept in memory first, sorted into parts by the first bits of the digest; once much
is waiting, each commit also writes the fullest part, whose keys share few pages.
How far each part reaches in the log is stored with it, and what is missing is read
from the log again when the vault is opened.
"""

from __future__ import annotations

from typing import Final

from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.vault.engine import Batch, Reading
from counterfoil.vault.records import LogRow, leaf_subject

PARTS: Final = 64
"""Parts of the index: one per value of the first six bits."""

WAITING_MAX: Final = 65_536
"""Names kept in memory before parts are written, about 10 MB."""

SHORT_BYTES: Final = 16
"""Bytes of a digest that the index stores; who finds one compares the rest."""


class NameIndex:
    """What the stored digest index does not hold yet.

    One thread writes; others may look up at any time.

    Args:
        reading: The committed state to begin with.
        waiting_max: Names kept in memory before parts are written.
    """

    def __init__(self, reading: Reading, waiting_max: int = WAITING_MAX) -> None:
        self._parts: list[dict[bytes, int]] = [{} for _ in range(PARTS)]
        self._waiting = 0
        self._waiting_max = waiting_max
        self._reaches = reading.named_to() or (0,) * PARTS
        size = reading.frontier().size
        for index in range(min(self._reaches), size):
            row = _readable(reading, index)
            if row is None or row.title is None:
                continue
            digest = leaf_subject(row.leaf)
            if index >= self._reaches[part_of(digest)]:
                self._add(index, digest)

    def find(self, digest: bytes) -> int | None:
        """Return where a voucher was opened, if the stored index may not know."""
        return self._parts[part_of(digest)].get(digest[:SHORT_BYTES])

    def put_into(self, batch: Batch) -> None:
        """Let `batch` write a part, if enough is waiting."""
        if self._waiting < self._waiting_max:
            return
        fullest = max(range(PARTS), key=lambda part: len(self._parts[part]))
        batch.names = sorted(self._parts[fullest].items())
        reaches = list(self._reaches)
        reaches[fullest] = batch.first
        batch.named_to = tuple(reaches)

    def committed(self, batch: Batch) -> None:
        """Take over what a commit opened, and let go of what it wrote."""
        if batch.named_to:
            written = next(
                part
                for part in range(PARTS)
                if batch.named_to[part] != self._reaches[part]
            )
            self._parts[written] = {}
            self._waiting -= len(batch.names)
            self._reaches = batch.named_to
        for index, row in enumerate(batch.rows, batch.first):
            if row.title is not None:
                self._add(index, leaf_subject(row.leaf))

    def _add(self, index: int, digest: bytes) -> None:
        part, name = self._parts[part_of(digest)], short(digest)
        self._waiting += name not in part
        part[name] = index


def short(digest: bytes) -> bytes:
    """Return the form of a digest that the stored index uses."""
    return digest[:SHORT_BYTES]


def part_of(digest: bytes) -> int:
    """Return the part of the index that a digest belongs to."""
    return digest[0] * PARTS >> 8


def _readable(reading: Reading, index: int) -> LogRow | None:
    """Return a row, None if it is damaged: the others must still be found."""
    try:
        return reading.row(index)
    except VaultCorrupt:
        return None
