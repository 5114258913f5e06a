"""How often what waits to be read has been read, in this process."""

from __future__ import annotations

from typing import Final

COUNTS_MAX: Final = 65_536
"""Most places counted, some 10 MiB."""

_Place = tuple[str, int]
"""A party, and the leaf of what waits for it."""


class ReadCounts:
    """Counts readings by party and leaf.

    A desk that reads and takes nothing over would fill the memory. So there are two
    generations: with one half full the older is let go, and what stood there counts
    as never read.

    Args:
        counts_max: Most places counted.
    """

    def __init__(self, counts_max: int = COUNTS_MAX) -> None:
        self._half = max(1, counts_max // 2)
        self._young: dict[_Place, int] = {}
        self._old: dict[_Place, int] = {}

    def __len__(self) -> int:
        """Return how many places are counted."""
        return len(self._young.keys() | self._old.keys())

    def of(self, party: str, index: int) -> int:
        """Return how often a party has read what came with a leaf."""
        place = (party, index)
        return self._young.get(place) or self._old.get(place, 0)

    def add(self, party: str, index: int) -> None:
        """Count one more reading."""
        if len(self._young) >= self._half:
            self._young, self._old = {}, self._young
        self._young[party, index] = self.of(party, index) + 1

    def forget(self, party: str, index: int) -> None:
        """Count no more what does not wait any more."""
        self._young.pop((party, index), None)
        self._old.pop((party, index), None)
