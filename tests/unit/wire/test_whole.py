"""Bytes that say more than is understood are nobody's document."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.drafts import ReceiptText
from counterfoil.domain.refusals import MalformedPayload
from counterfoil.wire.compose import compose_draft, compose_receipt
from counterfoil.wire.documents import read_payload
from counterfoil.wire.keys import key_from_message
from counterfoil.wire.sealed import close_sealed, open_sealed
from counterfoil.wire.whole import parse_whole
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    direct_payment,
    encoded,
    receipt_for,
    step_about,
)

UNKNOWN = b"\xf8\x7f\x01"
"""Field 2047 with the number 1; no message of ours has it."""
DIGEST = b"d" * 32
VOUCHER = direct_payment()
RECEIPT = receipt_for(VOUCHER, DIGEST)
STEP = step_about(key_from_message(VOUCHER.key), DIGEST)


def with_unknown(message: Message, inside: Callable[..., Message]) -> bytes:
    copy = type(message)()
    copy.CopyFrom(message)
    inside(copy).MergeFromString(UNKNOWN)
    return copy.SerializeToString()


def test_a_message_without_more_is_parsed() -> None:
    five = Timestamp(seconds=5)
    assert parse_whole(Timestamp, five.SerializeToString(), what="time") == five
    assert parse_whole(Timestamp, b"", what="time") == Timestamp()


@pytest.mark.parametrize(
    "wrong",
    [
        b"\xff",
        UNKNOWN,
        # One field twice: some readers take the first, some the last.
        b"\x08\x01\x08\x02",
        # A number in more bytes than it needs, and a default that is spelt out.
        b"\x08\x81\x00",
        b"\x08\x00",
    ],
)
def test_other_bytes_are_not(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_whole(Timestamp, wrong, what="time")


@pytest.mark.clause("hubei-15a")
@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (DocumentKind.VOUCHER, encoded(VOUCHER) + UNKNOWN),
        (DocumentKind.VOUCHER, with_unknown(VOUCHER, lambda v: v.key)),
        (DocumentKind.VOUCHER, with_unknown(VOUCHER, lambda v: v.direct_payment)),
        (
            DocumentKind.VOUCHER,
            with_unknown(VOUCHER, lambda v: v.direct_payment.rows[1]),
        ),
        (DocumentKind.RECEIPT, with_unknown(RECEIPT, lambda r: r)),
        (DocumentKind.RECEIPT, with_unknown(RECEIPT, lambda r: r.direct_payment)),
        (DocumentKind.RETURN, with_unknown(STEP, lambda s: s.voucher.key)),
        # The form twice: protobuf would merge the two.
        (DocumentKind.VOUCHER, encoded(VOUCHER) * 2),
    ],
)
def test_a_payload_that_says_more_is_refused(
    kind: DocumentKind, payload: bytes
) -> None:
    with pytest.raises(MalformedPayload, match="more than is understood") as refused:
        read_payload(kind, payload)

    assert refused.value.facts == {"field": "payload"}


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_an_envelope_that_says_more_is_refused() -> None:
    sealed = close_sealed(DocumentKind.VOUCHER, b"payload", ())

    with pytest.raises(MalformedPayload, match="more than is understood") as refused:
        open_sealed(sealed + UNKNOWN)

    assert refused.value.facts == {"field": "sealed"}


@pytest.mark.refusal("MALFORMED_PAYLOAD")
def test_what_a_desk_is_given_is_refused_before_anybody_seals_it() -> None:
    draft = desk_pb2.Draft(voucher=VOUCHER)
    compose_draft(draft.SerializeToString(), desk=FINANCE)
    hidden = with_unknown(draft, lambda d: d.voucher.direct_payment.rows[0])
    with pytest.raises(MalformedPayload) as refused:
        compose_draft(hidden, desk=FINANCE)
    assert refused.value.facts == {"field": "draft"}

    hidden = with_unknown(RECEIPT, lambda r: r.direct_payment.rows[0])
    text = ReceiptText(receipt=hidden, recipients=(FINANCE,))
    with pytest.raises(MalformedPayload) as refused:
        compose_receipt(text, by=BANK)
    assert refused.value.facts == {"field": "receipt"}
