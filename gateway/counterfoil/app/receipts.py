"""A recipient answers that it acted (回单)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from counterfoil.app.batches import attempt, good, refill
from counterfoil.app.entries import find_entry
from counterfoil.app.ports import Clock, Vault
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import Catalogue, DocumentKind
from counterfoil.domain.deeds import Enter, Outcome
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import ReceiptText
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import Act, Role, Standing, advance
from counterfoil.domain.value import value
from counterfoil.domain.voucher import VoucherKey


@value
class ReceiptDraft:
    """A receipt as a business system filled it in.

    Attributes:
        key: The voucher that was acted on.
        digest: Its digest.
        receipt: The encoded `Receipt`.
        copies: Codes of the parties that get a copy besides the issuer.
    """

    key: VoucherKey
    digest: bytes
    receipt: bytes
    copies: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReceipts:
    """Seals the receipts of vouchers that were acted on, and sends them (回单)."""

    vault: Vault
    works: Works
    registry: Registry
    catalogue: Catalogue
    clock: Clock

    async def __call__(
        self,
        receipts: Sequence[ReceiptDraft],
        *,
        caller: Caller,
    ) -> list[Outcome]:
        """Issue one receipt per voucher; return when they are durable.

        Args:
            receipts: The receipts, as they were filled in.
            caller: The recipient that acted.
        """
        texts = attempt(lambda draft: self._text(draft, caller), receipts)
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

    def _text(self, draft: ReceiptDraft, caller: Caller) -> ReceiptText:
        key = draft.key
        entry = find_entry(self.vault, key, draft.digest, caller.party, Role.RECIPIENT)
        for passage in entry.passages:
            # A receipt that exists is compared in the vault, by its digest.
            if (
                passage.recipient == caller.party
                and passage.standing is not Standing.RECEIPTED
            ):
                advance(entry.role, passage.standing, Act.ENTER, DocumentKind.RECEIPT)
        copies = [code for code in draft.copies if code != key.issuer]
        self.registry.check_copies(self.catalogue, key, copies)
        return ReceiptText(
            receipt=draft.receipt,
            recipients=(key.issuer, *dict.fromkeys(copies)),
            original=self.vault.document(entry.document) if copies else b"",
        )
