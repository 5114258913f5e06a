"""Making seals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeAlias

from counterfoil.domain.catalogue import DocumentKind, SealPurpose
from counterfoil.domain.party import Identity
from counterfoil.domain.seals import Seal, SealStatement, make_seal, make_seal_statement
from counterfoil.domain.value import maker, value
from counterfoil.seal.algorithms import SigningKey
from counterfoil.seal.batch import batch_message, plant
from counterfoil.seal.certificates import (
    identity_of,
    load_certificate,
    names_in,
    public_key_bytes,
)
from counterfoil.seal.dsse import SEAL_TYPE, encode_for_signing

EncodeStatement: TypeAlias = Callable[[SealStatement], bytes]
"""Encodes a statement once, for ever; `wire` knows how."""


@value
class SealOrder:
    """What one seal is to be put on, and where.

    Attributes:
        document_kind: Kind of the document.
        payload_digest: SHA-256 of its payload.
        position: Position in the plan.
        purpose: What the seal is for.
        beneath: The seals that are there already, lowest first.
    """

    document_kind: DocumentKind
    payload_digest: bytes
    position: str
    purpose: SealPurpose
    beneath: tuple[Seal, ...] = ()


make_seal_order: Final = maker(SealOrder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Seals with one key, in the name of one certificate.

    Attributes:
        identity: Whose seal it is.
        is_listed: Whether a directory has to say so, because the certificate does not.
        certificate: The certificate in DER.
        key: Its private key.
        encode: Encodes statements.
    """

    identity: Identity
    certificate: bytes = field(repr=False)
    key: SigningKey
    encode: EncodeStatement = field(repr=False)
    is_listed: bool = False

    @classmethod
    def of(
        cls,
        key: SigningKey,
        certificate: bytes,
        encode: EncodeStatement,
        *,
        identity: Identity | None = None,
    ) -> Sealer:
        """Return the sealer of a key and its certificate.

        Args:
            key: The private key.
            certificate: The certificate in DER.
            encode: Encodes statements.
            identity: From the directory, for a certificate that states none.

        Raises:
            CertificateRefused: The certificate cannot be read or states no identity.
            ValueError: The certificate is another key's.
        """
        loaded = load_certificate(certificate)
        if public_key_bytes(loaded) != key.public_key:
            raise ValueError("the certificate is another key's")
        return cls(
            identity=identity or identity_of(loaded),
            certificate=certificate,
            key=key,
            encode=encode,
            is_listed=not names_in(loaded),
        )

    @property
    def certificate_digest(self) -> bytes:
        """SHA-256 of the certificate, as statements name it."""
        return sha256(self.certificate).digest()

    def seal(self, order: SealOrder, *, stated_time_us: int) -> Seal:
        """Make one seal.

        Args:
            order: What to seal.
            stated_time_us: When we say that we seal, microseconds since the epoch.
        """
        (statement,) = self._state([order], stated_time_us)
        signed = encode_for_signing(SEAL_TYPE, statement)
        return make_seal(statement=statement, signature=self.key.sign(signed))

    def seal_each(
        self, orders: Sequence[SealOrder], *, stated_time_us: int
    ) -> list[Seal]:
        """Make a seal for each of `orders`, with a signature each."""
        return [
            make_seal(
                statement=statement,
                signature=self.key.sign(encode_for_signing(SEAL_TYPE, statement)),
            )
            for statement in self._state(orders, stated_time_us)
        ]

    def seal_batch(
        self, orders: Sequence[SealOrder], *, stated_time_us: int
    ) -> list[Seal]:
        """Make a seal for each of `orders`, with one signature for all.

        Raises:
            ValueError: There are fewer than 2 or more than 1024 of them.
        """
        statements = self._state(orders, stated_time_us)
        root, paths = plant(statements)
        signature = self.key.sign(batch_message(root, len(statements)))
        return [
            make_seal(statement=statement, signature=signature, batch=path)
            for statement, path in zip(statements, paths, strict=True)
        ]

    def _state(self, orders: Sequence[SealOrder], stated_time_us: int) -> list[bytes]:
        """Return the encoded statements."""
        certificate_digest = self.certificate_digest
        return [
            self.encode(
                make_seal_statement(
                    document_kind=order.document_kind,
                    payload_digest=order.payload_digest,
                    position=order.position,
                    purpose=order.purpose,
                    certificate_digest=certificate_digest,
                    algorithm=self.key.algorithm,
                    stated_time_us=stated_time_us,
                    beneath=tuple(
                        sha256(seal.statement).digest() for seal in order.beneath
                    ),
                )
            )
            for order in orders
        ]
