"""Checks the installed program files at the start, and again while we serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.program_list import (
    Differences,
    ProgramListRefused,
    compare,
    installed_roots,
    read_list,
)

log = logging.getLogger("counterfoil.daemon")

WATCH: Final = "program"
"""Its name among the watches of `counterfoil status`."""

_NAMED_MAX: Final = 10
"""Differences named in a refusal or an alert, of each kind."""


def check_program(
    configuration: Configuration, roots: Sequence[Path] | None = None
) -> Differences | None:
    """Compare the installed files with the list; None if no list is configured.

    Raises:
        ProgramListRefused: The list cannot be read or relied on.
    """
    section = configuration.program
    if not section.list:
        return None
    try:
        listed = read_list(configuration.path(section.list).read_bytes(), section.keys)
        return compare(listed, installed_roots() if roots is None else roots)
    except OSError as error:
        msg = f"{error.filename}: cannot be read: {error.strerror}"
        raise ProgramListRefused(msg) from error


def require_program(configuration: Configuration) -> None:
    """Refuse to start with program files that are not those of the list.

    Raises:
        ConfigurationRefused: They differ, or the list cannot be relied on.
    """
    try:
        differences = check_program(configuration)
    except ProgramListRefused as error:
        msg = f"program.list: {error}"
        raise ConfigurationRefused(msg) from error
    if differences is None:
        log.warning("program files unchecked", extra={"detail": "no program.list"})
    elif differences:
        msg = (
            f"program.list: {shortened(differences)}. Install the program again, or "
            "sign a new list if the change is meant (程序文件与签名清单不符)"
        )
        raise ConfigurationRefused(msg)


def shortened(differences: Differences) -> str:
    """Return differences with few names of each kind, and how many there are."""
    few = Differences(
        changed=_few(differences.changed),
        missing=_few(differences.missing),
        added=_few(differences.added),
    )
    return str(few)


def _few(names: tuple[str, ...]) -> tuple[str, ...]:
    left = len(names) - _NAMED_MAX
    return names if left <= 0 else (*names[:_NAMED_MAX], f"and {left} more")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramWatch:
    """Compares the files again and again.

    Attributes:
        configuration: Names the list.
        alerts: Where differences go.
    """

    configuration: Configuration
    alerts: Alerts

    async def run(self) -> None:
        """Check until cancelled; ends at once if there is no list."""
        while self.configuration.program.list:
            await asyncio.to_thread(self.check)
            await asyncio.sleep(self.configuration.program.check_s)

    def check(self) -> None:
        """Check once, and open or close the alerts."""
        try:
            differences = check_program(self.configuration)
        except ProgramListRefused as error:
            self.alerts.open(AlertCode.PROGRAM_UNCHECKED, WATCH, str(error))
        else:
            self.alerts.close(AlertCode.PROGRAM_UNCHECKED, WATCH)
            if differences:
                about = shortened(differences)
                self.alerts.open(AlertCode.PROGRAM_CHANGED, WATCH, about)
            else:
                self.alerts.close(AlertCode.PROGRAM_CHANGED, WATCH)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.alerts.note(WATCH, {"last_check": now})
        try:
            self.alerts.save()
        except OSError as error:
            log.warning("notes of watches not kept", extra={"detail": str(error)})
