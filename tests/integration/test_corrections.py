"""Who made an error corrects it by a voucher of its own (更正); the books follow.

Finance, bank and treasury are the programs, each at its own gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from counterfoil.business.codes import PaymentWay
from counterfoil.finance import accounts, remedies
from counterfoil.finance.entries import Title
from counterfoil.finance.kinds import DIRECT_QUOTA
from counterfoil.finance.plans import Grant
from counterfoil.office import AsyncDesk, Standing, VoucherKey
from counterfoil.treasury.corrections import Right, correct
from counterfoil.treasury.incomes import Entered
from tests.houses import BANK, FINANCE, TREASURY, Town, running
from tests.integration import test_finance as finance_side
from tests.integration import treasury_program as treasury_side
from tests.integration.desks import until
from tests.integration.test_recalls import Programs, programs, work_until
from tests.unit.finance.papers import OFFICE, SCHOOL

__all__ = ["programs"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRONG = Entered(
    number="A1", day="20260310", level="2", subject="1010101", amount_fen=500
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = treasury_side.town_in(tmp_path_factory.mktemp("corrections"))
    async with running(made):
        yield made


async def standings_of(desk: AsyncDesk, key: VoucherKey) -> dict[str, Standing]:
    return dict((await desk.inquire(key)).standings)


@pytest.mark.clause("hubei-34")
async def test_quota_told_wrongly_is_taken_back_by_a_notice_that_names_the_wrong_one(
    town: Town, programs: Programs
) -> None:
    finance, bank, treasury = programs.finance, programs.bank, programs.treasury
    before = (programs.quota_fen(), treasury.count("quota_fen"))

    def told(more: int) -> bool:
        now = (programs.quota_fen(), treasury.count("quota_fen"))
        return now == (before[0] + more, before[1] + more)

    grant = Grant(
        unit=SCHOOL.code, function="2010101", way=PaymentWay.DIRECT, amount_fen=8800
    )
    finance.allot("YK-G1", grant)
    wrong, _ = await finance_side.issued(
        finance, DIRECT_QUOTA, lambda one: one.form.fen("pay_amt_fen") == 8800
    )
    await work_until(lambda: told(8800), finance, bank, treasury)

    with finance.books.writing() as session:
        [made] = remedies.correct(session, OFFICE, wrong.key.number, finance.day)
    assert made.form.text("hold1") == wrong.key.number
    assert made.form.fen("pay_amt_fen") == -8800
    assert set(made.recipients) == {TREASURY, BANK}
    await work_until(lambda: told(0), finance, bank, treasury)

    # What was wrong stays as it was: both stand in the vaults.
    async with town.desk(FINANCE) as desk:
        for key in (wrong.key, made.key):
            await until(
                partial(standings_of, desk, key),
                lambda told: (
                    told == {TREASURY: Standing.CLOSED, BANK: Standing.ACCEPTED}
                ),
            )


@pytest.mark.clause("hubei-25", "hubei-34")
async def test_income_entered_wrongly_reaches_finance_as_the_next_days_correction(
    programs: Programs,
) -> None:
    finance, treasury = programs.finance, programs.treasury
    first, second = treasury.live_on(10), "20260311"
    treasury.enter(WRONG)
    await asyncio.to_thread(treasury.system.report, first)

    def revenue() -> dict[str, int]:
        with finance.books.reading() as session:
            booked = accounts.by_place(
                session, Title.REVENUE, since="20260101", until="20261231"
            )
        return {subject: -fen for (subject, _), fen in booked.items()}

    await work_until(lambda: revenue() == {"1010101": 500}, finance, treasury)

    treasury.live_on(11)
    with treasury.books.writing() as session:
        correct(session, "A1", Right(subject="1010401"), "科目有误", second)
    assert await asyncio.to_thread(treasury.system.report, second) == []

    await work_until(
        lambda: revenue() == {"1010101": 0, "1010401": 500}, finance, treasury
    )
    # The days' reports, made anew from the books, are those that went out.
    found = await asyncio.to_thread(treasury.differences)
    assert [one for one in found if "报表" in one] == []
