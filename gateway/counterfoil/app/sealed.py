"""Vouchers again, byte by byte as they were sealed: many of them at once."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from counterfoil.app.batches import attempt, good
from counterfoil.app.entries import own_sides
from counterfoil.app.ports import Entry, Vault
from counterfoil.domain.refusals import CounterfoilError, VoucherNotFound
from counterfoil.domain.registry import Caller
from counterfoil.domain.voucher import VoucherKey

_TOGETHER: Final = 64
"""Vouchers that are looked up together: the event loop waits so long for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSealed:
    """Gives vouchers of the caller's desk as they entered or arrived (重取原件).

    Neither the ledger nor a signature is needed: the book of keys says where the
    bytes stand, and the log what they have to be.
    """

    vault: Vault

    async def __call__(
        self,
        vouchers: Sequence[tuple[VoucherKey, bytes]],
        *,
        bytes_max: int,
        caller: Caller,
    ) -> AsyncIterator[list[bytes | CounterfoilError]]:
        """Yield a sealed document for each voucher, or why there is none, in order.

        Of what is only a copy, the receipt with the voucher inside.

        Args:
            vouchers: Key and digest of each.
            bytes_max: Most bytes of documents in what is yielded at a time, unless
                one alone has more.
            caller: Whose desk asks.

        Raises:
            VaultCorrupt: A document no longer matches the log.
        """
        waiting = iter(vouchers)
        while together := list(islice(waiting, _TOGETHER)):
            places = self._places(together, caller.party)
            found: deque[bytes] = deque()
            left = good(places)
            given: list[bytes | CounterfoilError] = []
            for place in places:
                if isinstance(place, CounterfoilError):
                    given.append(place)
                    continue
                if not found:
                    if given:
                        yield given
                        given = []
                    found.extend(self.vault.documents(left, bytes_max=bytes_max))
                    left = left[len(found) :]
                given.append(found.popleft())
            yield given

    def _places(
        self, vouchers: Sequence[tuple[VoucherKey, bytes]], party: str
    ) -> list[int | CounterfoilError]:
        """Return where each voucher's bytes stand in the log."""
        entries = own_sides(self.vault, [key for key, _ in vouchers], party)
        return attempt(_place, list(zip(vouchers, entries, strict=True)))


def _place(asked: tuple[tuple[VoucherKey, bytes], Entry | None]) -> int:
    """Return where the bytes of one voucher stand.

    Raises:
        VoucherNotFound: It is not on this desk, or other bytes have its key.
    """
    (key, digest), entry = asked
    if entry is None or entry.digest != digest:
        raise VoucherNotFound("no such voucher on this desk", number=key.number)
    return entry.document
