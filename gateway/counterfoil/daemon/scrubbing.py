"""Lets the scrub go through the vault of a running gateway, slowly and beside it.

It has a thread of its own; the event loop only starts slices and waits. What is
found opens alerts; what a whole later pass does not find again is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.watch_sections import ScrubSection
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.vault.findings import Report
from counterfoil.vault.scrub import STAGES, Place, Scrub
from counterfoil.vault.vault import EngineVault

log = logging.getLogger("counterfoil.daemon")

SLICE_S: Final = 0.2
"""Longest slice but for its last item: a reading keeps old pages alive."""

WATCH: Final = "scrub"
"""Its name among the watches of `counterfoil status`."""

_SLICES_A_SECOND: Final = 4
_SAVE_S: Final = 10.0


@dataclass(slots=True, kw_only=True)
class Scrubbing:
    """One gateway's scrub.

    Attributes:
        vault: What is looked through.
        scrub: Where it is.
        alerts: Where findings go.
        settings: How fast.
        changed: Called in the event loop when alerts were opened or closed.
    """

    vault: EngineVault
    scrub: Scrub
    alerts: Alerts
    settings: ScrubSection
    changed: Callable[[], None]
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "scrub")
    )
    _seen: set[str] = field(default_factory=set)
    _is_whole_pass: bool = False
    _saved_at: float = 0.0
    _last_pass: str = ""

    def __post_init__(self) -> None:
        self.scrub.place = _place_of(self.alerts)
        self._last_pass = str(self.alerts.watch(WATCH).get("last_pass", ""))

    async def run(self) -> None:
        """Go through the vault until cancelled; never ends by itself."""
        loop = asyncio.get_running_loop()
        while True:
            before = set(self.alerts.about(AlertCode.VAULT_DAMAGED))
            passes = self.scrub.place.passes
            items = await loop.run_in_executor(self._thread, self.step)
            if set(self.alerts.about(AlertCode.VAULT_DAMAGED)) != before:
                self.changed()
            if self.scrub.place.passes > passes or items < 0:
                await asyncio.sleep(self.settings.pause_s)
            else:
                await asyncio.sleep(items / self.settings.items_per_s)

    async def close(self) -> None:
        """Wait for the slice under way, and remember where it ended."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):  # said when it happened before
            await loop.run_in_executor(self._thread, self._save)
        self._thread.shutdown()

    def step(self) -> int:
        """Check one slice, in the scrub's own thread.

        Returns:
            How many items it looked at; -1 if it could not.
        """
        place = self.scrub.place
        if (place.stage, place.leaf) == (STAGES[0], 0):
            self._seen, self._is_whole_pass = set(), True
        passes, end = place.passes, time.monotonic() + SLICE_S
        items = max(1, int(self.settings.items_per_s) // _SLICES_A_SECOND)
        try:
            report = self.scrub.slice(
                self.vault.reading, lambda: time.monotonic() > end, items
            )
        except VaultCorrupt as error:
            self.alerts.open(AlertCode.VAULT_DAMAGED, "state", str(error))
            self._try_save()
            return -1
        except Exception as error:  # whatever it is, someone must hear of it
            log.exception("the scrub failed")
            self.alerts.open(AlertCode.SCRUB_FAILED, WATCH, type(error).__name__)
            self._try_save()
            return -1
        self.alerts.close(AlertCode.SCRUB_FAILED, WATCH)
        opened = self._take(report)
        if self.scrub.place.passes > passes:
            self._end_pass()
        if opened or self.scrub.place.passes > passes or self._is_due():
            self._try_save()
        return report.size

    def _take(self, report: Report) -> bool:
        """Open an alert for each finding; return whether one is new."""
        opened = False
        for finding in report.findings:
            about = f"{finding.fault.name}/{finding.index}/{finding.key}"
            self._seen.add(about)
            if self.alerts.open(AlertCode.VAULT_DAMAGED, about, str(finding)):
                opened = True
        return opened

    def _end_pass(self) -> None:
        """Close what a whole pass did not find again."""
        self._last_pass = datetime.now(UTC).isoformat(timespec="seconds")
        open_alerts = self.alerts.about(AlertCode.VAULT_DAMAGED)
        for about in open_alerts:
            if self._is_whole_pass and about not in self._seen:
                self.alerts.close(AlertCode.VAULT_DAMAGED, about)
        log.info(
            "scrub pass over",
            extra={"count": len(self.alerts.about(AlertCode.VAULT_DAMAGED))},
        )

    def _is_due(self) -> bool:
        return time.monotonic() - self._saved_at > _SAVE_S

    def _try_save(self) -> None:
        try:
            self._save()
        except OSError as error:
            log.warning("scrub place not kept", extra={"detail": str(error)})

    def _save(self) -> None:
        place = self.scrub.resume_at()
        state = {
            "stage": place.stage,
            "leaf": place.leaf,
            "after": place.after.hex(),
            "passes": place.passes,
            "last_pass": self._last_pass,
        }
        self.alerts.note(WATCH, state)
        self.alerts.save()
        self._saved_at = time.monotonic()


def _place_of(alerts: Alerts) -> Place:
    """Return where the last process stopped; the beginning if nobody knows."""
    noted = alerts.watch(WATCH)
    try:
        place = Place(
            stage=str(noted["stage"]),
            leaf=int(noted["leaf"]),
            after=bytes.fromhex(noted["after"]),
            passes=int(noted["passes"]),
        )
    except (KeyError, ValueError, TypeError):
        return Place()
    return place if place.stage in STAGES and place.leaf >= 0 else Place()
