"""What is not sealed yet: drafts on the workbench, and what documents will say."""

from __future__ import annotations

from typing import Final, NamedTuple

from counterfoil.domain.catalogue import DocumentKind
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


class DraftSeals(NamedTuple):
    """What stands on a draft, without what the draft says.

    A review needs no more, and a payload may have a megabyte. A named tuple, because
    one goes to a worker for each review: it is pickled in a tenth of the time.

    Attributes:
        party: Whose desk the draft is on.
        digest: Digest of the payload.
        type_code: Its voucher type.
        seals: Encoded seals, lowest first.
    """

    party: str
    digest: bytes
    type_code: int
    seals: tuple[bytes, ...]


class ReviewSeal(NamedTuple):
    """A personal seal that holds where it is to stand; see `DraftSeals`.

    Attributes:
        certificate: SHA-256 of the person's certificate.
        position: Where it stands.
    """

    certificate: bytes
    position: str


@value
class Unsealed:
    """A voucher that still lacks the institution's seals.

    Attributes:
        payload: The encoded voucher.
        seals: Encoded seals that are on it, lowest first.
        sealings: Position and signer's identity URN of each of them; empty where
            nobody asks for filings.
        listed: Digest and identity URN of each certificate among them that the
            directory names.
    """

    payload: bytes
    seals: tuple[bytes, ...] = ()
    sealings: tuple[tuple[str, str], ...] = ()
    listed: tuple[tuple[bytes, str], ...] = ()


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
