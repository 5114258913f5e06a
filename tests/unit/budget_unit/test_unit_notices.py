"""Entry notices and notices of refund: matched, booked once, never beyond."""

from __future__ import annotations

import pytest

from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import InboxState
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Voucher
from counterfoil.unit.tables import Posting
from tests.unit.budget_unit.papers import (
    FINANCE,
    FUNCTION,
    LINE_FEN,
    OTHER_BANK,
    OTHER_FUNCTION,
    entry,
    item,
    match,
    plan,
    refund_notice,
)
from tests.unit.budget_unit.unit_house import UnitHouse
from tests.unit.business.house import dying
from tests.unit.office.dying_desk import Crash

DIRECT, AUTHORISED = PaymentWay.DIRECT, PaymentWay.AUTHORISED


def paid(house: UnitHouse, *items: int) -> str:
    """Have a payment of ours paid and entered; return its number."""
    number = house.pay(*(item(fen) for fen in items or (4_000,)))
    house.turn()
    house.enter(number)
    return number


def applied(house: UnitHouse, fen: int = 4_000) -> str:
    number = house.ask(item(fen))
    house.turn()
    return number


def postings(house: UnitHouse) -> list[tuple[str, str, int]]:
    with house.books.reading() as session:
        return [
            (one.paid_by, one.function, one.amount_fen)
            for one in session.query(Posting).order_by(Posting.id)
        ]


def test_the_notice_of_an_authorised_payment_is_accepted_and_booked(
    house: UnitHouse,
) -> None:
    number = house.pay(item(1_000), item(3_000))
    house.turn()

    digest = house.enter(number)

    assert house.standing(digest) is Standing.ACCEPTED
    assert house.state(digest) is InboxState.TAKEN
    assert postings(house) == [(number, FUNCTION, 1_000), (number, FUNCTION, 3_000)]
    figures = house.figures()
    assert (figures.paid, figures.paid_fen) == (1, 4_000)
    assert house.left(AUTHORISED) == LINE_FEN - 4_000


def test_the_notice_of_a_direct_payment_is_matched_with_its_application(
    house: UnitHouse,
) -> None:
    number = applied(house)

    house.come(entry("RZ1", (("F1", 4_000),), original=("5201", "ZF1"), about=number))

    figures = house.figures()
    assert (figures.received, figures.received_fen, figures.unasked_fen) == (
        1,
        4_000,
        0,
    )
    assert postings(house) == [("ZF1", FUNCTION, 4_000)]
    assert house.left(DIRECT) == LINE_FEN - 4_000


def test_the_application_may_be_named_in_the_reserved_field(house: UnitHouse) -> None:
    number = applied(house)

    house.come(entry("RZ1", (("F1", 4_000),), original=("5201", "ZF1"), hold1=number))

    assert house.figures().unasked_fen == 0


def test_a_direct_payment_may_come_from_any_bank_and_in_parts(house: UnitHouse) -> None:
    number = applied(house)
    for place, fen in enumerate((1_500, 2_500), start=1):
        house.come(
            entry(
                f"RZ{place}",
                (("F1", fen),),
                original=("5201", f"ZF{place}"),
                about=number,
                issuer=OTHER_BANK,
            )
        )
    over = house.come(
        entry("RZ3", (("F1", 1),), original=("5201", "ZF3"), about=number)
    )

    assert house.figures().received_fen == 4_000
    assert house.standing(over) is Standing.REJECTED
    assert house.reason(over) == f"入账金额超过凭证{number}0.01元"


def test_what_finance_paid_unasked_is_booked_and_told_apart(house: UnitHouse) -> None:
    house.come(entry("RZ1", (("F1", 700),), original=("5201", "ZF9")))

    figures = house.figures()
    assert (figures.received_fen, figures.unasked_fen) == (700, 700)
    assert house.left(DIRECT) == LINE_FEN - 700
    again = house.come(entry("RZ2", (("F1", 700),), original=("5201", "ZF9")))
    assert house.reason(again) == "支付凭证ZF9已入账"
    house.come(entry("RZ3", (("F1", -700),), original=("5201", "ZF9")))
    assert house.left(DIRECT) == LINE_FEN


def test_a_notice_that_comes_twice_is_booked_once(house: UnitHouse) -> None:
    number = paid(house)
    house.desk.again()

    house.turn()

    assert house.figures().paid_fen == 4_000
    assert postings(house) == [(number, FUNCTION, 4_000)]


def test_a_payment_that_is_told_of_twice_is_booked_once(house: UnitHouse) -> None:
    number = paid(house)

    again = house.enter(number, notice="RZ-again")

    assert house.standing(again) is Standing.REJECTED
    assert house.reason(again) == f"支付凭证{number}已入账"
    assert house.figures().paid_fen == 4_000


def test_two_notices_of_one_payment_in_one_turn_are_booked_once(
    house: UnitHouse,
) -> None:
    number = house.pay()
    house.turn()
    rows = house.rows_of(number)

    house.desk.arrive(entry("RZ1", rows, original=("8202", number)))
    second = house.come(entry("RZ2", rows, original=("8202", number)))

    assert house.standing(second) is Standing.RETURNED
    assert house.figures().paid_fen == 4_000


@pytest.mark.parametrize(
    ("notice", "said"),
    [
        (entry("R", (("1", 1),), original=("8202", "X")), "本单位没有凭证X"),
        (
            entry("R", (("1", 1),), original=("8202", "X"), issuer=OTHER_BANK),
            "发送方不是本单位代理银行",
        ),
        (
            entry("R", (("1", 1),), original=("5201", "X"), agency_code="999"),
            "基层预算单位编码999不是本单位",
        ),
        (
            entry("R", (("1", 1),), original=("5201", "X"), pay_amt_fen=2),
            "金额与明细合计不符",
        ),
        (
            entry("R", (("1", 5), ("2", -5)), original=("5201", "X")),
            "入账金额为零",
        ),
        (entry("R", (("1", -1),), original=("2204", "X")), "本单位没有凭证X"),
        (
            entry("R", (("1", -1),), original=("5201", "X")),
            "退款金额超过支付凭证X已入账金额0.00元",
        ),
    ],
)
def test_what_cannot_be_ours_is_rejected_and_not_booked(
    house: UnitHouse, notice: Voucher, said: str
) -> None:
    digest = house.come(notice)

    assert house.standing(digest) is Standing.REJECTED
    assert house.reason(digest).startswith(said)
    assert postings(house) == []


def test_one_fen_more_than_was_ordered_is_rejected(house: UnitHouse) -> None:
    number = house.pay(item(4_000))
    house.turn()

    digest = house.come(entry("RZ1", (("1", 4_001),), original=("8202", number)))

    assert house.reason(digest) == f"入账金额超过凭证{number}0.01元"


def test_nothing_is_entered_for_what_was_given_back(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()
    house.bring(DocumentKind.RETURN, number, "退回")
    house.turn()

    digest = house.enter(number)

    assert house.standing(digest) is Standing.REJECTED
    assert house.reason(digest) == f"凭证{number}已退回或撤回"
    assert house.left(AUTHORISED) == LINE_FEN


def test_a_row_without_function_is_booked_under_that_of_the_requests_row(
    house: UnitHouse,
) -> None:
    house.allot(plan(AUTHORISED, function=OTHER_FUNCTION))
    number = house.pay(item(1_000), item(3_000, function=OTHER_FUNCTION))
    house.turn()

    house.come(
        entry("RZ1", house.rows_of(number), original=("8202", number), function="")
    )

    assert [one[1] for one in postings(house)] == [FUNCTION, OTHER_FUNCTION]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_notice_is_booked_once_wherever_the_program_dies(
    house: UnitHouse, when: str
) -> None:
    number = house.pay()
    house.turn()
    house.desk.arrive(entry("RZ1", house.rows_of(number), original=("8202", number)))
    with pytest.raises(Crash):
        house.turn(dying(house.client, "accept", when))

    house.turn()

    assert house.figures().paid_fen == 4_000


@pytest.mark.parametrize("original", ["8202", "2204"])
def test_a_refund_is_booked_as_negative_and_frees_the_allotment(
    house: UnitHouse, original: str
) -> None:
    number = paid(house)
    row = house.rows_of(number)[0][0]
    house.come(refund_notice("TK1", number, 1_500))
    name = number if original == "8202" else "TK1"

    house.come(entry("RZTK1", ((row, -1_500),), original=(original, name)))

    figures = house.figures()
    assert (figures.paid_fen, figures.refunds, figures.refunded_fen) == (
        4_000,
        1,
        1_500,
    )
    assert (figures.refund_notices, figures.direct_refunded_fen) == (1, 0)
    assert house.left(AUTHORISED) == LINE_FEN - 2_500
    assert postings(house)[-1] == (number, FUNCTION, -1_500)


@pytest.mark.parametrize(
    "original", [("5201", "ZF1"), ("2203", "TZ1")], ids=["payment", "refund"]
)
def test_the_refund_of_a_direct_payment_finds_its_application(
    house: UnitHouse, original: tuple[str, str]
) -> None:
    number = applied(house)
    house.come(entry("RZ1", (("F1", 4_000),), original=("5201", "ZF1"), about=number))

    house.come(
        entry(
            "RZ2",
            (("F1", -4_000),),
            original=original,
            about=number if original[0] == "2203" else "",
        )
    )

    figures = house.figures()
    assert figures.refunded_fen == figures.direct_refunded_fen == 4_000
    assert house.left(DIRECT) == LINE_FEN


def test_no_more_comes_back_than_was_paid(house: UnitHouse) -> None:
    number = paid(house)
    house.come(entry("RZ2", (("1", -3_000),), original=("8202", number)))

    digest = house.come(entry("RZ3", (("1", -1_001),), original=("8202", number)))

    assert house.reason(digest) == f"退款金额超过支付凭证{number}已入账金额10.00元"
    assert house.left(AUTHORISED) == LINE_FEN - 1_000


def test_what_came_back_may_be_spent_again_and_no_fen_more(house: UnitHouse) -> None:
    number = paid(house, LINE_FEN)
    house.come(entry("RZ2", (("1", -1_000),), original=("8202", number)))

    house.pay(item(1_000))

    assert house.left(AUTHORISED) == 0


def test_a_notice_of_refund_posts_nothing_by_itself(house: UnitHouse) -> None:
    number = paid(house)

    digest = house.come(refund_notice("TK1", number, 1_500))

    assert house.state(digest) is InboxState.TAKEN
    assert house.left(AUTHORISED) == LINE_FEN - 4_000


@pytest.mark.parametrize(
    ("payment", "fen", "said"),
    [("X", 1, "本单位没有已支付的凭证X"), ("", 4_001, "退款金额超过凭证")],
)
def test_a_notice_of_refund_that_cannot_be_ours_is_rejected(
    house: UnitHouse, payment: str, fen: int, said: str
) -> None:
    number = paid(house)

    digest = house.come(refund_notice("TK1", payment or number, fen))

    assert house.standing(digest) is Standing.REJECTED
    assert house.reason(digest).startswith(said)
    assert house.figures().refund_notices == 0


def test_notices_of_refund_together_tell_no_more_than_the_payment(
    house: UnitHouse,
) -> None:
    number = paid(house)
    house.desk.arrive(refund_notice("TK1", number, 4_000))

    second = house.come(refund_notice("TK2", number, 1))

    assert house.standing(second) is Standing.RETURNED
    assert house.figures().refund_notices == 1


def result(house: UnitHouse, digest: bytes) -> tuple[str, str]:
    form = house.receipt(digest).refund_match
    return form.x_check_result, form.x_check_reason


def test_a_refund_of_a_payment_of_ours_is_confirmed(house: UnitHouse) -> None:
    number = paid(house)
    row = house.rows_of(number)[0][0]

    digest = house.come(match("TP1", number, ((row, 1_500),)))

    assert house.standing(digest) is Standing.RECEIPTED
    assert result(house, digest) == ("0", "")
    assert list(house.receipt(digest).recipients) == [FINANCE]
    assert house.figures().confirmed == 1
    assert house.left(AUTHORISED) == LINE_FEN - 4_000


@pytest.mark.parametrize(
    ("kind", "payment", "rows", "said"),
    [
        ("8202", "X", (("", 1),), "凭证X不是本单位已支付的授权支付凭证"),
        ("5201", "", (("", 1),), "不是本单位已支付的授权支付凭证"),
        ("8202", "", (("", 4_001),), "退款金额超过凭证"),
        ("8202", "", (("nobody", 1),), "没有明细nobody"),
    ],
)
def test_a_refund_that_is_not_ours_is_answered_with_the_reason(
    house: UnitHouse,
    kind: str,
    payment: str,
    rows: tuple[tuple[str, int], ...],
    said: str,
) -> None:
    number = paid(house)

    digest = house.come(match("TP1", payment or number, rows, kind=kind))

    told, reason = result(house, digest)
    assert told == "1"
    assert said in reason
    assert house.figures().unconfirmed == 1


def test_nothing_comes_back_of_what_was_given_back(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()
    house.bring(DocumentKind.RETURN, number, "退回")
    house.turn()

    matched = house.come(match("TP1", number, (("", 1),)))
    told = house.come(refund_notice("TK1", number, 1))

    assert result(house, matched)[0] == "1"
    assert house.standing(told) is Standing.REJECTED


def test_two_refunds_are_not_confirmed_beyond_the_payment(house: UnitHouse) -> None:
    number = paid(house)
    house.desk.arrive(match("TP1", number, (("", 3_000),)))

    second = house.come(match("TP2", number, (("", 1_001),)))
    third = house.come(match("TP3", number, (("", 1_000),)))

    assert result(house, second)[0] == "1"
    assert "可退金额10.00元" in result(house, second)[1]
    assert result(house, third)[0] == "0"


def test_a_row_gives_back_no_more_than_its_payee_got(house: UnitHouse) -> None:
    number = paid(house, 1_000, 3_000)
    row = house.rows_of(number)[0][0]
    house.come(match("TP1", number, ((row, 600),)))

    digest = house.come(match("TP2", number, ((row, 401),)))

    assert result(house, digest) == ("1", f"明细{row}退款金额超过支付金额")


def test_what_came_back_unmatched_counts_as_gone(house: UnitHouse) -> None:
    number = paid(house)
    house.come(entry("RZ2", (("1", -4_000),), original=("8202", number)))

    digest = house.come(match("TP1", number, (("", 1),)))

    assert result(house, digest)[0] == "1"


def test_a_refund_waits_for_the_entry_of_its_payment(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()
    digest = house.come(match("TP1", number, (("", 4_000),)))
    assert house.state(digest) is InboxState.ACCEPTED

    house.enter(number)

    assert result(house, digest) == ("0", "")


def test_a_refund_of_another_unit_is_rejected(house: UnitHouse) -> None:
    digest = house.come(match("TP1", "X", (("", 1),), agency="999"))

    assert house.standing(digest) is Standing.REJECTED


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "at", ["accept", "begin_acting", "end_acting", "issue_receipt"]
)
def test_a_refund_is_confirmed_once_wherever_the_program_dies(
    house: UnitHouse, at: str, when: str
) -> None:
    number = paid(house)
    digest = house.desk.arrive(match("TP1", number, (("", 4_000),)))
    with pytest.raises(Crash):
        house.turn(dying(house.client, at, when))

    house.turn()

    assert {one.refund_match.x_check_result for one in house.desk.receipts} == {"0"}
    assert house.state(digest) is InboxState.RECEIPTED
    assert house.figures().confirmed == 1
