"""A store of tiles behaves as the list of leaves behind it."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from counterfoil.tlog.merkle import Frontier
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.tlog.tile_writer import TileWriter
from counterfoil.tlog.tiles import TILE_HASHES
from counterfoil.tlog.trees import LogTree
from tests.unit.tlog.oracle import (
    consistency_path,
    head_of,
    inclusion_path,
    leaves_of,
    outside_hashes,
)

LEAVES = leaves_of(6000)


class TileStore(RuleBasedStateMachine):
    """Appends, gives up, restarts; asks for any proof of any past size."""

    tree, hash_name = LogTree.SHA256, "sha256"

    def __init__(self) -> None:
        super().__init__()
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.frontier = Frontier(hash_function=self.tree.hash_function)
        self.size = 0

    def reader(self) -> TileReader:
        return TileReader(self.read, self.tree.hash_function)

    def read(self, level: int, index: int) -> bytes:
        return self.tiles.get((level, index), b"")

    @rule(counts=st.lists(st.integers(0, 300), min_size=1, max_size=3))
    def append(self, counts: list[int]) -> None:
        """One transaction of one or more batches."""
        writer = TileWriter(self.frontier, self.read)
        for count in counts:
            batch = LEAVES[self.size : self.size + count]
            self.size += len(batch)
            tiles = writer.extend(batch)
            self.prove_new(writer, len(batch))
            for tile in tiles:
                assert 0 < len(tile.hashes) <= TILE_HASHES * 32
                previous = self.tiles.get((tile.level, tile.index), b"")
                assert tile.hashes.startswith(previous)
                self.tiles[tile.level, tile.index] = tile.hashes
        self.frontier = writer.frontier

    def prove_new(self, writer: TileWriter, count: int) -> None:
        """What grew proves itself, without a tile."""
        before, leaves = self.size - count, LEAVES[: self.size]
        for first in {before, before + count // 3, self.size - 1}:
            for end in {first + 1, (first + self.size + 1) // 2, self.size}:
                if before <= first < end <= self.size:
                    proof = writer.growth.range_proof(first, end - first)
                    assert list(proof) == outside_hashes(
                        first, end, leaves, self.hash_name
                    )

    @rule(count=st.integers(1, 300))
    def give_up(self, count: int) -> None:
        """A transaction that fails leaves no trace."""
        TileWriter(self.frontier, self.read).extend(leaves_of(count, salt=3))

    @rule()
    def restart(self) -> None:
        """The frontier is lost and taken from the tiles."""
        self.frontier = self.reader().frontier(self.size)

    @rule(data=st.data())
    def prove(self, data: st.DataObject) -> None:
        """Every proof of a past size is that of the definition."""
        if not self.size:
            return
        size = data.draw(st.integers(1, self.size))
        first = data.draw(st.integers(0, size - 1))
        end = data.draw(st.integers(first + 1, size))
        leaves, reader, name = LEAVES[:size], self.reader(), self.hash_name

        assert list(reader.inclusion_proof(first, size)) == inclusion_path(
            first, leaves, name
        )
        assert list(reader.consistency_proof(end, size)) == consistency_path(
            end, leaves, name
        )
        assert list(reader.range_proof(first, end - first, size)) == outside_hashes(
            first, end, leaves, name
        )
        assert reader.leaf_hashes(first, 1) == LEAVES[first : first + 1]

    @invariant()
    def head_is_that_of_the_leaves(self) -> None:
        assert self.frontier.head() == head_of(LEAVES[: self.size], self.hash_name)


class Sm3TileStore(TileStore):
    """The same with SM3."""

    tree, hash_name = LogTree.SM3, "sm3"


TestTileStore = TileStore.TestCase
TestSm3TileStore = Sm3TileStore.TestCase
TestTileStore.settings = TestSm3TileStore.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None
)
