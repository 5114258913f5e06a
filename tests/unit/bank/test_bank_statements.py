"""The statements that the bank makes of a month, and what is late."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from counterfoil.bank import statements
from counterfoil.bank.alerts import alerts
from counterfoil.bank.kinds import (
    AUTHORISED_QUOTA,
    QUOTA_STATEMENT,
    UNIT_STATEMENT,
)
from counterfoil.bank.quota import QuotaKey, QuotaLine
from counterfoil.bank.statement_forms import PACK, Movement, Period, UnitStatement
from counterfoil.bank.statements import (
    MonthChanged,
    month_end,
    plan_statements,
    statements_of,
)
from counterfoil.business.codes import PaymentWay
from counterfoil.business.working_days import WorkingDays, YearUnknown
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.office import Voucher
from tests.unit.bank.bank_house import NOON, BankHouse
from tests.unit.bank.papers import (
    FINANCE,
    FINANCE_ACCOUNT,
    OFFICE,
    TREASURY,
    UNIT,
    UNIT_ACCOUNT,
    authorised_payment,
    direct_payment,
)
from tests.unit.bank.stated import agency_statement
from tests.unit.treasury.papers import changed, quota_notice

APRIL = datetime(2026, 4, 1, 4, 0, tzinfo=UTC)
FIRST = "SQ202603011101"
QUOTA = (("101", "2010101", 1000), ("101", "2010102", 1000))


@pytest.fixture
def march(house: BankHouse) -> BankHouse:
    """Return a bank with a month: two payments, one refunded in part, and quota."""
    house.pay(
        changed(quota_notice("E1", QUOTA), fund_type_code="111"),
        quota_notice("E0", (("", "2010101", 50),)),
        direct_payment("D1"),
        authorised_payment("U1"),
    )
    house.apply()
    house.turn()
    house.clear(FIRST)
    house.refund("D1", "D1-0", 40)
    house.answer("TP00000001-1", {"x_check_result": "0"}, by=FINANCE)
    house.clear("TH202603011021101")
    house.now = APRIL
    return house


def movement(place: int) -> Movement:
    """Return one of many payments of a unit."""
    return Movement(
        type_code=8202,
        number=f"U{place}",
        function="",
        amount_fen=1,
        day="20260301",
        account=UNIT_ACCOUNT,
    )


def stated(house: BankHouse, month: str = "202603") -> dict[int, Voucher]:
    """Return what the bank states of a month, by kind."""
    with house.journal.reading() as session:
        found = list(statements_of(session, OFFICE, month, "20260401"))
    return {one.key.type_code: one for one in found}


def plan(house: BankHouse, month: str = "202603") -> int:
    return plan_statements(house.journal, OFFICE, month, f"{house.now:%Y%m%d}")


def late(house: BankHouse, day: date) -> list[str]:
    with house.journal.reading() as session:
        return list(alerts(session, OFFICE, day, WorkingDays()))


def test_quota_is_stated_by_way_unit_fund_and_function(march: BankHouse) -> None:
    statement = stated(march)[QUOTA_STATEMENT]

    assert statement.recipients == (TREASURY,)
    assert [
        (
            row["pay_type_code"],
            row["sup_dep_code"],
            row.get("fund_type_code", ""),
            row["exp_func_code"],
            row["pre_date_money_fen"],
            row["clear_amt_fen"],
            row["cur_reck_money_fen"],
            row["cur_date_money_fen"],
        )
        for row in statement.form.rows
    ] == [
        ("11", "0", "", "2010101", 0, 50, 0, 50),
        ("11", "101", "111", "2010101", 0, 1000, 60, 940),
        ("11", "101", "111", "2010102", 0, 1000, 250, 750),
    ]
    form = statement.form
    assert (form.fen("clear_amt_fen"), form.fen("cur_date_money_fen")) == (2050, 1740)
    assert (form.text("begin_date"), form.text("end_date")) == ("20260301", "20260331")


def test_what_one_month_leaves_the_next_begins_with(march: BankHouse) -> None:
    more = quota_notice("E2", (("101", "2010101", 500),), type_code=AUTHORISED_QUOTA)
    march.pay(changed(more, fund_type_code="111"))
    march.clear("SQ202603011201")

    rows = stated(march, "202604")[QUOTA_STATEMENT].form.rows

    assert [
        (row["pre_date_money_fen"], row["clear_amt_fen"], row["cur_reck_money_fen"])
        for row in rows
        if row["sup_dep_code"] == "101"
    ] == [(940, 0, 0), (750, 0, 0), (0, 500, 100), (0, 0, 250)]


def test_a_unit_is_stated_every_payment_and_what_came_back(march: BankHouse) -> None:
    statement = stated(march)[UNIT_STATEMENT]

    assert statement.recipients == (UNIT,)
    assert [
        (row["e_voucher_type"], row["voucher_no"], row["pay_amt_fen"], row["pay_date"])
        for row in statement.form.rows
    ] == [
        ("8202", "U1", 350, "20260301"),
        ("5201", "D1", 350, "20260301"),
        ("2205", "RZTK00000001", -40, "20260301"),
    ]
    form = statement.form
    assert (form.text("acct_no"), form.text("agency_code")) == (UNIT_ACCOUNT, "101001")
    assert (form.fields["all_num"], form.fen("all_amt_fen")) == (3, 660)


def test_a_unit_without_a_party_hears_of_its_own_payments_only(
    house: BankHouse,
) -> None:
    elsewhere = (("999001", "2010101", 100), ("101001", "2010102", 250))
    house.pay(direct_payment("D1", elsewhere))

    form = stated(house)[UNIT_STATEMENT].form

    assert [(row["voucher_no"], row["pay_amt_fen"]) for row in form.rows] == [
        ("D1", 250)
    ]
    assert form.text("acct_no") == FINANCE_ACCOUNT


def test_a_month_without_business_is_not_stated(march: BankHouse) -> None:
    assert stated(march, "202602") == {}


def test_statements_are_planned_once_after_the_month(march: BankHouse) -> None:
    assert plan(march) == 2
    assert plan(march) == 0
    march.turn()
    assert march.applied(QUOTA_STATEMENT) == ["ED202603"]
    assert march.applied(UNIT_STATEMENT) == ["DZ202603-101001"]


@pytest.mark.parametrize("month", ["202604", "202613", "2026", "March"])
def test_a_month_that_has_not_ended_or_is_none_is_refused(
    march: BankHouse, month: str
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        plan(march, month)


def test_a_long_statement_goes_in_packets(march: BankHouse) -> None:
    period = Period(
        adm_div="420000",
        month="202603",
        first="20260301",
        last="20260331",
        day="20260401",
    )
    movements = [movement(place) for place in range(PACK + 1)]

    statement = UnitStatement(OFFICE, period, ("101001", UNIT), len(movements))
    made = [[*statement.add(one)] for one in movements]

    assert [len(some) for some in made] == [*[0] * (PACK - 1), 1, 1]
    [first], [second] = made[-2:]

    assert (first.key.number, second.key.number) == (
        "DZ202603-101001-01",
        "DZ202603-101001-02",
    )
    packets = [
        [one.form.fields[name] for name in ("cur_pack_no", "child_pack_num", "all_num")]
        for one in (first, second)
    ]
    assert packets == [[1, 2, PACK], [2, 2, 1]]
    assert len({one.form.text("voucher_check_no") for one in (first, second)}) == 1


def test_a_month_that_changes_while_it_is_stated_is_not_stated(
    march: BankHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = statements._movements
    for second in (lambda told: told[1:], lambda told: [*told, told[-1]]):
        reads = iter([list, second])

        def changing(*of: Any, reads: Any = reads) -> list[Any]:  # noqa: ANN401
            return list(next(reads)(list(whole(*of))))

        monkeypatch.setattr(statements, "_movements", changing)

        with pytest.raises(MonthChanged, match="202603 changed"):
            stated(march)


def test_of_a_long_month_a_packet_is_in_memory(
    house: BankHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(*_: object) -> Iterator[tuple[tuple[str, str], Movement]]:
        for place in range(12 * PACK):
            yield ("101001", UNIT), movement(place)

    monkeypatch.setattr(statements, "_movements", many)
    house.pay(direct_payment("D1"))
    with house.journal.reading() as session:
        tracemalloc.start()
        try:
            sizes = [
                len(one.form.rows)
                for one in statements_of(session, OFFICE, "202603", "20260401")
            ]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert sizes == [PACK] * 12
    assert peak < 1_200_000, "all movements together are more than two megabytes"


def test_a_line_of_quota_adds_up() -> None:
    line = QuotaLine(before_fen=10, added_fen=5, cleared_fen=7)

    assert line.left_fen == 8
    assert QuotaKey(PaymentWay.DIRECT, "", "1") < QuotaKey(PaymentWay.DIRECT, "1", "")


@pytest.mark.clause("hubei-29.3", "hubei-29.4")
def test_a_statement_that_is_not_sent_in_two_working_days_is_late(
    march: BankHouse,
) -> None:
    # The first of April is a Wednesday: two working days are Thursday the second.
    assert late(march, date(2026, 4, 2)) == []
    assert late(march, date(2026, 4, 3)) == [
        "对账单ED202603未按期发送",
        "对账单DZ202603-101001未按期发送",
    ]

    plan(march)
    assert len(late(march, date(2026, 4, 3))) == 2, "planned is not sent"
    march.turn()
    assert late(march, date(2026, 4, 3)) == []


def test_a_statement_that_is_not_answered_is_late_and_answered_no_more(
    march: BankHouse,
) -> None:
    plan(march)
    march.turn()
    assert late(march, date(2026, 4, 3)) == []
    # The sixth is a holiday (清明节), so the second working day is the third.
    assert late(march, date(2026, 4, 7)) == [
        "对账单DZ202603-101001未按期反馈",
        "对账单ED202603未按期反馈",
    ]

    march.answer("ED202603", {"x_check_result": "0"})
    march.answer("DZ202603-101001", {"x_check_result": "0"}, by=UNIT)
    assert late(march, date(2026, 4, 7)) == []


def test_what_others_state_and_we_do_not_answer_is_late(house: BankHouse) -> None:
    house.pay(agency_statement("S1", (), packet=(2, 2), check_number="S"))

    arrived = date(1970, 1, 1)  # the desk in memory states no time of arrival
    calendar = WorkingDays(known=frozenset({1970}))
    with house.journal.reading() as session:
        assert list(alerts(session, OFFICE, date(1970, 1, 5), calendar)) == []
        assert list(alerts(session, OFFICE, date(1970, 1, 6), calendar)) == [
            "对账单S1我方未按期反馈"
        ]
    assert arrived.weekday() == 3


def test_what_nothing_follows_on_is_told(march: BankHouse) -> None:
    march.clear("SQ202603011201", fen=1)
    march.refund("U1", "U1-0", 1)
    march.give_back("TP00000002-1", "不受理", DocumentKind.REJECTION)

    assert late(march, date(2026, 4, 1)) == [
        "凭证SQ202603011201回单不符：回单金额与凭证不符"
    ]


def test_a_year_that_the_calendar_does_not_know_is_told(march: BankHouse) -> None:
    with pytest.raises(YearUnknown):
        late(march, date(2099, 1, 1))


def test_an_empty_bank_owes_no_statement(house: BankHouse) -> None:
    assert late(house, NOON.date()) == []


@pytest.mark.parametrize(
    ("month", "end"), [("202602", (2026, 2, 28)), ("202812", (2028, 12, 31))]
)
def test_a_month_ends_on_its_last_day(month: str, end: tuple[int, int, int]) -> None:
    assert month_end(month) == date(*end)
