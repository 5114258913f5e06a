"""The whole system at its desk: who takes what arrives, and who issues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from counterfoil.business.clerks import Clerks
from counterfoil.business.days import day_of
from counterfoil.business.outbox import Outbox
from counterfoil.business.outcomes import Tell
from counterfoil.business.tables import OutboxState
from counterfoil.business.turns import Taker
from counterfoil.business.works import Issue
from counterfoil.office import Desk, Voucher
from counterfoil.treasury import closing
from counterfoil.treasury.books import Books
from counterfoil.treasury.clerk import Clerk
from counterfoil.treasury.issuing import issue, newest
from counterfoil.treasury.kinds import (
    BALANCE_REPORT,
    EXPENDITURE_REPORT,
    REVENUE_REPORT,
    Office,
)
from counterfoil.treasury.reports import reports_of

_ISSUES: Final = {
    REVENUE_REPORT: Issue(),
    BALANCE_REPORT: Issue(),
    EXPENDITURE_REPORT: Issue(),
}
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
    """

    office: Office
    desk: Desk
    books: Books
    clock: Callable[[], datetime]
    tell: Tell

    def takers(self) -> tuple[Taker, ...]:
        """Return who takes what arrives; the first that wants it."""
        return (self.outbox(), self.clerk())

    def clerk(self) -> Clerk:
        """Return who acts on vouchers."""
        return Clerk(self.office, self.desk, self.books, self.clock, self.tell)

    def outbox(self) -> Outbox:
        """Return who issues; none of our kinds has a person's seal."""
        return Outbox(
            party=self.office.party,
            desk=self.desk,
            clerks=Clerks(self.desk, (), self.clock),
            books=self.books,
            issues=_ISSUES,
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
        with self.books.writing() as session:
            closing.close(session, day, self.today())
            reports = reports_of(session, self.office, day)
            issue(session, reports, self.today())
        return self._send(reports, "reported")

    def _send(self, vouchers: Sequence[Voucher], what: str) -> list[str]:
        """Send what is planned; return which of these vouchers were not sent."""
        self.outbox().work()
        with self.books.reading() as session:
            entries = [newest(session, one) for one in vouchers]
        left = [one for one in entries if one is not None and one.state in _NOT_SENT]
        self.tell(what, len(vouchers) - len(left))
        return [f"{one.key}: {one.note or 'not sent yet'}" for one in left]
