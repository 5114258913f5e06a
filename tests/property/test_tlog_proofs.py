"""Proofs of arbitrary trees, against the recursive definition."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.tlog.errors import ProofError
from counterfoil.tlog.merkle import SIZE_MAX, Frontier, TreeHead
from counterfoil.tlog.proofs import consistency_proof, inclusion_proof, range_proof
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
    tree_hash,
)

LEAVES = leaves_of(150)
SIZES = st.integers(1, 150)
HASHES = st.binary(min_size=32, max_size=32)
PROOFS = st.lists(HASHES, max_size=70)
COUNTS = st.integers(-2, SIZE_MAX + 2)


@st.composite
def ranges(draw: Callable[..., int]) -> tuple[int, int, int]:
    """First leaf, end and size of a range in a tree."""
    size = draw(SIZES)
    first = draw(st.integers(0, size - 1))
    return first, draw(st.integers(first + 1, size)), size


@given(ranges())
def test_every_range_verifies_and_gives_each_leafs_own_proof(
    bounds: tuple[int, int, int],
) -> None:
    first, end, size = bounds
    leaves = LEAVES[:size]
    head = head_of(leaves)

    proof = range_proof(first, end - first, size, Nodes(leaves))
    verified = verify_range(first, leaves[first:end], head, proof)

    assert list(proof) == outside_hashes(first, end, leaves)
    assert len(proof) <= 2 * size.bit_length()
    for index in range(first, end):
        single = verified.inclusion_proof(index)
        assert list(single) == inclusion_path(index, leaves)
        verify_inclusion(index, leaves[index], head, single)


@given(ranges(), st.data())
def test_a_range_with_any_one_hash_changed_is_refused(
    bounds: tuple[int, int, int], data: st.DataObject
) -> None:
    first, end, size = bounds
    leaves = LEAVES[:size]
    proof = outside_hashes(first, end, leaves)
    given_hashes = [*leaves[first:end], *proof]
    at = data.draw(st.integers(0, len(given_hashes) - 1))
    bit = data.draw(st.integers(0, 255))

    value = int.from_bytes(given_hashes[at], "big") ^ 1 << bit
    given_hashes[at] = value.to_bytes(32, "big")

    count = end - first
    with pytest.raises(ProofError):
        verify_range(first, given_hashes[:count], head_of(leaves), given_hashes[count:])


@given(ranges(), ranges())
def test_a_range_proof_holds_for_no_other_range(
    bounds: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    first, end, size = bounds
    leaves = LEAVES[:size]
    proof = outside_hashes(first, end, leaves)
    claimed_first, claimed_end, _ = other
    claimed = LEAVES[claimed_first:claimed_end]

    if (claimed_first, claimed_end) == (first, end):
        verify_range(first, claimed, head_of(leaves), proof)
    else:
        with pytest.raises(ProofError):
            verify_range(claimed_first, claimed, head_of(leaves), proof)


@given(SIZES, st.data())
def test_every_leaf_of_every_tree_has_its_path(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves = LEAVES[:size]

    proof = inclusion_proof(index, size, Nodes(leaves))

    assert list(proof) == inclusion_path(index, leaves)
    verify_inclusion(index, leaves[index], head_of(leaves), proof)


@given(SIZES, st.data())
def test_growth_between_any_sizes_verifies_and_a_fork_between_them_does_not(
    size: int, data: st.DataObject
) -> None:
    old_size = data.draw(st.integers(1, size))
    forked_at = data.draw(st.integers(0, old_size - 1))
    leaves = LEAVES[:size]
    fork = [*leaves[:forked_at], bytes(32), *leaves[forked_at + 1 :]]

    proof = consistency_proof(old_size, size, Nodes(leaves))

    assert list(proof) == consistency_path(old_size, leaves)
    verify_consistency(head_of(leaves[:old_size]), head_of(leaves), proof)
    for one, two, shown in (
        (fork, leaves, proof),
        (leaves, fork, proof),
        (leaves, fork, consistency_path(old_size, fork)),
    ):
        with pytest.raises(ProofError):
            verify_consistency(head_of(one[:old_size]), head_of(two), shown)


@given(COUNTS, COUNTS, HASHES, HASHES, PROOFS)
def test_nothing_made_up_is_consistent(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: list[bytes]
) -> None:
    if (old_size, old_root) == (size, root):
        return

    with pytest.raises(ProofError):
        verify_consistency(TreeHead(old_size, old_root), TreeHead(size, root), proof)


@given(COUNTS, COUNTS, HASHES, HASHES, PROOFS)
def test_nothing_made_up_is_included(
    index: int, size: int, leaf: bytes, root: bytes, proof: list[bytes]
) -> None:
    if leaf == root:
        return

    with pytest.raises(ProofError):
        verify_inclusion(index, leaf, TreeHead(size, root), proof)
    with pytest.raises(ProofError):
        verify_range(index, [leaf], TreeHead(size, root), proof)


@given(st.lists(HASHES, max_size=60))
def test_the_frontier_has_the_root_of_the_definition(leaves: list[bytes]) -> None:
    frontier = Frontier()

    for leaf in leaves:
        frontier.append(leaf)

    assert frontier.root() == tree_hash(leaves)
    assert Frontier.from_bytes(frontier.to_bytes()).to_bytes() == frontier.to_bytes()
    assert len(frontier.to_bytes()) == 8 + 32 * len(leaves).bit_count()


@given(st.binary(max_size=200))
def test_bytes_are_a_frontier_or_refused(encoded: bytes) -> None:
    try:
        frontier = Frontier.from_bytes(encoded)
    except ValueError:
        return

    assert frontier.to_bytes() == encoded
