"""Vouchers that are in the vault are sent (发送)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.ports import Vault
from counterfoil.domain.deeds import Outcome, Send
from counterfoil.domain.refusals import (
    VoucherNotFound,
)
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import Role
from counterfoil.domain.voucher import VoucherKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SendVouchers:
    """Puts vouchers that are in the vault into their lanes."""

    vault: Vault
    registry: Registry

    async def __call__(
        self, vouchers: Sequence[tuple[VoucherKey, bytes]], *, caller: Caller
    ) -> list[Outcome]:
        """Send each of the caller's vouchers; what was sent stays sent."""
        deeds = attempt(lambda pair: self._deed(*pair, caller), vouchers)
        committed = await self.vault.perform(good(deeds))
        return refill(deeds, [deed.outcomes[0] for deed in committed])

    def _deed(self, key: VoucherKey, digest: bytes, caller: Caller) -> Send:
        entry = self.vault.entry(key, Role.ISSUER)
        if entry is None or entry.digest != digest or key.issuer != caller.party:
            raise VoucherNotFound("no such voucher of this desk", number=key.number)
        recipients = [passage.recipient for passage in entry.passages]
        return Send(key=key, digest=digest, lanes=self.registry.lanes_to(recipients))
