"""A party takes a step about a voucher: accept, reject, return, ask, discard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.entries import find_entry
from counterfoil.app.ports import Clock, Vault
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Enter, Outcome
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import StepText
from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import FROM_ISSUER, Act, advance, side_of
from counterfoil.domain.value import value
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import VoucherKey


@value
class Step:
    """What a business system asks for one voucher.

    Attributes:
        key: The voucher.
        digest: Its digest.
        explanation: Why, for people.
    """

    key: VoucherKey
    digest: bytes
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSteps:
    """Seals steps about vouchers, stores and sends them.

    Acceptance (签收), rejection (签收失败) and return (退回) are the recipient's;
    the request to return (退回申请) and discard (作废) the issuer's.
    """

    vault: Vault
    works: Works
    registry: Registry
    clock: Clock

    async def __call__(
        self, kind: DocumentKind, steps: Sequence[Step], *, caller: Caller
    ) -> list[Outcome]:
        """Take one step per voucher; return when they are durable."""
        texts = attempt(lambda step: self._text(kind, step, caller), steps)
        sealed = await self.works.steps(good(texts), at_us=self.clock.now_us())
        documents = refill(texts, sealed)
        deeds = refill(documents, attempt(self._deed, good(documents)))
        committed = await self.vault.perform(good(deeds))
        return refill(deeds, [deed.outcomes[0] for deed in committed])

    def _text(self, kind: DocumentKind, step: Step, caller: Caller) -> StepText:
        side = side_of(kind)
        entry = find_entry(self.vault, step.key, step.digest, caller.party, side)
        if kind is not DocumentKind.ACCEPTANCE and not step.explanation.strip():
            raise FormRefused(
                "this step needs an explanation",
                [
                    Violation(
                        path="explanation",
                        rule="required",
                        text="an explanation is required",
                        text_zh="须填写原因",
                    )
                ],
            )
        if kind in FROM_ISSUER:
            recipients = tuple(passage.recipient for passage in entry.passages)
        else:
            recipients = (step.key.issuer,)
        # Judged here to spare a seal for what cannot be; the vault decides.
        for passage in entry.passages:
            if kind in FROM_ISSUER or passage.recipient == caller.party:
                advance(entry.role, passage.standing, Act.ENTER, kind)
        return StepText(
            kind=kind,
            key=step.key,
            subject=step.digest,
            by=caller.party,
            recipients=recipients,
            explanation=step.explanation.strip(),
        )

    def _deed(self, document: Document) -> Enter:
        return Enter(
            document=document, lanes=self.registry.lanes_to(document.recipients)
        )
