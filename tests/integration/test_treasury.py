"""The treasury's reference system among three gateways: finance, treasury and bank.

Finance and the bank are played by hand at their desks; the treasury is the program.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from counterfoil.office import (
    AsyncDesk,
    DeskRefused,
    DocumentKind,
    Receipt,
    Reference,
    Standing,
    kind_of,
)
from counterfoil.treasury.kinds import (
    APPROPRIATION_LIST,
    CLEARING_LIST,
    REFUND_LIST,
)
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.desks import reaches, refused, until
from tests.integration.kinds import draft, travel
from tests.integration.treasury_program import (
    Program,
    answered,
    apply_and_order,
    explanation_of,
    program_in,
    receipt_of,
    send,
    town_in,
)
from tests.unit.treasury.papers import (
    LINES,
    appropriation,
    changed,
    listing,
    quota_notice,
    refund,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOTAL = sum(fen for _, _, fen in LINES)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    made = town_in(tmp_path_factory.mktemp("treasury"))
    async with running(made):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def program(
    town: Town, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Program]:
    """Run one treasury for all tests of the module: its books go on."""
    made = program_in(town, tmp_path_factory.mktemp("books"))
    yield made
    await asyncio.to_thread(made.desk.close)
    made.books.close()


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


async def test_what_the_gateway_takes_of_a_bad_account_the_treasury_rejects(
    town: Town, program: Program
) -> None:
    bad = await send(town, changed(appropriation("B8"), pay_acct_no="9"), FINANCE)

    async with town.desk(FINANCE) as finance:
        await answered(program, finance, bad, Standing.REJECTED)
        assert await explanation_of(finance, bad) == "付款账号不是国库单一账户"
        await reaches(finance, bad, Standing.REJECTED)
