"""What needs no personal seal is written, sealed and sent in one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, once_each, refill
from counterfoil.app.ports import Clock, Vault
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import Catalogue
from counterfoil.domain.deeds import Outcome, make_enter
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import (
    CounterfoilError,
)
from counterfoil.domain.registry import Caller, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitVouchers:
    """Writes, seals and sends in one step what needs no personal seal."""

    vault: Vault
    works: Works
    registry: Registry
    catalogue: Catalogue
    clock: Clock

    async def __call__(
        self, drafts: Sequence[bytes], *, caller: Caller
    ) -> list[tuple[bytes, Outcome]]:
        """Return digest and outcome of each; no digest if refused before it had one."""
        sealed = await self.works.submit(
            drafts, desk=caller.party, at_us=self.clock.now_us()
        )
        lanes_of = once_each(self._lanes, by=_way)
        deeds = refill(
            sealed,
            attempt(
                lambda document: make_enter(
                    document=document, lanes=lanes_of(document), send=True
                ),
                good(sealed),
            ),
        )
        committed = await self.vault.perform(good(deeds))
        outcomes = refill(deeds, [deed.outcomes[0] for deed in committed])
        return [
            (b"" if isinstance(one, CounterfoilError) else one.digest, outcome)
            for one, outcome in zip(sealed, outcomes, strict=True)
        ]

    def _lanes(self, document: Document) -> Mapping[str, str]:
        self.registry.check_direction(self.catalogue, document.key, document.recipients)
        return self.registry.lanes_to(document.recipients)


def _way(document: Document) -> tuple[str, int, tuple[str, ...]]:
    """Return what decides whether and how a voucher may go to its recipients."""
    return document.key.issuer, document.key.type_code, document.recipients
