"""Seals and their statements between protobuf and the domain.

A statement that was received is kept as the bytes it came in; only our own
statements are ever encoded.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from google.protobuf.message import DecodeError

from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.refusals import MalformedPayload
from counterfoil.domain.seals import (
    Algorithm,
    Seal,
    SealStatement,
    make_batch_path,
    make_seal,
    make_seal_statement,
)
from counterfoil.domain.voucher import DIGEST_BYTES
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.delimited import before
from counterfoil.wire.keys import is_instant, timestamp_from_us, timestamp_to_us
from counterfoil.wire.whole import parse_whole

_KINDS: Final = {int(kind): kind for kind in DocumentKind}
_PURPOSES: Final = {int(purpose): purpose for purpose in SealPurpose}
_ALGORITHMS: Final = {int(algorithm): algorithm for algorithm in Algorithm}
_HEADS: Final = frozenset(bytes((0x08, kind, 0x12, DIGEST_BYTES)) for kind in _KINDS)
"""What stands before a payload's digest: the kind, and the digest's tag and length."""
_HEAD_BYTES: Final = 4
_TAIL_AT: Final = _HEAD_BYTES + DIGEST_BYTES
_BENEATH_HEAD: Final = before(
    sealed_pb2.SealStatement.BENEATH_FIELD_NUMBER, DIGEST_BYTES
)
"""What stands before the digest of a seal beneath; no field has a larger number."""
_BENEATH_HEAD_BYTES: Final = len(_BENEATH_HEAD)
_BENEATH_BYTES: Final = _BENEATH_HEAD_BYTES + DIGEST_BYTES
_ANY_DIGEST: Final = bytes(DIGEST_BYTES)
_STATEMENTS_MAX: Final = 256


def encode_statement(statement: SealStatement) -> bytes:
    """Return the bytes that a new seal signs."""
    digest, beneath = statement.payload_digest, statement.beneath
    if any(len(one) != DIGEST_BYTES for one in (digest, *beneath)):
        return _encode_all(statement)
    # Those of a batch differ in the digests alone, as in `parse_statement`.
    like = _encode_once(
        (
            statement.document_kind,
            statement.position,
            statement.purpose,
            statement.certificate_digest,
            statement.algorithm,
            statement.stated_time_us,
        )
    )
    ends = [_BENEATH_HEAD + one for one in beneath]
    return b"".join((like[:_HEAD_BYTES], digest, like[_TAIL_AT:], *ends))


def _encode_all(statement: SealStatement) -> bytes:
    """Return a statement's bytes, from the ground up."""
    return sealed_pb2.SealStatement(
        document_kind=int(statement.document_kind),  # type: ignore[arg-type]
        payload_digest=statement.payload_digest,
        position=statement.position,
        purpose=int(statement.purpose),  # type: ignore[arg-type]
        certificate_digest=statement.certificate_digest,
        algorithm=int(statement.algorithm),  # type: ignore[arg-type]
        stated_time=timestamp_from_us(statement.stated_time_us),
        beneath=statement.beneath,
    ).SerializeToString(deterministic=True)


@lru_cache(_STATEMENTS_MAX)
def _encode_once(
    said: tuple[DocumentKind, str, SealPurpose, bytes, Algorithm, int],
) -> bytes:
    """Return what a statement about a payload of zeros says of all else."""
    kind, position, purpose, certificate_digest, algorithm, stated_time_us = said
    encoded = _encode_all(
        SealStatement(
            document_kind=kind,
            payload_digest=_ANY_DIGEST,
            position=position,
            purpose=purpose,
            certificate_digest=certificate_digest,
            algorithm=algorithm,
            stated_time_us=stated_time_us,
        )
    )
    assert encoded[:_HEAD_BYTES] in _HEADS, "the digest stands elsewhere"
    return encoded


def parse_statement(encoded: bytes) -> SealStatement:
    """Return what a seal's bytes state.

    Raises:
        ValueError: They are not a statement, name what no list holds, or say more
            than we understand.
    """
    # The statements of a batch differ in digests alone: the payload's and, at their
    # end, those of the seals beneath. Behind such a head the next 32 bytes are a
    # digest, whatever they are, so a statement means what the same statement about
    # other digests means.
    head = encoded[:_HEAD_BYTES]
    if head not in _HEADS or len(encoded) < _TAIL_AT:
        return _parse_all(encoded)
    end = _beneath_at(encoded)
    try:
        # That what stands before them is whole shows that their heads are heads, and
        # not by chance inside something else.
        like = _parse_once(head + _ANY_DIGEST + encoded[_TAIL_AT:end])
    except ValueError:
        return _parse_all(encoded)
    beneath = [
        encoded[at + _BENEATH_HEAD_BYTES : at + _BENEATH_BYTES]
        for at in range(end, len(encoded), _BENEATH_BYTES)
    ]
    return make_seal_statement(
        document_kind=like.document_kind,
        payload_digest=encoded[_HEAD_BYTES:_TAIL_AT],
        position=like.position,
        purpose=like.purpose,
        certificate_digest=like.certificate_digest,
        algorithm=like.algorithm,
        stated_time_us=like.stated_time_us,
        beneath=(*like.beneath, *beneath),
    )


def _beneath_at(encoded: bytes) -> int:
    """Return where the digests at the end of a statement seem to begin."""
    at = len(encoded)
    while at - _BENEATH_BYTES >= _TAIL_AT and encoded.startswith(
        _BENEATH_HEAD, at - _BENEATH_BYTES
    ):
        at -= _BENEATH_BYTES
    return at


def _parse_all(encoded: bytes) -> SealStatement:
    """Return what a statement says, from the ground up."""
    message = parse_whole(sealed_pb2.SealStatement, encoded, what="seal statement")
    digests = (message.payload_digest, message.certificate_digest, *message.beneath)
    if any(len(digest) != DIGEST_BYTES for digest in digests):
        msg = "a digest of the statement has not 32 bytes"
        raise ValueError(msg)
    if not is_instant(message.stated_time):
        msg = "the statement's time is none"
        raise ValueError(msg)
    try:
        # Looked up rather than constructed: this runs once per seal.
        kind = _KINDS[message.document_kind]
        purpose = _PURPOSES[message.purpose]
        algorithm = _ALGORITHMS[message.algorithm]
    except KeyError as error:
        msg = "the statement names what no list holds"
        raise ValueError(msg) from error
    return make_seal_statement(
        document_kind=kind,
        payload_digest=message.payload_digest,
        position=message.position,
        purpose=purpose,
        certificate_digest=message.certificate_digest,
        algorithm=algorithm,
        stated_time_us=timestamp_to_us(message.stated_time),
        beneath=tuple(message.beneath),
    )


_parse_once: Final = lru_cache(_STATEMENTS_MAX)(_parse_all)


def seal_from_message(message: sealed_pb2.Seal) -> Seal:
    """Return a received seal, its statement verbatim."""
    batch = None
    if message.HasField("batch"):
        batch = make_batch_path(
            index=message.batch.index,
            size=message.batch.size,
            hashes=tuple(message.batch.hashes),
        )
    return make_seal(
        statement=message.statement, signature=message.signature, batch=batch
    )


def seal_to_message(seal: Seal) -> sealed_pb2.Seal:
    """Return a seal as it is carried."""
    message = sealed_pb2.Seal(statement=seal.statement, signature=seal.signature)
    if seal.batch is not None:
        message.batch.index = seal.batch.index
        message.batch.size = seal.batch.size
        message.batch.hashes.extend(seal.batch.hashes)
    return message


def seal_from_bytes(encoded: bytes) -> Seal:
    """Return a seal from its encoded message.

    Raises:
        MalformedPayload: The bytes are no seal.
    """
    try:
        return seal_from_message(sealed_pb2.Seal.FromString(encoded))
    except DecodeError as error:
        raise MalformedPayload("not a seal", field="seal") from error


def seal_to_bytes(seal: Seal) -> bytes:
    """Return a seal as its encoded message."""
    return seal_to_message(seal).SerializeToString()
