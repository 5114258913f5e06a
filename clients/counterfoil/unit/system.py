"""The whole system at its desk: who takes what arrives, and who issues."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from counterfoil.business.books import SqlBooks
from counterfoil.business.clerks import Clerks
from counterfoil.business.inbox import Inbox
from counterfoil.business.outbox import Outbox
from counterfoil.business.outcomes import Tell
from counterfoil.business.tables import Base as BoxBase
from counterfoil.business.turns import Taker
from counterfoil.office import Desk
from counterfoil.unit.kinds import Office
from counterfoil.unit.tables import Base
from counterfoil.unit.works import issues_of, works_of


def books_at(url: str) -> SqlBooks:
    """Open a unit's books; SQLAlchemy's URL, e.g. `sqlite:///unit.sqlite`."""
    return SqlBooks(url, BoxBase.metadata, Base.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A budget unit's system.

    Attributes:
        office: Who we are.
        desk: The desk at our gateway, or at the one that hosts us.
        clerks: Who writes, reviews and seals there.
        books: Our books.
        clock: Says which day it is.
        tell: Is told how far we are.
    """

    office: Office
    desk: Desk
    clerks: Clerks
    books: SqlBooks
    clock: Callable[[], datetime]
    tell: Tell

    def takers(self) -> tuple[Taker, ...]:
        """Return who takes what comes: answers to ours before what is about them."""
        party, clock, tell = self.office.party, self.clock, self.tell
        works = works_of(self.office)
        return (
            Outbox(party, self.desk, self.clerks, self.books, issues_of(), clock, tell),
            Inbox(party, self.desk, self.books, works, clock, tell),
        )
