"""Answers about revocation, right and wrong ones, and a responder that gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterfoil.devca.certificates import (
    Authority,
    AuthorityKey,
    Validity,
    make_certificate,
    make_key,
)
from counterfoil.sm2.der import BIT_STRING, SEQUENCE, element, elements, inside
from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.sm2.signed import spki_of

_SM2_WITH_SM3 = bytes.fromhex("300a06082a811ccf55018375")
_OCTET_STRING = 0x04
_RESPONSE = 0xA0
"""Tag of what is answered: context-specific 0, constructed."""


def delegate_of(
    issuer: Authority,
    validity: Validity,
    *,
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    is_ca: bool = False,
    digital_signature: bool = True,
    no_check: bool = True,
) -> Authority:
    """Return a responder that `issuer` has charged, or wrongly so."""
    key = make_key("sm2" if isinstance(issuer.key, Sm2PrivateKey) else "p256")
    certificate = make_certificate(
        issuer,
        key.public_key(),
        None,
        validity,
        usages=usages,
        is_ca=is_ca,
        digital_signature=digital_signature,
        extensions=[(x509.OCSPNoCheck(), False)] if no_check else [],
    )
    return Authority(certificate, key)  # type: ignore[arg-type]  # of such a kind


def answer_of(
    issuer: Authority,
    certificate: x509.Certificate,
    validity: Validity,
    *,
    revoked: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    unknown: bool = False,
    signer: Authority | None = None,
    named: Authority | None = None,
    due: bool = True,
    name_hash: hashes.HashAlgorithm | None = None,
    signature_hash: hashes.HashAlgorithm | None = None,
    critical: bool = False,
) -> bytes:
    """Return an answer in DER, a wrong one if the arguments ask for it.

    Args:
        issuer: Whose certificate is asked about.
        certificate: Which one.
        validity: This update and next update.
        revoked: Since when it is revoked; None if it is not.
        reason: Why.
        unknown: Whether the responder says that it does not know.
        signer: A responder that signs; the issuer itself if None.
        named: Whom it names as responder; who signs, if None.
        due: Whether it says when the next one is due.
        name_hash: How it names the issuer; SHA-1 if None.
        signature_hash: With what it is signed; SHA-256 if None.
        critical: Whether it has a critical extension that nobody knows.
    """
    status = ocsp.OCSPCertStatus.GOOD
    if unknown:
        status = ocsp.OCSPCertStatus.UNKNOWN
    elif revoked is not None:
        status = ocsp.OCSPCertStatus.REVOKED
    signer = signer or issuer
    algorithm = name_hash or hashes.SHA1()  # noqa: S303 - a name
    responder = named or signer
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            _hash(issuer.certificate.subject.public_bytes(), algorithm),
            _hash(_key_bits(issuer.certificate), algorithm),
            certificate.serial_number,
            algorithm,
            status,
            validity.start,
            validity.end if due else None,
            revoked,
            reason,
        )
        .responder_id(
            ocsp.OCSPResponderEncoding.NAME, _standing_in(responder.certificate)
        )
    )
    if signer is not issuer:
        builder = builder.certificates([signer.certificate])
    if critical:
        unheard_of = x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"
        )
        builder = builder.add_extension(unheard_of, critical=True)
    made = builder.sign(_nobody(), signature_hash or hashes.SHA256())
    return _signed_again(made, signer.key)


@cache
def _nobody() -> EllipticCurvePrivateKey:
    """Return the key that stands in: the library signs only in the signer's name."""
    return generate_private_key(SECP256R1())


def _standing_in(certificate: x509.Certificate) -> x509.Certificate:
    """Return a certificate of that name, for the key that stands in."""
    return (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(_nobody().public_key())
        .serial_number(1)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .sign(_nobody(), hashes.SHA256())
    )


def _hash(content: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(content)
    return digest.finalize()


def _key_bits(certificate: x509.Certificate) -> bytes:
    _, bits = elements(inside(spki_of(certificate)))
    return bits.content[1:]


def _signed_again(made: ocsp.OCSPResponse, key: AuthorityKey) -> bytes:
    """Return an answer as it is, but signed by another key."""
    status, answered = elements(inside(made.public_bytes(Encoding.DER)))
    kind, octets = elements(inside(inside(answered.encoded, _RESPONSE)))
    content = inside(inside(octets.encoded, _OCTET_STRING))
    signed, algorithm, _, *certificates = elements(content)
    named = algorithm.encoded
    if isinstance(key, Sm2PrivateKey):
        named, signature = _SM2_WITH_SM3, key.sign(signed.encoded)
    else:
        assert made.signature_hash_algorithm is not None
        signature = key.sign(signed.encoded, ECDSA(made.signature_hash_algorithm))
    parts = [signed.encoded, named, element(BIT_STRING, b"\0" + signature)]
    parts += [one.encoded for one in certificates]
    basic = element(SEQUENCE, b"".join(parts))
    inner = element(SEQUENCE, kind.encoded + element(_OCTET_STRING, basic))
    return element(SEQUENCE, status.encoded + element(_RESPONSE, inner))


@dataclass
class Responder:
    """What a responder knows, and how it behaves.

    Attributes:
        issuers: Authorities that it speaks for.
        revoked: Serial numbers, and since when each is revoked.
        twist: Changes each answer before it leaves: the body, or None to say nothing.
        asked: Serial numbers that were asked about, in order.
        lasts: How long an answer is current.
        url: Where it listens.
    """

    issuers: list[Authority]
    revoked: dict[int, datetime] = field(default_factory=dict)
    twist: Callable[[bytes], bytes | None] = lambda body: body
    asked: list[int] = field(default_factory=list)
    lasts: timedelta = timedelta(hours=1)
    status: int = 200
    url: str = ""

    def answer(self, question: bytes) -> bytes | None:
        """Return the answer to a question in DER."""
        asked = ocsp.load_der_ocsp_request(question)
        self.asked.append(asked.serial_number)
        now = datetime.now(UTC).replace(microsecond=0)
        for issuer in self.issuers:
            if sha1(_key_bits(issuer.certificate)).digest() == asked.issuer_key_hash:  # noqa: S324
                builder = _Numbered(asked.serial_number)
                return self.twist(
                    answer_of(
                        issuer,
                        builder,  # type: ignore[arg-type]  # all that is looked at
                        Validity(now, now + self.lasts),
                        revoked=self.revoked.get(asked.serial_number),
                    )
                )
        return ocsp.OCSPResponseBuilder.build_unsuccessful(
            ocsp.OCSPResponseStatus.UNAUTHORIZED
        ).public_bytes(Encoding.DER)


@dataclass(frozen=True)
class _Numbered:
    """All that an answer says of a certificate."""

    serial_number: int


@contextmanager
def responding(responder: Responder) -> Iterator[Responder]:
    """Let a responder listen on a free loopback port."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            body = responder.answer(question)
            if body is None:
                self.close_connection = True
                return
            self.send_response(responder.status)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        responder.url = f"http://127.0.0.1:{server.server_port}/ocsp"
        try:
            yield responder
        finally:
            server.shutdown()
            thread.join()
