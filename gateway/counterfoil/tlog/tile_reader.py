"""Reading hashes and proofs out of tiles, at any past size.

Source: C2SP tlog-tiles 0.1.0, section "Merkle Tree".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final, TypeAlias

from counterfoil.tlog import proofs
from counterfoil.tlog.errors import TileError
from counterfoil.tlog.merkle import (
    HASH_BYTES,
    NODE_PREFIX,
    SIZE_MAX,
    Frontier,
    HashFunction,
    TreeHead,
)
from counterfoil.tlog.tiles import (
    TILE_HASHES,
    TILE_HEIGHT,
    ReadTile,
    first_hashes,
)

Rows: TypeAlias = tuple[tuple[bytes, ...], ...]
"""A tile's hashes and, row by row, those of the nodes above them."""

_FULL_TILES_MAX: Final = 64
"""Full tiles whose rows are remembered by all readers: 3 MiB."""


@dataclass(slots=True)
class TileReader:
    """Reads hashes and proofs of any size up to the store's out of its tiles.

    Remembers the tiles it has read, so it belongs to one read transaction.

    Attributes:
        read_tile: Reads a tile.
        hash_function: The tree's hash function.
    """

    read_tile: ReadTile
    hash_function: HashFunction = sha256
    _rows: dict[tuple[int, int], Rows] = field(
        default_factory=dict, init=False, repr=False
    )

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of leaves index*2**height to (index+1)*2**height.

        Raises:
            TileError: The store does not hold all of these leaves.
        """
        level, row = divmod(height, TILE_HEIGHT)
        tile, at = divmod(index, TILE_HASHES >> row)
        rows = self._rows_of(level, tile)
        if at >= len(rows[row]):
            raise TileError("a tile is missing or short")
        return rows[row][at]

    def leaf_hashes(self, first: int, count: int) -> list[bytes]:
        """Return `count` leaf hashes from index `first` on.

        Raises:
            TileError: The store does not hold all of these leaves.
        """
        return [self.node(0, index) for index in range(first, first + count)]

    def frontier(self, size: int) -> Frontier:
        """Return the frontier of the tree as it was at `size` leaves.

        Raises:
            ValueError: `size` is out of range.
            TileError: The store does not hold that many leaves.
        """
        if not 0 <= size <= SIZE_MAX:
            raise ValueError("the size is out of range")
        heights = reversed(range(size.bit_length()))
        peaks = [
            self.node(height, (size >> height) - 1)
            for height in heights
            if size >> height & 1
        ]
        return Frontier(size, peaks, hash_function=self.hash_function)

    def head(self, size: int) -> TreeHead:
        """Return the head of the tree as it was at `size` leaves.

        Raises:
            ValueError: `size` is out of range.
            TileError: The store does not hold that many leaves.
        """
        return self.frontier(size).head()

    def subtree_hash(self, start: int, end: int) -> bytes:
        """Return the hash of an aligned range; see `proofs.subtree_hash`.

        Raises:
            ValueError: The range is not aligned.
            TileError: The store does not hold all of these leaves.
        """
        return proofs.subtree_hash(start, end, self.node, self.hash_function)

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Prove that leaf `index` is in the tree; see `proofs.inclusion_proof`.

        Raises:
            ValueError: There is no such leaf.
            TileError: The store does not hold `size` leaves.
        """
        return proofs.inclusion_proof(index, size, self.node, self.hash_function)

    def range_proof(self, first: int, count: int, size: int) -> tuple[bytes, ...]:
        """Prove that a range of leaves is in the tree; see `proofs.range_proof`.

        Raises:
            ValueError: The range is empty or not inside the tree.
            TileError: The store does not hold `size` leaves.
        """
        return proofs.range_proof(first, count, size, self.node, self.hash_function)

    def consistency_proof(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Prove that the tree only grew; see `proofs.consistency_proof`.

        Raises:
            ValueError: The sizes are not in order.
            TileError: The store does not hold `size` leaves.
        """
        return proofs.consistency_proof(old_size, size, self.node, self.hash_function)

    def _rows_of(self, level: int, index: int) -> Rows:
        """Return a tile's hashes and, row by row, those of the nodes above them."""
        rows = self._rows.get((level, index))
        if rows is not None:
            return rows
        hashes = self.read_tile(level, index)
        hashes = first_hashes(hashes, min(len(hashes) // HASH_BYTES, TILE_HASHES))
        is_full = len(hashes) == TILE_HASHES * HASH_BYTES
        rows = (_rows_of_full if is_full else _rows)(hashes, self.hash_function)
        self._rows[level, index] = rows
        return rows


def _rows(hashes: bytes, hash_function: HashFunction) -> Rows:
    """Return a tile's hashes and, row by row, those of the nodes above them."""
    row = tuple(
        [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    )
    rows = [row]
    # The eighth row would be the one hash that level + 1 holds.
    for _ in range(TILE_HEIGHT - 1):
        pairs = zip(row[::2], row[1::2], strict=False)
        row = tuple(
            [
                hash_function(NODE_PREFIX + left + right).digest()
                for left, right in pairs
            ]
        )
        rows.append(row)
    return tuple(rows)


_rows_of_full = lru_cache(maxsize=_FULL_TILES_MAX)(_rows)
"""A full tile never changes, and what follows from it is asked for again and again:
by its bytes as they were read, so that a damaged one is another one."""
