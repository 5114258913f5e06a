"""The whole system at its desk: who takes what arrives, and who issues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.clerks import Clerks
from counterfoil.business.days import day_of
from counterfoil.business.inbox import Inbox
from counterfoil.business.outbox import Outbox
from counterfoil.business.outcomes import Tell
from counterfoil.business.tables import OutboxState
from counterfoil.business.turns import Taker
from counterfoil.business.working_days import WorkingDays
from counterfoil.office import Desk, Voucher
from counterfoil.treasury import alerts, closing
from counterfoil.treasury.answers import Reply, Stated
from counterfoil.treasury.books import Books
from counterfoil.treasury.clerk import Clerk
from counterfoil.treasury.daily_checks import CheckReply, checks_of
from counterfoil.treasury.details import ClearingDetail
from counterfoil.treasury.issuing import issue, newest
from counterfoil.treasury.kinds import (
    ANSWERED,
    BANK_CHECK_REPLY,
    CLEARING_DETAIL,
    EXPENDITURE_REPLY,
    FINANCE_CHECK_REPLY,
    QUOTA_STATEMENT,
    REPORTS,
    REVENUE_REPLY,
    Office,
)
from counterfoil.treasury.overdue import Overdue, Watch
from counterfoil.treasury.periods import month_of
from counterfoil.treasury.quota_statements import QuotaStatements
from counterfoil.treasury.reports import reports_of
from counterfoil.treasury.statements import of_month

_NOT_SENT: Final = frozenset({OutboxState.PLANNED, OutboxState.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A treasury's system.

    Attributes:
        office: Who we are.
        desk: The desk at our own gateway.
        books: Our books.
        clock: Says which day it is.
        tell: Is told how far we are.
        warn: Is told what a person must know.
        calendar: The legal working days.
    """

    office: Office
    desk: Desk
    books: Books
    clock: Callable[[], datetime]
    tell: Tell
    warn: Callable[[str], None]
    calendar: WorkingDays = field(default_factory=WorkingDays)

    def takers(self) -> tuple[Taker, ...]:
        """Return who takes what arrives, the first that wants it; the watch is last."""
        watch = Watch(self.books, self.overdue(), self.clock, self.warn)
        return (self.outbox(), self.clerk(), self.inbox(), watch)

    def overdue(self) -> Overdue:
        """Return who knows what is late."""
        return Overdue(self.office, self.calendar)

    def clerk(self) -> Clerk:
        """Return who acts on vouchers."""
        return Clerk(self.office, self.desk, self.books, self.clock, self.tell)

    def inbox(self) -> Inbox:
        """Return who books and answers what is no order to pay."""
        office, checks = self.office, CheckReply(self.office)
        return Inbox(
            party=office.party,
            desk=self.desk,
            books=self.books,
            works={
                REVENUE_REPLY: Reply(),
                EXPENDITURE_REPLY: Reply(),
                FINANCE_CHECK_REPLY: checks,
                BANK_CHECK_REPLY: checks,
                QUOTA_STATEMENT: QuotaStatements(office),
                CLEARING_DETAIL: ClearingDetail(office),
            },
            clock=self.clock,
            tell=self.tell,
        )

    def outbox(self) -> Outbox:
        """Return who issues; none of our kinds has a person's seal."""
        stated = Stated(self.clock)
        return Outbox(
            party=self.office.party,
            desk=self.desk,
            clerks=Clerks(self.desk, (), self.clock),
            books=self.books,
            issues=dict.fromkeys(REPORTS | ANSWERED, stated),
            clock=self.clock,
            tell=self.tell,
        )

    def today(self) -> str:
        """Return the day in China, `yyyymmdd`."""
        return day_of(self.clock())

    def report(self, day: str) -> list[str]:
        """Close a day and send its reports; again, it changes nothing.

        Source: Hubei measures, article 25, 1.

        Args:
            day: In China, `yyyymmdd`.

        Returns:
            What was not sent, and why; a running system sends what only waits.

        Raises:
            ValueError: The day has not come yet.
            OfficeError: The gateway cannot be reached.
        """
        return self._issue(day, lambda session: reports_of(session, self.office, day))

    def state_month(self, name: str) -> list[str]:
        """Close a month and send its statements; again, it changes nothing.

        Source: Hubei measures, article 29 (1) and (3).

        Args:
            name: The month, `yyyymm`.

        Returns:
            As `report`.

        Raises:
            ValueError: It is no month, or not over yet.
            OfficeError: The gateway cannot be reached.
        """
        month, today = month_of(name), self.today()
        if month.last >= today:
            msg = f"{name} is not over on {today}"
            raise ValueError(msg)
        overdue = self.overdue()

        def statements(session: Session) -> list[Voucher]:
            made = of_month(session, self.office, month)
            for voucher in made:
                late = overdue.sent_late(voucher, month, today)
                if late and newest(session, voucher) is None:
                    alerts.note(session, today, late)
            return made

        return self._issue(month.last, statements)

    def check_day(self, day: str) -> list[str]:
        """Close a day and send its checks (凭证对账); again, it changes nothing.

        Source: Hubei measures, article 21.

        Args:
            day: In China, `yyyymmdd`.

        Returns:
            As `report`.

        Raises:
            ValueError: The day has not come yet.
            OfficeError: The gateway cannot be reached.
        """
        return self._issue(day, lambda session: checks_of(session, self.office, day))

    def _issue(
        self, day: str, make: Callable[[Session], Sequence[Voucher]]
    ) -> list[str]:
        """Close a day and issue what is made of it; return what was not sent."""
        with self.books.writing() as session:
            closing.close(session, day, self.today())
            vouchers = make(session)
            issue(session, vouchers, self.today())
        self.outbox().work()
        with self.books.reading() as session:
            entries = [newest(session, one) for one in vouchers]
        left = [one for one in entries if one is not None and one.state in _NOT_SENT]
        self.tell("reported", len(vouchers) - len(left))
        return [f"{one.key}: {one.note or 'not sent yet'}" for one in left]
