"""The bank's program dies at each step, is started again, and has lost nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from counterfoil.bank import clearing, refunds
from counterfoil.bank.kinds import (
    APPLICATION,
    AUTHORISED_REFUND,
    DETAIL,
    ENTRY_NOTICE,
    REFUND_APPLICATION,
    REFUND_MATCH,
)
from counterfoil.business.tables import OutboxState
from counterfoil.domain.standing import Standing
from tests.unit.bank.bank_house import BankHouse
from tests.unit.bank.papers import (
    FINANCE_ACCOUNT,
    TOTAL,
    UNIT,
    UNIT_ACCOUNT,
    authorised_payment,
    direct_payment,
)
from tests.unit.office.dying_desk import Crash

CALLS = [
    "accept",
    "begin_acting",
    "end_acting",
    "issue_receipt",
    "submit",
    "write",
    "review",
    "seal",
    "acknowledge",
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", CALLS)
def test_everything_happens_once_wherever_the_program_dies(
    house: BankHouse, at: str, when: str
) -> None:
    house.dies = (at, when)
    digests = house.pay(direct_payment("D1"), authorised_payment("U1"))

    house.apply()
    house.turn()
    for number in house.applied(APPLICATION):
        house.clear(number)
    refund = house.refund("U1", "U1-0", 40)
    house.answer("TP00000001-1", {"x_check_result": "0"}, by=UNIT)
    house.clear("TH202603011021201")

    assert house.crashes
    assert {house.desk.standings[one] for one in digests} == {Standing.RECEIPTED}
    assert house.core.times_paid() == (2, 2 * TOTAL)
    done = house.totals()
    assert (done.paid, done.cleared, done.refunded) == (2, 2, 1)
    assert (done.paid_fen, done.cleared_fen, done.refunded_fen) == (700, 700, 40)
    assert house.balance_fen(FINANCE_ACCOUNT) == house.balance_fen(UNIT_ACCOUNT) == 0
    kinds = (APPLICATION, DETAIL, REFUND_MATCH, REFUND_APPLICATION, AUTHORISED_REFUND)
    assert [len(house.applied(kind)) for kind in kinds] == [2, 2, 1, 1, 1]
    # What the gateway holds of ours: the notices of both payments, and the negative.
    held = Counter(one.key.type_code for one in house.desk.issued.vouchers.values())
    assert held[ENTRY_NOTICE] == 3
    assert held[APPLICATION] == held[DETAIL] == 2
    assert house.issued_state(refund.number) is OutboxState.SENT


@pytest.mark.parametrize("what", ["detail_of", "plan"])
def test_an_application_is_planned_whole_or_not_at_all(
    house: BankHouse, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    [digest] = house.pay(direct_payment("D1"))

    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(clearing, what, dies)
        with pytest.raises(Crash):
            house.apply()
    assert house.payment(digest).application is None
    assert house.applied(APPLICATION) == house.applied(DETAIL) == []

    assert house.apply() == 1


def test_money_that_came_back_is_noted_with_its_question_or_not_at_all(
    house: BankHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.pay(direct_payment("D1"))

    def dies(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(refunds, "plan", dies)
        with pytest.raises(Crash):
            house.refund("D1", "D1-0", 100)

    house.refund("D1", "D1-0", 100)
    assert house.applied(REFUND_MATCH) == ["TP00000001-1"]


def test_a_crash_in_the_midst_of_booking_a_receipt_clears_nothing_yet(
    house: BankHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = house.pay(direct_payment("D1"), direct_payment("D2"))
    house.apply()
    house.turn()

    def dies(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(clearing, "apply_for_refunds", dies)
        with pytest.raises(Crash):
            house.clear("SQ202603011101")
    assert {house.payment(one).cleared for one in digests} == {""}
    assert house.totals().cleared == 0

    house.turn()
    assert house.totals().cleared_fen == 2 * TOTAL
