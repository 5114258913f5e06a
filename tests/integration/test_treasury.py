"""The treasury's reference system among three gateways: finance, treasury and bank.

Finance and the bank are played by hand at their desks; the treasury is the program.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.office import (
    AsyncDesk,
    Desk,
    DeskRefused,
    DocumentKind,
    Form,
    Patience,
    Receipt,
    Reference,
    Standing,
    Step,
    Voucher,
    kind_of,
    opened,
)
from counterfoil.treasury import accounts
from counterfoil.treasury.books import Books
from counterfoil.treasury.clerk import Clerk
from counterfoil.treasury.kinds import (
    APPROPRIATION_LIST,
    BALANCE_REPORT,
    CLEARING_LIST,
    READ,
    REFUND_LIST,
)
from counterfoil.treasury.recompute import recompute
from counterfoil.treasury.reports import reports_of
from counterfoil.wire.catalogue import CATALOGUE
from tests.houses import BANK, FINANCE, TREASURY, Town, running
from tests.integration.desks import (
    accept_at,
    done,
    issue,
    reaches,
    refused,
    submit,
    until,
)
from tests.integration.kinds import draft, travel
from tests.unit.treasury.papers import (
    ACCOUNT,
    LINES,
    OFFICE,
    Line,
    application,
    appropriation,
    changed,
    listing,
    order,
    quota_notice,
    refund,
)
from tests.unit.treasury.treasury_desk import NOON, OPENING_FEN

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOTAL = sum(fen for _, _, fen in LINES)


class Program:
    """The treasury's system, at work in a thread of its own.

    Args:
        desk: Its desk.
        books: Its books; they go on from test to test.
    """

    def __init__(self, desk: Desk, books: Books) -> None:
        self.desk = desk
        self.books = books
        self.now = NOON
        self._clerk = Clerk(OFFICE, desk, books, lambda: self.now, lambda *_: None)

    def live_on(self, day: int) -> str:
        """Let it be a day in March: lists are about one day, so each test has its own.

        Returns:
            The day, `yyyymmdd`.
        """
        self.now = NOON.replace(day=day)
        return f"202603{day:02}"

    def count(self, name: str) -> int:
        """Return one of the figures of the books."""
        with self.books.reading() as session:
            return int(getattr(accounts.figures(session), name))

    def turn(self) -> None:
        """Read what is there, and take everything as far as it goes."""
        for arrivals in self.desk.read(types=sorted({*READ, BALANCE_REPORT})):
            self._clerk.take(arrivals)
        self._clerk.work()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = Town(
        directory=tmp_path_factory.mktemp("treasury"),
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
    """Run one treasury for all tests of the module: its books go on."""
    folder: Path = tmp_path_factory.mktemp("books")
    books = Books(f"sqlite:///{folder}/books.sqlite", ACCOUNT, OPENING_FEN)
    desk = Desk(
        f"127.0.0.1:{town.ports[TREASURY]}",
        town.access(TREASURY),
        Patience(total_s=60.0, wait_s_min=0.02, wait_s_max=0.2),
    )
    yield Program(desk, books)
    await asyncio.to_thread(desk.close)
    books.close()


async def send(town: Town, voucher: Voucher, issuer: str) -> Reference:
    """Issue a voucher as its seal plan wants it."""
    if CATALOGUE.row(voucher.key.type_code).plan.has_persons:
        return (await issue(town, voucher, issuer)).reference
    async with town.desk(issuer) as desk:
        return await submit(desk, voucher)


async def answered(
    program: Program, desk: AsyncDesk, reference: Reference, standing: Standing
) -> None:
    """Let the treasury work until its answer has arrived at the issuer."""

    async def tell() -> Standing | None:
        await asyncio.to_thread(program.turn)
        try:
            way = await desk.inquire(reference.digest)
        except DeskRefused:
            return None
        return way.standings[TREASURY]

    await until(tell, lambda told: told is standing)


async def receipt_of(desk: AsyncDesk, reference: Reference) -> Receipt:
    """Return the receipt that an issuer holds of its voucher."""
    way = await desk.inquire(reference.digest)
    [found] = [one for one in way.documents if kind_of(one) is DocumentKind.RECEIPT]
    receipt = opened(found)
    assert isinstance(receipt, Receipt)
    assert receipt.by == TREASURY
    return receipt


async def copy_of(desk: AsyncDesk, reference: Reference) -> Receipt:
    """Wait for the copy of a receipt that goes to finance (回单抄送)."""

    async def tell() -> bool:
        try:
            way = await desk.inquire(reference.digest)
        except DeskRefused:
            return False
        return any(kind_of(one) is DocumentKind.RECEIPT for one in way.documents)

    await until(tell, bool)
    return await receipt_of(desk, reference)


async def explanation_of(desk: AsyncDesk, reference: Reference) -> str:
    """Return why a voucher was rejected or returned, as its issuer reads it."""
    way = await desk.inquire(reference.digest)
    [step] = [
        one
        for one in map(opened, way.documents)
        if isinstance(one, Step) and one.explanation
    ]
    return step.explanation


async def apply_and_order(
    town: Town, number: str, lines: tuple[Line, ...] = LINES
) -> tuple[Reference, Reference]:
    """Let the bank apply at both, and finance order from what it was sent."""
    asked = application(number, lines)
    asked = Voucher(key=asked.key, recipients=(TREASURY, FINANCE), form=asked.form)
    applied = await send(town, asked, BANK)
    async with town.desk(FINANCE) as finance:
        copy = await accept_at(finance, applied)
    made = order(f"Q{number}", copy.key.number, lines)
    carried = {
        name: value for name, value in copy.form.fields.items() if "voucher" not in name
    }
    fields = {**carried, **made.form.fields}
    ordered = Voucher(
        key=made.key, recipients=made.recipients, form=Form(fields, copy.form.rows)
    )
    return applied, await send(town, ordered, FINANCE)


@pytest.mark.clause("hubei-26")
async def test_an_appropriation_is_paid_receipted_compared_and_listed(
    town: Town, program: Program
) -> None:
    day = program.live_on(2)
    before = program.count("balance_fen")

    paid = await send(town, appropriation("B1"), FINANCE)
    other = await send(town, appropriation("B2", LINES[:1]), FINANCE)

    async with town.desk(FINANCE) as finance:
        await answered(program, finance, paid, Standing.CLOSED)
        await answered(program, finance, other, Standing.CLOSED)
        rows = (await receipt_of(finance, paid)).form.rows
        assert [(row["x_pay_amt_fen"], row["x_pay_date"]) for row in rows] == [
            (fen, day) for _, _, fen in LINES
        ]
        first = LINES[0][2]
        assert program.count("balance_fen") == before - TOTAL - first

        # What contradicts a receipt, finance's own gateway does not seal.
        wrong = listing(APPROPRIATION_LIST, "L0", (("B1", TOTAL + 1),), day=day)
        (outcome,) = await finance.submit([wrong])
        assert refused(outcome) == "REFERENCE_DIFFERS"
        # What is missing in the list, the treasury's books know.
        half = await send(
            town, listing(APPROPRIATION_LIST, "L0", (("B1", TOTAL),), day=day), FINANCE
        )
        await answered(program, finance, half, Standing.REJECTED)
        assert "缺少凭证B2" in await explanation_of(finance, half)

        whole = listing(
            APPROPRIATION_LIST, "L1", (("B1", TOTAL), ("B2", first)), day=day
        )
        listed = await send(town, whole, FINANCE)
        await answered(program, finance, listed, Standing.CLOSED)
        assert (await receipt_of(finance, listed)).form.text("x_acct_date") == day


@pytest.mark.clause("hubei-27.4")
async def test_clearing_runs_from_the_application_to_the_receipt_of_the_list(
    town: Town, program: Program
) -> None:
    day = program.live_on(3)
    before = (program.count("balance_fen"), program.count("quota_fen"))
    notice = await send(town, quota_notice("E1"), FINANCE)
    async with town.desk(FINANCE) as finance:
        await answered(program, finance, notice, Standing.CLOSED)
    assert program.count("quota_fen") == before[1] + TOTAL

    applied, ordered = await apply_and_order(town, "S1")

    async with town.desk(FINANCE) as finance, town.desk(BANK) as bank:
        await answered(program, finance, ordered, Standing.CLOSED)
        await answered(program, bank, applied, Standing.CLOSED)
        for desk, reference in ((finance, ordered), (bank, applied)):
            form = (await receipt_of(desk, reference)).form
            assert form.fen("x_pay_amt_fen") == TOTAL
            assert form.text("x_clear_date") == day
        assert program.count("balance_fen") == before[0] - TOTAL
        assert program.count("quota_fen") == before[1]
        # Article 27 (4) 3: the receipt of the application goes to finance as well.
        assert await copy_of(finance, applied) == await receipt_of(bank, applied)

        listed = await send(
            town, listing(CLEARING_LIST, "L1", (("QS1", TOTAL),), day=day), FINANCE
        )
        await answered(program, finance, listed, Standing.CLOSED)
        assert (await receipt_of(finance, listed)).form.text("x_acct_date") == day


@pytest.mark.clause("hubei-27.1")
async def test_one_fen_over_the_quota_is_returned_to_both_and_the_books_stay(
    town: Town, program: Program
) -> None:
    program.live_on(4)
    notice = await send(town, quota_notice("E2", (("201", "2050101", 100),)), FINANCE)
    async with town.desk(FINANCE) as finance:
        await answered(program, finance, notice, Standing.CLOSED)
    before = (program.count("balance_fen"), program.count("quota_fen"))

    over = await apply_and_order(town, "S2", (("201", "2050101", 101),))

    async with town.desk(FINANCE) as finance, town.desk(BANK) as bank:
        for desk, reference in ((bank, over[0]), (finance, over[1])):
            await answered(program, desk, reference, Standing.RETURNED)
            assert "直接支付额度不足" in await explanation_of(desk, reference)
        assert (program.count("balance_fen"), program.count("quota_fen")) == before

        # What is within it, to the last fen, is cleared.
        _, within = await apply_and_order(town, "S3", (("201", "2050101", 100),))
        await answered(program, finance, within, Standing.CLOSED)


async def test_a_refund_restores_the_quota_and_is_listed(
    town: Town, program: Program
) -> None:
    day = program.live_on(5)
    line = (("301", "2080101", 100),)
    back = (("301", "2080101", -100),)
    async with town.desk(FINANCE) as finance, town.desk(BANK) as bank:
        notice = await send(town, quota_notice("E3", line), FINANCE)
        await answered(program, finance, notice, Standing.CLOSED)
        _, ordered = await apply_and_order(town, "S4", line)
        await answered(program, finance, ordered, Standing.CLOSED)
        before = program.count("quota_fen")

        # The bank has paid what comes back.
        await travel(town, draft(5201, FINANCE, BANK, number="ZF0"), FINANCE, BANK)
        refunded = await send(town, refund("T1", back), BANK)

        await answered(program, bank, refunded, Standing.CLOSED)
        assert (await receipt_of(bank, refunded)).form.fen("x_pay_amt_fen") == -100
        assert program.count("quota_fen") == before + 100
        # Finance never held the refund: the original comes inside its copy.
        assert await copy_of(finance, refunded) == await receipt_of(bank, refunded)
        way = await finance.inquire(refunded.digest)
        assert set(way.standings.values()) == {Standing.RECEIPTED}
        listed = await send(
            town, listing(REFUND_LIST, "L2", (("T1", -100),), day=day), FINANCE
        )
        await answered(program, finance, listed, Standing.CLOSED)


async def test_the_books_follow_from_the_vault_and_are_reported(
    town: Town, program: Program
) -> None:
    day = program.live_on(31)
    paid = await send(town, appropriation("B9"), FINANCE)
    async with town.desk(FINANCE) as finance:
        await answered(program, finance, paid, Standing.CLOSED)

        found = await asyncio.to_thread(
            lambda: list(recompute(program.desk, program.books, TREASURY))
        )
        with program.books.reading() as session:
            reports = reports_of(session, OFFICE, day)
        outcomes = await asyncio.to_thread(program.desk.submit, reports)

        assert found == []
        assert len(reports) == 2
        for report, outcome in zip(reports, outcomes, strict=True):
            reference = Reference(report.key, done(outcome).digest)
            assert await accept_at(finance, reference) == report
        balance = reports[0].form.rows[0]
        assert balance["today_balance_fen"] == program.count("balance_fen")


async def test_what_the_gateway_takes_of_a_bad_account_the_treasury_rejects(
    town: Town, program: Program
) -> None:
    bad = await send(town, changed(appropriation("B8"), pay_acct_no="9"), FINANCE)

    async with town.desk(FINANCE) as finance:
        await answered(program, finance, bad, Standing.REJECTED)
        assert await explanation_of(finance, bad) == "付款账号不是国库单一账户"
        await reaches(finance, bad, Standing.REJECTED)
