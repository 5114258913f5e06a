"""Appending to a tree of tiles, in batches.

Source: C2SP tlog-tiles 0.1.0, section "Merkle Tree".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from counterfoil.tlog.growth import Growth
from counterfoil.tlog.merkle import HASH_BYTES, Frontier
from counterfoil.tlog.tiles import (
    TILE_HASHES,
    TILE_HEIGHT,
    ReadTile,
    Tile,
    first_hashes,
)

_FULL_BYTES: Final = TILE_HASHES * HASH_BYTES


class TileWriter:
    """Appends leaf hashes and says which tiles changed.

    Belongs to one write transaction: the frontier given is copied, so that after a
    failed transaction the caller's own is still what the store holds.

    Args:
        frontier: The tree as the store holds it.
        read_tile: Reads the partial tiles, each at most once.

    Attributes:
        growth: What the last `extend` appended, for proofs about it.
    """

    def __init__(self, frontier: Frontier, read_tile: ReadTile) -> None:
        self._frontier = frontier.copy()
        self._size_stored = frontier.size
        self._read_tile = read_tile
        self._partial: dict[int, bytearray] = {}
        self.growth = Growth.of(self._frontier, [])

    @property
    def frontier(self) -> Frontier:
        """A copy of the frontier after everything appended so far."""
        return self._frontier.copy()

    def extend(self, leaves: Iterable[bytes]) -> list[Tile]:
        """Append leaf hashes in order.

        Returns:
            Each tile that changed once, in its new state, by level and index.

        Raises:
            TileError: The store lacks hashes that the frontier's size promises;
                the writer must not be used again.
            ValueError: A leaf is not HASH_BYTES long; likewise.
        """
        hashes, before = list(leaves), self._frontier.size
        # One of another length would shift every hash after it.
        if any(len(leaf) != HASH_BYTES for leaf in hashes):
            raise ValueError("a leaf is not a hash")
        self.growth = Growth.of(self._frontier, hashes)
        # The leaves, and the hash of each tile filled at the level below.
        by_level = self.growth.completed[::TILE_HEIGHT]
        return [
            tile
            for level, nodes in enumerate(by_level)
            for tile in self._enter(level, before >> level * TILE_HEIGHT, nodes)
        ]

    def _enter(self, level: int, first: int, nodes: list[bytes]) -> list[Tile]:
        """Enter hashes at a level, from its position `first` on."""
        row = self._row(level)
        row += b"".join(nodes)
        tiles = [
            Tile(level=level, index=index, hashes=bytes(row[at : at + _FULL_BYTES]))
            for index, at in enumerate(
                range(0, len(row), _FULL_BYTES), first >> TILE_HEIGHT
            )
        ]
        del row[: len(row) - len(row) % _FULL_BYTES]
        return tiles

    def _row(self, level: int) -> bytearray:
        """Return the level's partial tile, read when first needed."""
        row = self._partial.get(level)
        if row is None:
            # What this writer appended comes to a row only through this method,
            # so the store still holds all of it.
            nodes = self._size_stored >> level * TILE_HEIGHT
            row = bytearray()
            if width := nodes % TILE_HASHES:
                index = nodes >> TILE_HEIGHT
                row += first_hashes(self._read_tile(level, index), width)
            self._partial[level] = row
        return row
