"""The lines of the day's balance sheet: one wrong fen in anybody's books is found."""

from __future__ import annotations

import pytest

from counterfoil.day.balance import Accounts, Line, Term, sheet
from counterfoil.day.cast import FINANCE, SPECIAL_ACCOUNT, SPECIAL_BANK
from counterfoil.day.lines import LINES, OF_SPECIAL

HELD = f"accounts.{SPECIAL_ACCOUNT}"
ACCOUNTS: Accounts = {
    FINANCE.code: {"special": 2, "special_fen": 350, "special_balance_fen": 650},
    SPECIAL_BANK.code: {"special": 2, "special_fen": 350, HELD: 650},
}


def terms(lines: tuple[Line, ...]) -> list[Term]:
    return [term for line in lines for side in line.sides for term in side.terms]


def test_the_special_account_is_in_the_final_sheet() -> None:
    assert set(OF_SPECIAL) <= set(LINES)


def test_books_that_agree_on_the_special_account_make_its_lines_agree() -> None:
    assert all(entry.agrees for entry in sheet(OF_SPECIAL, ACCOUNTS))


@pytest.mark.parametrize("term", terms(OF_SPECIAL), ids=str)
def test_one_more_in_one_partys_books_makes_its_line_differ(term: Term) -> None:
    told = {**ACCOUNTS[term.party], term.name: ACCOUNTS[term.party][term.name] + 1}

    entries = sheet(OF_SPECIAL, {**ACCOUNTS, term.party: told})

    differing = [entry.line for entry in entries if not entry.agrees]
    assert [term in terms((line,)) for line in differing] == [True]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.title)
def test_every_line_is_known_by_two_sides_of_different_terms(line: Line) -> None:
    assert len({side.terms for side in line.sides}) == len(line.sides) >= 2
