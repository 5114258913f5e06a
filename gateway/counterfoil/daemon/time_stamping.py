"""Has our log's heads stamped with the time, beside the business.

One time stamp is of a signed checkpoint, and so of everything below it: however much
came since the last one, it takes one question. Nothing waits for it, and nothing that
goes wrong with it leaves this module but as a log line, a note and an alert.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from threading import Event
from typing import Final

from counterfoil.app.ports import Clock, Vault
from counterfoil.app.prove import size_of
from counterfoil.app.time_stamps import StampedHead
from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.responder import ResponderFailed, ask_time_stamper
from counterfoil.daemon.timestamp_section import TimestampSection
from counterfoil.daemon.timestamp_trust import read_timestamp_trust
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.seal.chains import datetime_of, us_of
from counterfoil.seal.time_stamps import TimeStampTrust, accept_time_stamp
from counterfoil.seal.timestamp_reading import NONCE_BITS, question_for
from counterfoil.seal.timestamp_refused import TimeStampRefused
from counterfoil.vault.time_stamp_book import FILE, TimeStampBook

log = logging.getLogger("counterfoil.daemon")

WATCH: Final = "timestamp"
"""Its name among the watches of `counterfoil status`."""

ABOUT: Final = "authorities"
"""What its alert is about."""

_SECOND_US: Final = 1_000_000


@dataclass(slots=True, kw_only=True)
class TimeStamping:
    """Keeps our log's heads stamped.

    Attributes:
        vault: Whose log.
        book: Where stamped heads go.
        alerts: Where silence is told.
        settings: Who is asked, and how often.
        trust: Reads whose time stamps count; in a thread, for each round.
        now_us: Our clock.
        ask: Asks an authority: address and question; in a thread.
        nonce: Returns a number that nobody can foresee.
    """

    vault: Vault
    book: TimeStampBook
    alerts: Alerts
    settings: TimestampSection
    trust: Callable[[], TimeStampTrust]
    now_us: Callable[[], int]
    ask: Callable[[str, bytes], bytes]
    nonce: Callable[[], int]
    _stamped: int = 0
    _last_us: int = 0
    _silent_us: int = 0
    _stopping: Event = field(default_factory=Event)

    async def run(self) -> None:
        """Have heads stamped until cancelled; never ends by itself."""
        await asyncio.to_thread(self.begin)
        try:
            while True:
                await self.vault.changed(self._stamped)
                is_stamped = await asyncio.to_thread(self.stamp)
                settings = self.settings
                await asyncio.sleep(
                    settings.every_s if is_stamped else settings.retry_s
                )
        finally:
            # The thread ends after the question that is under way.
            self._stopping.set()

    def begin(self) -> None:
        """Find out what was stamped last, and since when nobody answers."""
        try:
            newest = self.book.newest()
        except sqlite3.Error as error:
            log.warning("time stamps not read", extra={"detail": str(error)})
            newest = None
        if newest is not None:
            self._stamped, self._last_us = newest.size, newest.time_us
        since = self.alerts.watch(WATCH).get("silent_since")
        if isinstance(since, str) and since:
            try:
                self._silent_us = us_of(datetime.fromisoformat(since))
            except (ValueError, TypeError):  # a note, no evidence
                self._silent_us = 0

    def stamp(self) -> bool:
        """Have the newest head stamped, in a thread; return whether it is.

        Every authority is tried in turn; a bad answer is as good as none.
        """
        try:
            head = self._stamped_head(self.vault.checkpoint(), self.trust())
            self.book.keep(head)
        except ResponderFailed as failure:
            self._failed(str(failure))
            return False
        except (
            ConfigurationRefused,
            CounterfoilError,
            OSError,
            sqlite3.Error,
        ) as error:
            log.warning("no time stamp", extra={"detail": str(error)})
            self._failed(str(error))
            return False
        except BaseException as error:  # a panic of the library is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            log.exception("no time stamp")
            self._failed(type(error).__name__)
            return False
        self._stamped, self._last_us, self._silent_us = head.size, head.time_us, 0
        self.alerts.close(AlertCode.TIMESTAMP_SILENT, ABOUT)
        self._note("")
        log.info("log stamped", extra={"count": head.size})
        return True

    def _stamped_head(self, checkpoint: bytes, trust: TimeStampTrust) -> StampedHead:
        """Return a checkpoint with the first time stamp that an authority gives.

        Raises:
            ResponderFailed: None does; the text says what became of the last.
        """
        last = "the gateway stops"
        for address in self.settings.addresses:
            if self._stopping.is_set():
                break
            nonce = self.nonce()
            question = question_for(
                sha256(checkpoint).digest(), nonce=nonce, policy=trust.policy
            )
            try:
                response = self.ask(address, question)
                stamp = accept_time_stamp(
                    response, checkpoint, trust, nonce=nonce, at_us=self.now_us()
                )
            except (ResponderFailed, TimeStampRefused) as error:
                last = f"{address}: {error}"
                log.warning(
                    "an authority gives no time stamp",
                    extra={"address": address, "detail": str(error)},
                )
                continue
            return StampedHead(
                size=size_of(checkpoint),
                checkpoint=checkpoint,
                response=response,
                time_us=stamp.time_us,
                accuracy_us=stamp.accuracy_us,
            )
        raise ResponderFailed(last)

    def _failed(self, reason: str) -> None:
        """Note a failed round, and open the alert when silence has lasted."""
        now_us = self.now_us()
        self._silent_us = self._silent_us or now_us
        if now_us - self._silent_us >= self.settings.alert_s * _SECOND_US:
            detail = (
                f"since {_shown(self._silent_us)}; {self._waiting()} leaves wait; "
                f"{reason}"
            )
            self.alerts.open(AlertCode.TIMESTAMP_SILENT, ABOUT, detail)
        self._note(reason)

    def _waiting(self) -> int:
        return max(self.vault.size() - self._stamped, 0)

    def _note(self, reason: str) -> None:
        state = {
            "last_stamp": _shown(self._last_us) if self._last_us else "",
            "leaves_stamped": self._stamped,
            "leaves_waiting": self._waiting(),
            "silent_since": _shown(self._silent_us) if self._silent_us else "",
            "reason": reason,
        }
        self.alerts.note(WATCH, state)
        _save(self.alerts)


def time_stamping_of(
    configuration: Configuration, vault: Vault, alerts: Alerts, clock: Clock
) -> TimeStamping | None:
    """Return what has a gateway's log stamped; None if no authority is configured.

    Raises:
        ConfigurationRefused: Whom to trust cannot be read.
    """
    settings = configuration.timestamp
    if not settings.is_wanted:
        if alerts.watch(WATCH):
            alerts.close(AlertCode.TIMESTAMP_SILENT, ABOUT)
            alerts.note(WATCH, {"state": "off"})
            _save(alerts)
        return None
    read_timestamp_trust(configuration)
    return TimeStamping(
        vault=vault,
        book=book_of(configuration),
        alerts=alerts,
        settings=settings,
        trust=lambda: read_timestamp_trust(configuration),
        now_us=clock.now_us,
        ask=partial(ask_time_stamper, seconds=settings.answer_s_max),
        nonce=partial(secrets.randbits, NONCE_BITS),
    )


def book_of(configuration: Configuration) -> TimeStampBook:
    """Return the stamped heads of a gateway's log; there need not be any."""
    return TimeStampBook(configuration.directory / FILE)


def _save(alerts: Alerts) -> None:
    try:
        alerts.save()
    except OSError as error:
        log.warning("a note is not kept", extra={"detail": str(error)})


def _shown(instant_us: int) -> str:
    return datetime_of(instant_us).isoformat(timespec="seconds")
