"""Reviewed drafts are sealed by the institution and enter the vault (签章, 入库)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from counterfoil.app.batches import attempt, good, once_each, refill
from counterfoil.app.ports import Clock, Vault, Workbench
from counterfoil.app.works import Certificates, Works
from counterfoil.domain.deeds import Enter, Outcome, Recorded, make_enter
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import DraftRow, Unsealed
from counterfoil.domain.refusals import (
    CounterfoilError,
    DraftNotFound,
)
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import Role

JudgeReviewer: TypeAlias = Callable[[bytes], None]
"""See `SealDrafts`."""


def _believed(_certificate: bytes) -> None:
    """Stand for `judge_reviewer` where nobody judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDrafts:
    """Puts the institution's seals on reviewed drafts; they enter the vault.

    `judge_reviewer` raises `SealForged` or `SealUndetermined` if nothing may rest on a
    reviewer's certificate (DER) any more: it may have been revoked since the review.
    """

    vault: Vault
    workbench: Workbench
    works: Works
    certificates: Certificates
    registry: Registry
    clock: Clock
    judge_reviewer: JudgeReviewer = _believed

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
        judge = once_each(self._judge, by=_itself)

        def unseal(row: DraftRow) -> Unsealed:
            draft = self._unsealed(row)
            for certificate in draft.signers.certificates:
                judge(certificate)
            return draft

        unsealed = attempt(unseal, drafts)
        sealed = await self.works.seal(good(unsealed), at_us=self.clock.now_us())
        entered = await self._enter(refill(unsealed, sealed), send=send)
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

    def _unsealed(self, row: DraftRow) -> Unsealed:
        """Return a draft as the works take it; whose seals are on it, if it counts."""
        if not self.vault.register.is_founded:
            return Unsealed(payload=row.payload, seals=row.seals)
        signers = self.certificates.whose(row.seals)
        return Unsealed(payload=row.payload, seals=row.seals, signers=signers)

    def _judge(self, certificate: bytes) -> None:
        """Check a reviewer's certificate, by its SHA-256, as it stands now."""
        kept = self.vault.certificate(certificate)
        if kept is not None:
            self.judge_reviewer(kept)

    def _entered(self, caller: Caller, digest: bytes) -> Outcome:
        """Return where a voucher stands that entered the vault before."""
        key = self.vault.key_of(digest)
        entry = self.vault.entry(key, Role.ISSUER) if key else None
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
        lanes_of = once_each(self._lanes, by=_recipients)

        def deed(document: Document) -> Enter:
            return make_enter(document=document, lanes=lanes_of(document), send=send)

        deeds = refill(sealed, attempt(deed, good(sealed)))
        committed = await self.vault.perform(good(deeds))
        return refill(deeds, [deed.outcomes[0] for deed in committed])

    def _lanes(self, document: Document) -> Mapping[str, str]:
        return self.registry.lanes_to(document.recipients)


def _itself(certificate: bytes) -> bytes:
    return certificate


def _recipients(document: Document) -> tuple[str, ...]:
    return document.recipients
