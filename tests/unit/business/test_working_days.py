"""Working days in China: holidays, worked weekends, and years that nobody knows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from counterfoil.business.working_days import WorkingDays, YearUnknown

LEGAL = WorkingDays()
UNKNOWN_YEAR = 2099


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 3, 2), True),
        (date(2026, 3, 7), False),
        (date(2026, 2, 17), False),  # Spring Festival
        (date(2026, 2, 14), True),  # a Saturday that is worked for it
        (date(2026, 10, 1), False),  # National Day
        (date(2026, 10, 10), True),  # a Saturday that is worked for it
    ],
)
def test_holidays_and_worked_weekends_are_known(day: date, *, works: bool) -> None:
    assert LEGAL.is_working(day) is works


def test_the_day_itself_is_not_counted_and_days_off_are_passed_over() -> None:
    friday = date(2026, 3, 6)

    assert LEGAL.after(friday, 1) == date(2026, 3, 9)
    assert LEGAL.after(date(2026, 3, 7), 1) == date(2026, 3, 9)
    assert LEGAL.after(friday, 6) == date(2026, 3, 16)


def test_a_year_that_nobody_knows_is_a_clear_error() -> None:
    with pytest.raises(YearUnknown, match="holidays of 2099 are not known") as caught:
        LEGAL.after(date(UNKNOWN_YEAR, 1, 1), 2)

    assert caught.value.year == UNKNOWN_YEAR
    assert "name them in the file of working days" in str(caught.value)


def days(folder: Path, text: str) -> WorkingDays:
    path = folder / "working_days.toml"
    path.write_text(text, encoding="utf-8")
    return WorkingDays.from_file(path)


def test_a_file_tells_a_year_that_the_library_does_not_know(tmp_path: Path) -> None:
    told = days(
        tmp_path,
        "years = [2099]\noff = [2099-01-01]\nworked = [2099-01-03]\n",
    )

    assert date(2099, 1, 3).weekday() == 5
    assert told.after(date(2098 + 1, 1, 1), 1) == date(2099, 1, 2)
    assert told.after(date(2099, 1, 2), 1) == date(2099, 1, 3)
    assert told.after(date(2099, 1, 3), 1) == date(2099, 1, 5)


def test_a_file_adds_days_to_a_known_year(tmp_path: Path) -> None:
    told = days(tmp_path, "off = [2026-03-03]\nworked = [2026-03-07]\n")

    assert told.after(date(2026, 3, 2), 1) == date(2026, 3, 4)
    assert told.is_working(date(2026, 3, 7))


def test_a_year_with_days_that_the_file_does_not_tell_whole_stays_unknown(
    tmp_path: Path,
) -> None:
    told = days(tmp_path, "off = [2099-01-01]\n")

    with pytest.raises(YearUnknown):
        told.after(date(2099, 1, 1), 1)


def test_a_configuration_may_name_a_file_beside_it(tmp_path: Path) -> None:
    days(tmp_path, "off = [2026-03-03]\n")
    config = tmp_path / "unit.toml"

    named = WorkingDays.configured(config, {"calendar": {"days": "working_days.toml"}})

    assert not named.is_working(date(2026, 3, 3))
    assert WorkingDays.configured(config, {}) == LEGAL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('off = ["2026-01-01"]', "'off' is not a list of days"),
        ("worked = 2026-01-01", "'worked' is not a list of days"),
        ("off = [2026-01-01T00:00:00]", "'off' is not a list of days"),
        ("years = 2027", "'years' is not a list of years"),
        ('years = ["2027"]', "'years' is not a list of years"),
        ("holidays = []", "unknown entry 'holidays'"),
        ("off = [", "Invalid"),
    ],
)
def test_a_file_that_says_something_else_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        days(tmp_path, text)
