"""A batch on its way to a peer, encoded from documents that are bytes already.

To put them into a message only to get the message's bytes copies each of them twice and
takes ten times as long as to put their lengths between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from counterfoil.domain.witnessing import ShownProof
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.wire.delimited import before

_DOCUMENTS: Final = exchange_pb2.DeliverRequest.DOCUMENTS_FIELD_NUMBER


def encoded_delivery(
    batch: int,
    documents: Sequence[bytes],
    certificates: Sequence[bytes],
    answers: Sequence[bytes] = (),
    earlier: Sequence[ShownProof] = (),
) -> bytes:
    """Return an encoded `DeliverRequest`; fields of a message may come in any order."""
    request = exchange_pb2.DeliverRequest(
        batch=batch, certificates=certificates, revocation_answers=answers
    )
    if earlier:
        request.earlier_proofs.extend(map(_earlier_to_message, earlier))
    parts = [request.SerializeToString()]
    for document in documents:
        parts += (before(_DOCUMENTS, len(document)), document)
    return b"".join(parts)


def earlier_from_messages(
    messages: Iterable[exchange_pb2.EarlierProof],
) -> dict[int, ShownProof]:
    """Return what a batch shows of its documents, by their places."""
    return {
        message.document: ShownProof(
            place=place,
            document=message.document,
            size=message.tree_size,
            index=message.leaf_index,
            leaf=message.leaf,
            hashes=tuple(message.hashes),
        )
        for place, message in enumerate(messages)
    }


def _earlier_to_message(shown: ShownProof) -> exchange_pb2.EarlierProof:
    return exchange_pb2.EarlierProof(
        document=shown.document,
        tree_size=shown.size,
        leaf_index=shown.index,
        leaf=shown.leaf,
        hashes=shown.hashes,
    )
