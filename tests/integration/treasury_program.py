"""The treasury's reference system as a program, and what its partners do by hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from counterfoil.business.turns import give_out, work
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
    VoucherKey,
    Way,
    kind_of,
    opened,
)
from counterfoil.treasury import accounts
from counterfoil.treasury.books import Books, Statement
from counterfoil.treasury.incomes import Entered, enter
from counterfoil.treasury.recompute import recompute
from counterfoil.treasury.system import System
from counterfoil.wire.catalogue import CATALOGUE
from tests.houses import BANK, FINANCE, TREASURY, Town
from tests.integration.desks import accept_at, act_on, done, issue, submit, until
from tests.unit.treasury.papers import (
    ACCOUNT,
    LINES,
    OFFICE,
    Line,
    application,
    order,
)
from tests.unit.treasury.treasury_desk import NOON, OPENING_FEN

HERE = replace(
    OFFICE,
    banks={number: bank for number, bank in OFFICE.banks.items() if bank.party == BANK},
)
"""Who we are in a town with one bank."""


def town_in(directory: Path) -> Town:
    """Return finance, treasury and a bank, with gateways that try again soon."""
    made = Town(
        directory=directory,
        carriers=(FINANCE, TREASURY, BANK),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    made.initialise()
    return made


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
        self.warned: list[str] = []
        self.system = System(
            office=HERE,
            desk=desk,
            books=books,
            clock=lambda: self.now,
            tell=lambda *_: None,
            warn=self.warned.append,
        )

    def live_on(self, day: int) -> str:
        """Let it be a day in March: lists are about one day, so each test has its own.

        Returns:
            The day, `yyyymmdd`.
        """
        self.now = NOON.replace(day=day)
        return f"202603{day:02}"

    def live_in_april(self, day: int) -> None:
        """Let March be over."""
        self.now = NOON.replace(month=4, day=day)

    def late(self) -> list[str]:
        """Return what is late now."""
        with self.books.reading() as session:
            return self.system.overdue().told(session, self.system.today())

    def answer_to(self, voucher: Voucher) -> Statement:
        """Return what the books say about the answer to a statement."""
        with self.books.reading() as session:
            name = (voucher.key.type_code, voucher.key.number)
            return session.get_one(Statement, name)

    async def hears(self, voucher: Voucher) -> Statement:
        """Let the system work until the answer to a statement is booked."""

        async def tell() -> Statement:
            await asyncio.to_thread(self.turn)
            return self.answer_to(voucher)

        return await until(tell, lambda told: told.answered != "")

    def count(self, name: str) -> int:
        """Return one of the figures of the books."""
        with self.books.reading() as session:
            return int(getattr(accounts.figures(session), name))

    def turn(self) -> None:
        """Read what is there, and take everything as far as it goes."""
        takers = self.system.takers()
        for arrivals in self.desk.read():
            give_out(arrivals, takers)
        work(takers)

    def enter(self, *entries: Entered) -> None:
        """Enter income."""
        with self.books.writing() as session:
            enter(session, entries, self.system.today())

    def differences(self) -> list[str]:
        """Return where books and vault differ."""
        return list(recompute(self.desk, self.books, HERE))


def program_in(town: Town, folder: Path) -> Program:
    """Return the treasury's program with new books in a folder."""
    books = Books(f"sqlite:///{folder}/books.sqlite", ACCOUNT, OPENING_FEN)
    desk = Desk(
        f"127.0.0.1:{town.ports[TREASURY]}",
        town.access(TREASURY),
        Patience(total_s=60.0, wait_s_min=0.02, wait_s_max=0.2),
    )
    return Program(desk, books)


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


async def explanation_of(desk: AsyncDesk, reference: Reference) -> str:
    """Return why a voucher was rejected or returned, as its issuer reads it."""
    way = await desk.inquire(reference.digest)
    [step] = [
        one
        for one in map(opened, way.documents)
        if isinstance(one, Step) and one.explanation
    ]
    return step.explanation


async def answer_at(desk: AsyncDesk, statement: Voucher, form: Form, by: str) -> None:
    """Answer a statement that was accepted by its result (对账结果)."""
    way = await desk.inquire(statement.key)
    await act_on(desk, way.voucher)
    receipt = Receipt(voucher=way.voucher, by=by, form=form)
    done((await desk.issue_receipt([receipt]))[0])


async def report_at(desk: AsyncDesk, number: str, type_code: int) -> Voucher:
    """Wait for a report of ours at its recipient's desk, and accept it there."""
    key = VoucherKey(
        issuer=TREASURY,
        adm_div="420000",
        fiscal_year=2026,
        type_code=type_code,
        number=number,
    )

    async def came() -> Way | None:
        try:
            return await desk.inquire(key)
        except DeskRefused:
            return None

    way = await until(came, lambda found: found is not None)
    assert way is not None
    return await accept_at(desk, way.voucher)


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
