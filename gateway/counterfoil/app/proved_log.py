"""The log as far as it proves itself: signed heads, and proofs by each tree."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from counterfoil.tlog.trees import LogTree


class ProvedLog(Protocol):
    """The part of the vault's port that checkpoints and proofs come from."""

    @property
    def trees(self) -> frozenset[LogTree]:
        """The trees of the log; that of SHA-256 is among them."""

    @property
    def time_us(self) -> int:
        """When the newest leaf was written, by our clock then; 0 if there is none."""

    def checkpoint(self, tree: LogTree = LogTree.SHA256) -> bytes:
        """Return a signed checkpoint of everything that is committed.

        Raises:
            HeadForked: A later or other head was signed before.
            TreeMissing: The log has no such tree.
        """

    def inclusion_proof(
        self, index: int, size: int, tree: LogTree = LogTree.SHA256
    ) -> tuple[bytes, ...]:
        """Prove leaf `index` in the tree of `size` leaves (RFC 9162 2.1.3.1).

        Raises:
            LeafNotFound: There is no such leaf or size.
            TreeMissing: The log has no such tree.
        """

    def inclusion_proofs(
        self, indices: Iterable[int], size: int, tree: LogTree = LogTree.SHA256
    ) -> list[tuple[bytes, ...]]:
        """Prove each of these leaves as `inclusion_proof` does, by one reading.

        Raises:
            LeafNotFound: There is no such leaf or size.
            TreeMissing: The log has no such tree.
        """

    def consistency_proof(
        self, older: int, size: int, tree: LogTree = LogTree.SHA256
    ) -> tuple[bytes, ...]:
        """Prove that the tree of `older` leaves is a prefix (RFC 9162 2.1.4.1).

        Raises:
            LeafNotFound: There is no such size.
            TreeMissing: The log has no such tree.
        """
