"""What a seal states, and whether a document's seals fill its plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from enum import IntEnum
from typing import Final

from counterfoil.domain.catalogue import (
    DocumentKind,
    SealedBy,
    SealPlan,
    SealPosition,
    SealPurpose,
)
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import SamePerson, SealForged, SealMissing
from counterfoil.domain.value import maker, value


class Algorithm(IntEnum):
    """Signature algorithms: a closed list; numbers as in `sealed.v1.Algorithm`."""

    ECDSA_P256_SHA256 = 1
    ED25519 = 2
    SM2_SM3 = 3


@value
class SealStatement:
    """What one seal says; its encoded bytes are what is signed.

    Attributes:
        document_kind: Kind of the document.
        payload_digest: SHA-256 of the payload.
        position: Position in the plan, e.g. `gz`.
        purpose: What the seal is for.
        certificate_digest: SHA-256 of the signer's certificate in DER.
        algorithm: How it is signed.
        stated_time_us: When the signer says it sealed, microseconds since the
            epoch; evidence of intent, never relied on.
        beneath: SHA-256 of the statements of the seals beneath, lowest first.
    """

    document_kind: DocumentKind
    payload_digest: bytes
    position: str
    purpose: SealPurpose
    certificate_digest: bytes
    algorithm: Algorithm
    stated_time_us: int
    beneath: tuple[bytes, ...] = ()


make_seal_statement: Final = maker(SealStatement)


@value
class BatchPath:
    """Where a statement stands in a batch that was signed as one.

    Attributes:
        index: Position in the batch, from 0.
        size: Statements in the batch.
        hashes: Sibling hashes, from the leaf upwards.
    """

    index: int
    size: int
    hashes: tuple[bytes, ...]


make_batch_path: Final = maker(BatchPath)


@value
class Seal:
    """A seal as carried.

    Attributes:
        statement: The encoded statement, verbatim.
        signature: Over the statement, or over the batch's root.
        batch: Set for a batch seal.
    """

    statement: bytes
    signature: bytes
    batch: BatchPath | None = None


make_seal: Final = maker(Seal)


@value
class Sealing:
    """A seal that was verified: who put it where.

    Attributes:
        position: The position.
        signer: Identity of the certificate.
        certificate_digest: Which certificate.
        key_digest: SHA-256 of its public key, as SubjectPublicKeyInfo in DER; whoever
            has two certificates of one key signs with both alone.
    """

    position: str
    signer: Identity
    certificate_digest: bytes = field(repr=False)
    key_digest: bytes = field(repr=False)


make_sealing: Final = maker(Sealing)


def next_position(plan: SealPlan, filled: int) -> SealPosition:
    """Return the position that comes after `filled` seals.

    Raises:
        SealMissing: The plan is full: nothing more belongs on the document.
    """
    if filled >= len(plan.positions):
        raise SealMissing("the plan has no further position", filled=str(filled))
    return plan.positions[filled]


def check_seat(position: SealPosition, statement: SealStatement, seat: str) -> None:
    """Check that a statement claims exactly the position that is due.

    Raises:
        SealMissing: It claims another position or purpose.
    """
    if (statement.position, statement.purpose) != (position.id, position.purpose):
        raise SealMissing(
            f"position {position.id} is due, the seal is for {statement.position}",
            position=position.id,
            seat=seat,
        )


def check_plan(
    plan: SealPlan,
    statements: Sequence[SealStatement],
    sealings: Sequence[Sealing],
    *,
    issuer: str,
) -> None:
    """Check that verified seals fill `plan`, in its order, by the right signers.

    Args:
        plan: The plan of the document's kind and type.
        statements: What the seals state, lowest first.
        sealings: Who put them, as verified, in the same order.
        issuer: The party whose document it is.

    Raises:
        SealMissing: A position is empty, doubled or out of order.
        SealForged: A seal is another party's, or of the wrong kind of signer.
        SamePerson: Two personal seals are by one person, or with one key.
    """
    if len(statements) != len(plan.positions):
        raise SealMissing(
            f"{len(plan.positions)} seals are due, {len(statements)} are there",
            due=str(len(plan.positions)),
            there=str(len(statements)),
        )
    persons: set[str | bytes] = set()
    for seat, (position, statement, sealing) in enumerate(
        zip(plan.positions, statements, sealings, strict=True)
    ):
        check_seat(position, statement, str(seat))
        check_signer(position, sealing, issuer=issuer)
        if position.by is SealedBy.PERSON:
            who: set[str | bytes] = {sealing.signer.name, sealing.key_digest}
            if not persons.isdisjoint(who):
                raise SamePerson("two reviews are by one person", position=position.id)
            persons |= who


def check_signer(position: SealPosition, sealing: Sealing, *, issuer: str) -> None:
    """Check that the signer may seal at `position` for `issuer`.

    Raises:
        SealForged: The certificate is another party's or of another use.
    """
    due = Use.PERSON if position.by is SealedBy.PERSON else Use.INSTITUTION
    if sealing.signer.party != issuer or sealing.signer.use is not due:
        raise SealForged(
            f"{sealing.signer.to_urn()} may not seal at {position.id} of {issuer}",
            check="signer",
            position=position.id,
        )
