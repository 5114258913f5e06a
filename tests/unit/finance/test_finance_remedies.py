"""Errors in what finance issued: withdrawn, made again, corrected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.business.tables import OutboxState
from counterfoil.business.turns import give_out
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.finance import orders, remedies
from counterfoil.finance.kinds import (
    APPROPRIATION,
    APPROPRIATION_LIST,
    DIRECT_QUOTA,
    PAYMENT,
    SPECIAL_PAYMENT,
)
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import BANK, OFFICE, application
from tests.unit.finance.test_finance_orders import ORDER


def issue_again(
    house: House, number: str, corrected: orders.Order | None = None
) -> None:
    with house.books.writing() as session:
        remedies.issue_again(session, OFFICE, number, corrected)
    house.turn()


def correct(house: House, number: str) -> None:
    with house.books.writing() as session:
        remedies.correct(session, OFFICE, number, house.day)
    house.turn()


@pytest.mark.clause("hubei-33")
def test_what_came_back_is_made_again_corrected_and_names_the_one_before(
    house: House,
) -> None:
    house.order(APPROPRIATION, ORDER)
    house.given_back(APPROPRIATION)

    issue_again(house, "SBBK1", replace(ORDER, payee_account="622200002222"))

    first, second = house.issued(APPROPRIATION)
    assert (second.key.number, second.key.issue) == ("SBBK1", 2)
    assert second.replaces == house.entries(APPROPRIATION)[0].digest
    assert second.form.text("payee_acct_no") == "622200002222"
    assert first.form.text("payee_acct_no") == "622200001111"
    assert house.state(APPROPRIATION, 1) is OutboxState.SENT
    house.answered(APPROPRIATION, 1)
    assert house.totals.appropriated_fen == 900


def test_what_is_under_way_is_not_made_again(house: House) -> None:
    house.order(APPROPRIATION, ORDER)

    with pytest.raises(ValueError, match="not given back"):
        issue_again(house, "SBBK1")


def test_a_correction_under_another_number_is_no_correction(house: House) -> None:
    house.order(APPROPRIATION, ORDER)
    house.given_back(APPROPRIATION)

    with pytest.raises(ValueError, match="不是凭证SBBK1"):
        issue_again(house, "SBBK1", replace(ORDER, number="BK2"))


def test_only_an_order_has_a_corrected_order(house: House) -> None:
    house.allot()
    house.turn()
    house.given_back(DIRECT_QUOTA)
    house.given_back(DIRECT_QUOTA, by=BANK)

    with pytest.raises(ValueError, match="不是拨款凭证"):
        issue_again(house, "ZE2026000001", ORDER)
    issue_again(house, "ZE2026000001")

    assert house.state(DIRECT_QUOTA, 1) is OutboxState.SENT


@pytest.mark.clause("hubei-33")
def test_a_quota_notice_is_made_again_only_when_nobody_holds_it(house: House) -> None:
    house.allot()
    house.turn()
    house.given_back(DIRECT_QUOTA)
    [entry] = house.entries(DIRECT_QUOTA)
    assert house.desk.returns_asked == {entry.digest: "账号不存在"}

    with pytest.raises(ValueError, match="尚有接收方未退回"):
        issue_again(house, "ZE2026000001")
    house.given_back(DIRECT_QUOTA, by=BANK)
    issue_again(house, "ZE2026000001")

    assert house.state(DIRECT_QUOTA, 1) is OutboxState.SENT


def test_what_was_receipted_is_not_asked_back(house: House) -> None:
    house.allot()
    house.turn()
    house.answered(DIRECT_QUOTA)

    with (
        house.books.reading() as session,
        pytest.raises(ValueError, match="已办理，不能退回"),
    ):
        remedies.sent_as(session, OFFICE, "ZE2026000001")


def test_a_payment_is_not_made_again_but_applied_for_again(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.given_back(PAYMENT)

    with pytest.raises(ValueError, match="应退回原凭证"):
        issue_again(house, "ZF2026000001")

    house.run(application("SQ1-2"))
    assert [one.key.number for one in house.issued(PAYMENT)] == [
        "ZF2026000001",
        "ZF2026000002",
    ]


def test_a_list_is_made_again_by_its_day_only(house: House) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION)
    house.now = house.now.replace(day=2)
    house.turn()
    house.given_back(APPROPRIATION_LIST)

    with pytest.raises(ValueError, match="按日重开"):
        issue_again(house, "BD20260301")


@pytest.mark.clause("hubei-32a")
def test_what_is_not_sent_yet_is_withdrawn_and_never_goes(house: House) -> None:
    with house.books.writing() as session:
        orders.enter(session, OFFICE, SPECIAL_PAYMENT, ORDER, house.day)
        remedies.withdraw_unsent(session, "ZHBK1", "重复录入")

    house.turn()

    assert house.state(SPECIAL_PAYMENT) is OutboxState.WITHDRAWN
    assert house.desk.issued.vouchers == {}


def test_what_is_sent_is_not_withdrawn(house: House) -> None:
    house.order(SPECIAL_PAYMENT, ORDER)

    with (
        house.books.writing() as session,
        pytest.raises(ValueError, match="cannot be withdrawn"),
    ):
        remedies.withdraw_unsent(session, "ZHBK1", "重复录入")


def test_a_voucher_that_we_never_made_is_told(house: House) -> None:
    with (
        house.books.reading() as session,
        pytest.raises(ValueError, match="没有凭证X1"),
    ):
        remedies.entry_named(session, "X1")


def test_what_is_not_sent_yet_cannot_be_asked_for(house: House) -> None:
    with house.books.writing() as session:
        orders.enter(session, OFFICE, APPROPRIATION, ORDER, house.day)
        with pytest.raises(ValueError, match="尚未发出"):
            remedies.sent_as(session, OFFICE, "SBBK1")


@pytest.mark.clause("hubei-34")
def test_a_quota_notice_is_taken_back_by_one_that_names_it(house: House) -> None:
    house.allot()
    house.turn()

    correct(house, "ZE2026000001")

    wrong, correction = house.issued(DIRECT_QUOTA)
    assert correction.form.text("hold1") == wrong.key.number
    assert correction.form.fen("pay_amt_fen") == -wrong.form.fen("pay_amt_fen")
    assert house.left() == 0
    assert house.state(DIRECT_QUOTA, 1) is OutboxState.SENT


def test_what_was_spent_of_a_quota_is_not_taken_back(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))

    with pytest.raises(ValueError, match="用款计划不足"):
        correct(house, "ZE2026000001")

    assert house.left() == 400


def test_a_quota_notice_is_taken_back_once_and_nothing_else_is(house: House) -> None:
    house.allot()
    house.order(APPROPRIATION, ORDER)
    correct(house, "ZE2026000001")

    with pytest.raises(ValueError, match="已录入"):
        correct(house, "ZE2026000001")
    with pytest.raises(ValueError, match="不是额度通知单"):
        correct(house, "SBBK1")


@pytest.mark.clause("hubei-32b")
def test_an_application_goes_back_as_long_as_its_payment_is_not_out(
    house: House,
) -> None:
    house.allot()
    inbox = house.takers()[1]

    def only_the_inbox_works() -> None:
        for arrivals in house.client.read():
            give_out(arrivals, [inbox])
        inbox.work()

    early, late = application("SQ1", (("2010101", 100),)), application("SQ2")
    digest = house.desk.arrive(early)
    only_the_inbox_works()
    assert house.left() == 400
    house.desk.tell(DocumentKind.RETURN_REQUEST, early, "收款人有误")
    only_the_inbox_works()

    assert house.standing(digest) is Standing.RETURNED
    assert house.state(PAYMENT) is OutboxState.WITHDRAWN
    assert house.left() == 500

    [sent] = house.run(late)
    house.desk.tell(DocumentKind.RETURN_REQUEST, late, "收款人有误")
    house.turn()

    assert house.standing(sent) is Standing.ACCEPTED
    assert house.state(PAYMENT, 1) is OutboxState.SENT
    assert house.left() == 400
