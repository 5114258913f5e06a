"""Proves what stands in the log, by either of its trees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from counterfoil.domain.refusals import LeafNotFound, VaultCorrupt
from counterfoil.tlog.errors import TileError
from counterfoil.tlog.tile_reader import TileReader
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.engine import Reading, stored_tree


@dataclass(frozen=True, slots=True)
class TreeProofs:
    """Proofs of a vault, each by one reading.

    Attributes:
        reading: Opens a reading.
    """

    reading: Callable[[], AbstractContextManager[Reading]]

    def inclusion(
        self, indices: Iterable[int], size: int, tree: LogTree
    ) -> list[tuple[bytes, ...]]:
        """Prove each of these leaves in the tree of `size` leaves.

        Raises:
            LeafNotFound: There is no such leaf or size.
            TreeMissing: The log has no such tree.
            VaultCorrupt: The tree is damaged.
        """
        proofs = []
        with self._tree(size, tree) as reader:
            for index in indices:
                if not 0 <= index < size:
                    raise LeafNotFound("no such leaf", leaf=str(index))
                proofs.append(reader.inclusion_proof(index, size))
        return proofs

    def consistency(self, older: int, size: int, tree: LogTree) -> tuple[bytes, ...]:
        """Prove that the tree of `older` leaves is a prefix.

        Raises:
            LeafNotFound: There is no such size.
            TreeMissing: The log has no such tree.
            VaultCorrupt: The tree is damaged.
        """
        with self._tree(size, tree) as reader:
            if not 0 <= older <= size:
                raise LeafNotFound("no such size", size=str(older))
            return reader.consistency_proof(older, size)

    @contextmanager
    def _tree(self, size: int, tree: LogTree) -> Iterator[TileReader]:
        with self.reading() as reading:
            stored = stored_tree(reading, tree)
            if not 0 <= size <= stored.frontier.size:
                raise LeafNotFound("no such size", size=str(size))
            try:
                yield stored.reader()
            except TileError as error:
                raise VaultCorrupt("a tile of the tree is damaged") from error
