"""What the treasury reports of days and months, among three gateways.

A report closes its day, so each test has institutions of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.office import Form, Standing, Voucher, opened
from counterfoil.treasury.kinds import (
    BALANCE_REPORT,
    BANK_CHECK,
    BANK_STATEMENT,
    EXPENDITURE_REPORT,
    EXPENDITURE_STATEMENT,
    FINANCE_CHECK,
    REVENUE_REPORT,
    REVENUE_STATEMENT,
)
from tests.houses import BANK, FINANCE, TREASURY, Town, running
from tests.integration.desks import until
from tests.integration.kinds import draft, travel
from tests.integration.treasury_program import (
    Program,
    answer_at,
    answered,
    apply_and_order,
    program_in,
    receipt_of,
    report_at,
    send,
    town_in,
)
from tests.unit.treasury.papers import (
    BANK_NO,
    LINES,
    appropriation,
    came,
    quota_notice,
    refund,
)
from tests.unit.treasury.replies import (
    check_reply,
    quota_row,
    quota_statement,
    reply,
)

TOTAL = sum(fen for _, _, fen in LINES)


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    made = town_in(tmp_path / "town")
    async with running(made):
        yield made


@pytest_asyncio.fixture
async def program(town: Town, tmp_path: Path) -> AsyncIterator[Program]:
    made = program_in(town, tmp_path)
    yield made
    await asyncio.to_thread(made.desk.close)
    made.books.close()


async def test_the_books_follow_from_the_vault_and_are_reported(
    town: Town, program: Program
) -> None:
    day = program.live_on(31)
    paid = await send(town, appropriation("B9"), FINANCE)
    async with town.desk(FINANCE) as finance:
        await answered(program, finance, paid, Standing.CLOSED)

        found = await asyncio.to_thread(program.differences)
        assert await asyncio.to_thread(program.system.report, day) == []

        assert found == []
        balance = await report_at(finance, f"KC{day}", BALANCE_REPORT)
        spent = await report_at(finance, f"ZC{day}", EXPENDITURE_REPORT)
        [row] = balance.form.rows
        assert row["today_balance_fen"] == program.count("balance_fen")
        assert spent.form.fen("sum_money_fen") == TOTAL


@pytest.mark.clause("hubei-25")
async def test_revenue_is_reported_sealed_accepted_and_its_day_is_closed(
    town: Town, program: Program
) -> None:
    day = program.live_on(9)
    before = program.count("balance_fen")
    entry = came("A1", 12_345, day)
    program.enter(entry, replace(entry, number="A2", subject="1010601", amount_fen=5))

    assert await asyncio.to_thread(program.system.report, day) == []

    async with town.desk(FINANCE) as finance:
        revenue = await report_at(finance, f"SR{day}", REVENUE_REPORT)
        assert [
            (row["budget_subject_code"], row["day_amt_fen"], row["year_amt_fen"])
            for row in revenue.form.rows
        ] == [("1010101", 12_345, 12_345), ("1010601", 5, 5)]
        assert revenue.form.fen("sum_money_fen") == 12_350
        assert program.count("balance_fen") == before + 12_350
        # What finance accepted cannot become another: the day is closed.
        program.enter(replace(entry, number="A3"))
        assert await asyncio.to_thread(program.system.report, day) == []
        way = await finance.inquire(revenue.key)
        assert opened(way.documents[0]) == revenue
        assert way.standings[FINANCE] is Standing.ACCEPTED
        found = await asyncio.to_thread(program.differences)
        assert found == []


async def live_in_march(town: Town, program: Program) -> None:
    """Take in, appropriate, clear and refund on the last of March."""
    day = program.live_on(31)
    program.enter(came("A1", 700, day))
    async with town.desk(FINANCE) as finance, town.desk(BANK) as bank:
        for voucher in (appropriation("B1"), quota_notice("E1")):
            sent = await send(town, voucher, FINANCE)
            await answered(program, finance, sent, Standing.CLOSED)
        _, ordered = await apply_and_order(town, "S1")
        await answered(program, finance, ordered, Standing.CLOSED)
        # The bank has paid what comes back.
        await travel(town, draft(5201, FINANCE, BANK, number="ZF0"), FINANCE, BANK)
        refunded = await send(town, refund("T1"), BANK)
        await answered(program, bank, refunded, Standing.CLOSED)


async def reaches_at(town: Town, statement: Voucher, standing: Standing) -> None:
    """Wait until a statement stands so in our own vault."""
    async with town.desk(TREASURY) as treasury:
        await until(
            lambda: treasury.inquire(statement.key),
            lambda way: set(way.standings.values()) == {standing},
        )


@pytest.mark.clause("hubei-29.1")
async def test_finance_compares_a_month_and_answers_what_agrees_and_what_differs(
    town: Town, program: Program
) -> None:
    await live_in_march(town, program)
    program.live_in_april(2)

    assert await asyncio.to_thread(program.system.state_month, "202603") == []

    async with town.desk(FINANCE) as finance:
        revenue = await report_at(finance, "SR202603", REVENUE_STATEMENT)
        spent = await report_at(finance, "ZC202603", EXPENDITURE_STATEMENT)
        balance = await report_at(finance, "KC20260331", BALANCE_REPORT)
        assert revenue.form.fen("all_amt_fen") == 700
        assert spent.form.fen("all_amt_fen") == 2 * TOTAL - 100
        [row] = balance.form.rows
        assert row["today_balance_fen"] == program.count("balance_fen")

        await send(town, reply(revenue), FINANCE)
        await send(town, reply(spent, {"1": "总预算会计账为5.00元"}), FINANCE)
        await answer_at(finance, balance, Form({"x_check_result": "0"}), FINANCE)

        assert (await program.hears(revenue)).result == "0"
        differs = await program.hears(spent)
        assert (differs.result, differs.answered) == ("1", "20260402")
        assert "总预算会计账为5.00元" in differs.note
        assert (await program.hears(balance)).result == "0"
        await reaches_at(town, balance, Standing.CLOSED)
    assert any("总预算会计账为5.00元" in one for one in program.warned)
    assert await asyncio.to_thread(program.differences) == []


@pytest.mark.clause("hubei-29.1")
async def test_a_month_that_is_sent_or_answered_too_late_is_told(
    town: Town, program: Program
) -> None:
    day = program.live_on(31)
    program.enter(came("A1", 700, day))
    program.live_in_april(2)
    assert program.late() == []

    program.live_in_april(3)
    assert "收入报表对账SR202603应于20260402前发送，尚未发送" in program.late()
    assert await asyncio.to_thread(program.system.state_month, "202603") == []
    await asyncio.to_thread(program.turn)

    assert program.late() == []
    assert "收入报表对账SR202603逾期发送：应于20260402前发送" in program.warned
    async with town.desk(FINANCE) as finance:
        revenue = await report_at(finance, "SR202603", REVENUE_STATEMENT)
    # Two working days after 3 April, with the holiday of Qingming in between.
    program.live_in_april(8)
    assert not any("SR202603" in one for one in program.late())
    program.live_in_april(9)
    assert "收入报表对账SR202603应于20260408前答复，尚未答复" in program.late()
    await send(town, reply(revenue), FINANCE)
    await program.hears(revenue)
    assert not any("SR202603" in one for one in program.late())


@pytest.mark.clause("hubei-29.3")
@pytest.mark.parametrize(("result", "reason"), [("0", ""), ("1", "少清算一笔")])
async def test_treasury_and_bank_state_to_each_other_and_both_answer(
    town: Town, program: Program, result: str, reason: str
) -> None:
    await live_in_march(town, program)
    program.live_in_april(1)
    assert await asyncio.to_thread(program.system.state_month, "202603") == []

    async with town.desk(BANK) as bank:
        statement = await report_at(bank, f"DZ202603-{BANK_NO}", BANK_STATEMENT)
        assert [
            (row["e_voucher_type"], row["pay_type_code"], row["all_amt_fen"])
            for row in statement.form.rows
            if row["all_num"]
        ] == [("2301", "11", TOTAL), ("2302", "11", -100)]
        told = {"x_check_result": result, "x_check_reason": reason}
        answer = Form({name: text for name, text in told.items() if text})
        await answer_at(bank, statement, answer, BANK)
        heard = await program.hears(statement)
        assert (heard.result, heard.note) == (result, reason)

        added = 100 if result == "0" else 99
        rows = (quota_row("101", (0, added, 0)), quota_row("102", (0, 250, 250)))
        stated = await send(town, quota_statement(rows), BANK)
        standing = Standing.CLOSED if result == "0" else Standing.DISPUTED
        await answered(program, bank, stated, standing)
        receipt = (await receipt_of(bank, stated)).form
        assert receipt.text("x_check_result") == result
        assert receipt.fen("x_clear_amt_fen") == TOTAL
        assert receipt.fen("x_cur_reck_money_fen") == TOTAL - 100
        assert [row["x_check_reason"] for row in receipt.rows] == (
            []
            if result == "0"
            else ["本期新增额度国库为1.00元；本期额度余额国库为1.00元"]
        )
    await asyncio.to_thread(program.turn)
    assert len(program.warned) == 2 * int(result)


async def test_every_voucher_of_a_day_is_checked_with_both_partners(
    town: Town, program: Program
) -> None:
    await live_in_march(town, program)

    assert await asyncio.to_thread(program.system.check_day, "20260331") == []

    async with town.desk(FINANCE) as finance, town.desk(BANK) as bank:
        paid = await report_at(finance, "RD20260331-5207", FINANCE_CHECK)
        asked = await report_at(bank, f"RD20260331-2301-{BANK_NO}", BANK_CHECK)
        [row] = paid.form.rows
        assert (row["voucher_no"], row["amt_fen"], row["pro_state"]) == (
            "B1",
            TOTAL,
            "0",
        )
        await send(town, check_reply(paid, ({**row, "amt_fen": TOTAL + 1},)), FINANCE)
        await send(town, check_reply(asked), BANK)
        differs = await program.hears(paid)
        assert (differs.result, differs.note) == ("1", "凭证B1金额不符")
        assert (await program.hears(asked)).result == "0"
    assert program.warned == ["凭证对账RD20260331-5207不符：凭证B1金额不符"]
