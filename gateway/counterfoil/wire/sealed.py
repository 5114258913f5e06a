"""A `Sealed` is taken apart, and one of our own is closed.

Taking it apart reads nothing of the payload: verify, then parse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import MalformedPayload
from counterfoil.domain.seals import Seal
from counterfoil.domain.value import maker, value
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.documents import ENCLOSURES_MAX
from counterfoil.wire.seals import seal_from_message, seal_to_message
from counterfoil.wire.whole import parse_whole


@value
class Opened:
    """A `Sealed` taken apart; nothing of it is verified yet.

    Attributes:
        kind: What it says that it is.
        payload: The payload's bytes.
        digest: SHA-256 of the payload.
        seals: The seals, lowest first.
        enclosures: Encoded `Sealed` originals that it carries as evidence.
    """

    kind: DocumentKind
    payload: bytes
    digest: bytes
    seals: tuple[Seal, ...]
    enclosures: tuple[bytes, ...]


make_opened: Final = maker(Opened)


def open_sealed(sealed: bytes) -> Opened:
    """Take an encoded `Sealed` apart.

    Raises:
        MalformedPayload: It is none, of no known kind, or encloses too much.
    """
    try:
        message = parse_whole(sealed_pb2.Sealed, sealed, what="sealed document")
        kind = DocumentKind(message.kind)
    except ValueError as error:
        raise MalformedPayload(str(error), field="sealed") from error
    if len(message.enclosures) > ENCLOSURES_MAX:
        raise MalformedPayload("too many enclosures", field="enclosures")
    return make_opened(
        kind=kind,
        payload=message.payload,
        digest=hashlib.sha256(message.payload).digest(),
        seals=tuple(seal_from_message(seal) for seal in message.seals),
        enclosures=tuple(message.enclosures),
    )


def close_sealed(
    kind: DocumentKind,
    payload: bytes,
    seals: Iterable[Seal],
    enclosures: Iterable[bytes] = (),
) -> bytes:
    """Encode a document of ours with its seals, once and for ever."""
    return sealed_pb2.Sealed(
        kind=int(kind),  # type: ignore[arg-type]
        payload=payload,
        seals=[seal_to_message(seal) for seal in seals],
        enclosures=enclosures,
    ).SerializeToString()
