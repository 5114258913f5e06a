"""Certificates that say all the right things and that no authority has issued."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from counterfoil.conformance.target import Identity


def stranger_of(identity: Identity) -> Identity:
    """Return somebody who calls himself as `identity` does, by a key of his own."""
    shown = x509.load_pem_x509_certificate(identity.access.certificate)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(shown.subject)
        .issuer_name(shown.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
    for extension in shown.extensions:
        if not isinstance(
            extension.value, x509.AuthorityKeyIdentifier | x509.SubjectKeyIdentifier
        ):
            builder = builder.add_extension(extension.value, extension.critical)
    certificate = builder.sign(key, hashes.SHA256())
    access = replace(
        identity.access,
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return replace(identity, access=access)
