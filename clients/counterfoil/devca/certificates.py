"""Keys, certificates and revocation lists, with every time stated by the caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from counterfoil.devca.signing import (
    key_identifier,
    sign_certificate,
    sign_crl,
    stand_in,
)
from counterfoil.sm2.keys import Sm2PrivateKey, Sm2PublicKey

Algorithm: TypeAlias = Literal["p256", "ed25519", "p384", "sm2"]
"""Kinds of key; no gateway takes a seal made with P-384, so tests want one."""

AuthorityAlgorithm: TypeAlias = Literal["p256", "sm2"]
"""Kinds of key that an authority may have."""

PrivateKey: TypeAlias = EllipticCurvePrivateKey | Ed25519PrivateKey | Sm2PrivateKey
PublicKey: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey | Sm2PublicKey
AuthorityKey: TypeAlias = EllipticCurvePrivateKey | Sm2PrivateKey

DOCUMENT_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""Extended key usage of seals. Source: RFC 9336, section 3.1."""

USAGES: Final[Mapping[str, tuple[x509.ObjectIdentifier, ...]]] = {
    "gateway": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    "institution": (DOCUMENT_SIGNING,),
    "person": (DOCUMENT_SIGNING, ExtendedKeyUsageOID.CLIENT_AUTH),
    "system": (ExtendedKeyUsageOID.CLIENT_AUTH,),
}
"""Extended key usages by the use that the identity names."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that issues others, and its key.

    Attributes:
        certificate: The authority's certificate.
        key: Its private key.
    """

    certificate: x509.Certificate
    key: AuthorityKey


@dataclass(frozen=True, slots=True)
class Validity:
    """When a certificate or a list is valid; UTC, aware.

    Attributes:
        start: From when, inclusive.
        end: Until when, inclusive.
    """

    start: datetime
    end: datetime


def urn(party: str, use: str, name: str) -> str:
    """Return the identity that a certificate states as its URI."""
    return f"urn:counterfoil:{party}:{use}:{name}"


def make_key(algorithm: Algorithm = "p256") -> PrivateKey:
    """Return a new private key."""
    if algorithm == "ed25519":
        return Ed25519PrivateKey.generate()
    if algorithm == "sm2":
        return Sm2PrivateKey.generate()
    return generate_private_key(SECP256R1() if algorithm == "p256" else SECP384R1())


def make_root(
    name: str, validity: Validity, algorithm: AuthorityAlgorithm = "p256"
) -> Authority:
    """Return a new self-signed root."""
    key = _authority_key(algorithm)
    return Authority(_authority(name, key, None, validity, None), key)


def make_authority(
    name: str,
    issuer: Authority,
    validity: Validity,
    *,
    path_length: int | None = 0,
) -> Authority:
    """Return a new issuing authority under `issuer`, of its kind of key."""
    of_sm2 = isinstance(issuer.key, Sm2PrivateKey)
    key = _authority_key("sm2" if of_sm2 else "p256")
    return Authority(_authority(name, key, issuer, validity, path_length), key)


def make_certificate(  # noqa: PLR0913 - a certificate has that many free parts
    issuer: Authority,
    public_key: PublicKey,
    identity: str | None,
    validity: Validity,
    *,
    usages: Iterable[x509.ObjectIdentifier] | None = None,
    hosts: Iterable[str] = (),
    is_ca: bool = False,
    digital_signature: bool = True,
    cert_sign: bool = False,
    serial: int | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> x509.Certificate:
    """Issue a certificate, a wrong one if the arguments ask for it.

    Args:
        issuer: Who signs it.
        public_key: Whose it is.
        identity: URN for the subject alternative name; None leaves it out.
        validity: From when until when.
        usages: Extended key usages; None takes those of the identity's use, an
            empty one leaves the extension out.
        hosts: DNS names and IP addresses for the alternative name.
        is_ca: Whether it claims to be an authority.
        digital_signature: Whether the key usage allows signatures.
        cert_sign: Whether it allows what only an authority's may.
        serial: Serial number; a random one if None.
        extensions: Further extensions, each with whether it is critical.
    """
    if usages is None:
        usages = USAGES[identity.split(":")[3]] if identity else ()
    names = [_host(host) for host in hosts]
    if identity is not None:
        names.insert(0, x509.UniformResourceIdentifier(identity))
    builder = _builder(identity or "nobody", public_key, issuer, validity, serial)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=is_ca, path_length=None), critical=True
    ).add_extension(
        _key_usage(digital_signature=digital_signature, authority=is_ca or cert_sign),
        critical=True,
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
    if wanted := list(usages):
        builder = builder.add_extension(x509.ExtendedKeyUsage(wanted), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return sign_certificate(builder, issuer.key, public_key)


def make_crl(
    issuer: Authority,
    validity: Validity,
    revoked: Mapping[int, datetime],
    *,
    hold: Iterable[int] = (),
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> x509.CertificateRevocationList:
    """Issue a revocation list.

    Args:
        issuer: Whose certificates are meant, and who signs.
        validity: This update and next update.
        revoked: Serial numbers, and since when each is revoked.
        hold: Which of them are only on hold.
        extensions: Further extensions, each with whether it is critical.
    """
    held = set(hold)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(validity.start)
        .next_update(validity.end)
        .add_extension(x509.CRLNumber(int(validity.start.timestamp())), critical=False)
        .add_extension(_authority_key_identifier(issuer.certificate), critical=False)
    )
    for serial, revocation_time in sorted(revoked.items()):
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(serial)
            .revocation_date(revocation_time)
        )
        if serial in held:
            entry = entry.add_extension(
                x509.CRLReason(x509.ReasonFlags.certificate_hold), critical=False
            )
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return sign_crl(builder, issuer.key)


def _authority_key(algorithm: AuthorityAlgorithm) -> AuthorityKey:
    if algorithm == "sm2":
        return Sm2PrivateKey.generate()
    return generate_private_key(SECP256R1())


def _authority(
    name: str,
    key: AuthorityKey,
    issuer: Authority | None,
    validity: Validity,
    path_length: int | None,
) -> x509.Certificate:
    builder = _builder(name, key.public_key(), issuer, validity, None)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_key_usage(digital_signature=False, authority=True), critical=True)
    return sign_certificate(builder, issuer.key if issuer else key, key.public_key())


def _builder(
    name: str,
    public_key: PublicKey,
    issuer: Authority | None,
    validity: Validity,
    serial: int | None,
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(stand_in(public_key))
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(validity.start)
        .not_valid_after(validity.end)
        .add_extension(key_identifier(public_key), critical=False)
    )
    if issuer is None:
        return builder
    return builder.add_extension(
        _authority_key_identifier(issuer.certificate), critical=False
    )


def _authority_key_identifier(
    certificate: x509.Certificate,
) -> x509.AuthorityKeyIdentifier:
    ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski.value)


def _key_usage(*, digital_signature: bool, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=not (digital_signature or authority),
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
