"""Paths from a certificate to a trusted root, with a stated policy for each use.

The library's defaults are made for web servers: they want a DNS name and forbid
what our certificates need. So the policy is stated here, extension by extension.
Revocation is another step, see `revocation`.

Source: RFC 5280, section 6; RFC 9336 for the usage `documentSigning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from counterfoil.domain.party import Use
from counterfoil.seal.certificates import CertificateRefused

SKEW_US: Final = 60_000_000
"""How far clocks of authorities, peers and ours may differ, in microseconds."""

DEPTH_MAX: Final = 3
"""Most authorities between a certificate and its root."""

DOCUMENT_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""Extended key usage of seals. Source: RFC 9336, section 3.1."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Usage:
    """What the extended key usage of a certificate must say.

    Attributes:
        all_of: Usages that must be there.
        may_lack: Whether the extension may be missing altogether.
    """

    all_of: frozenset[x509.ObjectIdentifier]
    may_lack: bool


_USAGES: Final[dict[Use, _Usage]] = {
    Use.GATEWAY: _Usage(
        frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}),
        may_lack=False,
    ),
    Use.SYSTEM: _Usage(frozenset({ExtendedKeyUsageOID.CLIENT_AUTH}), may_lack=False),
    Use.INSTITUTION: _Usage(frozenset({DOCUMENT_SIGNING}), may_lack=True),
    Use.PERSON: _Usage(frozenset({DOCUMENT_SIGNING}), may_lack=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A path that holds, and as long as it holds.

    Attributes:
        certificates: The certificate first, the root last.
        from_us: When the last of them became valid, less the skew.
        until_us: When the first of them expires, plus the skew.
    """

    certificates: tuple[x509.Certificate, ...]
    from_us: int
    until_us: int


def build_chain(  # noqa: PLR0913 - the judged, the judges and the question
    leaf: x509.Certificate,
    unverified_authorities: Sequence[x509.Certificate],
    roots: Store,
    *,
    use: Use,
    is_listed: bool,
    at_us: int,
) -> Chain:
    """Return a path from `leaf` to a root that holds at an instant.

    Args:
        leaf: The certificate to be judged.
        unverified_authorities: Authorities that the path may use.
        roots: Trusted roots.
        use: What it is to be used for.
        is_listed: Whether a directory vouches for that use; then the certificate
            need not state a name, nor the usage by our convention.
        at_us: The instant that is judged, give or take SKEW_US.

    Raises:
        CertificateRefused: There is no such path.
    """
    policy = (
        PolicyBuilder()
        .store(roots)
        .max_chain_depth(DEPTH_MAX)
        .extension_policies(
            ca_policy=_authority_policy(), ee_policy=_leaf_policy(use, is_listed)
        )
    )
    refused: VerificationError | None = None
    for instant_us in (at_us, at_us - SKEW_US, at_us + SKEW_US):
        verifier = policy.time(datetime_of(instant_us)).build_client_verifier()
        try:
            path = verifier.verify(leaf, list(unverified_authorities)).chain
        except VerificationError as error:
            refused = refused or error
            continue
        return Chain(
            certificates=tuple(path),
            from_us=max(us_of(one.not_valid_before_utc) for one in path) - SKEW_US,
            until_us=min(us_of(one.not_valid_after_utc) for one in path) + SKEW_US,
        )
    raise CertificateRefused("no path to a trusted root holds") from refused


def us_of(instant: datetime) -> int:
    """Return an aware instant in microseconds since the epoch."""
    return (instant - _EPOCH) // _MICROSECOND


def datetime_of(instant_us: int) -> datetime:
    """Return an instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant_us)


@cache
def _authority_policy() -> ExtensionPolicy:
    """What every authority in a path, the root included, must say of itself."""
    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.CRITICAL, _require_ca)
        .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_cert_sign)
    )


@cache
def _leaf_policy(use: Use, is_listed: bool) -> ExtensionPolicy:  # noqa: FBT001
    """What a certificate of that use must say of itself."""
    policy = (
        ExtensionPolicy.permit_all()
        .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _require_no_ca)
        .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_signature)
    )
    if is_listed:
        return policy
    usage = _USAGES[use]

    def require_usage(
        policy: Policy,
        certificate: x509.Certificate,
        extension: x509.ExtendedKeyUsage | None,
    ) -> None:
        del policy, certificate
        if extension is None:
            _require(usage.may_lack, "the extended key usage is missing")
        else:
            _require(usage.all_of <= set(extension), "it is for another use")

    return policy.require_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    ).may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, require_usage)


def _require_ca(
    policy: Policy, certificate: x509.Certificate, extension: x509.BasicConstraints
) -> None:
    del policy, certificate
    _require(extension.ca, "an authority is no authority")


def _require_no_ca(
    policy: Policy,
    certificate: x509.Certificate,
    extension: x509.BasicConstraints | None,
) -> None:
    del policy, certificate
    _require(extension is None or not extension.ca, "an authority seals nothing")


def _require_cert_sign(
    policy: Policy, certificate: x509.Certificate, extension: x509.KeyUsage
) -> None:
    del policy, certificate
    _require(extension.key_cert_sign, "an authority may not sign certificates")


def _require_signature(
    policy: Policy, certificate: x509.Certificate, extension: x509.KeyUsage
) -> None:
    del policy, certificate
    _require(extension.digital_signature, "the key may not sign")


def _require(condition: bool, text: str) -> None:  # noqa: FBT001
    """Refuse as the library wants it from an extension's validator."""
    if not condition:
        raise ValueError(text)
