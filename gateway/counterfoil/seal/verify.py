"""Checking the seals of a document.

The numbered checks are in `verify_seals`. What they do **not** say is the caller's
share, and without it a document is not to be acted on:

* `payload_digest` must be the SHA-256 of the payload, computed by the caller.
* After the checks, and only then, the payload may be parsed; then `check_plan` of
  `domain.seals` must pass, with the plan of its kind and type and its issuer. It
  says whether the seals are all there, in order, and by the right signers: the plan
  depends on what the payload says, so it cannot come before.
* Whose a certificate is that bears no name, the directory says that the trust was made
  with; the vault asks its register again (`Verified.listed`). A seal counts only within
  its filing.
* `at_us` is the instant of arrival, by our own clock or log, never a stated time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from hashlib import sha256
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import (
    Malformed,
    SealForged,
    SealMissing,
    SealUndetermined,
)
from counterfoil.domain.register_refusals import SignerUnlisted
from counterfoil.domain.seals import Seal, Sealing, SealStatement, make_sealing
from counterfoil.domain.value import maker, value
from counterfoil.seal.algorithms import SIGNATURE_BYTES_MAX
from counterfoil.seal.batch import batch_message, climb
from counterfoil.seal.certificates import CertificateRefused, CertificateRevoked
from counterfoil.seal.dsse import SEAL_TYPE, encode_for_signing
from counterfoil.seal.ocsp import RevocationAnswers
from counterfoil.seal.trust import NO_ANSWERS, TrustStore, Vetted

SEALS_MAX: Final = 16
"""Most seals on a document, as `sealed.v1.Sealed` says."""

STATEMENT_BYTES_MAX: Final = 1024
"""Longest statement: with 15 seals beneath it has less than 700 bytes."""

BAG_MAX: Final = 256
"""Most certificates that may come with documents."""

ParseStatement: TypeAlias = Callable[[bytes], SealStatement]
"""Parses a statement; `wire` knows how.

Raises `ValueError` or `Malformed` for whatever it does not understand completely:
unknown fields, unknown numbers, digests of another length.
"""

Outcome: TypeAlias = (
    "Verified | SealForged | SealMissing | SealUndetermined | SignerUnlisted"
)
"""The verdict on one document: verified, or the refusal to answer with."""


@value
class SealedDocument:
    """A document whose seals are to be checked.

    Attributes:
        kind: What the envelope says that it is.
        payload_digest: SHA-256 of the payload, computed by the caller.
        seals: Its seals, lowest first.
    """

    kind: DocumentKind
    payload_digest: bytes
    seals: tuple[Seal, ...]


make_sealed_document: Final = maker(SealedDocument)


@value
class Verified:
    """The seals of a document, all of which hold; what `check_plan` takes.

    Attributes:
        statements: What each seal says, lowest first.
        sealings: Who put each one, in the same order.
        overdue: Seats, from 0, of seals whose revocation is known only by a list or
            answer that is overdue; empty unless soft fail is configured.
        listed: Digest and identity URN of each certificate that bears no name and was
            judged by the directory.
    """

    statements: tuple[SealStatement, ...]
    sealings: tuple[Sealing, ...]
    overdue: tuple[int, ...] = ()
    listed: tuple[tuple[bytes, str], ...] = ()


make_verified: Final = maker(Verified)


@value
class Court:
    """What seals are judged with: the same for many documents.

    Attributes:
        trust: Certificates and what is known of them.
        parse: Parses statements.
        bag: Unverified certificates in DER by digest, as they came with the
            documents: signers' and authorities'.
        answers: Responders' unverified answers, likewise; current at `at_us`.
        at_us: The instant that is judged, from a clock or log of our own;
            microseconds since the epoch.
    """

    trust: TrustStore
    parse: ParseStatement
    at_us: int
    bag: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    answers: RevocationAnswers = field(default=NO_ANSWERS, repr=False)


def verify_seals(document: SealedDocument, court: Court) -> Verified:
    """Check that every seal of a document holds, at an instant.

    The checks of each seal, in order, lowest seal first:

    1. Numbers and lengths are within bounds; there is at least one seal.
    2. The statement is one that we understand completely.
    3. It names this kind of document.
    4. It names this payload.
    5. It names exactly the seals beneath, in their order.
    6. The certificate is known, and a path to a trusted root holds at the instant.
    7. It was not revoked at the instant.
    8. It is for sealing, not for connections.
    9. Its key is of the algorithm that the statement names.
    10. The signature holds over the statement, or over the root of a batch to
        which the statement's path leads.

    Whether revocation could be determined, and whether anybody says whose a
    certificate is that bears no name, is answered last, so that a forged seal is called
    forged even while no revocation list is at hand; an answer that came along counts as
    a list does.

    Args:
        document: The document; its payload has not been parsed.
        court: What to judge it with.

    Returns:
        What each seal says and who put it. See the module for the caller's share.

    Raises:
        SealMissing: There is no seal at all.
        SealForged: A check failed; `facts["check"]` is its number and
            `facts["seat"]` the seal's, from 0.
        SealUndetermined: No revocation list covers the instant.
        SignerUnlisted: A certificate bears no name, and no directory lists it.
    """
    seals = document.seals
    # (1) Before any cryptography.
    if not seals:
        raise SealMissing("the document has no seal", due="1", there="0")
    if len(seals) > SEALS_MAX or len(court.bag) > BAG_MAX:
        raise SealForged("too many seals or certificates", check="1", seat="0")
    verified: list[tuple[SealStatement, Vetted]] = []
    beneath: tuple[bytes, ...] = ()
    for seat, seal in enumerate(seals):
        if seat:
            beneath = (*beneath, sha256(seals[seat - 1].statement).digest())
        try:
            verified.append(_verify_one(seal, document, beneath, court))
        except _Failed as failed:
            raise SealForged(
                failed.text, check=str(failed.check), seat=str(seat)
            ) from failed.__cause__
    return _verdict(verified, court.at_us)


def judge_batch(documents: Sequence[SealedDocument], court: Court) -> list[Outcome]:
    """Check many documents, each for itself: one that fails harms no other.

    Made for worker processes: outcomes can be pickled. Anything but a refusal is a
    defect of ours and is raised.
    """
    outcomes: list[Outcome] = []
    for document in documents:
        try:
            outcomes.append(verify_seals(document, court))
        except (SealForged, SealMissing, SealUndetermined, SignerUnlisted) as refusal:
            # Its traceback would keep the whole batch alive.
            outcomes.append(refusal.with_traceback(None))
    return outcomes


def _verdict(verified: Sequence[tuple[SealStatement, Vetted]], at_us: int) -> Verified:
    """Return what seals say whose signatures hold, if revocation is known of all.

    Raises:
        SealUndetermined: No revocation list or answer covers the instant.
        SignerUnlisted: A certificate bears no name, and no directory lists it.
    """
    overdue = []
    listed = []
    for seat, (statement, vetted) in enumerate(verified):
        if vetted.is_undetermined:
            raise SealUndetermined(
                "no revocation list or answer covers the instant", seat=str(seat)
            )
        if vetted.is_nameless:
            raise SignerUnlisted(
                "the certificate bears no name, and no directory here lists it",
                seat=str(seat),
            )
        if vetted.is_overdue(at_us):
            overdue.append(seat)
        if vetted.is_listed:
            listed.append((statement.certificate_digest, vetted.identity.to_urn()))
    return make_verified(
        statements=tuple(statement for statement, _ in verified),
        sealings=tuple(_sealing(statement, vetted) for statement, vetted in verified),
        overdue=tuple(overdue),
        listed=tuple(listed),
    )


class _Failed(Exception):
    """A numbered check failed."""

    def __init__(self, check: int, text: str) -> None:
        super().__init__(text)
        self.check = check
        self.text = text


def _verify_one(
    seal: Seal, document: SealedDocument, beneath: tuple[bytes, ...], court: Court
) -> tuple[SealStatement, Vetted]:
    """Checks 1 to 10 of one seal."""
    statement = _read(seal, document, beneath, court.parse)
    vetted = _vet(statement, court)
    _check_signature(seal, statement, vetted, court.trust)
    return statement, vetted


def _sealing(statement: SealStatement, vetted: Vetted) -> Sealing:
    return make_sealing(
        position=statement.position,
        signer=vetted.identity,
        certificate_digest=statement.certificate_digest,
        key_digest=vetted.key_digest,
    )


def _read(
    seal: Seal,
    document: SealedDocument,
    beneath: tuple[bytes, ...],
    parse: ParseStatement,
) -> SealStatement:
    """Checks 1 to 5: what the seal says is about this document, as it stands."""
    # (1) A batch path has its own bounds, checked on the way up.
    if len(seal.statement) > STATEMENT_BYTES_MAX:
        raise _Failed(1, "the statement is too long")
    if not 0 < len(seal.signature) <= SIGNATURE_BYTES_MAX:
        raise _Failed(1, "the signature is empty or too long")
    # (2) The one thing that is parsed before it is verified: without it nobody
    # knows whose signature to check.
    try:
        statement = parse(seal.statement)
    except (ValueError, Malformed) as error:
        raise _Failed(2, "the statement cannot be read") from error
    # (3) No receipt is taken for a voucher, no return for a discard.
    if statement.document_kind != document.kind:
        raise _Failed(3, "the seal is for another kind of document")
    # (4) No seal is moved to another payload.
    if statement.payload_digest != document.payload_digest:
        raise _Failed(4, "the seal is for another payload")
    # (5) None was stripped, exchanged or put underneath afterwards.
    if statement.beneath != beneath:
        raise _Failed(5, "the seal stands on other seals")
    return statement


def _vet(statement: SealStatement, court: Court) -> Vetted:
    """Checks 6 to 9: the certificate may be relied on for this seal."""
    try:
        vetted = court.trust.look_up(
            statement.certificate_digest,
            at_us=court.at_us,
            bag=court.bag,
            answers=court.answers,
        )
    except CertificateRefused as error:
        # (6) Also where the certificate was not sent along: only the sender can
        # change that, so it is no reason to let the same bytes wait.
        raise _Failed(6, f"the certificate is refused: {error}") from error
    except CertificateRevoked as error:
        # (7) That nobody knows is answered after all other checks.
        raise _Failed(7, "the certificate was revoked") from error
    # (8) A gateway's or system's key is on-line and unattended.
    if not vetted.may_seal:
        raise _Failed(8, "the certificate is not for sealing")
    # (9) The signature covers the name, so neither can be exchanged.
    if statement.algorithm != vetted.algorithm:
        raise _Failed(9, "the key is of another algorithm")
    return vetted


def _check_signature(
    seal: Seal, statement: SealStatement, vetted: Vetted, trust: TrustStore
) -> None:
    """Check 10: the certificate's key signed."""
    # (10) `check` raises; a boolean could be ignored.
    try:
        if seal.batch is None:
            vetted.check(seal.signature, encode_for_signing(SEAL_TYPE, seal.statement))
            return
        root = climb(seal.statement, seal.batch, trust.nodes)
        checked = (
            root,
            seal.batch.size,
            statement.certificate_digest,
            seal.signature,
        )
        if checked not in trust.checked_roots:
            vetted.check(seal.signature, batch_message(root, seal.batch.size))
            trust.remember_root(checked)
    except ValueError as error:
        raise _Failed(10, f"the batch does not hold: {error}") from error
    except InvalidSignature as error:
        raise _Failed(10, "the signature does not hold") from error
