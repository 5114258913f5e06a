"""What is late, or a person has to look at, in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.days import read_day, written
from counterfoil.business.deadlines import answer_due, statement_due
from counterfoil.business.tables import (
    InboxEntry,
    InboxState,
    OutboxEntry,
    OutboxState,
)
from counterfoil.business.working_days import WorkingDays
from counterfoil.unit.kinds import STATEMENT
from counterfoil.unit.tables import Check, Posting

_ANSWERED: Final = (
    InboxState.RECEIPTED,
    InboxState.REJECTED,
    InboxState.RETURNED,
    InboxState.VOID,
)
_LOOK: Final = (OutboxState.REFUSED, OutboxState.DIFFERS)


def alerts(session: Session, calendar: WorkingDays, today: date) -> Iterator[str]:
    """Yield what is late on a day, or a person has to look at.

    Raises:
        YearUnknown: The calendar does not know a year that a deadline falls in.
    """
    yield from _unanswered(session, calendar, today)
    yield from _unsent(session, calendar, today)
    for came in session.scalars(
        select(InboxEntry).where(InboxEntry.state == InboxState.STOPPED)
    ):
        yield f"收到的凭证{came.number}办理中止：{came.note}"
    for ours in session.scalars(
        select(OutboxEntry).where(OutboxEntry.state.in_(_LOOK)).order_by(OutboxEntry.id)
    ):
        state = "未能发出" if ours.state is OutboxState.REFUSED else "回单不符"
        yield f"凭证{ours.number}{state}：{ours.note}"


def _unanswered(session: Session, calendar: WorkingDays, today: date) -> Iterator[str]:
    """Yield statements that we have not answered in time.

    Source: Hubei measures, article 29 (4): within two working days.
    """
    for entry in session.scalars(
        select(InboxEntry)
        .where(InboxEntry.type_code == STATEMENT, InboxEntry.state.not_in(_ANSWERED))
        .order_by(InboxEntry.number)
    ):
        due = answer_due(read_day(entry.arrived), calendar)
        if today > due:
            yield f"对账单{entry.number}应于{written(due)}前反馈，尚未反馈"


def _unsent(session: Session, calendar: WorkingDays, today: date) -> Iterator[str]:
    """Yield months with payments whose statement our bank has not sent in time.

    Source: Hubei measures, article 29 (4): two working days after a month's end.
    """
    days = session.execute(select(Posting.bank, Posting.day).distinct())
    checked = session.execute(select(Check.bank, Check.month).distinct())
    waiting = session.scalars(
        select(InboxEntry.issuer).where(
            InboxEntry.type_code == STATEMENT, InboxEntry.state.not_in(_ANSWERED)
        )
    )
    there, under_way = set(checked), set(waiting)
    for bank, month in sorted({(bank, day[:6]) for bank, day in days} - there):
        due = statement_due(_month_end(month), calendar)
        if today > due and bank not in under_way:
            yield f"{bank}的{month}月对账单应于{written(due)}前发送，尚未收到"


def _month_end(month: str) -> date:
    """Return the last day of a month, `yyyymm`."""
    first = read_day(f"{month}01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
