"""Drafts are checked and come to the workbench (写入)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, once_each, refill
from counterfoil.app.ports import Clock, Entry, Vault, Workbench
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import (
    Catalogue,
)
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import (
    CounterfoilError,
    VoucherKeyReused,
)
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDrafts:
    """Checks forms and puts them on the workbench."""

    vault: Vault
    workbench: Workbench
    works: Works
    registry: Registry
    catalogue: Catalogue
    clock: Clock

    async def __call__(
        self, drafts: Sequence[bytes], *, caller: Caller
    ) -> list[DraftRow | CounterfoilError]:
        """Return each draft as it now stands on the desk, or why it does not."""
        composed = await self.works.compose(
            drafts, desk=caller.party, at_us=self.clock.now_us()
        )
        keys = [row.key for row in good(composed)]
        entered = dict(zip(keys, self.vault.entries(keys, Role.ISSUER), strict=True))
        check = once_each(self._check, by=_way)

        def admit(row: DraftRow) -> DraftRow:
            check(row)
            return _admitted(row, entered[row.key])

        admitted = refill(composed, attempt(admit, good(composed)))
        # What entered the vault does not become a draft again: sealing it once
        # more must find it there, not on the desk without its reviews.
        rows = [row for row in good(admitted) if entered[row.key] is None]
        stored = await self.workbench.put(rows)
        others = {row.digest: other for row, other in zip(rows, stored, strict=True)}
        return refill(
            admitted,
            [_as_it_stands(row, others.get(row.digest)) for row in good(admitted)],
        )

    def _check(self, row: DraftRow) -> None:
        """Check that a draft may go where it is to go.

        Raises:
            CounterfoilError: It may not.
        """
        self.registry.check_direction(self.catalogue, row.key, row.recipients)
        self.registry.lanes_to(row.recipients)


def _way(row: DraftRow) -> tuple[str, int, tuple[str, ...]]:
    """Return what decides whether a draft may go to its recipients."""
    return row.key.issuer, row.key.type_code, row.recipients


def _admitted(row: DraftRow, entry: Entry | None) -> DraftRow:
    """Return a draft, unless its key is another voucher's that entered the vault."""
    if entry is not None and entry.digest != row.digest:
        raise _reused(row)
    return row


def _as_it_stands(row: DraftRow, other: DraftRow | None) -> DraftRow | VoucherKeyReused:
    """Return a draft that was stored, the same one as it stood, or a refusal."""
    if other is None:
        return row
    return other if other.digest == row.digest else _reused(row)


def _reused(row: DraftRow) -> VoucherKeyReused:
    return VoucherKeyReused(
        "this number carries other content already", number=row.key.number
    )
