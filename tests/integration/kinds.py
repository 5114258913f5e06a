"""Vouchers of every kind, and the way that each takes through two desks."""

from __future__ import annotations

from counterfoil.domain.catalogue import Answer, PartyKind
from counterfoil.domain.naming import ReferenceNeed
from counterfoil.office import Form, Receipt, Reference, Standing, Voucher
from counterfoil.office.messages import opened_payload
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.national_plan import AnyForm, rows_of
from tests.forms import name_vouchers, sound_receipt_form, sound_voucher
from tests.houses import BANK, FINANCE, SPECIAL_BANK, TREASURY, UNIT, Town
from tests.integration.desks import (
    accept_at,
    act_on,
    arrival_of,
    done,
    issue,
    reaches,
    submit,
)
from tests.unit.app.papers import encoded

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
"""How a voucher is answered by a receipt of its own."""


def draft(
    code: int, issuer: str, recipient: str, *, of: str = "way", number: str = ""
) -> Voucher:
    """Return a voucher whose number nobody else uses: it names what it is for.

    What it names itself has the same number with an `n` before it.
    """
    voucher = sound_voucher(code, issuer=issuer, to=(recipient,))
    number = number or f"{of}-{code}-{recipient}"
    voucher.key.number = number
    form: AnyForm = getattr(voucher, voucher.WhichOneof("form") or "")
    form.voucher_no = number
    name_vouchers(form, f"n{number}")
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


async def prepare(town: Town, voucher: Voucher, issuer: str) -> None:
    """Let what a voucher names come to what that needs."""
    for reference in CATALOGUE.row(voucher.key.type_code).references:
        if reference.need is ReferenceNeed.NOTHING:
            continue
        row = CATALOGUE.row_on_wire(reference.kinds[0])
        ways = [(PARTIES[one], PARTIES[other]) for one, other in row.directions]
        way = next((way for way in ways if issuer in way), ways[0])
        named = draft(row.code, *way, number=f"n{voucher.key.number}")
        # Who has no part in it knows it by a copy of its receipt.
        await travel(town, named, *way, copies=() if issuer in way else (issuer,))


async def send(town: Town, voucher: Voucher, issuer: str) -> Reference:
    """Issue a voucher as its seal plan wants it, and before it what it names."""
    await prepare(town, voucher, issuer)
    if CATALOGUE.row(voucher.key.type_code).plan.has_persons:
        return (await issue(town, voucher, issuer)).reference
    async with town.desk(issuer) as desk:
        return await submit(desk, voucher)


async def travel(
    town: Town,
    wanted: Voucher,
    issuer: str,
    recipient: str,
    copies: tuple[str, ...] = (),
) -> None:
    """Let a voucher take its whole way, up to what answers it."""
    code = wanted.key.type_code

    reference = await send(town, wanted, issuer)

    async with town.desk(issuer) as ours, town.desk(recipient) as theirs:
        assert await accept_at(theirs, reference) == wanted
        if CATALOGUE.row(code).answer not in ANSWERED:
            await reaches(ours, reference, Standing.ACCEPTED)
            return
        await act_on(theirs, reference)
        receipt = Receipt(
            voucher=reference,
            by=recipient,
            form=plain(sound_receipt_form(code)),
            copies=copies,
        )
        (answered,) = await theirs.issue_receipt([receipt])
        assert done(answered).standing is Standing.RECEIPTED
        await reaches(ours, reference, Standing.CLOSED)
    for party in copies:
        async with town.desk(party) as theirs:
            await arrival_of(theirs, lambda one: one.voucher == reference)
