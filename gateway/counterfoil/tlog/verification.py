"""Verifiers of proofs: each returns only if the claim holds, and raises otherwise.

Whatever a peer states, sizes and indices included, may be passed in as it came.

Source: RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from counterfoil.tlog.errors import HeadFork, ProofError
from counterfoil.tlog.merkle import (
    HASH_BYTES,
    NODE_PREFIX,
    SIZE_MAX,
    HashFunction,
    TreeHead,
    empty_root,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRange:
    """Leaves that a verified proof places in a tree.

    Only `verify_range` makes one, so that no proof is derived from a range that
    nobody checked.

    Attributes:
        first: Index of the first leaf.
        count: Number of leaves, at least one.
        size: Number of leaves in the tree.
    """

    first: int
    count: int
    size: int
    _levels: tuple[tuple[int, list[bytes]], ...]

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the proof of one leaf alone, as `verify_inclusion` takes it.

        Raises:
            ValueError: The leaf is not in the range.
        """
        if not self.first <= index < self.first + self.count:
            raise ValueError("the leaf is not in the range")
        proof, last = [], self.size - 1
        for start, nodes in self._levels:
            if index ^ 1 <= last:
                proof.append(nodes[(index ^ 1) - start])
            index, last = index >> 1, last >> 1
        return tuple(proof)


def verify_inclusion(
    index: int,
    leaf: bytes,
    head: TreeHead,
    proof: Sequence[bytes],
    hash_function: HashFunction = sha256,
) -> None:
    """Check that `leaf`, a leaf hash, stands at `index` in the tree under `head`.

    Raises:
        ProofError: It does not, or the proof is not exactly as long as it must be.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < head.size <= SIZE_MAX:
        raise ProofError("the tree has no such leaf")
    _require_hashes(leaf, head.root, *proof)
    # (1) Walk up; a node at the right edge without a sibling moves up unchanged.
    hashes, node, last = _Hashes(proof), leaf, head.size - 1
    while last:
        if index ^ 1 <= last:
            sibling = hashes.take()
            pair = sibling + node if index & 1 else node + sibling
            node = hash_function(NODE_PREFIX + pair).digest()
        index, last = index >> 1, last >> 1
    # (2) Nothing may be left over: two proofs of one fact would be two files.
    hashes.require_end()
    # (3) The way up ends at the root that a signature vouches for.
    if node != head.root:
        raise ProofError("the proof leads to another root")


def verify_range(
    first: int,
    leaves: Sequence[bytes],
    head: TreeHead,
    proof: Sequence[bytes],
    hash_function: HashFunction = sha256,
) -> VerifiedRange:
    """Check that `leaves`, leaf hashes, stand from `first` on under `head`.

    Args:
        first: Index of the first of `leaves`.
        leaves: At least one leaf hash, computed by the verifier, in order.
        head: The tree, from a verified checkpoint.
        proof: What `range_proof` returned.
        hash_function: The tree's hash function.

    Returns:
        The range, from which each leaf's own inclusion proof can be taken.

    Raises:
        ProofError: A leaf differs or stands elsewhere, or the proof is not exactly
            as long as it must be.
    """
    # (1) Bounds before anything is computed from them.
    size, count = head.size, len(leaves)
    if not (first >= 0 and 0 < count <= size - first and size <= SIZE_MAX):
        raise ProofError("the tree has no such range")
    _require_hashes(head.root, *leaves, *proof)
    left_count = first.bit_count()
    if left_count > len(proof):
        raise ProofError("the proof is too short")
    # The left ones are taken from the end: the nearest to the range comes last.
    left, right = list(proof[:left_count]), _Hashes(proof[left_count:])
    # (2) Level by level: complete the row at both ends, then hash it by pairs.
    start, row, last = first, list(leaves), size - 1
    levels = []
    while last:
        if start & 1:
            row.insert(0, left.pop())
            start -= 1
        end = start + len(row)
        if end & 1 and end <= last:
            row.append(right.take())
        levels.append((start, row))
        pairs = zip(row[::2], row[1::2], strict=False)
        above = [hash_function(NODE_PREFIX + one + two).digest() for one, two in pairs]
        # The last node of the tree has no right sibling; it moves up unchanged.
        row = above + row[-1:] if len(row) & 1 else above
        start, last = start >> 1, last >> 1
    # (3) Nothing may be left over.
    right.require_end()
    # (4) The row that remains is the root that a signature vouches for.
    if row != [head.root]:
        raise ProofError("the proof leads to another root")
    return VerifiedRange(first=first, count=count, size=size, _levels=tuple(levels))


def verify_consistency(
    old: TreeHead,
    new: TreeHead,
    proof: Sequence[bytes],
    hash_function: HashFunction = sha256,
) -> None:
    """Check that the tree under `new` begins with the tree under `old`.

    Every tree begins with the empty one, and with itself; neither takes a hash.

    Raises:
        ProofError: It does not, or the proof is not exactly as long as it must be.

    Source: RFC 9162, section 2.1.4.2; the empty tree as in tlog-witness 1.0.0,
    section "add-checkpoint".
    """
    if not 0 <= old.size <= new.size <= SIZE_MAX:
        raise ProofError("the sizes are not in order")
    _require_hashes(old.root, new.root, *proof)
    if old.size in {0, new.size}:
        _verify_without_hashes(old, new, proof, hash_function)
        return
    # (1) Start from the largest complete subtree that ends the old tree; if that
    # is the whole old tree, its hash is the old root and is not in the proof.
    hashes = _Hashes(proof)
    at, last = old.size - 1, new.size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_node = node = hashes.take() if at else old.root
    # (2) Walk up with two hashes: one that knows only the old leaves, one of all.
    while last:
        if at ^ 1 <= last:
            sibling = hashes.take()
            if at & 1:
                old_node = hash_function(NODE_PREFIX + sibling + old_node).digest()
                node = hash_function(NODE_PREFIX + sibling + node).digest()
            else:
                node = hash_function(NODE_PREFIX + node + sibling).digest()
        at, last = at >> 1, last >> 1
    # (3) Nothing may be left over.
    hashes.require_end()
    # (4) Both ways end where signatures vouch for them.
    if old_node != old.root:
        raise ProofError("the proof leads to another old root")
    if node != new.root:
        raise ProofError("the proof leads to another root")


class _Hashes:
    """A proof's hashes, taken one by one: exactly as many as there are."""

    __slots__ = ("_rest",)

    def __init__(self, proof: Sequence[bytes]) -> None:
        self._rest = list(proof)[::-1]

    def take(self) -> bytes:
        """Return the next hash."""
        if not self._rest:
            raise ProofError("the proof is too short")
        return self._rest.pop()

    def require_end(self) -> None:
        """Refuse hashes that were not needed."""
        if self._rest:
            raise ProofError("the proof is too long")


def _verify_without_hashes(
    old: TreeHead, new: TreeHead, proof: Sequence[bytes], hash_function: HashFunction
) -> None:
    """Check the heads that need no proof: from the empty tree, or to itself."""
    if proof:
        raise ProofError("the proof is too long")
    if old.size == 0 and old.root != empty_root(hash_function):
        raise ProofError("the old root is not that of an empty tree")
    if old.size == new.size and old.root != new.root:
        raise HeadFork("one size has two roots")


def _require_hashes(*hashes: bytes) -> None:
    """Refuse a value of another length before it can shift what is hashed."""
    if any(len(value) != HASH_BYTES for value in hashes):
        raise ProofError("a value is not a hash")
