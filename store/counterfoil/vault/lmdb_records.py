"""What one commit writes, encoded for the tables of the LMDB engine.

All of it is encoded before anything is begun. So a value that has no encoding is a
defect that costs one call, and not a commit that stopped half way: of that nobody could
tell what is on the disk, and the vault would stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

import lmdb

from counterfoil.tlog.tiles import Tile
from counterfoil.vault.engine import Batch, CannotBeStored
from counterfoil.vault.lmdb_layout import Tables, pack_sm3, pack_state, tile_key
from counterfoil.vault.packing import (
    name_key,
    pack_bucket,
    pack_entry,
    pack_lane,
    pack_reference,
    pack_rows,
    seal,
)
from counterfoil.vault.records import INDEX

T = TypeVar("T")

KEY_BYTES_MAX: Final = 511
"""Longest key of LMDB; the longest of ours, `records.book_key`, has some hundred."""

Record = tuple[bytes, bytes]
"""A key and what stands under it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a commit changes in one table.

    Attributes:
        table: The table.
        put: What is put into it, in the order of the keys: neighbours share pages.
        appended: Whether all that stands behind what the table has.
        struck: Keys of what is removed.
    """

    table: lmdb.Database
    put: list[Record]
    appended: bool = False
    struck: list[bytes] = field(default_factory=list)


def encoded(batch: Batch, tables: Tables) -> list[Changes]:
    """Return what `batch` changes, table by table.

    Raises:
        CannotBeStored: A value has no encoding.
    """
    try:
        return list(_changes(batch, tables))
    # Whatever it is that a layout cannot hold, nothing was written yet.
    except Exception as error:
        raise CannotBeStored(f"{type(error).__name__}: {error}") from error


def _changes(batch: Batch, tables: Tables) -> Iterator[Changes]:
    yield Changes(tables.log, pack_rows(batch.first, batch.rows), appended=True)
    yield Changes(tables.documents, _by_index(batch.documents), appended=True)
    evidence = _by_index(batch.evidence.items())
    yield Changes(tables.evidence, evidence, appended=True)
    yield _put(tables.tiles, _by_place(batch.tiles))
    if batch.sm3 is not None:
        assert tables.sm3_tiles is not None, "the batch has what the vault has"
        yield _put(tables.sm3_tiles, _by_place(batch.sm3.tiles))
    yield _replace(tables.keys, batch.entries.items(), pack_entry)
    lanes = [(name_key(*place), row) for place, row in batch.lanes.items()]
    yield _replace(tables.lanes, lanes, pack_lane)
    inbox = [
        (name_key(*place), b"" if waits else None)
        for place, waits in batch.inbox.items()
    ]
    yield _replace(tables.inbox, inbox, _as_it_is)
    yield _put(tables.steps, _indices(batch.steps.items()))
    references = [
        (key, pack_reference(key, fen)) for key, fen in batch.references.items()
    ]
    yield _put(tables.references, references)
    yield _put(tables.registrations, _indices(batch.registrations.items()))
    witnessed = [(name_key(*place), index) for place, index in batch.witnessed.items()]
    yield _put(tables.witnessed, _indices(witnessed))
    yield _put(tables.certificates, batch.certificates.items())
    buckets = [(name_key(*place), sums) for place, sums in batch.buckets.items()]
    yield _replace(tables.buckets, buckets, pack_bucket)
    yield _put(tables.names, [(name, INDEX.pack(at)) for name, at in batch.names])
    yield _put(tables.meta, _state(batch))


def _put(table: lmdb.Database, items: Iterable[Record]) -> Changes:
    return Changes(table, sorted(items))


def _replace(
    table: lmdb.Database,
    rows: Iterable[tuple[bytes, T | None]],
    pack: Callable[[bytes, T], bytes],
) -> Changes:
    """Return rows that are put, and the keys of those of which nothing is left."""
    put, struck = [], []
    for key, row in rows:
        if row is None:
            struck.append(key)
        else:
            put.append((key, pack(key, row)))
    return Changes(table, sorted(put), struck=struck)


def _indices(items: Iterable[tuple[bytes, int]]) -> list[Record]:
    return [(key, seal(key, INDEX.pack(index))) for key, index in items]


def _by_index(items: Iterable[tuple[int, bytes]]) -> list[Record]:
    return [(INDEX.pack(index), value) for index, value in items]


def _by_place(tiles: Iterable[Tile]) -> list[Record]:
    return [(tile_key(tile.level, tile.index), tile.hashes) for tile in tiles]


def _as_it_is(_key: bytes, record: bytes) -> bytes:
    return record


def _state(batch: Batch) -> Iterator[Record]:
    """Yield what the batch changes of the vault's own facts."""
    yield b"state", pack_state(batch.frontier, batch.time_us)
    if batch.sm3 is not None:
        yield b"sm3", pack_sm3(batch.sm3.frontier)
    if batch.named_to:
        reaches = b"".join(map(INDEX.pack, batch.named_to))
        yield b"named_to", seal(b"named_to", reaches)
