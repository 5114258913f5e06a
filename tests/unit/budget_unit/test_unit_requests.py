"""Applications and authorised payments: never beyond the allotment, issued once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from counterfoil.business.codes import PaymentWay
from counterfoil.business.tables import OutboxState
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.unit import accounts, requests
from counterfoil.unit.kinds import APPLICATION, PAYMENT, DealMode
from counterfoil.unit.system import books_at
from counterfoil.unit.tables import RequestState
from counterfoil.unit.wishes import BeyondAllotment, Item, Wish, corrected
from tests.unit.budget_unit.papers import (
    DAY,
    FUNCTION,
    LINE_FEN,
    OFFICE,
    OTHER_FUNCTION,
    entry,
    item,
    plan,
)
from tests.unit.budget_unit.unit_house import UnitHouse
from tests.unit.business.house import counted, dying
from tests.unit.office.dying_desk import Crash

DIRECT, AUTHORISED = PaymentWay.DIRECT, PaymentWay.AUTHORISED


def test_an_application_is_reviewed_by_two_persons_and_goes_to_finance(
    house: UnitHouse,
) -> None:
    number = house.ask(item(1_500), item(2_500))

    house.turn()

    assert number == f"SQS101001{DAY}0001"
    assert house.desk.issued.standing(number) == "SENT"
    sent = house.sent(number)
    assert sent.recipients == ["420000-011"]
    form = sent.payment_application
    assert (form.pay_amt_fen, form.pay_type_code) == (4_000, "11")
    assert form.pay_acct_no == OFFICE.accounts[DIRECT].number
    assert [(row.voucher_no, row.pay_amt_fen) for row in form.rows] == [
        (number, 1_500),
        (number, 2_500),
    ]
    assert {row.sup_dep_code for row in form.rows} == {"101"}
    assert house.outbox_state(number) is OutboxState.SENT


@pytest.mark.parametrize("mode", list(DealMode))
def test_an_authorised_payment_goes_to_the_bank_and_says_how_it_is_dealt_with(
    house: UnitHouse, mode: DealMode
) -> None:
    number = house.pay(mode=mode)

    house.turn()

    sent = house.sent(number)
    assert sent.recipients == ["420000-102"]
    form = sent.authorised_payment
    assert (form.fund_deal_mode_code, form.fund_deal_mode_name) == (
        mode.value,
        mode.chinese,
    )
    assert form.payee_acct_no == form.rows[0].payee_acct_no == "622200001111"
    assert form.pay_acct_no == OFFICE.accounts[AUTHORISED].number


def test_numbers_rise_within_a_day_and_each_kind_has_its_own(house: UnitHouse) -> None:
    numbers = [house.ask(item(1)), house.ask(item(1)), house.pay(item(1))]

    assert numbers == [
        f"SQS101001{DAY}0001",
        f"SQS101001{DAY}0002",
        f"SZF101001{DAY}0001",
    ]


@pytest.mark.parametrize("mode", [None, DealMode.SELF_SERVICE])
def test_one_fen_beyond_the_allotment_is_not_asked_for(
    house: UnitHouse, mode: DealMode | None
) -> None:
    house.ask(item(LINE_FEN - 100), mode=mode)

    with pytest.raises(
        BeyondAllotment, match=r"用款计划不足：功能科目2050205超出0.01元"
    ):
        house.ask(item(101), mode=mode)

    house.ask(item(100), mode=mode)
    house.turn()
    assert len(house.desk.issued.vouchers) == 2


def test_the_rows_of_one_request_count_together(house: UnitHouse) -> None:
    with pytest.raises(BeyondAllotment):
        house.ask(item(LINE_FEN // 2), item(LINE_FEN // 2), item(1))

    assert house.left(DIRECT) == LINE_FEN


def test_each_way_and_function_has_an_allotment_of_its_own(house: UnitHouse) -> None:
    house.allot(plan(DIRECT, 500, function=OTHER_FUNCTION))
    house.ask(item(LINE_FEN))
    house.ask(item(500, function=OTHER_FUNCTION))

    assert (house.left(DIRECT), house.left(AUTHORISED)) == (0, LINE_FEN)
    with pytest.raises(BeyondAllotment):
        house.ask(item(1, function=OTHER_FUNCTION))


def test_an_allotment_is_entered_once_and_another_adds_to_it(house: UnitHouse) -> None:
    assert house.allot(plan(DIRECT)) == 0
    assert house.allot(plan(DIRECT, -3_000, number="YK-")) == 1

    assert house.left(DIRECT) == LINE_FEN - 3_000
    with pytest.raises(ValueError, match="entered with another content"):
        house.allot(plan(DIRECT, 1))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(item(0), "须大于零"), (item(-1), "须大于零"), (item(1, function="9"), "没有")],
)
def test_what_is_no_amount_or_of_no_allotment_is_not_asked_for(
    house: UnitHouse, wrong: Item, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        house.ask(wrong)

    assert house.figures().applications == 0


def test_an_allotment_of_another_year_pays_nothing(house: UnitHouse) -> None:
    with (
        pytest.raises(ValueError, match="没有直接支付用款计划"),
        house.books.writing() as session,
    ):
        requests.enter(session, OFFICE, Wish(items=[item()]), "20270104")


def test_what_is_expected_is_looked_up_together_and_once(house: UnitHouse) -> None:
    applied, paid, other = house.ask(item(1)), house.pay(item(2)), house.pay(item(3))
    named = [(PAYMENT, [paid]), (PAYMENT, ["none", other]), (APPLICATION, [applied])]
    with house.books.reading() as session, counted("before_cursor_execute") as asked:
        accounts.expect(session, named)
        # Requests and their lines, of two types.
        assert len(asked) == 4
        found = [accounts.request(session, *one) for one in named]
        assert [one and one.number for one in found] == [paid, other, applied]
        assert [one and one.amount_fen for one in found] == [2, 3, 1]
        assert accounts.request(session, PAYMENT, ["none"]) is None
        assert len(asked) == 4
        # What was not expected is looked up all the same.
        assert accounts.request(session, APPLICATION, [paid]) is None
        assert len(asked) == 5


def test_of_several_that_are_entered_together_the_first_take_what_is_left(
    house: UnitHouse,
) -> None:
    """What one takes is gone for those behind it, before anything is in the books."""
    left = house.left(DIRECT)
    wishes = [
        Wish(items=[item(left - 500)]),
        Wish(items=[item(600)]),
        Wish(items=[item(left)], mode=DealMode.SELF_SERVICE),
        Wish(items=[item(300), item(200)]),
        Wish(items=[item(1)]),
    ]
    with house.books.writing() as session:
        entered = requests.enter_each(session, OFFICE, wishes, DAY)
        told = [
            one if isinstance(one, BeyondAllotment) else (one.number, one.amount_fen)
            for one in entered
        ]

    assert [one for one in told if not isinstance(one, BeyondAllotment)] == [
        (f"SQS101001{DAY}0001", left - 500),
        (f"SZF101001{DAY}0001", left),
        (f"SQS101001{DAY}0002", 500),
    ]
    assert isinstance(told[1], BeyondAllotment)
    assert "超出1.00元" in str(told[1])
    assert isinstance(told[4], BeyondAllotment)
    assert house.left(DIRECT) == 0
    house.turn()
    assert [house.outbox_state(one[0]) for one in told if isinstance(one, tuple)] == [
        OutboxState.SENT
    ] * 3
    rows = house.sent(f"SQS101001{DAY}0002").payment_application.rows
    assert [row.id for row in rows] == [f"SQS101001{DAY}0002-{n}" for n in (1, 2)]


def test_allotments_and_requests_of_two_years_do_not_mix(house: UnitHouse) -> None:
    number = house.pay(item(LINE_FEN))
    house.turn()
    house.enter(number)
    house.come(entry("TK", (("1", -500),), original=("8202", number)))
    house.allot(replace(plan(AUTHORISED, 100, number="YK2027"), fiscal_year=2027))

    def pay_in_2027(fen: int) -> None:
        with house.books.writing() as session:
            wish = Wish(items=[item(fen)], mode=DealMode.SELF_SERVICE)
            requests.enter(session, OFFICE, wish, "20270104")

    with pytest.raises(BeyondAllotment, match=r"超出0.01元"):
        pay_in_2027(101)
    pay_in_2027(100)
    assert house.left(AUTHORISED) == 500


def test_books_that_were_made_before_go_on_with_their_numbers(
    house: UnitHouse,
) -> None:
    before = [house.ask(item(1)), house.pay(item(1)), house.ask(item(1))]
    with house.books.writing() as session:
        session.execute(text("DROP TABLE number_series"))
    books_at(house.url).close()

    after = [house.ask(item(1)), house.pay(item(1)), house.ask(item(1))]

    assert len({*before, *after}) == len(before) + len(after)
    assert after == [
        f"SQS101001{DAY}0003",
        f"SZF101001{DAY}0002",
        f"SQS101001{DAY}0004",
    ]


def test_two_programs_at_the_same_books_do_not_spend_a_fen_twice(
    house: UnitHouse,
) -> None:
    outcomes: list[str] = []

    def spend() -> None:
        books = books_at(house.url)
        for _ in range(4):
            try:
                with books.writing() as session:
                    wish = Wish(items=[item(1_500)], mode=DealMode.SELF_SERVICE)
                    outcomes.append(requests.enter(session, OFFICE, wish, DAY).number)
            except BeyondAllotment:
                outcomes.append("")
        books.close()

    both = [threading.Thread(target=spend) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    made = [number for number in outcomes if number]
    assert len(made) == len(set(made)) == LINE_FEN // 1_500
    assert house.left(AUTHORISED) == LINE_FEN - 1_500 * len(made)


@pytest.mark.parametrize("kind", [DocumentKind.REJECTION, DocumentKind.RETURN])
@pytest.mark.parametrize("mode", [None, DealMode.SELF_SERVICE])
def test_what_is_given_back_says_why_and_frees_the_allotment(
    house: UnitHouse, kind: DocumentKind, mode: DealMode | None
) -> None:
    number = house.ask(item(LINE_FEN), mode=mode)
    way = DIRECT if mode is None else AUTHORISED
    house.turn()
    assert house.left(way) == 0
    house.bring(kind, number, "收款人账号不合规")
    house.desk.again()

    house.turn()

    assert house.request(number) == (RequestState.GIVEN_BACK, "收款人账号不合规")
    assert house.left(way) == LINE_FEN
    assert house.figures().given_back == 1


def test_an_accepted_application_still_takes_of_the_allotment(house: UnitHouse) -> None:
    number = house.ask(item(LINE_FEN))
    house.turn()
    house.bring(DocumentKind.ACCEPTANCE, number, "")

    house.turn()

    assert house.outbox_state(number) is OutboxState.ACCEPTED
    assert house.left(DIRECT) == 0


def reissue(house: UnitHouse, number: str, *items: Item) -> None:
    with house.books.writing() as session:
        requests.reissue(session, OFFICE, number, items, DAY)


def test_a_returned_number_is_asked_for_again_as_issue_two(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()
    house.bring(DocumentKind.RETURN, number, "金额有误")
    house.turn()

    reissue(house, number, item(3_000))
    house.turn()

    again = house.sent(number, issue=2)
    assert again.authorised_payment.pay_amt_fen == 3_000
    assert again.replaces == house.desk.issued.digest(number, 1)
    assert house.left(AUTHORISED) == LINE_FEN - 3_000
    assert house.request(number) == (RequestState.OPEN, "")
    # A late answer to the first issue is no answer to the second.
    house.bring(DocumentKind.RETURN, number, "迟到", issue=1)
    house.turn()
    assert house.request(number)[0] is RequestState.OPEN
    house.bring(DocumentKind.REJECTION, number, "又错了", issue=2)
    house.turn()
    assert house.request(number) == (RequestState.GIVEN_BACK, "又错了")


def test_the_same_content_may_be_asked_for_again(house: UnitHouse) -> None:
    number = house.ask(item(1_000), item(2_000))
    house.turn()
    house.bring(DocumentKind.REJECTION, number, "今日不受理")
    house.turn()

    reissue(house, number)
    house.turn()

    rows = house.sent(number, issue=2).payment_application.rows
    assert [row.pay_amt_fen for row in rows] == [1_000, 2_000]


def test_asking_again_keeps_within_the_allotment(house: UnitHouse) -> None:
    number = house.pay(item(6_000))
    house.turn()
    house.bring(DocumentKind.RETURN, number, "退回")
    house.turn()
    house.pay(item(6_000))

    with pytest.raises(BeyondAllotment):
        reissue(house, number)

    assert house.request(number)[0] is RequestState.GIVEN_BACK
    reissue(house, number, item(4_000))
    assert house.left(AUTHORISED) == 0


def test_what_was_not_given_back_is_not_asked_for_again(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()

    with pytest.raises(ValueError, match="was not given back"):
        reissue(house, number)
    with pytest.raises(ValueError, match="there is no request X"):
        reissue(house, "X")


def test_a_number_of_another_year_is_not_asked_for_again(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()
    house.bring(DocumentKind.RETURN, number, "退回")
    house.turn()

    with (
        pytest.raises(ValueError, match="is of 2026"),
        house.books.writing() as session,
    ):
        requests.reissue(session, OFFICE, number, (), "20270104")


def withdraw(house: UnitHouse, number: str) -> None:
    with house.books.writing() as session:
        requests.withdraw(session, number, "填错了")


def test_a_request_that_is_withdrawn_before_it_is_sent_frees_the_allotment(
    house: UnitHouse,
) -> None:
    number = house.pay()

    withdraw(house, number)
    house.turn()

    assert house.desk.issued.vouchers == {}
    assert house.request(number) == (RequestState.WITHDRAWN, "填错了")
    assert house.left(AUTHORISED) == LINE_FEN
    assert house.pay() == f"SZF101001{DAY}0002"


def test_a_request_that_was_sent_is_not_withdrawn(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()

    with pytest.raises(ValueError, match="cannot be withdrawn any more"):
        withdraw(house, number)

    assert house.request(number)[0] is RequestState.OPEN


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", ["write", "seal"])
def test_a_request_goes_out_once_wherever_the_program_dies(
    house: UnitHouse, at: str, when: str
) -> None:
    number = house.ask()
    with pytest.raises(Crash):
        house.turn(dying(house.client, at, when))

    house.turn()

    assert house.desk.issued.standing(number) == "SENT"
    assert len(house.desk.issued.vouchers) == 1
    assert house.left(DIRECT) == LINE_FEN - 4_000


def test_what_is_given_back_is_booked_once_though_the_program_dies(
    house: UnitHouse,
) -> None:
    number = house.ask()
    house.turn()
    house.bring(DocumentKind.REJECTION, number, "不符")
    with pytest.raises(Crash):
        house.turn(dying(house.client, "acknowledge", "before"))

    house.turn()

    assert house.request(number) == (RequestState.GIVEN_BACK, "不符")
    assert house.left(DIRECT) == LINE_FEN


def test_a_mistake_is_mended_where_there_is_one_payee(house: UnitHouse) -> None:
    one, two = house.ask(item(10)), house.ask(item(10), item(20))
    with house.books.reading() as session:
        asked, _ = requests.find(session, one)
        [mended] = corrected(asked, account="622200002222", amount_fen=30)
        assert (mended.payee_account, mended.amount_fen) == ("622200002222", 30)
        assert corrected(asked) == []
        several, _ = requests.find(session, two)
        with pytest.raises(ValueError, match="has 2 payees"):
            corrected(several, amount_fen=30)


def test_the_function_is_named_as_the_allotment_names_it(house: UnitHouse) -> None:
    number = house.ask()
    house.turn()

    [row] = house.sent(number).payment_application.rows
    assert (row.exp_func_code, row.exp_func_name) == (FUNCTION, "高等教育")
