"""Amounts, parties and keys: what is one, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.domain.money import FEN_MAX, Amount
from counterfoil.domain.party import Identity, Use, check_party_code
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import ISSUE_MAX, VoucherKey

PRINTABLE = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=42
)
DIGITS = st.text("0123456789", min_size=6, max_size=9)
CODES = st.builds(
    "{}-{}".format,
    DIGITS,
    st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=21),
)
KEYS = st.builds(
    VoucherKey,
    issuer=CODES,
    adm_div=DIGITS,
    fiscal_year=st.integers(2000, 2999),
    type_code=st.sampled_from([2205, 5201, 8202, 100_000]),
    number=PRINTABLE,
    issue=st.integers(1, ISSUE_MAX),
)


def key(**changes: Any) -> VoucherKey:  # noqa: ANN401
    parts: dict[str, Any] = {
        "issuer": "420000-011",
        "adm_div": "420000",
        "fiscal_year": 2026,
        "type_code": 5201,
        "number": "A1",
    }
    return VoucherKey(**parts | changes)


# --- amounts ---------------------------------------------------------------------


@given(st.integers(-FEN_MAX, FEN_MAX))
def test_an_amount_comes_back_from_its_text(fen: int) -> None:
    assert Amount.from_yuan(Amount(fen).to_yuan()) == Amount(fen)


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (-5, "-0.05"),
        (1250, "12.50"),
        (FEN_MAX, "999999999999999.99"),
        (-FEN_MAX, "-999999999999999.99"),
    ],
)
def test_an_amount_is_printed_as_vouchers_do(fen: int, text: str) -> None:
    assert Amount(fen).to_yuan() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.5",
        "1.500",
        ".50",
        "+1.00",
        "1,000.00",
        " 1.00",
        "1.00\n",
        "１.00",
        "1e3.00",
        "--1.00",
        "1000000000000000.00",
    ],
)
def test_no_other_text_is_an_amount(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Amount.from_yuan(text)


@pytest.mark.parametrize("fen", [FEN_MAX + 1, -FEN_MAX - 1])
def test_an_amount_has_at_most_seventeen_digits(fen: int) -> None:
    with pytest.raises(ValueError, match="10\\*\\*17"):
        Amount(fen)


def test_amounts_are_ordered_by_what_they_are_worth() -> None:
    assert sorted([Amount(1), Amount(-2), Amount(0)]) == [
        Amount(-2),
        Amount(0),
        Amount(1),
    ]


# --- parties and identities ------------------------------------------------------


@pytest.mark.parametrize(
    "code", ["420000-011", "420000-101001", "123456789-abc", f"123456-{'z' * 21}"]
)
def test_a_division_and_an_organisation_name_a_party(code: str) -> None:
    assert check_party_code(code) == code


@pytest.mark.parametrize(
    "code",
    [
        "",
        "420000",
        "420000-01",
        "42000-011",
        "1234567890-011",
        "420000-ABC",
        "420000-011\n",
        "420000_011",
        "420000-０１１",
        f"123456-{'z' * 22}",
    ],
)
def test_nothing_else_names_a_party(code: str) -> None:
    with pytest.raises(ValueError, match="not a party code"):
        check_party_code(code)


@given(
    CODES,
    st.sampled_from(Use),
    st.from_regex(r"\A[0-9a-z._-]{1,40}\Z"),
)
def test_an_identity_comes_back_from_its_name(party: str, use: Use, name: str) -> None:
    identity = Identity(party=party, use=use, name=name)

    assert Identity.from_urn(identity.to_urn()) == identity


def test_an_identity_is_written_as_certificates_bear_it() -> None:
    identity = Identity(party="420000-011", use=Use.PERSON, name="li")

    assert identity.to_urn() == "urn:counterfoil:420000-011:person:li"


@pytest.mark.parametrize(
    "urn",
    [
        "urn:counterfoil:420000-011:person",
        "urn:counterfoil:420000-011:person:",
        "urn:counterfoil:420000-011:person:Li",
        "urn:counterfoil:420000-011:person:li:wang",
        "urn:counterfoil:420000-011:robot:1",
        "urn:counterfoil:finance:person:li",
        "urn:other:420000-011:person:li",
        "urn:counterfoil:420000-011:person:li\n",
        f"urn:counterfoil:420000-011:person:{'l' * 41}",
    ],
)
def test_nothing_else_is_an_identity(urn: str) -> None:
    with pytest.raises(ValueError, match=r"not a|is not a valid"):
        Identity.from_urn(urn)


# --- voucher keys ----------------------------------------------------------------


@given(KEYS)
def test_a_key_comes_back_from_its_bytes(one: VoucherKey) -> None:
    assert VoucherKey.from_bytes(one.check().to_bytes()) == one


@given(KEYS, KEYS)
def test_no_two_keys_have_the_same_bytes(one: VoucherKey, other: VoucherKey) -> None:
    assert (one.to_bytes() == other.to_bytes()) == (one == other)


@given(st.lists(st.tuples(PRINTABLE, st.integers(1, ISSUE_MAX)), max_size=8))
def test_numbers_of_one_book_sort_by_number_and_then_issue(
    numbers: list[tuple[str, int]],
) -> None:
    keys = [key(number=number, issue=issue) for number, issue in numbers]

    in_order = sorted(keys, key=VoucherKey.to_bytes)

    assert [(one.number, one.issue) for one in in_order] == sorted(numbers)


@given(KEYS, KEYS, KEYS)
def test_no_key_of_another_book_stands_between_two_of_one_book(
    one: VoucherKey, other: VoucherKey, third: VoucherKey
) -> None:
    def book(of: VoucherKey) -> bytes:
        return of.to_bytes().rsplit(b"\0", 3)[0]

    in_order = sorted([one, other, third], key=VoucherKey.to_bytes)

    first, middle, last = (book(each) for each in in_order)
    assert first != last or first == middle


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": ""},
        {"number": "A 1"},
        {"number": "A\0001"},
        {"number": "号1"},
        {"number": "1" * 43},
        {"adm_div": "42000"},
        {"adm_div": "42000x"},
        {"adm_div": "420000\n"},
        {"fiscal_year": 1999},
        {"fiscal_year": 3000},
        {"issue": 0},
        {"issue": ISSUE_MAX + 1},
    ],
)
def test_a_key_with_a_part_out_of_range_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a voucher key"):
        key(**wrong).check()


@pytest.mark.parametrize(
    "right",
    [
        {"number": "1" * 42},
        {"number": "!~"},
        {"adm_div": "123456789"},
        {"fiscal_year": 2000},
        {"fiscal_year": 2999},
        {"issue": 1},
        {"issue": ISSUE_MAX},
    ],
)
def test_a_key_with_every_part_in_range_is_one(right: dict[str, Any]) -> None:
    assert key(**right).check() == key(**right)


def test_people_read_the_issue_only_from_the_second_on() -> None:
    assert str(key()) == "420000-011/2026/5201/A1"
    assert str(key(issue=2)) == "420000-011/2026/5201/A1#2"


def test_a_violation_says_where_and_what_and_no_value() -> None:
    violation = Violation(path="rows[3].id", rule="r", text="too long", text_zh="超长")

    assert str(violation) == "rows[3].id: too long"
