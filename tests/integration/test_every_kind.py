"""Every kind of voucher takes every way that the catalogue allows, and no other.

Through the desk services alone: written, reviewed where its plan has persons, sealed,
sent, accepted, acted on and answered, between gateways of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from counterfoil.domain.catalogue import Answer, PartyKind
from counterfoil.office import (
    Form,
    Receipt,
    Reference,
    Standing,
    Voucher,
    opened,
)
from counterfoil.office.messages import opened_payload
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.national_plan import AnyForm, rows_of
from tests.forms import sound_receipt_form, sound_voucher
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
    issue,
    reaches,
    refused,
    submit,
)
from tests.unit.app.papers import encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTIES = {
    PartyKind.FINANCE: FINANCE,
    PartyKind.TREASURY: TREASURY,
    PartyKind.AGENT_BANK: BANK,
    PartyKind.BUDGET_UNIT: UNIT,
    PartyKind.SPECIAL_ACCOUNT_BANK: SPECIAL_BANK,
}
WAYS = [
    (row.code, PARTIES[issuer], PARTIES[recipient])
    for row in sorted(CATALOGUE.rows.values(), key=lambda row: row.code)
    for issuer, recipient in row.directions
]
ANSWERED = {Answer.RECEIPT, Answer.STATEMENT_ANSWER}


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


def draft(code: int, issuer: str, recipient: str, *, of: str = "way") -> Voucher:
    """Return a voucher whose number nobody else uses: it names what it is for."""
    voucher = sound_voucher(code, issuer=issuer, to=(recipient,))
    number = f"{of}-{code}-{recipient}"
    voucher.key.number = number
    form: AnyForm = getattr(voucher, voucher.WhichOneof("form") or "")
    form.voucher_no = number
    if CATALOGUE.row(code).rows_name_main:
        for row in form.rows:
            row.voucher_bill_no = number
    return opened_payload(encoded(voucher))


def plain(form: AnyForm) -> Form:
    """Return a form as the office SDK has it."""

    def fields(level: AnyForm) -> dict[str, str | int]:
        return {
            field.name: value
            for field, value in level.ListFields()
            if not field.is_repeated
        }

    return Form(fields(form), tuple(fields(row) for row in rows_of(form)))


async def send(town: Town, voucher: Voucher, issuer: str) -> Reference:
    """Issue a voucher as its seal plan wants it."""
    if CATALOGUE.row(voucher.key.type_code).plan.has_persons:
        return (await issue(town, voucher, issuer)).reference
    async with town.desk(issuer) as desk:
        return await submit(desk, voucher)


@pytest.mark.clause("hubei-3", "hubei-15a", "hubei-22a")
@pytest.mark.parametrize(
    ("code", "issuer", "recipient"),
    WAYS,
)
async def test_a_kind_takes_each_of_its_ways_and_is_answered(
    town: Town, code: int, issuer: str, recipient: str
) -> None:
    wanted = draft(code, issuer, recipient)

    reference = await send(town, wanted, issuer)

    async with town.desk(issuer) as ours, town.desk(recipient) as theirs:
        assert await accept_at(theirs, reference) == wanted
        if CATALOGUE.row(code).answer not in ANSWERED:
            await reaches(ours, reference, Standing.ACCEPTED)
            return
        await act_on(theirs, reference)
        receipt = Receipt(
            voucher=reference, by=recipient, form=plain(sound_receipt_form(code))
        )
        (answered,) = await theirs.issue_receipt([receipt])
        assert done(answered).standing is Standing.RECEIPTED
        await reaches(ours, reference, Standing.CLOSED)


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

    assert opened(arrival.sealed) == receipt
    assert acts_of(way, "ARRIVE")[-1].act == "ARRIVE RECEIPT"
    stands = Standing.ARRIVED if FINANCE in recipients else Standing.RECEIPTED
    assert set(way.standings.values()) == {stands}
    async with town.desk(BANK) as bank:
        told = (await bank.inquire(reference.key)).standings
    assert told[TREASURY] is Standing.CLOSED


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
