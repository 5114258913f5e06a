"""What is not sealed yet: drafts on the workbench, and what documents will say."""

from __future__ import annotations

from typing import Final

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.draft_seals import NOBODY, Signers
from counterfoil.domain.value import maker, value
from counterfoil.domain.voucher import VoucherKey


@value
class DraftRow:
    """A draft on a party's workbench.

    Attributes:
        party: Whose desk it is on.
        digest: Digest of the payload.
        key: Its key.
        payload: The encoded voucher.
        seals: Encoded seals, lowest first.
        recipients: The recipients inside the payload.
    """

    party: str
    digest: bytes
    key: VoucherKey
    payload: bytes
    seals: tuple[bytes, ...]
    recipients: tuple[str, ...]


make_draft_row: Final = maker(DraftRow)


@value
class Unsealed:
    """A voucher that still lacks the institution's seals.

    Attributes:
        payload: The encoded voucher.
        seals: Encoded seals that are on it, lowest first.
        signers: Who put them; nobody where nobody asks for filings.
    """

    payload: bytes
    seals: tuple[bytes, ...] = ()
    signers: Signers = NOBODY


@value
class StepText:
    """What a step will say; the works encode and seal it.

    Attributes:
        kind: Acceptance, rejection, request, return or discard.
        key: The voucher.
        subject: Its digest.
        by: The party that takes the step.
        recipients: The parties that it goes to.
        explanation: Why, for people; may be empty.
    """

    kind: DocumentKind
    key: VoucherKey
    subject: bytes
    by: str
    recipients: tuple[str, ...]
    explanation: str = ""


@value
class ReceiptText:
    """What a receipt will say.

    Attributes:
        receipt: The encoded `Receipt` as the business system filled it in.
        recipients: The parties that it goes to, in place of those it names.
        original: The sealed voucher, to be enclosed; empty without copies.
    """

    receipt: bytes
    recipients: tuple[str, ...]
    original: bytes = b""
