"""Proofs of an SM3 tree, against the recursive definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.tlog.errors import ProofError
from counterfoil.tlog.proofs import consistency_proof, inclusion_proof, range_proof
from counterfoil.tlog.sm3 import sm3
from counterfoil.tlog.verification import (
    verify_consistency,
    verify_inclusion,
    verify_range,
)
from tests.unit.tlog.oracle import (
    Nodes,
    consistency_path,
    head_of,
    inclusion_path,
    leaves_of,
    outside_hashes,
)

LEAVES = leaves_of(150)
SIZES = st.integers(2, 150)


@given(SIZES, st.data())
def test_a_leaf_is_proved_by_sm3_and_not_by_sha_256(
    size: int, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]
    head = head_of(leaves, "sm3")

    proof = inclusion_proof(index, size, Nodes(leaves, "sm3"), sm3)

    assert list(proof) == inclusion_path(index, leaves, "sm3")
    verify_inclusion(index, leaves[index], head, proof, sm3)
    with pytest.raises(ProofError):
        verify_inclusion(index, leaves[index], head, proof)
    with pytest.raises(ProofError):
        verify_inclusion(index, leaves[index], head_of(leaves), proof, sm3)


@given(SIZES, st.data())
def test_a_range_is_proved_by_sm3(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size - 1))
    count = data.draw(st.integers(1, size - first))
    leaves, new = LEAVES[:size], LEAVES[first : first + count]

    proof = range_proof(first, count, size, Nodes(leaves, "sm3"), sm3)

    assert list(proof) == outside_hashes(first, first + count, leaves, "sm3")
    verified = verify_range(first, new, head_of(leaves, "sm3"), proof, sm3)
    assert list(verified.inclusion_proof(first)) == inclusion_path(first, leaves, "sm3")


@given(st.integers(3, 150), st.data())
def test_growth_is_proved_by_sm3_and_a_fork_is_not(
    size: int, data: st.DataObject
) -> None:
    old_size = data.draw(st.integers(2, size - 1))
    leaves = LEAVES[:size]
    older, newer = head_of(leaves[:old_size], "sm3"), head_of(leaves, "sm3")
    fork = head_of([bytes(32), *leaves[1:old_size]], "sm3")

    proof = consistency_proof(old_size, size, Nodes(leaves, "sm3"), sm3)

    assert list(proof) == consistency_path(old_size, leaves, "sm3")
    verify_consistency(older, newer, proof, sm3)
    for claim in ((fork, newer), (head_of(leaves[:old_size]), newer)):
        with pytest.raises(ProofError):
            verify_consistency(*claim, proof, sm3)
