"""A business system reads what waits for it (读取), and watches its vouchers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from counterfoil.app.ports import LogRecord, Vault, Waiting
from counterfoil.domain.deeds import Read
from counterfoil.domain.refusals import LeafNotFound
from counterfoil.domain.registry import Caller
from counterfoil.domain.standing import Role

_PAGE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadArrivals:
    """Streams what has arrived for a desk and was not taken over yet."""

    vault: Vault

    async def __call__(
        self,
        *,
        caller: Caller,
        types: frozenset[int],
        batch_max: int,
        bytes_max: int,
        follow: bool,
    ) -> AsyncIterator[list[Waiting]]:
        """Yield batches in the order of arrival, each of so many documents and bytes.

        A document that is larger stands alone.

        At least once: what is not accepted, rejected or acknowledged is yielded
        again by the next call. With `follow` it goes on with what arrives later.
        """
        after, size = -1, self.vault.size()
        while True:
            page = self.vault.waiting(
                caller.party, after=after, limit=batch_max, bytes_max=bytes_max
            )
            if page:
                after = page[-1].leaf_index
                wanted = [w for w in page if not types or w.key.type_code in types]
                if wanted:
                    yield wanted
                continue
            if not follow:
                return
            size = await self.vault.changed(size)

    async def acknowledge(self, leaves: tuple[int, ...], *, caller: Caller) -> None:
        """Take receipts and steps off the caller's list (确认)."""
        await self.vault.perform([Read(party=caller.party, leaves=leaves)])


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchVouchers:
    """Streams changes of standing of a desk's vouchers."""

    vault: Vault

    async def __call__(
        self, *, caller: Caller, after: int | None, from_start: bool
    ) -> AsyncIterator[list[LogRecord]]:
        """Yield changes behind log index `after`.

        If it is None, every change with `from_start`, else those from now on.

        Raises:
            LeafNotFound: The log has no leaf `after`.
        """
        index = self._first(after, from_start=from_start)
        while True:
            records = self.vault.records(index, _PAGE)
            if not records:
                await self.vault.changed(index)
                continue
            index = records[-1].index + 1
            own = [r for r in records if r.changes and _concerns(caller.party, r)]
            if own:
                yield own

    def _first(self, after: int | None, *, from_start: bool) -> int:
        """Return the log index to begin with."""
        size = self.vault.size()
        if after is None:
            return 0 if from_start else size
        if after >= size:
            # Whoever saw a leaf there saw another log. To wait until this one is as
            # long would keep silent about all that happens until then.
            raise LeafNotFound("no such leaf", leaf=str(after))
        return after + 1


def _concerns(party: str, record: LogRecord) -> bool:
    if record.role is Role.ISSUER:
        return party == record.key.issuer
    return any(recipient == party for recipient, _ in record.changes)
