"""What a certificate of each use must say of itself, and an authority as well.

Stated once, for both kinds of paths: see `chains` and `sm2_chains`. Each rule raises
`ValueError`, which is what the library wants of its validators.

Source: RFC 5280, section 4.2.1; RFC 9336 for the usage `documentSigning`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterfoil.domain.party import Use

DOCUMENT_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""Extended key usage of seals. Source: RFC 9336, section 3.1."""


DEPTH_MAX: Final = 3
"""Most authorities between a certificate and its root."""


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


def require_ca(extension: x509.BasicConstraints) -> None:
    """Raise `ValueError` unless an authority says that it is one."""
    _require(extension.ca, "an authority is no authority")


def require_cert_sign(extension: x509.KeyUsage) -> None:
    """Raise `ValueError` unless an authority's key may sign certificates."""
    _require(extension.key_cert_sign, "an authority may not sign certificates")


def require_no_ca(extension: x509.BasicConstraints | None) -> None:
    """Raise `ValueError` if what is no authority says that it is one."""
    _require(extension is None or not extension.ca, "an authority seals nothing")


def require_signature(extension: x509.KeyUsage) -> None:
    """Raise `ValueError` unless the key may sign, but no certificates.

    Source: RFC 5280, section 4.2.1.3: who may sign certificates is an authority.
    """
    _require(extension.digital_signature, "the key may not sign")
    _require(not extension.key_cert_sign, "the key may sign certificates")


def require_usage(use: Use, extension: x509.ExtendedKeyUsage | None) -> None:
    """Raise `ValueError` unless a certificate is for that use."""
    usage = _USAGES[use]
    if extension is None:
        _require(usage.may_lack, "the extended key usage is missing")
    else:
        _require(usage.all_of <= set(extension), "it is for another use")


def _require(condition: bool, text: str) -> None:  # noqa: FBT001
    if not condition:
        raise ValueError(text)
