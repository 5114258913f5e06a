"""A peer asks where vouchers stand here (状态查询)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.ports import Passage, Vault
from counterfoil.domain.registry import Registry
from counterfoil.domain.standing import Role
from counterfoil.domain.voucher import VoucherKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TellProgress:
    """Tells a peer of vouchers that it issued, received or carries."""

    vault: Vault
    registry: Registry

    def __call__(
        self, vouchers: Sequence[tuple[VoucherKey, bytes]], *, carrier: str
    ) -> list[Passage | None]:
        """Return the passage of each voucher; None for what the peer may not know."""
        return [self._tell(key, digest, carrier) for key, digest in vouchers]

    def _tell(self, key: VoucherKey, digest: bytes, carrier: str) -> Passage | None:
        issued = self.vault.entry(key, Role.ISSUER)
        if issued is not None and issued.digest == digest:
            for passage in issued.passages:
                # A recipient is told how it stands with itself, not with another.
                if self._carries(carrier, passage.recipient):
                    return passage
        received = self.vault.entry(key, Role.RECIPIENT)
        if received is None or received.digest != digest:
            return None
        return received.passages[0] if self._carries(carrier, key.issuer) else None

    def _carries(self, carrier: str, code: str) -> bool:
        party = self.registry.parties.get(code)
        return party is not None and party.carrier == carrier
