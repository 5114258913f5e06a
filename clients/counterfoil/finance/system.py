"""Finance's system at its desk: an inbox, an outbox, and the end of each day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.books import SqlBooks
from counterfoil.business.clerks import Clerks, Clock
from counterfoil.business.days import day_of
from counterfoil.business.inbox import Inbox
from counterfoil.business.outbox import Outbox
from counterfoil.business.outcomes import Tell
from counterfoil.business.turns import Taker, Worker
from counterfoil.business.working_days import WorkingDays
from counterfoil.finance.accounts import register
from counterfoil.finance.alerts import Watch
from counterfoil.finance.issues import issues_of
from counterfoil.finance.kinds import Office
from counterfoil.finance.lists import Listing, plan_list, unlisted_before
from counterfoil.finance.works import works_of
from counterfoil.office import Desk, Receipt, Voucher

LOOK_EVERY: Final = timedelta(seconds=10)
"""How often the books are looked through for what a person has to look at."""


@dataclass(frozen=True, slots=True)
class Closing(Worker):
    """Makes the lists (清单) of the days that are over.

    Attributes:
        office: Who we are.
        books: Our books.
        clock: Says which day it is.
        tell: Is told how many were made.
    """

    office: Office
    books: SqlBooks
    clock: Clock
    tell: Tell

    def work(self) -> None:
        """Plan every list that nothing stands in the way of, the first time.

        One that came back is made again by a person's command: made again by itself,
        it would come back again.
        """
        today = day_of(self.clock())
        with self.books.reading() as session:
            if not _due(session, today):
                return
        with self.books.writing() as session:
            due = _due(session, today)
            for listing in due:
                plan_list(session, self.office, listing, today)
        self.tell("listed", len(due))


def _due(session: Session, today: str) -> list[Listing]:
    return [
        one
        for one in unlisted_before(session, today)
        if not one.hindrances and one.before is None
    ]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Whom to tell of what a person has to look at, and by which calendar.

    Attributes:
        calendar: Which days are working days.
        warn: Is told of each thing once.
    """

    calendar: WorkingDays
    warn: Callable[[str], None]


class Guard(Worker):
    """Looks through the books now and then, and tells what it finds, once.

    Args:
        watch: What looks.
        books: Our books.
        clock: Says which day it is.
        warn: Is told of each thing once.
    """

    def __init__(
        self, watch: Watch, books: SqlBooks, clock: Clock, warn: Callable[[str], None]
    ) -> None:
        self._watch = watch
        self._books = books
        self._clock = clock
        self._warn = warn
        self._told: set[str] = set()
        self._again = datetime.min.replace(tzinfo=UTC)

    def work(self) -> None:
        """Look, if it is time to."""
        now = self._clock()
        if now < self._again:
            return
        self._again = now + LOOK_EVERY
        with self._books.reading() as session:
            found = set(self._watch.alerts(session, day_of(now)))
        for alert in sorted(found - self._told):
            self._warn(alert)
        self._told = found


@dataclass(frozen=True, slots=True, kw_only=True)
class Finance:
    """A finance department's system.

    Attributes:
        office: Who we are.
        desk: The desk at our own gateway.
        clerks: Who writes, reviews and seals there.
        books: Our books.
        clock: Says which day it is.
        tell: Is told how far we are.
        alarm: Whom to tell of what a person has to look at.
    """

    office: Office
    desk: Desk
    clerks: Clerks
    books: SqlBooks
    clock: Clock
    tell: Tell
    alarm: Alarm

    def takers(self) -> tuple[Taker, ...]:
        """Return who takes what comes, in the order in which they work.

        Receipts are booked before a bank's application that names them is looked at.
        """
        party, clock, tell = self.office.party, self.clock, self.tell
        issues, works = issues_of(self.office), works_of(self.office)
        return (
            Outbox(party, self.desk, self.clerks, self.books, issues, clock, tell),
            Inbox(party, self.desk, self.books, works, clock, tell),
            Closing(self.office, self.books, clock, tell),
            Guard(
                Watch(self.office, self.alarm.calendar),
                self.books,
                clock,
                self.alarm.warn,
            ),
        )


def registered(
    session: Session, voucher: Voucher, receipt: Receipt, differences: str
) -> None:
    """Register the receipt of an order of the folder; see `answers.Incoming`."""
    register(session, voucher, receipt, differences, voucher.recipients[0])
