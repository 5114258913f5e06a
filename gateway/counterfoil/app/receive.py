"""A peer's batch arrives (接收)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from counterfoil.app.batches import attempt, good, once_each, refill
from counterfoil.app.late import Delivered, JudgeLate
from counterfoil.app.ports import Clock, Vault
from counterfoil.app.register import nothing_to_settle
from counterfoil.app.turned_back import judged_as_of, unless_behind
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import Catalogue, DocumentKind
from counterfoil.domain.deeds import Arrive, Committed
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import CounterfoilError, SealForged, SealUndetermined
from counterfoil.domain.register_refusals import MatterForeign, SignerUnlisted
from counterfoil.domain.registration import Founding
from counterfoil.domain.registry import Registry
from counterfoil.domain.witnessing import ShownProof

NOTHING_SHOWN: Final[Mapping[int, ShownProof]] = {}
"""What shows that documents are older, where nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveDocuments:
    """Puts a peer's sealed documents into our vault.

    The order of the checks is the order of the work: first that each seal holds,
    then what the document says, then whether this peer may say it, and last, in
    the vault's own transaction, whether it fits what is there.

    Attributes:
        vault: The vault.
        works: Verifies seals and reads documents.
        registry: The parties.
        catalogue: Who may send what to whom.
        clock: Our clock.
        settle: Returns once callers and seals are judged by what is registered now.
    """

    vault: Vault
    works: Works
    registry: Registry
    catalogue: Catalogue
    clock: Clock
    settle: Callable[[], Awaitable[None]] = nothing_to_settle

    async def __call__(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        *,
        carrier: str,
        answers: Sequence[bytes] = (),
        shown: Mapping[int, ShownProof] = NOTHING_SHOWN,
    ) -> Committed:
        """Verify, check and store a batch; return when it is durable.

        Args:
            documents: Encoded `Sealed` documents, in the order of the batch.
            certificates: Certificates in DER that came with them.
            carrier: The party that the connection authenticated.
            answers: Responders' answers (DER) that came with them.
            shown: What shows that documents were sealed earlier, by their places.

        Returns:
            One outcome per document, and the proof for those that are new.

        Raises:
            VaultFull: Nothing of the batch was stored.
            VaultStopped: The vault does not write any more.
        """
        delivered = Delivered(
            documents=documents,
            certificates=certificates,
            answers=answers,
            carrier=carrier,
            shown=shown,
        )
        examined = await self._examine(delivered)
        check = once_each(lambda document: self._check(document, carrier), by=_way)

        def admit(document: Document) -> Document:
            check(document)
            _require_telling(document)
            return document

        admitted = refill(examined, attempt(admit, good(examined)))
        # A certificate is kept before the first document that needs it, so that
        # what is stored can always be judged again; nothing else of what a peer
        # sends along takes room here.
        named = {signer for one in good(admitted) for signer in one.signers}
        await self.vault.keep_certificates(
            der for der in certificates if sha256(der).digest() in named
        )
        deed = Arrive(
            carrier=carrier,
            documents=tuple(good(admitted)),
            hosted=self.registry.hosted,
        )
        (committed,) = await self.vault.perform([deed])
        if any(one.kind is DocumentKind.REGISTRATION for one in deed.documents):
            await self.settle()
        outcomes = refill(admitted, committed.outcomes)
        return replace(committed, outcomes=tuple(outcomes))

    async def _examine(self, batch: Delivered) -> Sequence[Document | CounterfoilError]:
        """Return what each document is as of now, or of when it is known to be from."""
        # Our clock, never a time that the sender states: whoever holds a retired
        # key could date a document back into the time when the key was in force.
        now_us = self.clock.now_us()
        examined = await self.works.examine(
            batch.documents,
            batch.certificates,
            at_us=judged_as_of(now_us, self.vault),
            answers=batch.answers,
        )
        examined = await self._recognise(batch.documents, examined)
        judge_late = JudgeLate(vault=self.vault, works=self.works)
        judged = await judge_late(batch, examined)
        return unless_behind(judged, now_us, self.vault)

    async def _recognise(
        self,
        documents: Sequence[bytes],
        examined: Sequence[Document | CounterfoilError],
    ) -> list[Document | CounterfoilError]:
        """Return what was examined, and for a seal that fails now what we hold.

        A peer whose line broke before our answer sends the same bytes again, and since
        then a certificate may have been revoked or have ended. What was judged when it
        arrived is known, whatever became of its seals.
        """
        recognised = list(examined)
        failed = [
            at
            for at, one in enumerate(examined)
            if isinstance(one, SealForged | SealUndetermined | SignerUnlisted)
        ]
        if not failed:
            return recognised
        read = await self.works.reread([documents[at] for at in failed])
        for at, one in zip(failed, read, strict=True):
            if isinstance(one, Document) and self.vault.holds(one):
                recognised[at] = one
        return recognised

    def _check(self, document: Document, carrier: str) -> None:
        """Check that this peer may deliver a document to us.

        Raises:
            CounterfoilError: It may not.
        """
        self.registry.check_deliverer(carrier, document.by, document.recipients)
        if document.kind is DocumentKind.RECEIPT:
            # Who else gets a copy is the business of their gateways.
            ours = self.registry.hosted.intersection(document.recipients)
            copies = ours - {document.key.issuer}
            self.registry.check_copies(self.catalogue, document.key, copies)
        if document.kind is DocumentKind.VOUCHER:
            self.registry.check_direction(
                self.catalogue, document.key, document.recipients
            )


def _require_telling(document: Document) -> None:
    """Check that a registration is not what is believed of files alone.

    Raises:
        MatterForeign: A peer opens its register; its first persons would be whoever
            holds its gateway's key.
    """
    said = document.registration
    if said is not None and isinstance(said.matter, Founding):
        raise MatterForeign("no gateway tells of its own founding", by=said.by)


def _way(document: Document) -> tuple[object, ...]:
    """Return what decides whether a peer may deliver a document."""
    key = document.key
    return document.kind, document.by, key.issuer, key.type_code, document.recipients
