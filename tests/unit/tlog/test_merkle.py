"""The tree's hashes and the frontier."""

from __future__ import annotations

import hashlib
from functools import partial

import pytest

from counterfoil.tlog.merkle import (
    SIZE_MAX,
    Frontier,
    TreeHead,
    empty_head,
    empty_root,
    fold_peaks,
    leaf_hash,
    node_hash,
)
from tests.unit.tlog.oracle import leaves_of, tree_hash, vectors

TREE = vectors("tlog_tree.json")
SM3 = partial(hashlib.new, "sm3")


def frontier_of(count: int) -> Frontier:
    frontier = Frontier()
    for leaf in leaves_of(count):
        frontier.append(leaf)
    return frontier


def test_single_hashes_are_the_published_ones() -> None:
    published = TREE["hashes"]

    assert empty_root().hex() == published["empty_root"]
    assert leaf_hash(b"").hex() == published["empty_leaf"]
    assert leaf_hash(b"L123456").hex() == published["leaf_L123456"]
    assert node_hash(b"N123", b"N456").hex() == published["node_N123_N456"]


def test_the_published_leaves_give_the_published_roots_at_every_size() -> None:
    frontier = Frontier()
    roots = [frontier.root().hex()]

    for leaf in TREE["leaves"]:
        frontier.append(leaf_hash(bytes.fromhex(leaf)))
        roots.append(frontier.root().hex())

    assert roots == TREE["roots"]
    assert len(roots) == 9


def test_appending_names_each_subtree_it_completes_by_its_height() -> None:
    frontier = Frontier()
    levels: list[list[str]] = [[], [], [], []]

    for leaf in TREE["leaves"]:
        for height, node in enumerate(frontier.append(leaf_hash(bytes.fromhex(leaf)))):
            levels[height].append(node.hex())

    assert levels == TREE["nodes"]


@pytest.mark.parametrize("first", range(9))
def test_many_leaves_at_once_complete_what_they_complete_one_by_one(first: int) -> None:
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in TREE["leaves"]]
    frontier = Frontier()

    parts = [frontier.extend(hashes[:first]), frontier.extend(hashes[first:])]

    levels = [
        [node.hex() for part in parts for nodes in part[height:][:1] for node in nodes]
        for height in range(4)
    ]
    assert levels == TREE["nodes"]
    assert frontier.root().hex() == TREE["roots"][-1]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 300])
def test_the_root_is_that_of_the_recursive_definition(count: int) -> None:
    frontier = frontier_of(count)

    assert frontier.head() == TreeHead(count, tree_hash(leaves_of(count)))


def test_a_leaf_cannot_be_passed_off_as_a_node() -> None:
    left, right = leaves_of(2)

    assert leaf_hash(left + right) != node_hash(left, right)


def test_the_order_of_two_nodes_counts() -> None:
    left, right = leaves_of(2)

    assert node_hash(left, right) != node_hash(right, left)


def test_the_hash_function_is_a_parameter_of_the_whole_tree() -> None:
    leaves = [leaf_hash(bytes([index]), SM3) for index in range(5)]
    frontier = Frontier(hash_function=SM3)

    for leaf in leaves:
        frontier.append(leaf)

    assert leaves[0] == hashlib.new("sm3", b"\0\0").digest()
    assert frontier.root() == tree_hash(leaves, "sm3")
    assert frontier.copy().root() == frontier.root()
    assert empty_root(SM3) == hashlib.new("sm3", b"").digest()
    assert empty_head(SM3) == Frontier(hash_function=SM3).head()


def test_a_copy_grows_on_its_own() -> None:
    frontier = frontier_of(3)
    before = frontier.to_bytes()

    copy = frontier.copy()
    copy.append(leaves_of(4)[3])

    assert frontier.to_bytes() == before
    assert copy.head() == frontier_of(4).head()


def test_the_peaks_given_out_are_no_handle_to_the_frontier() -> None:
    frontier = frontier_of(5)

    frontier.peaks.__add__((b"",))

    assert isinstance(frontier.peaks, tuple)
    assert frontier.head() == frontier_of(5).head()


@pytest.mark.parametrize("count", [0, 1, 2, 5, 100, 255, 256])
def test_a_stored_frontier_goes_on_as_if_never_stored(count: int) -> None:
    frontier = frontier_of(count)

    stored = Frontier.from_bytes(frontier.to_bytes())
    next_leaf = leaves_of(count + 1)[count]

    assert stored.append(next_leaf) == frontier.append(next_leaf)
    assert stored.head() == frontier.head()


def test_the_stored_form_is_the_size_and_the_peaks_largest_first() -> None:
    leaves = leaves_of(6)

    encoded = frontier_of(6).to_bytes()

    assert encoded == (
        bytes.fromhex("0000000000000006")
        + tree_hash(leaves[:4])
        + tree_hash(leaves[4:])
    )


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"\0\0\0\0\0\0\0",
        b"\0\0\0\0\0\0\0\1",
        b"\0\0\0\0\0\0\0\1" + b"x" * 31,
        b"\0\0\0\0\0\0\0\1" + b"x" * 33,
        b"\0\0\0\0\0\0\0\1" + b"x" * 64,
        b"\0\0\0\0\0\0\0\3" + b"x" * 32,
        b"\x80\0\0\0\0\0\0\0" + b"x" * 32,
    ],
)
def test_bytes_that_are_no_frontier_are_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"frontier|peaks|range"):
        Frontier.from_bytes(damaged)


@pytest.mark.parametrize("size", [-1, SIZE_MAX + 1])
def test_a_frontier_of_an_impossible_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Frontier(size, [b"x" * 32])


def test_a_frontier_with_a_short_peak_is_refused() -> None:
    with pytest.raises(ValueError, match="not a hash"):
        Frontier(1, [b"x" * 31])


def test_no_peaks_fold_to_the_empty_root() -> None:
    assert fold_peaks(()) == empty_root()
