"""A voucher's whole way between two institutions, without a network."""

from __future__ import annotations

import pytest

from counterfoil.app.steps import Step
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Recorded
from counterfoil.domain.standing import Act, Standing
from tests.unit.app.house import (
    SEVERAL,
    House,
    delivered,
    filled_in,
    fine,
)
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    UNIT,
    direct_payment,
    draft_of,
    encoded,
    entry_notice,
    receipt_for,
)


async def paid(
    finance: House, bank: House, *, number: str = "1", fen: int = 0
) -> bytes:
    """Take a voucher from draft to receipt, `fen` short; return its digest."""
    voucher = direct_payment(number)
    row = await finance.sent(voucher)
    await delivered(finance, bank)
    await bank.step(DocumentKind.ACCEPTANCE, row, "")
    await delivered(bank, finance)
    for act in (Act.BEGIN, Act.END_DONE):
        (done,) = await bank.acts([(act, row.key, row.digest)], caller=bank.caller())
        fine(done)
    (issued,) = await bank.receipts(
        [filled_in(row, encoded(receipt_for(voucher, row.digest, fen=fen)))],
        caller=bank.caller(),
    )
    fine(issued)
    await delivered(bank, finance)
    return row.digest


async def test_a_voucher_is_written_reviewed_sealed_sent_paid_and_closed(
    finance: House, bank: House
) -> None:
    voucher = direct_payment()
    caller = finance.caller()

    row = await finance.written(voucher)
    assert finance.vault.size() == 0
    row = await finance.reviewed(row)
    ((digest, entered),) = await finance.seal([row.digest], send=False, caller=caller)
    assert (digest, fine(entered).standing) == (row.digest, Standing.SEALED)
    (sent,) = await finance.send([(row.key, row.digest)], caller=caller)
    assert fine(sent).standing is Standing.SENT

    (arrived,) = await delivered(finance, bank)
    assert fine(arrived).standing is Standing.ARRIVED
    assert finance.standing(row.key) is Standing.ARRIVED

    assert (await bank.step(DocumentKind.ACCEPTANCE, row, "")).standing is (
        Standing.ACCEPTED
    )
    await delivered(bank, finance)
    assert finance.standing(row.key) is Standing.ACCEPTED

    for act, reached in (
        (Act.BEGIN, Standing.ACTING),
        (Act.END_UNKNOWN, Standing.UNKNOWN),
        (Act.END_DONE, Standing.ACTED),
    ):
        (done,) = await bank.acts([(act, row.key, row.digest)], caller=bank.caller())
        assert fine(done).standing is reached

    receipt = encoded(receipt_for(voucher, row.digest))
    (issued,) = await bank.receipts([filled_in(row, receipt)], caller=bank.caller())
    assert fine(issued).standing is Standing.RECEIPTED
    await delivered(bank, finance)
    assert finance.standing(row.key) is Standing.CLOSED
    assert bank.standing(row.key) is Standing.RECEIPTED


async def test_a_receipt_over_another_amount_does_not_close_the_voucher(
    finance: House, bank: House
) -> None:
    digest = await paid(finance, bank, fen=1)

    key = finance.vault.key_of(digest)
    assert key is not None
    assert finance.standing(key) is Standing.DISPUTED


async def test_a_bank_submits_notices_in_one_step(finance: House, bank: House) -> None:
    ((digest, outcome),) = await bank.submit(
        [draft_of(entry_notice())], caller=bank.caller()
    )
    (arrived,) = await delivered(bank, finance)

    assert fine(outcome).standing is Standing.SENT
    assert fine(arrived).standing is Standing.ARRIVED
    (waiting,) = finance.vault.waiting(UNIT, after=-1, limit=9)
    assert waiting.leaf.document == digest


async def test_a_hosted_party_has_a_desk_and_a_seal_of_its_own(
    finance: House, bank: House
) -> None:
    await bank.submit([draft_of(entry_notice())], caller=bank.caller())
    await delivered(bank, finance)
    (waiting,) = finance.vault.waiting(UNIT, after=-1, limit=9)

    accepted = await finance.steps(
        DocumentKind.ACCEPTANCE,
        [Step(key=waiting.key, digest=waiting.leaf.subject)],
        caller=finance.caller(party=UNIT),
    )
    await delivered(finance, bank)

    assert isinstance(accepted[0], Recorded)
    assert bank.standing(waiting.key) is Standing.ACCEPTED
    (told,) = bank.vault.waiting(BANK, after=-1, limit=9)
    assert told.leaf.by == UNIT
    assert finance.vault.waiting(UNIT, after=-1, limit=9) == []


async def test_two_banks_have_a_standing_each(
    finance: House, bank: House, other_bank: House
) -> None:
    for house in (finance, bank, other_bank):
        house.catalogue = SEVERAL
    row = await finance.sent(direct_payment(to=(BANK, OTHER_BANK)))

    await delivered(finance, bank)
    await bank.step(DocumentKind.ACCEPTANCE, row, "")
    await delivered(bank, finance)

    assert finance.standing(row.key, BANK) is Standing.ACCEPTED
    assert finance.standing(row.key, OTHER_BANK) is Standing.SENT
    await delivered(finance, other_bank)
    assert finance.standing(row.key, OTHER_BANK) is Standing.ARRIVED


@pytest.mark.clause("hubei-33")
async def test_a_returned_voucher_is_void_and_a_new_issue_takes_its_place(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    await bank.step(DocumentKind.RETURN, row)
    await delivered(bank, finance)
    assert finance.standing(row.key) is Standing.RETURNED

    resent = await finance.send([(row.key, row.digest)], caller=finance.caller())
    begun = await bank.acts([(Act.BEGIN, row.key, row.digest)], caller=bank.caller())
    again = await finance.sent(direct_payment(issue=2, replaces=row.digest, seed=6))
    (arrived,) = await delivered(finance, bank)

    assert not isinstance(resent[0], Recorded)
    assert not isinstance(begun[0], Recorded)
    assert fine(arrived).standing is Standing.ARRIVED
    assert bank.standing(again.key) is Standing.ARRIVED
    assert bank.standing(row.key) is Standing.RETURNED
    assert finance.standing(row.key) is Standing.RETURNED


@pytest.mark.clause("hubei-32b")
async def test_a_voucher_is_returned_on_request_while_nobody_acts(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    await bank.step(DocumentKind.ACCEPTANCE, row, "")
    await delivered(bank, finance)
    await finance.step(DocumentKind.RETURN_REQUEST, row, "金额有误")
    await delivered(finance, bank)

    (asked,) = bank.vault.waiting(BANK, after=-1, limit=9)
    returned = await bank.step(DocumentKind.RETURN, row)
    await delivered(bank, finance)

    assert asked.leaf.kind is DocumentKind.RETURN_REQUEST
    assert asked.leaf.by == FINANCE
    assert returned.standing is Standing.RETURNED
    assert finance.standing(row.key) is Standing.RETURNED


@pytest.mark.clause("hubei-32b")
@pytest.mark.refusal("ACTING_BEGUN")
async def test_a_voucher_is_not_returned_from_the_beginning_of_the_act(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    await bank.step(DocumentKind.ACCEPTANCE, row, "")
    await bank.acts([(Act.BEGIN, row.key, row.digest)], caller=bank.caller())
    before = await bank.state(row)

    (refused,) = await bank.steps(
        DocumentKind.RETURN,
        [Step(key=row.key, digest=row.digest, explanation="原因")],
        caller=bank.caller(),
    )
    assert getattr(refused, "reason", "") == "ACTING_BEGUN"
    assert await bank.state(row) == before

    await bank.acts([(Act.END_NOT_DONE, row.key, row.digest)], caller=bank.caller())
    assert (await bank.step(DocumentKind.RETURN, row)).standing is Standing.RETURNED
