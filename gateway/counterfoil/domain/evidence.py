"""A peer's proof that a batch of our documents is in its log, as we keep it."""

from __future__ import annotations

import struct
from typing import Final

from counterfoil.domain.value import value

_HEAD: Final = struct.Struct(">BQIQII")
_FORMAT: Final = 1
_HASH: Final = 32


@value
class Evidence:
    """Proof of arrival of leaves `first_leaf` to `first_leaf + len(leaf_hashes)`.

    Attributes:
        checkpoint: The peer's signed note.
        first_leaf: Index of the first leaf in the peer's log.
        leaf_hashes: Hash of every leaf of the range, computed by us.
        range_proof: Hashes left and right of the range.
        arrival_time_us: The time inside the leaves, by the peer's clock.
    """

    checkpoint: bytes
    first_leaf: int
    leaf_hashes: tuple[bytes, ...]
    range_proof: tuple[bytes, ...]
    arrival_time_us: int

    def to_bytes(self) -> bytes:
        """Return the encoding that the vault stores; a leaf pins its digest."""
        head = _HEAD.pack(
            _FORMAT,
            self.first_leaf,
            len(self.leaf_hashes),
            self.arrival_time_us,
            len(self.range_proof),
            len(self.checkpoint),
        )
        return b"".join((head, *self.leaf_hashes, *self.range_proof, self.checkpoint))

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Evidence:
        """Parse what `to_bytes` made.

        Raises:
            ValueError: The bytes are not of that form.
        """
        if len(encoded) < _HEAD.size or encoded[0] != _FORMAT:
            msg = "not evidence of format 1"
            raise ValueError(msg)
        _, first, count, time_us, proof_count, note_bytes = _HEAD.unpack_from(encoded)
        hashes_end = _HEAD.size + (count + proof_count) * _HASH
        if len(encoded) != hashes_end + note_bytes:
            msg = "the lengths inside evidence do not add up"
            raise ValueError(msg)
        hashes = tuple(
            encoded[at : at + _HASH] for at in range(_HEAD.size, hashes_end, _HASH)
        )
        return cls(
            checkpoint=encoded[hashes_end:],
            first_leaf=first,
            leaf_hashes=hashes[:count],
            range_proof=hashes[count:],
            arrival_time_us=time_us,
        )
