"""What a person has to look at, and when it is late."""

from __future__ import annotations

import tracemalloc
from datetime import date, timedelta

import pytest

from counterfoil.business.planning import find
from counterfoil.business.working_days import WorkingDays
from counterfoil.finance import remedies
from counterfoil.finance.alerts import Watch
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    APPROPRIATION,
    DIRECT_QUOTA,
    PAYMENT,
)
from counterfoil.finance.statements import Month, plan_statements, statements_of
from counterfoil.finance.tables import Receipted
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    ACCOUNT,
    BANK,
    DAY,
    OFFICE,
    application,
    balance_report,
    expenditure_statement,
    revenue_report,
    revenue_statement,
)
from tests.unit.finance.test_finance_orders import ORDER

MARCH = Month.named("202603")
VAT = "1010101"
# The first two working days of April 2026 are the 1st and the 2nd.
IN_TIME, LATE = "20260402", "20260403"


def alerts(house: House, today: str, calendar: WorkingDays | None = None) -> list[str]:
    watch = Watch(OFFICE, calendar or WorkingDays())
    with house.books.reading() as session:
        return list(watch.alerts(session, today))


def state(house: House) -> list[str]:
    with house.books.writing() as session:
        due = [
            one.key.number
            for one in statements_of(session, OFFICE, MARCH)
            if find(session, one.key) is None
        ]
        assert plan_statements(session, OFFICE, MARCH, "20260401") == len(due)
    house.turn()
    return due


@pytest.fixture
def paying(house: House) -> House:
    """Return finance after one direct payment, receipted by the bank."""
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    return house


def test_where_all_is_well_nothing_is_told(paying: House) -> None:
    assert alerts(paying, DAY) == []


def test_a_receipt_that_differs_is_told_and_once_by_the_running_system(
    house: House,
) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION, short_fen=1)
    house.warned.clear()
    takers = house.takers()

    house.turn(takers)
    house.now += timedelta(minutes=1)
    house.turn(takers)

    told = ["凭证SBBK1回单不符：回单明细金额与凭证不符"]
    assert alerts(house, DAY) == told
    assert house.warned == told


def test_what_came_back_is_told_until_it_is_issued_again(house: House) -> None:
    house.order(APPROPRIATION, ORDER)

    house.given_back(APPROPRIATION)

    assert alerts(house, DAY) == ["凭证SBBK1被退回未重开：账号不存在"]
    with house.books.writing() as session:
        remedies.issue_again(session, OFFICE, "SBBK1", None)
    assert alerts(house, DAY) == []


def test_a_payment_that_came_back_went_on_to_its_unit(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))

    house.given_back(PAYMENT)

    assert alerts(house, DAY) == []


def test_a_list_that_cannot_be_made_is_told_when_its_day_is_over(
    house: House,
) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION, short_fen=1)

    told = [one for one in alerts(house, "20260302") if "清单" in one]

    assert told == ["20260301清单未生成：凭证SBBK1回单不符：回单明细金额与凭证不符"]


@pytest.mark.clause("hubei-29.2")
def test_a_month_is_stated_to_each_bank_with_every_payment(paying: House) -> None:
    paying.run(application("SQ2", (("2010101", 7),)))
    paying.answered(PAYMENT, 1, day="20260331")

    [number] = state(paying)

    [statement] = paying.issued(AGENCY_STATEMENT)
    assert number == "DZ202603-42000000009"
    assert statement.recipients == (BANK,)
    assert statement.form.text("acct_no") == "42000000009"
    assert [
        (row["e_voucher_type"], row["voucher_no"], row["pay_amt_fen"], row["pay_date"])
        for row in statement.form.rows
    ] == [
        ("5201", "ZF2026000001", 350, "20260301"),
        ("5201", "ZF2026000002", 7, "20260331"),
    ]
    assert paying.desk.issued.standing(number) == "SENT"


def test_a_month_is_stated_once_and_not_before_it_is_over(paying: House) -> None:
    with (
        paying.books.writing() as session,
        pytest.raises(ValueError, match="尚未结束"),
    ):
        plan_statements(session, OFFICE, MARCH, "20260331")

    assert len(state(paying)) == 1
    assert state(paying) == []


def test_a_payment_of_another_month_is_in_no_statement_of_this(paying: House) -> None:
    paying.run(application("SQ2", (("2010101", 7),)))
    paying.answered(PAYMENT, 1, day="20260401")

    with paying.books.reading() as session:
        [statement] = statements_of(session, OFFICE, MARCH)

    assert statement.form.fen("all_num") == 1


def receipted(place: int) -> Receipted:
    """Return the register's entry of one of many payments."""
    return Receipted(
        digest=place.to_bytes(32),
        type_code=PAYMENT,
        number=f"{place:06}",
        fiscal_year=2026,
        adm_div="420000",
        bank=BANK,
        unit="101001",
        account=ACCOUNT,
        amount_fen=place + 1,
        day="20260315",
        agrees=True,
        note="",
        listed_in="",
    )


@pytest.mark.parametrize(
    ("count", "sizes"), [(500, [500]), (501, [500, 1]), (1_201, [500, 500, 201])]
)
def test_a_statement_of_many_payments_is_sent_in_packets(
    house: House, count: int, sizes: list[int]
) -> None:
    with house.books.writing() as session:
        session.add_all(map(receipted, range(count)))

    with house.books.reading() as session:
        forms = [one.form for one in statements_of(session, OFFICE, MARCH)]

    assert [len(one.rows) for one in forms] == sizes
    assert [one.fields["cur_pack_no"] for one in forms] == [*range(1, len(sizes) + 1)]
    assert {one.fields["child_pack_num"] for one in forms} == {len(sizes)}
    assert len({one.text("voucher_check_no") for one in forms}) == 1
    assert [str(row["voucher_no"]) for one in forms for row in one.rows] == [
        f"{place:06}" for place in range(count)
    ]
    for one in forms:
        assert one.fen("all_num") == len(one.rows)
        assert one.fen("all_amt_fen") == sum(
            int(row["pay_amt_fen"]) for row in one.rows
        )


def test_the_packets_of_a_statement_are_vouchers_of_their_own(house: House) -> None:
    with house.books.writing() as session:
        session.add_all(map(receipted, range(501)))

    assert state(house) == [f"DZ202603-{ACCOUNT}-001", f"DZ202603-{ACCOUNT}-002"]
    assert state(house) == []
    for number in (f"DZ202603-{ACCOUNT}-001", f"DZ202603-{ACCOUNT}-002"):
        assert house.desk.issued.standing(number) == "SENT"


def test_of_all_packets_one_is_in_memory(house: House) -> None:
    with house.books.writing() as session:
        session.add_all(map(receipted, range(6_000)))

    with house.books.reading() as session:
        tracemalloc.start()
        try:
            sizes = [
                len(one.form.rows) for one in statements_of(session, OFFICE, MARCH)
            ]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert sizes == [500] * 12
    assert peak < 4_000_000, "all entries together are more"


@pytest.mark.clause("hubei-29.2")
def test_a_statement_that_is_not_sent_in_two_working_days_is_told(
    paying: House,
) -> None:
    late = "202603对账单DZ202603-42000000009逾期未发"
    assert late not in alerts(paying, IN_TIME)
    assert late in alerts(paying, LATE)

    state(paying)

    assert late not in alerts(paying, LATE)


def test_a_holiday_of_the_calendars_file_gives_another_day(paying: House) -> None:
    late = "202603对账单DZ202603-42000000009逾期未发"
    off = WorkingDays(off=frozenset({date(2026, 4, 2)}))

    assert late not in alerts(paying, LATE, off)


def test_a_year_that_nobody_knows_is_told_and_ends_nothing(paying: House) -> None:
    [told] = alerts(paying, "20990101")[-1:]

    assert "holidays" in told


@pytest.mark.clause("hubei-29.2")
def test_a_statement_that_the_bank_does_not_answer_in_time_is_told(
    paying: House,
) -> None:
    state(paying)
    late = "对账单DZ202603-42000000009逾期未答复"

    # It was planned on the day that the books live on, a Sunday.
    assert late not in alerts(paying, "20260403")
    assert late in alerts(paying, "20260407")


@pytest.mark.clause("hubei-29.1")
def test_statements_of_the_treasury_that_do_not_come_are_told(house: House) -> None:
    house.run(revenue_report(DAY, ((VAT, "2", 5000, 5000),)))
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION)
    missing = [
        "202603库存日报表逾期未到",
        "202603收入报表对账逾期未到",
        "202603支出报表对账逾期未到",
    ]
    assert not set(missing) & set(alerts(house, IN_TIME))
    assert set(missing) <= set(alerts(house, LATE))

    house.now = house.now.replace(month=4)
    house.run(
        balance_report("20260331", 104_100, 0, 0),
        revenue_statement(((VAT, "2", 5000, 5000),)),
        expenditure_statement((("2010101", 900, 900),)),
    )

    assert not [one for one in alerts(house, LATE) if "逾期" in one]


def test_a_month_without_revenue_has_no_statement_of_it(house: House) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION)

    assert "202603收入报表对账逾期未到" not in alerts(house, LATE)


def test_a_quota_notice_that_came_back_is_told(house: House) -> None:
    house.allot()
    house.turn()

    house.given_back(DIRECT_QUOTA, explanation="行号未登记")

    assert alerts(house, DAY) == ["凭证ZE2026000001被退回未重开：行号未登记"]
