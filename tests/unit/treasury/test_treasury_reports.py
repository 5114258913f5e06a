from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from counterfoil.office import Form, Voucher
from counterfoil.treasury import accounts
from counterfoil.treasury.books import Posting, QuotaChange
from counterfoil.treasury.recompute import recompute
from counterfoil.treasury.reports import reports_of
from tests.unit.treasury.papers import (
    ACCOUNT,
    FINANCE,
    OFFICE,
    application,
    appropriation,
    came,
    order,
    quota_notice,
    refund,
)
from tests.unit.treasury.treasury_desk import NOON, OPENING_FEN, Treasury


def reports(treasury: Treasury, day: str) -> list[Voucher]:
    with treasury.books.reading() as session:
        return reports_of(session, OFFICE, day)


def live_three_days(treasury: Treasury) -> None:
    """Pay on two days in February and March, clear and refund on the third."""
    treasury.clock = lambda: NOON - timedelta(days=1)
    treasury.run(appropriation("B1", (("", "2010101", 1000),)), quota_notice("E1"))
    treasury.clock = lambda: NOON
    treasury.run(appropriation("B2", (("", "2020101", 40),)))
    treasury.clock = lambda: NOON + timedelta(days=1)
    treasury.run(application("S1"), order("Q1", "S1"))
    treasury.run(refund("T1"))


def test_the_balances_of_each_day_add_up_and_go_on_from_the_day_before(
    treasury: Treasury,
) -> None:
    live_three_days(treasury)

    figures = []
    for day in ("20260228", "20260301", "20260302"):
        report = reports(treasury, day)[0]
        [row] = report.form.rows
        assert (report.key.type_code, report.recipients) == (3402, (FINANCE,))
        assert row["acct_code"] == ACCOUNT
        figures.append(
            tuple(
                int(row[f"{name}_fen"])
                for name in (
                    "yesterday_balance",
                    "today_receipt",
                    "today_pay",
                    "today_balance",
                )
            )
        )

    assert figures == [
        (OPENING_FEN, 0, 1000, 9000),
        (9000, 0, 40, 8960),
        (8960, 100, 350, 8710),
    ]
    assert treasury.balance_fen() == 8710


def test_expenditure_is_told_by_function_for_day_month_and_year(
    treasury: Treasury,
) -> None:
    live_three_days(treasury)

    report = reports(treasury, "20260302")[1]

    assert report.key.type_code == 3410
    assert [
        (
            row["budget_subject_code"],
            row["pay_amt_fen"],
            row["month_amt_fen"],
            row["year_amt_fen"],
        )
        for row in report.form.rows
    ] == [("2010101", 250, 250, 1250), ("2020101", 0, 40, 40)]
    form = report.form
    assert form.fen("sum_money_fen") == 250
    assert form.fen("sum_month_amt_fen") == 290
    assert form.fen("sum_year_amt_fen") == 1290


def test_before_anything_was_spent_there_is_no_report_of_expenditure(
    treasury: Treasury,
) -> None:
    treasury.run(quota_notice("E1"))

    assert [one.key.type_code for one in reports(treasury, "20260301")] == [3402]


def test_a_report_is_the_same_however_often_it_is_made(treasury: Treasury) -> None:
    live_three_days(treasury)

    assert reports(treasury, "20260301") == reports(treasury, "20260301")


def test_what_every_flow_moved_makes_the_balance(treasury: Treasury) -> None:
    live_three_days(treasury)
    treasury.enter(came("A1", 7, "20260228"))

    with treasury.books.reading() as session:
        told = accounts.figures(session)

    assert (told.appropriated_fen, told.cleared_fen, told.refunded_fen) == (
        1040,
        350,
        100,
    )
    assert told.balance_fen == (
        told.opening_fen
        + told.income_fen
        + told.refunded_fen
        - told.appropriated_fen
        - told.cleared_fen
    )


def test_the_figures_count_statements_and_their_answers(treasury: Treasury) -> None:
    live_three_days(treasury)
    for day, result in (("20260228", "0"), ("20260301", "1"), ("20260302", "")):
        treasury.system().report(day)
        balance = treasury.stated(3402)[-1]
        if result:
            treasury.desk.answer(balance, Form({"x_check_result": result}))
    treasury.live()

    with treasury.books.reading() as session:
        told = accounts.figures(session)

    assert (told.statements, told.answered, told.differing) == (3, 2, 1)


def differences(treasury: Treasury) -> list[str]:
    return list(recompute(treasury.client, treasury.books, OFFICE))


def test_books_that_follow_from_the_vault_differ_in_nothing(
    treasury: Treasury,
) -> None:
    live_three_days(treasury)
    treasury.run(appropriation("B9", (("", "2010101", 99_999),)))  # returned

    assert differences(treasury) == []


@pytest.mark.parametrize("table", [Posting, QuotaChange])
def test_a_changed_amount_is_found_and_its_voucher_named(
    treasury: Treasury, table: type[Posting | QuotaChange]
) -> None:
    live_three_days(treasury)
    with treasury.books.writing() as session:
        session.execute(
            update(table).where(table.id == 1).values(amount_fen=table.amount_fen + 1)
        )

    [told] = differences(treasury)

    assert ("B1" if table is Posting else "E1") in told


def test_amounts_that_change_places_are_found(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"))
    with treasury.books.writing() as session:
        session.execute(
            update(QuotaChange).where(QuotaChange.unit == "101").values(unit="103")
        )

    [told] = differences(treasury)

    assert "E1" in told


def test_a_posting_that_was_taken_out_is_found(treasury: Treasury) -> None:
    treasury.run(appropriation("B1"))
    with treasury.books.writing() as session:
        session.execute(delete(Posting))

    [told] = differences(treasury)

    assert told.endswith("已办理，未记账")


def test_a_posting_without_an_act_in_the_vault_is_found(treasury: Treasury) -> None:
    [digest] = treasury.run(order("Q1", "S1"))
    with treasury.books.writing() as session:
        session.add(Posting(digest=digest, function="1", amount_fen=-1, day="20260301"))

    [told] = differences(treasury)

    assert told.endswith("已记账，凭证库中未办理")
