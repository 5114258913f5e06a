"""What one of several recipients gives back is asked of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.business import recalls
from counterfoil.business.planning import plan_again
from counterfoil.business.tables import (
    InboxState,
    OutboxEntry,
    OutboxState,
    RecallEntry,
    RecallState,
)
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import NotInState, VaultBusy
from counterfoil.domain.standing import Standing
from counterfoil.office import Form, Receipt
from tests.unit.business.house import (
    BANK,
    LOOSE,
    NOTICE,
    ORDER,
    QUOTA,
    TODAY,
    TREASURY,
    House,
    dying,
    paper,
)
from tests.unit.office.dying_desk import Crash

BOTH = replace(paper(QUOTA, "Q1"), recipients=(TREASURY, BANK))
TOMORROW = "20260303"


def give_back(
    house: House, by: str, kind: DocumentKind = DocumentKind.RETURN, why: str = "有误"
) -> None:
    house.desk.step(kind, house.desk.reference("Q1"), why, by)
    house.turn()


def receipt_by(house: House, by: str) -> None:
    reference = house.desk.reference("Q1")
    house.desk.receipt(Receipt(voucher=reference, by=by, form=Form({})))
    house.turn()


def issue_again(house: House) -> None:
    with house.books.writing() as session:
        given_back = session.get_one(OutboxEntry, house.issued(BOTH).id)
        plan_again(session, given_back, BOTH, TODAY)


def recall(house: House) -> RecallEntry:
    with house.books.reading() as session:
        return session.get_one(RecallEntry, house.issued(BOTH).id)


def told(house: House, day: str = TODAY) -> list[str]:
    with house.books.reading() as session:
        return list(recalls.told(session, day))


@pytest.fixture(autouse=True)
def _sent(house: House) -> None:
    house.plan(BOTH)
    house.turn()


@pytest.mark.parametrize("kind", [DocumentKind.RETURN, DocumentKind.REJECTION])
@pytest.mark.clause("hubei-33")
def test_the_other_recipient_is_asked_once_and_then_nobody_holds_it(
    house: House, kind: DocumentKind
) -> None:
    digest = house.issued(BOTH).digest

    give_back(house, TREASURY, kind)
    house.turn()

    assert house.desk.returns_asked == {digest: "有误"}
    assert house.told["asked-back"] == 1
    assert recall(house).state is RecallState.WAITING

    give_back(house, BANK, why="应发送方要求退回")

    assert house.told["asked-back"] == house.told["back"] == 1
    assert recall(house).state is RecallState.BACK
    assert house.desk.voided == {}, "nothing replaces it"
    # What follows on its return was booked once, by who gave it back first.
    state = "rejected" if kind is DocumentKind.REJECTION else "returned"
    assert house.bookings() == [f"{state} Q1"]
    assert house.outbox().is_at_rest()


def test_what_both_gave_back_by_themselves_is_not_asked_for(
    house: House,
) -> None:
    for by in (TREASURY, BANK):
        house.desk.step(DocumentKind.REJECTION, house.desk.reference("Q1"), "否", by)
    house.turn()

    assert house.desk.returns_asked == {}
    assert recall(house).state is RecallState.BACK


@pytest.mark.parametrize("second", [DocumentKind.RETURN, DocumentKind.REJECTION])
@pytest.mark.clause("hubei-33")
def test_it_is_void_before_its_number_goes_out_again(
    house: House, second: DocumentKind
) -> None:
    digest = house.issued(BOTH).digest
    give_back(house, TREASURY)
    with pytest.raises(ValueError, match="尚有接收方未退回"):
        issue_again(house)
    give_back(house, BANK, second)

    issue_again(house)
    assert recall(house).state is RecallState.VOIDING
    house.turn()

    rejected = second is DocumentKind.REJECTION
    assert house.desk.voided == ({digest: "有误"} if rejected else {})
    assert recall(house).state is RecallState.VOID
    again = replace(BOTH, key=replace(BOTH.key, issue=2))
    assert house.issued_state(again) is OutboxState.SENT


def test_what_the_gateway_of_the_other_never_took_is_not_asked_back(
    house: House,
) -> None:
    digest = house.issued(BOTH).digest
    house.desk.heard[digest] = {BANK: Standing.REFUSED}

    give_back(house, TREASURY)

    assert house.desk.returns_asked == {}
    assert recall(house).state is RecallState.BACK


def test_what_the_other_has_acted_on_a_person_has_to_look_at(house: House) -> None:
    give_back(house, BANK)
    receipt_by(house, TREASURY)

    assert recall(house).state is RecallState.KEPT
    assert house.desk.voided == {}
    assert told(house) == [f"凭证Q1被退回，但不能作废：接收方{TREASURY}已办理；有误"]


def test_a_return_after_the_receipt_of_the_other_is_told_too(house: House) -> None:
    receipt_by(house, TREASURY)
    give_back(house, BANK)

    assert house.issued_state(BOTH) is OutboxState.RECEIPTED
    assert recall(house).state is RecallState.KEPT
    assert house.bookings() == ["receipt Q1"]


def test_who_does_not_answer_is_told_from_the_next_day_on(house: House) -> None:
    give_back(house, TREASURY)

    assert told(house) == []
    assert told(house, TOMORROW) == ["凭证Q1被退回，其他接收方尚未退回：有误"]


def test_what_one_recipient_gives_back_concerns_nobody_else(house: House) -> None:
    alone = paper(ORDER, "O1")
    house.plan(alone)
    house.turn()
    house.desk.step(DocumentKind.RETURN, house.desk.reference("O1"), "否")
    house.turn()

    assert house.desk.returns_asked == house.desk.voided == {}


def test_a_busy_gateway_is_asked_again_to_void(
    house: House,
) -> None:
    house.desk.refuse_to_issue("discard", "Q1", VaultBusy("later"))
    for by in (TREASURY, BANK):
        give_back(house, by, DocumentKind.REJECTION)
    issue_again(house)
    house.turn()
    assert recall(house).state is RecallState.VOIDING
    house.turn()
    assert recall(house).state is RecallState.VOID


def test_a_gateway_that_will_not_void_is_told(house: House) -> None:
    house.desk.refuse_to_issue("discard", "Q1", NotInState("no"))
    for by in (TREASURY, BANK):
        give_back(house, by, DocumentKind.REJECTION)
    issue_again(house)
    house.turn()

    assert recall(house).state is RecallState.KEPT
    assert "NOT_IN_STATE" in told(house)[0]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", ["request_return", "discard"])
def test_a_crash_asks_again_and_voids_once(house: House, at: str, when: str) -> None:
    last = house.desk.reference("Q1")
    house.desk.step(DocumentKind.REJECTION, last, "有误", TREASURY)
    if at == "discard":
        give_back(house, BANK)
        issue_again(house)
    with pytest.raises(Crash):
        house.turn(house.outbox(dying(house.client, at, when)))

    house.turn()

    after = RecallState.WAITING if at == "request_return" else RecallState.VOID
    assert recall(house).state is after


@pytest.mark.clause("hubei-33")
def test_what_was_rejected_is_void_before_its_number_goes_out_again(
    house: House,
) -> None:
    first = paper(ORDER, "O1")
    house.plan(first)
    house.turn()
    house.desk.step(DocumentKind.REJECTION, house.desk.reference("O1"), "否")
    house.turn()
    assert house.desk.voided == {}
    house.desk.refuse_to_issue("discard", "O1", VaultBusy("later"))
    with house.books.writing() as session:
        rejected = session.get_one(OutboxEntry, house.issued(first).id)
        plan_again(session, rejected, first, TODAY)

    house.turn()
    again = replace(first, key=replace(first.key, issue=2))
    assert house.issued_state(again) is OutboxState.PLANNED, "it waits"
    assert not house.outbox().is_at_rest()
    house.turn()

    assert house.desk.voided == {house.issued(first).digest: "否"}
    assert house.issued_state(again) is OutboxState.SENT


@pytest.mark.clause("hubei-32b")
def test_what_is_only_taken_goes_back_if_the_books_can_undo_it(house: House) -> None:
    loose, fast = paper(NOTICE, f"{LOOSE}1"), paper(NOTICE, "N1")
    digests = [house.desk.arrive(one) for one in (loose, fast)]
    house.turn()
    assert {house.state(one) for one in digests} == {InboxState.TAKEN}

    for one in (loose, fast):
        house.desk.tell(DocumentKind.RETURN_REQUEST, one, "有误")
    house.turn()

    assert [house.state(one) for one in digests] == [
        InboxState.RETURNED,
        InboxState.TAKEN,
    ]
    assert [house.standing(one) for one in digests] == [
        Standing.RETURNED,
        Standing.ACCEPTED,
    ]
    assert house.bookings() == ["N1"]
    assert house.desk.explanations[digests[0]] == "应发送方要求退回：有误"
