"""Whatever comes as a responder's answer, nothing but a refusal comes of it."""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest
from cryptography import x509
from hypothesis import example, given, settings
from hypothesis import strategies as st

from counterfoil.devca.certificates import AuthorityAlgorithm, make_crl
from counterfoil.domain.party import Use
from counterfoil.seal.certificates import RevocationUnknown
from counterfoil.seal.ocsp import RevocationAnswers
from counterfoil.seal.ocsp_reading import load_answer
from counterfoil.seal.trust import TrustStore
from counterfoil.sm2.der import elements, inside
from tests.property.test_seal_certificates import changed, reshaped
from tests.responders import answer_of, delegate_of
from tests.unit.seal.makers import CURRENT, IN_FORCE, NOW_US, Pki, der

EXAMPLES: Final = 200
KINDS: Final = ["p256", pytest.param("sm2", marks=pytest.mark.tools)]
SEALS: Final = frozenset({Use.INSTITUTION})

pytestmark = pytest.mark.filterwarnings(
    "ignore::cryptography.utils.CryptographyDeprecationWarning"
)


@cache
def made(kind: AuthorityAlgorithm) -> tuple[TrustStore, bytes, bytes]:
    """Return a store without the authority's list, a seal's certificate, an answer."""
    pki = Pki.new(algorithm=kind)
    seal = pki.sealer().certificate
    answer = answer_of(
        pki.authority,
        x509.load_der_x509_certificate(seal),
        CURRENT,
        signer=delegate_of(pki.authority, IN_FORCE),
    )
    of_root = der(make_crl(pki.root, CURRENT, {}))
    return TrustStore(pki.material(crls=(of_root,))), seal, answer


def signed_part(answer: bytes) -> bytes:
    """Return what is signed in an answer."""
    _, answered = elements(inside(answer))
    _, octets = elements(inside(inside(answered.encoded, 0xA0)))
    return elements(inside(inside(octets.encoded, 0x04)))[0].encoded


def counts(kind: AuthorityAlgorithm, answer: bytes) -> bool:
    store, seal, _ = made(kind)
    # Another store each time would only take time: nothing is remembered of what
    # could not be determined, and what holds is asserted of the same bytes only.
    brought = RevocationAnswers([answer], at_us=NOW_US)
    try:
        store.vet(seal, uses=SEALS, at_us=NOW_US, answers=brought)
    except RevocationUnknown:
        return False
    store._vetted.clear()
    return True


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_a_changed_answer_counts_only_if_what_was_signed_is_the_same(
    kind: AuthorityAlgorithm, data: st.DataObject
) -> None:
    answer = made(kind)[2]
    other = data.draw(changed(answer) | reshaped(answer))

    assert counts(kind, answer)
    if counts(kind, other):
        assert signed_part(other) == signed_part(answer)


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=200))
@example(b"")
@example(b"\x30\x03\x0a\x01\x00")
@example(b"\x30\x80\x00\x00")
def test_bytes_are_no_answer(noise: bytes) -> None:
    with pytest.raises(ValueError, match="answer"):
        load_answer(noise)
    assert not counts("p256", noise)
