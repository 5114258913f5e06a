"""The tree as stored: tiles of 256 hashes.

Level 0 holds leaf hashes; each hash at level n+1 stands for a full tile at level
n, so a level-L hash covers 256**L leaves. Only the last tile of a level is partial;
full tiles never change. `tile_writer` appends to them, `tile_reader` reads proofs
out of them.

Source: C2SP tlog-tiles 0.1.0, section "Merkle Tree".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from counterfoil.tlog.errors import TileError
from counterfoil.tlog.merkle import HASH_BYTES

TILE_HEIGHT: Final = 8
"""Levels of the tree that one tile spans."""

TILE_HASHES: Final = 1 << TILE_HEIGHT
"""Hashes in a full tile: 8,192 bytes."""

ReadTile: TypeAlias = Callable[[int, int], bytes]
"""Given level and index, the tile's hashes, concatenated.

More hashes than the tree's size accounts for may be returned, never fewer; for a
tile that does not exist, no bytes. Whatever the callable raises passes through.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A tile to store, replacing what stood there.

    Attributes:
        level: 0 for leaf hashes.
        index: Position within the level.
        hashes: 1 to TILE_HASHES hashes, concatenated.
    """

    level: int
    index: int
    hashes: bytes


def first_hashes(hashes: bytes, width: int) -> bytes:
    """Return the first `width` hashes of a tile.

    Raises:
        TileError: There are fewer, or not a whole number of hashes.
    """
    if len(hashes) % HASH_BYTES or len(hashes) < width * HASH_BYTES:
        raise TileError("a tile is missing or short")
    return hashes[: width * HASH_BYTES]
