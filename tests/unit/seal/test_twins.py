"""The same certificate in other bytes: known, or no certificate."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from counterfoil.domain.party import Use
from counterfoil.seal.certificates import CertificateRefused, load_certificate
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.twins import twin_digests
from tests.unit.seal.makers import IN_FORCE, NOW_US, P256_ORDER, Pki, der, twin_of

P384_ORDER: Final = int(
    "39402006196394479212279040100143613805079739270465446667946905279627659399113263569398956308152294913554433653942643"
)
P521_ORDER: Final = int(
    "6864797660130609714981900799081393217269435300143305409394463459185543183397655394245057746333217197532963996371363321113864768612440380340372808892707005449"
)
NAME: Final = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])


def signed_by(key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
    """Return a certificate that an authority with that key issued to itself."""
    builder = x509.CertificateBuilder(
        issuer_name=NAME,
        subject_name=NAME,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=IN_FORCE.start,
        not_valid_after=IN_FORCE.end,
    )
    is_ec = isinstance(key, ec.EllipticCurvePrivateKey)
    return builder.sign(key, SHA256() if is_ec else None)


@pytest.mark.parametrize(
    ("curve", "order"),
    [
        (ec.SECP256R1(), P256_ORDER),
        (ec.SECP384R1(), P384_ORDER),
        (ec.SECP521R1(), P521_ORDER),
    ],
)
def test_the_form_in_which_a_certificate_holds_as_well_is_known(
    curve: ec.EllipticCurve, order: int
) -> None:
    certificate = signed_by(ec.generate_private_key(curve))

    twin = twin_of(der(certificate), order=order)

    again = load_certificate(twin)
    again.verify_directly_issued_by(certificate)
    assert again != certificate
    assert sha256(twin).digest() in twin_digests(certificate)
    assert sha256(der(certificate)).digest() in twin_digests(again)
    assert sha256(der(certificate)).digest() not in twin_digests(certificate)


def test_a_signature_with_one_form_has_no_other() -> None:
    assert twin_digests(signed_by(ed25519.Ed25519PrivateKey.generate())) == ()


def test_a_twin_can_be_relied_on_where_its_certificate_can(p256_pki: Pki) -> None:
    # So what is void by its digest must be void by that of its twin, too.
    twin = twin_of(p256_pki.sealer("system").certificate)

    vetted = TrustStore(p256_pki.material()).vet(
        twin, uses=frozenset({Use.SYSTEM}), at_us=NOW_US
    )

    assert vetted.identity.use is Use.SYSTEM


def test_a_signature_that_leaves_bits_unused_is_none(pki: Pki) -> None:
    even = next(
        one
        for one in (pki.sealer("system").certificate for _ in range(64))
        if not one[-1] & 1
    )

    with pytest.raises(CertificateRefused, match="bits unused"):
        load_certificate(twin_of(even, unused_bits=1))
