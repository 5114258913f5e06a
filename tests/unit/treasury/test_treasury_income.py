"""Income of the single account, the daily reports, and the day that they close."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import delete, update

from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.domain.standing import Standing
from counterfoil.office import Voucher
from counterfoil.treasury import accounts, closing
from counterfoil.treasury.books import Books, Income
from counterfoil.treasury.incomes import enter, invented, read_income
from counterfoil.treasury.recompute import recompute
from counterfoil.treasury.reports import reports_of
from tests.unit.treasury.papers import ACCOUNT, DAY, OFFICE, appropriation, came
from tests.unit.treasury.treasury_desk import OPENING_FEN, Treasury

NEXT = "20260302"
VAT, TAX = "1010101", "1010601"


def booked(treasury: Treasury, number: str) -> Income:
    with treasury.books.reading() as session:
        return session.get_one(Income, number)


def report(treasury: Treasury, day: str, type_code: int) -> Voucher:
    with treasury.books.reading() as session:
        [one] = [
            each
            for each in reports_of(session, OFFICE, day)
            if each.key.type_code == type_code
        ]
    return one


def test_income_raises_the_balance_and_is_told(treasury: Treasury) -> None:
    treasury.enter(came("A1", 500), came("A2", 70))

    assert treasury.balance_fen() == OPENING_FEN + 570
    with treasury.books.reading() as session:
        told = accounts.figures(session)
    assert (told.incomes, told.income_fen) == (2, 570)
    assert told.balance_fen == told.opening_fen + told.income_fen


def test_an_entry_that_is_made_twice_is_booked_once(treasury: Treasury) -> None:
    assert len(treasury.enter(came("A1"))) == 1
    assert treasury.enter(came("A1")) == []

    assert treasury.balance_fen() == OPENING_FEN + 500


def test_a_number_of_another_entry_is_refused_and_nothing_is_booked(
    treasury: Treasury,
) -> None:
    treasury.enter(came("A1"))

    with pytest.raises(ValueError, match="A1: the number is another's"):
        treasury.enter(came("A2"), came("A1", 501))

    assert treasury.balance_fen() == OPENING_FEN + 500


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"number": ""}, "the number is not"),
        ({"number": "流水"}, "the number is not"),
        ({"level": "9"}, "no level '9'"),
        ({"subject": "十"}, "no subject"),
        ({"amount_fen": 0}, "not more than zero"),
        ({"amount_fen": -1}, "not more than zero"),
        ({"day": NEXT}, "20260302 has not come yet"),
    ],
)
def test_what_cannot_be_income_is_refused(
    treasury: Treasury, wrong: dict[str, str | int], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        treasury.enter(replace(came("A1"), **wrong))  # type: ignore[arg-type]

    assert treasury.balance_fen() == OPENING_FEN


def test_a_file_of_income_is_read_line_by_line() -> None:
    text = "number,day,level,subject,amount\nA1,20260301,2,1010101,12.34\n"

    assert read_income(text) == [came("A1", 1234)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("number,day\n", "first line"),
        ("number,day,level,subject,amount\nA1,20260231,2,1010101,1.00\n", "line 2"),
        ("number,day,level,subject,amount\nA1,20260301,2,1010101,1\n", "line 2"),
        ("number,day,level,subject,amount\nA1,20260301,2\n", "line 2"),
    ],
)
def test_a_file_that_is_none_of_income_is_refused_with_its_line(
    text: str, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        read_income(text)


def test_the_simulator_makes_the_same_of_the_same_number(treasury: Treasury) -> None:
    entries = invented(7, DAY, 20)

    assert entries == invented(7, DAY, 20)
    assert entries != invented(8, DAY, 20)
    assert len(treasury.enter(*entries)) == 20


def test_revenue_is_told_by_level_and_subject_for_day_month_and_year(
    treasury: Treasury,
) -> None:
    treasury.live_on("20260302")
    treasury.enter(
        came("A1", 1000, day="20260131", subject=VAT),
        came("A2", 200, day="20260301", subject=VAT),
        came("A3", 30, day="20260302", subject=VAT),
        came("A4", 4, day="20260302", subject=TAX),
        replace(came("A5", 5, day="20260302", subject=VAT), level="0"),
        came("A6", 9000, day="20251231", subject=VAT),
    )

    revenue = report(treasury, "20260302", 3401)

    assert [
        (
            row["budget_level_code"],
            row["budget_subject_code"],
            row["day_amt_fen"],
            row["month_amt_fen"],
            row["year_amt_fen"],
        )
        for row in revenue.form.rows
    ] == [("0", VAT, 5, 5, 5), ("2", VAT, 30, 230, 1230), ("2", TAX, 4, 4, 4)]
    assert revenue.form.fen("sum_money_fen") == 39
    assert revenue.form.text("period_type_code") == "1"


def test_a_report_says_nothing_of_the_days_after_it(treasury: Treasury) -> None:
    treasury.live_on(NEXT)
    treasury.enter(came("A1"), came("A2", 70, day=NEXT))

    [row] = report(treasury, DAY, 3401).form.rows

    assert row["year_amt_fen"] == 500


def test_before_anything_came_in_there_is_no_report_of_revenue(
    treasury: Treasury,
) -> None:
    treasury.run(appropriation("B1"))

    with treasury.books.reading() as session:
        made = [one.key.type_code for one in reports_of(session, OFFICE, DAY)]
    assert made == [3402, 3410]


def test_income_is_in_the_balance_of_its_day(treasury: Treasury) -> None:
    treasury.enter(came("A1", 900))
    treasury.run(appropriation("B1"))

    [row] = report(treasury, DAY, 3402).form.rows

    assert row["today_receipt_fen"] == 900
    assert row["today_pay_fen"] == 350
    assert row["today_balance_fen"] == OPENING_FEN + 550 == treasury.balance_fen()


def test_income_of_a_day_that_was_reported_goes_into_the_next_with_the_reason(
    treasury: Treasury,
) -> None:
    treasury.enter(came("A1"))
    treasury.system().report(DAY)
    before = report(treasury, DAY, 3401)

    treasury.enter(came("A2", 70))

    late = booked(treasury, "A2")
    assert (late.came, late.day) == (DAY, NEXT)
    assert late.reason == "20260301日报已生成，记入20260302"
    assert booked(treasury, "A1").reason == ""
    assert report(treasury, DAY, 3401) == before
    [row] = report(treasury, NEXT, 3401).form.rows
    assert (row["day_amt_fen"], row["year_amt_fen"]) == (70, 570)


def test_income_of_a_day_before_the_last_closed_one_goes_behind_that(
    treasury: Treasury,
) -> None:
    treasury.close_day(DAY)

    treasury.enter(came("A1", day="20260225"))

    assert booked(treasury, "A1").day == NEXT


def test_a_late_entry_that_is_made_twice_is_booked_once(treasury: Treasury) -> None:
    treasury.enter(came("A1"))
    treasury.close_day(DAY)

    assert treasury.enter(came("A1")) == []
    assert booked(treasury, "A1").day == DAY


def test_a_payment_after_the_report_of_its_day_is_booked_and_receipted_on_the_next(
    treasury: Treasury,
) -> None:
    treasury.run(appropriation("B1"))
    treasury.system().report(DAY)
    before = report(treasury, DAY, 3402)

    [digest] = treasury.run(appropriation("B2"))

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.receipt(digest).appropriation.rows[0].x_pay_date == NEXT
    one = treasury.books.incoming(digest)
    assert one is not None
    assert (one.day, one.note) == (NEXT, "20260301日报已生成，记入20260302")
    assert report(treasury, DAY, 3402) == before
    [row] = report(treasury, NEXT, 3402).form.rows
    assert row["today_pay_fen"] == 350


def test_a_day_is_not_closed_while_another_program_books_on_it(
    treasury: Treasury,
) -> None:
    other = Books(treasury.url, ACCOUNT, OPENING_FEN)
    told: list[Voucher] = []

    def close() -> None:
        with other.writing() as session:
            closing.close(session, DAY, DAY)
            told.extend(reports_of(session, OFFICE, DAY))

    closes = threading.Thread(target=close)
    with treasury.books.writing() as session:
        day = closing.open_day(session, DAY)
        closes.start()
        closes.join(timeout=0.2)
        assert closes.is_alive()
        enter(session, [came("A1")], DAY)
    closes.join()
    other.close()

    assert booked(treasury, "A1").day == day == DAY
    assert [one.form.fen("sum_money_fen") for one in told[1:]] == [500]


def test_a_day_is_reported_once_with_the_same_bytes(treasury: Treasury) -> None:
    treasury.enter(came("A1"))
    assert treasury.system().report(DAY) == []
    sent = list(treasury.desk.issued)

    treasury.live_on(NEXT)
    assert treasury.system().report(DAY) == []
    treasury.live()

    assert list(treasury.desk.issued) == sent
    assert len(treasury.desk.submitted) == len(sent) == 2


def test_a_report_that_was_planned_before_the_program_died_is_sent_by_the_next(
    treasury: Treasury, monkeypatch: pytest.MonkeyPatch
) -> None:
    treasury.enter(came("A1"))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("counterfoil.business.outbox.Outbox.work", dies)
        with pytest.raises(KeyboardInterrupt):
            treasury.system().report(DAY)
    assert treasury.desk.submitted == []
    # The day is closed already: what the report says was decided with it.
    treasury.enter(came("A2"))
    assert booked(treasury, "A2").day == NEXT

    treasury.live()

    revenue = [
        one for one in treasury.desk.issued.values() if one.key.type_code == 3401
    ]
    assert [one.form.fen("sum_money_fen") for one in revenue] == [500]


def test_a_report_that_came_back_goes_out_again_as_its_next_issue(
    treasury: Treasury,
) -> None:
    treasury.system().report(DAY)
    with treasury.books.writing() as session:
        session.execute(update(OutboxEntry).values(state=OutboxState.REJECTED))

    treasury.system().report(DAY)
    treasury.system().report(DAY)

    first, second = treasury.desk.issued.items()
    assert (second[1].key.issue, second[1].replaces) == (2, first[0])
    assert second[1].form == first[1].form


def differences(treasury: Treasury) -> list[str]:
    return list(recompute(treasury.client, treasury.books, OFFICE))


def test_income_is_compared_with_the_reports_in_the_vault(treasury: Treasury) -> None:
    treasury.enter(came("A1"), came("A2", 70))
    treasury.system().report(DAY)
    treasury.live_on(NEXT)
    treasury.enter(came("A3", 5, day=NEXT))
    assert differences(treasury) == []

    with treasury.books.writing() as session:
        session.execute(
            update(Income).where(Income.number == "A2").values(amount_fen=71)
        )

    assert differences(treasury) == [
        "报表420000-001/2026/3401/SR20260301与账簿不符",
        "报表420000-001/2026/3402/KC20260301与账簿不符",
    ]


def test_income_that_was_taken_out_is_found_by_its_report(treasury: Treasury) -> None:
    treasury.enter(came("A1"))
    treasury.system().report(DAY)
    with treasury.books.writing() as session:
        session.execute(delete(Income))

    assert len(differences(treasury)) == 2
