"""The unit's reference system between finance and its bank, which are played by hand.

The unit is hosted on finance's gateway, and once more has a gateway of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select

from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.codes import PaymentWay
from counterfoil.business.days import noon, read_day
from counterfoil.business.tables import OutboxState
from counterfoil.business.turns import give_out, work
from counterfoil.office import (
    AsyncDesk,
    Desk,
    DeskRefused,
    DocumentKind,
    Form,
    Patience,
    Reason,
    Receipt,
    Reference,
    Standing,
    Voucher,
    Way,
    kind_of,
    opened,
)
from counterfoil.unit import allotments, requests
from counterfoil.unit.accounts import entered_fen, left_fen
from counterfoil.unit.figures import Figures, figures
from counterfoil.unit.kinds import DealMode
from counterfoil.unit.paper import paper_of
from counterfoil.unit.system import Unit, books_at
from counterfoil.unit.tables import Posting, RequestState
from counterfoil.unit.wishes import Item, Wish
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import (
    accept_at,
    act_on,
    arrival_of,
    done,
    submit,
    until,
)
from tests.integration.papers import receipt_of
from tests.unit.budget_unit.papers import (
    DAY,
    FUNCTION,
    OFFICE,
    entry,
    item,
    match,
    plan,
    refund_notice,
    statement,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALLOTTED_FEN = 1_000_000
PAYMENT_DATE = "20260306"
"""Day that receipts of `tests.integration.papers` state."""


class Program:
    """The unit's system, at work in a thread of its own.

    Args:
        town: Where its gateway and keys are.
        folder: For its books; they go on from test to test.
    """

    def __init__(self, town: Town, folder: Path) -> None:
        self._town = town
        self.desk = self._desk("system", "1")
        self._reviewers = [
            Reviewer(self._desk("person", name), town.person(UNIT, name))
            for name in ("first", "second")
        ]
        self.books = books_at(f"sqlite:///{folder}/books.sqlite")
        now = noon(read_day(DAY))
        self._takers = Unit(
            office=OFFICE,
            desk=self.desk,
            clerks=Clerks(self.desk, self._reviewers, lambda: now),
            books=self.books,
            clock=lambda: now,
            tell=lambda *_: None,
        ).takers()
        with self.books.writing() as session:
            allotments.enter(session, [plan(way, ALLOTTED_FEN) for way in PaymentWay])

    def _desk(self, use: str, name: str) -> Desk:
        carrier = self._town.carrier_of(UNIT)
        return Desk(
            f"127.0.0.1:{self._town.ports[carrier]}",
            self._town.access(UNIT, use, name),
            Patience(total_s=60.0, wait_s_min=0.02, wait_s_max=0.2),
        )

    def turn(self) -> None:
        """Read what is there, and take everything as far as it goes."""
        for arrivals in self.desk.read():
            give_out(arrivals, self._takers)
        work(self._takers)

    async def ask(self, *items: Item, mode: DealMode | None = None) -> Reference:
        """Enter a request and send it; return its voucher."""
        with self.books.writing() as session:
            wish = Wish(items=items or (item(),), mode=mode)
            number = requests.enter(session, OFFICE, wish, DAY).number
        await asyncio.to_thread(self.turn)
        return self.reference(number)

    def reference(self, number: str) -> Reference:
        with self.books.reading() as session:
            _, sent = requests.find(session, number)
            assert sent.state is not OutboxState.REFUSED, sent.note
            return sent.reference

    def request(self, number: str) -> tuple[RequestState, OutboxState, str]:
        with self.books.reading() as session:
            asked, sent = requests.find(session, number)
            return asked.state, sent.state, asked.note

    def left(self, way: PaymentWay) -> int:
        with self.books.reading() as session:
            return left_fen(session, 2026, way, FUNCTION)

    def has_entered(self, number: str) -> bool:
        with self.books.reading() as session:
            return entered_fen(session, BANK, number) is not None

    def figures(self) -> Figures:
        with self.books.reading() as session:
            return figures(session)

    def close(self) -> None:
        for desk in (self.desk, *(one.desk for one in self._reviewers)):
            desk.close()
        self.books.close()


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(FINANCE, BANK), (FINANCE, BANK, UNIT)],
    ids=["hosted", "own"],
)
async def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    made = Town(
        directory=tmp_path_factory.mktemp("unit"),
        carriers=request.param,
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    made.initialise()
    async with running(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(
    town: Town, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    made = Program(town, tmp_path_factory.mktemp("books"))
    yield made
    await asyncio.to_thread(made.close)


async def comes_to(
    program: Program, number: str, wanted: tuple[RequestState, OutboxState]
) -> str:
    """Let the unit work until a request stands so; return its note."""

    async def tell() -> tuple[RequestState, OutboxState, str]:
        await asyncio.to_thread(program.turn)
        return program.request(number)

    return (await until(tell, lambda told: told[:2] == wanted))[2]


async def answered(
    program: Program, desk: AsyncDesk, reference: Reference, standing: Standing
) -> Way:
    """Let the unit work until a voucher of its bank stands so; return its way."""

    async def tell() -> Standing | None:
        await asyncio.to_thread(program.turn)
        try:
            way = await desk.inquire(reference.digest)
        except DeskRefused:
            return None
        return way.standings[UNIT]

    await until(tell, lambda told: told is standing)
    return await desk.inquire(reference.digest)


def answer_in(way: Way) -> Form:
    """Return what the unit filled in."""
    [found] = [one for one in way.documents if kind_of(one) is DocumentKind.RECEIPT]
    receipt = opened(found)
    assert isinstance(receipt, Receipt)
    assert receipt.by == UNIT
    return receipt.form


async def pay(desk: AsyncDesk, reference: Reference) -> Voucher:
    """Let the bank accept, pay and answer a payment, and send the entry notice."""
    voucher = await accept_at(desk, reference)
    await act_on(desk, reference)
    (outcome,) = await desk.issue_receipt([receipt_of(reference, voucher)])
    done(outcome)
    rows = tuple((str(row["id"]), int(row["pay_amt_fen"])) for row in voucher.form.rows)
    number = reference.key.number
    notice = entry(f"RZ{number}", rows, original=("8202", number), day=PAYMENT_DATE)
    await submit(desk, notice)
    return voucher


async def entered(program: Program, number: str) -> None:
    """Let the unit work until the entry notice of a payment is in its books."""

    async def tell() -> bool:
        await asyncio.to_thread(program.turn)
        return program.has_entered(number)

    await until(tell, bool)


async def paid(town: Town, program: Program, *items: Item) -> str:
    """Have an authorised payment paid, and booked; return its number."""
    reference = await program.ask(*items, mode=DealMode.SELF_SERVICE)
    async with town.desk(BANK) as bank:
        await pay(bank, reference)
    number = reference.key.number
    await comes_to(program, number, (RequestState.OPEN, OutboxState.RECEIPTED))
    await entered(program, number)
    return number


@pytest.mark.clause("hubei-27.2")
async def test_an_application_is_accepted_and_its_entry_notice_booked(
    town: Town, program: Program
) -> None:
    before = program.figures()
    asked = await program.ask(item(1_000), item(3_000))
    async with town.desk(FINANCE) as finance:
        voucher = await accept_at(finance, asked)
    assert voucher.form.fen("pay_amt_fen") == 4_000
    await comes_to(program, asked.key.number, (RequestState.OPEN, OutboxState.ACCEPTED))

    async with town.desk(BANK) as bank:
        notice = entry(
            "RZ5201",
            (("1", 1_000), ("2", 3_000)),
            original=("5201", "ZF1"),
            about=asked.key.number,
        )
        reference = await submit(bank, notice)
        await answered(program, bank, reference, Standing.ACCEPTED)

    figures = program.figures()
    assert figures.received_fen == before.received_fen + 4_000
    assert figures.unasked_fen == 0


async def test_an_application_that_finance_rejects_frees_the_allotment(
    town: Town, program: Program
) -> None:
    before = program.left(PaymentWay.DIRECT)
    asked = await program.ask(item(500))
    number = asked.key.number
    assert program.left(PaymentWay.DIRECT) == before - 500
    async with town.desk(FINANCE) as finance:
        await arrival_of(finance, lambda one: one.digest == asked.digest)
        (outcome,) = await finance.reject([Reason(asked, "超出用款计划")])
        done(outcome)

    note = await comes_to(
        program, number, (RequestState.GIVEN_BACK, OutboxState.REJECTED)
    )

    assert note == "超出用款计划"
    assert program.left(PaymentWay.DIRECT) == before


@pytest.mark.clause("hubei-27.3")
async def test_an_authorised_payment_is_paid_receipted_and_booked(
    town: Town, program: Program
) -> None:
    before = (program.left(PaymentWay.AUTHORISED), program.figures().paid_fen)

    await paid(town, program, item(700), item(800))

    assert program.left(PaymentWay.AUTHORISED) == before[0] - 1_500
    assert program.figures().paid_fen == before[1] + 1_500


async def test_the_paper_at_the_counter_shows_the_digest_that_the_bank_holds(
    town: Town, program: Program
) -> None:
    reference = await program.ask(mode=DealMode.COUNTER)
    async with town.desk(BANK) as bank:
        voucher = await accept_at(bank, reference)
        way = await bank.inquire(reference.digest)

    with program.books.reading() as session:
        asked, sent = requests.find(session, reference.key.number)
        paper = list(paper_of(asked, sent, OFFICE))

    assert voucher.form.text("fund_deal_mode_code") == "1"
    assert f"校验码 {way.voucher.digest.hex()[:8].upper()}" in paper


async def test_a_payment_is_returned_on_request_and_goes_out_again_as_issue_two(
    town: Town, program: Program
) -> None:
    before = program.left(PaymentWay.AUTHORISED)
    reference = await program.ask(item(900), mode=DealMode.SELF_SERVICE)
    number = reference.key.number
    async with town.desk(BANK) as bank:
        await accept_at(bank, reference)
        asking = await asyncio.to_thread(
            program.desk.request_return, [Reason(reference, "账号有误")]
        )
        done(asking[0])
        (returned,) = await bank.return_vouchers([Reason(reference, "应要求退回")])
        done(returned)
        note = await comes_to(
            program, number, (RequestState.GIVEN_BACK, OutboxState.RETURNED)
        )
        assert note == "应要求退回"
        assert program.left(PaymentWay.AUTHORISED) == before

        with program.books.writing() as session:
            requests.reissue(session, OFFICE, number, [item(400)], DAY)
        await asyncio.to_thread(program.turn)
        again = program.reference(number)
        assert again.key.issue == 2
        voucher = await pay(bank, again)

    assert voucher.replaces == reference.digest
    await comes_to(program, number, (RequestState.OPEN, OutboxState.RECEIPTED))
    assert program.left(PaymentWay.AUTHORISED) == before - 400
    await entered(program, number)


@pytest.mark.clause("hubei-27.5")
async def test_a_matched_refund_is_confirmed_and_booked_as_negative(
    town: Town, program: Program
) -> None:
    number = await paid(town, program, item(2_000))
    before = (program.left(PaymentWay.AUTHORISED), program.figures().refunded_fen)
    row = f"{number}-1"
    async with town.desk(BANK) as bank:
        asked = await submit(bank, match(f"TP{number}", number, ((row, 600),)))
        way = await answered(program, bank, asked, Standing.CLOSED)
        assert answer_in(way).text("x_check_result") == "0"
        async with town.desk(FINANCE) as finance:
            arrival = await arrival_of(
                finance, lambda one: one.voucher.digest == asked.digest
            )
        copy = opened(arrival.sealed)
        assert isinstance(copy, Receipt)
        assert copy.form == answer_in(way)

        wrong = match(f"TQ{number}", number, (("nobody", 1_400),))
        denied = await submit(bank, wrong)
        way = await answered(program, bank, denied, Standing.DISPUTED)
        reason = answer_in(way).text("x_check_reason")
        assert reason == f"凭证{number}没有明细nobody"

        told = await submit(bank, refund_notice(f"TK{number}", number, 600))
        await answered(program, bank, told, Standing.ACCEPTED)
        back = entry(
            f"RZTK{number}",
            ((row, -600),),
            original=("8202", number),
            day=PAYMENT_DATE,
        )
        await answered(program, bank, await submit(bank, back), Standing.ACCEPTED)

    assert program.left(PaymentWay.AUTHORISED) == before[0] + 600
    assert program.figures().refunded_fen == before[1] + 600


@pytest.mark.clause("hubei-29.4")
async def test_a_statement_is_compared_row_by_row_and_answered(
    town: Town, program: Program
) -> None:
    number = await paid(town, program, item(3_000))
    async with town.desk(BANK) as bank:
        wrong = await submit(
            bank,
            statement(
                f"DZ{number}",
                (("8202", number, 3_001, PAYMENT_DATE), ("8202", "X", 1, DAY)),
            ),
        )
        way = await answered(program, bank, wrong, Standing.DISPUTED)

    form = answer_in(way)
    assert form.text("x_check_result") == "1"
    assert [str(row["x_check_reason"]) for row in form.rows] == [
        "金额不符，本单位账为30.00元",
        "本单位账中无此笔",
    ]
    # What other tests of this month paid is not in it.
    assert form.fen("x_diff_num") >= 2


@pytest.mark.clause("hubei-29.4")
async def test_a_statement_of_everything_that_is_in_the_books_is_confirmed(
    town: Town, program: Program
) -> None:
    number = await paid(town, program, item(100), item(200))
    with program.books.reading() as session:
        rows = tuple(
            ("8202", one.paid_by, one.amount_fen, one.day)
            for one in session.scalars(
                select(Posting).where(Posting.way == PaymentWay.AUTHORISED)
            )
        )
    async with town.desk(BANK) as bank:
        sent = await submit(bank, statement(f"DA{number}", rows))
        way = await answered(program, bank, sent, Standing.CLOSED)

    assert answer_in(way).text("x_check_result") == "0"
    assert not answer_in(way).rows
