"""Income that was entered wrongly is taken back and entered rightly, on an open day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfoil.treasury import closing, totals
from counterfoil.treasury.books import Books, Income, IncomeCorrection
from counterfoil.treasury.corrections import Right, correct
from counterfoil.treasury.incomes import Entered, enter
from counterfoil.treasury.reports import balance_report
from tests.unit.treasury.papers import ACCOUNT, OFFICE

FIRST, SECOND = "20260301", "20260302"
WRONG = Entered(number="A1", day=FIRST, level="2", subject="1010101", amount_fen=500)
OTHER = Entered(number="A2", day=SECOND, level="2", subject="1010101", amount_fen=900)
RIGHT = Right(subject="1010401")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """Return books whose first day is reported, with one entry on it."""
    made = Books(f"sqlite:///{tmp_path}/books.sqlite", ACCOUNT, 0)
    with made.writing() as session:
        enter(session, [WRONG], FIRST)
        closing.close(session, FIRST, FIRST)
    yield made
    made.close()


def corrected(
    books: Books,
    right: Right | None = RIGHT,
    number: str = "A1",
    reason: str = "科目有误",
) -> list[str]:
    with books.writing() as session:
        made = correct(session, number, right, reason, SECOND)
        return [one.number for one in made]


@pytest.mark.clause("hubei-34")
def test_the_wrong_entry_stays_and_two_that_name_it_put_it_right(books: Books) -> None:
    assert corrected(books) == ["A1-1", "A1-2"]

    with books.reading() as session:
        booked = {one.number: one for one in session.query(Income)}
        [named] = session.query(IncomeCorrection)
        day = totals.revenue(session, SECOND).day
        year = totals.revenue(session, SECOND).year
    assert (booked["A1"].amount_fen, booked["A1"].day) == (500, FIRST)
    assert {booked[one].day for one in ("A1-1", "A1-2")} == {SECOND}
    assert booked["A1-1"].reason == booked["A1-2"].reason == "更正A1：科目有误"
    assert (named.number, named.reversal, named.right) == ("A1", "A1-1", "A1-2")
    assert day == {("2", "1010101"): -500, ("2", "1010401"): 500}
    assert year == {("2", "1010101"): 0, ("2", "1010401"): 500}


def test_a_closed_day_is_not_booked_on(books: Books) -> None:
    with books.writing() as session:
        closing.close(session, SECOND, SECOND)

    corrected(books)

    with books.reading() as session:
        entry = session.get_one(Income, "A1-1")
        assert entry.day == "20260303"
        assert "日报已生成" in entry.reason


def test_the_balance_of_the_day_tells_a_correction_by_subject(books: Books) -> None:
    with books.writing() as session:
        enter(session, [OTHER], SECOND)
    corrected(books)

    with books.reading() as session:
        [row] = balance_report(session, OFFICE, SECOND).form.rows

    # 900 - 500 of the one subject, 500 of the other: nothing was paid.
    assert (row["today_receipt_fen"], row["today_pay_fen"]) == (900, 0)
    assert row["today_balance_fen"] == 500 + 900


def test_what_never_came_in_is_only_taken_back(books: Books) -> None:
    assert corrected(books, None) == ["A1-1"]

    with books.reading() as session:
        assert sum(totals.revenue(session, SECOND).year.values()) == 0


def test_an_entry_is_corrected_once_and_the_right_one_again(books: Books) -> None:
    corrected(books)

    with pytest.raises(ValueError, match="已更正"):
        corrected(books)
    with pytest.raises(ValueError, match="不能再更正"):
        corrected(books, number="A1-1")
    assert corrected(books, Right(amount_fen=400), "A1-2") == ["A1-2-1", "A1-2-2"]


@pytest.mark.parametrize(
    ("right", "number", "reason", "why"),
    [
        (RIGHT, "A9", "x", "没有收入A9"),
        (RIGHT, "A1", " ", "须说明更正原因"),
        (Right(amount_fen=500), "A1", "x", "相同"),
        (Right(amount_fen=0), "A1", "x", "not more than zero"),
        (Right(level="x"), "A1", "x", "no level"),
    ],
)
def test_what_cannot_be_right_changes_nothing(
    books: Books, right: Right, number: str, reason: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        corrected(books, right, number, reason)

    with books.reading() as session:
        assert session.query(Income).count() == 1
