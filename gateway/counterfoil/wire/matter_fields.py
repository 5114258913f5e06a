"""Fields that registrations have in common, read and checked."""

from __future__ import annotations

from hashlib import sha256

from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.value import value
from counterfoil.domain.violation import Violation
from counterfoil.seal.certificates import (
    CertificateRefused,
    load_certificate,
    public_key_bytes,
    stated_identity,
)
from counterfoil.seal.chains import us_of
from counterfoil.seal.twins import twin_digests


def refused_field(path: str, text: str, text_zh: str) -> FormRefused:
    """Return the refusal of a registration for one of its fields."""
    return FormRefused(
        "the registration breaks a rule",
        [Violation(path=path, rule="registration", text=text, text_zh=text_zh)],
    )


def read_identity(path: str, urn: str) -> Identity:
    """Return the identity that a field names.

    Raises:
        FormRefused: It names none.
    """
    try:
        return Identity.from_urn(urn)
    except ValueError as error:
        raise refused_field(path, "not an identity URN", "不是身份标识") from error


@value
class ReadCertificate:
    """What a registration needs of a certificate in it.

    Attributes:
        digest: Its SHA-256.
        identity: Whom it names; None if it bears no name.
        public_key: SHA-256 of its public key, as SubjectPublicKeyInfo in DER.
        valid_until_us: When it ends, microseconds since the epoch.
        twins: SHA-256 of the same certificate in other bytes; see `seal.twins`.
    """

    digest: bytes
    identity: Identity | None
    public_key: bytes
    valid_until_us: int
    twins: tuple[bytes, ...]


def read_certificate(path: str, der: bytes) -> ReadCertificate:
    """Return what a certificate (DER) in a field says.

    Raises:
        FormRefused: It cannot be read, or bears a name that is none.
    """
    try:
        loaded = load_certificate(der)
        return ReadCertificate(
            digest=sha256(der).digest(),
            identity=stated_identity(loaded),
            public_key=sha256(public_key_bytes(loaded)).digest(),
            valid_until_us=us_of(loaded.not_valid_after_utc),
            twins=twin_digests(loaded),
        )
    except CertificateRefused as error:
        raise refused_field(path, str(error), "证书无法读取") from error
