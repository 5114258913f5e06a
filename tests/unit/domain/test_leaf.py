"""The published layouts: a leaf of the log, and the evidence that it pins."""

from __future__ import annotations

import struct

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.evidence import Evidence
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act

LEAF = Leaf(
    act=Act.ARRIVE,
    kind=DocumentKind.RECEIPT,
    time_us=0x0102030405060708,
    subject=b"s" * 32,
    document=b"d" * 32,
    version=b"v" * 32,
    by="420000-011",
    recipients="420000-102,420000-103",
)
EVIDENCE = Evidence(
    checkpoint=b"a checkpoint",
    first_leaf=7,
    leaf_hashes=(b"1" * 32, b"2" * 32),
    range_proof=(b"p" * 32,),
    arrival_time_us=99,
)


def test_a_leaf_is_laid_out_as_published() -> None:
    encoded = LEAF.to_bytes()

    assert encoded == (
        b"\x01"  # format
        b"\x03"  # act: ARRIVE
        b"\x02"  # kind: RECEIPT
        b"\x01\x02\x03\x04\x05\x06\x07\x08"  # time, big-endian
        + b"s" * 32
        + b"d" * 32
        + b"v" * 32
        + b"\x0a420000-011"
        + b"\x15420000-102,420000-103"
    )


def test_a_leaf_of_all_recipients_ends_with_a_zero() -> None:
    leaf = Leaf.from_bytes(LEAF.to_bytes()[:-22] + b"\x00")

    assert leaf.recipients == ""
    assert leaf.to_bytes()[-1:] == b"\x00"


def test_a_leaf_that_was_cut_short_anywhere_is_none() -> None:
    for cut in range(len(LEAF.to_bytes())):
        with pytest.raises(ValueError, match="leaf"):
            Leaf.from_bytes(LEAF.to_bytes()[:cut])


@pytest.mark.parametrize(
    "wrong",
    [
        LEAF.to_bytes() + b"\x00",
        b"\x02" + LEAF.to_bytes()[1:],  # another format
        b"\x01\x00" + LEAF.to_bytes()[2:],  # no such act
        b"\x01\xff" + LEAF.to_bytes()[2:],
        b"\x01\x03\x00" + LEAF.to_bytes()[3:],  # no such kind
        LEAF.to_bytes()[:-1] + b"\x80",  # not ASCII
    ],
)
def test_a_leaf_that_says_anything_else_is_none(wrong: bytes) -> None:
    with pytest.raises(ValueError, match=r"leaf|is not a valid|ascii"):
        Leaf.from_bytes(wrong)


def test_the_acts_have_the_published_numbers() -> None:
    assert {act.name: act.value for act in Act} == {
        "ENTER": 1,
        "SEND": 2,
        "ARRIVE": 3,
        "DELIVER": 4,
        "REFUSE": 5,
        "BEGIN": 6,
        "END_DONE": 7,
        "END_NOT_DONE": 8,
        "END_UNKNOWN": 9,
        "CLOSE": 10,
        "DISPUTE": 11,
        "WITHDRAW": 12,
        "REGISTER": 13,
        "BIND": 14,
        "WITNESS": 15,
        "ENTER_AND_SEND": 16,
    }


def test_evidence_is_laid_out_as_stored() -> None:
    assert EVIDENCE.to_bytes() == (
        struct.pack(">BQIQII", 1, 7, 2, 99, 1, 12)
        + b"1" * 32
        + b"2" * 32
        + b"p" * 32
        + b"a checkpoint"
    )


def test_evidence_comes_back_from_its_bytes() -> None:
    assert Evidence.from_bytes(EVIDENCE.to_bytes()) == EVIDENCE


def test_evidence_that_was_cut_short_anywhere_is_none() -> None:
    for cut in range(len(EVIDENCE.to_bytes())):
        with pytest.raises(ValueError, match="evidence"):
            Evidence.from_bytes(EVIDENCE.to_bytes()[:cut])


@pytest.mark.parametrize(
    "wrong", [EVIDENCE.to_bytes() + b"x", b"\x02" + EVIDENCE.to_bytes()[1:]]
)
def test_evidence_with_more_or_of_another_format_is_none(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="evidence"):
        Evidence.from_bytes(wrong)
