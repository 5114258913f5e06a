"""The leaf: what one entry of an institution's log says, byte by byte.

Published, so that anybody can compute a leaf from the facts it states. Only
digests stand in it, so destroying a document leaves the tree whole.

| bytes  | content                                                          |
|--------|------------------------------------------------------------------|
| 1      | format, 1                                                        |
| 1      | act, see `Act`                                                   |
| 1      | kind of document, see `DocumentKind`                             |
| 8      | commit time, microseconds since 1970-01-01T00:00Z, big-endian    |
| 32     | digest of the voucher that it is about                           |
| 32     | digest of the document's payload                                 |
| 32     | digest of the document with its seals (version); for the acts    |
|        | DELIVER and REFUSE, of the peer's evidence                       |
| 1 + n  | the party that acts, length and ASCII code                       |
| 1 + n  | the recipients concerned, codes joined by commas; empty: all     |
|        | of the voucher's recipients that the log's keeper knows          |
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Act
from counterfoil.domain.value import maker, value

LEAF_FORMAT: Final = 1
_HEAD: Final = struct.Struct(">BBBQ32s32s32s")


@value
class Leaf:
    """One entry of the log.

    Attributes:
        act: What was done.
        kind: Kind of the document that it was done with.
        time_us: When it was committed, microseconds since the epoch, UTC.
        subject: Digest of the voucher concerned, 32 bytes.
        document: Digest of the document's payload, 32 bytes; equals `subject`
            for a voucher.
        version: Digest of the document with its seals, or of the peer's evidence.
        by: Code of the party that acts.
        recipients: Codes of the recipients concerned, joined by commas; empty if
            all are.
    """

    act: Act
    kind: DocumentKind
    time_us: int
    subject: bytes
    document: bytes
    version: bytes
    by: str
    recipients: str = ""

    def to_bytes(self) -> bytes:
        """Return the published encoding."""
        return self.bytes_as(self.act, self.time_us, self.recipients)

    def bytes_as(self, act: Act, time_us: int, recipients: str) -> bytes:
        """Return the encoding of the leaf that another act about the same makes.

        The same as a changed copy would give, without the copy.
        """
        head = _HEAD.pack(
            LEAF_FORMAT,
            act,
            self.kind,
            time_us,
            self.subject,
            self.document,
            self.version,
        )
        return head + _parties(self.by, recipients)

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Leaf:
        """Parse the published encoding.

        Raises:
            ValueError: It is of another format, truncated or too long.
        """
        if len(encoded) < _HEAD.size + 2 or encoded[0] != LEAF_FORMAT:
            msg = "not a leaf of format 1"
            raise ValueError(msg)
        _, act, kind, time_us, subject, document, version = _HEAD.unpack_from(encoded)
        by_end = _HEAD.size + 1 + encoded[_HEAD.size]
        if by_end >= len(encoded) or len(encoded) != by_end + 1 + encoded[by_end]:
            msg = "a leaf's lengths do not add up"
            raise ValueError(msg)
        return cls(
            act=Act(act),
            kind=DocumentKind(kind),
            time_us=time_us,
            subject=subject,
            document=document,
            version=version,
            by=encoded[_HEAD.size + 1 : by_end].decode("ascii"),
            recipients=encoded[by_end + 1 :].decode("ascii"),
        )


make_leaf: Final = maker(Leaf)


@lru_cache(maxsize=1024)
def _parties(by: str, recipients: str) -> bytes:
    """Return the end of a leaf; the same few parties act again and again."""
    party, others = by.encode("ascii"), recipients.encode("ascii")
    return b"".join((bytes((len(party),)), party, bytes((len(others),)), others))
