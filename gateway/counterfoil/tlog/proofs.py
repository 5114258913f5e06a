"""Proofs about a tree of a given size: made from its nodes.

The tree is read through a callable, so that a list in a test and tiles in a
database give the same proofs. `verification` is the other side.

Source: RFC 9162, sections 2.1.3 and 2.1.4. The range proof is ours: it is the
inclusion proofs of its first leaf (what is left of it) and of its last leaf (what
is right of it), without what can be computed from the leaves between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TypeAlias

from counterfoil.tlog.merkle import SIZE_MAX, HashFunction, fold_peaks

ReadNode: TypeAlias = Callable[[int, int], bytes]
"""Given height and index, the hash of leaves index*2**height to (index+1)*2**height.

Asked only for subtrees that are complete in the tree's size.
"""


def inclusion_proof(
    index: int, size: int, read_node: ReadNode, hash_function: HashFunction = sha256
) -> tuple[bytes, ...]:
    """Prove that leaf `index` is in the tree of `size` leaves.

    Returns:
        The siblings on the way up, the leaf's own sibling first.

    Raises:
        ValueError: There is no such leaf.

    Source: RFC 9162, section 2.1.3.1.
    """
    _require(0 <= index < size <= SIZE_MAX)
    return tuple(
        _node(height, at, size, read_node, hash_function)
        for height, at in _siblings(index, size)
    )


def range_proof(
    first: int,
    count: int,
    size: int,
    read_node: ReadNode,
    hash_function: HashFunction = sha256,
) -> tuple[bytes, ...]:
    """Prove that `count` leaves from `first` on are in the tree of `size` leaves.

    Returns:
        The hashes of what is left of the range, then of what is right of it, both
        from left to right. For leaves just appended that is `Frontier.peaks` as
        it was before, and nothing has to be read.

    Raises:
        ValueError: The range is empty or not inside the tree.
    """
    _require(first >= 0 and 0 < count <= size - first and size <= SIZE_MAX)
    last = first + count - 1
    left = [(height, at) for height, at in _siblings(first, size) if at & 1 == 0]
    right = [(height, at) for height, at in _siblings(last, size) if at & 1 == 1]
    return tuple(
        _node(height, at, size, read_node, hash_function)
        for height, at in left[::-1] + right
    )


def consistency_proof(
    old_size: int, size: int, read_node: ReadNode, hash_function: HashFunction = sha256
) -> tuple[bytes, ...]:
    """Prove that the tree of `size` leaves begins with that of `old_size` leaves.

    Returns:
        Nothing if `old_size` is zero or equal to `size`: no hash is needed then.

    Raises:
        ValueError: `old_size` is negative or larger than `size`.

    Source: RFC 9162, section 2.1.4.1.
    """
    _require(0 <= old_size <= size <= SIZE_MAX)
    if old_size in {0, size}:
        return ()
    # Start from the largest complete subtree that ends the old tree. If it is the
    # whole old tree, the verifier knows its hash: it is the old root.
    height = (old_size & -old_size).bit_length() - 1
    at = (old_size - 1) >> height
    path = [] if at == 0 else [(height, at)]
    path += [step for step in _siblings(old_size - 1, size) if step[0] >= height]
    return tuple(_node(*step, size, read_node, hash_function) for step in path)


def subtree_hash(
    start: int, end: int, read_node: ReadNode, hash_function: HashFunction = sha256
) -> bytes:
    """Return the hash of the leaves from `start` up to, not including, `end`.

    With `start` zero it is the root of the tree of `end` leaves.

    Args:
        start: A multiple of the length, the length being rounded up to a power of
            two; then the leaves stand under one node, now or in a larger tree.
        end: The index after the last leaf.
        read_node: The tree.
        hash_function: The tree's hash function.

    Raises:
        ValueError: The range is negative or not so aligned.
    """
    _require(0 <= start <= end <= SIZE_MAX)
    if start == end:
        return fold_peaks((), hash_function)
    _require(start % (1 << (end - start - 1).bit_length()) == 0)
    peaks = []
    while start < end:
        height = (end - start).bit_length() - 1
        peaks.append(read_node(height, start >> height))
        start += 1 << height
    return fold_peaks(peaks, hash_function)


def _siblings(index: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield height and position of each node beside the way from a leaf up."""
    last, height = size - 1, 0
    while last:
        # The last node of a level has no right sibling; it moves up unchanged.
        if index ^ 1 <= last:
            yield height, index ^ 1
        index, last, height = index >> 1, last >> 1, height + 1


def _node(
    height: int, at: int, size: int, read_node: ReadNode, hash_function: HashFunction
) -> bytes:
    """Return a node's hash, also where the tree's right edge cuts it."""
    start, end = at << height, (at + 1) << height
    if end <= size:
        return read_node(height, at)
    return subtree_hash(start, size, read_node, hash_function)


def _require(condition: bool) -> None:  # noqa: FBT001
    """Refuse what only a defect of the caller can ask for."""
    if not condition:
        raise ValueError("the tree of that size has no such part")


def range_from_inclusion(
    index: int, size: int, proof: Sequence[bytes]
) -> tuple[bytes, ...]:
    """Return an inclusion proof as the range proof of its one leaf.

    Only the order differs: a range proof has what is left of the leaf first, from
    the outside in, and then what is right of it. Nothing is checked here.

    Args:
        index: The leaf.
        size: Number of leaves in the tree.
        proof: As `verify_inclusion` takes it; of the right length.
    """
    left: list[bytes] = []
    right: list[bytes] = []
    hashes, last = iter(proof), size - 1
    while last:
        if index ^ 1 <= last:
            (left if index & 1 else right).append(next(hashes))
        index, last = index >> 1, last >> 1
    return (*reversed(left), *right)
