"""What came goes from state to state, whatever dies or repeats in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from counterfoil.business import inbox
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import NotInState, SealForged, VaultBusy
from counterfoil.domain.standing import Standing
from counterfoil.office import Form, Receipt, Reference, Voucher
from tests.unit.business.house import (
    APPLICATION,
    BANK,
    MONEY_FEN,
    NOTICE,
    TODAY,
    TREASURY,
    Booked,
    House,
    counted,
    dying,
    paper,
)
from tests.unit.office.dying_desk import Crash

ANSWERING = ["accept", "begin_acting", "end_acting", "issue_receipt"]
WHEN = ["before", "after"]


def test_what_is_good_is_accepted_booked_and_receipted(house: House) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))

    house.turn()

    assert house.standing(digest) is Standing.RECEIPTED
    assert house.state(digest) is InboxState.RECEIPTED
    assert house.entry(digest).day == TODAY
    assert house.bookings() == ["A1"]
    [receipt] = house.desk.receipts
    assert receipt.clearing_application.x_pay_amt_fen == 100
    assert house.told == {"accepted": 1, "booked": 1, "receipted": 1}


def test_what_nobody_answers_is_accepted_and_booked(house: House) -> None:
    digest = house.desk.arrive(paper(NOTICE, "N1"))

    house.turn()

    assert house.standing(digest) is Standing.ACCEPTED
    assert house.state(digest) is InboxState.TAKEN
    assert house.bookings() == ["N1"]


def test_what_is_objected_to_is_rejected_with_the_reason(house: House) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "bad1"))
    good = house.desk.arrive(paper(APPLICATION, "A1"))

    house.turn()

    assert house.standing(digest) is Standing.REJECTED
    assert house.state(digest) is InboxState.REJECTED
    assert house.desk.explanations[digest] == "不受理"
    assert house.state(good) is InboxState.RECEIPTED
    assert house.bookings() == ["A1"]


def test_works_are_told_what_they_will_be_asked_about_in_a_transaction(
    house: House,
) -> None:
    told: list[tuple[str, list[str]]] = []

    class Expecting(Booked):
        def expect(self, session: Session, vouchers: Sequence[Voucher]) -> None:
            assert session.in_transaction()
            told.append(("expect", [one.key.number for one in vouchers]))

        def objections(
            self, session: Session, entry: InboxEntry, voucher: Voucher
        ) -> Iterable[str]:
            told.append(("check", [voucher.key.number]))
            return super().objections(session, entry, voucher)

        def book(
            self, session: Session, entry: InboxEntry, voucher: Voucher
        ) -> Iterable[str]:
            told.append(("book", [voucher.key.number]))
            return super().book(session, entry, voucher)

    works = {NOTICE: Expecting(answers=False), APPLICATION: Booked(answers=True)}
    for number in ("N1", "N2"):
        house.desk.arrive(paper(NOTICE, number))
    house.desk.arrive(paper(APPLICATION, "A1"))

    house.turn(replace(house.inbox(), works=works))

    assert told == [
        ("expect", ["N1", "N2"]),
        ("check", ["N1"]),
        ("check", ["N2"]),
        ("expect", ["N1", "N2"]),
        ("book", ["N1"]),
        ("book", ["N2"]),
    ]


def test_what_the_books_do_not_allow_is_returned_and_not_booked(house: House) -> None:
    over = paper(APPLICATION, "A1", MONEY_FEN + 1)
    digest = house.desk.arrive(over)
    noted = house.desk.arrive(paper(NOTICE, "N1", MONEY_FEN + 1))

    house.turn()

    for one in (digest, noted):
        assert house.standing(one) is Standing.RETURNED
        assert house.state(one) is InboxState.RETURNED
        assert house.desk.explanations[one] == "余额不足"
        assert house.entry(one).day == ""
    assert house.bookings() == []


def test_one_that_is_over_leaves_the_others_of_its_batch(house: House) -> None:
    digests = [
        house.desk.arrive(paper(APPLICATION, number, fen))
        for number, fen in (("A1", 600), ("A2", 600), ("A3", 400))
    ]

    house.turn()

    assert [house.state(one) for one in digests] == [
        InboxState.RECEIPTED,
        InboxState.RETURNED,
        InboxState.RECEIPTED,
    ]


@pytest.mark.parametrize("kind", [APPLICATION, NOTICE])
def test_what_waits_is_taken_when_it_is_due(house: House, kind: int) -> None:
    waiting = house.desk.arrive(paper(kind, "wait1"))
    house.turn()
    assert house.state(waiting) is InboxState.ACCEPTED
    assert house.inbox().is_at_rest()

    house.desk.arrive(paper(NOTICE, "go"))
    house.turn()
    house.turn()

    assert house.bookings() == ["go", "wait1"]


def test_a_system_is_not_at_rest_while_something_is_due(house: House) -> None:
    waiting = house.desk.arrive(paper(APPLICATION, "wait1"))
    house.turn()
    house.desk.arrive(paper(NOTICE, "go"))
    house.desk.refuse(waiting, VaultBusy("later"))

    house.turn()

    assert house.state(waiting) is InboxState.ACCEPTED
    assert not house.inbox().is_at_rest()


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", ANSWERING)
def test_a_voucher_is_booked_once_wherever_the_program_dies(
    house: House, step: str, when: str
) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, step, when)))

    house.desk.again()
    house.turn()

    assert house.standing(digest) is Standing.RECEIPTED
    assert house.state(digest) is InboxState.RECEIPTED
    assert house.bookings() == ["A1"]
    assert house.inbox().is_at_rest()


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("step", ["end_acting", "return_vouchers"])
def test_what_was_not_allowed_stays_so_wherever_the_program_dies(
    house: House, step: str, when: str
) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1", MONEY_FEN + 1))
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, step, when)))

    house.turn()

    assert house.standing(digest) is Standing.RETURNED
    assert house.state(digest) is InboxState.RETURNED
    assert house.bookings() == []


@pytest.mark.parametrize("when", WHEN)
def test_a_rejection_is_made_once_wherever_the_program_dies(
    house: House, when: str
) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "bad1"))
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, "reject", when)))

    house.turn()

    assert house.state(digest) is InboxState.REJECTED


def test_what_was_found_good_is_not_judged_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, "accept", "after")))
    inbox = house.inbox()
    monkeypatch.setattr(
        inbox.works[APPLICATION], "objections", lambda *_: ["今日不受理"]
    )

    inbox.work()

    assert house.state(digest) is InboxState.RECEIPTED


def test_an_act_that_dies_while_it_books_is_done_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    inbox = house.inbox()

    def dies(*_: object) -> None:
        raise Crash

    monkeypatch.setattr(inbox.works[APPLICATION], "book", dies)
    with pytest.raises(Crash):
        house.turn(inbox)
    assert house.state(digest) is InboxState.BEGUN
    assert house.standing(digest) is Standing.ACTING

    house.turn()

    assert house.state(digest) is InboxState.RECEIPTED
    assert house.bookings() == ["A1"]


def test_a_gateway_that_says_begun_already_is_as_good_as_asked(house: House) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, "begin_acting", "after")))
    assert house.standing(digest) is Standing.ACTING
    house.desk.refuse(digest, NotInState("begun", state="ACTING"))

    house.turn()

    assert house.state(digest) is InboxState.RECEIPTED


def test_what_was_begun_is_decided_though_it_is_due_no_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, "begin_acting", "after")))
    inbox = house.inbox()
    inbox.work()
    assert house.state(digest) is InboxState.RECEIPTED

    later = house.desk.arrive(paper(APPLICATION, "A2"))
    due = iter([True])
    monkeypatch.setattr(inbox.works[APPLICATION], "is_due", lambda *_: next(due, False))
    house.turn(inbox)

    assert house.state(later) is InboxState.RECEIPTED


def test_a_busy_gateway_is_asked_again_at_every_step(house: House) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    other = house.desk.arrive(paper(APPLICATION, "A2"))
    for _ in ANSWERING:
        house.desk.refuse(digest, VaultBusy("later"), VaultBusy("later"))

    house.turn()
    assert house.state(digest) is not InboxState.RECEIPTED
    assert house.state(other) is InboxState.RECEIPTED
    assert not house.inbox().is_at_rest()
    for _ in range(2 * len(ANSWERING)):
        house.turn()

    assert house.state(digest) is InboxState.RECEIPTED
    assert house.bookings() == ["A2", "A1"]


def test_a_refusal_that_lasts_stops_one_voucher_and_says_why(house: House) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    other = house.desk.arrive(paper(APPLICATION, "A2"))
    house.desk.refuse(digest, SealForged("no"))

    house.turn()
    house.turn()

    assert house.state(digest) is InboxState.STOPPED
    assert "SEAL_FORGED" in house.entry(digest).note
    assert house.state(other) is InboxState.RECEIPTED
    assert house.bookings() == ["A2"]
    assert house.inbox().is_at_rest()


def test_what_comes_twice_is_booked_once(house: House) -> None:
    digest = house.desk.arrive(paper(APPLICATION, "A1"))
    house.turn()
    house.desk.again()

    house.turn()

    assert house.bookings() == ["A1"]
    assert house.state(digest) is InboxState.RECEIPTED
    assert house.told["accepted"] == 1


def test_a_return_that_is_asked_before_the_act_began_is_made(house: House) -> None:
    asked = paper(APPLICATION, "wait1")
    digest = house.desk.arrive(asked)
    house.turn()
    house.desk.tell(DocumentKind.RETURN_REQUEST, asked, "填错了")
    house.desk.arrive(paper(NOTICE, "go"))

    house.turn()

    assert house.standing(digest) is Standing.RETURNED
    assert house.state(digest) is InboxState.RETURNED
    assert house.desk.explanations[digest] == "应发送方要求退回：填错了"
    assert house.bookings() == ["go"]


def test_a_return_that_is_asked_together_with_the_voucher_is_made(
    house: House,
) -> None:
    asked = paper(APPLICATION, "A1")
    digest = house.desk.arrive(asked)
    house.desk.tell(DocumentKind.RETURN_REQUEST, asked, "填错了")

    house.turn()

    assert house.state(digest) is InboxState.RETURNED
    assert house.bookings() == []


def test_a_return_that_is_asked_after_the_act_began_changes_nothing(
    house: House,
) -> None:
    asked = paper(APPLICATION, "A1")
    digest = house.desk.arrive(asked)
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, "begin_acting", "after")))
    house.turn(house.inbox())
    house.desk.tell(DocumentKind.RETURN_REQUEST, asked, "太迟了")

    house.turn()

    assert house.state(digest) is InboxState.RECEIPTED
    assert house.bookings() == ["A1"]


def test_a_withdrawn_voucher_is_void(house: House) -> None:
    asked = paper(APPLICATION, "wait1")
    digest = house.desk.arrive(asked)
    house.turn()
    house.desk.tell(DocumentKind.DISCARD, asked, "作废")
    house.desk.arrive(paper(NOTICE, "go"))

    house.turn()

    assert house.state(digest) is InboxState.VOID
    assert house.bookings() == ["go"]


def test_a_withdrawal_that_overtakes_our_own_news_of_the_return_is_heard(
    house: House,
) -> None:
    asked = paper(APPLICATION, "A1", MONEY_FEN + 1)
    digest = house.desk.arrive(asked)
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, "return_vouchers", "after")))
    assert house.state(digest) is InboxState.UNDONE
    house.desk.standings[digest] = Standing.DISCARDED
    house.desk.tell(DocumentKind.DISCARD, asked, "作废")

    house.turn()

    assert house.state(digest) is InboxState.VOID


def test_a_withdrawal_after_the_booking_changes_nothing(house: House) -> None:
    asked = paper(APPLICATION, "A1")
    digest = house.desk.arrive(asked)
    house.turn()
    house.desk.tell(DocumentKind.DISCARD, asked, "作废")

    house.turn()

    assert house.state(digest) is InboxState.RECEIPTED


def copy_arrives(house: House, *, whole: bool = True) -> None:
    original = paper(APPLICATION, "C1")
    form = Form({"x_pay_amt_fen": 100, "x_clear_date": TODAY})
    receipt = Receipt(
        voucher=Reference(original.key, b"\1" * 32), by=TREASURY, form=form
    )
    house.desk.receipt(receipt, original if whole else None)


def test_a_copy_is_booked_once_though_it_comes_twice(house: House) -> None:
    copy_arrives(house)
    house.turn()
    house.desk.again()

    house.turn()

    assert house.bookings() == ["copy C1"]
    assert house.desk.acknowledged


def test_a_copy_is_booked_once_though_the_program_dies(house: House) -> None:
    copy_arrives(house)
    with pytest.raises(Crash):
        house.turn(house.inbox(dying(house.client, "acknowledge", "before")))

    house.turn()

    assert house.bookings() == ["copy C1"]


def test_a_copy_without_its_original_is_not_booked(house: House) -> None:
    copy_arrives(house, whole=False)

    house.turn()

    assert house.bookings() == []


def test_only_vouchers_of_others_and_of_our_kinds_are_wanted(house: House) -> None:
    ours = house.desk.arrive(paper(APPLICATION, "A1", issuer="420000-011"))
    unknown = house.desk.arrive(paper(3401, "B1", issuer=TREASURY))

    house.turn()

    assert house.standing(ours) is Standing.ARRIVED
    assert house.standing(unknown) is Standing.ARRIVED
    assert house.desk.acknowledged == []


def test_a_voucher_is_known_once_it_is_written_down(house: House) -> None:
    house.desk.arrive(paper(APPLICATION, "A1", issuer=BANK))
    inbox = house.inbox()
    [[arrival]] = house.client.read()
    assert not inbox.knows(arrival)

    inbox.take([arrival])

    assert inbox.knows(arrival)


def test_what_comes_together_takes_no_more_transactions_than_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "BATCH", 4)
    with counted("commit") as for_one:
        house.desk.arrive(paper(NOTICE, "N1"))
        house.turn()

    with counted("commit") as for_four:
        for number in range(2, 6):
            house.desk.arrive(paper(NOTICE, f"N{number}"))
        house.turn()

    assert house.bookings() == ["N1", "N2", "N3", "N4", "N5"]
    assert for_four == for_one != []


def test_what_is_more_than_one_transaction_takes_is_done_in_several(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "BATCH", 2)
    for number in range(1, 6):
        house.desk.arrive(paper(APPLICATION, f"A{number}"))

    house.turn()

    assert house.bookings() == ["A1", "A2", "A3", "A4", "A5"]
    assert house.told == {"accepted": 5, "booked": 5, "receipted": 5}
    assert len(house.desk.receipts) == 5
