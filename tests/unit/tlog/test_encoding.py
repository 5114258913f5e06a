"""One value has one spelling."""

from __future__ import annotations

import pytest

from counterfoil.tlog.encoding import (
    decode_base64,
    decode_count,
    decode_hash,
    encode_base64,
)
from counterfoil.tlog.errors import MalformedNote


@pytest.mark.parametrize(
    ("value", "text"), [(b"", ""), (b"\xfb\xff", "+/8="), (b"\0", "AA==")]
)
def test_base64_is_the_standard_one_with_padding(value: bytes, text: str) -> None:
    assert encode_base64(value) == text
    assert decode_base64(text) == value


@pytest.mark.parametrize(
    "text", ["AA", "AA=", "AB==", "-_8=", "AA==\n", " AA==", "AA==AA==", "é", "A"]
)
def test_another_spelling_of_base64_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        decode_base64(text)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_has_thirty_two_bytes(length: int) -> None:
    assert decode_hash(encode_base64(b"h" * 32)) == b"h" * 32
    with pytest.raises(MalformedNote, match="not a hash"):
        decode_hash(encode_base64(b"h" * length))


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("7", 7), ("9223372036854775807", 2**63 - 1)]
)
def test_a_count_is_a_plain_decimal(text: str, value: int) -> None:
    assert decode_count(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "01",
        "+1",
        "-1",
        " 1",
        "1 ",
        "1_0",
        "0x1",
        "1.0",
        "٣",
        "²",
        "9223372036854775808",
        "18446744073709551616",
        "9" * 5000,
    ],
)
def test_another_spelling_of_a_count_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        decode_count(text)
