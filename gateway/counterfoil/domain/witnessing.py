"""Heads of peers' logs that our log witnessed, and what they prove (见证).

Our log says since when we have seen a head of a peer's log. A leaf below that head is
no younger, and one by which a document entered holds its digest with its seals: so
these existed by then, by our own clock and nobody else's word (`docs/adr/0030`).
"""

from __future__ import annotations

import struct
from dataclasses import field
from typing import Final

from counterfoil.domain.value import value

LEAF_BYTES_MAX: Final = 1024
"""Longest leaf of a proof: one of a voucher to eight recipients has less than 250."""

HASHES_MAX: Final = 64
"""Most hashes of a proof: a log of 2**64 leaves needs no more."""

_FORMAT: Final = 2  # beside that of `Evidence`, which is 1
_HEAD: Final = struct.Struct(">BQQHB")
_HASH: Final = 32


@value
class WitnessedHead:
    """A head of a peer's log that our log witnessed.

    Attributes:
        leaf: Log index of our leaf `WITNESS`.
        time_us: When that leaf was written, microseconds since the epoch.
        size: Leaves of the peer's log.
        root: Its root hash.
        note: The peer's signed checkpoint, byte for byte.
    """

    leaf: int
    time_us: int
    size: int
    root: bytes
    note: bytes = field(repr=False)


@value
class ShownProof:
    """What a peer shows of a document that comes after its certificates' end.

    Attributes:
        place: Which proof of the batch it is, from 0.
        document: Which document of the batch it is about, from 0.
        size: The size of the peer's tree that it is proved in.
        index: The document's place in the peer's log.
        leaf: The leaf there, by which the document entered.
        hashes: The inclusion proof.
    """

    place: int
    document: int
    size: int
    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]


@value
class EarlierProof:
    """That a document stood in a peer's log by a time that ours knows, as it is kept.

    Attributes:
        witness: Log index of our leaf `WITNESS` for the head that it leads to.
        index: The document's place in the peer's log.
        leaf: The leaf there.
        hashes: The inclusion proof.
    """

    witness: int
    index: int
    leaf: bytes
    hashes: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Return the encoding that the vault stores under the leaf of arrival."""
        head = _HEAD.pack(
            _FORMAT, self.witness, self.index, len(self.leaf), len(self.hashes)
        )
        return b"".join((head, self.leaf, *self.hashes))

    @classmethod
    def from_bytes(cls, encoded: bytes) -> EarlierProof:
        """Parse what `to_bytes` made.

        Raises:
            ValueError: The bytes are not of that form.
        """
        if len(encoded) < _HEAD.size or encoded[0] != _FORMAT:
            msg = "not an earlier proof of format 2"
            raise ValueError(msg)
        _, witness, index, leaf_bytes, count = _HEAD.unpack_from(encoded)
        leaf_end = _HEAD.size + leaf_bytes
        if len(encoded) != leaf_end + count * _HASH:
            msg = "the lengths inside an earlier proof do not add up"
            raise ValueError(msg)
        return cls(
            witness=witness,
            index=index,
            leaf=encoded[_HEAD.size : leaf_end],
            hashes=tuple(
                encoded[at : at + _HASH] for at in range(leaf_end, len(encoded), _HASH)
            ),
        )


@value
class Earlier:
    """Since when a document's seals are known to exist, where that counts.

    Attributes:
        time_us: When our log witnessed the head that proves it, microseconds since
            the epoch: the seals are judged as of then.
        proof: `EarlierProof.to_bytes`, kept with the document.
    """

    time_us: int
    proof: bytes = field(repr=False)


@value
class Held:
    """When all certificates by which a document was sealed could be relied on.

    Attributes:
        signers: Digests of the certificates, those of its enclosures too.
        from_us: First instant, microseconds since the epoch.
        until_us: Last instant.
    """

    signers: tuple[bytes, ...]
    from_us: int
    until_us: int
