"""The log proves what it holds: to peers, and to ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from counterfoil.app.ports import Vault
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound
from counterfoil.domain.registry import Registry
from counterfoil.domain.standing import Act
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.trees import LogTree

_OWN: Final = frozenset({Act.BIND, Act.WITNESS})
"""Acts that name what is outside of the log: no document is proved by one."""

_OWN_MAX: Final = 64
"""Most leaves that are looked at for one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """A proof out of the log.

    Attributes:
        hashes: The proof.
        checkpoint: The signed checkpoint that it leads to; empty if a size was
            asked for that need not be the newest.
        leaf: The leaf that is proved, if one was asked for.
        settled_size: Where a head was asked for, the size from which on the log has
            only leaves that name what is outside of it, at least one leaf.
    """

    hashes: tuple[bytes, ...]
    checkpoint: bytes = b""
    leaf: Leaf | None = None
    settled_size: int = 0


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
        settled = self._settled(size) if checkpoint else 0
        return LogProof(hashes=hashes, checkpoint=checkpoint, settled_size=settled)

    def _settled(self, size: int) -> int:
        """Return the size from which on nothing came that concerns a peer."""
        last = size
        while last > max(size - _OWN_MAX, 1) and self.vault.leaf(last - 1).act in _OWN:
            last -= 1
        return last

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
