"""A sealed document and the facts about it that the vault decides by."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from counterfoil.domain.catalogue import Comparison, DocumentKind
from counterfoil.domain.naming import Naming
from counterfoil.domain.registration import Registration
from counterfoil.domain.value import maker, value
from counterfoil.domain.voucher import VoucherKey
from counterfoil.domain.witnessing import Earlier


@value
class Document:
    """A voucher, a receipt, a step or a registration, with its seals.

    Attributes:
        kind: What it is.
        sealed: The encoded `Sealed`, carried verbatim.
        digest: SHA-256 of its payload; names it.
        version: SHA-256 of `sealed`: one state of its seals.
        key: Key of the voucher that it is or is about; of a registration see
            `key_of_registration`.
        subject: Digest of that voucher; equals `digest` for a voucher and for a
            registration.
        by: Code of the party that issued it.
        recipients: Codes of the parties it goes to, in the order of the payload.
        amount_fen: A voucher's main amount, a receipt's paid amount; else 0.
        count: A voucher's rows, a receipt's paid rows; else 0.
        replaces: A voucher's issue before, as digest; empty for issue 1.
        explanation: A step's reason for people; else empty.
        comparison: By what a receipt is compared with its voucher.
        encloses: Whether it carries the original inside.
        names: The vouchers that a voucher names.
        signers: Digests of the certificates by which a peer's document holds, those
            of its enclosures too; for one of ours, of the institution's certificate.
            No part of what it says.
        sealings: Position and signer's identity URN of each seal, lowest first.
        beneath: Of a voucher of ours, digests of the certificates of the persons whose
            seals are on it, lowest first. No part of what it says.
        listed: Digest and identity URN of each certificate that bears no name and was
            judged by the directory. No part of what it says.
        registration: What a registration says; else None.
        is_overdue: Whether one of its seals held only by a revocation list or answer
            that was overdue when it was judged (soft fail). No part of what it says.
        earlier: Since when its seals are known to exist, if it came after the end of a
            certificate; else None. No part of what it says.
    """

    kind: DocumentKind
    sealed: bytes
    digest: bytes
    version: bytes
    key: VoucherKey
    subject: bytes
    by: str
    recipients: tuple[str, ...]
    amount_fen: int = 0
    count: int = 0
    replaces: bytes = b""
    explanation: str = ""
    comparison: Comparison = Comparison.AMOUNT_AND_COUNT
    encloses: bool = False
    names: tuple[Naming, ...] = ()
    signers: tuple[bytes, ...] = field(default=(), compare=False)
    sealings: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    beneath: tuple[bytes, ...] = field(default=(), compare=False)
    listed: tuple[tuple[bytes, str], ...] = field(default=(), compare=False)
    registration: Registration | None = field(default=None, compare=False)
    is_overdue: bool = field(default=False, compare=False)
    earlier: Earlier | None = field(default=None, compare=False)


make_document: Final = maker(Document)
