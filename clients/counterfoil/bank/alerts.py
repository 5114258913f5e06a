"""What is late, or waits for a person: above all statements by their deadlines.

Source: Hubei measures, article 29 (2) to (4).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.bank.journal import Payment, State
from counterfoil.bank.kinds import (
    AGENCY_STATEMENT,
    CHECK,
    QUOTA_STATEMENT,
    TREASURY_STATEMENT,
    UNIT_STATEMENT,
    Office,
)
from counterfoil.bank.statements import month_end, statements_of
from counterfoil.bank.tables import Entry, QuotaChange
from counterfoil.business import recalls, settlements
from counterfoil.business.days import read_day, written
from counterfoil.business.deadlines import answer_due, statement_due
from counterfoil.business.tables import (
    InboxEntry,
    InboxState,
    OutboxEntry,
    OutboxState,
)
from counterfoil.business.working_days import WorkingDays

_OURS = (QUOTA_STATEMENT, UNIT_STATEMENT)
_ASKED = (AGENCY_STATEMENT, TREASURY_STATEMENT, CHECK)
_SENT = (OutboxState.SENT, OutboxState.ACCEPTED)
_NOT_SENT = (OutboxState.PLANNED, OutboxState.REFUSED)
_WRONG = (OutboxState.REFUSED, OutboxState.DIFFERS)
_OPEN = (
    InboxState.READ,
    InboxState.FIT,
    InboxState.ACCEPTED,
    InboxState.BEGUN,
    InboxState.BOOKED,
    InboxState.ACTED,
    InboxState.STOPPED,
)


def alerts(
    session: Session, office: Office, today: date, calendar: WorkingDays
) -> Iterator[str]:
    """Yield what is late on a day or wants a person, in Chinese; nothing if nothing.

    1. Of every month that is over: statements of ours that were not sent.
    2. Statements of ours that nobody answered.
    3. Statements of others that we did not answer.
    4. Whatever stopped, was refused, or was answered otherwise than we sent it.
    5. What came back from one of its recipients and another still holds.
    6. What only one of two persons has settled.

    Args:
        session: The books.
        office: Who we are.
        today: In China.
        calendar: Which days are working days.

    Raises:
        YearUnknown: The calendar does not know a year that a deadline is in.
    """
    for month in _months(session, today):
        due = statement_due(month_end(month), calendar)
        if today > due:
            yield from _unsent(session, office, month, today)
    for sent in session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.type_code.in_(_OURS), OutboxEntry.state.in_(_SENT))
        .order_by(OutboxEntry.number)
    ):
        if today > answer_due(read_day(sent.planned), calendar):
            yield f"对账单{sent.number}未按期反馈"
    for came in session.scalars(
        select(InboxEntry)
        .where(InboxEntry.type_code.in_(_ASKED), InboxEntry.state.in_(_OPEN))
        .order_by(InboxEntry.number)
    ):
        if today > answer_due(read_day(came.arrived), calendar):
            yield f"对账单{came.number}我方未按期反馈"
    yield from _for_a_person(session)
    yield from recalls.told(session, written(today))
    yield from settlements.half(session)


def _unsent(session: Session, office: Office, month: str, today: date) -> Iterator[str]:
    """Yield what a month's end wants and nobody has been sent.

    All statements of a month are planned together: without any, all are wanted.
    """
    numbers = select(OutboxEntry.number).where(
        OutboxEntry.type_code.in_(_OURS), OutboxEntry.number.like(f"__{month}%")
    )
    if session.scalar(numbers.limit(1)) is None:
        for wanted in statements_of(session, office, month, written(today)):
            yield f"对账单{wanted.key.number}未按期发送"
    for number in session.scalars(
        numbers.where(OutboxEntry.state.in_(_NOT_SENT)).order_by(OutboxEntry.id)
    ):
        yield f"对账单{number}未按期发送"


def _for_a_person(session: Session) -> Iterator[str]:
    """Yield what nothing follows on by itself."""
    for payment in session.scalars(
        select(Payment).filter_by(state=State.STOPPED).order_by(Payment.number)
    ):
        yield f"支付凭证{payment.number}办理中止：{payment.note}"
    for came in session.scalars(
        select(InboxEntry)
        .filter_by(state=InboxState.STOPPED)
        .order_by(InboxEntry.number)
    ):
        yield f"收到的凭证{came.number}办理中止：{came.note}"
    for ours in session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.state.in_(_WRONG))
        .order_by(OutboxEntry.id)
    ):
        what = "未能发出" if ours.state is OutboxState.REFUSED else "回单不符"
        yield f"凭证{ours.number}{what}：{ours.note}"


def _months(session: Session, today: date) -> Iterator[str]:
    """Yield the months that are over, `yyyymm`, from our first booking on."""
    days = [
        day
        for day in (
            session.scalar(select(func.min(Entry.day))),
            session.scalar(select(func.min(QuotaChange.day))),
        )
        if day
    ]
    if not days:
        return
    month = min(days)[:6]
    while (end := month_end(month)) < today:
        yield month
        month = written(end + timedelta(days=1))[:6]
