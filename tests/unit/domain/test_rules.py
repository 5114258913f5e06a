"""The pure rules over plain values, each held and broken."""

from __future__ import annotations

import pytest

from counterfoil.domain.catalogue import Comparison, SignRule
from counterfoil.domain.rules import payment, statement
from counterfoil.domain.rules.receipt import receipt_agrees


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (SignRule.POSITIVE, {1}),
        (SignRule.NEGATIVE, {-1}),
        (SignRule.ZERO, {0}),
        (SignRule.NOT_ZERO, {-1, 1}),
        (SignRule.ANY, {-1, 0, 1}),
    ],
)
def test_each_rule_allows_its_signs(rule: SignRule, allowed: set[int]) -> None:
    assert {fen for fen in (-1, 0, 1) if payment.sign_holds(fen, rule)} == allowed


def test_a_balance_follows_from_the_one_before() -> None:
    assert statement.balance_holds(100, 50, 30, 120)
    assert statement.balance_holds(-100, 0, 0, -100)
    for at in range(4):
        figures = [100, 50, 30, 120]
        figures[at] += 1
        assert not statement.balance_holds(*figures)


@pytest.mark.parametrize(("number", "packets"), [(1, 1), (1, 3), (3, 3)])
def test_a_packet_is_one_of_those_that_there_are(number: int, packets: int) -> None:
    assert statement.packet_holds(number, packets)


@pytest.mark.parametrize(("number", "packets"), [(0, 3), (4, 3), (1, 0)])
def test_there_is_no_other_packet(number: int, packets: int) -> None:
    assert not statement.packet_holds(number, packets)


def test_a_period_may_be_one_day_but_not_end_before_it_begins() -> None:
    assert statement.period_holds("20260301", "20260301")
    assert statement.period_holds("20261231", "20270101")
    assert not statement.period_holds("20260302", "20260301")


def test_the_stated_number_of_rows_is_theirs() -> None:
    assert statement.count_holds(0, 0)
    assert not statement.count_holds(1, 0)


VOUCHER = (100, 2)


@pytest.mark.parametrize(
    ("comparison", "agreeing", "differing"),
    [
        (Comparison.AMOUNT_AND_COUNT, [(100, 2)], [(99, 2), (100, 1), (0, 0)]),
        (Comparison.AMOUNT, [(100, 2), (100, 0)], [(99, 2), (101, 0)]),
        (Comparison.NOTHING, [(100, 2), (0, 0)], []),
        (Comparison.DIFFERS, [], [(100, 2), (0, 0)]),
    ],
)
def test_a_receipt_agrees_by_what_it_is_compared_by(
    comparison: Comparison,
    agreeing: list[tuple[int, int]],
    differing: list[tuple[int, int]],
) -> None:
    for stated in agreeing:
        assert receipt_agrees(comparison, VOUCHER, stated)
    for stated in differing:
        assert not receipt_agrees(comparison, VOUCHER, stated)
