"""How much happens in the day: one number scales all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

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
    """Return the last day of the month before today's."""
    return today.replace(day=1) - timedelta(days=1)
