"""Whatever is changed about sealed documents, nothing but a refusal comes of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import SealForged, SealMissing
from counterfoil.domain.seals import BatchPath, Seal
from counterfoil.seal.verify import Verified, judge_batch
from tests.unit.seal.makers import Pki, Signers

SIGNERS = Signers.new(Pki.new())
COURT = SIGNERS.court()
DOCUMENT = SIGNERS.document()

PATHS = st.builds(
    BatchPath,
    index=st.integers(0, 2**32 - 1),
    size=st.integers(0, 2**32 - 1),
    hashes=st.lists(st.binary(max_size=40), max_size=4).map(tuple),
)
JUNK = st.builds(
    Seal,
    statement=st.binary(max_size=200),
    signature=st.binary(max_size=80),
    batch=st.none() | PATHS,
)
SEALS = st.sampled_from(DOCUMENT.seals) | JUNK


@given(st.lists(SEALS, max_size=5))
def test_only_the_seals_that_were_made_hold(seals: list[Seal]) -> None:
    (outcome,) = judge_batch([replace(DOCUMENT, seals=tuple(seals))], COURT)

    if seals and tuple(seals) == DOCUMENT.seals[: len(seals)]:
        assert isinstance(outcome, Verified)
    else:
        assert isinstance(outcome, SealForged | SealMissing)


@given(st.integers(0, 2), st.data())
def test_no_byte_of_a_statement_can_change(place: int, data: st.DataObject) -> None:
    seal = DOCUMENT.seals[place]
    at = data.draw(st.integers(0, len(seal.statement) - 1))
    changed = bytearray(seal.statement)
    changed[at] ^= data.draw(st.integers(1, 255))
    seals = list(DOCUMENT.seals)
    seals[place] = replace(seal, statement=bytes(changed))

    (outcome,) = judge_batch([replace(DOCUMENT, seals=tuple(seals))], COURT)

    assert isinstance(outcome, SealForged)


@pytest.mark.refusal("SEAL_FORGED")
@given(st.sampled_from(DocumentKind), st.binary(min_size=32, max_size=32))
def test_seals_hold_for_their_own_document_only(
    kind: DocumentKind, digest: bytes
) -> None:
    changed = replace(DOCUMENT, kind=kind, payload_digest=digest)

    (outcome,) = judge_batch([changed], COURT)

    assert isinstance(outcome, SealForged)
