"""The works: where batches are checked, composed and sealed, off the event loop.

A port. Its adapter hands whole batches to worker processes, because signatures
are most of a gateway's work and cannot share a busy interpreter (architecture
D8). One bad item of a batch is refused alone; its refusal takes its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from counterfoil.domain.document import Document
from counterfoil.domain.draft_seals import DraftSeals, ReviewSeal, Signers
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, Unsealed
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.witnessing import Held


class Works(Protocol):
    """Checks, composes and seals batches."""

    async def examine(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        *,
        at_us: int,
        answers: Sequence[bytes] = (),
    ) -> list[Document | CounterfoilError]:
        """Verify and parse sealed documents that a peer delivered.

        Args:
            documents: Encoded `Sealed` documents.
            certificates: Certificates (DER) that came with them.
            at_us: The instant to judge certificates at, by our clock.
            answers: Responders' answers (DER) about certificates, likewise.
        """

    async def reread(
        self, documents: Sequence[bytes]
    ) -> list[Document | CounterfoilError]:
        """Parse sealed documents whose seals are not judged.

        For documents that our log may hold already, to look for them there, and for
        nothing else.

        Args:
            documents: Encoded `Sealed` documents; registrations are refused.
        """

    async def held(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes] = (),
    ) -> list[Held | None]:
        """Tell when the certificates by which documents were sealed could be relied on.

        Args:
            documents: Encoded `Sealed` documents.
            certificates: Certificates (DER) that came with them.
            answers: Responders' answers (DER) about certificates, likewise.

        Returns:
            For each document since when and until when; None if there is no instant
            at which all could be, or it is no document.
        """

    async def compose(
        self, drafts: Sequence[bytes], *, desk: str, at_us: int
    ) -> list[DraftRow | CounterfoilError]:
        """Check drafts of `desk` by every rule of form, and encode the vouchers.

        Args:
            drafts: Encoded `desk.v1.Draft` messages.
            desk: The party whose desk it is; the only issuer allowed.
            at_us: Now, by our clock: no voucher is dated in the future.
        """

    async def review(
        self,
        reviews: Sequence[tuple[DraftSeals, bytes]],
        certificates: Sequence[bytes],
        *,
        signer: Identity,
        at_us: int,
    ) -> list[ReviewSeal | CounterfoilError]:
        """Judge personal seals that are to go on top of drafts.

        Args:
            reviews: What stands on the draft, and the encoded seal.
            certificates: Of the persons whose seals are on the drafts, in DER.
            signer: Who calls; each seal must be that person's.
            at_us: The instant to judge at.

        Returns:
            By which certificate each seal is, or why it does not hold.
        """

    async def seal(
        self, drafts: Sequence[Unsealed], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Put the institution's seals on vouchers whose reviews are complete."""

    async def submit(
        self, drafts: Sequence[bytes], *, desk: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Compose and seal in one go what needs no personal seal."""

    async def steps(
        self, steps: Sequence[StepText], *, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Encode and seal steps."""

    async def receipts(
        self, receipts: Sequence[ReceiptText], *, by: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Check receipts of `by` by every rule of form, encode and seal them."""

    async def national(
        self, documents: Sequence[tuple[bytes, bytes]], *, encoding: str
    ) -> list[bytes | CounterfoilError]:
        """Write vouchers of our vault as national documents.

        Args:
            documents: Of each the sealed voucher and its sealed receipt; the latter
                empty without one, the former if the receipt encloses it.
            encoding: `GBK` or `GB18030`.
        """

    async def payload(self, sealed: Sequence[bytes]) -> list[Unsealed]:
        """Take sealed vouchers of our own apart into payload and seals."""


class Certificates(Protocol):
    """Finds the certificates that seals name."""

    def of_seals(self, seals: Iterable[bytes]) -> list[bytes]:
        """Return the known certificates (DER) that encoded seals name, each once."""

    def sealings(self, seals: Iterable[bytes]) -> tuple[tuple[str, str], ...]:
        """Return position and signer's identity URN of each encoded seal.

        The URN of a signer whose certificate is not known, or nobody's, is empty.
        """

    def whose(self, seals: Iterable[bytes]) -> Signers:
        """Return whose encoded seals are; see `sealings` of what is not known."""

    def of_document(self, sealed: bytes) -> list[bytes]:
        """Return the certificates of a sealed document and their authorities.

        With the revocation lists, those are all that a third party with our roots
        needs to judge it.
        """

    def revocation_lists(self) -> list[bytes]:
        """Return the revocation lists (DER) that we go by now."""

    def revocation_answers(self, documents: Iterable[bytes]) -> list[bytes]:
        """Return what responders answered about the certificates of documents."""
