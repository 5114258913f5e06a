"""Warns before the disk or the vault is full, when nothing could be stored any more."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.selftest_files import check_vault_room
from counterfoil.daemon.selftest_report import Check, Level

log = logging.getLogger("counterfoil.daemon")

FREE_BYTES_MIN: Final = 2 * 1024**3
"""How much of the disk should be free: hours of vouchers, so that somebody can come."""

_CODE: Final = AlertCode.ROOM_SHORT
_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class RoomWatch:
    """Looks every minute.

    Attributes:
        configuration: Where the stores are, and how large the vault may be.
        alerts: Where it goes what is short.
    """

    configuration: Configuration
    alerts: Alerts

    async def run(self) -> None:
        """Look until cancelled; never ends by itself."""
        while True:
            await asyncio.to_thread(self.check)
            await asyncio.sleep(_EVERY_S)

    def check(self) -> None:
        """Open an alert for what is short, and close it for what is not any more."""
        before = self.alerts.about(_CODE)
        for found in self._looked_at():
            if found.level is Level.OK:
                self.alerts.close(_CODE, found.about)
            else:
                self.alerts.open(_CODE, found.about, found.detail)
        if self.alerts.about(_CODE) == before:
            return
        try:
            self.alerts.save()
        except OSError as error:
            log.warning("notes of watches not kept", extra={"detail": str(error)})

    def _looked_at(self) -> Iterator[Check]:
        disk = os.statvfs(self.configuration.directory)
        free = disk.f_bavail * disk.f_frsize
        level = Level.WARNING if free < FREE_BYTES_MIN else Level.OK
        yield Check(level, "free space", f"{free >> 20} MiB of the disk are left")
        yield from check_vault_room(self.configuration)
