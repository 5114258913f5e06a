"""Paths from a certificate to a trusted root, with a stated policy for each use.

The library's defaults are made for web servers: they want a DNS name and forbid
what our certificates need. So the policy is stated in `policies`, extension by
extension. The library has no SM2; such paths are found by `sm2_chains`. Revocation is
another step, see `revocation`.

Source: RFC 5280, section 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from counterfoil.domain.party import Use
from counterfoil.seal.certificates import CertificateRefused
from counterfoil.seal.policies import (
    DEPTH_MAX,
    require_ca,
    require_cert_sign,
    require_no_ca,
    require_signature,
    require_usage,
)
from counterfoil.seal.sm2_chains import NoSm2Path, sm2_path
from counterfoil.sm2.signed import SM2_WITH_SM3, has_sm2_key

SKEW_US: Final = 60_000_000
"""How far clocks of authorities, peers and ours may differ, in microseconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


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
    roots: Sequence[x509.Certificate],
    *,
    use: Use,
    is_listed: bool,
    at_us: int,
) -> Chain:
    """Return a path from `leaf` to a root that holds at an instant.

    A path is of SM2 throughout or has none of it.

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
    is_sm2 = leaf.signature_algorithm_oid == SM2_WITH_SM3
    find = sm2_path if is_sm2 else _library_path
    refused: Exception | None = None
    for instant_us in (at_us, at_us - SKEW_US, at_us + SKEW_US):
        try:
            path = find(
                leaf,
                unverified_authorities,
                roots,
                use=use,
                is_listed=is_listed,
                at=datetime_of(instant_us),
            )
        except (VerificationError, NoSm2Path) as error:
            refused = refused or error
            continue
        return Chain(
            certificates=tuple(path),
            from_us=max(us_of(one.not_valid_before_utc) for one in path) - SKEW_US,
            until_us=min(us_of(one.not_valid_after_utc) for one in path) + SKEW_US,
        )
    raise CertificateRefused("no path to a trusted root holds") from refused


def _library_path(  # noqa: PLR0913 - as `build_chain` is asked
    leaf: x509.Certificate,
    unverified_authorities: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    *,
    use: Use,
    is_listed: bool,
    at: datetime,
) -> Sequence[x509.Certificate]:
    """Return a path of other algorithms than SM2.

    Raises:
        VerificationError: There is none.
    """
    usable = [root for root in roots if not has_sm2_key(root)]
    if not usable or has_sm2_key(leaf):
        raise VerificationError("SM2 and other algorithms do not go together")
    policy = (
        PolicyBuilder()
        .store(Store(usable))
        .max_chain_depth(DEPTH_MAX)
        .extension_policies(
            ca_policy=authority_policy(), ee_policy=_leaf_policy(use, is_listed)
        )
        .time(at)
    )
    authorities = [one for one in unverified_authorities if not has_sm2_key(one)]
    return policy.build_client_verifier().verify(leaf, authorities).chain


def us_of(instant: datetime) -> int:
    """Return an aware instant in microseconds since the epoch."""
    return (instant - _EPOCH) // _MICROSECOND


def datetime_of(instant_us: int) -> datetime:
    """Return an instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant_us)


@cache
def authority_policy() -> ExtensionPolicy:
    """What every authority in a path, the root included, must say of itself."""
    return (
        ExtensionPolicy.permit_all()
        .require_present(
            x509.BasicConstraints,
            Criticality.CRITICAL,
            lambda _policy, _certificate, extension: require_ca(extension),
        )
        .require_present(
            x509.KeyUsage,
            Criticality.AGNOSTIC,
            lambda _policy, _certificate, extension: require_cert_sign(extension),
        )
    )


@cache
def _leaf_policy(use: Use, is_listed: bool) -> ExtensionPolicy:  # noqa: FBT001
    """What a certificate of that use must say of itself."""
    policy = (
        ExtensionPolicy.permit_all()
        .may_be_present(
            x509.BasicConstraints,
            Criticality.AGNOSTIC,
            lambda _policy, _certificate, extension: require_no_ca(extension),
        )
        .require_present(
            x509.KeyUsage,
            Criticality.AGNOSTIC,
            lambda _policy, _certificate, extension: require_signature(extension),
        )
    )
    if is_listed:
        return policy
    return policy.require_present(
        x509.SubjectAlternativeName, Criticality.AGNOSTIC, None
    ).may_be_present(
        x509.ExtendedKeyUsage,
        Criticality.AGNOSTIC,
        lambda _policy, _certificate, extension: require_usage(use, extension),
    )
