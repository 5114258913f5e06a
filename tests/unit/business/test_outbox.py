"""What we issue goes out once, and every answer to it is booked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from counterfoil.business import outbox as boxes
from counterfoil.business.clerks import MISREAD, Drafted, Paper, Refused
from counterfoil.business.planning import plan, plan_again, withdraw
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import FormRefused, VaultBusy, WithdrawalOutOfOrder
from counterfoil.office import Form, Receipt, Voucher
from counterfoil.office.vouchers import FieldValue
from counterfoil.sealed.v1 import voucher_pb2
from tests.unit.business.house import (
    LIST,
    ORDER,
    TODAY,
    TREASURY,
    House,
    counted,
    dying,
    paper,
)
from tests.unit.office.dying_desk import Crash
from tests.unit.office.loopback import Loopback

REVIEWED, SUBMITTED = paper(ORDER, "O1"), paper(LIST, "L1")
BOTH = [REVIEWED, SUBMITTED]
WHEN = ["before", "after"]


def receipt(house: House, voucher: Voucher, **fields: FieldValue) -> None:
    reference = house.desk.reference(voucher.key.number, voucher.key.issue)
    form = Form({"x_pay_amt_fen": 100, "x_pay_date": TODAY, **fields})
    house.desk.receipt(Receipt(voucher=reference, by=TREASURY, form=form))


def step(house: House, kind: DocumentKind, voucher: Voucher, text: str = "") -> None:
    reference = house.desk.reference(voucher.key.number, voucher.key.issue)
    house.desk.step(kind, reference, text)


def seals(house: House, voucher: Voucher) -> int:
    return len(house.desk.issued.vouchers[house.issued(voucher).digest].seals)


def test_what_is_planned_is_reviewed_by_two_persons_sealed_and_sent(
    house: House,
) -> None:
    house.plan(REVIEWED)

    house.turn()

    assert house.desk.issued.standing("O1") == "SENT"
    assert seals(house, REVIEWED) == 3
    assert house.issued_state(REVIEWED) is OutboxState.SENT
    assert house.issued(REVIEWED).digest == house.desk.issued.digest("O1")
    assert house.told == {"sent": 1}


def test_what_needs_no_person_is_submitted(house: House) -> None:
    house.plan(SUBMITTED)

    house.turn()

    assert house.desk.issued.standing("L1") == "SENT"
    assert house.issued_state(SUBMITTED) is OutboxState.SENT


def test_everything_goes_out_in_batches(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "BATCH", 2)
    papers = [paper(ORDER, f"O{number}") for number in range(5)]
    house.plan(*papers)

    house.turn()

    assert {house.issued_state(one) for one in papers} == {OutboxState.SENT}
    assert house.outbox().is_at_rest()


def test_what_was_planned_twice_is_issued_once(house: House) -> None:
    house.plan(*BOTH)
    house.plan(*BOTH)
    house.turn()
    house.plan(*BOTH)
    house.turn()

    assert house.told["sent"] == 2
    assert len(house.desk.issued.vouchers) == 2


def test_another_content_under_a_planned_key_is_an_error(house: House) -> None:
    house.plan(REVIEWED)

    with pytest.raises(ValueError, match=r"5201/O1 was planned with another content"):
        house.plan(paper(ORDER, "O1", 200))

    house.turn()
    sent = house.desk.issued.voucher(house.issued(REVIEWED).digest)
    assert sent.direct_payment.pay_amt_fen == 100


def test_what_the_gateway_read_otherwise_is_never_signed(
    house: House, gateway: Loopback
) -> None:
    house.plan(REVIEWED)
    honest = gateway.unary["Write"]

    def forging(request: bytes) -> bytes:
        forged = desk_pb2.WriteRequest.FromString(request)
        forged.drafts[0].voucher.direct_payment.payee_acct_no = "6222999999999999"
        return honest(forged.SerializeToString())

    gateway.unary["Write"] = forging

    house.turn()

    assert house.issued_state(REVIEWED) is OutboxState.REFUSED
    assert house.issued(REVIEWED).note.startswith(MISREAD)
    assert gateway.requests["Review"] == []


def test_the_same_content_in_another_encoding_is_signed(
    house: House, gateway: Loopback
) -> None:
    """What persons sign is what the gateway encoded; our bytes are our own."""
    house.plan(REVIEWED)
    honest = gateway.unary["Write"]

    def in_another_order(request: bytes) -> bytes:
        answer = desk_pb2.WriteResponse.FromString(honest(request))
        voucher = voucher_pb2.Voucher.FromString(answer.results[0].payload)
        key = voucher_pb2.Voucher(key=voucher.key).SerializeToString()
        voucher.ClearField("key")
        answer.results[0].payload = voucher.SerializeToString() + key
        return answer.SerializeToString()

    gateway.unary["Write"] = in_another_order

    house.turn()

    assert len(gateway.requests["Review"]) == 2


def test_a_plan_is_undone_with_its_transaction(house: House) -> None:
    def dies() -> None:
        with house.books.writing() as session:
            plan(session, REVIEWED, TODAY)
            raise Crash

    with pytest.raises(Crash):
        dies()

    house.turn()

    assert house.desk.issued.vouchers == {}


def test_a_plan_says_from_which_voucher_it_was_made(house: House) -> None:
    house.plan(REVIEWED, cause=b"\1" * 32)

    assert house.issued(REVIEWED).cause == b"\1" * 32
    assert house.issued(REVIEWED).planned == TODAY


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("at", ["write", "seal", "submit"])
def test_it_goes_out_once_wherever_the_program_dies(
    house: House, at: str, when: str
) -> None:
    house.plan(*BOTH)
    with pytest.raises(Crash):
        house.turn(house.outbox(dying(house.client, at, when)))

    house.turn()

    assert {house.issued_state(one) for one in BOTH} == {OutboxState.SENT}
    assert house.desk.issued.standing("O1") == "SENT"
    assert seals(house, REVIEWED) == 3
    assert len(house.desk.issued.vouchers) == 2


@pytest.mark.parametrize("when", WHEN)
def test_it_goes_out_once_though_the_program_dies_between_two_reviews(
    house: House, when: str
) -> None:
    house.plan(REVIEWED)
    with pytest.raises(Crash):
        house.turn(house.outbox(review=when))

    house.turn()

    assert seals(house, REVIEWED) == 3
    assert house.issued_state(REVIEWED) is OutboxState.SENT


@pytest.mark.parametrize(("voucher", "at"), [(REVIEWED, "seal"), (SUBMITTED, "submit")])
def test_an_answer_that_comes_before_we_know_that_it_was_sent_is_booked(
    house: House, voucher: Voucher, at: str
) -> None:
    house.plan(voucher)
    with pytest.raises(Crash):
        house.turn(house.outbox(dying(house.client, at, "after")))
    step(house, DocumentKind.ACCEPTANCE, voucher)

    house.turn()

    assert house.issued_state(voucher) is OutboxState.ACCEPTED
    assert house.issued(voucher).digest == house.desk.issued.digest(voucher.key.number)
    assert house.told["sent"] == 0


@pytest.mark.parametrize(
    ("voucher", "at"),
    [(REVIEWED, "write"), (REVIEWED, "seal"), (SUBMITTED, "submit")],
)
def test_a_busy_gateway_is_asked_again(house: House, voucher: Voucher, at: str) -> None:
    house.plan(voucher)
    number = voucher.key.number
    house.desk.refuse_to_issue(at, number, VaultBusy("later"), VaultBusy("later"))

    house.turn()
    assert house.issued_state(voucher) is OutboxState.PLANNED
    assert not house.outbox().is_at_rest()
    assert house.told["refused"] == 0
    for _ in range(2):
        house.turn()

    assert house.issued_state(voucher) is OutboxState.SENT
    assert house.outbox().is_at_rest()


def test_a_busy_gateway_does_not_make_us_write_anew_what_was_sent(
    house: House,
) -> None:
    house.plan(REVIEWED)
    with pytest.raises(Crash):
        house.turn(house.outbox(dying(house.client, "seal", "after")))
    house.desk.refuse_to_issue("seal", "O1", VaultBusy("later"))
    house.turn()
    assert house.issued_state(REVIEWED) is OutboxState.PLANNED

    house.turn()

    assert house.issued_state(REVIEWED) is OutboxState.SENT


@pytest.mark.parametrize(
    ("type_code", "at"), [(ORDER, "write"), (ORDER, "seal"), (LIST, "submit")]
)
def test_a_refusal_that_lasts_stops_one_and_leaves_the_others(
    house: House, type_code: int, at: str
) -> None:
    papers = [paper(type_code, number) for number in ("P1", "P2", "P3")]
    house.plan(*papers)
    refused = FormRefused("no")
    # At `seal` what was refused is written once more, and refused once more.
    house.desk.refuse_to_issue(at, "P2", refused, refused)

    house.turn()

    assert [house.issued_state(one) for one in papers] == [
        OutboxState.SENT,
        OutboxState.REFUSED,
        OutboxState.SENT,
    ]
    assert "FORM_REFUSED" in house.issued(papers[1]).note
    assert house.told == {"sent": 2, "refused": 1}
    assert house.outbox().is_at_rest()


def test_a_seal_that_cannot_be_withdrawn_stops_only_its_own_draft(
    house: House,
) -> None:
    other = paper(ORDER, "O2")
    house.plan(REVIEWED, other)
    with pytest.raises(Crash):
        house.turn(house.outbox(review="before"))
    house.desk.refuse_to_issue("cancel", "O1", WithdrawalOutOfOrder("no"))

    house.turn()

    assert house.issued_state(REVIEWED) is OutboxState.REFUSED
    assert house.issued_state(other) is OutboxState.SENT


def test_an_acceptance_and_a_receipt_are_booked_once_though_they_come_twice(
    house: House,
) -> None:
    house.plan(REVIEWED)
    house.turn()
    step(house, DocumentKind.ACCEPTANCE, REVIEWED)
    house.turn()
    assert house.issued_state(REVIEWED) is OutboxState.ACCEPTED
    receipt(house, REVIEWED)
    house.desk.again()

    house.turn()

    entry = house.issued(REVIEWED)
    assert (entry.state, entry.answered) == (OutboxState.RECEIPTED, TODAY)
    assert house.bookings() == ["receipt O1"]
    assert house.told == {"sent": 1, "taken": 1, "receipted": 1}
    assert set(house.desk.acknowledged) == {0, 1}


def test_an_answer_is_booked_once_though_the_program_dies(house: House) -> None:
    house.plan(REVIEWED)
    house.turn()
    receipt(house, REVIEWED)
    with pytest.raises(Crash):
        house.turn(house.outbox(dying(house.client, "acknowledge", "before")))

    house.turn()

    assert house.bookings() == ["receipt O1"]


def test_a_receipt_with_another_amount_differs(house: House) -> None:
    house.plan(REVIEWED)
    house.turn()
    receipt(house, REVIEWED, x_pay_amt_fen=99)

    house.turn()

    entry = house.issued(REVIEWED)
    assert (entry.state, entry.note) == (OutboxState.DIFFERS, "回单金额与凭证不符")
    assert house.told["differs"] == 1


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (DocumentKind.REJECTION, OutboxState.REJECTED),
        (DocumentKind.RETURN, OutboxState.RETURNED),
    ],
)
def test_what_is_given_back_is_booked_once_with_the_reason(
    house: House, kind: DocumentKind, state: OutboxState
) -> None:
    house.plan(REVIEWED)
    house.turn()
    step(house, kind, REVIEWED, "账号有误")
    house.desk.again()

    house.turn()

    entry = house.issued(REVIEWED)
    assert (entry.state, entry.note) == (state, "账号有误")
    assert house.bookings() == [f"{state.value} O1"]


def test_what_comes_late_never_leads_back(house: House) -> None:
    returned = paper(ORDER, "O2")
    house.plan(REVIEWED, returned)
    house.turn()
    receipt(house, REVIEWED)
    step(house, DocumentKind.RETURN, returned, "退回")
    house.turn()
    step(house, DocumentKind.ACCEPTANCE, REVIEWED)
    step(house, DocumentKind.RETURN, REVIEWED, "迟到")
    step(house, DocumentKind.ACCEPTANCE, returned)
    receipt(house, returned)

    house.turn()

    assert house.issued_state(REVIEWED) is OutboxState.RECEIPTED
    assert house.issued_state(returned) is OutboxState.RETURNED
    assert house.bookings() == ["receipt O1", "returned O2"]


def test_an_answer_to_a_voucher_of_another_program_is_taken_off_the_list(
    house: House,
) -> None:
    house.plan(REVIEWED)
    house.turn()
    receipt(house, REVIEWED)
    with house.books.writing() as session:
        session.delete(session.get_one(OutboxEntry, house.issued(REVIEWED).id))

    house.turn()

    assert len(house.desk.acknowledged) == 1
    assert house.bookings() == []


def test_an_answer_to_other_bytes_under_our_key_is_not_ours(house: House) -> None:
    house.plan(REVIEWED)
    house.turn()
    reference = replace(house.desk.reference("O1"), digest=b"\7" * 32)
    house.desk.step(DocumentKind.RETURN, reference, "别的凭证")

    house.turn()

    assert house.issued_state(REVIEWED) is OutboxState.SENT


def again(house: House, voucher: Voucher) -> None:
    with house.books.writing() as session:
        returned = session.get_one(OutboxEntry, house.issued(REVIEWED).id)
        plan_again(session, returned, voucher, TODAY)


def test_a_returned_number_is_issued_again_as_issue_two(house: House) -> None:
    house.plan(REVIEWED, cause=b"\1" * 32)
    house.turn()
    step(house, DocumentKind.RETURN, REVIEWED, "金额有误")
    house.turn()
    corrected = paper(ORDER, "O1", 200)

    again(house, corrected)
    again(house, corrected)
    house.turn()

    second = replace(corrected, key=replace(corrected.key, issue=2))
    entry = house.issued(second)
    assert (entry.state, entry.cause) == (OutboxState.SENT, b"\1" * 32)
    sent = house.desk.issued.voucher(entry.digest)
    assert sent.key.issue == 2
    assert sent.replaces == house.issued(REVIEWED).digest
    assert house.issued_state(REVIEWED) is OutboxState.RETURNED


@pytest.mark.parametrize("receipted", [False, True])
def test_a_number_that_was_not_given_back_is_not_issued_again(
    house: House, *, receipted: bool
) -> None:
    house.plan(REVIEWED)
    house.turn()
    if receipted:
        receipt(house, REVIEWED)
        house.turn()

    with pytest.raises(ValueError, match="was not given back"):
        again(house, REVIEWED)


def take_back(house: House, voucher: Voucher) -> None:
    with house.books.writing() as session:
        withdraw(session.get_one(OutboxEntry, house.issued(voucher).id), "填错了")


def test_what_is_withdrawn_before_it_is_sent_never_goes_out(house: House) -> None:
    house.plan(REVIEWED)

    take_back(house, REVIEWED)
    house.turn()

    entry = house.issued(REVIEWED)
    assert (entry.state, entry.note) == (OutboxState.WITHDRAWN, "填错了")
    assert house.desk.issued.vouchers == {}
    assert house.outbox().is_settled()


@pytest.mark.parametrize("refused", [False, True])
def test_what_is_withdrawn_while_it_is_written_is_not_reviewed(
    house: House, monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    other = paper(ORDER, "O2")
    house.plan(REVIEWED, other)
    outbox = house.outbox()
    honest = outbox.clerks.write
    if refused:
        house.desk.refuse_to_issue("write", "O1", FormRefused("no"))

    def overtaken(papers: Sequence[Paper]) -> list[Drafted | Refused]:
        take_back(house, REVIEWED)
        return honest(papers)

    monkeypatch.setattr(outbox.clerks, "write", overtaken)
    house.turn(outbox)

    assert house.issued_state(REVIEWED) is OutboxState.WITHDRAWN
    assert house.issued_state(other) is OutboxState.SENT


def test_what_is_on_its_way_out_cannot_be_withdrawn(house: House) -> None:
    house.plan(REVIEWED)
    with pytest.raises(Crash):
        house.turn(house.outbox(dying(house.client, "seal", "before")))

    with pytest.raises(ValueError, match="cannot be withdrawn any more"):
        take_back(house, REVIEWED)


def test_what_is_sent_in_one_step_cannot_be_withdrawn(house: House) -> None:
    house.plan(SUBMITTED)

    with pytest.raises(ValueError, match="cannot be withdrawn any more"):
        take_back(house, SUBMITTED)


def test_it_is_settled_when_no_answer_is_awaited(house: House) -> None:
    outbox = house.outbox()
    # A list (5553) is answered by a receipt; a notice of refund (2203) is accepted.
    notice = paper(2203, "N1", issuer="420000-011", to=TREASURY)
    house.plan(REVIEWED, notice)
    assert not outbox.is_settled()
    house.turn()
    assert not outbox.is_settled()
    with house.books.writing() as session:
        entry = session.get_one(OutboxEntry, house.issued(notice).id)
        entry.state = OutboxState.ACCEPTED
    step(house, DocumentKind.ACCEPTANCE, REVIEWED)
    house.turn()
    assert not outbox.is_settled()
    receipt(house, REVIEWED)

    house.turn()

    assert outbox.is_settled()


def test_many_go_out_and_are_answered_by_no_more_queries_than_one(
    house: House,
) -> None:
    def issued_and_accepted(*vouchers: Voucher) -> list[str]:
        house.plan(*vouchers)
        with counted("before_cursor_execute") as queries:
            house.turn(house.outbox())
            for one in vouchers:
                step(house, DocumentKind.ACCEPTANCE, one)
            house.turn(house.outbox())
        return queries

    for_one = issued_and_accepted(REVIEWED)
    for_four = issued_and_accepted(*(paper(ORDER, f"O{n}") for n in range(2, 6)))

    assert house.told["taken"] == 5
    assert for_four == for_one != []
