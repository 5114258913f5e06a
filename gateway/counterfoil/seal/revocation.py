"""Revocation lists: whether an issuer had withdrawn a certificate.

A list covers an instant if it was current then, or was issued later: then it says
of every revocation since when it holds. What was sealed and arrived before a
certificate was revoked stays sealed.

Source: RFC 5280, sections 5 and 6.3; whole lists only, no deltas, no partitions. What
responders answer of single certificates is in `ocsp`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, get_args

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.seal.certificates import (
    UNREADABLE,
    CertificateRefused,
    public_key_of,
)
from counterfoil.seal.chains import SKEW_US, us_of
from counterfoil.sm2.keys import Sm2PublicKey
from counterfoil.sm2.signed import check_signed

_ISSUER_KEYS: Final = get_args(CertificateIssuerPublicKeyTypes)

_HARMLESS: Final = (x509.CRLNumber, x509.AuthorityKeyIdentifier)
"""Extensions that do not narrow what a list is about, critical or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one certificate's revocation.

    Attributes:
        revoked_us: Since when it is revoked; None if no list says so.
        covered_until_us: Until when the newest list answers, skew included; 0 if
            there is none.
        issued_us: When that list was issued; 0 if there is none.
    """

    revoked_us: int | None
    covered_until_us: int
    issued_us: int = 0

    def joined(self, other: Standing) -> Standing:
        """Return what both know together: revoked outweighs, the newer one covers."""
        stated = [one.revoked_us for one in (self, other) if one.revoked_us is not None]
        return Standing(
            revoked_us=min(stated, default=None),
            covered_until_us=max(self.covered_until_us, other.covered_until_us),
            issued_us=max(self.issued_us, other.issued_us),
        )


def nothing_known() -> Standing:
    """Return the standing of a certificate of which nobody says anything."""
    return Standing(revoked_us=None, covered_until_us=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A list as read; only its issuer's key can vouch for it.

    Attributes:
        unverified: The list.
        this_update_us: When it was issued.
        next_update_us: When the next one is due.
    """

    unverified: x509.CertificateRevocationList
    this_update_us: int
    next_update_us: int


def load_crl(unverified: bytes) -> RevocationList:
    """Parse a revocation list in DER.

    Raises:
        ValueError: It is not one, does not say when the next is due, or covers
            only some certificates or changes.
    """
    try:
        crl = x509.load_der_x509_crl(unverified)
        # The library reads these when they are asked for.
        _ = crl.issuer, crl.extensions
    except UNREADABLE as error:
        raise ValueError("not a revocation list") from error
    if crl.next_update_utc is None:
        raise ValueError("the list does not say when the next one is due")
    for extension in crl.extensions:
        narrows = extension.critical or isinstance(
            extension.value, x509.DeltaCRLIndicator | x509.IssuingDistributionPoint
        )
        if narrows and not isinstance(extension.value, _HARMLESS):
            raise ValueError("the list covers only a part")
    return RevocationList(
        unverified=crl,
        this_update_us=us_of(crl.last_update_utc),
        next_update_us=us_of(crl.next_update_utc),
    )


class RevocationLists:
    """All lists that are at hand; remembers which of them an issuer signed.

    Raises:
        ValueError: One of them is not a list; see `load_crl`.
    """

    __slots__ = ("_lists", "_signed_by")

    def __init__(self, crls: Iterable[bytes]) -> None:
        self._lists = sorted(
            map(load_crl, crls), key=lambda one: one.this_update_us, reverse=True
        )
        self._signed_by: dict[bytes, list[RevocationList]] = {}

    def standing(
        self, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> Standing:
        """Return what `issuer`, an authority of a path that holds, says of it."""
        revoked_us = None
        lists = self._of(issuer)
        for place, one in enumerate(lists):
            entry = one.unverified.get_revoked_certificate_by_serial_number(
                certificate.serial_number
            )
            # Lists drop expired certificates, so older ones count too; but a hold
            # that the newest list no longer has was lifted.
            if entry is None or (place and _is_hold(entry)):
                continue
            revoked_us = us_of(entry.revocation_date_utc)
            break
        if not lists:
            return nothing_known()
        return Standing(
            revoked_us=revoked_us,
            covered_until_us=lists[0].next_update_us + SKEW_US,
            issued_us=lists[0].this_update_us,
        )

    def _of(self, issuer: x509.Certificate) -> list[RevocationList]:
        """Return the lists that `issuer` signed, newest first."""
        key = issuer.public_bytes(Encoding.DER)
        found = self._signed_by.get(key)
        if found is None:
            found = [one for one in self._lists if _is_signed_by(one, issuer)]
            self._signed_by[key] = found
        return found


def _is_signed_by(one: RevocationList, issuer: x509.Certificate) -> bool:
    if one.unverified.issuer != issuer.subject:
        return False
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    if not usage.crl_sign:
        return False
    try:
        key = public_key_of(issuer)
        if isinstance(key, Sm2PublicKey):
            check_signed(one.unverified, key)
            return True
        return isinstance(key, _ISSUER_KEYS) and one.unverified.is_signature_valid(key)
    except (
        CertificateRefused,
        InvalidSignature,
        UnsupportedAlgorithm,
        ValueError,
    ):
        return False


def _is_hold(entry: x509.RevokedCertificate) -> bool:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, *UNREADABLE):
        # Whatever else stands there, it is revoked.
        return False
    return reason is x509.ReasonFlags.certificate_hold
