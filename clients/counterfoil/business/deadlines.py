"""When statements are due, and their answers: pure.

Source: Hubei measures, article 29.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from counterfoil.business.working_days import WorkingDays

STATEMENT_DAYS: Final = 2
"""Working days after a month's end in which statements and reports are sent."""
YEAR_END_DAYS: Final = 5
"""Working days after a year's end in which the treasury's reports are sent."""
ANSWER_DAYS: Final = 2
"""Working days after arrival in which a statement is answered."""

_DECEMBER: Final = 12


def report_due(month_end: date, calendar: WorkingDays) -> date:
    """Return the last day on which the treasury's reports of a month are in time.

    Source: Hubei measures, article 29 (1): two working days after a month's end, five
    after a year's.

    Raises:
        YearUnknown: The calendar does not know the year.
    """
    is_year_end = month_end.month == _DECEMBER
    return calendar.after(month_end, YEAR_END_DAYS if is_year_end else STATEMENT_DAYS)


def statement_due(month_end: date, calendar: WorkingDays) -> date:
    """Return the last day on which a statement of a month is in time.

    Source: Hubei measures, article 29 (2) to (4): two working days.

    Raises:
        YearUnknown: The calendar does not know the year.
    """
    return calendar.after(month_end, STATEMENT_DAYS)


def answer_due(arrived: date, calendar: WorkingDays) -> date:
    """Return the last day on which the answer to a statement is in time.

    Source: Hubei measures, article 29 (1) to (4): within two working days.

    Raises:
        YearUnknown: The calendar does not know the year.
    """
    return calendar.after(arrived, ANSWER_DAYS)
