"""Tells at once when a registration leaves the configuration behind.

A gateway whose configuration contradicts its register does not start again. Whoever
looks after it hears of that while it still runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.known_peers import note_peers
from counterfoil.daemon.lines import contradictions
from counterfoil.vault.vault import EngineVault

log = logging.getLogger("counterfoil.daemon")

_CODE = AlertCode.CONFIGURATION_CONTRADICTED


@dataclass(frozen=True, slots=True)
class LinesWatch:
    """Looks whenever the register has changed.

    Attributes:
        configuration: Returns what the gateway goes by.
        vault: Knows what stands registered.
        alerts: Where contradictions go.
    """

    configuration: Callable[[], Configuration]
    vault: EngineVault
    alerts: Alerts

    async def run(self) -> None:
        """Look until cancelled; never ends by itself."""
        while True:
            known = self.vault.register
            await asyncio.to_thread(self.check)
            await self.vault.register_changed(known)

    def check(self) -> None:
        """Open an alert for each line that contradicts, and close the others.

        The registered peers are noted for the self-test.
        """
        configuration = self.configuration()
        try:
            note_peers(configuration.directory, self.vault.register)
        except OSError as error:
            log.warning("peers not noted", extra={"detail": str(error)})
        found = {}
        for line in contradictions(configuration, self.vault.register):
            about, _, detail = line.partition(": ")
            found[about] = detail
        known = self.alerts.about(_CODE)
        if not found and not known:
            return
        for about in known:
            if about not in found:
                self.alerts.close(_CODE, about)
        for about, detail in found.items():
            self.alerts.open(_CODE, about, detail)
        try:
            self.alerts.save()
        except OSError as error:
            log.warning("notes of watches not kept", extra={"detail": str(error)})
