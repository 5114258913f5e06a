"""What a late document rests on, byte for byte; and what a loss notice leaves good."""

from __future__ import annotations

import pytest

from counterfoil.domain.party import Identity, Use
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import CertificateLost
from counterfoil.domain.register_states import Voided
from counterfoil.domain.witnessing import EarlierProof

PROOF = EarlierProof(
    witness=2**40, index=7, leaf=b"a leaf", hashes=(b"h" * 32, b"i" * 32)
)
CARD = b"c" * 32
LOST_US = 1_000


def test_a_proof_is_kept_in_the_published_form() -> None:
    encoded = PROOF.to_bytes()

    head = b"\2" + (2**40).to_bytes(8, "big") + (7).to_bytes(8, "big") + b"\0\6\2"
    assert encoded == head + b"a leaf" + b"h" * 32 + b"i" * 32
    assert EarlierProof.from_bytes(encoded) == PROOF


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        PROOF.to_bytes()[:-1],
        PROOF.to_bytes() + b"\0",
        b"\1" + PROOF.to_bytes()[1:],
        PROOF.to_bytes()[:10],
    ],
)
def test_other_bytes_are_no_proof(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="earlier proof"):
        EarlierProof.from_bytes(wrong)


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
def test_what_existed_before_a_notice_is_good_and_nothing_else() -> None:
    holder = Identity(party="420000-011", use=Use.PERSON, name="li")
    voided = Voided(holder=holder, by="420000-011", is_loss=True, time_us=LOST_US)
    register = Register(home="420000-102", carriers={}, voided={CARD: voided})

    register.require_not_void([CARD], existed_us=LOST_US - 1)
    register.require_not_void([b"o" * 32])
    for existed_us in (None, LOST_US, LOST_US + 1):
        with pytest.raises(CertificateLost):
            register.require_not_void([CARD], existed_us=existed_us)
