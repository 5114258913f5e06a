"""Money that came back: the bank's question, and its notice."""

from __future__ import annotations

import pytest

from counterfoil.domain.standing import Standing
from counterfoil.finance.kinds import PAYMENT
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    OTHER_BANK,
    application,
    refund_match,
    refund_notice,
)

PAID = "ZF2026000001"


@pytest.fixture
def paying(house: House) -> House:
    """Return finance after one direct payment of 350 fen, receipted by the bank."""
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    return house


def result(house: House, digest: bytes) -> tuple[str, str]:
    form = house.told_of(digest).refund_match
    return form.x_check_result, form.x_check_reason


@pytest.mark.clause("hubei-27.5")
def test_what_came_back_of_a_payment_of_ours_is_confirmed(paying: House) -> None:
    [digest] = paying.run(refund_match("TP1", PAID, -350))

    assert paying.standing(digest) is Standing.RECEIPTED
    assert result(paying, digest) == ("0", "")
    assert paying.totals.expenditure_fen == 350, "the ledger waits for the refund"


def test_no_fen_more_than_was_paid_is_confirmed(paying: House) -> None:
    [first] = paying.run(refund_match("TP1", PAID, -300))

    [second] = paying.run(refund_match("TP2", PAID, -51))
    [third] = paying.run(refund_match("TP3", PAID, -50))

    assert result(paying, first) == ("0", "")
    assert result(paying, second) == ("1", "退款超过支付金额0.01元")
    assert result(paying, third) == ("0", "")


def test_what_is_not_ours_is_told_so(paying: House) -> None:
    [unknown] = paying.run(refund_match("TP1", "ZF9", -1))
    [of_another] = paying.run(refund_match("TP1", PAID, -1, issuer=OTHER_BANK))

    assert result(paying, unknown) == ("1", "支付凭证ZF9不是本财政已支付的凭证")
    assert result(paying, of_another)[0] == "1"


def test_a_notice_of_a_refund_is_taken_and_changes_nothing(paying: House) -> None:
    [digest] = paying.run(refund_notice("TZ1", PAID, -40))

    assert paying.standing(digest) is Standing.ACCEPTED
    assert paying.totals.expenditure_fen == 350


@pytest.mark.parametrize(
    ("payment", "fen", "reason"),
    [
        ("ZF9", -40, "支付凭证ZF9不是本财政已支付的凭证"),
        (PAID, -351, "退款金额超过支付金额"),
    ],
)
def test_a_notice_of_what_is_not_ours_is_rejected(
    paying: House, payment: str, fen: int, reason: str
) -> None:
    [digest] = paying.run(refund_notice("TZ1", payment, fen))

    assert paying.standing(digest) is Standing.REJECTED
    assert paying.reason(digest) == reason


def test_nothing_is_confirmed_of_a_payment_whose_receipt_differs(
    house: House,
) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT, short_fen=1)

    [digest] = house.run(refund_match("TP1", PAID, -1))

    assert result(house, digest)[0] == "1"
