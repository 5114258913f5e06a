"""Reads certificates and lists again, for all who go by them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from counterfoil.app.ports import Vault
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.tls import TlsKeeper
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.daemon.works import ProcessWorks
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.rpc.guard import Guard

log = logging.getLogger("counterfoil.daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """Keeps a running gateway's trust as new as its files.

    Attributes:
        trust: Judges callers.
        tls: Shown and believed in handshakes.
        works: Judge seals.
        guard: Knows the open streams.
        vault: Keeps the authorities, so that old seals can be judged without a file.
        every_s: Seconds between two readings.
    """

    trust: TrustKeeper
    tls: TlsKeeper
    works: ProcessWorks
    guard: Guard
    vault: Vault
    every_s: float

    async def run(self) -> None:
        """Renew until cancelled; never ends by itself."""
        while True:
            await asyncio.sleep(self.every_s)
            await self.renew()

    async def renew(self) -> None:
        """Read everything once; cut the streams of who lost trust."""
        # Each by itself: a bad certificate of ours must not keep a revocation out.
        trusted = _renewed(self.trust.renew)
        shown = _renewed(self.tls.renew)
        if trusted:
            await self.works.retrust(self.trust.material)
            await self._keep_authorities()
        cut = self.guard.cut_revoked()
        if trusted or shown or cut:
            log.info("trust renewed", extra={"count": cut})

    async def _keep_authorities(self) -> None:
        try:
            await self.vault.keep_certificates(self.trust.material.authorities)
        except CounterfoilError as refusal:
            # A vault that writes no more needs none; lists are still read again.
            log.warning("authorities not kept", extra={"reason": refusal.reason})


def _renewed(renew: Callable[[], bool]) -> bool:
    """Renew; what cannot be renewed stays as it was, and the log says so."""
    try:
        return renew()
    except ConfigurationRefused as error:
        log.warning("trust not renewed", extra={"detail": str(error)})
        return False
