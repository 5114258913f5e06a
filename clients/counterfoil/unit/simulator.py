"""The simulator: enters invented allotments and requests, some in every turn.

A seed fixes everything, and what was entered is known by its place: started again, the
simulator goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select

from counterfoil.business.books import SqlBooks
from counterfoil.business.days import day_of
from counterfoil.business.outcomes import Tell
from counterfoil.business.turns import Worker
from counterfoil.unit import allotments
from counterfoil.unit.invented import plan, wish
from counterfoil.unit.kinds import Office
from counterfoil.unit.requests import enter_each
from counterfoil.unit.tables import Request
from counterfoil.unit.wishes import BeyondAllotment, Wish

BATCH: Final = 128
"""Requests that are entered in one turn."""


@dataclass(slots=True, kw_only=True)
class Simulator(Worker):
    """Enters invented requests, some in every turn.

    Attributes:
        office: Who we are.
        books: Our books.
        clock: Says which day it is.
        tell: Is told how many were entered, and how many the allotments did not allow.
        seed: Fixes everything.
        count: How many requests there are.
        counter_share: How many of the authorised payments go to the counter, 0 to 1.
    """

    office: Office
    books: SqlBooks
    clock: Callable[[], datetime]
    tell: Tell
    seed: int
    count: int
    counter_share: float = 0.0
    _next: int = field(default=0, init=False)

    def work(self) -> None:
        """Enter the next requests; in the first turn, the allotments."""
        if self._next and self.is_at_rest():
            return
        day = day_of(self.clock())
        with self.books.writing() as session:
            if not self._next:
                allotments.enter(session, plan(self.seed, int(day[:4])))
            wishes = list(self._batch())
            known = set(
                session.scalars(
                    select(Request.origin).where(
                        Request.origin.in_([one.origin for one in wishes])
                    )
                )
            )
            new = [one for one in wishes if one.origin not in known]
            asked = enter_each(session, self.office, new, day)
        short = sum(isinstance(one, BeyondAllotment) for one in asked)
        for what, number in (("entered", len(asked) - short), ("short", short)):
            if number:
                self.tell(what, number)

    def is_at_rest(self) -> bool:
        """Tell whether everything was entered."""
        return self._next >= self.count

    def _batch(self) -> Iterator[Wish]:
        until = min(self._next + BATCH, self.count)
        for place in range(self._next, until):
            yield wish(self.seed, place, self.counter_share)
        self._next = until
