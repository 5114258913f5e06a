"""Other seals and another key for connections, without a restart (重新载入)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field, replace
from hashlib import sha256

from counterfoil.daemon.config import (
    Configuration,
    ConfigurationRefused,
    load_configuration,
)
from counterfoil.daemon.keys import load_seals, tell_nameless
from counterfoil.daemon.lines import require_lines
from counterfoil.daemon.renewal import Renewal
from counterfoil.daemon.trust import own_certificates
from counterfoil.daemon.worker import SealMaterial
from counterfoil.domain.refusals import CounterfoilError

log = logging.getLogger("counterfoil.daemon")


@dataclass(slots=True, kw_only=True)
class Reloading:
    """Reads `[tls]`, `[seal]` and `[[hosted]]` again when the gateway is told to.

    All else that the configuration says is read at the start. What was sealed before
    stays what it is; what is being sealed has either seal.

    Attributes:
        configuration: What the gateway goes by; replaced when it was read again.
        renewal: Reads what changes without being told, and knows the rest.
    """

    configuration: Configuration
    renewal: Renewal
    _due: asyncio.Event = field(default_factory=asyncio.Event)

    def goes_by(self) -> Configuration:
        """Return what the gateway goes by now."""
        return self.configuration

    def own_certificates(self) -> list[bytes]:
        """Return the certificates that it shows and seals with, and their authorities.

        Raises:
            ConfigurationRefused: A file cannot be read.
        """
        return own_certificates(self.configuration, self.renewal.trust.material)

    def want(self) -> None:
        """Let `run` read again soon."""
        self._due.set()

    async def run(self) -> None:
        """Read again whenever it is wanted, until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.reload()
            except Exception:
                # Else nobody would hear the next signal.
                log.exception("defect", extra={"detail": "reloading"})

    async def reload(self) -> bool:
        """Read again, and return whether it could be used; else nothing changes."""
        try:
            seals = await self._reload()
        except (ConfigurationRefused, CounterfoilError) as error:
            log.warning("not reloaded", extra={"detail": str(error)})
            return False
        log.info("reloaded", extra={"count": len(seals)})
        await self.renewal.renew()
        return True

    async def _reload(self) -> list[SealMaterial]:
        """Take up what the file says now.

        Raises:
            ConfigurationRefused: It cannot be used.
            CertificateNotActive: A seal's certificate is not in use here.
            CertificateLost: It is void here.
            VaultStopped: The vault does not write any more.
        """
        now, renewal = self.configuration, self.renewal
        fresh = await asyncio.to_thread(load_configuration, now.file)
        if fresh.gateway.party != now.gateway.party:
            raise ConfigurationRefused("gateway.party: another gateway's file")
        register = renewal.vault.register
        require_lines(fresh, register)
        seals = await asyncio.to_thread(load_seals, fresh)
        for one in seals:
            # At a start the first refusal tells it; here the old seal still works.
            register.require_in_use(sha256(one.certificate).digest())
        await renewal.vault.keep_certificates([one.certificate for one in seals])
        renewal.tls.rekey(fresh)
        await renewal.works.reseal(seals)
        seal = replace(fresh.seal, workers=now.seal.workers, batch=now.seal.batch)
        self.configuration = replace(now, tls=fresh.tls, seal=seal, hosted=fresh.hosted)
        tell_nameless(seals, renewal.trust.store)
        return seals
