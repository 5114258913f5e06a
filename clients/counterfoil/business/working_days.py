"""Which days are working days (工作日) in China, and which day is so many later.

The State Council sets the holidays, and the weekends that are worked instead, late in
the year before. The library `chinesecalendar` has them year by year. A year that it
does not know yet is no reason to guess: it has to be in a file of the user's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import chinese_calendar

_SATURDAY: Final = 5
_Listed = TypeVar("_Listed", date, int)
_LISTED: Final[Mapping[type, str]] = {date: "days", int: "years"}


class YearUnknown(ValueError):
    """Nobody has said yet which days of a year are holidays."""

    def __init__(self, year: int) -> None:
        super().__init__(
            f"the holidays of {year} are not known: update the package "
            f"chinesecalendar, or name them in the file of working days"
        )
        self.year = year


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The legal working days, and what a file of ours adds.

    Attributes:
        off: Further days off, and all holidays of the years in `known`.
        worked: Weekend days that are worked.
        known: Years that the file tells whole; the library is not asked about them.
    """

    off: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    known: frozenset[int] = field(default=frozenset())

    @classmethod
    def from_file(cls, path: Path) -> WorkingDays:
        """Read a file of working days.

            years = [2027]                  # told whole by this file
            off = [2027-01-01, 2027-02-06]  # holidays; local days off of any year
            worked = [2027-02-14]           # weekend days that are worked

        Raises:
            OSError: It cannot be read.
            ValueError: It does not say what such a file says.
        """
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        unknown = sorted(set(tables) - {"years", "off", "worked"})
        if unknown:
            msg = f"{path.name}: unknown entry {unknown[0]!r}"
            raise ValueError(msg)
        return cls(
            off=_listed(tables, "off", date, path),
            worked=_listed(tables, "worked", date, path),
            known=_listed(tables, "years", int, path),
        )

    @classmethod
    def configured(cls, config: Path, tables: Mapping[str, Any]) -> WorkingDays:
        """Return those of the file that a configuration names, or the legal ones.

            [calendar]
            days = "working_days.toml"   # beside the configuration

        Raises:
            OSError: The file cannot be read.
            ValueError: It does not say what such a file says.
        """
        name = tables.get("calendar", {}).get("days")
        return cls.from_file(config.parent / name) if name else cls()

    def is_working(self, day: date) -> bool:
        """Tell whether a day is a working day.

        Raises:
            YearUnknown: Neither file nor library knows the year.
        """
        if day in self.worked:
            return True
        if day in self.off:
            return False
        if day.year in self.known:
            return day.weekday() < _SATURDAY
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError as error:
            raise YearUnknown(day.year) from error

    def after(self, day: date, count: int) -> date:
        """Return the working day that is `count` working days after a day.

        Args:
            day: Itself not counted, working day or not.
            count: One or more.

        Raises:
            YearUnknown: Neither file nor library knows a year on the way.
        """
        while count:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day


def _listed(
    tables: Mapping[str, object], name: str, kind: type[_Listed], path: Path
) -> frozenset[_Listed]:
    listed = tables.get(name, [])
    if not isinstance(listed, list) or any(type(one) is not kind for one in listed):
        msg = f"{path.name}: {name!r} is not a list of {_LISTED[kind]}"
        raise ValueError(msg)
    return frozenset(listed)
