"""What a tree grew by: enough to prove leaves that were just appended."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.tlog import proofs
from counterfoil.tlog.merkle import Frontier, HashFunction


@dataclass(slots=True, kw_only=True)
class Growth:
    """The subtrees that an append completed, and what stood left of them.

    Nothing has to be read to prove the new leaves in the tree as it is then: beside
    the way from a new leaf up, there are other new subtrees and peaks of the tree
    before, nothing else.

    Attributes:
        before: Number of leaves before.
        peaks: See `Frontier.peaks`, before.
        completed: What `Frontier.extend` returned.
        hash_function: The tree's hash function.
    """

    before: int
    peaks: tuple[bytes, ...]
    completed: list[list[bytes]]
    hash_function: HashFunction

    @classmethod
    def of(cls, frontier: Frontier, leaves: list[bytes]) -> Growth:
        """Append leaf hashes to `frontier` and return what it grew by."""
        before, peaks = frontier.size, frontier.peaks
        return cls(
            before=before,
            peaks=peaks,
            completed=frontier.extend(leaves),
            hash_function=frontier.hash_function,
        )

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of leaves index*2**height to (index+1)*2**height.

        Raises:
            LookupError: It is neither new nor a peak of the tree before.
        """
        first = self.before >> height
        if index >= first:
            return self.completed[height][index - first]
        if index < first - 1 or not first & 1:
            raise LookupError("an old subtree that is no peak")
        # The peaks of larger subtrees, one per higher bit of the size, come first.
        return self.peaks[(first >> 1).bit_count()]

    def range_proof(self, first: int, count: int) -> tuple[bytes, ...]:
        """Prove a range of the new leaves in the tree with all of them.

        Raises:
            ValueError: The range is empty or not inside the tree.
            LookupError: It begins with an old leaf.
        """
        size = self.before + sum(map(len, self.completed[:1]))
        return proofs.range_proof(first, count, size, self.node, self.hash_function)
