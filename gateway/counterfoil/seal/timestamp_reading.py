"""What stands in a time stamp, as it is read; nobody vouches for it by that.

Source: RFC 3161, section 2.4; RFC 5652, section 5; RFC 5035, section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from counterfoil.sm2.der import INTEGER, SEQUENCE, Element, element, elements, inside

RESPONSE_BYTES_MAX: Final = 32 * 1024
"""Longest answer that is read; with its signer's certificates one has 2 to 8 KiB."""

NONCE_BITS: Final = 63
"""Of the number that ties an answer to its question."""

_OCTET_STRING: Final = 0x04
_OID: Final = 0x06
_GENERALIZED_TIME: Final = 0x18
_SET: Final = 0x31
_TAGGED_0: Final = 0xA0
_TRUE: Final = b"\x01\x01\xff"
_SHA256: Final = bytes.fromhex("300d06096086480165030402010500")
_TIME_DIGITS: Final = 14

SHA256: Final = "2.16.840.1.101.3.4.2.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenParts:
    """A time stamp taken apart.

    Attributes:
        imprint_algorithm: OID of the hash that the time was given for.
        imprint: That hash.
        time: The time that it says.
        digest_algorithm: OID of the hash that was signed.
        signer_hashes: What the signature says of the signer's certificate: OID of a
            hash, or nothing for SHA-1, and the hash of the first one it names.
    """

    imprint_algorithm: str
    imprint: bytes
    time: datetime
    digest_algorithm: str
    signer_hashes: tuple[tuple[str, bytes], ...]


def question_for(imprint: bytes, *, nonce: int, policy: str = "") -> bytes:
    """Return the question to an authority, in DER; its certificates are wanted.

    Args:
        imprint: SHA-256 of what the time is wanted for.
        nonce: A number that nobody can foresee, of NONCE_BITS bits.
        policy: OID of the policy that is wanted; empty for the authority's own.

    Raises:
        ValueError: The policy is no OID.

    Source: RFC 3161, section 2.4.1.
    """
    parts = [
        element(INTEGER, b"\x01"),
        element(SEQUENCE, _SHA256 + element(_OCTET_STRING, imprint)),
        element(_OID, oid_content(policy)) if policy else b"",
        element(INTEGER, nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")),
        _TRUE,
    ]
    return element(SEQUENCE, b"".join(parts))


def read_response(unverified: bytes) -> TokenParts:
    """Take an answer with a time stamp apart.

    Raises:
        ValueError: It is none, or is longer than RESPONSE_BYTES_MAX.
    """
    if len(unverified) > RESPONSE_BYTES_MAX:
        raise ValueError("the answer is too long")
    _, token = elements(inside(unverified))
    kind, wrapped = elements(inside(token.encoded))
    _require(kind, SIGNED_DATA)
    _, _, content, *_, signers = elements(inside(inside(wrapped.encoded, _TAGGED_0)))
    kind, octets = elements(inside(content.encoded))
    _require(kind, TST_INFO)
    info = inside(inside(octets.encoded, _TAGGED_0), _OCTET_STRING)
    (signer,) = elements(inside(signers.encoded, _SET))
    _, _, digest, attributes, *_ = elements(inside(signer.encoded))
    _, _, imprint, _, time, *_ = elements(inside(info))
    algorithm, hashed = elements(inside(imprint.encoded))
    return TokenParts(
        imprint_algorithm=_algorithm(algorithm),
        imprint=inside(hashed.encoded, _OCTET_STRING),
        time=_time(inside(time.encoded, _GENERALIZED_TIME)),
        digest_algorithm=_algorithm(digest),
        signer_hashes=_signer_hashes(elements(inside(attributes.encoded, _TAGGED_0))),
    )


def in_order(unverified: bytes) -> bytes:
    """Return an answer with its certificates in the order that DER asks for.

    `openssl ts` and authorities built on it write them as they come, which the library
    does not read. They are outside of what is signed, so it changes nobody's word.

    Raises:
        ValueError: It is no answer, or is longer than RESPONSE_BYTES_MAX.

    Source: ITU-T X.690, section 11.6; RFC 5652, section 5.1 asks for no order.
    """
    if len(unverified) > RESPONSE_BYTES_MAX:
        raise ValueError("the answer is too long")
    status, *token = elements(inside(unverified))
    if not token:
        return unverified
    kind, wrapped = elements(inside(token[0].encoded))
    parts = [
        element(
            _TAGGED_0, b"".join(sorted(one.encoded for one in elements(part.content)))
        )
        if part.tag == _TAGGED_0
        else part.encoded
        for part in elements(inside(inside(wrapped.encoded, _TAGGED_0)))
    ]
    signed = element(_TAGGED_0, element(SEQUENCE, b"".join(parts)))
    rest = [one.encoded for one in token[1:]]
    ordered = element(SEQUENCE, kind.encoded + signed)
    return element(SEQUENCE, b"".join((status.encoded, ordered, *rest)))


def oid_content(text: str) -> bytes:
    """Return the content of an OID.

    Raises:
        ValueError: It is none.

    Source: ITU-T X.690, section 8.19.
    """
    arcs = [int(arc) if arc.isascii() and arc.isdigit() else -1 for arc in _arcs(text)]
    first, second, *others = arcs
    if min(arcs) < 0 or first > 2 or (first < 2 and second >= 40):  # noqa: PLR2004
        raise ValueError("not an OID")
    return b"".join(map(_base_128, (first * 40 + second, *others)))


def _arcs(text: str) -> list[str]:
    arcs = text.split(".")
    if len(arcs) < 2:  # noqa: PLR2004 - the two that share a byte
        raise ValueError("not an OID")
    return arcs


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _require(kind: Element, oid: str) -> None:
    if kind.encoded != element(_OID, oid_content(oid)):
        raise ValueError("of another kind")


def _algorithm(encoded: Element) -> str:
    """Return the OID of an algorithm."""
    kind, *_ = elements(inside(encoded.encoded))
    content = inside(kind.encoded, _OID)
    numbers, number = list[int](), 0
    for byte in content:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not content or content[-1] & 0x80:
        raise ValueError("not an OID")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _time(text: bytes) -> datetime:
    """Return an instant, to the microsecond."""
    digits, dot, rest = text.decode("ascii").partition(".")
    if dot:
        fraction = rest.removesuffix("Z")
    else:
        digits, fraction = digits.removesuffix("Z"), "0"
    if not text.endswith(b"Z") or len(digits) != _TIME_DIGITS:
        raise ValueError("not a time in UTC")
    if not fraction.isdigit():
        raise ValueError("not a fraction of a second")
    whole = datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return whole.replace(microsecond=int(fraction[:6].ljust(6, "0")))


def _signer_hashes(attributes: Sequence[Element]) -> tuple[tuple[str, bytes], ...]:
    """Return by what hashes the signature names the signer's certificate."""
    found = []
    for attribute in attributes:
        kind, values = elements(inside(attribute.encoded))
        is_v2 = kind.content == oid_content(SIGNING_CERTIFICATE_V2)
        if not is_v2 and kind.content != oid_content(SIGNING_CERTIFICATE):
            continue
        named, *_ = elements(inside(inside(values.encoded, _SET)))
        first, *_ = elements(inside(named.encoded))
        parts = elements(inside(first.encoded))
        algorithm = SHA256 if is_v2 else ""
        if is_v2 and parts[0].tag == SEQUENCE:
            algorithm, parts = _algorithm(parts[0]), parts[1:]
        found.append((algorithm, inside(parts[0].encoded, _OCTET_STRING)))
    return tuple(found)
