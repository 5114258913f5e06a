"""Statements that were not sent, or not answered, in time.

Source: Hubei measures, article 29 (1) and (2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.days import read_day
from counterfoil.business.deadlines import answer_due, report_due, statement_due
from counterfoil.business.inbox import voucher_of
from counterfoil.business.outbox import OPEN
from counterfoil.business.tables import (
    InboxEntry,
    InboxState,
    OutboxEntry,
    OutboxState,
)
from counterfoil.business.working_days import WorkingDays
from counterfoil.finance import accounts
from counterfoil.finance.entries import Title
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    BALANCE_REPORT,
    EXPENDITURE_STATEMENT,
    REVENUE_STATEMENT,
    Office,
)
from counterfoil.finance.statements import Month, statements_of
from counterfoil.finance.tables import Posting

_NAMES: Final = {
    BALANCE_REPORT: "库存日报表",
    REVENUE_STATEMENT: "收入报表对账",
    EXPENDITURE_STATEMENT: "支出报表对账",
}
_ANSWERED: Final = frozenset(
    {InboxState.TAKEN, InboxState.RECEIPTED, InboxState.REJECTED, InboxState.RETURNED}
)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Looks for statements that are late, ours and others'.

    Attributes:
        office: Who we are.
        calendar: Which days are working days.
    """

    office: Office
    calendar: WorkingDays

    def late(self, session: Session, today: str) -> Iterator[str]:
        """Yield the statements that were not sent, or not answered, in time.

        Source: Hubei measures, article 29 (1) and (2).

        Raises:
            YearUnknown: Nobody has said which days of a year are holidays.
        """
        now = read_day(today)
        for month in _months(session, today):
            yield from self._late_from_us(session, month, now)
            yield from self._late_from_treasury(session, month, now)
        yield from self._unanswered_by_banks(session, now)
        yield from self._unanswered_by_us(session, now)

    def _late_from_us(self, session: Session, month: Month, now: date) -> Iterator[str]:
        if now <= statement_due(read_day(month.last), self.calendar):
            return
        for statement in statements_of(session, self.office, month):
            key = statement.key
            sent = select(OutboxEntry.id).where(
                OutboxEntry.type_code == AGENCY_STATEMENT,
                OutboxEntry.number == key.number,
                OutboxEntry.state != OutboxState.PLANNED,
            )
            if session.scalar(sent.limit(1)) is None:
                yield f"{month.name}对账单{key.number}逾期未发"

    def _late_from_treasury(
        self, session: Session, month: Month, now: date
    ) -> Iterator[str]:
        if now <= report_due(read_day(month.last), self.calendar):
            return
        missing = _expected(session, month) - _came(session, month)
        for type_code in sorted(missing):
            yield f"{month.name}{_NAMES[type_code]}逾期未到"

    def _unanswered_by_banks(self, session: Session, now: date) -> Iterator[str]:
        open_ = session.scalars(
            select(OutboxEntry)
            .where(OutboxEntry.type_code == AGENCY_STATEMENT)
            .where(OutboxEntry.state.in_(OPEN))
            .order_by(OutboxEntry.id)
        )
        for entry in open_:
            if now > answer_due(read_day(entry.planned), self.calendar):
                yield f"对账单{entry.number}逾期未答复"

    def _unanswered_by_us(self, session: Session, now: date) -> Iterator[str]:
        stated = session.scalars(
            select(InboxEntry)
            .where(InboxEntry.type_code.in_(_NAMES))
            .where(InboxEntry.state.not_in(_ANSWERED))
            .order_by(InboxEntry.number)
        )
        for entry in stated:
            if now > answer_due(read_day(entry.arrived), self.calendar):
                yield f"{_NAMES[entry.type_code]}{entry.number}逾期未答复"


def _months(session: Session, today: str) -> Iterator[Month]:
    """Yield the months that are over, from our first posting on."""
    first = session.scalar(select(func.min(Posting.day)))
    while first and (month := Month.named(first[:6])).last < today:
        yield month
        first = f"{read_day(month.last) + timedelta(days=1):%Y%m%d}"


def _expected(session: Session, month: Month) -> set[int]:
    """Return what the treasury has to send for a month, as far as our books tell."""
    year = f"{month.last[:4]}0101"
    expected = {BALANCE_REPORT}
    if accounts.by_place(session, Title.REVENUE, since=year, until=month.last):
        expected.add(REVENUE_STATEMENT)
    if accounts.paid_out(session, since=year, until=month.last):
        expected.add(EXPENDITURE_STATEMENT)
    return expected


def _came(session: Session, month: Month) -> set[int]:
    """Return what the treasury has sent for a month."""
    stated = session.scalars(
        select(InboxEntry).where(
            InboxEntry.type_code.in_(_NAMES), InboxEntry.arrived >= month.last
        )
    )
    return {
        entry.type_code
        for entry in stated
        if month.last
        in {
            (form := voucher_of(entry).form).text("end_date"),
            form.text("acct_date"),
        }
    }
