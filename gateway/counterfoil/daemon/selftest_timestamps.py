"""Self-test of time stamps: who may give them, and how far the log is stamped."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from counterfoil.daemon.alerts import FILE, read_watch_file
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.selftest_files import lasting
from counterfoil.daemon.selftest_report import Check, Level
from counterfoil.daemon.time_stamping import WATCH, book_of
from counterfoil.daemon.timestamp_trust import read_timestamp_trust
from counterfoil.seal.chains import datetime_of


def check_time_stamps(configuration: Configuration, now_us: int) -> Iterator[Check]:
    """Say how long the authorities' certificates last, and since when nobody stamps.

    That silence lasts too long is an alert, and so a fault of the test of alerts.
    """
    if not configuration.timestamp.is_wanted:
        yield Check(Level.OK, "timestamp.addresses", "nobody is asked (未启用时间戳)")
        return
    trust = read_timestamp_trust(configuration)
    for certificate in (*trust.roots, *trust.authorities):
        yield lasting(certificate, certificate.subject.rfc4514_string(), now_us)
    try:
        newest = book_of(configuration).newest()
    except sqlite3.Error as error:
        yield Check(Level.FAULT, "stamped heads", f"cannot be read: {error}")
        return
    if newest is None:
        yield Check(Level.WARNING, "last stamp", "there is none (尚无时间戳)")
    else:
        at = datetime_of(newest.time_us).isoformat(timespec="seconds")
        yield Check(Level.OK, "last stamp", f"{at}, {newest.size} leaves")
    _, watches = read_watch_file(configuration.directory / FILE)
    noted = watches.get(WATCH, {})
    if isinstance(noted, dict) and noted.get("silent_since"):
        detail = (
            f"silent since {noted['silent_since']} (时间戳服务中断); "
            f"{noted.get('leaves_waiting')} leaves wait; {noted.get('reason')}"
        )
        yield Check(Level.WARNING, "authorities", detail)
