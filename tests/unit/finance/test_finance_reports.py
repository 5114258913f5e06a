"""The treasury's reports and statements, booked, compared and answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.business.tables import OutboxState
from counterfoil.domain.standing import Standing
from counterfoil.finance import accounts
from counterfoil.finance.kinds import (
    APPROPRIATION,
    CHECK_REPLY,
    DIRECT_QUOTA,
    EXPENDITURE_REPLY,
    REVENUE_REPLY,
)
from counterfoil.finance.orders import Order
from counterfoil.office import Form, Voucher
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    BANK,
    DAY,
    SCHOOL,
    balance_report,
    changed,
    daily_check,
    expenditure_report,
    expenditure_statement,
    refund,
    revenue_report,
    revenue_statement,
)

VAT = "1010101"
FUNCTION = "2010101"
OPENING = 100_000


def bridge(fen: int = 900, number: str = "BK1") -> Order:
    return Order(
        number=number,
        unit=SCHOOL.code,
        function=FUNCTION,
        amount_fen=fen,
        purpose="校舍维修",
        payee_account="622200001111",
        payee_name="湖北建设公司",
        payee_bank_no="105521000000",
    )


@pytest.fixture
def spending(house: House) -> House:
    """Return finance after 5,000 fen of revenue and an appropriation of 900."""
    house.run(revenue_report(DAY, ((VAT, "2", 5000, 5000),)))
    house.order(APPROPRIATION, bridge())
    house.answered(APPROPRIATION)
    return house


def result(house: House, digest: bytes) -> tuple[str, str, list[tuple[str, str]]]:
    """Return result, reason, and the rows that differ, of an answer of ours."""
    form = house.told_of(digest).balance_report
    rows = [(row.id, row.x_check_result) for row in form.rows]
    return form.x_check_result, form.x_check_reason, rows


@pytest.mark.clause("hubei-25")
def test_revenue_is_accepted_and_booked_once(house: House) -> None:
    report = revenue_report(DAY, ((VAT, "2", 5000, 5000), ("1030101", "1", 70, 70)))

    [digest] = house.run(report)
    house.run(report)

    assert house.standing(digest) is Standing.ACCEPTED
    found = house.totals
    assert (found.revenue_fen, found.balance_fen) == (5070, OPENING + 5070)
    assert house.findings() == []


def test_what_is_posted_twice_is_in_the_ledger_once(house: House) -> None:
    report = revenue_report(DAY, ((VAT, "2", 5000, 5000),))

    with house.books.writing() as session:
        accounts.post(session, b"1" * 32, report, DAY)
        accounts.post(session, b"1" * 32, report, DAY)

    assert house.totals.revenue_fen == 5000


def test_revenue_of_another_day_adds_to_it(house: House) -> None:
    house.run(revenue_report(DAY, ((VAT, "2", 5000, 5000),)))

    house.run(revenue_report("20260302", ((VAT, "2", 10, 5010),)))

    assert house.totals.revenue_fen == 5010
    assert house.findings() == []


def test_a_report_that_never_came_shows_in_the_totals_of_the_next(
    house: House,
) -> None:
    house.run(revenue_report("20260302", ((VAT, "2", 10, 5010),)))

    assert house.findings() == [("SR20260302", f"科目{VAT}本年累计与账簿不符")]
    assert house.totals.differs == 1


def from_a_bank(voucher: Voucher) -> Voucher:
    return replace(voucher, key=replace(voucher.key, issuer=BANK))


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            changed(revenue_report(DAY, ((VAT, "2", 50, 50),)), sum_money_fen=51),
            "合计金额与明细不符",
        ),
        (from_a_bank(revenue_report(DAY, ((VAT, "2", 50, 50),))), "发送方不是本级国库"),
    ],
)
def test_revenue_that_is_wrong_is_rejected_and_not_booked(
    house: House, wrong: Voucher, reason: str
) -> None:
    [digest] = house.run(wrong)

    assert house.standing(digest) is Standing.REJECTED
    assert house.reason(digest) == reason
    assert house.totals.revenue_fen == 0


def test_expenditure_that_agrees_is_taken_and_what_differs_is_found(
    spending: House,
) -> None:
    [good] = spending.run(expenditure_report(DAY, ((FUNCTION, 900),)))
    assert spending.findings() == []

    spending.run(expenditure_report("20260302", (("9", 1),)))

    assert spending.standing(good) is Standing.ACCEPTED
    assert spending.findings() == [("ZC20260302", "功能科目9当日支出与账簿不符")]


def test_revenue_is_no_expenditure_in_what_is_compared(house: House) -> None:
    house.run(revenue_report(DAY, ((FUNCTION, "2", 5000, 5000),)))

    house.run(expenditure_report(DAY, ((FUNCTION, 1),)))

    assert len(house.findings()) == 1


@pytest.mark.clause("hubei-29.1")
def test_a_balance_that_agrees_is_answered_so(spending: House) -> None:
    [digest] = spending.run(balance_report(DAY, OPENING, 5000, 900))

    assert spending.standing(digest) is Standing.RECEIPTED
    assert result(spending, digest) == ("0", "", [])


@pytest.mark.parametrize(
    ("yesterday", "came", "paid"),
    [
        (OPENING + 1, 5000, 900),
        (OPENING, 5001, 900),
        (OPENING, 5000, 899),
        (OPENING, 5001, 901),
    ],
)
def test_a_balance_that_is_not_ours_is_answered_with_the_row_and_found(
    spending: House, yesterday: int, came: int, paid: int
) -> None:
    [digest] = spending.run(balance_report(DAY, yesterday, came, paid))

    assert result(spending, digest) == ("1", "库存余额与账簿不符", [("1", "1")])
    assert spending.totals.differs == 1


def test_the_balance_of_another_account_does_not_agree(spending: House) -> None:
    report = balance_report(DAY, OPENING, 5000, 900, account="9")

    [digest] = spending.run(report)

    assert result(spending, digest)[:2] == ("1", "账户不是国库单一账户")


def test_what_was_found_is_told_the_same_after_the_books_went_on(
    spending: House,
) -> None:
    """A verdict is fixed when it is made: an answer that is asked again is the same."""
    report = balance_report(DAY, OPENING, 5000, 900)
    [digest] = spending.run(report)
    before = spending.told_of(digest)
    spending.order(APPROPRIATION, bridge(number="BK2"))
    spending.answered(APPROPRIATION, 1)

    spending.run(report)

    assert spending.told_of(digest) == before


@pytest.mark.clause("hubei-21a")
def test_the_vouchers_of_a_day_are_answered_as_we_have_them(spending: House) -> None:
    spending.order(APPROPRIATION, bridge(7, number="BK2"))
    spending.given_back(APPROPRIATION, 1)
    spending.order(APPROPRIATION, bridge(8, number="BK3"))

    [digest] = spending.run(daily_check(DAY, "5207"))

    assert spending.standing(digest) is Standing.ACCEPTED
    [reply] = spending.issued(CHECK_REPLY)
    assert spending.state(CHECK_REPLY) is OutboxState.SENT
    assert [
        (row["voucher_no"], row["amt_fen"], row["pro_state"]) for row in reply.form.rows
    ] == [("SBBK1", 900, "0"), ("SBBK2", 7, "1")]
    assert reply.form.fen("all_amt_fen") == 907


def test_a_check_of_another_day_or_kind_has_other_vouchers(spending: House) -> None:
    spending.allot()
    spending.turn()
    spending.answered(DIRECT_QUOTA)
    spending.copied(refund("TK1", (("ZF1", "101", FUNCTION, -40),)))

    spending.run(
        daily_check("20260302", "5207"),
        daily_check(DAY, "5108"),
        daily_check(DAY, "2302"),
    )

    replies = [
        [(row["voucher_no"], row["amt_fen"]) for row in one.form.rows]
        for one in spending.issued(CHECK_REPLY)
    ]
    assert sorted(replies) == [[], [("TK1", -40)], [("ZE2026000001", 1000)]]


def results_of(voucher: Voucher) -> list[tuple[str, str]]:
    return [
        (str(row["x_check_result"]), str(row.get("x_check_reason", "")))
        for row in voucher.form.rows
    ]


@pytest.mark.clause("hubei-29.1")
def test_revenue_of_a_month_that_agrees_is_answered_row_by_row(
    spending: House,
) -> None:
    spending.run(revenue_statement(((VAT, "2", 5000, 5000),)))

    [reply] = spending.issued(REVENUE_REPLY)
    assert spending.state(REVENUE_REPLY) is OutboxState.SENT
    assert reply.form.text("x_check_result") == "0"
    assert results_of(reply) == [("0", "")]
    assert reply.form.text("voucher_check_no") == "DZ202603"
    assert spending.findings() == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ((VAT, "2", 4999, 5000), f"科目{VAT}收入与账簿不符"),
        ((VAT, "2", 5000, 5001), f"科目{VAT}收入与账簿不符"),
        ((VAT, "1", 5000, 5000), f"科目{VAT}收入与账簿不符"),
    ],
)
def test_revenue_that_is_not_ours_is_answered_so_and_found(
    spending: House, line: tuple[str, str, int, int], reason: str
) -> None:
    spending.run(revenue_statement((line,)))

    [reply] = spending.issued(REVENUE_REPLY)
    assert reply.form.text("x_check_result") == "1"
    assert results_of(reply) == [("1", reason)]
    assert reply.form.fen("x_diff_num") == 1
    assert spending.totals.differs == 1
    assert spending.state(REVENUE_REPLY) is OutboxState.SENT


def test_revenue_that_no_row_states_does_not_agree_unless_other_packets_follow(
    spending: House,
) -> None:
    spending.run(revenue_report("20260302", (("1030101", "1", 70, 70),)))

    spending.run(revenue_statement(((VAT, "2", 5000, 5000),)))
    spending.run(revenue_statement(((VAT, "2", 5000, 5000),), packets=2))

    whole, packet = spending.issued(REVENUE_REPLY)
    assert whole.form.text("x_check_result") == "1"
    assert packet.form.text("x_check_result") == "0"


def test_expenditure_of_a_month_is_answered_row_by_row(spending: House) -> None:
    spending.run(expenditure_statement(((FUNCTION, 900, 900),)))

    [reply] = spending.issued(EXPENDITURE_REPLY)
    assert spending.state(EXPENDITURE_REPLY) is OutboxState.SENT
    assert (reply.form.text("x_check_result"), results_of(reply)) == ("0", [("0", "")])


@pytest.mark.parametrize(
    "lines",
    [
        ((FUNCTION, 901, 900),),
        ((FUNCTION, 900, 899),),
        ((FUNCTION, 900, 900), ("9", 1, 1)),
        (("9", 0, 0),),
    ],
)
def test_expenditure_that_is_not_ours_is_answered_so(
    spending: House, lines: tuple[tuple[str, int, int], ...]
) -> None:
    spending.run(expenditure_statement(lines))

    [reply] = spending.issued(EXPENDITURE_REPLY)
    assert reply.form.text("x_check_result") == "1"
    assert spending.totals.differs == 1


def test_a_form_of_ours_has_what_the_statement_says(spending: House) -> None:
    stated = expenditure_statement(((FUNCTION, 900, 900),))
    spending.run(stated)

    [reply] = spending.issued(EXPENDITURE_REPLY)

    same = ("begin_date", "end_date", "all_num", "all_amt_fen", "tre_name")
    assert {name: reply.form.fields[name] for name in same} == {
        name: stated.form.fields[name] for name in same
    }
    assert Form({}, stated.form.rows).rows[0].items() <= reply.form.rows[0].items()
