"""An application whose receipt differs: what holds of it, people agree."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete

from counterfoil.bank import settlements
from counterfoil.bank.alerts import alerts
from counterfoil.bank.kinds import QUOTA_STATEMENT, UNIT_STATEMENT
from counterfoil.bank.quota import quota_lines
from counterfoil.bank.recompute import booked
from counterfoil.bank.statements import plan_statements
from counterfoil.bank.tables import Entry, RefundState
from counterfoil.business.settlements import (
    Terms,
    agree,
    agree_on_statement,
    differing_statement,
)
from counterfoil.business.tables import Holds, OutboxEntry, OutboxState
from counterfoil.business.working_days import WorkingDays
from tests.unit.bank.bank_house import DAY, BankHouse
from tests.unit.bank.papers import FINANCE_ACCOUNT, OFFICE, TOTAL, UNIT, direct_payment

FIRST = "SQ202603011101"


def settle(house: BankHouse, number: str, holds: Holds) -> None:
    """Let two persons agree, and book what holds."""
    for reviewer in house.reviewers:
        with house.journal.writing() as session:
            entry = settlements.differing(session, number, holds)
            terms = Terms(about=entry.reference, holds=holds, reason="双方已核对")
            if agree(session, terms, reviewer.person, DAY):
                tell = house.system().tell
                settlements.settle(session, OFFICE, entry, holds, tell)
    house.turn()


def unlike(house: BankHouse) -> list[str]:
    with house.journal.reading() as session:
        return list(settlements.unlike_books(session, booked(house.journal)))


def cleared_fen(house: BankHouse) -> int:
    with house.journal.reading() as session:
        lines = quota_lines(session, "420000", 2026, "20260101", "20261231")
        return sum(one.cleared_fen for one in lines.values())


def answered_otherwise(house: BankHouse, result: str = "1") -> str:
    """State a month to a unit, and let it answer; return the statement's number."""
    house.pay(direct_payment("D1"))
    house.apply()
    house.turn()
    house.clear(FIRST)
    house.now = datetime(2026, 4, 1, 4, tzinfo=UTC)
    plan_statements(house.journal, OFFICE, "202603", "20260401")
    house.turn()
    [number] = house.applied(UNIT_STATEMENT)
    answer: dict[str, str | int] = {"x_check_result": result}
    if result == "1":
        answer["x_check_reason"] = "少一笔"
    house.answer(number, answer, by=UNIT)
    for other in house.applied(QUOTA_STATEMENT):
        house.answer(other, {"x_check_result": "0"})
    return number


def told(house: BankHouse) -> list[str]:
    with house.journal.reading() as session:
        return list(alerts(session, OFFICE, date(2026, 4, 1), WorkingDays()))


@pytest.fixture
def differing(house: BankHouse) -> BankHouse:
    """Return a bank whose application has a receipt of one fen too little."""
    house.pay(direct_payment("D1"))
    house.apply()
    house.turn()
    house.clear(FIRST, fen=TOTAL - 1)
    assert house.issued_state(FIRST) is OutboxState.DIFFERS
    return house


@pytest.mark.clause("hubei-34")
def test_what_was_cleared_as_applied_for_is_cleared(differing: BankHouse) -> None:
    settle(differing, FIRST, Holds.VOUCHER)

    assert differing.issued_state(FIRST) is OutboxState.SETTLED
    assert differing.totals().cleared_fen == cleared_fen(differing) == TOTAL
    assert differing.balance_fen(FINANCE_ACCOUNT) == 0
    assert differing.apply() == 0
    assert unlike(differing) == []


@pytest.mark.clause("hubei-34")
def test_what_was_not_cleared_is_applied_for_again(differing: BankHouse) -> None:
    settle(differing, FIRST, Holds.NOTHING)

    assert differing.totals().cleared_fen == cleared_fen(differing) == 0
    assert differing.apply() == 1
    assert unlike(differing) == []


def test_no_part_of_an_application_holds(differing: BankHouse) -> None:
    with pytest.raises(ValueError, match="按凭证办理或未办理"):
        settle(differing, FIRST, Holds.RECEIPT)


def test_an_application_whose_receipt_agrees_is_not_settled(house: BankHouse) -> None:
    house.pay(direct_payment("D1"))
    house.apply()
    house.turn()
    house.clear(FIRST)

    with pytest.raises(ValueError, match="没有回单不符"):
        settle(house, FIRST, Holds.NOTHING)


@pytest.mark.clause("hubei-29.4", "hubei-34", "hubei-36")
@pytest.mark.parametrize("holds", [Holds.VOUCHER, Holds.RECEIPT])
def test_a_statement_that_differs_rests_once_two_persons_found_out_why(
    house: BankHouse, holds: Holds
) -> None:
    """Nothing is booked for it: whoever was wrong issues a correcting voucher."""
    number = answered_otherwise(house)
    before = booked(house.journal)
    assert any(number in one for one in told(house))

    for place, reviewer in enumerate(house.reviewers):
        assert house.issued_state(number) is OutboxState.DIFFERS
        with house.journal.writing() as session:
            found = differing_statement(session, number, settlements.STATEMENTS)
            assert found is not None
            terms = Terms(about=found.reference, holds=holds, reason="漏记退款一笔")
            agreed = agree_on_statement(session, terms, reviewer.person, DAY)
        assert agreed is (place == 1)

    assert house.issued_state(number) is OutboxState.SETTLED
    assert told(house) == []
    assert booked(house.journal) == before
    assert unlike(house) == []
    with house.journal.reading() as session:
        kinds = settlements.STATEMENTS
        assert differing_statement(session, number, kinds) is None


def test_of_a_statement_that_differs_one_side_is_right(house: BankHouse) -> None:
    number = answered_otherwise(house)

    with house.journal.writing() as session:
        found = differing_statement(session, number, settlements.STATEMENTS)
        assert found is not None
        terms = Terms(about=found.reference, holds=Holds.NOTHING, reason="不明")
        with pytest.raises(ValueError, match="一方正确"):
            agree_on_statement(session, terms, house.reviewers[0].person, DAY)

    assert house.issued_state(number) is OutboxState.DIFFERS


def test_a_statement_that_agrees_is_not_settled(house: BankHouse) -> None:
    number = answered_otherwise(house, "0")

    with house.journal.reading() as session:
        kinds = settlements.STATEMENTS
        assert differing_statement(session, number, kinds) is None
        assert differing_statement(session, FIRST, kinds) is None


def test_books_that_do_not_have_what_was_settled_are_told(
    differing: BankHouse,
) -> None:
    settle(differing, FIRST, Holds.VOUCHER)
    with differing.journal.writing() as session:
        entry = session.query(OutboxEntry).filter_by(number=FIRST).one()
        session.execute(delete(Entry).where(Entry.digest == entry.digest))

    assert unlike(differing) == [f"凭证{FIRST}记账与协商处理的结果不符"]


@pytest.mark.parametrize(
    ("holds", "state"),
    [(Holds.VOUCHER, RefundState.REFUNDED), (Holds.NOTHING, RefundState.HELD)],
)
def test_a_refund_is_with_the_treasury_or_applied_for_again(
    house: BankHouse, holds: Holds, state: RefundState
) -> None:
    house.pay(direct_payment("D1"))
    house.apply()
    house.turn()
    house.clear(FIRST)
    refund = house.refund("D1", "D1-1", 40)
    [question] = [one.number for one in house.entries(102207)]
    house.answer(question, {"x_check_result": "0"})
    [applied] = house.applied(2302)
    house.clear(applied, fen=-39)
    assert house.refund_state(refund) is RefundState.APPLIED

    settle(house, applied, holds)

    assert house.refund_state(refund) is state


def test_what_waits_for_a_person_is_told(differing: BankHouse) -> None:
    house = differing
    house.pay(direct_payment("D2"))
    house.apply()
    house.turn()
    house.give_back("SQ202603011102", "不是本财政下达")
    with house.journal.writing() as session:
        entry = settlements.differing(session, FIRST, Holds.VOUCHER)
        terms = Terms(about=entry.reference, holds=Holds.VOUCHER, reason="已核对")
        assert not agree(session, terms, house.reviewers[0].person, DAY)

    with house.journal.reading() as session:
        told = list(alerts(session, OFFICE, date(2026, 3, 2), WorkingDays()))

    assert any(one.endswith("待另一人确认：已核对") for one in told)
    assert "凭证SQ202603011102被退回，其他接收方尚未退回：不是本财政下达" in told
