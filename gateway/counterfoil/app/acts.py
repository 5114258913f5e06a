"""A recipient begins and ends its act (办理)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.entries import find_entry
from counterfoil.app.ports import Vault
from counterfoil.domain.deeds import Outcome, Perform
from counterfoil.domain.registry import Caller
from counterfoil.domain.standing import Act, Role
from counterfoil.domain.voucher import VoucherKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformActs:
    """Records that a business system begins or ends its act (办理)."""

    vault: Vault

    async def __call__(
        self, acts: Sequence[tuple[Act, VoucherKey, bytes]], *, caller: Caller
    ) -> list[Outcome]:
        """Record each act; return when they are durable."""
        deeds = attempt(lambda item: self._deed(*item, caller), acts)
        committed = await self.vault.perform(good(deeds))
        return refill(deeds, [deed.outcomes[0] for deed in committed])

    def _deed(
        self, act: Act, key: VoucherKey, digest: bytes, caller: Caller
    ) -> Perform:
        find_entry(self.vault, key, digest, caller.party, Role.RECIPIENT)
        return Perform(act=act, key=key, digest=digest, recipient=caller.party)
