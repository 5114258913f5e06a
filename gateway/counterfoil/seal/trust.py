"""Whom to believe, and remembering whom one has believed already.

Each worker process makes a `TrustStore` of its own. A store remembers what it has found
out about each certificate together with the interval for which that holds, so a seal by
a known certificate costs one look-up. New lists or roots mean a new store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from itertools import pairwise
from typing import Final

from cryptography import x509

from counterfoil.domain.party import Identity, Use
from counterfoil.domain.seals import Algorithm
from counterfoil.seal.algorithms import CheckSignature, UnfitKey, check_with
from counterfoil.seal.certificates import (
    CertificateRefused,
    CertificateRevoked,
    RevocationUnknown,
    certificate_bag,
    certificate_digest,
    load_certificate,
    public_key_bytes,
    public_key_of,
    stated_identity,
)
from counterfoil.seal.chains import Chain, build_chain
from counterfoil.seal.ocsp import RevocationAnswers, accept_answer
from counterfoil.seal.ocsp_reading import RevocationAnswer
from counterfoil.seal.revocation import RevocationLists, Standing
from counterfoil.seal.trust_material import TrustMaterial

VETTED_MAX: Final = 16_384
"""Certificates remembered; when there are more, all are found out again."""

ROOTS_MAX: Final = 4_096
"""Signed batch roots remembered, likewise; one batch in flight is one root."""

SIGNATURES_MAX: Final = 4_096
"""Personal signatures that held, remembered; the longest unused is forgotten first."""

NO_ANSWERS: Final = RevocationAnswers()
"""What comes along where nothing does."""

_SEALING_USES: Final = (Use.INSTITUTION, Use.PERSON)

_NOBODY: Final = Identity(party="", use=Use.PERSON, name="")
"""Stands where nobody knows yet whose a certificate is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetted:
    """A certificate whose path holds, and what a seal's check needs of it.

    Attributes:
        identity: Whose it is.
        algorithm: The one algorithm that its key fits.
        check: Checks a signature by its key.
        key_digest: SHA-256 of the key, as SubjectPublicKeyInfo in DER.
        may_seal: Whether its use is to seal.
        from_us: First instant for which this holds.
        until_us: Last instant for which this holds.
        due_us: Until when what is known of revocation is current; what is judged
            later rests on what is overdue, as soft fail allows.
        is_undetermined: No revocation list answers; nothing may rest on it.
        is_listed: Whether the directory says whose it is, not the certificate.
        is_nameless: Neither says whose it is; nothing may rest on it, and `identity`
            is nobody's.
    """

    identity: Identity
    algorithm: Algorithm
    check: CheckSignature = field(repr=False)
    key_digest: bytes
    may_seal: bool
    from_us: int
    until_us: int
    due_us: int
    is_undetermined: bool = False
    is_listed: bool = False
    is_nameless: bool = False

    def is_overdue(self, at_us: int) -> bool:
        """Tell whether a judgement at that instant rests on what is overdue."""
        return not self.is_undetermined and at_us > self.due_us


class TrustStore:
    """Judges certificates; owned by one thread.

    Attributes:
        checked_roots: Batch signatures that verified: root, size, certificate and
            signature. A fact of arithmetic, so it holds at every instant.
        nodes: Hashes of pairs of nodes in batches, likewise.

    It remembers likewise which signatures of persons held.

    Raises:
        ValueError: The material has no anchor, or something in it cannot be read.
    """

    def __init__(self, material: TrustMaterial) -> None:
        if not material.anchors:
            raise ValueError("at least one root must be trusted")
        try:
            roots = [load_certificate(one.certificate) for one in material.anchors]
            authorities = [load_certificate(one) for one in material.authorities]
        except CertificateRefused as error:
            raise ValueError("a trusted certificate cannot be read") from error
        self._anchors = [
            (root, anchor.parties)
            for root, anchor in zip(roots, material.anchors, strict=True)
        ]
        self._authorities = authorities
        self._lists = RevocationLists(material.crls)
        self._answers = RevocationAnswers(material.answers)
        self._soft_us = material.soft_us
        self._known = certificate_bag(material.certificates)
        self._directory: Mapping[bytes, Identity] = dict(material.directory)
        self._vetted: dict[bytes, Vetted] = {}
        # What raises is not remembered: only that a signature holds.
        self._check_once = lru_cache(SIGNATURES_MAX)(_check)
        self.checked_roots: set[tuple[bytes, int, bytes, bytes]] = set()
        self.nodes: dict[bytes, bytes] = {}

    def vet(
        self,
        certificate: bytes,
        *,
        uses: frozenset[Use],
        at_us: int,
        bag: Mapping[bytes, bytes] | None = None,
        answers: RevocationAnswers = NO_ANSWERS,
    ) -> Vetted:
        """Return a certificate that may be relied on, e.g. a TLS caller's.

        Args:
            certificate: In DER.
            uses: What it may be for.
            at_us: An instant of our own clock, microseconds since the epoch.
            bag: Unverified authorities that the path may use.
            answers: Responders' unverified answers that came along.

        Raises:
            CertificateRefused: It is not valid, or for another use.
            CertificateRevoked: It was revoked at that instant.
            RevocationUnknown: No revocation list covers that instant.
        """
        digest = certificate_digest(certificate)
        known = {**(bag or {}), digest: certificate}
        vetted = self.look_up(digest, at_us=at_us, bag=known, answers=answers)
        if vetted.is_nameless:
            raise CertificateRefused(
                "the certificate states no identity, and no directory here lists it"
            )
        if vetted.identity.use not in uses:
            raise CertificateRefused("the certificate is for another use")
        if vetted.is_undetermined:
            raise RevocationUnknown("no revocation list covers that instant")
        return vetted

    def look_up(
        self,
        digest: bytes,
        *,
        at_us: int,
        bag: Mapping[bytes, bytes],
        answers: RevocationAnswers = NO_ANSWERS,
    ) -> Vetted:
        """Return what is known of a certificate at an instant.

        The caller must look at `is_undetermined`, `is_nameless`, `is_overdue` and at
        the use. Of the answers that came along, those count that its issuer vouches
        for.

        Raises:
            CertificateRefused: It is not known, or no path holds at that instant.
            CertificateRevoked: It was revoked at that instant.
        """
        vetted = self._vetted.get(digest)
        if (
            vetted is not None
            and vetted.from_us <= at_us <= vetted.until_us
            # What came along may be newer than what is overdue.
            and not (answers and vetted.is_overdue(at_us))
        ):
            return vetted
        vetted = self._find_out(digest, at_us, bag, answers)
        if not vetted.is_undetermined:
            if len(self._vetted) >= VETTED_MAX:
                self._vetted.clear()
            self._vetted[digest] = vetted
        return vetted

    def relist(self, directory: Mapping[bytes, Identity]) -> None:
        """Go by another directory from now on; see `TrustMaterial.directory`."""
        before, self._directory = self._directory, directory
        for digest in before.keys() | directory.keys():
            if before.get(digest) != directory.get(digest):
                self._vetted.pop(digest, None)

    def remember_root(self, checked: tuple[bytes, int, bytes, bytes]) -> None:
        """Remember a batch signature that verified."""
        if len(self.checked_roots) >= ROOTS_MAX:
            self.checked_roots.clear()
        self.checked_roots.add(checked)

    def path_of(
        self, certificate: bytes, *, at_us: int, bag: Mapping[bytes, bytes]
    ) -> tuple[x509.Certificate, ...]:
        """Return the path of a certificate, whoever may have revoked it.

        Made for whoever wants to ask responders: only what a trusted authority has
        issued is worth a question, or may say where to ask.

        Raises:
            CertificateRefused: No path holds at that instant.
        """
        digest = certificate_digest(certificate)
        known = {**bag, digest: certificate}
        return self._judged(digest, at_us, known)[2].certificates

    def name_of(self, certificate: bytes) -> Identity | None:
        """Return whose a certificate (DER) is; None if nobody says so here.

        Raises:
            CertificateRefused: It cannot be read, or what it states is no identity.
        """
        listed = self._directory.get(certificate_digest(certificate))
        return _identity(load_certificate(certificate), listed)

    def knowledge(
        self, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> Standing:
        """Return what lists and answers at hand say of a path's certificate."""
        return self._lists.standing(certificate, issuer).joined(
            self._answers.standing(certificate, issuer, self._lists)
        )

    def accept(
        self,
        answer: bytes,
        certificate: x509.Certificate,
        issuer: x509.Certificate,
        *,
        at_us: int,
    ) -> RevocationAnswer:
        """Return an answer of a responder that we may go by; see `accept_answer`.

        Raises:
            ValueError: We may not.
        """
        return accept_answer(answer, certificate, issuer, self._lists, at_us=at_us)

    def _judged(
        self, digest: bytes, at_us: int, bag: Mapping[bytes, bytes]
    ) -> tuple[x509.Certificate, Identity | None, Chain]:
        """Return a certificate, whose it is if that is said, and a path that holds."""
        encoded = self._known.get(digest) or bag.get(digest)
        # The caller's bag is only as good as its keys; a wrong one must not pass.
        if encoded is None or certificate_digest(encoded) != digest:
            raise CertificateRefused("the certificate is not known")
        certificate = load_certificate(encoded)
        listed = self._directory.get(digest)
        identity = _identity(certificate, listed)
        chain = build_chain(
            certificate,
            [*self._authorities, *_authorities_in(bag)],
            self._roots_for(identity),
            use=(identity or _NOBODY).use,
            # One that bears no name holds as one that is listed, or not at all.
            is_listed=listed is not None or identity is None,
            at_us=at_us,
        )
        return certificate, identity, chain

    def _find_out(
        self,
        digest: bytes,
        at_us: int,
        bag: Mapping[bytes, bytes],
        answers: RevocationAnswers,
    ) -> Vetted:
        """Judge a certificate from the ground up."""
        certificate, named, chain = self._judged(digest, at_us, bag)
        identity = named or _NOBODY
        try:
            algorithm, check = check_with(public_key_of(certificate))
        except UnfitKey as error:
            raise CertificateRefused("the key fits no algorithm") from error
        if identity.use is Use.PERSON:
            # Checked when the person gives the seal, and beneath each later one.
            check = partial(self._check_once, check)
        until_us, due_us, is_undetermined = self._clear(chain, at_us, answers)
        return Vetted(
            identity=identity,
            algorithm=algorithm,
            check=check,
            key_digest=sha256(public_key_bytes(certificate)).digest(),
            may_seal=identity.use in _SEALING_USES,
            from_us=chain.from_us,
            until_us=until_us,
            due_us=due_us,
            is_undetermined=is_undetermined,
            is_listed=digest in self._directory,
            is_nameless=named is None,
        )

    def _roots_for(self, identity: Identity | None) -> list[x509.Certificate]:
        """Return the roots that may speak for somebody; all while nobody knows who."""
        roots = [
            root
            for root, parties in self._anchors
            if not parties or identity is None or identity.party in parties
        ]
        if not roots:
            raise CertificateRefused("no root may speak for that party")
        return roots

    def _clear(
        self, chain: Chain, at_us: int, answers: RevocationAnswers
    ) -> tuple[int, int, bool]:
        """Return until when nothing in the path is revoked, or that nobody knows.

        Returns:
            The last instant for which this holds; until when what it rests on is
            current; and whether it does not even hold at `at_us`.

        Raises:
            CertificateRevoked: A certificate of the path was revoked by then.
        """
        until_us = due_us = covered_until_us = chain.until_us
        for certificate, issuer in pairwise(chain.certificates):
            ours = self.knowledge(certificate, issuer)
            standing = ours.joined(answers.standing(certificate, issuer, self._lists))
            if standing.revoked_us is not None:
                until_us = min(until_us, standing.revoked_us - 1)
            due_us = min(due_us, standing.covered_until_us)
            # Not of what came along: that counts only while it is current.
            tolerated_us = ours.issued_us + self._soft_us if self._soft_us else 0
            covered_until_us = min(
                covered_until_us, max(standing.covered_until_us, tolerated_us)
            )
        # Revoked outweighs unknown: one list is enough to say no.
        if until_us < at_us <= chain.until_us:
            raise CertificateRevoked("the certificate was revoked")
        return min(until_us, covered_until_us), due_us, covered_until_us < at_us


def _check(check: CheckSignature, signature: bytes, message: bytes) -> None:
    check(signature, message)


def _identity(
    certificate: x509.Certificate, listed: Identity | None
) -> Identity | None:
    """Return whose certificate it is; a directory cannot contradict it."""
    stated = stated_identity(certificate)
    if stated is None or listed is None:
        return stated or listed
    if stated != listed:
        raise CertificateRefused("the directory contradicts the certificate")
    return listed


def _authorities_in(bag: Mapping[bytes, bytes]) -> list[x509.Certificate]:
    """Return what in a bag can be read and calls itself an authority."""
    found = []
    for encoded in bag.values():
        try:
            certificate = load_certificate(encoded)
            constraints = certificate.extensions.get_extension_for_class(
                x509.BasicConstraints
            )
        except (CertificateRefused, x509.ExtensionNotFound):
            continue
        if constraints.value.ca:
            found.append(certificate)
    return found
