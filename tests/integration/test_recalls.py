"""What one of several recipients gives back is void for all of them (退回、作废).

Finance, bank and treasury are the programs, each at its own gateway; where one has to
do what its program does not, a person does it at the same desk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from counterfoil.bank.kinds import APPLICATION
from counterfoil.bank.tables import QuotaChange
from counterfoil.business import recalls
from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import OutboxEntry, RecallState
from counterfoil.finance import remedies
from counterfoil.finance.kinds import CLEARING_ORDER, DIRECT_QUOTA, PAYMENT
from counterfoil.finance.plans import Grant
from counterfoil.office import AsyncDesk, DeskRefused, Reason, Reference, Standing
from counterfoil.treasury.books import State
from tests.houses import BANK, FINANCE, TREASURY, UNIT, Town, running
from tests.integration import test_bank as bank_side
from tests.integration import test_finance as finance_side
from tests.integration import treasury_program as treasury_side
from tests.integration.desks import accept_at, done, issue
from tests.unit.bank.papers import direct_payment
from tests.unit.finance.papers import OFFICE, SCHOOL, application

pytestmark = pytest.mark.asyncio(loop_scope="module")

GONE = {Standing.REJECTED, Standing.RETURNED}


@dataclass(frozen=True, slots=True)
class Programs:
    """The three systems; their books go on from test to test."""

    finance: finance_side.Program
    bank: bank_side.Program
    treasury: treasury_side.Program

    def quota_fen(self) -> int:
        """Return what the bank's books say that finance has told it of quota."""
        with self.bank.journal.reading() as session:
            return session.scalar(select(func.sum(QuotaChange.amount_fen))) or 0

    def applied(self) -> list[Reference]:
        """Return the bank's applications that went out, in order."""
        with self.bank.journal.reading() as session:
            found = session.scalars(
                select(OutboxEntry)
                .where(OutboxEntry.type_code == APPLICATION, OutboxEntry.digest != b"")
                .order_by(OutboxEntry.id)
            )
            return [one.reference for one in found]

    def waits_at_treasury(self, reference: Reference) -> State | None:
        """Return where a voucher stands in the treasury's books."""
        incoming = self.treasury.books.incoming(reference.digest)
        return None if incoming is None else incoming.state


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = treasury_side.town_in(tmp_path_factory.mktemp("recalls"))
    async with running(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def programs(
    town: Town, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Programs]:
    folder: Path = tmp_path_factory.mktemp("books")
    stack = ExitStack()

    def opened() -> Programs:
        return Programs(
            finance_side.Program(town, folder / "finance.sqlite", stack),
            bank_side.Program(town, folder, stack),
            treasury_side.program_in(town, tmp_path_factory.mktemp("treasury")),
        )

    made = await asyncio.to_thread(opened)
    yield made
    await asyncio.to_thread(stack.close)
    await asyncio.to_thread(made.treasury.desk.close)
    made.treasury.books.close()


async def work_until(
    holds: Callable[[], bool],
    *programs: finance_side.Program | bank_side.Program | treasury_side.Program,
) -> None:
    """Let programs work in turn until something holds."""
    async with asyncio.timeout(60):
        while not holds():
            for one in programs:
                await asyncio.to_thread(one.turn)


async def standings(desk: AsyncDesk, reference: Reference) -> set[Standing]:
    """Return where a voucher stands, with whomever the desk's gateway knows of."""
    try:
        way = await desk.inquire(reference.digest)
    except DeskRefused:
        return set()
    return set(way.standings.values())


def is_back(finance: finance_side.Program, reference: Reference) -> bool:
    """Tell whether finance has heard that nobody holds a voucher."""
    with finance.books.reading() as session:
        [entry] = session.scalars(
            select(OutboxEntry).filter_by(digest=reference.digest)
        )
        return recalls.state_of(session, entry) is RecallState.BACK


async def gone(desk: AsyncDesk, reference: Reference) -> bool:
    """Tell whether nobody whom the desk's gateway knows of holds a voucher."""
    found = await standings(desk, reference)
    return bool(found) and found <= GONE


async def void_for(
    town: Town,
    reference: Reference,
    parties: tuple[str, ...],
    *programs: finance_side.Program | bank_side.Program | treasury_side.Program,
) -> None:
    """Let programs work until nobody holds a voucher, at each party's own gateway."""
    async with asyncio.timeout(60):
        for party in parties:
            async with town.desk(party) as desk:
                while not await gone(desk, reference):
                    for one in programs:
                        await asyncio.to_thread(one.turn)


@pytest.mark.clause("hubei-33")
async def test_quota_that_the_treasury_returns_the_bank_strikes_out_too(
    town: Town, programs: Programs
) -> None:
    finance, bank = programs.finance, programs.bank
    before = programs.quota_fen()
    grant = Grant(
        unit=SCHOOL.code, function="2010101", way=PaymentWay.DIRECT, amount_fen=7700
    )
    finance.allot("YK-R1", grant)
    notice, _ = await finance_side.issued(
        finance, DIRECT_QUOTA, lambda one: one.form.fen("pay_amt_fen") == 7700
    )
    await work_until(lambda: programs.quota_fen() == before + 7700, bank)

    async with town.desk(TREASURY) as treasury:
        await accept_at(treasury, notice)
        (outcome,) = await treasury.return_vouchers([Reason(notice, "科目有误")])
        done(outcome)
    await void_for(town, notice, (FINANCE, BANK, TREASURY), finance, bank)

    assert programs.quota_fen() == before
    await work_until(lambda: is_back(finance, notice), finance)

    with finance.books.writing() as session:
        again = remedies.issue_again(session, OFFICE, notice.key.number, None)
    sent, _ = await finance_side.issued(
        finance,
        DIRECT_QUOTA,
        lambda one: one.key.issue == 2 and one.key.number == notice.key.number,
    )
    async with town.desk(TREASURY) as treasury:
        assert await accept_at(treasury, sent) == again
    await work_until(lambda: programs.quota_fen() == before + 7700, bank)


@pytest.mark.clause("hubei-33")
async def test_what_finance_rejects_the_treasury_drops_and_the_bank_applies_anew(
    town: Town, programs: Programs
) -> None:
    finance, bank, treasury = programs.finance, programs.bank, programs.treasury
    # Finance's program knows nothing of it: it was issued by hand.
    await bank_side.paid(town, bank, direct_payment("DR1"))
    count = len(programs.applied())
    bank.apply()
    await work_until(lambda: len(programs.applied()) > count, bank)
    asked = programs.applied()[-1]
    await work_until(
        lambda: programs.waits_at_treasury(asked) is State.ACCEPTED, treasury
    )

    await void_for(town, asked, (BANK, FINANCE, TREASURY), finance, bank, treasury)

    assert programs.waits_at_treasury(asked) is State.RETURNED
    with bank.journal.reading() as session:
        [entry] = session.scalars(select(OutboxEntry).filter_by(digest=asked.digest))
        assert "不是本财政下达" in entry.note
    assert bank.apply() == 1
    await work_until(lambda: len(programs.applied()) == count + 2, bank)
    assert programs.applied()[-1].key.number != asked.key.number


@pytest.mark.clause("hubei-33")
async def test_what_the_treasury_does_not_clear_finance_gives_back_as_well(
    town: Town, programs: Programs
) -> None:
    finance, bank = programs.finance, programs.bank
    finance_side.allotted(finance, "YK-R3")
    await issue(town, application("SQR3"), UNIT)
    payment, _ = await finance_side.issued(
        finance, PAYMENT, lambda one: one.form.rows[0]["voucher_no"] == "SQR3"
    )
    await work_until(lambda: bank.has_paid(payment), bank)
    before = finance.totals
    await finance_side.until_totals(finance, before)
    bank.now = bank.now.replace(day=9)
    bank.apply()
    await work_until(
        lambda: any(
            one.key.number.startswith("SQ20260309") for one in programs.applied()
        ),
        bank,
    )
    asked = programs.applied()[-1]
    order, _ = await finance_side.issued(
        finance,
        CLEARING_ORDER,
        lambda one: one.form.text("ori_voucher_no") == asked.key.number,
    )

    async with town.desk(TREASURY) as treasury:
        for one in (asked, order):
            await accept_at(treasury, one)
            (outcome,) = await treasury.return_vouchers([Reason(one, "额度不足")])
            done(outcome)

    await void_for(town, asked, (BANK, FINANCE, TREASURY), finance, bank)
    async with town.desk(FINANCE) as desk:
        assert await standings(desk, order) == {Standing.RETURNED}
    assert bank.apply() >= 1
