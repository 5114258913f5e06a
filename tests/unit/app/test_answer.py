"""Steps, acts and receipts: who may, when, and what a refusal leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.app.steps import Step
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.standing import Act, Standing
from tests.unit.app.house import (
    House,
    delivered,
    filled_in,
    fine,
    name_of,
    reasons,
)
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    UNIT,
    direct_payment,
    encoded,
    receipt_for,
)

BY_RECIPIENT = [DocumentKind.ACCEPTANCE, DocumentKind.REJECTION, DocumentKind.RETURN]
BY_ISSUER = [DocumentKind.RETURN_REQUEST, DocumentKind.DISCARD]


def about(row: DraftRow, explanation: str = "原因") -> Step:
    return Step(key=row.key, digest=row.digest, explanation=explanation)


async def arrived(finance: House, bank: House, number: str = "1") -> DraftRow:
    row = await finance.sent(direct_payment(number))
    await delivered(finance, bank)
    return row


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
@pytest.mark.parametrize("kind", [*BY_RECIPIENT, *BY_ISSUER])
async def test_nobody_steps_on_anothers_voucher(
    finance: House, bank: House, kind: DocumentKind
) -> None:
    row = await arrived(finance, bank)
    house, party = (bank, BANK) if kind in BY_RECIPIENT else (finance, UNIT)
    before = await house.state(row)

    outcomes = await house.steps(
        kind,
        [
            Step(key=name_of(direct_payment("9"))[0], digest=row.digest),
            Step(key=row.key, digest=bytes(32), explanation="原因"),
        ],
        caller=house.caller(),
    )
    theirs = await house.steps(
        kind,
        [about(row)],
        caller=replace(
            house.caller(),
            identity=replace(
                house.caller().identity, party=UNIT if party == UNIT else OTHER_BANK
            ),
        ),
    )

    assert reasons([*outcomes, *theirs]) == ["VOUCHER_NOT_FOUND"] * 3
    assert await house.state(row) == before


@pytest.mark.clause("hubei-33")
@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_neither_side_takes_the_steps_of_the_other(
    finance: House, bank: House
) -> None:
    row = await arrived(finance, bank)
    before = await finance.state(row), await bank.state(row)

    for kind in BY_RECIPIENT:
        outcomes = await finance.steps(kind, [about(row)], caller=finance.caller())
        assert reasons(outcomes) == ["VOUCHER_NOT_FOUND"]
    for kind in BY_ISSUER:
        outcomes = await bank.steps(kind, [about(row)], caller=bank.caller())
        assert reasons(outcomes) == ["VOUCHER_NOT_FOUND"]
    begun = await finance.acts(
        [(Act.BEGIN, row.key, row.digest)], caller=finance.caller()
    )
    receipt = encoded(receipt_for(direct_payment(), row.digest, by=FINANCE))
    issued = await finance.receipts([filled_in(row, receipt)], caller=finance.caller())

    assert reasons([*begun, *issued]) == ["VOUCHER_NOT_FOUND"] * 2
    assert (await finance.state(row), await bank.state(row)) == before


@pytest.mark.refusal("FORM_REFUSED")
@pytest.mark.parametrize("explanation", ["", "  \t"])
@pytest.mark.parametrize("kind", [DocumentKind.REJECTION, DocumentKind.RETURN])
async def test_whoever_takes_a_voucher_back_or_gives_it_back_says_why(
    finance: House, bank: House, kind: DocumentKind, explanation: str
) -> None:
    row = await arrived(finance, bank)
    before = await bank.state(row)

    (refused,) = await bank.steps(kind, [about(row, explanation)], caller=bank.caller())

    assert isinstance(refused, FormRefused)
    assert [each.path for each in refused.violations] == ["explanation"]
    assert await bank.state(row) == before


async def test_no_seal_is_spent_on_a_step_without_a_reason(
    finance: House, bank: House
) -> None:
    row = await arrived(finance, bank)
    asked: list[int] = []
    works = bank.works

    class Counted:
        """The works, which count what they are asked to seal."""

        async def steps(self, steps: list[object], *, at_us: int) -> object:
            asked.append(len(steps))
            return await works.steps(steps, at_us=at_us)  # type: ignore[arg-type]

    steps = replace(bank.steps, works=Counted())  # type: ignore[arg-type]

    await steps(
        DocumentKind.RETURN, [about(row, " "), about(row)], caller=bank.caller()
    )

    assert asked == [1]


async def test_an_explanation_arrives_without_the_blanks_around_it(
    finance: House, bank: House
) -> None:
    row = await arrived(finance, bank)

    await bank.step(DocumentKind.REJECTION, row, "  户名不符 ")
    await delivered(bank, finance)

    (told,) = finance.vault.waiting(FINANCE, after=-1, limit=9)
    assert "户名不符".encode() in told.sealed
    assert " 户名不符".encode() not in told.sealed
    assert finance.standing(row.key) is Standing.REJECTED


@pytest.mark.clause("hubei-19b")
async def test_one_step_that_is_refused_holds_up_no_other(
    finance: House, bank: House
) -> None:
    one = await arrived(finance, bank, "1")
    other = await arrived(finance, bank, "2")

    outcomes = await bank.steps(
        DocumentKind.REJECTION,
        [about(one), about(one, ""), Step(key=one.key, digest=bytes(32)), about(other)],
        caller=bank.caller(),
    )

    assert reasons(outcomes) == ["", "FORM_REFUSED", "VOUCHER_NOT_FOUND", ""]
    await delivered(bank, finance)
    assert finance.standing(one.key) is Standing.REJECTED
    assert finance.standing(other.key) is Standing.REJECTED


async def test_a_recipient_learns_of_a_discard_before_it_sees_the_next_issue(
    finance: House, bank: House
) -> None:
    row = await finance.sealed(direct_payment())

    discarded = await finance.step(DocumentKind.DISCARD, row)
    again = await finance.sent(direct_payment(issue=2, replaces=row.digest, seed=6))
    outcomes = await delivered(finance, bank)

    assert discarded.standing is Standing.DISCARDED
    assert reasons(outcomes) == ["", ""]
    assert bank.standing(again.key) is Standing.ARRIVED


@pytest.mark.refusal("NOT_IN_STATE")
async def test_a_voucher_under_way_is_not_discarded(
    finance: House, bank: House
) -> None:
    row = await arrived(finance, bank)
    before = await finance.state(row)

    outcomes = await finance.steps(
        DocumentKind.DISCARD, [about(row)], caller=finance.caller()
    )

    assert reasons(outcomes) == ["NOT_IN_STATE"]
    assert await finance.state(row) == before


@pytest.mark.refusal("VOUCHER_NOT_FOUND", "NOT_IN_STATE")
async def test_one_act_that_is_refused_holds_up_no_other(
    finance: House, bank: House
) -> None:
    one = await arrived(finance, bank, "1")
    other = await arrived(finance, bank, "2")
    await bank.step(DocumentKind.ACCEPTANCE, one, "")

    outcomes = await bank.acts(
        [
            (Act.BEGIN, other.key, other.digest),
            (Act.BEGIN, one.key, bytes(32)),
            (Act.BEGIN, one.key, one.digest),
        ],
        caller=bank.caller(),
    )

    assert reasons(outcomes) == ["NOT_IN_STATE", "VOUCHER_NOT_FOUND", ""]
    assert bank.standing(one.key) is Standing.ACTING
    assert bank.standing(other.key) is Standing.ARRIVED


async def acted(finance: House, bank: House, number: str = "1") -> DraftRow:
    row = await arrived(finance, bank, number)
    await bank.step(DocumentKind.ACCEPTANCE, row, "")
    for act in (Act.BEGIN, Act.END_DONE):
        await bank.acts([(act, row.key, row.digest)], caller=bank.caller())
    await delivered(bank, finance)
    return row


@pytest.mark.clause("hubei-20")
@pytest.mark.refusal("NOT_IN_STATE", "FORM_REFUSED", "NOT_THE_ISSUER")
async def test_one_receipt_that_is_refused_holds_up_no_other(
    finance: House, bank: House
) -> None:
    one = await acted(finance, bank, "1")
    early = await arrived(finance, bank, "2")
    sound = receipt_for(direct_payment("1"), one.digest)
    wrong = receipt_for(direct_payment("1"), one.digest)
    wrong.direct_payment.x_pay_amt_fen += 1
    theirs = receipt_for(direct_payment("1"), one.digest, by=OTHER_BANK)
    too_early = receipt_for(direct_payment("2"), early.digest)

    outcomes = await bank.receipts(
        [
            filled_in(one, encoded(wrong)),
            filled_in(one, encoded(theirs)),
            filled_in(early, encoded(too_early)),
            filled_in(one, encoded(sound), digest=bytes(32)),
            filled_in(one, b"\xff"),
            filled_in(one, encoded(sound)),
        ],
        caller=bank.caller(),
    )

    assert reasons(outcomes) == [
        "FORM_REFUSED",
        "NOT_THE_ISSUER",
        "NOT_IN_STATE",
        "VOUCHER_NOT_FOUND",
        "MALFORMED_PAYLOAD",
        "",
    ]
    assert bank.vault.lane_lengths() == {FINANCE: 1}


@pytest.mark.refusal("DIRECTION_REFUSED", "PARTY_UNKNOWN")
async def test_a_copy_goes_only_where_the_catalogue_lets_it(
    finance: House, bank: House
) -> None:
    row = await acted(finance, bank)
    receipt = encoded(receipt_for(direct_payment(), row.digest))
    before = await bank.state(row)

    outcomes = await bank.receipts(
        [
            filled_in(row, receipt, OTHER_BANK),
            filled_in(row, receipt, "420000-999"),
        ],
        caller=bank.caller(),
    )

    assert reasons(outcomes) == ["DIRECTION_REFUSED", "PARTY_UNKNOWN"]
    assert await bank.state(row) == before


@pytest.mark.refusal("RECEIPT_EXISTS")
async def test_the_same_receipt_is_known_and_another_one_refused(
    finance: House, bank: House
) -> None:
    row = await acted(finance, bank)
    receipt = receipt_for(direct_payment(), row.digest)
    item = filled_in(row, encoded(receipt))
    await bank.receipts([item], caller=bank.caller())
    before = await bank.state(row)
    receipt.direct_payment.x_pay_date = "20260302"

    (again, other) = await bank.receipts(
        [item, filled_in(row, encoded(receipt))], caller=bank.caller()
    )

    assert not fine(again).new
    assert reasons([other]) == ["RECEIPT_EXISTS"]
    assert await bank.state(row) == before


async def test_an_issuer_that_left_holds_up_only_receipts_to_itself(
    finance: House, bank: House
) -> None:
    row = await acted(finance, bank)
    parties = dict(bank.registry.parties)
    del parties[FINANCE]
    bank.registry = replace(bank.registry, parties=parties)
    before = await bank.state(row)
    receipt = encoded(receipt_for(direct_payment(), row.digest))

    issued = await bank.receipts([filled_in(row, receipt)], caller=bank.caller())
    stepped = await bank.steps(
        DocumentKind.ACCEPTANCE, [about(row)], caller=bank.caller()
    )

    assert reasons(issued) == ["PARTY_UNKNOWN"]
    assert reasons(stepped) == ["NOT_IN_STATE"]
    assert await bank.state(row) == before
