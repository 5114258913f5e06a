"""On which days the parts of a rehearsal are lived."""

from __future__ import annotations

from datetime import date

import pytest

from counterfoil.day import plan
from counterfoil.day.plan import Plan, last_month_end


def of(day: date) -> Plan:
    return Plan(vouchers=40, files=20, broken=0, seed=1, day=day)


@pytest.mark.clause("hubei-29.3")
@pytest.mark.parametrize(
    ("day", "overdue", "settled"),
    [
        # The first of November 2026 is a Sunday.
        (date(2026, 10, 31), date(2026, 11, 4), date(2026, 11, 7)),
        # The first seven days of October are holidays, the tenth is worked.
        (date(2026, 9, 30), date(2026, 10, 10), date(2026, 10, 14)),
    ],
)
def test_what_is_late_follows_from_the_working_days(
    day: date, overdue: date, settled: date
) -> None:
    assert (of(day).overdue, of(day).settled) == (overdue, settled)


def test_of_a_year_that_nobody_knows_yet_weekends_are_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan, "_is_told", lambda year: year < 2027)

    assert of(date(2026, 11, 30)).calendar.known == {2027}
    # The first of January 2027 is a Friday.
    assert of(date(2026, 12, 31)).overdue == date(2027, 1, 5)


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2026, 11, 27), date(2026, 10, 31)),
        (date(2026, 11, 4), date(2026, 10, 31)),
        (date(2026, 11, 3), date(2026, 9, 30)),
        (date(2026, 11, 1), date(2026, 9, 30)),
    ],
)
def test_a_month_is_rehearsed_once_its_statements_would_be_late(
    today: date, day: date
) -> None:
    assert last_month_end(today) == day
