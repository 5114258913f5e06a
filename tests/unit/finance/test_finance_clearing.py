"""From a bank's application to the clearing order, its receipt, and refunds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import InboxState, OutboxState
from counterfoil.business.turns import give_out
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.finance import claims
from counterfoil.finance.kinds import CLEARING_LIST, CLEARING_ORDER, PAYMENT
from counterfoil.finance.plans import Grant
from counterfoil.office import Voucher
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    OTHER_BANK,
    OTHER_NO,
    SCHOOL,
    TREASURY,
    ClearedLine,
    application,
    changed,
    clearing,
    refund,
    with_row,
)

PAID = "ZF2026000001"
ROWS: tuple[ClearedLine, ...] = (
    (PAID, "101", "2010101", 100),
    (PAID, "101", "2050202", 250),
)


def of_another_division(voucher: Voucher) -> Voucher:
    return replace(voucher, key=replace(voucher.key, adm_div="420100"))


@pytest.fixture
def paying(house: House) -> House:
    """Return finance after one direct payment, receipted by the bank."""
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    return house


def allot_authorised(house: House, fen: int = 500) -> None:
    way = PaymentWay.AUTHORISED
    house.allot(Grant(unit=SCHOOL.code, function="2010101", way=way, amount_fen=fen))


@pytest.mark.clause("hubei-27.4")
def test_a_bank_that_asks_for_what_it_paid_gets_an_order_that_says_the_same(
    paying: House,
) -> None:
    asked = clearing("SQ2026030111", ROWS)

    [digest] = paying.run(asked)

    assert paying.standing(digest) is Standing.ACCEPTED
    [order] = paying.issued(CLEARING_ORDER)
    form = order.form
    assert order.recipients == (TREASURY,)
    assert (form.text("ori_vt_code"), form.text("ori_voucher_no")) == (
        "2301",
        "SQ2026030111",
    )
    for name in ("pay_bank_no", "agent_acct_no", "clear_acct_no", "pay_amt_fen"):
        assert form.fields[name] == asked.form.fields[name]
    assert form.rows == asked.form.rows
    assert paying.state(CLEARING_ORDER) is OutboxState.SENT


def test_the_receipt_of_a_clearing_order_moves_money_and_no_expenditure(
    paying: House,
) -> None:
    paying.run(clearing("SQ2", ROWS))

    paying.answered(CLEARING_ORDER)

    found = paying.totals
    assert (found.balance_fen, found.advanced_fen) == (100_000 - 350, 0)
    assert (found.expenditure_fen, found.cleared_fen) == (350, 350)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            clearing("SQ2", (("ZF9", "101", "2010101", 100),)),
            "支付凭证ZF9不是本财政下达并已支付的凭证",
        ),
        (
            with_row(
                changed(clearing("SQ2", ROWS), pay_amt_fen=351), 0, pay_amt_fen=101
            ),
            f"支付凭证{PAID}申请金额3.51元与回单3.50元不符",
        ),
        (clearing("SQ2", ROWS[:1]), f"支付凭证{PAID}申请金额1.00元与回单3.50元不符"),
        (
            with_row(clearing("SQ2", ROWS), 0, sup_dep_code="102"),
            f"支付凭证{PAID}的单位或功能科目与回单不符",
        ),
        (
            with_row(clearing("SQ2", ROWS), 0, exp_func_code="9"),
            f"支付凭证{PAID}的单位或功能科目与回单不符",
        ),
        (with_row(clearing("SQ2", ROWS), 0, voucher_no=""), "明细未注明支付凭证号"),
        (changed(clearing("SQ2", ROWS), pay_bank_no="1"), "代理银行行号未登记"),
        (
            changed(clearing("SQ2", ROWS), pay_bank_no=OTHER_NO),
            "代理银行行号与发送方不符",
        ),
        (changed(clearing("SQ2", ROWS), pay_type_code=""), "支付方式编码缺失"),
        (of_another_division(clearing("SQ2", ROWS)), "行政区划与本财政不符"),
        (changed(clearing("SQ2", ROWS), clear_acct_no="1"), "不是国库单一账户"),
        (changed(clearing("SQ2", ROWS), pay_amt_fen=1), "金额与明细合计不符"),
        (
            clearing("SQ2", ROWS, issuer=OTHER_BANK, bank_no=OTHER_NO),
            f"支付凭证{PAID}不是本财政下达并已支付的凭证",
        ),
    ],
)
def test_what_does_not_equal_our_own_orders_is_rejected_and_not_ordered(
    paying: House, wrong: Voucher, reason: str
) -> None:
    [digest] = paying.run(wrong)

    assert paying.standing(digest) is Standing.REJECTED
    assert reason in paying.reason(digest)
    assert paying.issued(CLEARING_ORDER) == []


def test_many_payments_are_compared_in_parts(
    paying: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CHUNK", 1)
    paying.run(application("SQ1-2", (("2010101", 7),)))
    paying.answered(PAYMENT, 1)
    more: ClearedLine = ("ZF2026000002", "101", "2010101", 7)

    wrong, good = paying.run(
        clearing("SQ2", (*ROWS, more, ("ZF9", "101", "2010101", 1))),
        clearing("SQ3", (*ROWS, more)),
    )

    assert paying.reason(wrong) == "支付凭证ZF9不是本财政下达并已支付的凭证"
    assert paying.standing(good) is Standing.ACCEPTED


def test_a_payment_is_applied_for_once(paying: House) -> None:
    paying.run(clearing("SQ2", ROWS))

    [second] = paying.run(clearing("SQ3", ROWS))

    assert paying.standing(second) is Standing.REJECTED
    assert paying.reason(second) == f"支付凭证{PAID}已申请清算"
    assert len(paying.issued(CLEARING_ORDER)) == 1


def test_two_applications_of_one_turn_do_not_get_the_same_payment(
    paying: House,
) -> None:
    first, second = paying.run(clearing("SQ2", ROWS), clearing("SQ3", ROWS))

    assert paying.standing(first) is Standing.ACCEPTED
    assert paying.standing(second) is Standing.RETURNED
    assert len(paying.issued(CLEARING_ORDER)) == 1


def test_an_application_waits_for_the_receipt_of_a_payment(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))

    [digest] = house.run(clearing("SQ2", ROWS))

    assert house.taken(digest) is InboxState.ACCEPTED
    assert house.issued(CLEARING_ORDER) == []
    house.answered(PAYMENT)
    assert len(house.issued(CLEARING_ORDER)) == 1


def test_an_application_for_a_payment_whose_receipt_differs_is_returned(
    house: House,
) -> None:
    house.allot()
    house.run(application("SQ1"))
    [digest] = house.run(clearing("SQ2", ROWS))

    house.answered(PAYMENT, short_fen=1)

    assert house.standing(digest) is Standing.RETURNED
    assert house.issued(CLEARING_ORDER) == []


def test_what_the_treasury_returns_may_be_applied_for_again(paying: House) -> None:
    paying.run(clearing("SQ2", ROWS))
    paying.given_back(CLEARING_ORDER, explanation="直接支付额度不足")

    [again] = paying.run(clearing("SQ3", ROWS))

    assert paying.standing(again) is Standing.ACCEPTED
    first, second = paying.issued(CLEARING_ORDER)
    assert (first.key.number, second.key.number) == ("QS2026000001", "QS2026000002")


@pytest.mark.clause("hubei-33")
def test_an_order_that_comes_back_takes_its_application_back_to_the_bank(
    paying: House,
) -> None:
    [digest] = paying.run(clearing("SQ2026030111", ROWS))

    paying.given_back(
        CLEARING_ORDER, kind=DocumentKind.REJECTION, explanation="凭证号重复"
    )

    assert paying.standing(digest) is Standing.RETURNED
    assert paying.reason(digest) == "国库退回清算凭证：凭证号重复"


@pytest.mark.clause("hubei-32b")
def test_an_application_goes_back_when_it_is_asked_for_unless_its_order_is_out(
    paying: House,
) -> None:
    first, second = clearing("SQ2026030111", ROWS), clearing("SQ2026030112", ROWS)
    [digest] = paying.run(first)
    paying.desk.tell(DocumentKind.RETURN_REQUEST, first, "国库已退回")
    paying.turn()
    assert paying.taken(digest) is InboxState.TAKEN, "the treasury answers the order"
    paying.given_back(CLEARING_ORDER)

    # Only the inbox works now: the order of this one is planned and does not go out.
    inbox = paying.takers()[1]
    other = paying.desk.arrive(second)
    for arrivals in paying.client.read():
        give_out(arrivals, [inbox])
    inbox.work()
    assert paying.taken(other) is InboxState.TAKEN
    paying.desk.tell(DocumentKind.RETURN_REQUEST, second, "国库已退回")
    for arrivals in paying.client.read():
        give_out(arrivals, [inbox])
    inbox.work()

    assert paying.standing(other) is Standing.RETURNED
    assert paying.state(CLEARING_ORDER, 1) is OutboxState.WITHDRAWN
    paying.run(clearing("SQ2026030113", ROWS))
    assert paying.state(CLEARING_ORDER, 2) is OutboxState.SENT


def test_authorised_payments_are_expenditure_when_they_are_cleared(
    house: House,
) -> None:
    allot_authorised(house)
    house.run(clearing("SQ2", (("SQ82-1", "101", "2010101", 200),), way="12"))
    assert house.left(way=PaymentWay.AUTHORISED, unit="") == 300
    assert house.totals.expenditure_fen == 0

    house.answered(CLEARING_ORDER)

    found = house.totals
    assert (found.expenditure_fen, found.cleared_authorised_fen) == (200, 200)
    assert found.balance_fen == 100_000 - 200


def test_authorised_payments_beyond_the_allotment_are_not_ordered(
    house: House,
) -> None:
    allot_authorised(house)

    over, within = house.run(
        clearing("SQ2", (("A1", "101", "2010101", 501),), way="12"),
        clearing("SQ3", (("A2", "101", "2010101", 500),), way="12"),
    )

    assert house.standing(over) is Standing.REJECTED
    assert "授权支付用款计划不足" in house.reason(over)
    assert house.standing(within) is Standing.ACCEPTED


def test_an_authorised_payment_is_applied_for_once(house: House) -> None:
    allot_authorised(house)
    rows = (("A1", "101", "2010101", 100),)
    house.run(clearing("SQ2", rows, way="12"))

    [second] = house.run(clearing("SQ3", rows, way="12"))

    assert house.reason(second) == "支付凭证A1已申请清算"


def test_what_the_treasury_returns_gives_an_authorised_allotment_back(
    house: House,
) -> None:
    allot_authorised(house)
    house.run(clearing("SQ2", (("A1", "101", "2010101", 100),), way="12"))

    house.given_back(CLEARING_ORDER)

    assert house.left(way=PaymentWay.AUTHORISED, unit="") == 500


@pytest.mark.clause("hubei-27.5")
def test_the_copy_of_a_refunds_receipt_is_negative_expenditure(paying: House) -> None:
    back = refund("TK1", ((PAID, "101", "2010101", -40),))

    paying.copied(back)

    found = paying.totals
    assert (found.expenditure_fen, found.refunded, found.refunded_fen) == (310, 1, 40)
    assert found.balance_fen == 100_000 + 40
    assert paying.left() == 440


def test_a_copy_that_comes_twice_is_booked_once(paying: House) -> None:
    back = refund("TK1", ((PAID, "101", "2010101", -40),))

    paying.copied(back)
    paying.copied(back)

    assert paying.totals.expenditure_fen == 310
    assert paying.left() == 440


def test_another_receipt_of_the_same_refund_is_not_booked_again(
    paying: House,
) -> None:
    back = refund("TK1", ((PAID, "101", "2010101", -40),))

    paying.copied(back)
    paying.copied(back, day="20260302")

    assert paying.totals.expenditure_fen == 310
    assert paying.left() == 440


def test_a_copy_that_differs_from_its_original_is_not_booked(paying: House) -> None:
    paying.copied(refund("TK1", ((PAID, "101", "2010101", -40),)), short_fen=1)

    found = paying.totals
    assert (found.expenditure_fen, found.refunded, found.differs) == (350, 0, 1)
    assert paying.left() == 400


def test_an_authorised_refund_gives_the_allotment_of_its_way_back(
    house: House,
) -> None:
    allot_authorised(house)
    house.run(clearing("SQ2", (("A1", "101", "2010101", 100),), way="12"))
    house.answered(CLEARING_ORDER)

    house.copied(refund("TK1", (("A1", "101", "2010101", -100),), way="12"))

    assert house.left(way=PaymentWay.AUTHORISED, unit="") == 500
    assert house.totals.expenditure_fen == 0


def test_the_copy_of_an_applications_receipt_books_nothing_a_second_time(
    paying: House,
) -> None:
    asked = clearing("SQ2", ROWS)
    paying.run(asked)
    paying.answered(CLEARING_ORDER)

    paying.copied(asked)

    found = paying.totals
    assert (found.cleared_fen, found.balance_fen) == (350, 100_000 - 350)
    assert found.differs == 0


def test_a_copy_that_says_another_amount_than_the_application_is_found(
    paying: House,
) -> None:
    asked = clearing("SQ2", ROWS)
    paying.run(asked)

    paying.copied(asked, short_fen=1)

    assert paying.totals.differs == 1


def test_what_follows_on_a_voucher_of_last_year_is_of_last_year(house: House) -> None:
    """The treasury pairs order and application within one fiscal year."""
    house.now = house.now.replace(month=12, day=31)
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    house.now += timedelta(days=1)

    house.run(clearing("SQ2", ROWS))
    house.answered(CLEARING_ORDER)
    house.now += timedelta(days=1)
    house.turn()

    [order], [listing] = house.issued(CLEARING_ORDER), house.issued(CLEARING_LIST)
    assert (order.key.fiscal_year, order.form.text("st_year")) == (2026, "2026")
    assert order.form.text("vou_date") == "20270101"
    assert (listing.key.number, listing.key.fiscal_year) == ("QD20270101", 2026)


def test_expenditure_is_what_was_paid_and_cleared_less_what_came_back(
    paying: House,
) -> None:
    allot_authorised(paying)
    paying.run(clearing("SQ3", (("A1", "101", "2010101", 200),), way="12"))
    paying.answered(CLEARING_ORDER)
    paying.copied(refund("TK1", ((PAID, "101", "2010101", -40),)))

    found = paying.totals

    assert found.expenditure_fen == (
        found.direct_fen
        + found.appropriated_fen
        + found.cleared_authorised_fen
        - found.refunded_fen
    )
    assert found.expenditure_fen == 350 + 200 - 40
