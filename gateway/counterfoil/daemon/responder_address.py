"""Where a responder is: as a certificate names it, or the configuration."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from counterfoil.seal.certificates import UNREADABLE

URL_LENGTH_MAX: Final = 512
"""Longest address that a certificate may name."""

_SPACE: Final = " "


def check_responder(url: str) -> SplitResult:
    """Return an address taken apart.

    Raises:
        ValueError: It is not one of HTTP, or says more than host, port and path.
    """
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable():
        raise ValueError("not an address")
    parts = urlsplit(url)
    # Asked for here: a port that is none is found out only then.
    if parts.scheme != "http" or not parts.hostname or parts.port == 0:
        raise ValueError("not an address of plain HTTP: http://host[:port]/path")
    if parts.username is not None or parts.fragment or _SPACE in url:
        raise ValueError("an address states host, port and path only")
    return parts


def responder_of(certificate: x509.Certificate) -> str:
    """Return the first address of HTTP that a certificate names; empty without one.

    Source: RFC 5280, section 4.2.2.1.
    """
    try:
        access = certificate.extensions.get_extension_for_class(
            x509.AuthorityInformationAccess
        ).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return ""
    for one in access:
        if one.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
            one.access_location, x509.UniformResourceIdentifier
        ):
            try:
                check_responder(one.access_location.value)
            except ValueError:
                continue
            return one.access_location.value
    return ""
