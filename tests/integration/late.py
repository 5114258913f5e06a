"""A voucher that waits until the certificate of its reviewer has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.gateway import Gateway
from counterfoil.devca.certificates import Validity
from counterfoil.domain.witnessing import WitnessedHead
from tests.houses import BANK, FINANCE, Town
from tests.integration.desks import until

DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Later(SystemClock):
    """The machine's clock, some days on."""

    days: int = 0

    def now_us(self) -> int:
        """Return the instant, so many days later."""
        on_us = self.days * DAY // timedelta(microseconds=1)
        return SystemClock.now_us(self) + on_us


def town_of(directory: Path) -> Town:
    """Return a town whose second reviewer's certificate ends tomorrow."""
    limits = "retry_s_min = 0.1\nretry_s_max = 0.5\nwitness_s = 0.1"
    town = Town(directory=directory, settings={"limits": limits})
    now = datetime.now(UTC).replace(microsecond=0)
    validity = Validity(now - DAY, now + DAY)
    town.ca.issue(FINANCE, "person", "second", now=now, validity=validity)
    town.initialise()
    return town


@asynccontextmanager
async def opened(town: Town, party: str, *, days: int = 0) -> AsyncIterator[Gateway]:
    """Run a gateway whose clock is some days on."""
    gateway = Gateway(town.configuration(party), clock=Later(days))
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def witnesses(bank: Gateway, finance: Gateway) -> WitnessedHead:
    """Wait until the bank has witnessed what finance's log is by now."""
    size = finance._vault.size()

    async def newest() -> WitnessedHead | None:
        return bank._vault.witnessed(FINANCE, bank.clock.now_us())

    head = await until(newest, lambda one: one is not None and one.size >= size)
    assert head is not None
    return head


def connection(town: Town, party: str) -> list[str]:
    """Return the options with which a business system calls its desk."""
    folder = town.pki / party
    return [
        *("--address", f"127.0.0.1:{town.ports[party]}"),
        *("--certificate", str(folder / "system-1.pem")),
        *("--key", f"file:{folder / 'system-1.key'}"),
        *("--passphrase", f"file:{folder / 'system-1.pass'}"),
        *("--authorities", str(town.pki / "authorities.pem")),
    ]


__all__ = ["BANK", "FINANCE", "connection", "opened", "town_of", "witnesses"]
