"""What is late: statements not sent, not answered, not received (逾期)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.days import day_of, read_day, written
from counterfoil.business.deadlines import answer_due, report_due, statement_due
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.business.working_days import WorkingDays, YearUnknown
from counterfoil.office import Arrival, Voucher
from counterfoil.treasury import alerts
from counterfoil.treasury.books import Books, Income, Incoming, QuotaAnswer, Statement
from counterfoil.treasury.kinds import NAMES, QUOTA_STATEMENT, Office
from counterfoil.treasury.periods import Period, months_before
from counterfoil.treasury.quota_figures import moved
from counterfoil.treasury.statements import of_month


@dataclass(frozen=True, slots=True)
class Overdue:
    """Tells what is late, from the books.

    Attributes:
        office: Who we are.
        calendar: The legal working days.
    """

    office: Office
    calendar: WorkingDays

    def told(self, session: Session, today: str) -> list[str]:
        """Return what is late on a day, in Chinese.

        A year whose working days nobody has said yet is told too: then nobody knows.

        Source: Hubei measures, article 29 (1) and (3).

        Args:
            session: The books.
            today: In China, `yyyymmdd`.
        """
        first = _first_day(session)
        if not first:
            return []
        found: list[str] = []
        try:
            for month in months_before(first, today):
                found += self._own(session, month, today)
                found += self._of_banks(session, month, today)
            found += self._our_answers(session, today)
        except YearUnknown as error:
            found.append(f"{error.year}年工作日未知：{error}")
        return found

    def due(self, voucher: Voucher, month: Period) -> date:
        """Return the last day on which a statement of a month is in time.

        Raises:
            YearUnknown: The calendar does not know the year.
        """
        is_report = voucher.recipients == (self.office.finance,)
        deadline = report_due if is_report else statement_due
        return deadline(month.end, self.calendar)

    def sent_late(self, voucher: Voucher, month: Period, today: str) -> str:
        """Return that a statement is sent late today, in Chinese; or nothing."""
        try:
            due = self.due(voucher, month)
        except YearUnknown as error:
            return f"{error.year}年工作日未知：{error}"
        if read_day(today) <= due:
            return ""
        return f"{_named(voucher)}逾期发送：应于{written(due)}前发送"

    def _own(self, session: Session, month: Period, today: str) -> Iterator[str]:
        """Yield which statements of ours are not sent, or not answered, in time."""
        for voucher in of_month(session, self.office, month):
            key = voucher.key
            statement = session.get(Statement, (key.type_code, key.number))
            if statement is None:
                due = self.due(voucher, month)
                if read_day(today) > due:
                    yield f"{_named(voucher)}应于{written(due)}前发送，尚未发送"
            elif not statement.answered:
                due = answer_due(read_day(statement.sent), self.calendar)
                if read_day(today) > due:
                    yield f"{_named(voucher)}应于{written(due)}前答复，尚未答复"

    def _of_banks(self, session: Session, month: Period, today: str) -> Iterator[str]:
        """Yield which banks have not sent their statement of quota in time."""
        due = statement_due(month.end, self.calendar)
        if read_day(today) <= due:
            return
        came = set(
            session.scalars(
                select(QuotaAnswer.issuer).where(QuotaAnswer.last == month.last)
            )
        )
        for party in self.office.bank_parties():
            numbers, year = self.office.numbers_of(party), month.end.year
            known = moved(session, numbers, year, (month.first, month.last))
            if known and party not in came:
                yield (
                    f"{party}的{month.name}{NAMES[QUOTA_STATEMENT]}"
                    f"应于{written(due)}前发送，尚未收到"
                )

    def _our_answers(self, session: Session, today: str) -> Iterator[str]:
        """Yield which statements of banks we have not answered in time."""
        waiting = session.scalars(
            select(InboxEntry)
            .where(InboxEntry.type_code == QUOTA_STATEMENT)
            .where(InboxEntry.state == InboxState.ACCEPTED)
        )
        for entry in waiting:
            due = answer_due(read_day(entry.arrived), self.calendar)
            if read_day(today) > due:
                yield (
                    f"{entry.issuer}的{NAMES[QUOTA_STATEMENT]}{entry.number}"
                    f"应于{written(due)}前答复，分包未齐"
                )


class Watch:
    """Tells people what is noted for them, and each day what is late.

    Args:
        books: Our books.
        overdue: Knows what is late.
        clock: Says which day it is.
        warn: Is told each thing once a day.
    """

    def __init__(
        self,
        books: Books,
        overdue: Overdue,
        clock: Callable[[], datetime],
        warn: Callable[[str], None],
    ) -> None:
        self._books = books
        self._overdue = overdue
        self._clock = clock
        self._warn = warn
        self._day = ""

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Want nothing of what arrives."""
        del arrivals
        return []

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Take nothing of what arrives."""

    def work(self) -> None:
        """Tell what was not told yet; at least once, whatever dies in between."""
        with self._books.reading() as session:
            new = alerts.untold(session)
        for alert in new:
            self._warn(alert.text)
        if new:
            with self._books.writing() as session:
                for alert in new:
                    alert.told = True
                    session.add(alert)
        today = day_of(self._clock())
        if today == self._day:
            return
        with self._books.reading() as session:
            late = self._overdue.told(session, today)
        for text in late:
            self._warn(text)
        self._day = today

    def is_at_rest(self) -> bool:
        """Tell whether everything was told."""
        with self._books.reading() as session:
            return not alerts.untold(session)


def _named(voucher: Voucher) -> str:
    return f"{NAMES[voucher.key.type_code]}{voucher.key.number}"


def _first_day(session: Session) -> str:
    """Return the first day on which anything was booked; empty if nothing was."""
    days = [
        session.scalar(select(func.min(Incoming.day)).where(Incoming.day != "")),
        session.scalar(select(func.min(Income.day))),
    ]
    return min((day for day in days if day), default="")
