"""Proofs are made as the RFC defines them, for every small tree."""

from __future__ import annotations

import hashlib
from functools import partial

import pytest

from counterfoil.tlog.merkle import SIZE_MAX, Frontier
from counterfoil.tlog.proofs import (
    consistency_proof,
    inclusion_proof,
    range_proof,
    subtree_hash,
)
from tests.unit.tlog.oracle import (
    Nodes,
    consistency_path,
    inclusion_path,
    leaves_of,
    outside_hashes,
    tree_hash,
)

LEAVES = leaves_of(20)
SIZES = range(1, 21)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_are_the_paths_of_the_definition(size: int) -> None:
    leaves = LEAVES[:size]

    for index in range(size):
        proof = inclusion_proof(index, size, Nodes(leaves))

        assert list(proof) == inclusion_path(index, leaves)


@pytest.mark.parametrize("size", SIZES)
def test_consistency_proofs_are_the_paths_of_the_definition(size: int) -> None:
    leaves = LEAVES[:size]

    for old_size in range(1, size + 1):
        proof = consistency_proof(old_size, size, Nodes(leaves))

        assert list(proof) == consistency_path(old_size, leaves)


@pytest.mark.parametrize("size", SIZES)
def test_range_proofs_are_the_largest_subtrees_beside_the_range(size: int) -> None:
    leaves = LEAVES[:size]

    for first in range(size):
        for end in range(first + 1, size + 1):
            proof = range_proof(first, end - first, size, Nodes(leaves))

            assert list(proof) == outside_hashes(first, end, leaves)


def test_an_old_tree_is_proved_from_a_larger_store() -> None:
    store = Nodes(LEAVES)

    assert list(inclusion_proof(3, 7, store)) == inclusion_path(3, LEAVES[:7])
    assert list(consistency_proof(3, 7, store)) == consistency_path(3, LEAVES[:7])


def test_the_empty_tree_needs_no_proof() -> None:
    assert consistency_proof(0, 5, Nodes(LEAVES)) == ()
    assert consistency_proof(0, 0, Nodes(LEAVES)) == ()


def test_the_proof_of_leaves_just_appended_is_the_frontier_before_them() -> None:
    frontier = Frontier()
    for leaf in LEAVES[:13]:
        frontier.append(leaf)

    proof = range_proof(13, 7, 20, Nodes(LEAVES))

    assert proof == frontier.peaks


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (0, 1), (0, 7), (0, 20), (8, 16), (8, 13), (16, 20)]
)
def test_an_aligned_range_has_the_hash_of_its_leaves(start: int, end: int) -> None:
    assert subtree_hash(start, end, Nodes(LEAVES)) == tree_hash(LEAVES[start:end])


@pytest.mark.parametrize(("start", "end"), [(1, 3), (8, 17), (4, 9), (5, 4), (-4, 4)])
def test_a_range_that_stands_under_no_node_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no such part"):
        subtree_hash(start, end, Nodes(LEAVES))


@pytest.mark.parametrize(
    ("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, SIZE_MAX + 1)]
)
def test_there_is_no_proof_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such part"):
        inclusion_proof(index, size, Nodes(LEAVES))


@pytest.mark.parametrize(
    ("first", "count", "size"),
    [(-1, 2, 5), (0, 0, 5), (0, -1, 5), (3, 3, 5), (5, 1, 5), (0, 1, SIZE_MAX + 1)],
)
def test_there_is_no_proof_of_a_range_outside_the_tree(
    first: int, count: int, size: int
) -> None:
    with pytest.raises(ValueError, match="no such part"):
        range_proof(first, count, size, Nodes(LEAVES))


@pytest.mark.parametrize(
    ("old_size", "size"), [(-1, 5), (6, 5), (0, SIZE_MAX + 1), (1, -1)]
)
def test_there_is_no_proof_of_a_tree_that_shrinks(old_size: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such part"):
        consistency_proof(old_size, size, Nodes(LEAVES))


def test_nodes_cut_by_the_edge_use_the_trees_own_hash_function() -> None:
    sm3 = partial(hashlib.new, "sm3")
    leaves = LEAVES[:7]

    def read_node(height: int, index: int) -> bytes:
        return tree_hash(leaves[index << height : (index + 1) << height], "sm3")

    proof = inclusion_proof(0, 7, read_node, sm3)

    assert proof[-1] == tree_hash(leaves[4:], "sm3")
