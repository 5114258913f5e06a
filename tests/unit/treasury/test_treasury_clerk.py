from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Form
from counterfoil.treasury.books import Books, State
from counterfoil.treasury.kinds import (
    APPROPRIATION_LIST,
    AUTHORISED_QUOTA,
    CLEARING_LIST,
    REFUND_LIST,
)
from tests.unit.bank.recipient_desk import voucher as payment
from tests.unit.treasury.papers import (
    ACCOUNT,
    BANK_CODE,
    DAY,
    LINES,
    OTHER_BANK,
    OTHER_NO,
    SECOND_NO,
    again,
    application,
    appropriation,
    changed,
    listing,
    order,
    quota_notice,
    refund,
)
from tests.unit.treasury.treasury_desk import OPENING_FEN, Treasury


@pytest.mark.parametrize(("type_code", "way"), [(5108, "11"), (AUTHORISED_QUOTA, "12")])
def test_a_quota_notice_is_kept_by_unit_and_way_and_receipted(
    treasury: Treasury, type_code: int, way: str
) -> None:
    [digest] = treasury.run(quota_notice("E1", type_code=type_code))

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.quota("101", way=way) == 100
    assert treasury.quota("102", way=way) == 250
    assert treasury.quota("101", way="12" if way == "11" else "11") == 0
    assert treasury.balance_fen() == OPENING_FEN


def test_an_appropriation_is_paid_and_receipted_row_by_row(treasury: Treasury) -> None:
    [digest] = treasury.run(appropriation("B1"))

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.balance_fen() == OPENING_FEN - 350
    form = treasury.receipt(digest).appropriation
    assert form.x_agent_business_no == "000000000001"
    assert [
        (row.id, row.x_pay_amt_fen, row.x_pay_date, row.x_agent_business_no)
        for row in form.rows
    ] == [("B1-0", 100, DAY, "000000000001"), ("B1-1", 250, DAY, "000000000001")]


def test_the_single_account_is_paid_out_to_the_last_fen(treasury: Treasury) -> None:
    last, beyond = treasury.run(
        appropriation("B1", (("", "2010101", OPENING_FEN),)),
        appropriation("B2", (("", "2010101", 1),)),
    )

    assert treasury.standing(last) is Standing.RECEIPTED
    assert treasury.standing(beyond) is Standing.RETURNED
    assert treasury.reason(beyond) == "国库单一账户余额不足，缺0.01元"
    assert treasury.balance_fen() == 0
    assert treasury.told["refused"] == 1


def test_an_order_and_its_application_are_cleared_together(treasury: Treasury) -> None:
    _, applied, ordered = treasury.run(
        quota_notice("E1"), application("S1"), order("Q1", "S1")
    )

    assert treasury.standing(applied) is Standing.RECEIPTED
    assert treasury.standing(ordered) is Standing.RECEIPTED
    assert treasury.balance_fen() == OPENING_FEN - 350
    assert (treasury.quota("101"), treasury.quota("102")) == (0, 0)
    for digest, name in (
        (applied, "clearing_application"),
        (ordered, "clearing_order"),
    ):
        form = getattr(treasury.receipt(digest), name)
        assert (form.x_pay_amt_fen, form.x_clear_date) == (350, DAY)


@pytest.mark.parametrize("first", ["application", "order"])
def test_whichever_comes_first_waits_for_the_other(
    treasury: Treasury, first: str
) -> None:
    pair = [application("S1"), order("Q1", "S1")]
    if first == "order":
        pair.reverse()
    treasury.run(quota_notice("E1"))
    [earlier] = treasury.run(pair[0])
    assert treasury.standing(earlier) is Standing.ACCEPTED
    assert treasury.balance_fen() == OPENING_FEN
    assert treasury.books.is_at_rest()

    [later] = treasury.run(pair[1])

    assert treasury.standing(earlier) is Standing.RECEIPTED
    assert treasury.standing(later) is Standing.RECEIPTED
    assert treasury.balance_fen() == OPENING_FEN - 350


def test_one_fen_over_the_quota_both_are_returned_and_nothing_is_booked(
    treasury: Treasury,
) -> None:
    lines = (("101", "2010101", 101), ("102", "2010101", 250))

    _, applied, ordered = treasury.run(
        quota_notice("E1"), application("S1", lines), order("Q1", "S1", lines)
    )

    for digest in (applied, ordered):
        assert treasury.standing(digest) is Standing.RETURNED
        assert "直接支付额度不足" in treasury.reason(digest)
        assert "超出0.01元" in treasury.reason(digest)
    assert treasury.balance_fen() == OPENING_FEN
    assert (treasury.quota("101"), treasury.quota("102")) == (100, 250)


def test_the_quota_of_one_way_clears_nothing_of_the_other(treasury: Treasury) -> None:
    _, applied, ordered = treasury.run(
        quota_notice("E1"),
        application("S1", way="12"),
        order("Q1", "S1", way="12"),
    )

    assert treasury.standing(applied) is Standing.RETURNED
    assert "授权支付额度不足" in treasury.reason(ordered)


def test_an_order_that_is_not_equal_returns_both(treasury: Treasury) -> None:
    more = (("101", "2010101", 99), ("102", "2010101", 251))

    _, applied, ordered = treasury.run(
        quota_notice("E1", (("", "2010101", 1000),)),
        application("S1"),
        order("Q1", "S1", more),
    )

    for digest in (applied, ordered):
        assert treasury.standing(digest) is Standing.RETURNED
        assert treasury.reason(digest) == "明细与申请划款凭证不一致"
    assert treasury.balance_fen() == OPENING_FEN


def test_the_next_issue_of_a_returned_pair_is_cleared(treasury: Treasury) -> None:
    treasury.run(application("S1"), order("Q1", "S1"))
    treasury.run(quota_notice("E1"))

    applied, ordered = treasury.run(again(application("S1")), again(order("Q1", "S1")))

    assert treasury.standing(applied) is Standing.RECEIPTED
    assert treasury.standing(ordered) is Standing.RECEIPTED
    assert treasury.balance_fen() == OPENING_FEN - 350


def test_a_second_order_for_an_application_is_rejected(treasury: Treasury) -> None:
    _, _, first, second = treasury.run(
        quota_notice("E1", (("", "2010101", 1000),)),
        application("S1"),
        order("Q1", "S1"),
        order("Q2", "S1"),
    )

    assert treasury.standing(second) is Standing.REJECTED
    assert treasury.reason(second) == "申请划款凭证S1已有清算划款凭证"
    assert treasury.standing(first) is Standing.RECEIPTED
    [third] = treasury.run(order("Q3", "S1", bank_no=SECOND_NO))
    assert treasury.standing(third) is Standing.REJECTED
    assert treasury.balance_fen() == OPENING_FEN - 350


def test_an_order_goes_on_when_the_one_before_it_is_rejected(
    treasury: Treasury,
) -> None:
    _, _, wrong, right = treasury.run(
        quota_notice("E1"),
        application("S1"),
        changed(order("Q1", "S1"), clear_acct_no="9"),
        order("Q2", "S1"),
    )

    assert treasury.standing(wrong) is Standing.REJECTED
    assert treasury.standing(right) is Standing.RECEIPTED


def test_an_order_by_another_number_of_the_bank_is_not_equal(
    treasury: Treasury,
) -> None:
    applied, ordered = treasury.run(
        application("S1"), order("Q1", "S1", bank_no=SECOND_NO)
    )

    for digest in (applied, ordered):
        assert treasury.standing(digest) is Standing.RETURNED
        assert "代理银行行号与申请划款凭证不一致" in treasury.reason(digest)


def test_an_order_whose_application_was_rejected_is_returned(
    treasury: Treasury,
) -> None:
    applied, ordered = treasury.run(
        changed(application("S1"), clear_acct_no="9"), order("Q1", "S1")
    )

    assert treasury.standing(applied) is Standing.REJECTED
    assert treasury.standing(ordered) is Standing.RETURNED
    assert "凭证S1未能办理" in treasury.reason(ordered)


@pytest.mark.parametrize("stopped", [0, 1])
def test_half_a_pair_is_returned_when_the_gateway_refuses_the_other(
    treasury: Treasury, stopped: int
) -> None:
    treasury.run(quota_notice("E1"))
    halves = (application("S1"), order("Q1", "S1"))
    [waits] = treasury.run(halves[stopped])
    treasury.desk.standings[waits] = Standing.DISCARDED

    [other] = treasury.run(halves[1 - stopped], turns=3)

    assert treasury.state(waits) is State.STOPPED
    assert treasury.standing(other) is Standing.RETURNED
    assert treasury.books.is_at_rest()
    assert treasury.balance_fen() == OPENING_FEN


def test_a_return_of_the_application_returns_the_order_too(treasury: Treasury) -> None:
    [applied] = treasury.run(application("S1"))
    treasury.desk.tell(DocumentKind.RETURN_REQUEST, application("S1"), "金额有误")

    [ordered] = treasury.run(order("Q1", "S1"))

    assert treasury.standing(applied) is Standing.RETURNED
    assert treasury.standing(ordered) is Standing.RETURNED
    assert "应发送方要求退回：金额有误" in treasury.reason(ordered)


def test_a_bank_cannot_draw_on_the_quota_of_another(treasury: Treasury) -> None:
    _, applied = treasury.run(quota_notice("E1"), application("S1", issuer=OTHER_BANK))

    assert treasury.standing(applied) is Standing.REJECTED
    assert treasury.reason(applied) == "代理银行行号与发送方不符"


def test_two_banks_may_use_the_same_number(treasury: Treasury) -> None:
    _, theirs, ours, ordered = treasury.run(
        quota_notice("E1"),
        again(application("S1", issuer=OTHER_BANK, bank_no=OTHER_NO)),
        application("S1"),
        order("Q1", "S1"),
    )

    assert treasury.standing(ordered) is Standing.RECEIPTED
    assert treasury.standing(ours) is Standing.RECEIPTED
    assert treasury.standing(theirs) is Standing.ACCEPTED


def test_clearing_needs_money_in_the_single_account_too(treasury: Treasury) -> None:
    lines = (("101", "2010101", OPENING_FEN + 1),)

    _, _, ordered = treasury.run(
        quota_notice("E1", lines), application("S1", lines), order("Q1", "S1", lines)
    )

    assert treasury.reason(ordered) == "国库单一账户余额不足，缺0.01元"
    assert treasury.quota("101") == OPENING_FEN + 1


def test_a_refund_restores_the_quota_and_the_account(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))

    [digest] = treasury.run(refund("T1"))

    assert treasury.standing(digest) is Standing.RECEIPTED
    form = treasury.receipt(digest).refund_application
    assert (form.x_pay_amt_fen, form.x_clear_date) == (-100, DAY)
    assert treasury.quota("101") == 100
    assert treasury.balance_fen() == OPENING_FEN - 250


def test_what_was_refunded_can_be_cleared_again(treasury: Treasury) -> None:
    line = (("101", "2010101", 100),)
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))
    treasury.run(refund("T1"))

    _, ordered = treasury.run(application("S2", line), order("Q2", "S2", line))

    assert treasury.standing(ordered) is Standing.RECEIPTED
    assert treasury.quota("101") == 0


def test_a_refund_gives_back_no_more_than_was_cleared(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))

    [digest] = treasury.run(refund("T1", (("101", "2010101", -101),)))

    assert treasury.standing(digest) is Standing.RETURNED
    assert "退款超过已清算金额" in treasury.reason(digest)
    assert treasury.quota("101") == 0


def test_quota_that_is_used_cannot_be_taken_back(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))

    [digest] = treasury.run(quota_notice("E2", (("101", "2010101", -1),)))

    assert treasury.standing(digest) is Standing.RETURNED
    assert "额度不足" in treasury.reason(digest)


def test_a_voucher_that_is_read_again_is_booked_once(treasury: Treasury) -> None:
    treasury.run(appropriation("B1"), appropriation("B1"))

    treasury.run()

    assert treasury.balance_fen() == OPENING_FEN - 350
    assert len(treasury.desk.receipts) == 1


def test_the_same_number_in_other_bytes_is_rejected(treasury: Treasury) -> None:
    treasury.run(appropriation("B1"))

    [other] = treasury.run(again(appropriation("B1", (("", "2010101", 7),))))

    assert treasury.standing(other) is Standing.REJECTED
    assert treasury.reason(other) == "凭证号重复"


def test_a_list_of_all_receipts_is_receipted_once(treasury: Treasury) -> None:
    treasury.run(appropriation("B1"), appropriation("B2", (("", "2010101", 7),)))

    [digest] = treasury.run(listing(APPROPRIATION_LIST, "L1", (("B1", 350), ("B2", 7))))

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.receipt(digest).appropriation_list.x_acct_date == DAY
    [second] = treasury.run(listing(APPROPRIATION_LIST, "L2", (("B1", 350),)))
    assert treasury.reason(second) == "凭证B1无可列示的回单"


def test_of_two_lists_of_the_same_receipts_one_is_booked(treasury: Treasury) -> None:
    treasury.run(appropriation("B1"))

    first, second = treasury.run(
        listing(APPROPRIATION_LIST, "L1", (("B1", 350),)),
        listing(APPROPRIATION_LIST, "L2", (("B1", 350),)),
    )

    assert treasury.standing(first) is Standing.RECEIPTED
    assert treasury.standing(second) is Standing.RETURNED
    assert treasury.reason(second) == "凭证B1无可列示的回单"


def test_a_list_that_lacks_a_receipt_is_rejected_and_says_which(
    treasury: Treasury,
) -> None:
    treasury.run(appropriation("B1"), appropriation("B2"))

    [digest] = treasury.run(listing(APPROPRIATION_LIST, "L1", (("B1", 350),)))

    assert treasury.standing(digest) is Standing.REJECTED
    assert treasury.reason(digest) == "清单缺少凭证B2"


def test_a_list_names_what_was_receipted_and_not_what_waits(
    treasury: Treasury,
) -> None:
    treasury.run(order("Q1", "S1"))

    [digest] = treasury.run(listing(CLEARING_LIST, "L1", (("Q1", 350),)))

    assert treasury.reason(digest) == "凭证Q1无可列示的回单"


def test_a_list_of_one_bank_is_about_that_bank_alone(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))
    treasury.run(
        quota_notice("E2", bank_no=OTHER_NO),
        application("S1", issuer=OTHER_BANK, bank_no=OTHER_NO),
        order("Q2", "S1", bank_no=OTHER_NO),
    )

    ours, unknown = treasury.run(
        listing(CLEARING_LIST, "L1", (("Q1", 350),), code=BANK_CODE),
        listing(CLEARING_LIST, "L2", (("Q1", 350),), code="999"),
    )

    assert treasury.standing(ours) is Standing.RECEIPTED
    assert treasury.reason(unknown) == "代理银行编码999未登记"


def test_refunds_have_a_list_of_their_own(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))
    treasury.run(refund("T1"))

    [digest] = treasury.run(listing(REFUND_LIST, "L1", (("T1", -100),)))

    assert treasury.standing(digest) is Standing.RECEIPTED
    assert treasury.receipt(digest).refund_list.x_acct_date == DAY


def test_a_return_that_is_asked_for_in_time_is_made(treasury: Treasury) -> None:
    [digest] = treasury.run(order("Q1", "S1"))
    treasury.desk.tell(DocumentKind.RETURN_REQUEST, order("Q1", "S1"), "重复")

    treasury.run()

    assert treasury.standing(digest) is Standing.RETURNED
    assert treasury.desk.acknowledged == [1]


def test_a_return_that_is_asked_for_too_late_changes_nothing(
    treasury: Treasury,
) -> None:
    [digest] = treasury.run(appropriation("B1"))
    treasury.desk.tell(DocumentKind.RETURN_REQUEST, appropriation("B1"), "重复")

    treasury.run()

    assert treasury.standing(digest) is Standing.RECEIPTED


def test_a_discard_before_anything_was_done_leaves_the_books(
    treasury: Treasury,
) -> None:
    [digest] = treasury.arrive(appropriation("B1"))
    treasury.desk.tell(DocumentKind.DISCARD, appropriation("B1"), "作废")

    treasury.run()

    assert treasury.state(digest) is State.VOID
    assert treasury.balance_fen() == OPENING_FEN


def test_an_answer_to_a_report_is_acknowledged_and_other_kinds_are_left(
    treasury: Treasury,
) -> None:
    treasury.system().report(DAY)
    [report] = treasury.desk.issued.values()
    treasury.desk.answer(report, Form({"x_check_result": "0"}))
    treasury.arrive(payment("A1"))

    treasury.live()

    assert treasury.desk.acknowledged == [0]
    assert treasury.books.is_at_rest()
    assert treasury.desk.explanations == {}


def test_what_the_gateway_refuses_waits_for_a_person(treasury: Treasury) -> None:
    [digest] = treasury.arrive(appropriation("B1"))
    treasury.read(treasury.clerk())
    treasury.desk.standings[digest] = Standing.DISCARDED

    treasury.run()

    assert treasury.state(digest) is State.STOPPED
    assert treasury.balance_fen() == OPENING_FEN


def test_books_cannot_be_opened_with_another_balance(treasury: Treasury) -> None:
    with pytest.raises(ValueError, match="another account or balance"):
        Books(treasury.url, ACCOUNT, OPENING_FEN + 1)


def test_quota_of_one_fund_clears_nothing_of_another(treasury: Treasury) -> None:
    treasury.run(changed(quota_notice("E1"), fund_type_code="1"))

    of_two = treasury.run(
        changed(application("S2"), fund_type_code="2"),
        changed(order("Q2", "S2"), fund_type_code="2"),
    )
    of_one = treasury.run(
        changed(application("S1"), fund_type_code="1"),
        changed(order("Q1", "S1"), fund_type_code="1"),
    )

    assert {treasury.standing(one) for one in of_two} == {Standing.RETURNED}
    assert {treasury.standing(one) for one in of_one} == {Standing.RECEIPTED}
    assert treasury.balance_fen() == OPENING_FEN - 350


def test_clearing_beyond_the_quota_is_noted_as_an_alert(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"))
    treasury.run(application("S1", (*LINES, ("101", "2010101", 1))))

    treasury.run(order("Q1", "S1", (*LINES, ("101", "2010101", 1))))

    assert treasury.alerts() == [
        "凭证Q1未予办理：直接支付额度不足：单位101功能科目2010101超出0.01元"
    ]


def test_what_is_within_the_quota_raises_no_alert(treasury: Treasury) -> None:
    treasury.run(quota_notice("E1"), application("S1"), order("Q1", "S1"))
    treasury.run(appropriation("B1", (("", "2010101", 99_999),)))  # no money: returned

    assert treasury.alerts() == []


def cleared_twice(treasury: Treasury) -> None:
    """Clear payment ZF0 of 100 and ZF1 of 50, both of the same unit and function."""
    lines = (("101", "2010101", 100), ("101", "2010101", 50))
    treasury.run(quota_notice("E1", lines), application("S1", lines))
    treasury.run(order("Q1", "S1", lines))


@pytest.mark.parametrize(
    ("first", "second", "standing"),
    [
        (60, 40, Standing.RECEIPTED),
        (60, 41, Standing.RETURNED),
        (100, 1, Standing.RETURNED),
    ],
)
def test_refunds_of_a_payment_never_come_to_more_than_was_cleared_for_it(
    treasury: Treasury, first: int, second: int, standing: Standing
) -> None:
    cleared_twice(treasury)
    treasury.run(refund("T1", (("101", "2010101", -first),)))

    [digest] = treasury.run(refund("T2", (("101", "2010101", -second),)))

    assert treasury.standing(digest) is standing
    if standing is Standing.RETURNED:
        assert "原支付凭证ZF0退款超过已清算金额" in treasury.reason(digest)
        assert treasury.quota("101") == first


def test_a_refund_of_a_payment_that_was_never_cleared_is_returned(
    treasury: Treasury,
) -> None:
    cleared_twice(treasury)
    one = refund("T1", (("101", "2010101", -10),))
    rows = tuple({**row, "ori_voucher_no": "ZF9"} for row in one.form.rows)

    [digest] = treasury.run(replace(one, form=Form(one.form.fields, rows)))

    assert treasury.standing(digest) is Standing.RETURNED
    assert treasury.quota("101") == 0
