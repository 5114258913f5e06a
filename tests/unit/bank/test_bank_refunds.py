"""Money that came back is confirmed, given back, told; never more than was paid."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from counterfoil.bank.journal import Payment
from counterfoil.bank.kinds import (
    AUTHORISED_REFUND,
    DIRECT_REFUND,
    ENTRY_NOTICE,
    REFUND_APPLICATION,
    REFUND_MATCH,
)
from counterfoil.bank.refunds import Match, NotRefundable, came_back, match_again
from counterfoil.bank.simulator import invent_refunds
from counterfoil.bank.tables import Refund, RefundState
from counterfoil.business.tables import OutboxState
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import FormRefused
from tests.unit.bank.bank_house import DAY, BankHouse
from tests.unit.bank.papers import (
    FINANCE,
    FINANCE_ACCOUNT,
    OFFICE,
    TREASURY,
    UNIT,
    UNIT_ACCOUNT,
    authorised_payment,
    direct_payment,
    special_payment,
)

ASKED, APPLIED = "TP00000001-1", "TH202603011021101"
CONFIRMED = {"x_check_result": "0"}
NOT_OURS: dict[str, str | int] = {
    "x_check_result": "1",
    "x_check_reason": "不是本单位的付款",
}


@pytest.fixture
def paid(house: BankHouse) -> BankHouse:
    """Return a bank that has paid D1 and had it cleared."""
    house.pay(direct_payment("D1"))
    house.apply()
    house.turn()
    house.clear("SQ202603011101")
    return house


def confirm(house: BankHouse, number: str = ASKED) -> None:
    house.answer(number, dict(CONFIRMED), by=FINANCE)


def test_the_payer_is_asked_whether_it_is_its_payments(paid: BankHouse) -> None:
    refund = paid.refund("D1", "D1-0", 40)

    notice = paid.issued(ASKED)
    assert notice.recipients == (FINANCE,)
    form = notice.form
    assert (form.text("ori_vt_code"), form.text("ori_voucher_no")) == ("5201", "D1")
    assert (form.fen("pay_amt_fen"), form.text("refund_type")) == (-40, "1")
    [row] = form.rows
    assert (row["ori_vou_detail_no"], row["pay_amt_fen"]) == ("D1-0", -40)
    assert paid.refund_state(refund) is RefundState.MATCHED
    assert paid.applied(REFUND_APPLICATION) == [], "nothing before it is confirmed"


def test_a_unit_is_asked_about_its_own_payment(house: BankHouse) -> None:
    house.pay(authorised_payment("U1"))

    house.refund("U1", "U1-1", 250)

    assert house.issued(ASKED).recipients == (UNIT,)


def test_what_is_confirmed_goes_back_to_the_treasury_and_is_told(
    paid: BankHouse,
) -> None:
    refund = paid.refund("D1", "D1-0", 40)
    confirm(paid)

    application = paid.issued(APPLIED)
    assert application.recipients == (TREASURY,)
    assert application.form.fen("pay_amt_fen") == -40
    [row] = application.form.rows
    assert (row["voucher_no"], row["ori_voucher_no"]) == ("D1", "D1")
    assert (row["ori_vou_detail_no"], row["hold1"]) == ("D1-0", refund.number)
    assert paid.balance_fen(FINANCE_ACCOUNT) == 40, "it is with us, and not ours"
    assert paid.applied(DIRECT_REFUND) == []

    paid.clear(APPLIED)

    assert paid.refund_state(refund) is RefundState.REFUNDED
    assert paid.balance_fen(FINANCE_ACCOUNT) == 0
    assert (paid.totals().refunded, paid.totals().refunded_fen) == (1, 40)
    told = paid.issued(refund.number)
    assert (told.key.type_code, told.recipients) == (DIRECT_REFUND, (FINANCE,))
    entry = paid.issued(f"RZ{refund.number}")
    assert (entry.key.type_code, entry.recipients) == (ENTRY_NOTICE, (UNIT,))
    assert entry.form.fen("pay_amt_fen") == told.form.fen("pay_amt_fen") == -40
    assert {
        paid.issued_state(one) for one in (refund.number, f"RZ{refund.number}")
    } == {OutboxState.SENT}


def test_a_units_refund_is_told_to_the_unit(house: BankHouse) -> None:
    house.pay(authorised_payment("U1"))
    house.apply()
    house.turn()
    house.clear("SQ202603011201")
    refund = house.refund("U1", "U1-1", 250)
    house.answer(ASKED, dict(CONFIRMED), by=UNIT)
    house.clear("TH202603011021201")

    told = house.issued(refund.number)
    assert (told.key.type_code, told.recipients) == (AUTHORISED_REFUND, (UNIT,))
    assert house.issued(f"RZ{refund.number}").recipients == (UNIT,)
    assert house.balance_fen(UNIT_ACCOUNT) == 0


def test_a_refund_of_what_is_not_cleared_yet_waits_for_its_clearing(
    house: BankHouse,
) -> None:
    house.pay(direct_payment("D1"))
    refund = house.refund("D1", "D1-0", 100)
    confirm(house)
    assert house.refund_state(refund) is RefundState.CONFIRMED
    assert house.applied(REFUND_APPLICATION) == []

    house.apply()
    house.turn()
    # The application is for the whole payment: only what was paid can come back.
    assert house.issued("SQ202603011101").form.fen("pay_amt_fen") == 350
    house.clear("SQ202603011101")

    assert house.applied(REFUND_APPLICATION) == [APPLIED]
    house.clear(APPLIED)
    assert house.refund_state(refund) is RefundState.REFUNDED
    assert house.balance_fen(FINANCE_ACCOUNT) == 0


@pytest.mark.parametrize(
    ("match", "fen", "why"),
    [
        (Match(number="D1", row_id="D1-0"), 101, "超过"),
        (Match(number="D1", row_id="D1-0"), 0, "大于零"),
        (Match(number="D1", row_id="D1-0"), -1, "大于零"),
        (Match(number="D1", row_id="D1-9"), 1, "无明细D1-9"),
        (Match(number="D9", row_id="D9-0"), 1, "无已支付"),
        (Match(number="D1", row_id="D1-0", type_code=8202), 1, "无已支付"),
        (Match(number="Z1", row_id="Z1-0"), 1, "无已支付"),
        (Match(number="B1", row_id="B1-0"), 1, "无已支付"),
    ],
)
def test_what_cannot_be_a_refund_of_a_row_is_refused(
    paid: BankHouse, match: Match, fen: int, why: str
) -> None:
    paid.pay(special_payment("Z1"), direct_payment("B1", pay_amt_fen=1))

    with (
        pytest.raises(NotRefundable, match=why),
        paid.journal.writing() as session,
    ):
        came_back(session, OFFICE, match, (fen, "账号有误"), DAY)

    assert paid.applied(REFUND_MATCH) == []


@pytest.mark.parametrize("reason", ["", "长" * 128])
def test_a_refund_has_a_reason_that_the_notice_has_room_for(
    paid: BankHouse, reason: str
) -> None:
    match = Match(number="D1", row_id="D1-0")
    with pytest.raises(NotRefundable, match="原因"), paid.journal.writing() as session:
        came_back(session, OFFICE, match, (1, reason), DAY)


def test_a_number_of_two_payments_wants_the_kind(house: BankHouse) -> None:
    house.pay(direct_payment("A1"), authorised_payment("A1"))
    with pytest.raises(NotRefundable, match="不唯一"):
        house.refund("A1", "A1-0", 1)

    with house.journal.writing() as session:
        match = Match(number="A1", row_id="A1-0", type_code=8202)
        came_back(session, OFFICE, match, (1, "账号有误"), DAY)
    assert house.issued(ASKED).recipients == (UNIT,)


def test_parts_that_are_under_way_count_against_the_row(paid: BankHouse) -> None:
    paid.refund("D1", "D1-0", 60)

    with pytest.raises(NotRefundable, match="超过"):
        paid.refund("D1", "D1-0", 41)
    paid.refund("D1", "D1-0", 40)
    paid.refund("D1", "D1-1", 250)

    for number in (ASKED, "TP00000002-1", "TP00000003-1"):
        confirm(paid, number)
    for number in paid.applied(REFUND_APPLICATION):
        paid.clear(number)
    assert paid.totals().refunded_fen == paid.totals().paid_fen == 350
    with pytest.raises(NotRefundable, match="超过"):
        paid.refund("D1", "D1-0", 1)


def test_what_is_not_the_payers_stays_unmatched_and_is_matched_again(
    paid: BankHouse,
) -> None:
    paid.pay(direct_payment("D2"))
    refund = paid.refund("D1", "D1-0", 100)

    paid.answer(ASKED, NOT_OURS, by=FINANCE)

    assert paid.refund_state(refund) is RefundState.UNMATCHED
    assert paid.applied(REFUND_APPLICATION) == []
    assert paid.balance_fen(FINANCE_ACCOUNT) == -350, "as before: D2 is not cleared"
    paid.refund("D1", "D1-0", 100)  # the row is free again
    with paid.journal.writing() as session:
        match = Match(number="D2", row_id="D2-0")
        match_again(session, OFFICE, refund.number, match, DAY)
    paid.turn()
    assert paid.issued("TP00000001-2").form.text("ori_voucher_no") == "D2"
    confirm(paid, "TP00000001-2")
    assert paid.refund_state(refund) is RefundState.CONFIRMED


@pytest.mark.parametrize("number", ["TK00000001", "TK00000009"])
def test_only_what_is_unmatched_is_matched_again(paid: BankHouse, number: str) -> None:
    paid.refund("D1", "D1-0", 10)

    match = Match(number="D1", row_id="D1-1")
    with pytest.raises(NotRefundable, match=number), paid.journal.writing() as session:
        match_again(session, OFFICE, number, match, DAY)


def test_matched_again_it_must_find_room_there_too(paid: BankHouse) -> None:
    refund = paid.refund("D1", "D1-1", 250)
    paid.answer(ASKED, NOT_OURS, by=FINANCE)

    match = Match(number="D1", row_id="D1-0")
    with pytest.raises(NotRefundable, match="超过"), paid.journal.writing() as session:
        match_again(session, OFFICE, refund.number, match, DAY)


def test_a_question_that_is_rejected_is_no_confirmation(paid: BankHouse) -> None:
    refund = paid.refund("D1", "D1-0", 10)

    paid.give_back(ASKED, "不受理", DocumentKind.REJECTION)

    assert paid.refund_state(refund) is RefundState.UNMATCHED


def test_what_the_treasury_returns_is_held_until_it_is_asked_for(
    paid: BankHouse,
) -> None:
    refund = paid.refund("D1", "D1-0", 10)
    confirm(paid)

    paid.give_back(APPLIED, "账号有误")
    paid.turn()

    assert paid.refund_state(refund) is RefundState.HELD
    assert paid.applied(REFUND_APPLICATION) == [APPLIED]
    paid.refund("D1", "D1-1", 7)
    confirm(paid, "TP00000002-1")
    assert paid.issued("TH202603011021102").form.fen("pay_amt_fen") == -7, "it alone"
    paid.apply()
    paid.apply()
    again = "TH202603011021103"
    assert paid.applied(REFUND_APPLICATION) == [APPLIED, "TH202603011021102", again]
    paid.turn()
    paid.clear(again)
    assert paid.totals().refunded_fen == 10


def test_what_our_own_gateway_refused_is_free_again(paid: BankHouse) -> None:
    paid.desk.refuse_to_issue("submit", ASKED, FormRefused("wrong"))
    paid.desk.refuse_to_issue("write", APPLIED, FormRefused("wrong"))
    first = paid.refund("D1", "D1-0", 10)
    second = paid.refund("D1", "D1-1", 10)
    confirm(paid, "TP00000002-1")

    paid.apply()
    paid.turn()

    assert paid.refund_state(first) is RefundState.UNMATCHED
    assert paid.refund_state(second) is RefundState.APPLIED
    assert paid.applied(REFUND_APPLICATION) == [APPLIED, "TH202603011021102"]


def test_answers_that_come_twice_are_booked_once(paid: BankHouse) -> None:
    refund = paid.refund("D1", "D1-0", 10)
    confirm(paid)
    paid.desk.again()
    paid.turn()
    paid.clear(APPLIED)
    paid.desk.again()
    paid.turn()

    assert paid.totals().refunded_fen == 10
    assert paid.applied(REFUND_APPLICATION) == [APPLIED]
    assert paid.applied(DIRECT_REFUND) == [refund.number]
    assert paid.balance_fen(FINANCE_ACCOUNT) == 0


def test_a_receipt_of_another_amount_refunds_nothing(paid: BankHouse) -> None:
    refund = paid.refund("D1", "D1-0", 10)
    confirm(paid)

    paid.clear(APPLIED, fen=-9)

    assert paid.refund_state(refund) is RefundState.APPLIED
    assert paid.applied(DIRECT_REFUND) == []


def test_invented_refunds_follow_from_the_seed_and_fit_what_was_paid(
    house: BankHouse,
) -> None:
    house.pay(*(direct_payment(f"D{n}") for n in range(5)))
    house.pay(authorised_payment("U1"))

    with house.journal.writing() as session:
        assert invent_refunds(session, OFFICE, 4, 7, DAY) == 4
        first = [(one.payment, one.row_id, one.amount_fen) for one in _all(session)]
        session.rollback()
    with house.journal.writing() as session:
        assert invent_refunds(session, OFFICE, 4, 7, DAY) == 4
        assert [
            (one.payment, one.row_id, one.amount_fen) for one in _all(session)
        ] == first
        assert invent_refunds(session, OFFICE, 99, 7, DAY) <= 6


def test_for_a_refund_no_more_than_a_few_payments_are_read(house: BankHouse) -> None:
    house.pay(*(direct_payment(f"D{place}") for place in range(40)))
    read: list[Payment] = []

    def note(payment: Payment, _context: object) -> None:
        read.append(payment)

    event.listen(Payment, "load", note)
    try:
        with house.journal.writing() as session:
            assert invent_refunds(session, OFFICE, 2, 7, DAY) == 2
    finally:
        event.remove(Payment, "load", note)

    assert 2 <= len(read) <= 16


def _all(session: Session) -> list[Refund]:
    return list(session.scalars(select(Refund).order_by(Refund.id)))
