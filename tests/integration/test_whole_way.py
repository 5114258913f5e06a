"""The whole way of a voucher through two gateways, by the desk services alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from counterfoil.desk.v1 import desk_pb2
from counterfoil.office import (
    ActOutcome,
    Arrival,
    DocumentKind,
    NationalDraft,
    NotFound,
    Reason,
    Standing,
    Step,
    Voucher,
    kind_of,
    opened,
)
from tests.houses import BANK, FINANCE, UNIT
from tests.integration.conftest import Pair
from tests.integration.desks import (
    accept_at,
    act_on,
    acts_of,
    arrival_of,
    done,
    issue,
    personal_seals,
    reaches,
    refused,
    review,
    submit,
    until,
    write,
)
from tests.integration.papers import notice, receipt_of, short_receipt_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DESK = "/counterfoil.desk.v1.DeskService"


def _is(digest: bytes, arrival: Arrival) -> bool:
    return arrival.digest == digest


@pytest.mark.clause("wuhai-2a", "hubei-18", "hubei-20")
async def test_a_national_direct_payment_is_paid_answered_and_closed(
    pair: Pair,
) -> None:
    town = pair.town
    issued = await issue(town, pair.papers.direct_payment())

    async with town.desk(BANK) as bank, town.desk(FINANCE) as finance:
        voucher = await accept_at(bank, issued.reference)
        # A lane's batches may overtake each other; here the order is looked at.
        await reaches(finance, issued.reference, Standing.ACCEPTED)
        await act_on(bank, issued.reference)
        (answered,) = await bank.issue_receipt([receipt_of(issued.reference, voucher)])
        await reaches(finance, issued.reference, Standing.CLOSED)
        theirs = await until(
            lambda: bank.inquire(issued.reference.digest),
            lambda way: len(acts_of(way, "DELIVER")) == 2,
        )
        ours = await finance.inquire(issued.reference.key)

    assert voucher == issued.voucher
    assert done(answered).standing is Standing.RECEIPTED
    # One query shows the whole way, on either side.
    assert [act.act for act in ours.acts if act not in acts_of(ours, "DELIVER")] == [
        "ENTER_AND_SEND VOUCHER",
        "ARRIVE ACCEPTANCE",
        "ARRIVE RECEIPT",
        "CLOSE RECEIPT",
    ]
    assert [
        act.act for act in theirs.acts if act not in acts_of(theirs, "DELIVER")
    ] == [
        "ARRIVE VOUCHER",
        "ENTER ACCEPTANCE",
        "BEGIN VOUCHER",
        "END_DONE VOUCHER",
        "ENTER RECEIPT",
    ]
    # When the peer's proof comes back depends on the line.
    (delivered,) = acts_of(ours, "DELIVER")
    assert delivered.peer_proof
    assert [kind_of(sealed) for sealed in ours.documents] == [
        DocumentKind.VOUCHER,
        DocumentKind.ACCEPTANCE,
        DocumentKind.RECEIPT,
    ]
    # The very same bytes lie in both vaults.
    assert ours.documents == theirs.documents


async def test_a_typed_direct_payment_travels_like_a_national_one(pair: Pair) -> None:
    town = pair.town
    async with town.desk(FINANCE) as finance:
        national = await write(finance, pair.papers.direct_payment())
        number = pair.papers.sample().number
        key = national.voucher.key
        typed = Voucher(
            key=type(key)(
                issuer=key.issuer,
                adm_div=key.adm_div,
                fiscal_year=key.fiscal_year,
                type_code=key.type_code,
                number=number,
            ),
            recipients=(BANK,),
            form=type(national.voucher.form)(
                {**national.voucher.form.fields, "voucher_no": number},
                tuple(
                    {**row, "voucher_bill_no": number}
                    for row in national.voucher.form.rows
                ),
            ),
        )

        issued = await issue(town, typed)

        async with town.desk(BANK) as bank:
            received = await accept_at(bank, issued.reference)
        await reaches(finance, issued.reference, Standing.ACCEPTED)
    assert received.key.number == number
    assert received.form.fen("pay_amt_fen") == national.voucher.form.fen("pay_amt_fen")


async def test_a_hosted_unit_issues_and_is_told_of_the_payment(pair: Pair) -> None:
    town = pair.town
    issued = await issue(town, pair.papers.authorised_payment(), UNIT)
    async with town.desk(BANK) as bank, town.desk(UNIT) as unit:
        voucher = await accept_at(bank, issued.reference)
        await act_on(bank, issued.reference)
        await bank.issue_receipt([receipt_of(issued.reference, voucher)])
        await reaches(unit, issued.reference, Standing.CLOSED)

        told = pair.papers.notice(UNIT)
        reference = await submit(bank, told)
        arrival = await arrival_of(unit, lambda one: one.digest == reference.digest)

        assert opened(arrival.sealed) == told
        assert arrival.by == BANK
        (outcome,) = await unit.accept([reference])
        assert done(outcome).standing is Standing.ACCEPTED
        await reaches(bank, reference, Standing.ACCEPTED)


async def test_a_unit_s_voucher_is_not_its_host_s_business(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.authorised_payment(), UNIT)

    async with pair.town.desk(FINANCE) as finance:
        found = await finance.search(number_prefix=issued.reference.key.number)
        with pytest.raises(NotFound, match="VOUCHER_NOT_FOUND"):
            await finance.inquire(issued.reference.digest)

    assert found == []


@pytest.mark.clause("hubei-20")
async def test_a_receipt_that_says_less_than_was_ordered_is_disputed(
    pair: Pair,
) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        voucher = await accept_at(bank, issued.reference)
        await act_on(bank, issued.reference)

        (outcome,) = await bank.issue_receipt(
            [short_receipt_of(issued.reference, voucher)]
        )

        done(outcome)
        await reaches(finance, issued.reference, Standing.DISPUTED)


async def test_a_voucher_has_one_receipt(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        voucher = await accept_at(bank, issued.reference)
        await act_on(bank, issued.reference)
        receipt = receipt_of(issued.reference, voucher)
        (first,) = await bank.issue_receipt([receipt])

        (again,) = await bank.issue_receipt([receipt])
        (other,) = await bank.issue_receipt(
            [short_receipt_of(issued.reference, voucher)]
        )

        assert done(again).leaf == done(first).leaf
        assert refused(other) == "RECEIPT_EXISTS"
        await reaches(finance, issued.reference, Standing.CLOSED)


@pytest.mark.clause("hubei-19b")
async def test_a_rejection_tells_the_issuer_why(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        await arrival_of(bank, lambda one: one.digest == issued.reference.digest)

        (outcome,) = await bank.reject([Reason(issued.reference, "账号与户名不符")])

        assert done(outcome).standing is Standing.REJECTED
        told = await arrival_of(finance, lambda one: one.voucher == issued.reference)
        await reaches(finance, issued.reference, Standing.REJECTED)
    step = opened(told.sealed)
    assert isinstance(step, Step)
    assert (step.kind, step.explanation) == (DocumentKind.REJECTION, "账号与户名不符")


@pytest.mark.clause("hubei-32b", "hubei-33")
async def test_a_returned_voucher_is_void_and_its_number_issued_again(
    pair: Pair,
) -> None:
    draft = pair.papers.direct_payment()
    issued = await issue(pair.town, draft)
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        await accept_at(bank, issued.reference)
        (asked,) = await finance.request_return([Reason(issued.reference, "用途有误")])
        done(asked)
        request = await arrival_of(
            bank,
            lambda one: (
                one.voucher == issued.reference
                and kind_of(one.sealed) is DocumentKind.RETURN_REQUEST
            ),
        )
        assert isinstance(opened(request.sealed), Step)

        (returned,) = await bank.return_vouchers([Reason(issued.reference, "应要求")])

        assert done(returned).standing is Standing.RETURNED
        await reaches(finance, issued.reference, Standing.RETURNED)
        # What was returned never acts again.
        (begun,) = await bank.begin_acting([issued.reference])
        (accepted,) = await bank.accept([issued.reference])
        assert refused(begun) == "NOT_IN_STATE"
        assert refused(accepted) == "NOT_IN_STATE"

        second = await issue(
            pair.town,
            NationalDraft(
                document=draft.document,
                recipients=draft.recipients,
                issue=2,
                replaces=issued.reference.digest,
            ),
        )
        assert second.reference.key.issue == 2
        await accept_at(bank, second.reference)
        await reaches(finance, second.reference, Standing.ACCEPTED)


@pytest.mark.clause("hubei-33")
async def test_a_number_is_not_issued_again_while_its_voucher_stands(
    pair: Pair,
) -> None:
    draft = pair.papers.direct_payment()
    issued = await issue(pair.town, draft)
    async with pair.town.desk(FINANCE) as finance:
        again = await write(
            finance,
            NationalDraft(
                document=draft.document,
                recipients=draft.recipients,
                issue=2,
                replaces=issued.reference.digest,
            ),
        )
        await review(pair.town, again)

        (outcome,) = await finance.seal([again.reference.digest])

    assert refused(outcome) == "ISSUE_OUT_OF_ORDER"


@pytest.mark.clause("hubei-32b")
async def test_nothing_is_returned_once_the_act_has_begun(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    reason = Reason(issued.reference, "不予办理")
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        await accept_at(bank, issued.reference)
        await bank.begin_acting([issued.reference])
        (while_acting,) = await bank.return_vouchers([reason])
        (ended,) = await bank.end_acting([(issued.reference, ActOutcome.NOT_DONE)])
        assert done(ended).standing is Standing.ACCEPTED

        (after_not_done,) = await bank.return_vouchers([reason])

        assert refused(while_acting) == "ACTING_BEGUN"
        assert done(after_not_done).standing is Standing.RETURNED
        await reaches(finance, issued.reference, Standing.RETURNED)


async def test_the_recipient_learns_that_an_unsent_voucher_is_void(
    pair: Pair,
) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment(), send=False)
    async with pair.town.desk(FINANCE) as finance:
        (discarded,) = await finance.discard([Reason(issued.reference, "重复录入")])
        (sent,) = await finance.send([issued.reference])

        assert done(discarded).standing is Standing.DISCARDED
        assert refused(sent) == "NOT_IN_STATE"
    async with pair.town.desk(BANK) as bank:
        await reaches(bank, issued.reference, Standing.DISCARDED)
        (accepted,) = await bank.accept([issued.reference])
        assert refused(accepted) == "NOT_IN_STATE"


async def test_a_voucher_that_was_accepted_is_not_discarded(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        await accept_at(bank, issued.reference)
        await reaches(finance, issued.reference, Standing.ACCEPTED)

        (outcome,) = await finance.discard([Reason(issued.reference, "作废")])

    assert refused(outcome) == "NOT_IN_STATE"


async def test_an_unknown_outcome_allows_no_receipt_no_return_and_no_second_act(
    pair: Pair,
) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank:
        voucher = await accept_at(bank, issued.reference)
        await act_on(bank, issued.reference, ActOutcome.UNKNOWN)

        (receipt,) = await bank.issue_receipt([receipt_of(issued.reference, voucher)])
        (returned,) = await bank.return_vouchers([Reason(issued.reference, "不明")])
        (begun,) = await bank.begin_acting([issued.reference])
        (asked,) = await bank.end_acting([(issued.reference, ActOutcome.DONE)])

        assert refused(receipt) == "NOT_IN_STATE"
        assert refused(returned) == "ACTING_BEGUN"
        assert refused(begun) == "NOT_IN_STATE"
        # Once the core has been asked, the way goes on.
        assert done(asked).standing is Standing.ACTED


async def test_a_second_act_never_begins(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank:
        await accept_at(bank, issued.reference)
        (first,) = await bank.begin_acting([issued.reference])

        (second,) = await bank.begin_acting([issued.reference])

    assert done(first).standing is Standing.ACTING
    assert refused(second) == "NOT_IN_STATE"


@pytest.mark.clause("wuhai-2a")
async def test_sending_twice_and_sealing_twice_change_nothing(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment(), send=False)
    async with pair.town.desk(FINANCE) as finance:
        (first,) = await finance.send([issued.reference])
        (again,) = await finance.send([issued.reference])
        (sealed,) = await finance.seal([issued.reference.digest])

        assert done(again).digest == done(sealed).digest == done(first).digest
        async with pair.town.desk(BANK) as bank:
            await accept_at(bank, issued.reference)
        await reaches(finance, issued.reference, Standing.ACCEPTED)
        way = await finance.inquire(issued.reference.digest)
    assert [act.act for act in way.acts].count("ENTER VOUCHER") == 1
    assert [act.act for act in way.acts].count("SEND VOUCHER") == 1


async def test_a_bad_item_of_a_batch_is_refused_alone(pair: Pair) -> None:
    good = [pair.papers.notice(UNIT) for _ in range(2)]
    elsewhere = notice(990_001, BANK, "429999-001")
    async with pair.town.desk(BANK) as bank, pair.town.desk(UNIT) as unit:
        outcomes = await bank.submit([good[0], elsewhere, good[1]])

        assert refused(outcomes[1]) == "PARTY_UNKNOWN"
        for outcome in (outcomes[0], outcomes[2]):
            digest = done(outcome).digest
            await arrival_of(unit, partial(_is, digest))


@pytest.mark.clause("hubei-11")
async def test_a_seal_of_somebody_else_or_over_other_bytes_is_refused(
    pair: Pair,
) -> None:
    async with pair.town.desk(FINANCE) as finance:
        mine = await write(finance, pair.papers.direct_payment())
        other = await write(finance, pair.papers.direct_payment())

    over_other_bytes = personal_seals(pair.town, other, FINANCE)[0]
    of_another = personal_seals(pair.town, mine, FINANCE, ("second",))[0]
    async with pair.town.desk(FINANCE, "person", "first") as first:
        outcomes = await first.review(
            [
                (mine.reference.digest, over_other_bytes),
                (mine.reference.digest, of_another),
            ]
        )

    assert [refused(outcome) for outcome in outcomes] == ["SEAL_FORGED", "SEAL_FORGED"]


async def test_read_repeats_until_it_is_acknowledged(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(BANK) as bank, pair.town.desk(FINANCE) as finance:
        await accept_at(bank, issued.reference)
        first = await arrival_of(finance, lambda one: one.voucher == issued.reference)
        second = await arrival_of(finance, lambda one: one.voucher == issued.reference)

        await finance.acknowledge([second])

        left = [one.digest async for batch in finance.read() for one in batch]
    assert first.sealed == second.sealed
    assert second.times_read > first.times_read
    assert second.digest not in left


@pytest.mark.parametrize("method", ["Submit", "Write"])
async def test_a_draft_that_cannot_be_read_is_refused_alone(
    pair: Pair, method: str
) -> None:
    # Behind an empty draft one of three bytes that are no message.
    submission, drafts = (
        b"\x12\x00\x12\x03\xff\xff\xff",
        b"\x0a\x00\x0a\x03\xff\xff\xff",
    )

    async with pair.town.channel(BANK) as untyped:
        channel: Any = untyped
        if method == "Write":
            encoded = await channel.unary_unary(f"{_DESK}/Write")(drafts)
            written = desk_pb2.WriteResponse.FromString(encoded)
            results = [one.result for one in written.results]
        else:
            answers = channel.stream_stream(f"{_DESK}/Submit")(iter([submission]))
            (encoded,) = [answer async for answer in answers]
            results = list(desk_pb2.SubmitResponse.FromString(encoded).results)

    reasons = [one.refusal.reason for one in results]
    assert reasons == ["MALFORMED_PAYLOAD", "MALFORMED_PAYLOAD"]
