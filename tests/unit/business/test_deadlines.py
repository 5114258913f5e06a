"""When statements are due: two working days, five after a year's end.

Source: Hubei measures, article 29.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from counterfoil.business.days import clock_of, day_of, read_day, written
from counterfoil.business.deadlines import answer_due, report_due, statement_due
from counterfoil.business.working_days import WorkingDays, YearUnknown
from tests.unit.business.house import NOW, TODAY

LEGAL = WorkingDays()
KNOWING_2027 = WorkingDays(off=frozenset({date(2027, 1, 1)}), known=frozenset({2027}))


@pytest.mark.parametrize(
    ("month_end", "due"),
    [
        (date(2026, 3, 31), date(2026, 4, 2)),
        # New Year's Day is off to Saturday the 3rd; Sunday the 4th is worked.
        (date(2025, 12, 31), date(2026, 1, 5)),
        # Saturday the 31st of January, then a week that is worked.
        (date(2026, 1, 31), date(2026, 2, 3)),
        # The 30th of September, then National Day to the 7th of October.
        (date(2026, 9, 30), date(2026, 10, 9)),
    ],
)
def test_a_statement_is_due_two_working_days_after_the_months_end(
    month_end: date, due: date
) -> None:
    assert statement_due(month_end, LEGAL) == due


def test_a_report_of_a_month_is_due_as_a_statement_is() -> None:
    assert report_due(date(2026, 3, 31), LEGAL) == date(2026, 4, 2)


def test_a_report_of_a_year_has_five_working_days() -> None:
    year_end = date(2026, 12, 31)

    assert report_due(year_end, KNOWING_2027) == date(2027, 1, 8)
    assert statement_due(year_end, KNOWING_2027) == date(2027, 1, 5)


def test_an_answer_that_falls_into_spring_festival_is_due_after_it() -> None:
    # The 15th to the 23rd of February 2026 are off; Saturday the 14th is worked.
    assert answer_due(date(2026, 2, 12), LEGAL) == date(2026, 2, 14)
    assert answer_due(date(2026, 2, 13), LEGAL) == date(2026, 2, 24)


@pytest.mark.parametrize("due_of", [report_due, statement_due])
def test_a_deadline_in_a_year_that_nobody_knows_is_not_guessed(
    due_of: Callable[[date, WorkingDays], date],
) -> None:
    with pytest.raises(YearUnknown):
        due_of(date(2098, 12, 31), LEGAL)


def test_days_are_days_in_china() -> None:
    assert day_of(NOW) == TODAY
    assert written(read_day(TODAY)) == TODAY
    assert day_of(clock_of(read_day(TODAY))()) == TODAY
    assert abs(clock_of(None)() - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(ValueError, match="does not match"):
        read_day("2026-03-02")
