"""The Merkle tree: its hashes, and the frontier to which leaves are appended.

Source: RFC 9162, section 2.1.1 (the same tree as RFC 6962, section 2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol, TypeAlias

HASH_BYTES: Final = 32
"""Length of every hash, in bytes; SHA-256 and SM3 agree on it."""

SIZE_MAX: Final = 2**63 - 1
"""The largest tree, in leaves: other implementations count with signed 64 bits."""

NODE_PREFIX: Final = b"\x01"
"""First byte hashed for an inner node; a leaf's is zero, so neither is the other."""

_LEAF_PREFIX: Final = b"\x00"
_SIZE_BYTES: Final = 8


class HashState(Protocol):
    """What `hashlib` constructors return."""

    def digest(self) -> bytes:
        """Return the hash of everything that was fed."""


HashFunction: TypeAlias = Callable[[bytes], HashState]
"""A `hashlib`-style constructor whose digests have HASH_BYTES bytes."""


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a tree is, in two values; nobody has vouched for it by itself.

    Attributes:
        size: Number of leaves.
        root: The root hash at that size.
    """

    size: int
    root: bytes


def empty_root(hash_function: HashFunction = sha256) -> bytes:
    """Return the root of the tree without leaves.

    Source: RFC 9162, section 2.1.1: the hash of an empty string.
    """
    return hash_function(b"").digest()


def empty_head(hash_function: HashFunction = sha256) -> TreeHead:
    """Return the head of the tree without leaves, from which every log starts."""
    return TreeHead(0, empty_root(hash_function))


def leaf_hash(leaf: bytes, hash_function: HashFunction = sha256) -> bytes:
    """Return the hash under which `leaf` stands in the tree.

    Source: RFC 9162, section 2.1.1: HASH(0x00 || d[0]).
    """
    return hash_function(_LEAF_PREFIX + leaf).digest()


def node_hash(left: bytes, right: bytes, hash_function: HashFunction = sha256) -> bytes:
    """Return the hash of the node above two neighbouring nodes.

    Source: RFC 9162, section 2.1.1: HASH(0x01 || left || right).
    """
    return hash_function(NODE_PREFIX + left + right).digest()


def fold_peaks(peaks: Sequence[bytes], hash_function: HashFunction = sha256) -> bytes:
    """Return the root above complete subtrees that stand side by side.

    Args:
        peaks: Hashes from left to right, each subtree smaller than the one before.
        hash_function: The tree's hash function.
    """
    if not peaks:
        return empty_root(hash_function)
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = hash_function(NODE_PREFIX + peak + root).digest()
    return root


class Frontier:
    """The right edge of a tree: all that is needed to append to it.

    Mutable, and owned by one writer. A writer that may fail works on a `copy`.

    Attributes:
        size: Number of leaves.
        peaks: Hashes of the complete subtrees, largest first: one per bit set in
            `size`. They are also the left part of the range proof of whatever is
            appended next.
        hash_function: The tree's hash function.

    Raises:
        ValueError: `size` is out of range or does not have that many peaks, or a
            hash has the wrong length.
    """

    __slots__ = ("_peaks", "hash_function", "size")

    def __init__(
        self,
        size: int = 0,
        peaks: Iterable[bytes] = (),
        *,
        hash_function: HashFunction = sha256,
    ) -> None:
        self.size = size
        self._peaks = list(peaks)
        self.hash_function = hash_function
        if not 0 <= size <= SIZE_MAX:
            raise ValueError("the size is out of range")
        if len(self._peaks) != size.bit_count():
            raise ValueError("the peaks do not fit the size")
        if any(len(peak) != HASH_BYTES for peak in self._peaks):
            raise ValueError("a peak is not a hash")

    @property
    def peaks(self) -> tuple[bytes, ...]:
        """The hashes of the complete subtrees, largest first."""
        return tuple(self._peaks)

    def append(self, leaf: bytes) -> list[bytes]:
        """Append one leaf hash; see `extend`.

        Returns:
            The subtrees that this leaf completed: the leaf itself, then each one
            twice as large. The position in the list is the height.
        """
        return [nodes[0] for nodes in self.extend((leaf,))]

    def extend(self, leaves: Iterable[bytes]) -> list[list[bytes]]:
        """Append leaf hashes in order: all of a level, then the level above it.

        Args:
            leaves: The hashes, HASH_BYTES long. The length is not checked here:
                this is the innermost loop, and `leaf_hash` made them.

        Returns:
            The subtrees that these leaves completed, from left to right, by their
            height: the leaves themselves, then those twice as large, and so on.
        """
        hash_function, nodes, rest = self.hash_function, list(leaves), self.size
        self.size += len(nodes)
        completed: list[list[bytes]] = []
        unpaired: list[bytes] = []
        while nodes:
            completed.append(nodes)
            if rest & 1:
                nodes = [self._peaks.pop(), *nodes]
            if len(nodes) & 1:
                unpaired.append(nodes[-1])
            nodes = [
                hash_function(NODE_PREFIX + left + right).digest()
                for left, right in zip(nodes[::2], nodes[1::2], strict=False)
            ]
            rest >>= 1
        self._peaks += reversed(unpaired)
        return completed

    def root(self) -> bytes:
        """Return the root hash at the present size."""
        return fold_peaks(self._peaks, self.hash_function)

    def head(self) -> TreeHead:
        """Return size and root."""
        return TreeHead(self.size, self.root())

    def copy(self) -> Frontier:
        """Return a frontier that grows on its own."""
        return Frontier(self.size, self._peaks, hash_function=self.hash_function)

    def to_bytes(self) -> bytes:
        """Encode for storage: the size in 8 bytes, big-endian, then the peaks."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self._peaks)

    @classmethod
    def from_bytes(
        cls, encoded: bytes, *, hash_function: HashFunction = sha256
    ) -> Frontier:
        """Decode what `to_bytes` wrote.

        Raises:
            ValueError: The bytes are not exactly one frontier.
        """
        size = int.from_bytes(encoded[:_SIZE_BYTES], "big")
        hashes = encoded[_SIZE_BYTES:]
        if len(encoded) < _SIZE_BYTES or len(hashes) % HASH_BYTES:
            raise ValueError("not an encoded frontier")
        peaks = [
            hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)
        ]
        return cls(size, peaks, hash_function=hash_function)
