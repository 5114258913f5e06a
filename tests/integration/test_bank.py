"""The bank's reference system among gateways: finance, treasury, and two banks.

Finance, the treasury and the unit, which finance hosts, are played by hand at their
desks; the bank is the program.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

from counterfoil.bank.accounts import Totals, totals
from counterfoil.bank.clearing import apply_for_clearing
from counterfoil.bank.core import CorePlan, SimulatedCore
from counterfoil.bank.counter import PaperRefused, enter
from counterfoil.bank.journal import Journal, Payment, State
from counterfoil.bank.kinds import (
    APPLICATION,
    AUTHORISED_REFUND,
    DETAIL,
    ENTRY_NOTICE,
    QUOTA_STATEMENT,
    REFUND_APPLICATION,
    REFUND_MATCH,
    UNIT_STATEMENT,
)
from counterfoil.bank.recompute import recompute
from counterfoil.bank.refunds import Match, came_back
from counterfoil.bank.statements import plan_statements
from counterfoil.bank.system import System
from counterfoil.bank.tables import Entry, What
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
from counterfoil.office.vouchers import FieldValue
from tests.houses import (
    BANK,
    FINANCE,
    SPECIAL_BANK,
    TREASURY,
    UNIT,
    Town,
    running,
)
from tests.integration.desks import accept_at, act_on, arrival_of, done, issue, reaches
from tests.unit.bank.papers import (
    LINES,
    OFFICE,
    TOTAL,
    authorised_payment,
    direct_payment,
    special_payment,
)
from tests.unit.bank.stated import agency_statement
from tests.unit.treasury.papers import quota_notice

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
PATIENCE = Patience(total_s=60.0, wait_s_min=0.02, wait_s_max=0.2)


class Program:
    """The bank's system, at work in a thread of its own.

    Args:
        town: Where its gateway is.
        folder: Where its books are; they go on from test to test.
        stack: Closes what it opens.
        party: Whose system it is.
    """

    def __init__(
        self, town: Town, folder: Path, stack: ExitStack, party: str = BANK
    ) -> None:
        self.told: Counter[str] = Counter()
        self.now = NOON
        self.journal = Journal(f"sqlite:///{folder}/books.sqlite")
        self.core = SimulatedCore(f"sqlite:///{folder}/core.sqlite", CorePlan())
        address = f"127.0.0.1:{town.ports[party]}"
        self.desk = Desk(address, town.access(party), PATIENCE)
        reviewers = [
            Reviewer(
                Desk(address, town.access(party, "person", name), PATIENCE),
                town.person(party, name),
            )
            for name in ("first", "second")
        ]
        for opened_one in (self.journal, self.core, self.desk):
            stack.callback(opened_one.close)
        for one in reviewers:
            stack.callback(one.desk.close)
        system = System(
            party=party,
            office=replace(OFFICE, party=party),
            desk=self.desk,
            reviewers=reviewers,
            journal=self.journal,
            core=self.core,
            clock=lambda: self.now,
            tell=self._tell,
        )
        self.system = system
        self._takers = system.takers()

    def turn(self) -> None:
        """Read what is there, and take everything as far as it goes."""
        for arrivals in self.desk.read():
            give_out(arrivals, self._takers)
        work(self._takers)

    def apply(self) -> int:
        """Apply for clearing of what was paid."""
        return apply_for_clearing(self.journal, OFFICE, day_of(self.now))

    def is_at_rest(self) -> bool:
        """Tell whether everything is done that can be done now."""
        return all(taker.is_at_rest() for taker in self._takers)

    def has_paid(self, reference: Reference) -> bool:
        """Tell whether a payment has come to its end."""
        payment = self.journal.payment(reference.digest)
        return payment is not None and payment.state is State.CLOSED

    def enter(self, number: str, check_code: str) -> bool:
        """Enter a paper at the counter."""
        with self.journal.writing() as session:
            return enter(session, number, check_code, day_of(self.now))

    def refund(self, number: str, row_id: str, fen: int) -> str:
        """Let money come back; return the refund's number."""
        with self.journal.writing() as session:
            match = Match(number=number, row_id=row_id)
            day = day_of(self.now)
            return came_back(session, OFFICE, match, (fen, "账号有误"), day).number

    def state(self, month: str) -> None:
        """Make the statements of a month."""
        plan_statements(self.journal, OFFICE, month, day_of(self.now))

    def fen(self, name: str) -> int:
        """Return one of the totals of the books."""
        with self.journal.reading() as session:
            return int(getattr(sum(totals(session).values(), Totals()), name))

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = Town(
        directory=tmp_path_factory.mktemp("bank"),
        carriers=(FINANCE, TREASURY, BANK, SPECIAL_BANK),
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
    await works_until(program, lambda: program.has_paid(reference))
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


async def answer(
    desk: AsyncDesk, reference: Reference, by: str, fields: dict[str, FieldValue]
) -> None:
    """Act on what was taken over, and issue the receipt."""
    await act_on(desk, reference)
    receipt = Receipt(voucher=reference, by=by, form=Form(fields))
    (outcome,) = await desk.issue_receipt([receipt])
    done(outcome)


async def cleared(
    town: Town, program: Program, reference: Reference, fen: int, what: str = "cleared"
) -> None:
    """Let the treasury clear an application, and the bank book it."""
    fields: dict[str, FieldValue] = {
        "x_clear_date": day_of(program.now),
        "x_pay_amt_fen": fen,
    }
    async with town.desk(TREASURY) as treasury:
        await answer(treasury, reference, TREASURY, fields)
    before = program.told[what]
    await works_until(program, lambda: program.told[what] > before)


async def issued_by_bank(
    town: Town, program: Program, at: str, type_code: int, number: str = ""
) -> tuple[Reference, Voucher]:
    """Let the bank issue what it planned; return what a party takes over."""
    await works_until(program, program.is_at_rest)
    async with town.desk(at) as desk:
        arrival = await arrived_at(desk, type_code, number)
        return arrival.voucher, await accept_at(desk, arrival.voucher)


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


@pytest.mark.clause("hubei-27.3")
async def test_at_the_counter_voucher_and_paper_have_to_meet(
    town: Town, program: Program
) -> None:
    program.now = NOON.replace(day=4)
    before = program.core.times_paid()
    voucher = authorised_payment("U4", counter=True)
    reference = (await issue(town, voucher, UNIT)).reference
    async with town.desk(UNIT) as unit:
        accepted = program.told["accepted"]
        await works_until(program, lambda: program.told["accepted"] > accepted)
        await reaches(unit, reference, Standing.ACCEPTED)
        with pytest.raises(PaperRefused, match="校验码"):
            program.enter("U4", "00000000")
        await asyncio.to_thread(program.turn)
        assert program.core.times_paid() == before

        assert program.enter("U4", reference.digest.hex()[:8])

        await works_until(program, program.is_at_rest)
        await reaches(unit, reference, Standing.CLOSED)
    assert program.core.times_paid() == (before[0] + 1, before[1] + TOTAL)


@pytest.mark.clause("hubei-28")
async def test_a_payment_out_of_a_special_account_is_made_by_its_bank(
    town: Town, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        special = await asyncio.to_thread(Program, town, tmp_path, stack, SPECIAL_BANK)
        voucher = replace(special_payment("Z1"), recipients=(SPECIAL_BANK,))

        reference = await paid(town, special, voucher)

        assert special.core.times_paid() == (1, TOTAL)
        assert special.fen("special_fen") == TOTAL
        assert special.apply() == 0
    async with town.desk(FINANCE) as finance:
        way = await finance.inquire(reference.digest)
        [receipt] = [
            one for one in map(opened, way.documents) if isinstance(one, Receipt)
        ]
    assert [row["x_pay_amt_fen"] for row in receipt.form.rows] == [100, 250]


@pytest.mark.clause("hubei-27.5")
async def test_money_that_came_back_is_confirmed_refunded_and_told(
    town: Town, program: Program
) -> None:
    program.now = NOON.replace(day=6)
    await paid(town, program, authorised_payment("U6"))
    reference, application, _ = await applied(town, program, "12")
    await cleared(town, program, reference, application.form.fen("pay_amt_fen"))
    number = program.refund("U6", "U6-1", 250)

    asked, question = await issued_by_bank(town, program, UNIT, REFUND_MATCH)
    assert question.form.text("ori_voucher_no") == "U6"
    async with town.desk(UNIT) as unit:
        await answer(unit, asked, UNIT, {"x_check_result": "0"})
    before = program.told["confirmed"]
    await works_until(program, lambda: program.told["confirmed"] > before)

    refunded, wanted = await issued_by_bank(town, program, TREASURY, REFUND_APPLICATION)
    [row] = wanted.form.rows
    assert (row["ori_voucher_no"], row["pay_amt_fen"]) == ("U6", -250)
    await cleared(town, program, refunded, -250, "refunded")
    _, told = await issued_by_bank(town, program, UNIT, AUTHORISED_REFUND)
    assert (told.key.number, told.form.fen("pay_amt_fen")) == (number, -250)
    _, entry = await issued_by_bank(town, program, UNIT, ENTRY_NOTICE, f"RZ{number}")
    assert entry.form.fen("pay_amt_fen") == -250
    assert program.fen("refunded_fen") >= 250


@pytest.mark.clause("hubei-29.2", "hubei-29.3", "hubei-29.4")
async def test_statements_are_exchanged_at_the_end_of_the_month(
    town: Town, program: Program
) -> None:
    program.now = NOON.replace(day=7)
    await paid(town, program, direct_payment("D7", pay_acct_no="42000000017"))
    program.now = NOON.replace(month=4)
    notice = quota_notice("E7", (("777", "2010101", 1000),))
    notice = Voucher(key=notice.key, recipients=(TREASURY, BANK), form=notice.form)
    await issue(town, notice, FINANCE)
    stated = agency_statement(
        "S7", ((5201, "D7", TOTAL, "20260307"),), account="42000000017"
    )
    async with town.desk(FINANCE) as finance:
        (outcome,) = await finance.submit([stated])
        reference = Reference(stated.key, done(outcome).digest)
        await works_until(program, lambda: program.told["booked"] >= 2)
        await reaches(finance, reference, Standing.CLOSED)

    program.state("202603")
    statement, of_march = await issued_by_bank(town, program, UNIT, UNIT_STATEMENT)
    assert "D7" in {row["voucher_no"] for row in of_march.form.rows}
    program.now = NOON.replace(month=5)
    program.state("202604")
    _, of_april = await issued_by_bank(
        town, program, TREASURY, QUOTA_STATEMENT, "ED202604"
    )
    assert ("777", 1000) in {
        (row["sup_dep_code"], row["clear_amt_fen"]) for row in of_april.form.rows
    }
    async with town.desk(UNIT) as unit:
        await answer(unit, statement, UNIT, {"x_check_result": "0"})
    async with town.desk(BANK) as bank:
        await works_until(program, program.is_at_rest)
        await reaches(bank, statement, Standing.CLOSED)


async def test_the_books_follow_from_the_vault(town: Town, program: Program) -> None:
    program.now = NOON.replace(day=8)
    await paid(town, program, direct_payment("D8"))
    reference, application, _ = await applied(town, program, "11")
    await cleared(town, program, reference, application.form.fen("pay_amt_fen"))

    def differences() -> list[str]:
        return list(recompute(program.desk, program.journal, OFFICE))

    assert await asyncio.to_thread(differences) == []
    with program.journal.writing() as session:
        session.execute(
            update(Entry)
            .where(Entry.what == What.PAID, Entry.digest == Entry.payment)
            .where(Entry.payment.in_(select(Payment.digest).filter_by(number="D8")))
            .values(amount_fen=-TOTAL + 1)
        )
        session.execute(
            delete(Entry).where(
                Entry.what == What.CLEARED, Entry.digest == reference.digest
            )
        )
    found = await asyncio.to_thread(differences)
    assert len(found) == 2
    assert any("记账3.49元，凭证库为3.50元" in one for one in found)
    assert any("已办结，未记账" in one for one in found)


async def test_a_program_that_is_stopped_clears_and_ends_at_rest(
    town: Town, program: Program
) -> None:
    program.now = NOON.replace(day=9)
    await paid(town, program, direct_payment("D9"))
    at_rest: list[bool] = []

    def note() -> None:
        at_rest.append(program.is_at_rest())

    async with asyncio.timeout(60):
        await asyncio.to_thread(
            lambda: program.system.run(lambda: True, note, clear=True)
        )

    assert len(at_rest) >= 2
    assert all(at_rest)
    assert program.apply() == 0
    async with town.desk(TREASURY) as treasury:
        sent = await taken_at(treasury, APPLICATION, "SQ2026030911")
    assert "D9" in {row["voucher_no"] for row in sent.form.rows}
