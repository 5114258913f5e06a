"""Who is calling: from the certificate of the connection, never from a field."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import ALLOWED, Post
from counterfoil.domain.refusals import CallerUnknown, PostRefused
from counterfoil.domain.registry import Caller, Registry

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
"""The context of a call, as gRPC passes it to every method."""

CALLER: ContextVar[Caller] = ContextVar("caller")
"""The caller of the call under way; set by the guard before any servicer runs."""

_EXCHANGE: Final = "/counterfoil.exchange.v1.ExchangeService/"
_OPEN_TO_ALL: Final = (
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1alpha.ServerReflection/",
    "/grpc.reflection.v1.ServerReflection/",
)
_KNOWN_MAX: Final = 4096


JudgeCertificate = Callable[[bytes], Identity]
"""Returns whose a certificate (DER) is that counts now, or raises `CallerUnknown`,
`CallerRevoked`, `CertificateLost`, `CertificateNotActive` or `SealUndetermined`."""


@dataclass(slots=True, kw_only=True)
class CallerGate:
    """Tells who calls and whether the post allows the method.

    Attributes:
        registry: The parties.
        posts: Tells the posts of a person or system of a party hosted here, now.
        judge: Judges a certificate at this instant.
    """

    registry: Registry
    posts: Callable[[Identity], frozenset[Post]]
    judge: JudgeCertificate
    _known: dict[bytes, bytes] = field(default_factory=dict)

    def certificate_of(self, context: Context) -> bytes:
        """Return the caller's certificate in DER.

        Raises:
            CallerUnknown: The connection has none.
        """
        pem = next(iter(context.auth_context().get("x509_pem_cert", ())), None)
        if pem is None:
            raise CallerUnknown("the connection shows no certificate")
        der = self._known.get(pem)
        if der is None:
            der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[pem] = der
        return der

    def admit(self, der: bytes, digest: bytes, method: str) -> Caller:
        """Return the caller if it may call `method` now.

        The checks, in order:

        1. The certificate is valid now, neither revoked nor lost; active, if demanded.
        2. Health and reflection are open to every valid certificate.
        3. The exchange is for gateways of registered parties that are connected.
        4. A desk is for persons and systems of a party hosted here, in a post
           that the table allows the method.

        Raises:
            CallerUnknown: It names nobody that may be here.
            CallerRevoked: It is revoked.
            CertificateLost: It was reported lost, or revoked by a registration.
            CertificateNotActive: It was not put to use, and that is demanded.
            PostRefused: The post does not allow the method.
            SealUndetermined: Whether it is revoked cannot be told now.
        """
        # (1) At this instant, not at that of the handshake.
        identity = self.judge(der)
        caller = Caller(
            identity=identity,
            posts=self.posts(identity),
            certificate=der,
            certificate_digest=digest,
        )
        # (2) They tell nothing of vouchers.
        if method.startswith(_OPEN_TO_ALL):
            return caller
        # (3) A gateway acts for whomever it carries; use cases check for whom.
        if method.startswith(_EXCHANGE):
            party = self.registry.parties.get(identity.party)
            if identity.use is not Use.GATEWAY or party is None:
                raise CallerUnknown(
                    f"{identity.to_urn()} is no gateway that is registered here"
                )
            if identity.party in self.registry.disconnected:
                raise CallerUnknown(
                    f"{identity.to_urn()} is connected no more: a registration says so"
                )
            return caller
        # (4) Deny by default.
        if (
            identity.use not in {Use.PERSON, Use.SYSTEM}
            or identity.party not in self.registry.hosted
        ):
            raise CallerUnknown(f"{identity.to_urn()} has no desk on this gateway")
        if ALLOWED.get(method, frozenset()).isdisjoint(caller.posts):
            raise PostRefused(
                f"the posts of {identity.to_urn()} do not allow {method}",
                method=method,
            )
        return caller
