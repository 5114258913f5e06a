"""A recipient answers that it acted (回单)."""

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
from counterfoil.domain.drafts import ReceiptText
from counterfoil.domain.registry import Caller, Registry
from counterfoil.domain.standing import Act, Role, Standing, advance
from counterfoil.domain.voucher import VoucherKey


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
        entry = find_entry(self.vault, key, digest, caller.party, Role.RECIPIENT)
        for passage in entry.passages:
            # A receipt that exists is compared in the vault, by its digest.
            if (
                passage.recipient == caller.party
                and passage.standing is not Standing.RECEIPTED
            ):
                advance(entry.role, passage.standing, Act.ENTER, DocumentKind.RECEIPT)
        return ReceiptText(receipt=receipt, recipients=(key.issuer,))
