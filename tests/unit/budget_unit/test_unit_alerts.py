"""What is late, or a person has to look at."""

from __future__ import annotations

from datetime import date

import pytest

from counterfoil.business.tables import InboxEntry, InboxState, OutboxEntry, OutboxState
from counterfoil.business.working_days import WorkingDays, YearUnknown
from counterfoil.domain.refusals import SealForged
from counterfoil.unit.alerts import alerts
from tests.unit.budget_unit.papers import DAY, entry, item, statement
from tests.unit.budget_unit.test_unit_notices import paid
from tests.unit.budget_unit.unit_house import UnitHouse


def found(house: UnitHouse, today: date) -> list[str]:
    with house.books.reading() as session:
        return list(alerts(session, WorkingDays(), today))


@pytest.mark.clause("hubei-29.4")
def test_a_statement_that_is_not_answered_in_two_working_days_is_told(
    house: UnitHouse,
) -> None:
    paid(house)
    waiting = statement("DZ1", (), pack=(1, 2))
    digest = house.come(waiting)
    with house.books.writing() as session:
        # A Thursday: the second working day after it is Monday.
        session.get_one(InboxEntry, digest).arrived = "20260402"

    # Monday the 6th is Tomb-Sweeping Day.
    assert found(house, date(2026, 4, 7)) == []
    assert found(house, date(2026, 4, 8)) == ["对账单DZ1应于20260407前反馈，尚未反馈"]


@pytest.mark.clause("hubei-29.4")
def test_a_month_with_payments_whose_statement_does_not_come_is_told(
    house: UnitHouse,
) -> None:
    number = paid(house)

    assert found(house, date(2026, 4, 2)) == []
    assert found(house, date(2026, 4, 3)) == [
        "420000-102的202603月对账单应于20260402前发送，尚未收到"
    ]
    house.come(statement("DZ1", (("8202", number, 4_000, DAY),)))
    assert found(house, date(2026, 4, 3)) == []


def test_a_year_that_nobody_knows_is_not_guessed(house: UnitHouse) -> None:
    number = house.pay()
    house.turn()
    house.come(
        entry("RZ1", house.rows_of(number), original=("8202", number), day="20981231")
    )

    with pytest.raises(YearUnknown):
        found(house, date(2099, 1, 4))


def test_what_stopped_differs_or_was_not_taken_is_told(house: UnitHouse) -> None:
    number, differs = house.pay(item(10)), house.pay(item(20))
    house.turn()
    stopped = house.desk.arrive(
        entry("RZ1", house.rows_of(number), original=("8202", number))
    )
    house.desk.refuse(stopped, SealForged("no"))
    house.turn()
    assert house.state(stopped) is InboxState.STOPPED
    with house.books.writing() as session:
        for one in session.query(OutboxEntry):
            one.state = (
                OutboxState.DIFFERS if one.number == differs else OutboxState.REFUSED
            )
            one.note = "原因"

    told = found(house, date(2026, 3, 2))

    assert told[0].startswith("收到的凭证RZ1办理中止：SEAL_FORGED")
    assert told[1:] == [f"凭证{number}未能发出：原因", f"凭证{differs}回单不符：原因"]
