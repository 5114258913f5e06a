"""Warns of registered certificates before they end: persons', systems' and seals'.

`counterfoil selftest` knows those that the configuration names. Those that persons and
systems hold stand in the register alone.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from counterfoil.app.ports import Clock
from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.selftest_files import EXPIRY_DAYS
from counterfoil.seal.chains import datetime_of
from counterfoil.vault.vault import EngineVault

log = logging.getLogger("counterfoil.daemon")

WATCH: Final = "expiry"
"""Its name among the watches of `counterfoil status`."""

TOLD_DAYS: Final = 30
"""How long one that has ended is still told of; then somebody has seen it."""

_DAY_US: Final = 86_400_000_000
_EVERY_S: Final = 3_600.0
_DIGITS: Final = 16
"""Of the digest, in the text of an alert: enough to find it in `register show`."""


@dataclass(frozen=True, slots=True)
class ExpiryWatch:
    """Looks at the register every hour, and whenever it has changed.

    Attributes:
        vault: Knows what stands registered.
        alerts: Where certificates go that end soon.
        clock: Our clock.
    """

    vault: EngineVault
    alerts: Alerts
    clock: Clock

    async def run(self) -> None:
        """Look until cancelled; never ends by itself."""
        while True:
            known = self.vault.register
            await asyncio.to_thread(self.check)
            try:
                async with asyncio.timeout(_EVERY_S):
                    await self.vault.register_changed(known)
            except TimeoutError:
                continue

    def check(self) -> None:
        """Open an alert for each certificate that ends soon, and close the others."""
        now_us = self.clock.now_us()
        ending = self.vault.register.ending(
            now_us - TOLD_DAYS * _DAY_US, now_us + EXPIRY_DAYS * _DAY_US
        )
        found = {}
        for digest, (holder, until_us) in ending.items():
            about = f"{holder} {digest.hex()[:_DIGITS]}"
            found[about] = f"{holder}: until {datetime_of(until_us):%Y-%m-%d}"
        for about in self.alerts.about(AlertCode.CERTIFICATE_EXPIRING):
            if about not in found:
                self.alerts.close(AlertCode.CERTIFICATE_EXPIRING, about)
        for about, detail in found.items():
            self.alerts.open(AlertCode.CERTIFICATE_EXPIRING, about, detail)
        last = datetime.now(UTC).isoformat(timespec="seconds")
        self.alerts.note(WATCH, {"last_check": last})
        try:
            self.alerts.save()
        except OSError as error:
            log.warning("notes of watches not kept", extra={"detail": str(error)})
