"""Many statements under one signature: a Merkle tree, and each one's way up.

What is signed is root and size. The leaves are statements, so position, purpose
and certificate of each seal are inside the signed bytes as if it stood alone.

Source: RFC 9162, sections 2.1.1 and 2.1.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from counterfoil.domain.seals import BatchPath, make_batch_path
from counterfoil.seal.dsse import BATCH_TYPE, encode_for_signing
from counterfoil.tlog.merkle import HASH_BYTES, NODE_PREFIX, leaf_hash, node_hash

BATCH_MIN: Final = 2
"""Fewest statements in a batch: one alone is signed as itself."""

BATCH_MAX: Final = 1024
"""Most statements in a batch: ten hashes in a path."""

NODES_MAX: Final = 16_384
"""Pairs of nodes remembered on the way up: sixteen of the largest batches."""

_SIZE_BYTES: Final = 8


def batch_message(root: bytes, size: int) -> bytes:
    """Return the bytes that the signature of a batch covers.

    Args:
        root: Root hash of the tree of statements.
        size: How many statements; 8 bytes, big-endian, behind the root.
    """
    return encode_for_signing(BATCH_TYPE, root + size.to_bytes(_SIZE_BYTES, "big"))


def plant(statements: Sequence[bytes]) -> tuple[bytes, list[BatchPath]]:
    """Return the root of the tree of `statements`, and the path of each one.

    Raises:
        ValueError: They are fewer than BATCH_MIN or more than BATCH_MAX.
    """
    size = len(statements)
    if not BATCH_MIN <= size <= BATCH_MAX:
        msg = f"a batch has {BATCH_MIN} to {BATCH_MAX} statements, not {size}"
        raise ValueError(msg)
    levels = [[leaf_hash(statement) for statement in statements]]
    while len(below := levels[-1]) > 1:
        above = [
            node_hash(left, right)
            for left, right in zip(below[::2], below[1::2], strict=False)
        ]
        # The last node of a level has no right sibling; it moves up unchanged.
        levels.append(above + below[len(above) * 2 :])
    paths = [
        make_batch_path(index=index, size=size, hashes=_siblings(levels, index))
        for index in range(size)
    ]
    return levels[-1][0], paths


def climb(statement: bytes, path: BatchPath, nodes: dict[bytes, bytes]) -> bytes:
    """Return the root to which `path` leads from `statement`.

    What it returns means nothing until a signature over it has been checked.

    Args:
        statement: The leaf.
        path: Its way up, as received.
        nodes: Remembers the hash of each pair of nodes: most of the way up is the
            same for all statements of a batch. A pure function's results, so they
            hold for everybody.

    Raises:
        ValueError: Size or index is out of bounds, or the path does not have
            exactly the hashes that lead from there to the root.

    Source: RFC 9162, section 2.1.3.2, without the comparison at its end.
    """
    index, last, hashes = path.index, path.size - 1, path.hashes
    if not (BATCH_MIN <= path.size <= BATCH_MAX and 0 <= index <= last):
        raise ValueError("the batch has no such place")
    if len(nodes) > NODES_MAX:
        nodes.clear()
    node, used, there = leaf_hash(statement), 0, len(hashes)
    while last:
        if index ^ 1 <= last:
            if used == there or len(hashes[used]) != HASH_BYTES:
                raise ValueError("the path lacks a hash")
            sibling = hashes[used]
            used += 1
            pair = sibling + node if index & 1 else node + sibling
            known = nodes.get(pair)
            if known is None:
                known = nodes[pair] = sha256(NODE_PREFIX + pair).digest()
            node = known
        index >>= 1
        last >>= 1
    if used != there:
        raise ValueError("the path has more hashes than lead to the root")
    return node


def _siblings(levels: Sequence[Sequence[bytes]], index: int) -> tuple[bytes, ...]:
    """Return the hashes beside the way from a leaf to the root."""
    found = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            found.append(level[index ^ 1])
        index >>= 1
    return tuple(found)
