"""An authority that gives time stamps (RFC 3161), right and wrong ones; no openssl.

What it answers is put together here, element by element, so that each can be wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterfoil.devca.certificates import (
    Authority,
    Validity,
    make_authority,
    make_certificate,
    make_key,
    make_root,
)
from counterfoil.seal.timestamp_reading import oid_content
from counterfoil.sm2.der import INTEGER, SEQUENCE, element, elements, inside

OCTETS: Final = 0x04
NULL: Final = b"\x05\x00"
OID: Final = 0x06
SET: Final = 0x31
FIRST: Final = 0xA0
"""Tag: context-specific 0, constructed."""

SHA1: Final = "1.3.14.3.2.26"
SHA256: Final = "2.16.840.1.101.3.4.2.1"
SHA512: Final = "2.16.840.1.101.3.4.2.3"
POLICY: Final = "1.2.3.4.1"
_ECDSA: Final = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha512": "1.2.840.10045.4.3.4",
}
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - a wrong one, to be refused
    "sha256": hashes.SHA256(),
    "sha512": hashes.SHA512(),
}
_DIGESTS: Final = {"sha1": SHA1, "sha256": SHA256, "sha512": SHA512}


def oid(text: str) -> bytes:
    return element(OID, oid_content(text))


def number(value: int) -> bytes:
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*parts: bytes) -> bytes:
    return element(SEQUENCE, b"".join(parts))


def algorithm(text: str) -> bytes:
    return sequence(oid(text), NULL)


@dataclass(frozen=True)
class Question:
    """What is asked, as far as the answer repeats it."""

    imprint_algorithm: str
    imprint: bytes
    policy: str
    nonce: int

    @classmethod
    def of(cls, encoded: bytes) -> Question:
        _, imprint, *rest = elements(inside(encoded))
        named, hashed = elements(inside(imprint.encoded))
        policy = POLICY
        if rest[0].tag == OID:
            asked = rest.pop(0).content
            policy = POLICY if asked == oid_content(POLICY) else "1.2.3.4.2"
        # All questions of ours ask by SHA-256.
        assert named.encoded == algorithm(SHA256)
        return cls(SHA256, hashed.content, policy, int.from_bytes(rest[0].content))


@dataclass
class TimeStamper:
    """A time-stamping authority, and what is wrong with it.

    Attributes:
        root: Whom one has to trust.
        between: Who issued the signer's certificate.
        signer: Who signs.
        wrong: Changes of what an answer says, see `answer`.
        now: Its clock.
        asked: Every question.
        status: Of HTTP.
        twist: Changes each answer before it leaves; None to say nothing.
        url: Where it listens.
    """

    root: Authority
    between: Authority
    signer: Authority
    wrong: dict[str, Any] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    asked: list[Question] = field(default_factory=list)
    status: int = 200
    twist: Callable[[bytes], bytes | None] = lambda body: body
    url: str = ""

    @classmethod
    def new(cls, validity: Validity, **wrong: Any) -> TimeStamper:  # noqa: ANN401
        """Return one; `wrong` goes into the signer's certificate."""
        root = make_root("stamp root", validity)
        between = make_authority("stamp authority", root, validity)
        return cls(root, between, signer_of(between, validity, **wrong))

    @property
    def pem(self) -> bytes:
        """The certificates that one has to trust, in PEM."""
        chain = (self.root, self.between)
        return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in chain)

    def answer(self, question: bytes) -> bytes:
        """Return the answer to a question in DER."""
        asked = Question.of(question)
        self.asked.append(asked)
        return time_stamp(self.signer, asked, self.now(), **self.wrong)


def signer_of(
    issuer: Authority,
    validity: Validity,
    *,
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    critical: bool = True,
    **wrong: Any,  # noqa: ANN401
) -> Authority:
    """Return a signer of time stamps that `issuer` has certified, or wrongly so."""
    key = make_key("p256")
    extensions = [(x509.ExtendedKeyUsage(usages), critical)] if usages else []
    certificate = make_certificate(
        issuer,
        key.public_key(),
        None,
        validity,
        usages=(),
        extensions=extensions,
        **wrong,
    )
    return Authority(certificate, key)  # type: ignore[arg-type]  # of P-256


def time_stamp(
    signer: Authority,
    asked: Question,
    at: datetime,
    *,
    status: int = 0,
    imprint: bytes | None = None,
    imprint_algorithm: str | None = None,
    nonce: int | None = 0,
    policy: str | None = None,
    accuracy_s: int | None = 1,
    digest: str = "sha256",
    certificates: tuple[x509.Certificate, ...] | None = None,
    named: x509.Certificate | None = None,
    is_named_by_hash: bool = True,
    signs: Authority | None = None,
    extra: bytes = b"",
) -> bytes:
    """Return an answer with a time stamp in DER, a wrong one if arguments ask for it.

    Args:
        signer: Whose certificate is named.
        asked: What was asked.
        at: The time that it says.
        status: Of the answer; no time stamp is given unless it is 0.
        imprint: Another hash than the one that was asked about.
        imprint_algorithm: Another algorithm.
        nonce: Another number; 0 for the one that was asked with, None for none.
        policy: Another policy.
        accuracy_s: What accuracy it states, in seconds.
        digest: With what it is signed.
        certificates: Those that come along; the signer's if None.
        named: Whose hash the signature names; the signer's if None.
        is_named_by_hash: Whether it names one at all.
        signs: Whose key really signs; the signer's if None.
        extra: Bytes behind the end of what was signed, unsigned.
    """
    if status:
        return sequence(sequence(number(status)))
    info = _info(asked, at, imprint, imprint_algorithm, nonce, policy, accuracy_s)
    attributes = [
        sequence(oid("1.2.840.113549.1.9.3"), element(SET, oid(_TST_INFO))),
        sequence(
            oid("1.2.840.113549.1.9.4"),
            element(SET, element(OCTETS, hashlib.new(digest, info).digest())),
        ),
    ]
    if is_named_by_hash:
        hashed = _sha256(named or signer.certificate)
        names = sequence(sequence(sequence(element(OCTETS, hashed))))
        attributes.append(sequence(oid(_NAMES_SIGNER), element(SET, names)))
    attributes.sort()
    key = (signs or signer).key
    assert isinstance(key, EllipticCurvePrivateKey)
    signature = key.sign(element(SET, b"".join(attributes)), ECDSA(_HASHES[digest]))
    who = signer.certificate
    signed = sequence(
        number(1),
        sequence(who.issuer.public_bytes(), number(who.serial_number)),
        algorithm(_DIGESTS[digest]),
        element(FIRST, b"".join(attributes)),
        sequence(oid(_ECDSA[digest])),
        element(OCTETS, signature),
    )
    along = (who,) if certificates is None else certificates
    # In this order, as `openssl ts` does, not in that of DER.
    encoded = [one.public_bytes(Encoding.DER) for one in along]
    token = sequence(
        oid("1.2.840.113549.1.7.2"),
        element(
            FIRST,
            sequence(
                number(3),
                element(SET, algorithm(_DIGESTS[digest])),
                sequence(oid(_TST_INFO), element(FIRST, element(OCTETS, info))),
                element(FIRST, b"".join(encoded)) if encoded else b"",
                element(SET, signed),
            ),
        ),
    )
    return sequence(sequence(number(0)), token) + extra


_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_NAMES_SIGNER: Final = "1.2.840.113549.1.9.16.2.47"


def _info(  # noqa: PLR0917
    asked: Question,
    at: datetime,
    imprint: bytes | None,
    imprint_algorithm: str | None,
    nonce: int | None,
    policy: str | None,
    accuracy_s: int | None,
) -> bytes:
    """Return what is signed."""
    hashed = imprint if imprint is not None else asked.imprint
    repeated = asked.nonce if nonce == 0 else nonce
    return sequence(
        number(1),
        oid(policy or asked.policy),
        sequence(
            algorithm(imprint_algorithm or asked.imprint_algorithm),
            element(OCTETS, hashed),
        ),
        number(4711),
        element(0x18, _generalized(at)),
        sequence(number(accuracy_s)) if accuracy_s is not None else b"",
        number(repeated) if repeated is not None else b"",
    )


def _generalized(at: datetime) -> bytes:
    """Return a time with as many digits as it needs."""
    fraction = f".{at.microsecond:06}".rstrip("0").rstrip(".")
    return f"{at:%Y%m%d%H%M%S}{fraction}Z".encode()


def _sha256(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def valid_now() -> Validity:
    """Return a validity around this moment."""
    now = datetime.now(UTC).replace(microsecond=0)
    return Validity(now - timedelta(days=1), now + timedelta(days=365))


@contextmanager
def stamping(stamper: TimeStamper) -> Iterator[TimeStamper]:
    """Let an authority listen on a free loopback port."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            body = stamper.twist(stamper.answer(question))
            if body is None:
                self.close_connection = True
                return
            self.send_response(stamper.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        stamper.url = f"http://127.0.0.1:{server.server_port}/tsa"
        try:
            yield stamper
        finally:
            server.shutdown()
            thread.join()
