"""Vouchers are found in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.ports import (
    Follower,
    FoundRow,
    Ledger,
    Query,
    Vault,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchVouchers:
    """Finds vouchers of a desk in the ledger."""

    vault: Vault
    ledger: Ledger
    follower: Follower

    async def __call__(self, query: Query) -> Sequence[FoundRow]:
        """Return one page, last changed first; only vouchers of the query's desk.

        What was committed when the search was asked is found.
        """
        await self.follower.caught_up(self.vault.size())
        return await self.ledger.find(query)
