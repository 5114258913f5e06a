"""What a person has to look at: differences, what came back, what is late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business import recalls, settlements
from counterfoil.business.tables import (
    GIVEN_BACK,
    InboxEntry,
    InboxState,
    OutboxEntry,
    OutboxState,
)
from counterfoil.business.working_days import WorkingDays, YearUnknown
from counterfoil.finance.kinds import (
    Office,
)
from counterfoil.finance.lists import unlisted_before
from counterfoil.finance.overdue import Deadlines
from counterfoil.finance.tables import Finding


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks through the books for what a person has to look at.

    Attributes:
        office: Who we are.
        calendar: Which days are working days.
    """

    office: Office
    calendar: WorkingDays

    def alerts(self, session: Session, today: str) -> Iterator[str]:
        """Yield what is to be looked at on a day, in Chinese; nothing if nothing is."""
        yield from differences(session)
        yield from given_back(session)
        yield from recalls.told(session, today)
        yield from settlements.half(session)
        yield from not_listed(session, today)
        try:
            yield from Deadlines(self.office, self.calendar).late(session, today)
        except YearUnknown as error:
            yield str(error)


def differences(session: Session) -> Iterator[str]:
    """Yield where a receipt or a paper does not agree, or the gateway refused."""
    for entry in session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.state.in_((OutboxState.DIFFERS, OutboxState.REFUSED)))
        .order_by(OutboxEntry.id)
    ):
        refused = entry.state is OutboxState.REFUSED
        what = "未能发出" if refused else "回单不符"
        yield f"凭证{entry.number}{what}：{entry.note}"
    for stopped in session.scalars(
        select(InboxEntry)
        .where(InboxEntry.state == InboxState.STOPPED)
        .order_by(InboxEntry.number)
    ):
        yield f"凭证{stopped.number}办理中断：{stopped.note}"
    for finding in session.scalars(select(Finding).order_by(Finding.day, Finding.name)):
        yield f"{finding.name}：{finding.text}"


def given_back(session: Session) -> Iterator[str]:
    """Yield what came back to us and was not issued again.

    What was made from another's voucher went back to whom it came from.
    """
    came_back = session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.state.in_(GIVEN_BACK), OutboxEntry.cause == b"")
        .order_by(OutboxEntry.id)
    ).all()
    for entry in came_back:
        newest = select(func.max(OutboxEntry.issue)).where(
            OutboxEntry.type_code == entry.type_code,
            OutboxEntry.number == entry.number,
            OutboxEntry.fiscal_year == entry.fiscal_year,
        )
        if session.scalar(newest) == entry.issue:
            yield f"凭证{entry.number}被退回未重开：{entry.note}"


def not_listed(session: Session, today: str) -> Iterator[str]:
    """Yield why the lists of days that are over were not made."""
    for listing in unlisted_before(session, today):
        for hindrance in listing.hindrances:
            yield f"{listing.day}清单未生成：{hindrance}"
