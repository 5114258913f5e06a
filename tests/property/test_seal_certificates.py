"""Whatever comes as certificate, list or key, nothing but a refusal comes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counterfoil.devca.certificates import AuthorityAlgorithm, make_crl
from counterfoil.domain.party import Use
from counterfoil.seal.certificates import (
    CertificateError,
    CertificateRefused,
    CertificateRevoked,
    RevocationUnknown,
    certificate_bag,
)
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustStore
from counterfoil.sm2.der import BIT_STRING, SEQUENCE, element, elements, inside
from counterfoil.sm2.keys import Sm2PrivateKey
from counterfoil.sm2.loading import load_der_private_key
from tests.unit.seal.makers import CURRENT, NOW, NOW_US, Pki, der

Program: TypeAlias = Callable[[str], Path]

# Of what is odd about a number or a name, the library warns besides.
pytestmark = [
    pytest.mark.filterwarnings(
        "ignore::cryptography.utils.CryptographyDeprecationWarning"
    ),
    pytest.mark.filterwarnings("ignore:Attribute's length must be:UserWarning"),
]

PERSON: Final = frozenset({Use.PERSON})
EXAMPLES: Final = 150
KINDS: Final = ["p256", pytest.param("sm2", marks=pytest.mark.tools)]
EXTENSIONS: Final = 7
"""Place of the extensions in a certificate of version 3."""


@cache
def pki_of(kind: AuthorityAlgorithm) -> Pki:
    return Pki.new(algorithm=kind)


@cache
def sealer_of(kind: AuthorityAlgorithm) -> tuple[Sealer, bytes]:
    """Return a sealer and a signature of it over `message`."""
    sealer = pki_of(kind).sealer()
    return sealer, sealer.key.sign(b"message")


@cache
def key_of_nobody() -> bytes:
    return Sm2PrivateKey.generate().private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )


@cache
def lists_of(kind: AuthorityAlgorithm) -> tuple[bytes, bytes]:
    """Return the root's list, and one by which the authority revokes the person."""
    serial = x509.load_der_x509_certificate(person_of(kind)).serial_number
    revoking = make_crl(pki_of(kind).authority, CURRENT, {serial: NOW, 7: NOW})
    return pki_of(kind).crls[0], der(revoking)


@cache
def person_of(kind: AuthorityAlgorithm) -> bytes:
    return pki_of(kind).sealer("person", "li").certificate


def signed_again(kind: AuthorityAlgorithm, made: bytes, statement: bytes) -> bytes:
    """Return another statement in a certificate or list, signed by the authority."""
    key = pki_of(kind).authority.key
    if isinstance(key, Sm2PrivateKey):
        signature = key.sign(statement)
    else:
        signature = key.sign(statement, ECDSA(SHA256()))
    _, algorithm, _ = elements(inside(made))
    return element(
        SEQUENCE,
        statement + algorithm.encoded + element(BIT_STRING, b"\0" + signature),
    )


def only_refusals() -> suppress:
    """Let through what a caller turns into a refusal; all else is a defect."""
    return suppress(CertificateError)


@st.composite
def changed(draw: st.DrawFn, encoded: bytes) -> bytes:
    """Return an encoding with one to three places changed, dropped or doubled."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(encoded) - 1))
        end = draw(st.integers(start, min(len(encoded), start + 8)))
        middle = draw(
            st.binary(min_size=end - start, max_size=end - start)
            | st.binary(max_size=8)
            | st.just(encoded[start:end] * 2)
        )
        encoded = encoded[:start] + middle + encoded[end:] or b"\0"
    return encoded


@st.composite
def reshaped(draw: st.DrawFn, encoded: bytes) -> bytes:
    """Return a sound encoding of another tree: elements doubled, dropped, exchanged."""
    parts = elements(encoded)
    if not parts:
        return encoded
    place = draw(st.integers(0, len(parts) - 1))
    chosen = parts[place]
    new = [part.encoded for part in parts]
    how = draw(st.sampled_from(["inside", "inside", "drop", "double", "tag", "fill"]))
    if how == "inside" and chosen.tag & 0x20:
        new[place] = element(chosen.tag, draw(reshaped(chosen.content)))
    elif how == "drop":
        del new[place]
    elif how == "double":
        new.insert(place, chosen.encoded)
    elif how == "tag":
        tag = draw(st.sampled_from([0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x30]))
        new[place] = element(tag, chosen.content)
    else:
        new[place] = element(chosen.tag, draw(st.binary(max_size=40)))
    return b"".join(new)


@pytest.fixture(autouse=True)
def _needs_libcrypto(request: pytest.FixtureRequest, program: Program) -> None:
    if request.node.get_closest_marker("tools"):
        program("libcrypto")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_changed_certificate_is_refused(
    kind: AuthorityAlgorithm, data: st.DataObject
) -> None:
    person = person_of(kind)
    other = data.draw(changed(person))
    store = TrustStore(pki_of(kind).material())

    with only_refusals():
        store.vet(other, uses=PERSON, at_us=NOW_US)
        assert other == person, "a changed certificate was taken"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_strange_certificate_that_was_signed_is_no_defect(
    kind: AuthorityAlgorithm, data: st.DataObject
) -> None:
    person = person_of(kind)
    statement, _, _ = elements(inside(person))
    other = signed_again(
        kind, person, element(SEQUENCE, data.draw(reshaped(statement.content)))
    )
    store = TrustStore(pki_of(kind).material())

    with only_refusals():
        store.vet(other, uses=PERSON, at_us=NOW_US)
    # Beside an honest one it does no harm, whatever it is.
    bag = certificate_bag([other, person])
    store.vet(person, uses=PERSON, at_us=NOW_US, bag=bag)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_strange_authority_between_is_no_defect(
    kind: AuthorityAlgorithm, data: st.DataObject
) -> None:
    pki = pki_of(kind)
    authority = der(pki.authority.certificate)
    other = data.draw(changed(authority))
    store = TrustStore(pki.material(authorities=()))

    with only_refusals():
        bag = certificate_bag([other])
        store.vet(person_of(kind), uses=PERSON, at_us=NOW_US, bag=bag)
        assert other == authority, "a changed authority was taken"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_changed_list_is_no_list(
    kind: AuthorityAlgorithm, data: st.DataObject
) -> None:
    person, (roots, revoking) = person_of(kind), lists_of(kind)
    other = data.draw(changed(revoking))
    try:
        store = TrustStore(pki_of(kind).material(crls=(roots, other)))
    except ValueError:
        return

    # Neither revoked by a false list nor cleared by one: nobody knows.
    with pytest.raises(CertificateRevoked if other == revoking else RevocationUnknown):
        store.vet(person, uses=PERSON, at_us=NOW_US)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_changed_signature_does_not_hold(
    kind: AuthorityAlgorithm, data: st.DataObject
) -> None:
    sealer, signature = sealer_of(kind)
    store = TrustStore(pki_of(kind).material())
    bag = certificate_bag([sealer.certificate])
    check = store.look_up(sealer.certificate_digest, at_us=NOW_US, bag=bag).check
    other = data.draw(changed(signature) | st.binary(max_size=80))

    check(signature, b"message")
    if other != signature:
        with pytest.raises(InvalidSignature):
            check(other, b"message")


@pytest.mark.tools
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_changed_sm2_key_is_refused(data: st.DataObject) -> None:
    other = data.draw(changed(key_of_nobody()) | st.binary(max_size=200))
    passphrase = data.draw(st.none() | st.binary(max_size=8))

    try:
        loaded = load_der_private_key(other, passphrase)
    except ValueError:
        return
    # The public half may be left out; then it is computed.
    loaded.public_key().verify(loaded.sign(b"message"), b"message")


VERSION, ISSUER, SUBJECT = 0, 3, 5
"""Places of what the library reads late, in a certificate of version 3."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("place", "encoded"),
    [
        (VERSION, "a003020101"),
        (ISSUER, "300d310b300906035504030302 0061"),
        (SUBJECT, "300d310b300906035504030302 0061"),
        (SUBJECT, "300c310a300806035504030c01ff"),
        (EXTENSIONS, "a3123010300606032a0304040030060603 2a03040400"),
        (EXTENSIONS, "a311300f300d0603551d1104063004a3023000"),
    ],
)
def test_what_was_found_so_stays_refused(
    kind: AuthorityAlgorithm, place: int, encoded: str
) -> None:
    person = person_of(kind)
    statement, _, _ = elements(inside(person))
    parts = [part.encoded for part in elements(statement.content)]
    parts[place] = bytes.fromhex(encoded)
    odd = signed_again(kind, person, element(SEQUENCE, b"".join(parts)))
    store = TrustStore(pki_of(kind).material())

    with pytest.raises(CertificateRefused, match="not a certificate"):
        store.vet(odd, uses=PERSON, at_us=NOW_US)
    bag = certificate_bag([odd])
    store.vet(person, uses=PERSON, at_us=NOW_US, bag=bag)


@given(st.binary(max_size=64))
@example(b"\x30\x80")
def test_what_is_taken_apart_is_all_there(encoded: bytes) -> None:
    try:
        found = elements(encoded)
    except ValueError:
        return
    assert b"".join(one.encoded for one in found) == encoded
    assert [element(one.tag, one.content) for one in found] == [
        one.encoded for one in found
    ]
