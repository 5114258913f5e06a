"""What the last commits wrote and judging will ask for again.

A voucher is entered, sent and delivered within seconds, and every act is judged by
what the one before it wrote. What the writer made itself, and saw committed, it need
not read back and decode; whatever is older comes from the disk, and is.
"""

from __future__ import annotations

from itertools import islice
from typing import Final, TypeAlias, TypeVar

from counterfoil.app.ports import Entry
from counterfoil.domain.register import Register
from counterfoil.vault.engine import Batch
from counterfoil.vault.records import BUCKETS, Bucket, LaneRow

K = TypeVar("K")
V = TypeVar("V")

Place: TypeAlias = tuple[str, int]
"""A carrier and a sequence of its lane, or the number of one of its buckets."""

RECORDS_MAX: Final = 8192
"""Entries kept, and places of lanes: some ten megabytes."""

SUMS_MAX: Final = 8 * BUCKETS
"""Bucket sums kept, those of eight peers: some ten megabytes."""


class Written:
    """Entries, lanes and sums as the last commits left them; the writer's own.

    Args:
        register: What stands registered when the vault is opened.
        records_max: Entries kept, and places of lanes.
        sums_max: Bucket sums kept.

    Attributes:
        register: What stands registered.
        entries: By voucher key; None for one that was struck out.
        lanes: By carrier and sequence; None where nothing waits any more.
        sums: By carrier and bucket.
    """

    def __init__(
        self,
        register: Register,
        records_max: int = RECORDS_MAX,
        sums_max: int = SUMS_MAX,
    ) -> None:
        self.register = register
        self._records_max = records_max
        self._sums_max = sums_max
        self.entries: dict[bytes, Entry | None] = {}
        self.lanes: dict[Place, LaneRow | None] = {}
        self.sums: dict[Place, Bucket] = {}

    def committed(self, batch: Batch) -> None:
        """Take in what a commit wrote, and let go of the oldest."""
        self.register = batch.register
        _renew(self.entries, batch.entries, self._records_max)
        _renew(self.lanes, batch.lanes, self._records_max)
        _renew(self.sums, batch.buckets, self._sums_max)


def _renew(kept: dict[K, V], new: dict[K, V], at_most: int) -> None:
    kept.update(new)
    for key in list(islice(kept, max(len(kept) - at_most, 0))):
        del kept[key]
