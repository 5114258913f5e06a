"""`counterfoil selftest`: are the security measures in order, and for how long still.

Runs beside a gateway or without one, and leaves nothing behind. It looks at what the
configuration names, reads notes and heads, and asks peers as the gateway would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.config import (
    Configuration,
    ConfigurationRefused,
    load_configuration,
)
from counterfoil.daemon.selftest_files import (
    check_alerts,
    check_certificates,
    check_disk,
    check_permissions,
    check_posts,
    check_program_list,
)
from counterfoil.daemon.selftest_peers import (
    check_clock,
    check_heads,
    check_ledger,
    check_peers,
)
from counterfoil.daemon.selftest_refusals import check_refusals
from counterfoil.daemon.selftest_report import Check, Level
from counterfoil.daemon.selftest_revocation import check_revocation
from counterfoil.daemon.selftest_timestamps import check_time_stamps
from counterfoil.domain.refusals import CounterfoilError

Test = Callable[[Configuration, int], Iterable[Check]]
"""One test: given the configuration and our clock in microseconds, what it found."""

TESTS: Final[dict[str, Test]] = {
    "certificates": check_certificates,
    "revocation": check_revocation,
    "timestamps": check_time_stamps,
    "posts": check_posts,
    "permissions": check_permissions,
    "disk": check_disk,
    "program": check_program_list,
    "alerts": check_alerts,
    "heads": check_heads,
    "refusals": check_refusals,
    "clock": check_clock,
    "ledger": lambda configuration, _: asyncio.run(check_ledger(configuration)),
    "peers": lambda configuration, _: asyncio.run(check_peers(configuration)),
}
"""Every test by its name, in the order in which they are made."""


def selftest(arguments: argparse.Namespace) -> int:
    """Print a line for each check; 1 if one is a fault.

    Raises:
        ConfigurationRefused: The configuration cannot be read at all.
    """
    configuration = load_configuration(Path(arguments.config))
    counts = dict.fromkeys(Level, 0)
    for name, check in checks(configuration, SystemClock().now_us()):
        counts[check.level] += 1
        sys.stdout.write(_line(name, check, as_json=arguments.json) + "\n")
    sys.stderr.write(
        f"counterfoil: {counts[Level.FAULT]} faults (故障), "
        f"{counts[Level.WARNING]} warnings (警告), {counts[Level.OK]} in order (正常)\n"
    )
    return 1 if counts[Level.FAULT] else 0


def checks(configuration: Configuration, now_us: int) -> Iterator[tuple[str, Check]]:
    """Make every test by itself: one that cannot be made is a fault of its own."""
    for name, test in TESTS.items():
        try:
            found = list(test(configuration, now_us))
        except (ConfigurationRefused, CounterfoilError, OSError) as error:
            found = [Check(Level.FAULT, name, f"cannot be tested: {error}")]
        for check in found:
            yield name, check


def _line(name: str, check: Check, *, as_json: bool) -> str:
    if as_json:
        stated = {
            "test": name,
            "level": check.level.value,
            "about": check.about,
            "detail": check.detail,
        }
        return json.dumps(stated, ensure_ascii=False)
    return f"{check.level.value}\t{name}\t{check.about}\t{check.detail}"
