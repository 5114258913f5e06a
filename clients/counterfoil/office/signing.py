"""A person's own seal: the statement about a draft, and the signature under it.

Written from the contract (`sealed.v1.SealStatement`) alone, so that it checks the
gateway's reading of it. The key never leaves the program that the person runs, and
one in a token does not leave that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from counterfoil.catalogue.v1 import (
    document_kind_pb2,
    party_kind_pb2,
    seal_position_pb2,
    voucher_type_pb2,
)
from counterfoil.catalogue.v1 import options_pb2 as catalogue
from counterfoil.domain.refusals import SealKeyUnavailable
from counterfoil.office.channel import Access
from counterfoil.office.errors import KeyAway
from counterfoil.office.vouchers import Seal
from counterfoil.seal.algorithms import SigningKey, UnfitKey, check_with, signing_key
from counterfoil.seal.certificates import (
    CertificateRefused,
    load_certificate,
    public_key_bytes,
    public_key_of,
)
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.sm2 import loading as sm2_keys
from counterfoil.sm2.libcrypto import Sm2Unavailable

SEAL_TYPE: Final = "application/vnd.counterfoil.seal.v1"
"""Payload type of a statement in the pre-authentication encoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPosition:
    """One place where a seal belongs (签章位置).

    Attributes:
        id: Short name, unique in its plan.
        name_zh: What people call it.
        purpose: Number of what a seal there stands for.
        by_person: Whether a person seals there, else the institution.
    """

    id: str
    name_zh: str
    purpose: int
    by_person: bool


def plan_of(type_code: int) -> tuple[PlanPosition, ...]:
    """Return the seals that vouchers of a type need, in their order.

    Raises:
        ValueError: The catalogue has no such type.
    """
    return _positions(_row_of(type_code).plan)


def positions_of(
    kind: document_kind_pb2.DocumentKind.ValueType,
) -> tuple[PlanPosition, ...]:
    """Return the seals that a document of a kind needs unless its type says others."""
    values = document_kind_pb2.DESCRIPTOR.enum_types_by_name["DocumentKind"]
    options = values.values_by_number[kind].GetOptions()
    return _positions(options.Extensions[document_kind_pb2.document].plan)


def _positions(plan: seal_position_pb2.SealPlan) -> tuple[PlanPosition, ...]:
    return tuple(
        PlanPosition(
            id=position.id,
            name_zh=position.name_zh,
            purpose=position.purpose,
            by_person=position.by == seal_position_pb2.SEALED_BY_PERSON,
        )
        for position in plan.positions
    )


def types_between(issuer: str, recipient: str) -> frozenset[int]:
    """Return the types that one kind of party may send to another.

    Args:
        issuer: Kind of the one, as configurations name it, e.g. `agent-bank`.
        recipient: Kind of the other.

    Raises:
        ValueError: There is no such kind.
    """
    way = _party_kind(issuer), _party_kind(recipient)
    values = voucher_type_pb2.DESCRIPTOR.enum_types_by_name["VoucherType"].values
    return frozenset(
        value.number
        for value in values
        if value.number
        and way
        in [(one.issuer, one.recipient) for one in _row_of(value.number).directions]
    )


def _party_kind(name: str) -> int:
    label = f"PARTY_KIND_{name.upper().replace('-', '_')}"
    return party_kind_pb2.PartyKind.Value(label)


def has_receipt(type_code: int) -> bool:
    """Tell whether vouchers of a type are answered by a receipt; else accepted only.

    Raises:
        ValueError: The catalogue has no such type.
    """
    return bool(_row_of(type_code).receipt_form)


def _row_of(type_code: int) -> catalogue.VoucherRow:
    values = voucher_type_pb2.DESCRIPTOR.enum_types_by_name["VoucherType"]
    value = values.values_by_number.get(type_code)
    if value is None or not type_code:
        msg = f"the catalogue has no type {type_code}"
        raise ValueError(msg)
    return value.GetOptions().Extensions[catalogue.row]


@dataclass(frozen=True, slots=True)
class Person:
    """A person with a certificate and the key that belongs to it.

    Attributes:
        certificate: The certificate in DER.
        key: The private key, in memory or in a token.
    """

    certificate: bytes
    key: SigningKey = field(repr=False)

    @classmethod
    def from_pem(cls, certificate: bytes, key: bytes) -> Person:
        """Take a certificate and its unencrypted key in PEM.

        Raises:
            ValueError: They do not belong together, or the kind of key is none
                of the contract's algorithms.
        """
        try:
            return cls.with_key(certificate, signing_key(_load_key(key)))
        except (UnfitKey, Sm2Unavailable) as error:
            msg = f"a person's key is on P-256, Ed25519 or SM2: {error}"
            raise ValueError(msg) from None

    @classmethod
    def of(cls, access: Access) -> Person:
        """Take the certificate and key of who calls, wherever the key is.

        Raises:
            ValueError: See `from_pem`.
        """
        if access.signer is not None:
            return cls.with_key(access.certificate, access.signer)
        return cls.from_pem(access.certificate, access.key)

    @classmethod
    def with_key(cls, certificate: bytes, key: SigningKey) -> Person:
        """Take a certificate in PEM and its key, wherever that is.

        Raises:
            ValueError: They do not belong together.
        """
        loaded = x509.load_pem_x509_certificate(certificate)
        try:
            shown = public_key_bytes(loaded)
        except CertificateRefused as error:
            raise ValueError(str(error)) from error
        if shown != key.public_key:
            msg = "the key does not belong to the certificate"
            raise ValueError(msg)
        return cls(loaded.public_bytes(serialization.Encoding.DER), key)

    @property
    def algorithm(self) -> sealed_pb2.Algorithm.ValueType:
        """Which of the contract's algorithms this key signs by."""
        return sealed_pb2.Algorithm.ValueType(self.key.algorithm)

    @property
    def identity(self) -> str:
        """Who it is, as the certificate says: `urn:counterfoil:…`, or its subject."""
        loaded = x509.load_der_x509_certificate(self.certificate)
        try:
            names = loaded.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            ).value
        except x509.ExtensionNotFound:
            return loaded.subject.rfc4514_string()
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        return next(iter(uris), loaded.subject.rfc4514_string())

    def sign(self, message: bytes) -> bytes:
        """Return this person's signature over `message`.

        Raises:
            KeyAway: The key is in a token that cannot be used now.
        """
        try:
            return self.key.sign(message)
        except SealKeyUnavailable as error:
            raise KeyAway(str(error)) from None


def _load_key(pem: bytes) -> object:
    try:
        return serialization.load_pem_private_key(pem, None)
    except UnsupportedAlgorithm:
        return sm2_keys.load_pem_private_key(pem, None)


def encode_for_signing(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that a signature covers.

    Source: DSSE protocol 1.0.0, section "Signature Definition", PAE(type, body);
    lengths count bytes, not characters.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def is_signed_by(certificate: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a person's signature is over a message.

    Args:
        certificate: The person's, in DER; whether to trust it is another question.
        message: What was signed, as `encode_for_signing` returns it.
        signature: The signature.
    """
    try:
        _, check = check_with(public_key_of(load_certificate(certificate)))
        check(signature, message)
    except (CertificateRefused, UnfitKey, InvalidSignature):
        return False
    return True


def seal_voucher(
    payload: bytes,
    position: PlanPosition,
    person: Person,
    *,
    stated_time: datetime,
    beneath: Sequence[Seal] = (),
) -> Seal:
    """Put a person's seal on a draft.

    Args:
        payload: The encoded voucher, as `Desk.write` returned it.
        position: Where the seal stands.
        person: Who seals.
        stated_time: When the person says that it sealed; UTC.
        beneath: The seals that are there already, lowest first.

    Raises:
        KeyAway: The person's key is in a token that cannot be used now.
    """
    return seal_payload(
        document_kind_pb2.DOCUMENT_KIND_VOUCHER,
        payload,
        position,
        person,
        stated_time=stated_time,
        beneath=beneath,
    )


def seal_payload(  # noqa: PLR0913 -- what a statement says
    kind: document_kind_pb2.DocumentKind.ValueType,
    payload: bytes,
    position: PlanPosition,
    person: Person,
    *,
    stated_time: datetime,
    beneath: Sequence[Seal] = (),
) -> Seal:
    """Put a person's seal on the payload of a document of any kind; see above."""
    statement = sealed_pb2.SealStatement(
        document_kind=kind,
        payload_digest=hashlib.sha256(payload).digest(),
        position=position.id,
        purpose=seal_position_pb2.SealPurpose.ValueType(position.purpose),
        certificate_digest=hashlib.sha256(person.certificate).digest(),
        algorithm=person.algorithm,
        beneath=[hashlib.sha256(seal.statement).digest() for seal in beneath],
    )
    statement.stated_time.FromDatetime(stated_time)
    encoded = statement.SerializeToString(deterministic=True)
    return Seal(encoded, person.sign(encode_for_signing(SEAL_TYPE, encoded)))
