"""Paths of SM2 certificates, which the library that judges the others cannot use.

A path is of SM2 from the certificate to the root: no authority of another algorithm
stands in it. What each certificate must say of itself is the same as for all others,
see `policies`; where RFC 5280 leaves something open, this is the stricter one:
constraints of names are not interpreted, so whoever states one is refused.

Source: RFC 5280, section 6.1; GM/T 0015 for the algorithm and the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from counterfoil.domain.party import Use
from counterfoil.seal.policies import (
    DEPTH_MAX,
    require_ca,
    require_cert_sign,
    require_no_ca,
    require_signature,
    require_usage,
)
from counterfoil.sm2.libcrypto import Sm2Unavailable
from counterfoil.sm2.signed import check_signed, has_sm2_key, sm2_key_of

CHECKS_MAX: Final = 64
"""Most signatures that are checked for one path: whoever sends many authorities of
one name costs us twenty milliseconds, not more."""

_SERIAL_BITS_MAX: Final = 159
"""Twenty bytes with a sign. Source: RFC 5280, section 4.1.2.2."""

_INTERPRETED: Final = (
    x509.AuthorityInformationAccess,
    x509.AuthorityKeyIdentifier,
    x509.BasicConstraints,
    x509.ExtendedKeyUsage,
    x509.KeyUsage,
    x509.SubjectAlternativeName,
    x509.SubjectKeyIdentifier,
)
"""Extensions that may be critical."""

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class NoSm2Path(Exception):
    """No path of SM2 holds; the text says what failed first."""


def sm2_path(  # noqa: PLR0913 - as `build_chain` is asked
    leaf: x509.Certificate,
    unverified_authorities: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    *,
    use: Use,
    is_listed: bool,
    at: datetime,
) -> list[x509.Certificate]:
    """Return a path that holds at an instant, the certificate first, the root last.

    Args:
        leaf: The certificate to be judged.
        unverified_authorities: Authorities that the path may use.
        roots: Trusted roots.
        use: What it is to be used for.
        is_listed: Whether a directory vouches for that use.
        at: The instant that is judged.

    Raises:
        NoSm2Path: There is none, or finding it would take too long.
    """
    climb = _Climb(
        candidates=[
            *((one, True) for one in roots if has_sm2_key(one)),
            *((one, False) for one in unverified_authorities if has_sm2_key(one)),
        ],
        at=at,
    )
    try:
        _check_leaf(leaf, use, is_listed, at)
        path = climb.to_root([leaf])
    except (ValueError, Sm2Unavailable) as error:
        raise NoSm2Path(str(error)) from error
    if path is None:
        raise NoSm2Path("no authority of the path is trusted, or one is none")
    return path


@dataclass(slots=True)
class _Climb:
    """A search upwards, with what it has cost so far.

    Attributes:
        candidates: Authorities, and whether each is a root; roots first.
        at: The instant that is judged.
        checks: Signatures checked.
    """

    candidates: list[tuple[x509.Certificate, bool]]
    at: datetime
    checks: int = 0

    def to_root(self, path: list[x509.Certificate]) -> list[x509.Certificate] | None:
        """Return `path` continued to a root, or None."""
        child = path[-1]
        for issuer, is_root in self.candidates:
            if issuer.subject != child.issuer:
                continue
            # Also what ends a circle.
            if not is_root and len(path) > DEPTH_MAX:
                continue
            if not self._has_issued(issuer, path, is_root=is_root):
                continue
            longer = [*path, issuer]
            found = longer if is_root else self.to_root(longer)
            if found is not None:
                return found
        return None

    def _has_issued(
        self, issuer: x509.Certificate, path: list[x509.Certificate], *, is_root: bool
    ) -> bool:
        """Tell whether an authority is one, may be in that place, and signed."""
        try:
            _check_authority(issuer, path[1:], self.at, is_root=is_root)
            key = sm2_key_of(issuer)
        except ValueError:
            return False
        self.checks += 1
        if self.checks > CHECKS_MAX:
            raise ValueError("too many authorities have that name")
        try:
            check_signed(path[-1], key)
        except InvalidSignature:
            return False
        return True


def _check_leaf(
    certificate: x509.Certificate,
    use: Use,
    is_listed: bool,  # noqa: FBT001
    at: datetime,
) -> None:
    """Check what the certificate that is judged says of itself."""
    _check_any(certificate, at)
    require_no_ca(_extension(certificate, x509.BasicConstraints))
    require_signature(_required(certificate, x509.KeyUsage))
    if not is_listed:
        _required(certificate, x509.SubjectAlternativeName)
        require_usage(use, _extension(certificate, x509.ExtendedKeyUsage))


def _check_authority(
    certificate: x509.Certificate,
    beneath: list[x509.Certificate],
    at: datetime,
    *,
    is_root: bool,
) -> None:
    """Check what an authority says of itself, above those authorities."""
    _check_any(certificate, at)
    try:
        constraints = certificate.extensions.get_extension_for_class(
            x509.BasicConstraints
        )
    except x509.ExtensionNotFound as error:
        raise ValueError("an authority does not say that it is one") from error
    # The national root (NRCAC ROOTCA) does not insist. Who trusts it knows what it is.
    if not constraints.critical and not is_root:
        raise ValueError("an authority says so without insisting")
    require_ca(constraints.value)
    require_cert_sign(_required(certificate, x509.KeyUsage))
    if _extension(certificate, x509.NameConstraints) is not None:
        raise ValueError("constraints of names are not interpreted")
    # One that only renews its own key does not count. Source: RFC 5280, 6.1.4 (l).
    counted = sum(one.subject != one.issuer for one in beneath)
    length = constraints.value.path_length
    if length is not None and counted > length:
        raise ValueError("the path is longer than an authority allows")


def _check_any(certificate: x509.Certificate, at: datetime) -> None:
    """Check what holds for every certificate of a path."""
    if not has_sm2_key(certificate):
        raise ValueError("a certificate of the path is not for SM2")
    if certificate.version is not x509.Version.v3:
        raise ValueError("not a certificate of version 3")
    serial = certificate.serial_number
    if serial <= 0 or serial.bit_length() > _SERIAL_BITS_MAX:
        raise ValueError("its serial number is out of bounds")
    if not certificate.issuer.rdns:
        raise ValueError("it does not say who issued it")
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise ValueError("it is not valid at that instant")
    for extension in certificate.extensions:
        if extension.critical and not isinstance(extension.value, _INTERPRETED):
            raise ValueError("a critical extension is not interpreted")


def _extension(
    certificate: x509.Certificate, kind: type[_Extension]
) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _required(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension:
    found = _extension(certificate, kind)
    if found is None:
        raise ValueError("an extension is missing")
    return found
