"""What is late: stated in working days, told by a running system and on demand."""

from __future__ import annotations

from datetime import date

from sqlalchemy import update

from counterfoil.business.tables import InboxEntry
from counterfoil.business.working_days import WorkingDays
from counterfoil.office import Form
from counterfoil.treasury.books import Alert
from tests.unit.treasury.papers import BANK, application, came, order, quota_notice
from tests.unit.treasury.replies import quota_row, quota_statement, reply
from tests.unit.treasury.treasury_desk import Treasury

SENT_BY = "20260402"
"""Two working days after the end of March 2026."""


def live_in_march(treasury: Treasury) -> None:
    treasury.live_on("20260331")
    treasury.enter(came("A1", 300, "20260331"))


def late(treasury: Treasury, day: str) -> list[str]:
    treasury.live_on(day)
    with treasury.books.reading() as session:
        return treasury.system().overdue().told(session, day)


def test_statements_are_late_from_the_third_working_day_on(treasury: Treasury) -> None:
    live_in_march(treasury)

    assert late(treasury, SENT_BY) == []
    assert late(treasury, "20260403") == [
        "收入报表对账SR202603应于20260402前发送，尚未发送",
        "库存日报表KC20260331应于20260402前发送，尚未发送",
        "集中支付业务对账单DZ202603-102521000000应于20260402前发送，尚未发送",
        "集中支付业务对账单DZ202603-103521000000应于20260402前发送，尚未发送",
    ]


def test_reports_of_a_year_have_five_working_days_and_banks_two(
    treasury: Treasury,
) -> None:
    treasury.calendar = WorkingDays(
        off=frozenset({date(2027, 1, 1)}), known=frozenset({2027})
    )
    treasury.live_on("20261231")
    treasury.enter(came("A1", 300, "20261231"))

    assert late(treasury, "20270105") == []
    assert {one[:3] for one in late(treasury, "20270108")} == {"集中支"}
    assert {one[:3] for one in late(treasury, "20270109")} == {
        "收入报",
        "库存日",
        "集中支",
    }


def test_what_is_sent_in_time_is_not_late_and_what_is_sent_late_is_noted(
    treasury: Treasury,
) -> None:
    live_in_march(treasury)
    treasury.live_on("20260403")

    treasury.system().state_month("202603")
    treasury.system().state_month("202603")

    assert late(treasury, "20260403") == []
    noted = treasury.alerts()
    assert len(noted) == 4
    assert "收入报表对账SR202603逾期发送：应于20260402前发送" in noted


def test_a_statement_in_time_raises_no_alert(treasury: Treasury) -> None:
    live_in_march(treasury)
    treasury.live_on(SENT_BY)

    treasury.system().state_month("202603")

    assert treasury.alerts() == []


def test_an_answer_is_late_from_the_third_working_day_on(treasury: Treasury) -> None:
    live_in_march(treasury)
    treasury.live_on("20260401")
    treasury.system().state_month("202603")
    [revenue], [balance] = treasury.stated(3511), treasury.stated(3402)
    treasury.run_all(reply(revenue))
    treasury.desk.answer(balance, Form({"x_check_result": "0"}))
    treasury.live()

    assert late(treasury, "20260403") == []
    # 4 to 6 April 2026 is a holiday.
    assert late(treasury, "20260407") == [
        "集中支付业务对账单DZ202603-102521000000应于20260403前答复，尚未答复",
        "集中支付业务对账单DZ202603-103521000000应于20260403前答复，尚未答复",
    ]


def test_a_bank_that_does_not_state_its_quota_is_told(treasury: Treasury) -> None:
    treasury.live_on("20260331")
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))
    told = f"{BANK}的202603财政零余额额度对账单应于20260402前发送，尚未收到"

    assert told not in late(treasury, SENT_BY)
    assert told in late(treasury, "20260403")

    rows = (quota_row("101", (0, 100, 100)), quota_row("102", (0, 250, 250)))
    treasury.run_all(quota_statement(rows))
    assert told not in late(treasury, "20260403")


def test_a_statement_of_quota_whose_packets_do_not_come_is_told(
    treasury: Treasury,
) -> None:
    treasury.live_on("20260401")
    treasury.run(quota_notice("E1"))
    rows = (quota_row("101", (0, 0, 0)),)
    treasury.run_all(quota_statement(rows, packet=(1, 2)))
    with treasury.books.writing() as session:
        session.execute(update(InboxEntry).values(arrived="20260401"))
    told = f"{BANK}的财政零余额额度对账单ED202603-1应于20260403前答复，分包未齐"

    assert told not in late(treasury, "20260403")
    assert told in late(treasury, "20260407")


def test_a_year_whose_working_days_nobody_knows_is_told(treasury: Treasury) -> None:
    treasury.live_on("20301231")
    treasury.enter(came("A1", 300, "20301231"))

    [told] = late(treasury, "20310110")

    assert told.startswith("2031年工作日未知")
    treasury.system().state_month("203012")  # nor does it stop anything
    assert all(one.startswith("2031年工作日未知") for one in treasury.alerts())


def test_a_running_system_tells_each_thing_once_a_day(treasury: Treasury) -> None:
    live_in_march(treasury)
    treasury.live_on("20260403")
    takers = treasury.system().takers()

    for _ in range(3):
        for taker in takers:
            taker.work()
    assert len(treasury.warned) == 4

    treasury.live_on("20260407")
    for taker in treasury.system().takers():
        taker.work()
    assert len(treasury.warned) == 8


def test_what_was_noted_before_the_program_died_is_told_by_the_next(
    treasury: Treasury,
) -> None:
    with treasury.books.writing() as session:
        session.add(Alert(day="20260301", text="额度不足"))
    assert not all(taker.is_at_rest() for taker in treasury.system().takers())

    treasury.live()
    treasury.live()

    assert treasury.warned == ["额度不足"]
    assert all(taker.is_at_rest() for taker in treasury.system().takers())


def test_the_watch_takes_nothing_that_arrives(treasury: Treasury) -> None:
    *_, watch = treasury.system().takers()

    treasury.arrive(quota_notice("E1"))
    for arrivals in treasury.client.read():
        assert len(arrivals) == 1
        assert watch.wanted(arrivals) == []
