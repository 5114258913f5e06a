"""Checks that only a damaged or misused vault ever meets."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import cast

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Arrive, Enter
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import HeadForked, NotInState, VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.trees import LogTree
from counterfoil.vault import judging, reading
from counterfoil.vault.engine import Reading
from counterfoil.vault.heads import FileHeads, MemoryHeads
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.records import LogRow
from counterfoil.vault.signing import HeadSigner
from counterfoil.vault.transaction import Transaction
from tests.contract.vaults import (
    BANK,
    FINANCE,
    ORIGIN,
    Bench,
    open_vault,
    sign,
    voucher,
)

DELIVERED = Leaf(
    act=Act.DELIVER,
    kind=DocumentKind.VOUCHER,
    time_us=1,
    subject=b"\1" * 32,
    document=b"\1" * 32,
    version=sha256(b"evidence").digest(),
    by=BANK,
)


class OneLeaf:
    """A reading of a log with one leaf, some of which is gone."""

    def __init__(self, leaf: bytes | None, in_tree: bytes = b"") -> None:
        self.leaf = leaf
        self.in_tree = in_tree

    def size(self) -> int:
        return 1

    def row(self, _: int) -> LogRow | None:
        return None if self.leaf is None else LogRow(leaf=self.leaf, opened=0)

    def tile(self, _level: int, _index: int) -> bytes:
        return self.in_tree or leaf_hash(self.leaf or b"")

    def evidence(self, _: int) -> tuple[int, bytes] | None:
        return None

    def certificate(self, _: bytes) -> bytes | None:
        return b"another certificate"


def shown(leaf: bytes | None, in_tree: bytes = b"") -> Reading:
    return cast("Reading", OneLeaf(leaf, in_tree))


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_leaf_that_is_gone_is_told() -> None:
    with pytest.raises(VaultCorrupt, match="missing"):
        reading.row(shown(None), 0)


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_leaf_that_is_not_in_the_tree_is_told() -> None:
    with pytest.raises(VaultCorrupt, match="not the one in the tree"):
        reading.row(shown(DELIVERED.to_bytes(), b"\7" * 32), 0)


@pytest.mark.refusal("VAULT_CORRUPT")
def test_evidence_that_is_gone_is_told() -> None:
    with pytest.raises(VaultCorrupt, match="evidence"):
        reading.evidence(shown(DELIVERED.to_bytes()), 0)


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_certificate_that_was_exchanged_is_told() -> None:
    with pytest.raises(VaultCorrupt, match="certificate"):
        reading.certificate(shown(None), b"\7" * 32)


@pytest.mark.refusal("VAULT_CORRUPT")
@pytest.mark.parametrize("leaf", [None, DELIVERED.to_bytes()])
def test_a_title_that_is_gone_is_told(leaf: bytes | None) -> None:
    with pytest.raises(VaultCorrupt, match="opened a voucher"):
        reading.title(shown(leaf), 0)


@pytest.mark.refusal("VAULT_CORRUPT")
def test_an_index_that_names_no_leaf_is_told() -> None:
    transaction = cast("Transaction", shown(None))

    with pytest.raises(VaultCorrupt, match="not there"):
        judging.leaf_at(transaction, 5)
    with pytest.raises(VaultCorrupt, match="not there"):
        judging._version(transaction, 5)


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_tree_that_lost_its_tiles_proves_nothing() -> None:
    engine = MemoryEngine()
    bench = Bench(open_vault(engine))
    bench.enter(voucher("1"))
    bench.enter(voucher("2"))
    size = bench.vault.size()
    engine._tiles.clear()

    with pytest.raises(VaultCorrupt, match="tile"):
        bench.vault.inclusion_proof(0, size)
    bench.vault.close()


@pytest.mark.refusal("NOT_IN_STATE")
def test_a_notice_is_no_document_about_a_voucher() -> None:
    bench = Bench(open_vault(MemoryEngine()))
    entered = voucher("1")
    bench.enter(entered)
    before = bench.unchanged()
    notice = replace(entered, kind=DocumentKind.NOTICE)

    arrived = bench.one(
        Arrive(carrier=FINANCE, documents=(notice,), hosted=frozenset({BANK}))
    )
    sent = bench.one(Enter(document=notice, lanes={}))

    assert isinstance(arrived, NotInState)
    assert isinstance(sent, NotInState)
    assert bench.unchanged() == before
    bench.vault.close()


@pytest.mark.refusal("HEAD_FORKED")
@pytest.mark.parametrize("tree", LogTree)
def test_two_heads_of_one_size_are_never_signed(tree: LogTree) -> None:
    with MemoryEngine(sm3_tree=True).reading() as empty:
        signs = dict.fromkeys(LogTree, sign)
        signer = HeadSigner(ORIGIN, MemoryHeads(), signs, empty)
    head, other = TreeHead(3, b"\1" * 32), TreeHead(3, b"\2" * 32)
    first = signer.sign(tree, {tree: head}, 1)

    with pytest.raises(HeadForked, match="another head"):
        signer.sign(tree, {tree: other}, 1)

    assert signer.sign(tree, {tree: head}, 2) == first


@pytest.mark.refusal("HEAD_FORKED")
def test_a_file_that_is_no_head_store_is_not_taken_for_an_empty_one(
    tmp_path: Path,
) -> None:
    FileHeads(tmp_path / "heads").close()
    (tmp_path / "heads" / "heads").write_bytes(b"something else")

    with pytest.raises(HeadForked, match="not a head store"):
        FileHeads(tmp_path / "heads")
