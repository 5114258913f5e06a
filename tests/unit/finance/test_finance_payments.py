"""From a unit's application to the payment voucher and its receipt."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import InboxState, OutboxState
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.finance.books import Books
from counterfoil.finance.kinds import DIRECT_QUOTA, PAYMENT
from counterfoil.finance.plans import Grant
from counterfoil.office import Voucher
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    BANK,
    HOSPITAL,
    SCHOOL,
    application,
    changed,
    with_row,
)


@pytest.mark.clause("hubei-27.2")
def test_an_application_becomes_a_payment_voucher_to_the_bank_of_the_unit(
    house: House,
) -> None:
    house.allot()

    [digest] = house.run(application("SQ1"))

    assert house.standing(digest) is Standing.ACCEPTED
    [payment] = house.issued(PAYMENT)
    assert payment.recipients == (BANK,)
    assert payment.form.fen("pay_amt_fen") == 350
    assert [
        (row["payee_acct_no"], row["exp_func_code"], row["pay_amt_fen"])
        for row in payment.form.rows
    ] == [("622200001111", "2010101", 100), ("622200001111", "2050202", 250)]
    assert house.state(PAYMENT) is OutboxState.SENT
    assert house.desk.issued.standing(payment.key.number) == "SENT"


def test_every_row_of_a_payment_names_the_application(house: House) -> None:
    house.allot()

    house.run(application("SQ1"))

    [payment] = house.issued(PAYMENT)
    assert {row["voucher_no"] for row in payment.form.rows} == {"SQ1"}
    assert payment.form.text("hold1") == "SQ1"


def test_books_that_were_made_before_go_on_with_their_numbers(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))
    with house.books.writing() as session:
        session.execute(text("DROP TABLE number_series"))
    Books(house.url).close()

    house.run(application("SQ2"))

    numbers = [one.key.number for one in house.issued(PAYMENT)]
    assert numbers == ["ZF2026000001", "ZF2026000002"]


def test_a_payment_is_expenditure_once_its_receipt_agrees(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))
    assert house.totals.expenditure_fen == 0

    house.answered(PAYMENT)

    assert house.state(PAYMENT) is OutboxState.RECEIPTED
    found = house.totals
    assert (found.direct, found.direct_fen) == (1, 350)
    assert (found.expenditure_fen, found.advanced_fen) == (350, 350)


def test_a_receipt_that_comes_twice_is_booked_once(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))

    house.answered(PAYMENT)
    house.answered(PAYMENT)

    assert house.totals.expenditure_fen == 350


def test_a_receipt_of_another_amount_is_no_expenditure(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))

    house.answered(PAYMENT, short_fen=1)

    assert house.state(PAYMENT) is OutboxState.DIFFERS
    assert house.totals.expenditure_fen == 0
    assert house.totals.differs == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (changed(application("SQ1"), agency_code="999"), "预算单位未登记"),
        (
            changed(application("SQ1"), agency_code=HOSPITAL.code),
            "预算单位编码与发送方不符",
        ),
        (
            with_row(application("SQ1"), 1, agency_code=HOSPITAL.code),
            "明细的预算单位与申请单位不符",
        ),
        (changed(application("SQ1"), pay_type_code="12"), "支付方式不是直接支付"),
        (changed(application("SQ1"), pay_amt_fen=351), "金额与明细合计不符"),
        (application("SQ1", (("2010101", 400), ("2050202", -50))), "明细金额应大于零"),
    ],
)
def test_an_application_that_is_wrong_is_rejected_and_nothing_is_paid(
    house: House, wrong: Voucher, reason: str
) -> None:
    house.allot()

    [digest] = house.run(wrong)

    assert house.standing(digest) is Standing.REJECTED
    assert reason in house.reason(digest)
    assert house.issued(PAYMENT) == []


def test_one_fen_over_the_allotment_is_rejected_and_what_is_within_is_paid(
    house: House,
) -> None:
    house.allot()

    over, within = house.run(
        application("SQ1", (("2010101", 501),)),
        application("SQ2", (("2010101", 500),)),
    )

    assert house.standing(over) is Standing.REJECTED
    assert house.reason(over) == (
        "直接支付用款计划不足：单位101001功能科目2010101超出0.01元"
    )
    assert house.standing(within) is Standing.ACCEPTED
    assert [one.form.fen("pay_amt_fen") for one in house.issued(PAYMENT)] == [500]
    assert house.left() == 0


def test_two_applications_of_one_turn_do_not_share_an_allotment(house: House) -> None:
    house.allot()

    first, second = house.run(
        application("SQ1", (("2010101", 300),)),
        application("SQ2", (("2010101", 300),)),
    )

    assert house.standing(first) is Standing.ACCEPTED
    assert house.standing(second) is Standing.RETURNED
    assert "用款计划不足" in house.reason(second)
    assert len(house.issued(PAYMENT)) == 1


def test_an_allotment_of_another_way_or_function_or_unit_pays_nothing(
    house: House,
) -> None:
    authorised = PaymentWay.AUTHORISED
    house.allot(
        Grant(unit=SCHOOL.code, function="2010101", way=authorised, amount_fen=900),
        Grant(unit=SCHOOL.code, function="9", way=PaymentWay.DIRECT, amount_fen=900),
        Grant(
            unit=HOSPITAL.code,
            function="2010101",
            way=PaymentWay.DIRECT,
            amount_fen=900,
        ),
    )

    [digest] = house.run(application("SQ1", (("2010101", 100),)))

    assert house.standing(digest) is Standing.REJECTED


def test_a_unit_has_nothing_of_anothers_under_the_same_top_level_unit(
    house: House,
) -> None:
    house.allot()

    assert house.left(unit=SCHOOL.code) == 500
    assert house.left(unit="101002") == 0
    assert house.left(unit="") == 500


def test_an_application_that_is_read_again_is_ordered_once(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))

    house.run(application("SQ1"))

    assert len(house.issued(PAYMENT)) == 1
    assert house.left() == 400


@pytest.mark.parametrize("kind", [DocumentKind.REJECTION, DocumentKind.RETURN])
def test_what_the_bank_gives_back_goes_back_to_the_unit_with_its_allotment(
    house: House, kind: DocumentKind
) -> None:
    house.allot()
    [digest] = house.run(application("SQ1"))
    assert house.left() == 400

    house.given_back(PAYMENT, kind=kind)

    assert house.standing(digest) is Standing.RETURNED
    assert house.reason(digest) == "代理银行退回：账号不存在"
    assert house.taken(digest) is InboxState.RETURNED
    assert house.left() == 500
    assert house.totals.expenditure_fen == 0


def test_the_quota_notice_of_a_plan_goes_to_the_treasury_for_each_bank_and_way(
    house: House,
) -> None:
    house.allot()
    house.turn()

    [notice] = house.issued(DIRECT_QUOTA)

    assert house.state(DIRECT_QUOTA) is OutboxState.SENT
    assert notice.form.fen("pay_amt_fen") == 1000
    assert [
        (row["sup_dep_code"], row["exp_func_code"], row["pay_amt_fen"])
        for row in notice.form.rows
    ] == [("101", "2010101", 500), ("101", "2050202", 500)]
