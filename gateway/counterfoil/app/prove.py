"""The log proves what it holds: to peers, and to ourselves."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.app.ports import Vault
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound
from counterfoil.domain.registry import Registry
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.trees import LogTree


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """A proof out of the log.

    Attributes:
        hashes: The proof.
        checkpoint: The signed checkpoint that it leads to; empty if a size was
            asked for that need not be the newest.
        leaf: The leaf that is proved, if one was asked for.
    """

    hashes: tuple[bytes, ...]
    checkpoint: bytes = b""
    leaf: Leaf | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveLog:
    """Proves leaves and older heads to peers."""

    vault: Vault
    registry: Registry

    def leaf(
        self,
        index: int,
        *,
        size: int,
        carrier: str,
        tree: LogTree = LogTree.SHA256,
    ) -> LogProof:
        """Prove one leaf about a document that the caller's gateway carried.

        Other leaves are answered like unknown ones: they tell who deals with whom.

        Args:
            index: The leaf.
            size: The tree to prove it in; 0 means the newest that is signed.
            carrier: The party that asks.
            tree: Which tree to prove it in.

        Raises:
            LeafNotFound: There is no such leaf or size, or it is others' business.
            TreeMissing: The log has no such tree.
        """
        checkpoint, size = self._head(size, tree)
        leaf = self.vault.leaf(index)
        issuer = self.registry.parties.get(leaf.by)
        if issuer is None or issuer.carrier != carrier:
            raise LeafNotFound("no such leaf", leaf=str(index))
        hashes = self.vault.inclusion_proof(index, size, tree)
        return LogProof(hashes=hashes, checkpoint=checkpoint, leaf=leaf)

    def consistency(
        self, older: int, *, size: int, tree: LogTree = LogTree.SHA256
    ) -> LogProof:
        """Prove that the tree of `older` leaves is a prefix of that of `size`.

        Raises:
            LeafNotFound: There is no such size.
            TreeMissing: The log has no such tree.
        """
        checkpoint, size = self._head(size, tree)
        hashes = self.vault.consistency_proof(older, size, tree)
        return LogProof(hashes=hashes, checkpoint=checkpoint)

    def _head(self, size: int, tree: LogTree) -> tuple[bytes, int]:
        if size:
            return b"", size
        checkpoint = self.vault.checkpoint(tree)
        return checkpoint, size_of(checkpoint)


def size_of(checkpoint: bytes) -> int:
    """Return how many leaves a checkpoint of our own covers.

    Its own size, not the vault's: leaves may have been committed since.
    """
    return parse_checkpoint(parse_note(checkpoint).text).head.size
