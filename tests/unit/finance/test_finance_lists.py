"""Lists: one a day and kind, of receipts that agree, each named once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from counterfoil.business.tables import OutboxState
from counterfoil.finance.kinds import (
    CLEARING_LIST,
    CLEARING_ORDER,
    LISTED,
    PAYMENT,
    REFUND_LIST,
)
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import DAY, application, clearing, refund


@pytest.fixture
def ordering(house: House) -> House:
    """Return finance with two clearing orders, neither answered."""
    house.allot()
    house.run(application("SQ1", (("2010101", 100),)))
    house.run(application("SQ2", (("2010101", 250),)))
    house.answered(PAYMENT, 0)
    house.answered(PAYMENT, 1)
    house.run(clearing("SQ3", (("ZF2026000001", "101", "2010101", 100),)))
    house.run(clearing("SQ4", (("ZF2026000002", "101", "2010101", 250),)))
    return house


def next_day(house: House) -> None:
    house.now += timedelta(days=1)
    house.turn()


@pytest.mark.clause("hubei-27.4")
def test_a_day_that_is_over_is_listed_with_all_its_receipts(ordering: House) -> None:
    ordering.answered(CLEARING_ORDER, 0)
    ordering.answered(CLEARING_ORDER, 1)
    assert ordering.issued(CLEARING_LIST) == []

    next_day(ordering)

    [listing] = ordering.issued(CLEARING_LIST)
    assert listing.key.number == f"QD{DAY}"
    assert listing.form.text("clear_date") == DAY
    assert (listing.form.fen("all_num"), listing.form.fen("all_amt_fen")) == (2, 350)
    assert [
        (row["ori_vt_code"], row["ori_voucher_no"], row["pay_amt_fen"])
        for row in listing.form.rows
    ] == [("5301", "QS2026000001", 100), ("5301", "QS2026000002", 250)]
    assert ordering.state(CLEARING_LIST) is OutboxState.SENT


def test_a_list_waits_for_the_last_receipt_of_its_day(ordering: House) -> None:
    ordering.answered(CLEARING_ORDER, 0)
    next_day(ordering)
    assert ordering.issued(CLEARING_LIST) == []

    ordering.answered(CLEARING_ORDER, 1, day=DAY)
    next_day(ordering)

    [listing] = ordering.issued(CLEARING_LIST)
    assert listing.form.fen("all_num") == 2


def test_a_list_is_not_made_while_a_receipt_of_its_day_differs(
    ordering: House,
) -> None:
    ordering.answered(CLEARING_ORDER, 0)
    ordering.answered(CLEARING_ORDER, 1, short_fen=1)

    next_day(ordering)

    assert ordering.issued(CLEARING_LIST) == []


def test_no_voucher_is_listed_twice_and_no_day_either(ordering: House) -> None:
    ordering.answered(CLEARING_ORDER, 0)
    ordering.answered(CLEARING_ORDER, 1)

    next_day(ordering)
    next_day(ordering)

    assert [len(ordering.issued(kind)) for kind in LISTED] == [1, 0, 0]


def test_each_day_has_a_list_of_its_own(ordering: House) -> None:
    ordering.answered(CLEARING_ORDER, 0)
    ordering.answered(CLEARING_ORDER, 1, day="20260302")

    next_day(ordering)
    next_day(ordering)

    assert [
        (one.key.number, one.form.fen("all_amt_fen"))
        for one in ordering.issued(CLEARING_LIST)
    ] == [("QD20260301", 100), ("QD20260302", 250)]


def test_a_list_that_comes_back_is_not_made_again_by_itself(ordering: House) -> None:
    ordering.answered(CLEARING_ORDER, 0)
    ordering.answered(CLEARING_ORDER, 1)
    next_day(ordering)

    ordering.given_back(CLEARING_LIST, explanation="清单缺少凭证QS9")
    next_day(ordering)

    assert len(ordering.issued(CLEARING_LIST)) == 1


@pytest.mark.clause("hubei-27.5")
def test_the_copies_of_refunds_are_listed(ordering: House) -> None:
    ordering.copied(refund("TK1", (("ZF2026000001", "101", "2010101", -40),)))

    next_day(ordering)

    [listing] = ordering.issued(REFUND_LIST)
    assert [
        (row["ori_vt_code"], row["ori_voucher_no"], row["pay_amt_fen"])
        for row in listing.form.rows
    ] == [("2302", "TK1", -40)]
