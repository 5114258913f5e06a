"""A small PKI in memory, and documents sealed with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.devca.certificates import (
    Algorithm,
    Authority,
    AuthorityAlgorithm,
    PrivateKey,
    Validity,
    make_authority,
    make_certificate,
    make_crl,
    make_key,
    make_root,
    urn,
)
from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import SealForged
from counterfoil.domain.seals import Seal
from counterfoil.seal.algorithms import signing_key
from counterfoil.seal.certificates import certificate_bag
from counterfoil.seal.sign import Sealer, SealOrder
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustAnchor, TrustMaterial
from counterfoil.seal.verify import Court, SealedDocument, verify_seals
from counterfoil.sm2.der import BIT_STRING, SEQUENCE, element, elements, inside
from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.wire.seals import encode_statement, parse_statement

NOW: Final = datetime(2026, 6, 1, 8, tzinfo=UTC)
NOW_US: Final = int(NOW.timestamp()) * 1_000_000
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
SECOND_US: Final = 1_000_000
PARTY: Final = "420000-011"
PAYLOAD: Final = "一张支付凭证".encode()
DIGEST: Final = sha256(PAYLOAD).digest()
CURRENT: Final = Validity(NOW - HOUR, NOW + DAY)
IN_FORCE: Final = Validity(NOW - DAY, NOW + 365 * DAY)


def us(instant: datetime) -> int:
    return int(instant.timestamp()) * SECOND_US


def der(certificate: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return certificate.public_bytes(Encoding.DER)


P256_ORDER: Final = 2**256 - 2**224 + 2**192 - 0x4319055258E8617B0C46353D039CDAAF


def twin_of(
    certificate: bytes, *, order: int = P256_ORDER, unused_bits: int = 0
) -> bytes:
    """Return the same certificate in other bytes, as whoever has it can write it.

    Its signature is (r, n - s) instead of (r, s); or, with unused bits, the same in a
    form that DER forbids.
    """
    statement, algorithm, signature = elements(inside(certificate))
    signed = signature.content[1:]
    if not unused_bits:
        r, s = decode_dss_signature(signed)
        signed = encode_dss_signature(r, order - s)
    bits = element(BIT_STRING, bytes([unused_bits]) + signed)
    return element(SEQUENCE, statement.encoded + algorithm.encoded + bits)


@dataclass(frozen=True)
class Pki:
    """A root and one authority, both with a current revocation list."""

    root: Authority
    authority: Authority
    revoked: Mapping[int, datetime] = field(default_factory=dict)
    crl_validity: Validity = CURRENT

    @classmethod
    def new(cls, name: str = "test", algorithm: AuthorityAlgorithm = "p256") -> Pki:
        root = make_root(f"{name} root", IN_FORCE, algorithm)
        return cls(root, make_authority(f"{name} authority", root, IN_FORCE))

    @property
    def algorithm(self) -> AuthorityAlgorithm:
        return "sm2" if isinstance(self.root.key, Sm2PrivateKey) else "p256"

    @property
    def crls(self) -> tuple[bytes, ...]:
        return (
            der(make_crl(self.root, self.crl_validity, self.revoked)),
            der(make_crl(self.authority, self.crl_validity, self.revoked)),
        )

    def material(self, **changes: Any) -> TrustMaterial:  # noqa: ANN401
        return replace(
            TrustMaterial(
                anchors=(TrustAnchor(der(self.root.certificate)),),
                authorities=(der(self.authority.certificate),),
                crls=self.crls,
            ),
            **changes,
        )

    def sealer(
        self,
        use: str = "institution",
        name: str = "1",
        *,
        party: str = PARTY,
        key: PrivateKey | None = None,
        algorithm: Algorithm | None = None,
        validity: Validity = IN_FORCE,
        **wrong: Any,  # noqa: ANN401
    ) -> Sealer:
        key = key or make_key(algorithm or self.algorithm)
        identity = wrong.pop("identity", urn(party, use, name))
        issuer = wrong.pop("issuer", self.authority)
        certificate = make_certificate(
            issuer, key.public_key(), identity, validity, **wrong
        )
        return Sealer.of(
            signing_key(key),
            der(certificate),
            encode_statement,
            identity=Identity.from_urn(urn(party, use, name)),
        )


@dataclass(frozen=True)
class Signers:
    """Two persons and the institution, and the PKI that they have in common."""

    pki: Pki
    first: Sealer
    second: Sealer
    institution: Sealer

    @classmethod
    def new(cls, pki: Pki, algorithm: Algorithm | None = None) -> Signers:
        return cls(
            pki,
            pki.sealer("person", "li"),
            pki.sealer("person", "wang"),
            pki.sealer(algorithm=algorithm),
        )

    @property
    def all(self) -> tuple[Sealer, Sealer, Sealer]:
        return self.first, self.second, self.institution

    def seals(
        self, digest: bytes = DIGEST, kind: DocumentKind = DocumentKind.VOUCHER
    ) -> tuple[Seal, ...]:
        made: tuple[Seal, ...] = ()
        for sealer, position, purpose in zip(
            self.all,
            ("cs", "fs", "gz"),
            (
                SealPurpose.FIRST_REVIEW,
                SealPurpose.SECOND_REVIEW,
                SealPurpose.OFFICIAL,
            ),
            strict=True,
        ):
            order = SealOrder(
                document_kind=kind,
                payload_digest=digest,
                position=position,
                purpose=purpose,
                beneath=made,
            )
            made = (*made, sealer.seal(order, stated_time_us=NOW_US))
        return made

    def document(self) -> SealedDocument:
        return SealedDocument(
            kind=DocumentKind.VOUCHER, payload_digest=DIGEST, seals=self.seals()
        )

    def court(self, **changes: Any) -> Court:  # noqa: ANN401
        return court_of(self.pki.material(), self.all, **changes)


def court_of(
    material: TrustMaterial,
    sealers: Iterable[Sealer] = (),
    **changes: Any,  # noqa: ANN401
) -> Court:
    court = Court(
        trust=TrustStore(material),
        parse=parse_statement,
        at_us=NOW_US,
        bag=certificate_bag(sealer.certificate for sealer in sealers),
    )
    return replace(court, **changes)


def order_of(index: int = 0, *, beneath: tuple[Seal, ...] = ()) -> SealOrder:
    return SealOrder(
        document_kind=DocumentKind.VOUCHER,
        payload_digest=sha256(b"payload %d" % index).digest(),
        position="gz",
        purpose=SealPurpose.OFFICIAL,
        beneath=beneath,
    )


def document_of(order: SealOrder, *seals: Seal) -> SealedDocument:
    return SealedDocument(
        kind=order.document_kind, payload_digest=order.payload_digest, seals=seals
    )


def alone(sealer: Sealer) -> SealedDocument:
    """Return a document with one seal."""
    order = order_of()
    return document_of(order, sealer.seal(order, stated_time_us=NOW_US))


def forged_at(document: SealedDocument, court: Court) -> str:
    """Return the number of the check that a document fails."""
    with pytest.raises(SealForged) as caught:
        verify_seals(document, court)
    return caught.value.facts["check"]
