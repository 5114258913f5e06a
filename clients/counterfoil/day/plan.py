"""How much happens in the day: one number scales all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from counterfoil.business.deadlines import answer_due, statement_due
from counterfoil.business.working_days import WorkingDays, YearUnknown
from counterfoil.day.cast import UNITS

SPECIAL: Final = ("reject", "return", "discard", "correct", "unknown")
"""What happens to the first files of the day, in this order."""
FILES_MIN: Final = len(SPECIAL) + 5
"""Fewest files that still have one of every fate, and some without."""
FILES_MAX: Final = 1_000
"""National files that finance has at most, if nobody says otherwise."""
VOUCHERS_MIN: Final = 40
"""Fewest payments that leave something for every flow."""

_INCOMES: Final = 20
_REFUND_SHARE: Final = 50
_REFUNDS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to happen in a day.

    Attributes:
        vouchers: Payments (5201 and 8202) in all.
        files: How many of them finance has as national files (5201).
        broken: Broken files on top.
        seed: Fixes every byte of it.
        day: The last day of a month, so that the next morning its statements are due.
    """

    vouchers: int
    files: int
    broken: int
    seed: int
    day: date

    @property
    def morning(self) -> date:
        """The day after."""
        return self.day + timedelta(days=1)

    @property
    def calendar(self) -> WorkingDays:
        """The working days that all parties go by.

        Of a year whose holidays nobody has said yet a rehearsal has none.
        """
        years = (self.day.year, self.day.year + 1)
        return WorkingDays(known=frozenset(one for one in years if not _is_told(one)))

    @property
    def overdue(self) -> date:
        """The first day on which a statement of the month is late."""
        return statement_due(self.day, self.calendar) + timedelta(days=1)

    @property
    def settled(self) -> date:
        """The first day on which an answer to what was sent late is late."""
        return answer_due(self.overdue, self.calendar) + timedelta(days=1)

    @property
    def of_unit(self) -> int:
        """Payments that each unit asks for: direct ones, and authorised ones."""
        return (self.vouchers - self.files) // len(UNITS)

    @property
    def incomes(self) -> int:
        """Entries of income at the treasury."""
        return _INCOMES

    @property
    def refunds(self) -> int:
        """Payments that each bank gets money back of."""
        return min(_REFUNDS_MAX, max(2, self.vouchers // _REFUND_SHARE))


def last_month_end(today: date) -> date:
    """Return the last day of the newest month that can be rehearsed to its end.

    Its statements would be late by now: no voucher of the rehearsal has a day to come.
    """
    end = today.replace(day=1) - timedelta(days=1)
    while _rehearsal(end).overdue > today:
        end = end.replace(day=1) - timedelta(days=1)
    return end


def _rehearsal(day: date) -> Plan:
    return Plan(vouchers=VOUCHERS_MIN, files=FILES_MIN, broken=0, seed=0, day=day)


def _is_told(year: int) -> bool:
    """Return whether the legal calendar knows a year."""
    try:
        WorkingDays().is_working(date(year, 1, 1))
    except YearUnknown:
        return False
    return True
