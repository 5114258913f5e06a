"""Keys, references and instants cross the border unchanged, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.domain.refusals import MalformedPayload
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.keys import (
    datetime_from_us,
    key_from_message,
    key_to_message,
    reference_from_message,
    reference_to_message,
    timestamp_from_us,
    timestamp_to_us,
)
from tests.unit.app.papers import DIRECT, FINANCE, key_message

KEY = key_message(FINANCE, DIRECT, "A1", issue=3)


def test_a_key_crosses_with_all_its_parts() -> None:
    key = key_from_message(KEY)

    assert (key.issuer, key.adm_div, key.fiscal_year) == (FINANCE, "420000", 2026)
    assert (key.type_code, key.number, key.issue) == (DIRECT, "A1", 3)
    assert key_to_message(key) == KEY


@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", ""),
        ("number", "a b"),
        ("adm_div", "42"),
        ("fiscal_year", 1),
        ("issue", 0),
        ("issue", 1000),
    ],
)
def test_a_key_that_is_not_well_formed_is_refused(field: str, value: str | int) -> None:
    message = voucher_pb2.VoucherKey()
    message.CopyFrom(KEY)
    setattr(message, field, value)

    with pytest.raises(MalformedPayload) as refused:
        key_from_message(message)

    assert refused.value.facts == {"field": "key"}


def test_a_reference_crosses_with_key_and_digest() -> None:
    key = key_from_message(KEY)

    crossed = reference_from_message(reference_to_message(key, b"d" * 32))

    assert crossed == (key, b"d" * 32)


@pytest.mark.refusal("MALFORMED_PAYLOAD")
@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_reference_without_a_whole_digest_is_refused(length: int) -> None:
    message = voucher_pb2.VoucherReference(key=KEY, digest=b"d" * length)

    with pytest.raises(MalformedPayload) as refused:
        reference_from_message(message)

    assert refused.value.facts == {"field": "digest"}


@given(st.integers(-(10**15), 10**16))
def test_an_instant_crosses_to_the_microsecond(time_us: int) -> None:
    assert timestamp_to_us(timestamp_from_us(time_us)) == time_us
    assert 0 <= timestamp_from_us(time_us).nanos < 10**9


def test_a_finer_instant_is_rounded_down() -> None:
    assert timestamp_to_us(Timestamp(seconds=1, nanos=1_999)) == 1_000_001


def test_an_instant_is_a_datetime_of_utc() -> None:
    noon = datetime(2026, 6, 1, 12, 0, 0, 7, tzinfo=UTC)

    assert datetime_from_us(1_780_315_200_000_007) == noon
