"""Paths from a time stamp's signer to a trusted root, and who of them is revoked.

Source: RFC 3161, section 2.3: the certificate is for time stamps and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from counterfoil.seal.chains import authority_policy
from counterfoil.seal.policies import DEPTH_MAX
from counterfoil.seal.revocation import RevocationLists
from counterfoil.seal.timestamp_refused import TimeStampFlaw, TimeStampRefused


def signer_path(
    signer: x509.Certificate,
    unverified_authorities: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> Sequence[x509.Certificate]:
    """Return a path from a signer of time stamps to a root that holds at an instant.

    Raises:
        TimeStampRefused: There is none, or the certificate is for something else.
    """
    policy = (
        PolicyBuilder()
        .store(Store(list(roots)))
        .max_chain_depth(DEPTH_MAX)
        .extension_policies(ca_policy=authority_policy(), ee_policy=_signer_policy())
        .time(at)
    )
    try:
        verified = policy.build_client_verifier().verify(
            signer, list(unverified_authorities)
        )
    except VerificationError as error:
        raise TimeStampRefused(TimeStampFlaw.CERTIFICATE, str(error)) from error
    return verified.chain


def require_not_revoked(
    path: Sequence[x509.Certificate], lists: RevocationLists, at_us: int
) -> None:
    """Check that lists say of nobody in a path that it was revoked.

    Whoever was revoked at any time gives no time stamp that is new.

    Raises:
        TimeStampRefused: Somebody is, or no list says anything at that instant.
    """
    for certificate, issuer in pairwise(path):
        standing = lists.standing(certificate, issuer)
        if standing.revoked_us is not None:
            raise TimeStampRefused(TimeStampFlaw.REVOKED)
        if standing.covered_until_us < at_us:
            raise TimeStampRefused(TimeStampFlaw.REVOCATION)


@cache
def _signer_policy() -> ExtensionPolicy:
    """What the certificate of a signer of time stamps must say of itself."""
    return (
        ExtensionPolicy.permit_all()
        .require_present(
            x509.ExtendedKeyUsage,
            Criticality.CRITICAL,
            lambda _policy, _certificate, extension: _require_stamping(extension),
        )
        .may_be_present(
            x509.KeyUsage,
            Criticality.AGNOSTIC,
            lambda _policy, _certificate, extension: _require_signing(extension),
        )
    )


def _require_stamping(extension: x509.ExtendedKeyUsage) -> None:
    if set(extension) != {ExtendedKeyUsageOID.TIME_STAMPING}:
        raise ValueError("it is not for time stamps alone")


def _require_signing(extension: x509.KeyUsage | None) -> None:
    if extension is None:
        return
    if not (extension.digital_signature or extension.content_commitment):
        raise ValueError("the key may not sign")
    if extension.key_cert_sign:
        raise ValueError("the key may sign certificates")
