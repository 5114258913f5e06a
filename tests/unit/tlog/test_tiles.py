"""Tiles are written in batches and give back every hash and proof."""

from __future__ import annotations

from hashlib import sha3_256

import pytest

from counterfoil.tlog.errors import TileError
from counterfoil.tlog.merkle import Frontier, fold_peaks
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.tlog.tile_writer import TileWriter
from counterfoil.tlog.tiles import Tile
from counterfoil.tlog.verification import (
    verify_consistency,
    verify_inclusion,
    verify_range,
)
from tests.unit.tlog.oracle import (
    consistency_path,
    head_of,
    inclusion_path,
    leaves_of,
    outside_hashes,
    tree_hash,
)

LEAVES = leaves_of(70_000)


class Store:
    """What a database does for the tiles: keeps the newest, counts the reads."""

    def __init__(self) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.frontier = Frontier()
        self.reads: list[tuple[int, int]] = []

    def read(self, level: int, index: int) -> bytes:
        self.reads.append((level, index))
        return self.tiles.get((level, index), b"")

    def append(self, leaves: list[bytes]) -> list[Tile]:
        writer = TileWriter(self.frontier, self.read)
        changed = writer.extend(leaves)
        self.put(changed)
        self.frontier = writer.frontier
        return changed

    def put(self, tiles: list[Tile]) -> None:
        for tile in tiles:
            self.tiles[tile.level, tile.index] = tile.hashes


def shape(tiles: list[Tile]) -> list[tuple[int, int, int]]:
    return [(tile.level, tile.index, len(tile.hashes) // 32) for tile in tiles]


@pytest.fixture(scope="module")
def large() -> Store:
    store = Store()
    store.append(LEAVES)
    return store


def test_the_specifications_example_has_the_tiles_it_names(large: Store) -> None:
    widths = {key: len(value) // 32 for key, value in large.tiles.items()}

    assert (
        sum(width == 256 for (level, _), width in widths.items() if level == 0) == 273
    )
    assert widths[0, 273] == 112
    assert (widths[1, 0], widths[1, 1], widths[2, 0]) == (256, 17, 1)
    assert len(widths) == 273 + 1 + 2 + 1


def test_each_tile_holds_the_hashes_of_its_definition(large: Store) -> None:
    assert large.tiles[0, 3] == b"".join(LEAVES[768:1024])
    assert large.tiles[1, 1][:32] == tree_hash(LEAVES[65_536:65_792])
    assert large.tiles[2, 0] == tree_hash(LEAVES[:65_536])


def test_a_batch_changes_the_partial_tile_only() -> None:
    store = Store()
    store.append(LEAVES[:100])
    store.reads.clear()

    changed = store.append(LEAVES[100:164])

    assert shape(changed) == [(0, 0, 164)]
    assert store.reads == [(0, 0)]


def test_a_batch_over_a_tiles_end_fills_it_and_begins_the_next() -> None:
    store = Store()
    store.append(LEAVES[:250])

    changed = store.append(LEAVES[250:270])

    assert shape(changed) == [(0, 0, 256), (0, 1, 14), (1, 0, 1)]


def test_a_batch_up_to_a_tiles_end_leaves_no_empty_tile() -> None:
    store = Store()

    assert shape(store.append(LEAVES[:256])) == [(0, 0, 256), (1, 0, 1)]
    store.reads.clear()
    assert shape(store.append(LEAVES[256:257])) == [(0, 1, 1)]
    assert store.reads == []


def test_a_batch_that_fills_a_tile_of_tiles_enters_it_above() -> None:
    store = Store()
    store.append(LEAVES[:65_530])

    changed = store.append(LEAVES[65_530:65_540])

    assert shape(changed) == [(0, 255, 256), (0, 256, 4), (1, 0, 256), (2, 0, 1)]


def test_a_batch_over_several_tiles_reports_each_once() -> None:
    changed = Store().append(LEAVES[:1000])

    assert shape(changed) == [
        (0, 0, 256),
        (0, 1, 256),
        (0, 2, 256),
        (0, 3, 232),
        (1, 0, 3),
    ]


def test_an_empty_batch_changes_nothing() -> None:
    store = Store()
    store.append(LEAVES[:10])

    assert store.append([]) == []
    assert store.frontier.head() == head_of(LEAVES[:10])


@pytest.mark.parametrize("batch", [1, 7, 64, 255, 256, 257])
def test_the_batches_do_not_show_in_the_tiles(batch: int) -> None:
    at_once, store = Store(), Store()
    at_once.append(LEAVES[:1300])

    for at in range(0, 1300, batch):
        store.append(LEAVES[at : min(at + batch, 1300)])

    assert store.tiles == at_once.tiles
    assert store.frontier.to_bytes() == at_once.frontier.to_bytes()


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_leaf_that_is_no_hash_is_never_stored(length: int) -> None:
    store = Store()

    with pytest.raises(ValueError, match="not a hash"):
        store.append([LEAVES[0], bytes(length)])
    assert store.tiles == {}
    assert store.frontier.size == 0


def test_one_writer_may_take_several_batches() -> None:
    store, expected = Store(), Store()
    expected.append(LEAVES[:700])
    store.append(LEAVES[:90])
    writer = TileWriter(store.frontier, store.read)

    store.put(writer.extend(LEAVES[90:300]))
    store.put(writer.extend(LEAVES[300:700]))

    assert store.tiles == expected.tiles
    assert writer.frontier.head() == expected.frontier.head()


def test_a_writer_given_up_leaves_the_callers_frontier_alone() -> None:
    store = Store()
    store.append(LEAVES[:5])
    before = store.frontier.to_bytes()

    writer = TileWriter(store.frontier, store.read)
    writer.extend(LEAVES[5:9])
    writer.frontier.append(LEAVES[9])

    assert store.frontier.to_bytes() == before
    assert writer.frontier.size == 9


def test_hashes_beyond_the_frontier_are_written_over() -> None:
    store = Store()
    store.append(LEAVES[:40])
    store.tiles[0, 0] += leaves_of(3, salt=9)[2]

    store.append(LEAVES[40:60])

    assert store.tiles[0, 0] == b"".join(LEAVES[:60])


@pytest.mark.parametrize("stored", [b"", b"".join(LEAVES[:39]), LEAVES[0] * 40 + b"x"])
def test_a_partial_tile_that_lacks_hashes_stops_the_writer(stored: bytes) -> None:
    store = Store()
    store.append(LEAVES[:40])
    store.tiles[0, 0] = stored

    with pytest.raises(TileError):
        store.append(LEAVES[40:41])


@pytest.mark.parametrize(
    ("height", "index"),
    [(0, 0), (0, 69_999), (3, 77), (7, 1), (8, 272), (9, 3), (16, 0)],
)
def test_a_node_has_the_hash_of_its_leaves(
    large: Store, height: int, index: int
) -> None:
    leaves = LEAVES[index << height : (index + 1) << height]

    assert TileReader(large.read).node(height, index) == tree_hash(leaves)


@pytest.mark.parametrize(
    ("height", "index"), [(0, 70_000), (1, 35_000), (8, 273), (16, 1), (17, 0), (24, 0)]
)
def test_a_node_over_leaves_not_stored_is_refused(
    large: Store, height: int, index: int
) -> None:
    with pytest.raises(TileError):
        TileReader(large.read).node(height, index)


def test_a_stored_tile_of_broken_length_is_refused() -> None:
    store = Store()
    store.append(LEAVES[:3])
    store.tiles[0, 0] += b"x"

    with pytest.raises(TileError):
        TileReader(store.read).node(0, 0)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 4096, 65_537, 70_000])
def test_the_frontier_of_any_past_size_is_in_the_tiles(large: Store, size: int) -> None:
    reader = TileReader(large.read)
    expected = Frontier()
    for leaf in LEAVES[:size]:
        expected.append(leaf)

    assert reader.frontier(size).to_bytes() == expected.to_bytes()
    assert reader.head(size) == expected.head()


def test_there_is_no_frontier_of_a_future_or_negative_size(large: Store) -> None:
    with pytest.raises(TileError):
        TileReader(large.read).frontier(70_001)
    with pytest.raises(ValueError, match="out of range"):
        TileReader(large.read).frontier(-1)


def test_a_restarted_writer_goes_on_from_the_tiles_alone(large: Store) -> None:
    store = Store()
    store.append(LEAVES[:1000])
    store.frontier = TileReader(store.read).frontier(1000)

    store.append(LEAVES[1000:1500])

    assert store.frontier.head() == TileReader(large.read).head(1500)


def test_proofs_out_of_tiles_are_those_of_the_definition() -> None:
    leaves = LEAVES[:777]
    store = Store()
    store.append(leaves)
    reader = TileReader(store.read)

    for index in (0, 255, 256, 511, 512, 700, 776):
        assert list(reader.inclusion_proof(index, 777)) == inclusion_path(index, leaves)
    for old_size in (1, 128, 255, 256, 257, 512, 600, 776):
        proof = reader.consistency_proof(old_size, 777)
        assert list(proof) == consistency_path(old_size, leaves)
    for first, end in ((0, 777), (250, 260), (256, 512), (700, 777), (3, 4)):
        proof = reader.range_proof(first, end - first, 777)
        assert list(proof) == outside_hashes(first, end, leaves)


def test_proofs_out_of_a_large_store_verify_for_past_and_present(large: Store) -> None:
    reader = TileReader(large.read)
    old, head = reader.head(65_999), reader.head(70_000)

    verify_consistency(old, head, reader.consistency_proof(old.size, head.size))
    verify_inclusion(
        65_998, LEAVES[65_998], old, reader.inclusion_proof(65_998, old.size)
    )
    verify_range(
        66_000, LEAVES[66_000:66_256], head, reader.range_proof(66_000, 256, 70_000)
    )


def test_leaf_hashes_and_aligned_ranges_are_read_back(large: Store) -> None:
    reader = TileReader(large.read)

    assert reader.leaf_hashes(250, 10) == LEAVES[250:260]
    assert reader.subtree_hash(512, 777) == tree_hash(LEAVES[512:777])
    with pytest.raises(ValueError, match="no such part"):
        reader.subtree_hash(511, 777)


def test_a_reader_reads_each_tile_once(large: Store) -> None:
    large.reads.clear()
    reader = TileReader(large.read)

    for index in range(1024, 1124):
        reader.inclusion_proof(index, 70_000)

    assert len(large.reads) == len(set(large.reads)) == 4


def test_a_full_tile_that_was_changed_is_not_taken_for_the_one_before(
    large: Store,
) -> None:
    before = TileReader(large.read).node(7, 8)
    sound = large.read(0, 4)
    damaged = bytes([sound[0] ^ 1]) + sound[1:]

    def read(level: int, index: int) -> bytes:
        return damaged if (level, index) == (0, 4) else large.read(level, index)

    assert before == tree_hash(LEAVES[1024:1152])
    assert TileReader(read).node(7, 8) != before
    assert TileReader(large.read, sha3_256).node(7, 8) != before
    assert TileReader(large.read).node(7, 8) == before


def test_the_peaks_of_the_tiles_fold_to_the_root(large: Store) -> None:
    assert fold_peaks(TileReader(large.read).frontier(300).peaks) == tree_hash(
        LEAVES[:300]
    )
