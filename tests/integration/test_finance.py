"""Finance's reference system among four gateways: finance, treasury and two banks.

Banks, treasury and the hosted unit are played by hand at their desks; finance is the
program.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import delete, select
from sqlalchemy.orm import make_transient

from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.codes import PaymentWay
from counterfoil.business.days import day_of
from counterfoil.business.planning import draft_of
from counterfoil.business.tables import OutboxEntry
from counterfoil.business.turns import give_out, work
from counterfoil.business.working_days import WorkingDays
from counterfoil.finance import accounts, budget, orders
from counterfoil.finance.books import Books
from counterfoil.finance.entries import Title
from counterfoil.finance.figures import Totals, totals
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    APPROPRIATION,
    APPROPRIATION_LIST,
    CHECK_REPLY,
    CLEARING_LIST,
    CLEARING_ORDER,
    DIRECT_QUOTA,
    EXPENDITURE_REPLY,
    PAYMENT,
    REFUND_LIST,
    REVENUE_REPLY,
    SPECIAL_PAYMENT,
)
from counterfoil.finance.orders import Order
from counterfoil.finance.plans import Grant, Plan
from counterfoil.finance.recompute import recompute
from counterfoil.finance.statements import Month, plan_statements
from counterfoil.finance.system import Alarm, Finance
from counterfoil.finance.tables import Posting
from counterfoil.office import (
    AsyncDesk,
    Desk,
    DeskRefused,
    Form,
    Patience,
    Reason,
    Receipt,
    Reference,
    Standing,
    Step,
    Voucher,
    opened,
)
from tests.houses import (
    BANK,
    FINANCE,
    SPECIAL_BANK,
    TREASURY,
    UNIT,
    Town,
    environment,
    running,
)
from tests.integration.desks import (
    accept_at,
    act_on,
    done,
    issue,
    reaches,
    submit,
    until,
)
from tests.unit.finance.finance_desk import NOON, filled
from tests.unit.finance.papers import (
    OFFICE,
    SCHOOL,
    ClearedLine,
    application,
    balance_report,
    clearing,
    daily_check,
    expenditure_statement,
    refund,
    refund_match,
    refund_notice,
    revenue_report,
    revenue_statement,
)
from tests.unit.finance.station import station
from tests.unit.finance.test_finance_commands import TABLES
from tests.unit.finance.test_finance_orders import ORDER

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Program:
    """Finance's system, at work in a thread of its own.

    Args:
        town: Where its gateway is.
        file: Its books; they go on from test to test.
        stack: Closes its desks.
    """

    def __init__(self, town: Town, file: Path, stack: ExitStack) -> None:
        self.file = file
        self.books = Books(f"sqlite:///{file}")
        stack.callback(self.books.close)
        self.now = NOON
        self.desk = self._desk(town, stack)
        reviewers = [
            Reviewer(
                self._desk(town, stack, "person", name), town.person(FINANCE, name)
            )
            for name in ("first", "second")
        ]
        self._takers = Finance(
            office=OFFICE,
            desk=self.desk,
            clerks=Clerks(self.desk, reviewers, lambda: self.now),
            books=self.books,
            clock=lambda: self.now,
            tell=lambda *_: None,
            alarm=Alarm(WorkingDays(), lambda _: None),
        ).takers()

    def _desk(
        self, town: Town, stack: ExitStack, use: str = "system", name: str = "1"
    ) -> Desk:
        patience = Patience(total_s=60.0, wait_s_min=0.02, wait_s_max=0.2)
        address = f"127.0.0.1:{town.ports[FINANCE]}"
        access = town.access(FINANCE, use, name)
        return stack.enter_context(Desk(address, access, patience))

    @property
    def day(self) -> str:
        """Today in China."""
        return day_of(self.now)

    def live_on(self, day: int) -> None:
        """Let it be a day in March: lists are about one day, each test has its own."""
        self.now = NOON.replace(day=day)

    def allot(self, number: str, *grants: Grant) -> None:
        """Enter a plan of allotments."""
        with self.books.writing() as session:
            budget.enter(session, OFFICE, Plan(number, grants), self.day)

    @property
    def totals(self) -> Totals:
        """What the books say in short."""
        with self.books.reading() as session:
            return totals(session, OFFICE)

    def sent(self, type_code: int) -> list[tuple[Reference, Voucher]]:
        """Return the vouchers of a kind that went out."""
        with self.books.reading() as session:
            entries = session.scalars(
                select(OutboxEntry).where(
                    OutboxEntry.type_code == type_code, OutboxEntry.digest != b""
                )
            )
            return [(entry.reference, draft_of(entry)) for entry in entries]

    def order(self, type_code: int, order: Order) -> None:
        """Enter an order to pay."""
        with self.books.writing() as session:
            orders.enter(session, OFFICE, type_code, order, self.day)

    def turn(self) -> None:
        """Read what is there, and take everything as far as it goes."""
        for arrivals in self.desk.read():
            give_out(arrivals, self._takers)
        work(self._takers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = Town(
        directory=tmp_path_factory.mktemp("finance"),
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
    """Run one finance department for all tests of the module: its books go on."""
    folder: Path = tmp_path_factory.mktemp("books")
    stack = ExitStack()
    yield Program(town, folder / "books.sqlite", stack)
    await asyncio.to_thread(stack.close)


async def stands(
    program: Program, desk: AsyncDesk, reference: Reference, standing: Standing
) -> None:
    """Let finance work until a voucher stands so with it, as its issuer sees it."""
    await stands_with(program, desk, reference, FINANCE, standing)


async def stands_with(
    program: Program,
    desk: AsyncDesk,
    reference: Reference,
    party: str,
    standing: Standing,
) -> None:
    """Let finance work until a voucher stands so with a recipient."""

    async def tell() -> Standing | None:
        await asyncio.to_thread(program.turn)
        try:
            way = await desk.inquire(reference.digest)
        except DeskRefused:
            return None
        return way.standings.get(party)

    await until(tell, lambda told: told is standing)


Sent = tuple[Reference, Voucher]


async def issued(
    program: Program, type_code: int, says: Callable[[Voucher], bool]
) -> Sent:
    """Let finance work until it has sent a voucher of a kind that says so."""

    async def tell() -> list[Sent]:
        await asyncio.to_thread(program.turn)
        return [one for one in program.sent(type_code) if says(one[1])]

    [found] = await until(tell, bool)
    return found


async def answer(
    town: Town,
    program: Program,
    by: str,
    sent: Sent,
    *,
    copies: tuple[str, ...] = (),
) -> None:
    """Let a recipient act on a voucher and give its receipt."""
    reference, voucher = sent
    async with town.desk(by) as desk:
        await accept_at(desk, reference)
        await act_on(desk, reference)
        form = filled(voucher, program.day)
        receipt = Receipt(voucher=reference, by=by, form=form, copies=copies)
        (outcome,) = await desk.issue_receipt([receipt])
    done(outcome)


async def until_totals(program: Program, before: Totals, **more: int) -> None:
    """Let finance work until its books say so much more than before."""

    async def tell() -> dict[str, int]:
        await asyncio.to_thread(program.turn)
        found = program.totals
        return {name: getattr(found, name) - getattr(before, name) for name in more}

    await until(tell, lambda told: told == more)


async def explanation_of(desk: AsyncDesk, reference: Reference) -> str:
    """Return why a voucher was rejected or returned, as its issuer reads it."""
    way = await desk.inquire(reference.digest)
    # A hosted unit's gateway has the step on both sides.
    [told] = {
        one.explanation
        for one in map(opened, way.documents)
        if isinstance(one, Step) and one.explanation
    }
    return told


def allotted(program: Program, number: str, fen: int = 1000) -> None:
    """Enter a plan for the school's direct payments, and its quota."""
    program.allot(
        number,
        *(
            Grant(
                unit=SCHOOL.code,
                function=function,
                way=PaymentWay.DIRECT,
                amount_fen=fen,
            )
            for function in ("2010101", "2050202")
        ),
    )


async def paid(town: Town, program: Program, asked: str) -> str:
    """Let the unit apply, and the bank pay; return the payment's number."""
    allotted(program, f"YK-{asked}")
    sent = (await issue(town, application(asked), UNIT)).reference
    async with town.desk(UNIT) as unit:
        await stands(program, unit, sent, Standing.ACCEPTED)
    payment = await issued(
        program, PAYMENT, lambda one: one.form.rows[0]["voucher_no"] == asked
    )
    before = program.totals
    await answer(town, program, BANK, payment)
    await until_totals(program, before, direct=1)
    return payment[0].key.number


def rows_of(payment: str) -> tuple[ClearedLine, ...]:
    """Return what a bank asks for after it has paid `papers.application`."""
    return (payment, "101", "2010101", 100), (payment, "101", "2050202", 250)


@pytest.mark.clause("hubei-27.1")
async def test_a_plan_is_told_to_the_treasury_as_quota(
    town: Town, program: Program
) -> None:
    allotted(program, "YK1", 77)

    quota = await issued(
        program, DIRECT_QUOTA, lambda one: one.form.fen("pay_amt_fen") == 154
    )

    reference = quota[0]
    async with town.desk(BANK) as bank:
        await accept_at(bank, reference)
    await answer(town, program, TREASURY, quota)
    async with town.desk(FINANCE) as finance:

        async def standings() -> dict[str, Standing]:
            way = await finance.inquire(reference.digest)
            return dict(way.standings)

        closed = {TREASURY: Standing.CLOSED, BANK: Standing.ACCEPTED}
        await until(standings, lambda told: told == closed)


@pytest.mark.clause("hubei-27.2")
async def test_an_application_is_paid_by_the_bank_and_becomes_expenditure(
    town: Town, program: Program
) -> None:
    program.live_on(2)
    before = program.totals

    await paid(town, program, "SQ1")

    await until_totals(
        program, before, direct_fen=350, expenditure_fen=350, advanced_fen=350
    )


@pytest.mark.clause("hubei-27.4")
async def test_what_the_bank_paid_is_cleared_and_listed(
    town: Town, program: Program
) -> None:
    program.live_on(3)
    before = program.totals
    payment = await paid(town, program, "SQ2")
    paper = clearing("SQ2026030311", rows_of(payment))

    asked = (await issue(town, paper, BANK)).reference

    async with town.desk(BANK) as bank:
        await stands(program, bank, asked, Standing.ACCEPTED)
    order = await issued(
        program,
        CLEARING_ORDER,
        lambda one: one.form.text("ori_voucher_no") == paper.key.number,
    )
    await answer(town, program, TREASURY, order)
    await answer(town, program, TREASURY, (asked, paper), copies=(FINANCE,))
    await until_totals(
        program,
        before,
        cleared_fen=350,
        expenditure_fen=350,
        advanced_fen=0,
        balance_fen=-350,
    )
    program.live_on(4)
    listing = await issued(
        program, CLEARING_LIST, lambda one: one.key.number == "QD20260303"
    )
    numbers = [row["ori_voucher_no"] for row in listing[1].form.rows]
    assert numbers == [order[0].key.number]
    await answer(town, program, TREASURY, listing)
    await until_totals(program, before, listed=1, differs=0)


async def test_a_row_that_finance_never_ordered_is_rejected(
    town: Town, program: Program
) -> None:
    wrong = clearing("SQ2026030312", (("ZF9", "101", "2010101", 100),))

    sent = (await issue(town, wrong, BANK)).reference

    async with town.desk(BANK) as bank:
        await stands(program, bank, sent, Standing.REJECTED)
        told = await explanation_of(bank, sent)
    assert told == "支付凭证ZF9不是本财政下达并已支付的凭证"


async def test_one_fen_over_the_allotment_is_told_to_the_unit(
    town: Town, program: Program
) -> None:
    program.allot(
        "YK9",
        Grant(
            unit=SCHOOL.code,
            function="2010109",
            way=PaymentWay.DIRECT,
            amount_fen=100,
        ),
    )
    over = application("SQ9", (("2010109", 101),))

    sent = (await issue(town, over, UNIT)).reference

    async with town.desk(UNIT) as unit:
        await stands(program, unit, sent, Standing.REJECTED)
        assert "超出0.01元" in await explanation_of(unit, sent)


@pytest.mark.clause("hubei-27.5")
async def test_a_refund_comes_as_a_copy_and_is_listed(
    town: Town, program: Program
) -> None:
    program.live_on(5)
    payment = await paid(town, program, "SQ3")
    before = program.totals
    paper = refund("TK1", ((payment, "101", "2010101", -40),))

    sent = (await issue(town, paper, BANK)).reference
    await answer(town, program, TREASURY, (sent, paper), copies=(FINANCE,))

    await until_totals(program, before, refunded_fen=40, expenditure_fen=-40)
    program.live_on(6)
    listing = await issued(
        program, REFUND_LIST, lambda one: one.key.number == "TD20260305"
    )
    assert listing[1].form.fen("all_amt_fen") == -40


async def sent(town: Town, party: str, voucher: Voucher) -> Reference:
    """Let somebody send what needs no personal seal."""
    async with town.desk(party) as desk:
        return await submit(desk, voucher)


async def receipt_of(desk: AsyncDesk, reference: Reference) -> Receipt:
    """Return the receipt that an issuer holds of its voucher."""
    way = await desk.inquire(reference.digest)
    [receipt] = [one for one in map(opened, way.documents) if isinstance(one, Receipt)]
    return receipt


@pytest.mark.clause("hubei-25", "hubei-26", "hubei-29.1")
async def test_revenue_comes_in_an_appropriation_goes_out_and_the_balance_agrees(
    town: Town, program: Program
) -> None:
    program.live_on(10)
    before = program.totals
    revenue = revenue_report("20260310", (("1010101", "2", 5000, 5000),))
    await sent(town, TREASURY, revenue)
    program.order(APPROPRIATION, ORDER)
    order = await issued(program, APPROPRIATION, lambda _: True)
    await answer(town, program, TREASURY, order)
    await until_totals(
        program,
        before,
        revenue_fen=5000,
        appropriated_fen=900,
        balance_fen=5000 - 900,
    )

    with program.books.reading() as session:
        posted = accounts.total_fen(session, Title.SINGLE, before="20260310")
    sound = balance_report("20260310", OFFICE.opening_fen + posted, 5000, 900)
    wrong = balance_report("20260311", 1, 0, 0)

    async with town.desk(TREASURY) as treasury:
        good = await sent(town, TREASURY, sound)
        await stands(program, treasury, good, Standing.CLOSED)
        bad = await sent(town, TREASURY, wrong)
        await stands(program, treasury, bad, Standing.DISPUTED)
        answered = (await receipt_of(treasury, bad)).form
    assert answered.text("x_check_result") == "1"
    assert [row["x_check_reason"] for row in answered.rows] == ["库存余额与账簿不符"]
    program.live_on(11)
    listing = await issued(
        program, APPROPRIATION_LIST, lambda one: one.key.number == "BD20260310"
    )
    assert [row["ori_voucher_no"] for row in listing[1].form.rows] == ["SBBK1"]


@pytest.mark.clause("hubei-21a", "hubei-29.1")
async def test_the_treasurys_statements_are_answered_by_replies(
    town: Town, program: Program
) -> None:
    program.live_on(12)
    for stated in (
        daily_check("20260312", "5207"),
        revenue_statement((("9", "2", 1, 1),)),
        expenditure_statement((("9", 1, 1),)),
    ):
        reference = await sent(town, TREASURY, stated)
        async with town.desk(TREASURY) as treasury:
            await stands(program, treasury, reference, Standing.ACCEPTED)

    for kind in (CHECK_REPLY, REVENUE_REPLY, EXPENDITURE_REPLY):
        reference, reply = await issued(program, kind, lambda _: True)
        async with town.desk(TREASURY) as treasury:
            assert await accept_at(treasury, reference) == reply


@pytest.mark.clause("hubei-28")
async def test_a_payment_out_of_the_special_account_is_receipted_by_its_bank(
    town: Town, program: Program
) -> None:
    program.live_on(13)
    before = program.totals
    program.order(SPECIAL_PAYMENT, ORDER)

    order = await issued(program, SPECIAL_PAYMENT, lambda _: True)
    await answer(town, program, SPECIAL_BANK, order)

    await until_totals(program, before, special_fen=900, expenditure_fen=0)


@pytest.mark.clause("hubei-27.5")
async def test_a_bank_is_told_that_what_came_back_is_ours(
    town: Town, program: Program
) -> None:
    program.live_on(14)
    payment = await paid(town, program, "SQ4")

    async with town.desk(BANK) as bank:
        match = await sent(town, BANK, refund_match("TP1", payment, -40))
        await stands(program, bank, match, Standing.CLOSED)
        told = (await receipt_of(bank, match)).form
        notice = await sent(town, BANK, refund_notice("TZ1", payment, -40))
        await stands(program, bank, notice, Standing.ACCEPTED)
    assert told.text("x_check_result") == "0"


@pytest.mark.clause("hubei-29.2")
async def test_a_month_is_stated_to_the_bank_which_answers_by_its_result(
    town: Town, program: Program
) -> None:
    program.live_on(15)
    payment = await paid(town, program, "SQ5")
    with program.books.writing() as session:
        plan_statements(session, OFFICE, Month.named("202603"), "20260401")

    reference, statement = await issued(
        program, AGENCY_STATEMENT, lambda one: one.recipients == (BANK,)
    )

    assert payment in {row["voucher_no"] for row in statement.form.rows}
    async with town.desk(BANK) as bank:
        await accept_at(bank, reference)
        await act_on(bank, reference)
        agrees = Receipt(voucher=reference, by=BANK, form=Form({"x_check_result": "0"}))
        (outcome,) = await bank.issue_receipt([agrees])
    done(outcome)
    async with town.desk(FINANCE) as finance:
        await reaches(finance, reference, Standing.CLOSED)


@pytest.mark.clause("hubei-32b", "hubei-33")
async def test_what_finance_asks_back_goes_back_to_the_unit(
    town: Town, program: Program
) -> None:
    program.live_on(16)
    allotted(program, "YK-SQ6")
    asked = (await issue(town, application("SQ6"), UNIT)).reference
    reference, _ = await issued(
        program, PAYMENT, lambda one: one.form.rows[0]["voucher_no"] == "SQ6"
    )
    async with town.desk(BANK) as bank:
        await accept_at(bank, reference)
        async with town.desk(FINANCE) as finance:
            (outcome,) = await finance.request_return([Reason(reference, "金额有误")])
        done(outcome)
        (outcome,) = await bank.return_vouchers([Reason(reference, "应要求退回")])
        done(outcome)

    async with town.desk(UNIT) as unit:
        await stands(program, unit, asked, Standing.RETURNED)
        assert await explanation_of(unit, asked) == "代理银行退回：应要求退回"


async def test_the_ledger_follows_from_the_vault(
    town: Town, program: Program, tmp_path: Path
) -> None:
    program.live_on(20)
    payment = await paid(town, program, "SQ7")
    paper = refund("TK7", ((payment, "101", "2010101", -40),))
    reference = (await issue(town, paper, BANK)).reference
    before = program.totals
    await answer(town, program, TREASURY, (reference, paper), copies=(FINANCE,))
    await sent(town, TREASURY, revenue_report("20260320", (("8", "2", 70, 70),)))
    await until_totals(program, before, refunded=1, revenue_fen=70)

    def differences(books: Books) -> list[str]:
        return list(recompute(program.desk, books, FINANCE))

    assert await asyncio.to_thread(differences, program.books) == []
    with closing(copy_of(program, tmp_path)) as copy:
        with copy.writing() as session:
            booked = Posting.title == Title.REVENUE, Posting.subject == "8"
            posting = session.scalars(select(Posting).where(*booked)).one()
            posting.amount_fen -= 1
        [changed] = await asyncio.to_thread(differences, copy)
        with copy.writing() as session:
            session.execute(delete(Posting).where(Posting.digest == posting.digest))
        [missing] = await asyncio.to_thread(differences, copy)
        with copy.writing() as session:
            make_transient(posting)
            posting.id, posting.digest = None, bytes(32)  # type: ignore[assignment]
            session.add(posting)
        invented = await asyncio.to_thread(differences, copy)
    assert "SR20260320" in changed
    assert missing.endswith("已办结，未记账")
    assert any("凭证库中未办结" in one for one in invented)


def copy_of(program: Program, folder: Path) -> Books:
    """Return a copy of the books: what is done to it harms no other test."""
    with closing(sqlite3.connect(program.file)) as books:
        books.execute("VACUUM INTO ?", (str(folder / "copy.sqlite"),))
    return Books(f"sqlite:///{folder / 'copy.sqlite'}")


def configuration(town: Town, program: Program, folder: Path) -> Path:
    """Write the program's configuration, as `counterfoil-finance` reads it."""
    lines = station(town.ca, folder, f"127.0.0.1:{town.ports[FINANCE]}")
    lines += ["[books]", f'url = "sqlite:///{program.file}"', TABLES]
    file = folder / "finance.toml"
    file.write_text("\n".join(lines))
    (folder / "days.toml").write_text("")
    return file


async def test_the_program_issues_what_is_planned_until_it_is_told_to_stop(
    town: Town, program: Program, tmp_path: Path
) -> None:
    program.live_on(21)
    config = configuration(town, program, tmp_path)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "counterfoil.finance", "run", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    try:
        allotted(program, "YK-RUN", 33)
        async with asyncio.timeout(60):
            while await process.stdout.readline() != b"sent 1\n":
                assert process.returncode is None
    finally:
        process.terminate()
        await process.communicate()

    assert process.returncode == 0
    assert [
        voucher
        for _, voucher in program.sent(DIRECT_QUOTA)
        if voucher.form.fen("pay_amt_fen") == 66
    ]
