"""A party answers or withdraws: accept, reject, return, discard, act, receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.ports import Clock, Entry, Vault
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Enter, Outcome, Perform
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import ReceiptText, StepText
from counterfoil.domain.refusals import FormRefused, VoucherNotFound
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import Act, Role, Standing, advance
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import VoucherKey

_ISSUERS_STEPS = frozenset({DocumentKind.RETURN_REQUEST, DocumentKind.DISCARD})


def find_entry(vault: Vault, key: VoucherKey, digest: bytes, party: str) -> Entry:
    """Return the entry of a voucher that `party` issued or received here.

    Raises:
        VoucherNotFound: There is none with these bytes, or it is others' business.
    """
    entry = vault.entry(key)
    if entry is None or entry.digest != digest:
        raise VoucherNotFound("no such voucher in this vault", number=key.number)
    concerned = {passage.recipient for passage in entry.passages} | {key.issuer}
    if party not in concerned:
        raise VoucherNotFound("no such voucher in this vault", number=key.number)
    return entry


@dataclass(frozen=True, slots=True, kw_only=True)
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
        entry = find_entry(self.vault, step.key, step.digest, caller.party)
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
        if kind in _ISSUERS_STEPS:
            _check_role(entry, Role.ISSUER, step.key)
            recipients = tuple(passage.recipient for passage in entry.passages)
        else:
            _check_role(entry, Role.RECIPIENT, step.key)
            recipients = (step.key.issuer,)
        # Judged here to spare a seal for what cannot be; the vault decides.
        for passage in entry.passages:
            if kind in _ISSUERS_STEPS or passage.recipient == caller.party:
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


def _check_role(entry: Entry, role: Role, key: VoucherKey) -> None:
    if entry.role is not role:
        side = "issuer" if role is Role.ISSUER else "recipient"
        raise VoucherNotFound(
            f"this desk is not the voucher's {side}", number=key.number
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformActs:
    """Records that a business system begins or ends its act (办理)."""

    vault: Vault

    async def __call__(
        self, acts: Sequence[tuple[Act, VoucherKey, bytes]], *, caller: Caller
    ) -> list[Outcome]:
        """Record each act; return when they are durable."""
        deeds = attempt(lambda item: self._deed(*item, caller), acts)
        committed = await self.vault.perform(good(deeds))
        return refill(deeds, [deed.outcomes[0] for deed in committed])

    def _deed(
        self, act: Act, key: VoucherKey, digest: bytes, caller: Caller
    ) -> Perform:
        entry = find_entry(self.vault, key, digest, caller.party)
        _check_role(entry, Role.RECIPIENT, key)
        return Perform(act=act, key=key, digest=digest, recipient=caller.party)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReceipts:
    """Seals the receipts of vouchers that were acted on, and sends them (回单)."""

    vault: Vault
    works: Works
    registry: Registry
    clock: Clock

    async def __call__(
        self,
        receipts: Sequence[tuple[VoucherKey, bytes, bytes]],
        *,
        caller: Caller,
    ) -> list[Outcome]:
        """Issue one receipt per voucher; return when they are durable.

        Args:
            receipts: Key and digest of the voucher, and the encoded receipt.
            caller: The recipient that acted.
        """
        texts = attempt(lambda item: self._text(*item, caller), receipts)
        sealed = await self.works.receipts(
            good(texts), by=caller.party, at_us=self.clock.now_us()
        )
        documents = refill(texts, sealed)
        deeds = refill(documents, attempt(self._deed, good(documents)))
        committed = await self.vault.perform(good(deeds))
        return refill(deeds, [deed.outcomes[0] for deed in committed])

    def _deed(self, document: Document) -> Enter:
        return Enter(
            document=document, lanes=self.registry.lanes_to(document.recipients)
        )

    def _text(
        self, key: VoucherKey, digest: bytes, receipt: bytes, caller: Caller
    ) -> ReceiptText:
        entry = find_entry(self.vault, key, digest, caller.party)
        _check_role(entry, Role.RECIPIENT, key)
        for passage in entry.passages:
            # A receipt that exists is compared in the vault, by its digest.
            if (
                passage.recipient == caller.party
                and passage.standing is not Standing.RECEIPTED
            ):
                advance(entry.role, passage.standing, Act.ENTER, DocumentKind.RECEIPT)
        return ReceiptText(receipt=receipt, recipients=(key.issuer,))
