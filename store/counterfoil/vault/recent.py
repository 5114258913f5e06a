"""The newest end of the log, kept in memory as it was written.

Lanes, readers and the ledger mostly ask for what was committed a moment ago. What
the writer made itself, and saw committed, need not be fetched, decoded and hashed
again for each of them; whatever is older comes from the disk, and is.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from counterfoil.domain.leaf import Leaf
from counterfoil.vault.engine import Batch
from counterfoil.vault.records import LogRow

ROWS_MAX: Final = 16_384
"""Rows kept."""

DOCUMENT_BYTES_MAX: Final = 32 * 1024 * 1024
"""Bytes of documents kept, none longer than its row: of small ones some 15 MiB."""


class Recent:
    """Rows, leaves and documents of the last commits.

    Filled by the writing thread, after each commit; read by any.

    Args:
        rows_max: Rows kept.
        document_bytes_max: Bytes of documents kept.
    """

    def __init__(
        self, rows_max: int = ROWS_MAX, document_bytes_max: int = DOCUMENT_BYTES_MAX
    ) -> None:
        self._rows_max = rows_max
        self._bytes_max = document_bytes_max
        self._rows: dict[int, tuple[LogRow, Leaf]] = {}
        self._documents: dict[int, bytes] = {}
        # The order apart: a dictionary looks for its first key past all that were
        # deleted before it, tens of thousands for each document (docs/adr/0005).
        self._row_order: deque[int] = deque()
        self._document_order: deque[int] = deque()
        self._bytes = 0

    def remember(self, batch: Batch) -> None:
        """Take in what a commit wrote, and let go of the oldest."""
        pairs = zip(batch.rows, batch.leaves, strict=True)
        self._rows.update(enumerate(pairs, batch.first))
        self._row_order.extend(range(batch.first, batch.first + len(batch.rows)))
        self._documents.update(batch.documents)
        self._document_order.extend([index for index, _ in batch.documents])
        self._bytes += sum([len(sealed) for _, sealed in batch.documents])
        while len(self._row_order) > self._rows_max:
            del self._rows[self._row_order.popleft()]
        # A document without its row is read for nobody: whoever wants it begins there.
        oldest = self._row_order[0] if self._row_order else 0
        while self._document_order and (
            self._bytes > self._bytes_max or self._document_order[0] < oldest
        ):
            index = self._document_order.popleft()
            self._bytes -= len(self._documents.pop(index))

    def row(self, index: int) -> tuple[LogRow, Leaf] | None:
        """Return a row and its leaf if they are recent."""
        return self._rows.get(index)

    def document(self, index: int) -> bytes | None:
        """Return the sealed bytes under a log index if they are recent."""
        return self._documents.get(index)
