"""A batch on its way to a peer, encoded from documents that are bytes already.

To put them into a message only to get the message's bytes copies each of them twice and
takes ten times as long as to put their lengths between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from counterfoil.exchange.v1 import exchange_pb2

_LENGTHS_MAX: Final = 4096
_MORE: Final = 0x80
"""Set in a group that another follows."""
_DOCUMENTS_TAG: Final = bytes(
    (exchange_pb2.DeliverRequest.DOCUMENTS_FIELD_NUMBER << 3 | 2,)
)
"""The field, and that bytes of a stated length follow."""


def encoded_delivery(
    batch: int, documents: Sequence[bytes], certificates: Sequence[bytes]
) -> bytes:
    """Return an encoded `DeliverRequest`; fields of a message may come in any order."""
    request = exchange_pb2.DeliverRequest(batch=batch, certificates=certificates)
    parts = [request.SerializeToString()]
    for document in documents:
        parts += (_before(len(document)), document)
    return b"".join(parts)


@lru_cache(_LENGTHS_MAX)
def _before(length: int) -> bytes:
    """Return what stands before a document: tag, and length in groups of 7 bits."""
    groups = bytearray(_DOCUMENTS_TAG)
    while length >= _MORE:
        groups.append(length % _MORE | _MORE)
        length >>= 7
    groups.append(length)
    return bytes(groups)
