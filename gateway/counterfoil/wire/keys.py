"""Voucher keys and references between protobuf and the domain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from counterfoil.domain.refusals import MalformedPayload
from counterfoil.domain.voucher import DIGEST_BYTES, VoucherKey, make_voucher_key
from counterfoil.sealed.v1 import voucher_pb2

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS: Final = range(253_402_300_800)
_NANOS: Final = range(1_000_000_000)


def key_from_message(message: voucher_pb2.VoucherKey) -> VoucherKey:
    """Return the key that a message states.

    Raises:
        MalformedPayload: It is not well formed.
    """
    key = make_voucher_key(
        issuer=message.issuer,
        adm_div=message.adm_div,
        fiscal_year=message.fiscal_year,
        type_code=message.type,
        number=message.number,
        issue=message.issue,
    )
    try:
        return key.check()
    except ValueError as error:
        raise MalformedPayload(str(error), field="key") from error


def key_to_message(key: VoucherKey) -> voucher_pb2.VoucherKey:
    """Return a key as a message."""
    return voucher_pb2.VoucherKey(
        issuer=key.issuer,
        adm_div=key.adm_div,
        fiscal_year=key.fiscal_year,
        type=key.type_code,  # type: ignore[arg-type]  # the catalogue's numbers
        number=key.number,
        issue=key.issue,
    )


def reference_from_message(
    message: voucher_pb2.VoucherReference,
) -> tuple[VoucherKey, bytes]:
    """Return the key and digest that a reference states.

    Raises:
        MalformedPayload: The key is not well formed or the digest has not 32 bytes.
    """
    if len(message.digest) != DIGEST_BYTES:
        raise MalformedPayload("a reference needs a digest of 32 bytes", field="digest")
    return key_from_message(message.key), message.digest


def reference_to_message(
    key: VoucherKey, digest: bytes
) -> voucher_pb2.VoucherReference:
    """Return a reference as a message."""
    return voucher_pb2.VoucherReference(key=key_to_message(key), digest=digest)


def timestamp_from_us(time_us: int) -> Timestamp:
    """Return an instant, in microseconds since the epoch, as a timestamp."""
    seconds, micros = divmod(time_us, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1_000)


def timestamp_to_us(message: Timestamp) -> int:
    """Return a timestamp as microseconds since the epoch, rounded down."""
    return message.seconds * 1_000_000 + message.nanos // 1_000


def is_instant(message: Timestamp) -> bool:
    """Tell whether a timestamp is one that every reader can print: 1970 to 9999.

    protobuf carries other numbers, too, and refuses to say what time they are.
    """
    return message.seconds in _SECONDS and message.nanos in _NANOS


def datetime_from_us(time_us: int) -> datetime:
    """Return an instant, in microseconds since the epoch, as an aware datetime."""
    return _EPOCH + timedelta(microseconds=time_us)
