"""The same certificate in other bytes: what a digest of it alone would not stop.

An ECDSA signature (r, s) holds as (r, n - s) as well, and whoever has a certificate can
write it so: the same statement by the same authority, with another SHA-256. What is
listed as good by its digest is not harmed by that; what is void by its digest would
come back. Ed25519 and SM2 have no such second form, and of what else DER leaves open
`load_certificate` takes one form only.

Source: SEC 1, section 4.1.4; RFC 5480, appendix A.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.sm2.der import BIT_STRING, SEQUENCE, element, elements, inside

_ORDERS: Final = tuple(
    int(digits, 16)
    for digits in (
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        (
            "ffffffffffffffffffffffffffffffffffffffffffffffff"
            "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        ),
        (
            "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
            "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
        ),
    )
)
"""Of P-256, P-384 and P-521: a certificate does not say which curve signed it.

Source: FIPS 186-4, D.1.2.3 to D.1.2.5.
"""


def twin_digests(certificate: x509.Certificate) -> tuple[bytes, ...]:
    """Return the SHA-256 of every other form in which a certificate may hold.

    One of them does if its authority signs with ECDSA; the others are those of curves
    that its authority does not have. Empty where a signature is of another form.
    """
    try:
        r, s = decode_dss_signature(certificate.signature)
    except ValueError:
        return ()
    return tuple(
        sha256(_signed_with(certificate, encode_dss_signature(r, order - s))).digest()
        for order in _ORDERS
        if r > 0 and 0 < s < order
    )


def _signed_with(certificate: x509.Certificate, signature: bytes) -> bytes:
    """Return a certificate in DER with another signature on it."""
    statement, algorithm, _ = elements(inside(certificate.public_bytes(Encoding.DER)))
    signed = element(BIT_STRING, b"\0" + signature)
    return element(SEQUENCE, statement.encoded + algorithm.encoded + signed)
