"""Appending to a tree of tiles, in batches.

Source: C2SP tlog-tiles 0.1.0, section "Merkle Tree".
"""

from __future__ import annotations

from collections.abc import Iterable

from counterfoil.tlog.merkle import HASH_BYTES, Frontier
from counterfoil.tlog.tiles import (
    TILE_HASHES,
    TILE_HEIGHT,
    ReadTile,
    Tile,
    first_hashes,
)


class TileWriter:
    """Appends leaf hashes and says which tiles changed.

    Belongs to one write transaction: the frontier given is copied, so that after a
    failed transaction the caller's own is still what the store holds.

    Args:
        frontier: The tree as the store holds it.
        read_tile: Reads the partial tiles, each at most once.
    """

    def __init__(self, frontier: Frontier, read_tile: ReadTile) -> None:
        self._frontier = frontier.copy()
        self._size_stored = frontier.size
        self._read_tile = read_tile
        self._partial: dict[int, bytearray] = {}

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
        frontier, full = self._frontier, TILE_HASHES * HASH_BYTES
        before = frontier.size
        changed: dict[tuple[int, int], bytes] = {}
        row = self._row(0)
        for leaf in leaves:
            # One of another length would shift every hash after it.
            if len(leaf) != HASH_BYTES:
                raise ValueError("a leaf is not a hash")
            row += leaf
            completed = frontier.append(leaf)
            if len(row) == full:
                changed[0, (frontier.size >> TILE_HEIGHT) - 1] = bytes(row)
                row.clear()
                self._promote(completed, changed)
        if frontier.size != before:
            self._collect_partial(changed)
        return [
            Tile(level=level, index=index, hashes=changed[level, index])
            for level, index in sorted(changed)
        ]

    def _promote(
        self, completed: list[bytes], changed: dict[tuple[int, int], bytes]
    ) -> None:
        """Enter the hash of each tile just filled at the level above it."""
        size = self._frontier.size
        for level in range(1, (len(completed) - 1) // TILE_HEIGHT + 1):
            row = self._row(level)
            row += completed[level * TILE_HEIGHT]
            index = (size >> level * TILE_HEIGHT) - 1 >> TILE_HEIGHT
            changed[level, index] = bytes(row)
            if len(row) == TILE_HASHES * HASH_BYTES:
                row.clear()

    def _collect_partial(self, changed: dict[tuple[int, int], bytes]) -> None:
        """Enter the partial leaf tile, which every batch leaves behind changed."""
        if row := self._row(0):
            changed[0, self._frontier.size >> TILE_HEIGHT] = bytes(row)

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
