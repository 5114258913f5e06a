"""Drafts are sealed, enter the vault, and are sent (签章, 入库, 发送)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.ports import Clock, Vault, Workbench
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import Catalogue
from counterfoil.domain.deeds import Enter, Outcome, Recorded, Send, Withdraw
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import DraftRow, Unsealed
from counterfoil.domain.refusals import (
    CounterfoilError,
    DraftNotFound,
    VoucherNotFound,
    WithdrawalOutOfOrder,
)
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import Role, Standing
from counterfoil.domain.voucher import VoucherKey


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDrafts:
    """Puts the institution's seals on reviewed drafts; they enter the vault."""

    vault: Vault
    workbench: Workbench
    works: Works
    registry: Registry
    clock: Clock

    async def __call__(
        self, digests: Sequence[bytes], *, send: bool, caller: Caller
    ) -> list[tuple[bytes, Outcome]]:
        """Seal each draft, store it, and with `send` put it into its lanes."""
        rows = await self.workbench.get(caller.party, digests)
        found = [
            row or self._entered(caller, digest)
            for row, digest in zip(rows, digests, strict=True)
        ]
        drafts = [one for one in found if isinstance(one, DraftRow)]
        sealed = await self.works.seal(
            [Unsealed(payload=row.payload, seals=row.seals) for row in drafts],
            at_us=self.clock.now_us(),
        )
        entered = await self._enter(sealed, send=send)
        await self.workbench.remove(
            caller.party,
            [
                row.digest
                for row, outcome in zip(drafts, entered, strict=True)
                if isinstance(outcome, Recorded)
            ],
        )
        rest = iter(entered)
        return [
            (digest, next(rest) if isinstance(one, DraftRow) else one)
            for digest, one in zip(digests, found, strict=True)
        ]

    def _entered(self, caller: Caller, digest: bytes) -> Outcome:
        """Return where a voucher stands that entered the vault before."""
        key = self.vault.key_of(digest)
        entry = self.vault.entry(key) if key else None
        if key is None or entry is None or key.issuer != caller.party:
            return DraftNotFound("no such draft on this desk")
        first = entry.passages[0]
        time_us = self.vault.leaf(first.leaf).time_us
        return Recorded(
            leaf=first.leaf, standing=first.standing, time_us=time_us, new=False
        )

    async def _enter(
        self, sealed: Sequence[Document | CounterfoilError], *, send: bool
    ) -> list[Outcome]:
        def deed(document: Document) -> Enter:
            lanes = self.registry.lanes_to(document.recipients)
            return Enter(document=document, lanes=lanes, send=send)

        deeds = refill(sealed, attempt(deed, good(sealed)))
        committed = await self.vault.perform(good(deeds))
        return refill(deeds, [deed.outcomes[0] for deed in committed])


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
        deeds = refill(sealed, attempt(self._deed, good(sealed)))
        committed = await self.vault.perform(good(deeds))
        outcomes = refill(deeds, [deed.outcomes[0] for deed in committed])
        return [
            (b"" if isinstance(one, CounterfoilError) else one.digest, outcome)
            for one, outcome in zip(sealed, outcomes, strict=True)
        ]

    def _deed(self, document: Document) -> Enter:
        self.registry.check_direction(self.catalogue, document.key, document.recipients)
        lanes = self.registry.lanes_to(document.recipients)
        return Enter(document=document, lanes=lanes, send=True)


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
        entry = self.vault.entry(key)
        if entry is None or entry.digest != digest or key.issuer != caller.party:
            raise VoucherNotFound("no such voucher of this desk", number=key.number)
        recipients = [passage.recipient for passage in entry.passages]
        return Send(key=key, digest=digest, lanes=self.registry.lanes_to(recipients))


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSeals:
    """Withdraws the topmost seal of a voucher that was not sent (撤销签章)."""

    vault: Vault
    workbench: Workbench
    works: Works
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
        self._check_topmost(row, position)
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
        entry = self.vault.entry(row.key)
        return entry is not None and entry.digest == row.digest

    def _check_topmost(self, row: DraftRow, position: str) -> None:
        plan = self.catalogue.row(row.key.type_code).plan
        topmost = plan.positions[len(row.seals) - 1].id if row.seals else ""
        if position != topmost:
            raise WithdrawalOutOfOrder(
                f"the topmost seal is at {topmost or 'no position'}",
                topmost=topmost,
            )

    async def _take_out(self, digest: bytes, position: str, caller: Caller) -> DraftRow:
        """Take a fully sealed, unsent voucher out of the books, back to a draft.

        The draft is on the workbench before the vault lets go of the voucher, so
        that a crash in between leaves both, and the withdrawal is asked again.
        """
        key = self.vault.key_of(digest)
        entry = self.vault.entry(key) if key else None
        if key is None or entry is None or key.issuer != caller.party:
            raise DraftNotFound("no such draft on this desk")
        if entry.role is not Role.ISSUER or any(
            passage.standing is not Standing.SEALED for passage in entry.passages
        ):
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
        self._check_topmost(row, position)
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
