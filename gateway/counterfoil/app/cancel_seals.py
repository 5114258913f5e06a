"""The topmost seal of a voucher that was not sent is withdrawn (撤销签章)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.ports import Vault, Workbench
from counterfoil.app.works import Certificates, Works
from counterfoil.domain.catalogue import Catalogue
from counterfoil.domain.deeds import Withdraw
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import (
    CounterfoilError,
    DraftNotFound,
    PostRefused,
    WithdrawalOutOfOrder,
)
from counterfoil.domain.registry import Caller
from counterfoil.domain.standing import Role, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSeals:
    """Withdraws the topmost seal of a voucher that was not sent (撤销签章).

    A business system withdraws whatever is on top; a person only the own seal.
    """

    vault: Vault
    workbench: Workbench
    works: Works
    certificates: Certificates
    catalogue: Catalogue

    async def __call__(
        self, items: Sequence[tuple[bytes, str]], *, caller: Caller
    ) -> list[DraftRow | CounterfoilError]:
        """Return each voucher as the draft that it is afterwards.

        Args:
            items: Digest and position; the position must be the topmost filled.
            caller: Whose desk it is.
        """
        outcomes: list[DraftRow | CounterfoilError] = []
        for digest, position in items:
            # One by one: withdrawals are rare and touch both workbench and vault.
            try:
                outcomes.append(await self._withdraw(digest, position, caller))
            except CounterfoilError as refusal:
                outcomes.append(refusal)
        return outcomes

    async def _withdraw(self, digest: bytes, position: str, caller: Caller) -> DraftRow:
        (row,) = await self.workbench.get(caller.party, [digest])
        if row is None or self._is_entered(row):
            if row is not None and row.seals:
                # Sealing was cut short before it cleared the desk; until it is
                # asked again, the seal in the vault is on top of these.
                raise WithdrawalOutOfOrder("the voucher is in the vault: seal it again")
            row = await self._take_out(digest, position, caller)
            expected = 0
        else:
            expected = len(row.seals)
        self._check_topmost(row, position, caller)
        fewer = row.seals[:-1]
        (made,) = await self.workbench.set_seals(
            caller.party, [(digest, expected, fewer)]
        )
        if not made:
            raise WithdrawalOutOfOrder("another seal was put on top meanwhile")
        return DraftRow(
            party=row.party,
            digest=digest,
            key=row.key,
            payload=row.payload,
            seals=fewer,
            recipients=row.recipients,
        )

    def _is_entered(self, row: DraftRow) -> bool:
        """Tell whether a draft's voucher is in the vault as well.

        So it is when a crash came between the two stores.
        """
        entry = self.vault.entry(row.key, Role.ISSUER)
        return entry is not None and entry.digest == row.digest

    def _check_topmost(self, row: DraftRow, position: str, caller: Caller) -> None:
        """Check that a position is the topmost, and its seal this caller's.

        Raises:
            WithdrawalOutOfOrder: Another seal is on top, or none.
            PostRefused: It is another person's, or the institution's.
        """
        plan = self.catalogue.row(row.key.type_code).plan
        topmost = plan.positions[len(row.seals) - 1].id if row.seals else ""
        if position != topmost:
            raise WithdrawalOutOfOrder(
                f"the topmost seal is at {topmost or 'no position'}",
                topmost=topmost,
            )
        if Post.BUSINESS_SYSTEM in caller.posts:
            return
        ((_, signer),) = self.certificates.sealings(row.seals[-1:])
        if signer != caller.identity.to_urn():
            raise PostRefused(
                f"the seal at {topmost} is not this caller's", position=topmost
            )

    async def _take_out(self, digest: bytes, position: str, caller: Caller) -> DraftRow:
        """Take a fully sealed, unsent voucher out of the books, back to a draft.

        The draft is on the workbench before the vault lets go of the voucher, so
        that a crash in between leaves both, and the withdrawal is asked again.
        """
        key = self.vault.key_of(digest)
        entry = self.vault.entry(key, Role.ISSUER) if key else None
        if key is None or entry is None or key.issuer != caller.party:
            raise DraftNotFound("no such draft on this desk")
        if any(passage.standing is not Standing.SEALED for passage in entry.passages):
            raise WithdrawalOutOfOrder("the voucher was sent", number=key.number)
        (unsealed,) = await self.works.payload([self.vault.document(entry.document)])
        row = DraftRow(
            party=caller.party,
            digest=digest,
            key=key,
            payload=unsealed.payload,
            seals=unsealed.seals,
            recipients=tuple(passage.recipient for passage in entry.passages),
        )
        self._check_topmost(row, position, caller)
        bare = DraftRow(
            party=row.party,
            digest=digest,
            key=key,
            payload=row.payload,
            seals=(),
            recipients=row.recipients,
        )
        await self.workbench.put([bare])
        (committed,) = await self.vault.perform([Withdraw(key=key, digest=digest)])
        outcome = committed.outcomes[0]
        if isinstance(outcome, CounterfoilError):
            await self.workbench.remove(caller.party, [digest])
            raise outcome
        return row
