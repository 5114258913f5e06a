"""SM3, and the trees of a log."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.tlog import sm3 as module
from counterfoil.tlog.merkle import Frontier, leaf_hash
from counterfoil.tlog.sm3 import Sm3Unavailable, require_sm3, sm3
from counterfoil.tlog.trees import LogTree
from tests.unit.tlog.oracle import tree_hash, vectors


@pytest.mark.parametrize("vector", vectors("sm3.json")["hashes"])
def test_the_published_hashes(vector: dict[str, str]) -> None:
    assert sm3(vector["message"].encode()).digest().hex() == vector["hash"]


@given(st.binary(max_size=300))
def test_another_library_hashes_alike(content: bytes) -> None:
    hashed = sm3(content)

    assert hashed.digest() == hashlib.new("sm3", content).digest()
    # A state is not used up by being asked, nor by what is hashed after it.
    assert sm3(b"").digest() == hashlib.new("sm3", b"").digest()
    assert hashed.digest() == hashlib.new("sm3", content).digest()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 255, 256, 257])
def test_the_root_is_that_of_the_definition(count: int) -> None:
    leaves = [b"leaf %d" % index for index in range(count)]
    frontier = Frontier(hash_function=LogTree.SM3.hash_function)

    frontier.extend([leaf_hash(leaf, LogTree.SM3.hash_function) for leaf in leaves])

    hashes = [hashlib.new("sm3", b"\0" + leaf).digest() for leaf in leaves]
    assert frontier.root() == tree_hash(hashes, "sm3")


def test_each_tree_has_an_origin_of_its_own() -> None:
    assert LogTree.SHA256.origin("420000-011/log") == "420000-011/log"
    assert LogTree.SM3.origin("420000-011/log") == "420000-011/log-sm3"
    assert LogTree.SHA256.hash_function is hashlib.sha256


def test_a_library_without_sm3_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_algorithm: object) -> None:
        raise UnsupportedAlgorithm("no SM3 here")

    with monkeypatch.context() as patch:
        patch.setattr(module, "Hash", refuse)
        module._empty.cache_clear()
        for use in (require_sm3, lambda: sm3(b"")):
            with pytest.raises(Sm3Unavailable, match="PyPI"):
                use()
    require_sm3()
