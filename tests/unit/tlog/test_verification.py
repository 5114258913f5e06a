"""Verifiers accept the true claim and refuse every neighbour of it."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from counterfoil.tlog.errors import HeadFork, ProofError
from counterfoil.tlog.merkle import SIZE_MAX, TreeHead, empty_head
from counterfoil.tlog.verification import (
    verify_consistency,
    verify_inclusion,
    verify_range,
)
from tests.unit.tlog.oracle import (
    consistency_path,
    head_of,
    inclusion_path,
    leaves_of,
    outside_hashes,
    tree_hash,
    vectors,
)

PUBLISHED = vectors("tlog_merkle_proofs.json")
# Accepted there though its roots are not hashes; ours take nothing but hashes.
NOT_OF_HASHES = "additional/sizes-are-equal-one-and-proof-is-empty.json"
LEAVES = leaves_of(13)
HEAD = head_of(LEAVES)
OTHER = leaves_of(1, salt=1)[0]


def name_of(vector: dict[str, Any]) -> str:
    return str(vector["file"])


def hashes_of(vector: dict[str, Any]) -> list[bytes]:
    return [b64decode(value) for value in vector["proof"]]


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def test_the_published_vectors_are_all_there() -> None:
    assert len(PUBLISHED["inclusion"]) == 98
    assert len(PUBLISHED["consistency"]) == 98
    accepted = [
        vector
        for kind in ("inclusion", "consistency")
        for vector in PUBLISHED[kind]
        if not vector["wantErr"]
    ]
    assert len(accepted) == 12


@pytest.mark.parametrize("vector", PUBLISHED["inclusion"], ids=name_of)
def test_inclusion_is_judged_as_published(vector: dict[str, Any]) -> None:
    claim = (
        vector["leafIdx"],
        b64decode(vector["leafHash"]),
        TreeHead(vector["treeSize"], b64decode(vector["root"])),
        hashes_of(vector),
    )

    if vector["wantErr"]:
        with pytest.raises(ProofError):
            verify_inclusion(*claim)
    else:
        verify_inclusion(*claim)


@pytest.mark.parametrize("vector", PUBLISHED["inclusion"], ids=name_of)
def test_a_range_of_one_leaf_is_judged_as_its_inclusion(vector: dict[str, Any]) -> None:
    index, proof = vector["leafIdx"], hashes_of(vector)
    # The same hashes, those of the left before those of the right.
    left: list[bytes] = []
    right: list[bytes] = []
    last, rest = vector["treeSize"] - 1, index
    for value in proof:
        while last > 0 and rest & 1 == 0 and rest == last:
            rest, last = rest >> 1, last >> 1
        (left if rest & 1 else right).append(value)
        rest, last = rest >> 1, last >> 1
    head = TreeHead(vector["treeSize"], b64decode(vector["root"]))
    claim = (index, [b64decode(vector["leafHash"])], head, left[::-1] + right)

    if vector["wantErr"]:
        with pytest.raises(ProofError):
            verify_range(*claim)
    else:
        assert verify_range(*claim).inclusion_proof(index) == tuple(proof)


@pytest.mark.parametrize("vector", PUBLISHED["consistency"], ids=name_of)
def test_consistency_is_judged_as_published(vector: dict[str, Any]) -> None:
    old = TreeHead(vector["size1"], b64decode(vector["root1"]))
    new = TreeHead(vector["size2"], b64decode(vector["root2"]))

    if vector["wantErr"] or vector["file"] == NOT_OF_HASHES:
        with pytest.raises(ProofError):
            verify_consistency(old, new, hashes_of(vector))
    else:
        verify_consistency(old, new, hashes_of(vector))


# --- inclusion ---------------------------------------------------------------


@pytest.mark.parametrize("index", range(13))
def test_a_tampered_sibling_is_refused_at_every_height(index: int) -> None:
    proof = inclusion_path(index, LEAVES)
    verify_inclusion(index, LEAVES[index], HEAD, proof)

    for at, value in enumerate(proof):
        tampered = [*proof[:at], flipped(value), *proof[at + 1 :]]
        with pytest.raises(ProofError, match="another root"):
            verify_inclusion(index, LEAVES[index], HEAD, tampered)


@pytest.mark.parametrize("index", range(13))
def test_a_proof_holds_for_its_own_index_only(index: int) -> None:
    proof = inclusion_path(index, LEAVES)

    for other in set(range(-1, 14)) - {index}:
        with pytest.raises(ProofError):
            verify_inclusion(other, LEAVES[index], HEAD, proof)


def test_two_leaves_cannot_change_places() -> None:
    swapped = [LEAVES[1], LEAVES[0], *LEAVES[2:]]

    with pytest.raises(ProofError, match="another root"):
        verify_inclusion(0, LEAVES[1], HEAD, inclusion_path(0, swapped))


def test_another_leaf_is_refused() -> None:
    with pytest.raises(ProofError, match="another root"):
        verify_inclusion(4, OTHER, HEAD, inclusion_path(4, LEAVES))


@pytest.mark.parametrize("index", [0, 5, 12])
def test_an_inclusion_proof_has_exactly_its_length(index: int) -> None:
    proof = inclusion_path(index, LEAVES)

    with pytest.raises(ProofError, match="too short"):
        verify_inclusion(index, LEAVES[index], HEAD, proof[:-1])
    with pytest.raises(ProofError, match="too long"):
        verify_inclusion(index, LEAVES[index], HEAD, [*proof, HEAD.root])


def test_a_hash_of_another_length_is_refused() -> None:
    proof = inclusion_path(4, LEAVES)

    with pytest.raises(ProofError, match="not a hash"):
        verify_inclusion(4, LEAVES[4], HEAD, [proof[0] + b"\0", *proof[1:]])
    with pytest.raises(ProofError, match="not a hash"):
        verify_inclusion(4, LEAVES[4][:-1], HEAD, proof)
    with pytest.raises(ProofError, match="not a hash"):
        verify_inclusion(4, LEAVES[4], TreeHead(13, HEAD.root[:-1]), proof)


@pytest.mark.parametrize("size", [-1, 0, 4, 8, 17, 26, SIZE_MAX + 1, 2**64])
def test_a_proof_for_another_size_is_refused(size: int) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(
            4, LEAVES[4], TreeHead(size, HEAD.root), inclusion_path(4, LEAVES)
        )


def test_a_size_for_which_the_way_up_is_the_same_is_told_apart_by_signature_only() -> (
    None
):
    # Known and harmless: the size is signed with the root, and a head of size 14
    # with this root is never signed.
    verify_inclusion(4, LEAVES[4], TreeHead(14, HEAD.root), inclusion_path(4, LEAVES))


def test_the_largest_tree_has_proofs_of_sixty_three_hashes() -> None:
    with pytest.raises(ProofError, match="too short"):
        verify_inclusion(0, OTHER, TreeHead(SIZE_MAX, OTHER), [OTHER] * 62)
    with pytest.raises(ProofError, match="another root"):
        verify_inclusion(0, OTHER, TreeHead(SIZE_MAX, OTHER), [OTHER] * 63)


# --- range -------------------------------------------------------------------

FIRST, END = 3, 9
RANGE_PROOF = outside_hashes(FIRST, END, LEAVES)


def test_every_leaf_of_a_verified_range_has_a_proof_of_its_own() -> None:
    verified = verify_range(FIRST, LEAVES[FIRST:END], HEAD, RANGE_PROOF)

    for index in range(FIRST, END):
        proof = verified.inclusion_proof(index)
        assert list(proof) == inclusion_path(index, LEAVES)
        verify_inclusion(index, LEAVES[index], HEAD, proof)


@pytest.mark.parametrize("index", [-1, FIRST - 1, END, 12])
def test_a_verified_range_proves_no_leaf_outside_it(index: int) -> None:
    verified = verify_range(FIRST, LEAVES[FIRST:END], HEAD, RANGE_PROOF)

    with pytest.raises(ValueError, match="not in the range"):
        verified.inclusion_proof(index)


def test_a_verified_range_states_its_bounds() -> None:
    verified = verify_range(FIRST, LEAVES[FIRST:END], HEAD, RANGE_PROOF)

    assert (verified.first, verified.count, verified.size) == (FIRST, 6, 13)


@pytest.mark.parametrize("at", range(FIRST, END))
def test_a_tampered_leaf_in_a_range_is_refused(at: int) -> None:
    leaves = list(LEAVES)
    leaves[at] = flipped(leaves[at])

    with pytest.raises(ProofError, match="another root"):
        verify_range(FIRST, leaves[FIRST:END], HEAD, RANGE_PROOF)


@pytest.mark.parametrize("at", range(len(RANGE_PROOF)))
def test_a_tampered_hash_beside_a_range_is_refused(at: int) -> None:
    proof = list(RANGE_PROOF)
    proof[at] = flipped(proof[at])

    with pytest.raises(ProofError, match="another root"):
        verify_range(FIRST, LEAVES[FIRST:END], HEAD, proof)


@pytest.mark.parametrize(
    ("first", "end"), [(2, 8), (4, 10), (3, 8), (3, 10), (2, 9), (4, 9), (0, 13)]
)
def test_a_range_proof_holds_for_its_own_bounds_only(first: int, end: int) -> None:
    with pytest.raises(ProofError):
        verify_range(first, LEAVES[first:end], HEAD, RANGE_PROOF)


@pytest.mark.parametrize("shift", [-3, -2, -1, 1, 2, 3])
def test_the_leaves_of_a_range_cannot_be_moved(shift: int) -> None:
    with pytest.raises(ProofError):
        verify_range(FIRST + shift, LEAVES[FIRST:END], HEAD, RANGE_PROOF)


def test_leaves_within_a_range_cannot_change_places() -> None:
    leaves = LEAVES[FIRST:END]
    leaves[1], leaves[2] = leaves[2], leaves[1]

    with pytest.raises(ProofError, match="another root"):
        verify_range(FIRST, leaves, HEAD, RANGE_PROOF)


def test_hashes_beside_a_range_cannot_change_sides() -> None:
    with pytest.raises(ProofError, match="another root"):
        verify_range(FIRST, LEAVES[FIRST:END], HEAD, RANGE_PROOF[::-1])


def test_a_range_proof_has_exactly_its_length() -> None:
    for short in (RANGE_PROOF[:-1], RANGE_PROOF[:1], []):
        with pytest.raises(ProofError, match="too short"):
            verify_range(FIRST, LEAVES[FIRST:END], HEAD, short)
    with pytest.raises(ProofError, match="too long"):
        verify_range(FIRST, LEAVES[FIRST:END], HEAD, [*RANGE_PROOF, OTHER])


@pytest.mark.parametrize(
    ("first", "count", "size"),
    [
        (0, 0, 13),
        (-1, 2, 13),
        (12, 2, 13),
        (13, 1, 13),
        (0, 1, 0),
        (0, 1, SIZE_MAX + 1),
    ],
)
def test_a_range_outside_the_tree_is_refused(first: int, count: int, size: int) -> None:
    with pytest.raises(ProofError, match="no such range"):
        verify_range(first, LEAVES[:count], TreeHead(size, HEAD.root), [])


def test_a_range_of_values_that_are_no_hashes_is_refused() -> None:
    leaves = [LEAVES[FIRST] + b"\0", *LEAVES[FIRST + 1 : END]]

    with pytest.raises(ProofError, match="not a hash"):
        verify_range(FIRST, leaves, HEAD, RANGE_PROOF)
    with pytest.raises(ProofError, match="not a hash"):
        verify_range(FIRST, LEAVES[FIRST:END], HEAD, [b"", *RANGE_PROOF[1:]])


def test_the_whole_tree_is_a_range_without_hashes_beside_it() -> None:
    verified = verify_range(0, LEAVES, HEAD, [])

    assert list(verified.inclusion_proof(12)) == inclusion_path(12, LEAVES)


def test_verifying_leaves_the_arguments_as_they_were() -> None:
    leaves, proof = LEAVES[FIRST:END], list(RANGE_PROOF)

    verify_range(FIRST, leaves, HEAD, proof)

    assert leaves == LEAVES[FIRST:END]
    assert proof == RANGE_PROOF


# --- consistency -------------------------------------------------------------


@pytest.mark.parametrize("old_size", range(1, 13))
def test_growth_is_accepted_and_a_fork_is_refused(old_size: int) -> None:
    proof = consistency_path(old_size, LEAVES)
    old = head_of(LEAVES[:old_size])
    forked = head_of([*LEAVES[: old_size - 1], OTHER])

    verify_consistency(old, HEAD, proof)
    with pytest.raises(ProofError):
        verify_consistency(forked, HEAD, proof)


@pytest.mark.parametrize("old_size", range(1, 13))
def test_a_proof_made_by_the_fork_does_not_lead_to_the_honest_head(
    old_size: int,
) -> None:
    fork = [*LEAVES[: old_size - 1], OTHER, *LEAVES[old_size:]]
    proof = consistency_path(old_size, fork)

    with pytest.raises(ProofError):
        verify_consistency(head_of(LEAVES[:old_size]), head_of(fork), proof)
    with pytest.raises(ProofError):
        verify_consistency(head_of(fork[:old_size]), HEAD, proof)


@pytest.mark.parametrize("old_size", range(1, 13))
def test_every_hash_of_a_consistency_proof_counts(old_size: int) -> None:
    proof, old = consistency_path(old_size, LEAVES), head_of(LEAVES[:old_size])

    for at, value in enumerate(proof):
        with pytest.raises(ProofError, match="another"):
            verify_consistency(
                old, HEAD, [*proof[:at], flipped(value), *proof[at + 1 :]]
            )


@pytest.mark.parametrize("old_size", range(1, 13))
def test_a_consistency_proof_has_exactly_its_length(old_size: int) -> None:
    proof, old = consistency_path(old_size, LEAVES), head_of(LEAVES[:old_size])

    for length in range(len(proof)):
        with pytest.raises(ProofError, match="too short"):
            verify_consistency(old, HEAD, proof[:length])
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(old, HEAD, [*proof, OTHER])


def test_the_new_root_is_compared_too() -> None:
    proof, old = consistency_path(8, LEAVES), head_of(LEAVES[:8])

    with pytest.raises(ProofError, match="leads to another root"):
        verify_consistency(old, TreeHead(13, OTHER), proof)


@pytest.mark.parametrize(("old_size", "size"), [(7, 13), (9, 13), (8, 7), (8, 40)])
def test_a_proof_between_other_sizes_is_refused(old_size: int, size: int) -> None:
    proof = consistency_path(8, LEAVES)

    with pytest.raises(ProofError):
        verify_consistency(
            TreeHead(old_size, tree_hash(LEAVES[:8])), TreeHead(size, HEAD.root), proof
        )


def test_every_tree_begins_with_the_empty_one() -> None:
    verify_consistency(empty_head(), HEAD, [])
    verify_consistency(empty_head(), empty_head(), [])

    with pytest.raises(ProofError, match="not that of an empty tree"):
        verify_consistency(TreeHead(0, OTHER), HEAD, [])
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(empty_head(), HEAD, [OTHER])


def test_two_roots_for_one_size_are_a_fork_by_name() -> None:
    verify_consistency(HEAD, HEAD, [])

    with pytest.raises(HeadFork):
        verify_consistency(TreeHead(13, OTHER), HEAD, [])
    with pytest.raises(ProofError, match="too long"):
        verify_consistency(HEAD, HEAD, [OTHER])


@pytest.mark.parametrize(("old_size", "size"), [(-1, 13), (14, 13), (1, SIZE_MAX + 1)])
def test_sizes_out_of_order_are_refused(old_size: int, size: int) -> None:
    with pytest.raises(ProofError, match="not in order"):
        verify_consistency(TreeHead(old_size, HEAD.root), TreeHead(size, HEAD.root), [])
