"""Tells a person what is late, while the system runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from counterfoil.bank.alerts import alerts
from counterfoil.bank.journal import Journal
from counterfoil.bank.kinds import Office
from counterfoil.business.days import day_of, read_day
from counterfoil.business.working_days import WorkingDays, YearUnknown


@dataclass(slots=True)
class Watch:
    """Tells a person once a day what is late.

    Attributes:
        journal: Our books.
        office: Who we are; a bank that only pays states nothing.
        calendar: Which days are working days.
        clock: Says which day it is.
        warn: Is told each thing once a day.
    """

    journal: Journal
    office: Office | None
    calendar: WorkingDays
    clock: Callable[[], datetime]
    warn: Callable[[str], None]
    _looked: str = ""

    def look(self) -> None:
        """Tell what is late, if it was not looked at today."""
        day = day_of(self.clock())
        if self.office is None or day == self._looked:
            return
        self._looked = day
        for text in self._late(self.office, read_day(day)):
            self.warn(text)

    def _late(self, office: Office, today: date) -> list[str]:
        with self.journal.reading() as session:
            try:
                return list(alerts(session, office, today, self.calendar))
            except YearUnknown as unknown:
                return [str(unknown)]
