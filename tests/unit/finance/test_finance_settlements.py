"""A receipt that differs blocks its list until people have agreed what holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from counterfoil.business.planning import draft_of
from counterfoil.business.settlements import Terms, agree
from counterfoil.business.tables import Holds, OutboxEntry, OutboxState
from counterfoil.business.working_days import WorkingDays
from counterfoil.domain.standing import Standing
from counterfoil.finance import settlements
from counterfoil.finance.alerts import Watch
from counterfoil.finance.entries import Title
from counterfoil.finance.kinds import (
    APPROPRIATION,
    APPROPRIATION_LIST,
    CHECK_REPLY,
    CLEARING_ORDER,
    DIRECT_QUOTA,
    PAYMENT,
)
from counterfoil.finance.settlements import Papers, done
from counterfoil.finance.tables import Posting, Receipted
from counterfoil.office import Receipt
from tests.unit.finance.finance_desk import House, filled
from tests.unit.finance.papers import (
    DAY,
    OFFICE,
    application,
    clearing,
    daily_check,
    refund,
)
from tests.unit.finance.test_finance_orders import ORDER


def papers(house: House, type_code: int, place: int = 0, *, short_fen: int) -> Papers:
    """Return a voucher of ours and the receipt that it got."""
    entry = house.entries(type_code)[place]
    with house.books.reading() as session:
        voucher = draft_of(session.get_one(OutboxEntry, entry.id))
    form = filled(voucher, house.day, short_fen=short_fen)
    return Papers(voucher, Receipt(voucher=entry.reference, by="x", form=form))


def settle(house: House, found: Papers, holds: Holds) -> None:
    with house.books.writing() as session:
        one = settlements.differing(session, found.voucher.key.number)
        settlements.settle(session, OFFICE, one, found, holds)
    house.turn()


def next_day(house: House) -> None:
    house.now += timedelta(days=1)
    house.turn()


def alerts(house: House) -> list[str]:
    with house.books.reading() as session:
        return list(Watch(OFFICE, WorkingDays()).alerts(session, house.day))


@pytest.fixture
def short(house: House) -> House:
    """Return finance with two appropriations of a day; a yuan lacks in a receipt."""
    for number in ("BK1", "BK2"):
        house.order(APPROPRIATION, replace(ORDER, number=number))
    house.answered(APPROPRIATION, 0, short_fen=100)
    house.answered(APPROPRIATION, 1)
    return house


@pytest.mark.clause("hubei-26", "hubei-34")
def test_the_list_waits_until_it_is_settled_and_leaves_it_out(short: House) -> None:
    found = papers(short, APPROPRIATION, short_fen=100)
    next_day(short)
    assert short.issued(APPROPRIATION_LIST) == []
    assert any("SBBK1回单不符" in one for one in alerts(short))

    settle(short, found, Holds.VOUCHER)

    [listing] = short.issued(APPROPRIATION_LIST)
    assert [row["ori_voucher_no"] for row in listing.form.rows] == ["SBBK2"]
    assert short.state(APPROPRIATION) is OutboxState.SETTLED
    assert short.totals.appropriated_fen == 1800
    assert short.totals.expenditure_fen == 1800
    assert short.totals.differs == 0
    assert alerts(short) == []


@pytest.mark.clause("hubei-34")
def test_what_the_receipt_says_is_booked_if_that_holds(short: House) -> None:
    settle(short, papers(short, APPROPRIATION, short_fen=100), Holds.RECEIPT)

    assert short.totals.appropriated_fen == short.totals.expenditure_fen == 1700


def test_what_was_not_done_is_not_booked(short: House) -> None:
    settle(short, papers(short, APPROPRIATION, short_fen=100), Holds.NOTHING)
    next_day(short)

    assert short.totals.appropriated_fen == short.totals.expenditure_fen == 900
    [listing] = short.issued(APPROPRIATION_LIST)
    assert [row["ori_voucher_no"] for row in listing.form.rows] == ["SBBK2"]


@pytest.mark.parametrize(
    ("holds", "states"), [(Holds.VOUCHER, ["0", "0"]), (Holds.NOTHING, ["1", "0"])]
)
def test_the_daily_check_says_what_was_settled(
    short: House, holds: Holds, states: list[str]
) -> None:
    settle(short, papers(short, APPROPRIATION, short_fen=100), holds)

    short.run(daily_check(DAY, "5207"))

    [reply] = short.issued(CHECK_REPLY)
    assert [row["pro_state"] for row in reply.form.rows] == states


def test_only_a_receipt_that_differs_is_settled_and_once(short: House) -> None:
    found = papers(short, APPROPRIATION, short_fen=100)
    with pytest.raises(ValueError, match="没有回单不符"):
        settle(short, papers(short, APPROPRIATION, 1, short_fen=0), Holds.VOUCHER)

    settle(short, found, Holds.VOUCHER)

    with pytest.raises(ValueError, match="没有回单不符"):
        settle(short, found, Holds.NOTHING)
    assert short.totals.appropriated_fen == 1800


@pytest.mark.clause("hubei-34")
@pytest.mark.parametrize(
    ("holds", "left", "expenditure"),
    [(Holds.VOUCHER, 400, 350), (Holds.RECEIPT, 430, 320), (Holds.NOTHING, 500, 0)],
)
def test_the_allotment_is_used_as_far_as_was_paid(
    house: House, holds: Holds, left: int, expenditure: int
) -> None:
    house.allot()
    [asked] = house.run(application("SQ1"))
    house.answered(PAYMENT, short_fen=30)

    settle(house, papers(house, PAYMENT, short_fen=30), holds)

    assert house.left("2010101") == left
    assert house.totals.expenditure_fen == expenditure
    returned = holds is Holds.NOTHING
    standing = Standing.RETURNED if returned else Standing.ACCEPTED
    assert house.standing(asked) is standing


def test_what_was_paid_less_is_cleared_so(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT, short_fen=30)
    settle(house, papers(house, PAYMENT, short_fen=30), Holds.RECEIPT)
    number = house.issued(PAYMENT)[0].key.number
    rows = ((number, "101", "2010101", 70), (number, "101", "2050202", 250))

    [asked] = house.run(clearing("SQ2026030111", rows))

    assert house.standing(asked) is Standing.ACCEPTED
    assert house.issued(CLEARING_ORDER)[0].form.fen("pay_amt_fen") == 320


def test_payments_of_a_clearing_that_was_not_done_are_applied_for_again(
    house: House,
) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    number = house.issued(PAYMENT)[0].key.number
    rows = ((number, "101", "2010101", 100), (number, "101", "2050202", 250))
    house.run(clearing("SQ2026030111", rows))
    house.answered(CLEARING_ORDER, short_fen=350)
    found = papers(house, CLEARING_ORDER, short_fen=350)
    with pytest.raises(ValueError, match="未逐笔列明"):
        done(found, Holds.RECEIPT)

    settle(house, found, Holds.NOTHING)
    house.run(clearing("SQ2026030112", rows))

    assert house.state(CLEARING_ORDER, 1) is OutboxState.SENT
    assert house.totals.cleared_fen == 0


def test_the_copy_of_a_refund_that_differed_gives_the_allotment_back(
    house: House,
) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    number = house.issued(PAYMENT)[0].key.number
    paper = refund("TK1", ((number, "101", "2010101", -40),))
    digest = house.copied(paper, short_fen=1)
    assert house.left("2010101") == 400
    assert len(house.findings()) == 1
    with house.books.reading() as session:
        reference = replace(house.entries(PAYMENT)[0].reference, key=paper.key)
        assert session.get_one(Receipted, digest).day == DAY
    receipt = Receipt(voucher=reference, by="x", form=filled(paper, DAY, short_fen=1))

    settle(house, Papers(paper, receipt), Holds.VOUCHER)

    assert house.left("2010101") == 440
    assert house.findings() == []
    with house.books.reading() as session:
        booked = session.query(Posting).filter_by(digest=digest, title=Title.SINGLE)
        assert [one.amount_fen for one in booked] == [40]


def test_what_waits_for_a_person_is_told(short: House) -> None:
    short.allot()
    short.turn()
    short.given_back(DIRECT_QUOTA)
    found = papers(short, APPROPRIATION, short_fen=100)
    reference = short.entries(APPROPRIATION)[0].reference
    terms = Terms(about=reference, holds=Holds.VOUCHER, reason="已核对")
    person = short.reviewers[0].person
    with short.books.writing() as session:
        assert not agree(session, terms, person, short.day)
    next_day(short)

    told = alerts(short)

    assert f"凭证{found.voucher.key}的差错处理待另一人确认：已核对" in told
    assert "凭证ZE2026000001被退回，其他接收方尚未退回：账号不存在" in told
