"""The balance sheet: which numbers must be equal, and who says what."""

from __future__ import annotations

import pytest

from counterfoil.day.balance import Accounts, Line, Side, Term, sheet

INCOME = Line(
    title="收入 revenue",
    source="article 25",
    sides=(
        Side("treasury", (Term("T", "income_fen"),)),
        Side("finance", (Term("F", "revenue_fen"),)),
    ),
)
BALANCE = Line(
    title="库款 balance",
    source="article 26",
    sides=(
        Side("balance", (Term("T", "balance_fen"),)),
        Side(
            "movements",
            (
                Term("T", "opening_fen"),
                Term("T", "income_fen"),
                Term("F", "spent_fen", -1),
            ),
        ),
    ),
)
ACCOUNTS: Accounts = {
    "T": {"income_fen": 70, "opening_fen": 100, "balance_fen": 120},
    "F": {"revenue_fen": 70, "spent_fen": 50},
}


def with_number(party: str, name: str, value: int) -> Accounts:
    return {**ACCOUNTS, party: {**ACCOUNTS[party], name: value}}


@pytest.mark.parametrize("line", [INCOME, BALANCE])
def test_a_line_agrees_when_every_side_says_the_same(line: Line) -> None:
    [entry] = sheet([line], ACCOUNTS)

    assert entry.agrees


def test_what_is_taken_off_is_subtracted() -> None:
    [entry] = sheet([BALANCE], ACCOUNTS)

    assert entry.values == (120, 120)


def test_one_fen_makes_a_line_differ_and_both_sides_are_named() -> None:
    [entry] = sheet([INCOME], with_number("F", "revenue_fen", 71))

    assert not entry.agrees
    assert str(entry) == "收入 revenue: treasury 70, finance 71"


def test_books_that_are_silent_agree_with_nobody() -> None:
    accounts = {**ACCOUNTS, "F": {"spent_fen": 50}}

    [entry] = sheet([INCOME], accounts)

    assert not entry.agrees
    assert str(entry) == "收入 revenue: treasury 70, finance says nothing"


def test_two_silent_sides_do_not_agree() -> None:
    [entry] = sheet([INCOME], {})

    assert not entry.agrees


def test_lines_keep_their_order() -> None:
    titles = [entry.line.title for entry in sheet([BALANCE, INCOME], ACCOUNTS)]

    assert titles == [BALANCE.title, INCOME.title]
