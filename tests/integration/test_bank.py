"""The bank's reference system among three gateways: finance, treasury and bank.

Finance, the treasury and the unit, which finance hosts, are played by hand at their
desks; the bank is the program.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.bank.clearing import apply_for_clearing
from counterfoil.bank.core import CorePlan, SimulatedCore
from counterfoil.bank.journal import Journal
from counterfoil.bank.kinds import APPLICATION, DETAIL, ENTRY_NOTICE
from counterfoil.bank.system import System
from counterfoil.business.clerks import Reviewer
from counterfoil.business.days import day_of
from counterfoil.business.turns import give_out, work
from counterfoil.office import (
    Arrival,
    AsyncDesk,
    Desk,
    DocumentKind,
    Form,
    Patience,
    Reason,
    Receipt,
    Reference,
    Standing,
    Voucher,
    kind_of,
    opened,
)
from tests.houses import BANK, FINANCE, TREASURY, UNIT, Town, running
from tests.integration.desks import accept_at, act_on, arrival_of, done, issue, reaches
from tests.unit.bank.papers import (
    LINES,
    OFFICE,
    TOTAL,
    authorised_payment,
    direct_payment,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
PATIENCE = Patience(total_s=60.0, wait_s_min=0.02, wait_s_max=0.2)


class Program:
    """The bank's system, at work in a thread of its own.

    Args:
        town: Where its gateway is.
        folder: Where its books are; they go on from test to test.
        stack: Closes what it opens.
    """

    def __init__(self, town: Town, folder: Path, stack: ExitStack) -> None:
        self.told: Counter[str] = Counter()
        self.now = NOON
        self.journal = Journal(f"sqlite:///{folder}/books.sqlite")
        self.core = SimulatedCore(f"sqlite:///{folder}/core.sqlite", CorePlan())
        address = f"127.0.0.1:{town.ports[BANK]}"
        self.desk = Desk(address, town.access(BANK), PATIENCE)
        reviewers = [
            Reviewer(
                Desk(address, town.access(BANK, "person", name), PATIENCE),
                town.person(BANK, name),
            )
            for name in ("first", "second")
        ]
        for opened_one in (self.journal, self.core, self.desk):
            stack.callback(opened_one.close)
        for one in reviewers:
            stack.callback(one.desk.close)
        system = System(
            party=BANK,
            office=OFFICE,
            desk=self.desk,
            reviewers=reviewers,
            journal=self.journal,
            core=self.core,
            clock=lambda: self.now,
            tell=self._tell,
        )
        self._takers = system.takers()

    def turn(self) -> None:
        """Read what is there, and take everything as far as it goes."""
        for arrivals in self.desk.read():
            give_out(arrivals, self._takers)
        work(self._takers)

    def apply(self) -> int:
        """Apply for clearing of what was paid."""
        with self.journal.writing() as session:
            return apply_for_clearing(session, OFFICE, day_of(self.now))

    def is_at_rest(self) -> bool:
        """Tell whether everything is done that can be done now."""
        return all(taker.is_at_rest() for taker in self._takers)

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = Town(
        directory=tmp_path_factory.mktemp("bank"),
        carriers=(FINANCE, TREASURY, BANK),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    made.initialise()
    async with running(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(
    town: Town, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """Run one bank for all tests of the module: its books go on."""
    with ExitStack() as stack:
        yield await asyncio.to_thread(
            Program, town, tmp_path_factory.mktemp("books"), stack
        )


async def works_until(program: Program, holds: Callable[[], bool]) -> None:
    """Let the bank work until something holds."""
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.to_thread(program.turn)


async def paid(town: Town, program: Program, voucher: Voucher) -> Reference:
    """Issue a payment, and let the bank work until its receipt is back."""
    issuer = voucher.key.issuer
    reference = (await issue(town, voucher, issuer)).reference
    before = program.told["receipted"]
    await works_until(program, lambda: program.told["receipted"] > before)
    async with town.desk(issuer) as desk:
        await reaches(desk, reference, Standing.CLOSED)
    return reference


async def arrived_at(desk: AsyncDesk, type_code: int, number: str = "") -> Arrival:
    """Wait for a voucher of a kind at a desk, by the beginning of its number."""
    return await arrival_of(
        desk,
        lambda one: (
            kind_of(one.sealed) is DocumentKind.VOUCHER
            and one.voucher.key.type_code == type_code
            and one.voucher.key.number.startswith(number)
        ),
    )


async def taken_at(desk: AsyncDesk, type_code: int, number: str = "") -> Voucher:
    """Wait for a voucher of a kind at a desk, take it over and open it."""
    arrival = await arrived_at(desk, type_code, number)
    return await accept_at(desk, arrival.voucher)


async def notice_about(unit: AsyncDesk, number: str) -> Form:
    """Wait for the entry notice about a payment, and take it over."""

    def wanted(one: Arrival) -> bool:
        voucher = opened(one.sealed)
        return (
            isinstance(voucher, Voucher)
            and voucher.key.type_code == ENTRY_NOTICE
            and voucher.form.text("ori_voucher_no") == number
        )

    arrival = await arrival_of(unit, wanted)
    return (await accept_at(unit, arrival.voucher)).form


async def applied(
    town: Town, program: Program, way: str
) -> tuple[Reference, Voucher, Voucher]:
    """Let the bank apply; return what treasury and finance take over."""
    program.apply()
    await works_until(program, program.is_at_rest)
    number = f"SQ{day_of(program.now)}{way}"
    async with town.desk(TREASURY) as treasury, town.desk(FINANCE) as finance:
        arrival = await arrived_at(treasury, APPLICATION, number)
        at_treasury = await accept_at(treasury, arrival.voucher)
        at_finance = await accept_at(finance, arrival.voucher)
        await taken_at(treasury, DETAIL, f"MX{number[2:]}")
    return arrival.voucher, at_treasury, at_finance


async def cleared(town: Town, program: Program, reference: Reference, fen: int) -> None:
    """Let the treasury clear an application, and the bank book it."""
    async with town.desk(TREASURY) as treasury:
        await act_on(treasury, reference)
        receipt = Receipt(
            voucher=reference,
            by=TREASURY,
            form=Form({"x_clear_date": "20260301", "x_pay_amt_fen": fen}),
        )
        (outcome,) = await treasury.issue_receipt([receipt])
        done(outcome)
    before = program.told["cleared"]
    await works_until(program, lambda: program.told["cleared"] > before)


@pytest.mark.clause("hubei-27.2", "hubei-27.3")
async def test_finance_and_unit_have_receipts_and_the_unit_a_notice_of_both(
    town: Town, program: Program
) -> None:
    before = program.core.times_paid()
    await paid(town, program, direct_payment("D1"))
    await paid(town, program, authorised_payment("U1"))

    async with town.desk(UNIT) as unit:
        direct = await notice_about(unit, "D1")
        authorised = await notice_about(unit, "U1")
    assert direct.fen("pay_amt_fen") == authorised.fen("pay_amt_fen") == TOTAL
    # By the number of its application a unit finds what it had asked finance for.
    assert {row["voucher_no"] for row in direct.rows} == {"SQ-D1"}
    assert program.core.times_paid() == (before[0] + 2, before[1] + 2 * TOTAL)


@pytest.mark.clause("hubei-27.4")
async def test_what_was_paid_is_applied_for_at_both_and_cleared(
    town: Town, program: Program
) -> None:
    program.now = NOON.replace(day=2)
    await paid(town, program, direct_payment("D2"))

    reference, application, copy = await applied(town, program, "11")

    assert application == copy
    assert set(application.recipients) == {TREASURY, FINANCE}
    rows = [
        (row["voucher_no"], row["sup_dep_code"], row["exp_func_code"])
        for row in application.form.rows
        if row["voucher_no"] == "D2"
    ]
    assert rows == [("D2", "101", function) for _, function, _ in LINES]
    await cleared(town, program, reference, application.form.fen("pay_amt_fen"))
    assert program.apply() == 0


async def test_what_the_treasury_returns_is_applied_for_again(
    town: Town, program: Program
) -> None:
    program.now = NOON.replace(day=3)
    await paid(town, program, direct_payment("D3"))
    reference, application, _ = await applied(town, program, "11")
    assert program.apply() == 0

    async with town.desk(TREASURY) as treasury:
        (outcome,) = await treasury.return_vouchers([Reason(reference, "额度不足")])
        done(outcome)
    await works_until(program, lambda: program.told["freed"] > 0)

    _, again, _ = await applied(town, program, "1102")
    assert again.form.rows == application.form.rows
    assert again.key.number != application.key.number
