"""A voucher, or its receipt, as the national document that older systems read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import good, refill
from counterfoil.app.entries import own_side
from counterfoil.app.ports import Entry, Follower, Ledger, Vault
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import (
    BatchTooLarge,
    CounterfoilError,
    VoucherNotFound,
)
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import BRINGS_DOCUMENT, Role
from counterfoil.domain.voucher import VoucherKey


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteNational:
    """Writes vouchers of the caller's desk as national documents (报文)."""

    vault: Vault
    ledger: Ledger
    follower: Follower
    works: Works
    registry: Registry

    async def __call__(
        self,
        vouchers: Sequence[tuple[VoucherKey, bytes]],
        *,
        encoding: str = "",
        bytes_max: int,
        caller: Caller,
    ) -> list[bytes | CounterfoilError]:
        """Return a document for each voucher, or why there is none.

        Args:
            vouchers: Key and digest of each.
            encoding: `GBK` or `GB18030`; empty: what the registry says of the caller's
                party.
            bytes_max: Most bytes of the sealed documents that are written in one
                answer, unless the first alone has more.
            caller: Whose desk asks.
        """
        found: list[tuple[bytes, bytes] | CounterfoilError] = []
        room = bytes_max
        for key, digest in vouchers:
            try:
                documents = await self._documents(key, digest, caller.party)
                room = _room_after(documents, room, is_first=room == bytes_max)
            except CounterfoilError as refusal:
                found.append(refusal)
            else:
                found.append(documents)
        written = await self.works.national(
            good(found),
            encoding=encoding or self.registry.party(caller.party).encoding,
        )
        return refill(found, written)

    async def _documents(
        self, key: VoucherKey, digest: bytes, party: str
    ) -> tuple[bytes, bytes]:
        """Return the sealed voucher and its sealed receipt, if it has one.

        Of what is only a copy, the receipt alone, with the voucher inside.

        Raises:
            VoucherNotFound: It is not on this desk.
        """
        entry = own_side(self.vault, key, party)
        if entry is None or entry.digest != digest:
            raise VoucherNotFound("no such voucher on this desk", number=key.number)
        sealed = self.vault.document(entry.document)
        if entry.role is Role.COPY:
            return b"", sealed
        return sealed, await self._receipt(entry)

    async def _receipt(self, entry: Entry) -> bytes:
        """Return the first receipt that there is; empty without one."""
        wanted = next((one.receipt for one in entry.passages if one.receipt), b"")
        if not wanted:
            return b""
        await self.follower.caught_up(self.vault.size())
        for row in await self.ledger.acts(entry.digest):
            if row.kind is not DocumentKind.RECEIPT:
                continue
            leaf = self.vault.leaf(row.index)
            if leaf.act in BRINGS_DOCUMENT and leaf.document == wanted:
                return self.vault.document(row.index)
        raise AssertionError("a receipt that a passage names is in the log")


def _room_after(documents: tuple[bytes, bytes], room: int, *, is_first: bool) -> int:
    """Return how many bytes there is room for behind a voucher and its receipt.

    Raises:
        BatchTooLarge: There is none for them.
    """
    left = room - sum(map(len, documents))
    if left < 0 and not is_first:
        raise BatchTooLarge("the answer is full; ask for this one in another call")
    return left
