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

from counterfoil.office import Standing, opened
from counterfoil.treasury.incomes import Entered
from counterfoil.treasury.kinds import (
    BALANCE_REPORT,
    EXPENDITURE_REPORT,
    REVENUE_REPORT,
)
from tests.houses import FINANCE, Town, running
from tests.integration.treasury_program import (
    Program,
    answered,
    program_in,
    report_at,
    send,
    town_in,
)
from tests.unit.treasury.papers import LINES, appropriation

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
    entry = Entered(
        number="A1", day=day, level="2", subject="1010101", amount_fen=12_345
    )
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
