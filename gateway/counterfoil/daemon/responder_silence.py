"""Tells when a responder has not answered usefully for long, and when it does again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from counterfoil.daemon.alerts import AlertCode, Alerts

log = logging.getLogger("counterfoil.daemon")

_SECOND_US: Final = 1_000_000
_FORGOTTEN: Final = 2
"""After so many times that long, a responder that was not asked again is forgotten."""


@dataclass(slots=True, kw_only=True)
class ResponderSilence:
    """Which responders are silent, and since when; called on one thread at a time.

    An answer that is refused is none: whoever answers nonsense is silent too.

    Attributes:
        alerts: Where silence is told.
        silence_s: After how long it is told, in seconds.
        now_us: Our clock.
    """

    alerts: Alerts
    silence_s: float
    now_us: Callable[[], int]
    _since_us: dict[str, int] = field(default_factory=dict)
    _asked_us: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Whoever was silent when the gateway last ran is until it answers.
        for url in self.alerts.about(AlertCode.RESPONDER_SILENT):
            self._asked_us[url] = self.now_us()
            self._since_us[url] = self.now_us() - self._told_after_us()

    def heard(self, url: str, *, is_useful: bool) -> None:
        """Take note of what a responder that was asked came to."""
        now_us = self.now_us()
        self._asked_us[url] = now_us
        if is_useful:
            self._since_us.pop(url, None)
        else:
            self._since_us.setdefault(url, now_us)

    def look(self) -> None:
        """Open and close alerts; writes a file, so never in an event loop."""
        now_us, told_us = self.now_us(), self._told_after_us()
        for url, asked_us in list(self._asked_us.items()):
            if now_us - asked_us > _FORGOTTEN * told_us:
                # Nobody needs it any more, so nobody knows how it is.
                self._since_us.pop(url, None)
                del self._asked_us[url]
        open_now = set(self.alerts.about(AlertCode.RESPONDER_SILENT))
        silent = {
            url: since_us
            for url, since_us in self._since_us.items()
            if now_us - since_us >= told_us
        }
        for url in silent.keys() - open_now:
            detail = f"no useful answer for {self.silence_s:.0f} s (应答机构无有效应答)"
            self.alerts.open(AlertCode.RESPONDER_SILENT, url, detail)
        for url in open_now - silent.keys():
            self.alerts.close(AlertCode.RESPONDER_SILENT, url)
        if silent.keys() != open_now:
            try:
                self.alerts.save()
            except OSError as error:
                log.warning("notes of watches not kept", extra={"detail": str(error)})

    def _told_after_us(self) -> int:
        return int(self.silence_s * _SECOND_US)
