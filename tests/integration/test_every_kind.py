"""Every kind of voucher takes every way that the catalogue allows, and no other.

Through the desk services alone: written, reviewed where its plan has persons, sealed,
sent, accepted, acted on and answered, between gateways of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from counterfoil.office import (
    Receipt,
    Standing,
    opened,
)
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_voucher import ANSWERED, VOUCHER
from tests.forms import sound_receipt_form
from tests.houses import (
    BANK,
    FINANCE,
    SPECIAL_BANK,
    TREASURY,
    UNIT,
    Town,
    running,
)
from tests.integration.desks import (
    accept_at,
    act_on,
    acts_of,
    arrival_of,
    done,
    reaches,
    refused,
    until,
)
from tests.integration.kinds import PARTIES, WAYS, draft, plain, send, travel

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Run a gateway for each kind of institution; finance's hosts the unit."""
    made = Town(
        directory=tmp_path_factory.mktemp("kinds"),
        carriers=(FINANCE, TREASURY, BANK, SPECIAL_BANK),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    made.initialise()
    async with running(made):
        yield made


@pytest.mark.clause("hubei-3", "hubei-15a", "hubei-22a")
@pytest.mark.parametrize(
    ("code", "issuer", "recipient"),
    WAYS,
)
async def test_a_kind_takes_each_of_its_ways_and_is_answered(
    town: Town, code: int, issuer: str, recipient: str
) -> None:
    await travel(town, draft(code, issuer, recipient), issuer, recipient)


@pytest.mark.clause("hubei-3")
@pytest.mark.parametrize("code", sorted(CATALOGUE.rows))
async def test_a_kind_takes_no_other_way(town: Town, code: int) -> None:
    row = CATALOGUE.row(code)
    issuer = PARTIES[row.directions[0][0]]
    for kind, recipient in PARTIES.items():
        if (row.directions[0][0], kind) in row.directions or recipient == issuer:
            continue
        wrong = draft(code, issuer, recipient)
        async with town.desk(issuer) as desk:
            offer = desk.write if row.plan.has_persons else desk.submit
            (outcome,) = await offer([wrong])
        assert refused(outcome) == "DIRECTION_REFUSED"


@pytest.mark.parametrize(
    ("code", "recipients"),
    [(2301, (TREASURY, FINANCE)), (2302, (TREASURY,))],
)
async def test_a_receipt_is_copied_with_its_original_inside(
    town: Town, code: int, recipients: tuple[str, ...]
) -> None:
    wanted = replace(draft(code, BANK, TREASURY, of="copy"), recipients=recipients)
    reference = await send(town, wanted, BANK)
    receipt = Receipt(
        voucher=reference,
        by=TREASURY,
        form=plain(sound_receipt_form(code)),
        copies=(FINANCE,),
    )

    async with town.desk(TREASURY) as treasury:
        await accept_at(treasury, reference)
        await act_on(treasury, reference)
        done((await treasury.issue_receipt([receipt]))[0])
    async with town.desk(FINANCE) as finance:
        arrival = await arrival_of(
            finance,
            lambda one: one.voucher == reference and one.by == TREASURY,
        )
        await finance.acknowledge([arrival])
        way = await finance.inquire(reference.key)

        (document,) = await finance.national([reference])

    assert opened(arrival.sealed) == receipt
    assert isinstance(document, bytes)
    (read,) = read_national(document)
    # Finance sees the receipt only where it is all that it has of the voucher.
    assert read.voucher_flag == (VOUCHER if FINANCE in recipients else ANSWERED)
    assert acts_of(way, "ARRIVE")[-1].act == "ARRIVE RECEIPT"
    stands = Standing.ARRIVED if FINANCE in recipients else Standing.RECEIPTED
    assert set(way.standings.values()) == {stands}
    async with town.desk(BANK) as bank:
        await until(
            lambda: bank.inquire(reference.key),
            lambda told: told.standings[TREASURY] is Standing.CLOSED,
        )


@pytest.mark.clause("hubei-27.2")
async def test_a_unit_gets_the_receipt_of_what_finance_paid_for_it(town: Town) -> None:
    """Finance hosts the unit: one document arrives once, for both of them."""
    reference = await send(town, draft(5201, FINANCE, BANK, of="unit"), FINANCE)
    receipt = Receipt(
        voucher=reference,
        by=BANK,
        form=plain(sound_receipt_form(5201)),
        copies=(UNIT,),
    )

    async with town.desk(BANK) as bank:
        await accept_at(bank, reference)
        await act_on(bank, reference)
        done((await bank.issue_receipt([receipt]))[0])
    async with town.desk(UNIT) as unit, town.desk(FINANCE) as finance:
        for desk in (unit, finance):
            arrival = await arrival_of(desk, lambda one: opened(one.sealed) == receipt)
            await desk.acknowledge([arrival])
        ours = await finance.inquire(reference.key)
        theirs = await unit.inquire(reference.key)
        (document,) = await unit.national([reference])

    assert set(ours.standings.values()) == {Standing.CLOSED}
    assert theirs.standings == {UNIT: Standing.RECEIPTED}
    assert isinstance(document, bytes)
    assert read_national(document)[0].voucher_flag == ANSWERED


@pytest.mark.clause("hubei-27.5")
@pytest.mark.parametrize(
    ("result", "standing"), [("0", Standing.CLOSED), ("1", Standing.DISPUTED)]
)
async def test_a_unit_confirms_a_refund_and_finance_sees_it_at_once(
    town: Town, result: str, standing: Standing
) -> None:
    wanted = draft(102207, BANK, UNIT, of=f"match-{result}")
    form = sound_receipt_form(102207)
    form.x_check_result = result
    form.x_check_reason = "已核对" if result == "0" else "收款人不是本单位付款对象"

    reference = await send(town, wanted, BANK)

    async with (
        town.desk(BANK) as bank,
        town.desk(UNIT) as unit,
        town.desk(FINANCE) as finance,
    ):
        await accept_at(unit, reference)
        await act_on(unit, reference)
        receipt = Receipt(
            voucher=reference, by=UNIT, form=plain(form), copies=(FINANCE,)
        )
        done((await unit.issue_receipt([receipt]))[0])
        await reaches(bank, reference, standing)
        arrival = await arrival_of(finance, lambda one: one.voucher == reference)

    assert opened(arrival.sealed) == receipt


@pytest.mark.clause("hubei-20")
async def test_a_statement_that_does_not_agree_is_disputed(town: Town) -> None:
    reference = await send(town, draft(4005, TREASURY, BANK, of="dispute"), TREASURY)
    form = sound_receipt_form(4005)
    form.x_check_result, form.x_check_reason = "1", "5201金额不符"

    async with town.desk(TREASURY) as treasury, town.desk(BANK) as bank:
        await accept_at(bank, reference)
        await act_on(bank, reference)
        receipt = Receipt(voucher=reference, by=BANK, form=plain(form))
        done((await bank.issue_receipt([receipt]))[0])
        await reaches(treasury, reference, Standing.DISPUTED)
