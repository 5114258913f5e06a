"""The SM3 tree of a vault beside its tree of SHA-256."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from counterfoil.domain.refusals import (
    CounterfoilError,
    HeadForked,
    LeafNotFound,
    TreeMissing,
    TreesDiffer,
)
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.sm3 import sm3
from counterfoil.tlog.trees import LogTree
from counterfoil.tlog.verification import verify_consistency, verify_inclusion
from counterfoil.vault.engine import Engine
from counterfoil.vault.findings import Fault
from counterfoil.vault.heads import FileHeads, MemoryHeads
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.vault import EngineVault
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    ORIGIN,
    UNFOUNDED,
    Bench,
    StepClock,
    make_engine,
    open_vault,
    read_registration,
    sign,
    voucher,
)
from tests.unit.tlog.oracle import tree_hash

SM3 = LogTree.SM3
SM3_ORIGIN = f"{ORIGIN}-sm3"


@pytest.fixture(params=["memory+sm3", "lmdb+sm3"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    return make_engine(request.param, tmp_path / "vault")


@pytest.fixture
def heads() -> MemoryHeads:
    return MemoryHeads()


@pytest.fixture
def bench(engine: Engine, heads: MemoryHeads) -> Iterator[Bench]:
    clock = StepClock()
    vault = open_vault(engine, heads, clock)
    yield Bench(vault, clock)
    vault.close()


def head_of(note: bytes) -> TreeHead:
    return parse_checkpoint(note.split(b"\n\n")[0] + b"\n").head


def test_its_root_is_that_of_the_definition_over_the_same_leaves(bench: Bench) -> None:
    for number in range(300):  # three hundred leaves: a full tile and another one
        bench.enter(voucher(str(number)), send=True)

    first, second = bench.vault.checkpoint(), bench.vault.checkpoint(SM3)

    assert second.startswith(f"{SM3_ORIGIN}\n300\n".encode())
    leaves = [bench.vault.leaf(index).to_bytes() for index in range(300)]
    for note, name in ((first, "sha256"), (second, "sm3")):
        hashes = [hashlib.new(name, b"\0" + leaf).digest() for leaf in leaves]
        assert head_of(note) == TreeHead(300, tree_hash(hashes, name))


def test_every_leaf_and_every_older_size_is_proved_by_it(bench: Bench) -> None:
    heads = []
    for number in range(10):
        bench.enter(voucher(str(number)), send=True)
        heads.append(head_of(bench.vault.checkpoint(SM3)))

    for index in range(10):
        leaf = leaf_hash(bench.vault.leaf(index).to_bytes(), sm3)
        proof = bench.vault.inclusion_proof(index, 10, SM3)
        verify_inclusion(index, leaf, heads[-1], proof, sm3)
        assert proof != bench.vault.inclusion_proof(index, 10)
    for head in heads:
        proof = bench.vault.consistency_proof(head.size, 10, SM3)
        verify_consistency(head, heads[-1], proof, sm3)


@pytest.mark.refusal("LEAF_NOT_FOUND")
def test_what_is_not_in_it_is_not_found(bench: Bench) -> None:
    bench.enter(voucher())
    asks: list[Callable[[], object]] = [
        lambda: bench.vault.inclusion_proof(1, 1, SM3),
        lambda: bench.vault.inclusion_proof(0, 2, SM3),
        lambda: bench.vault.consistency_proof(2, 1, SM3),
    ]

    for ask in asks:
        with pytest.raises(LeafNotFound):
            ask()


def test_it_is_read_from_the_disk_again(tmp_path: Path, heads: MemoryHeads) -> None:
    first = Bench(open_vault(make_engine("lmdb+sm3", tmp_path / "vault"), heads))
    first.enter(voucher("1"))
    before = first.vault.checkpoint(SM3)
    first.vault.close()

    # Who opens it need not know how it was made, but must have the key.
    second = Bench(open_vault(make_engine("lmdb", tmp_path / "vault"), heads))
    second.enter(voucher("2"))

    after = second.vault.checkpoint(SM3)
    proof = second.vault.consistency_proof(1, 2, SM3)
    verify_consistency(head_of(before), head_of(after), proof, sm3)
    second.vault.close()


# --- chosen once -----------------------------------------------------------------


@pytest.mark.refusal("TREE_MISSING")
@pytest.mark.parametrize("kind", ["memory", "lmdb"])
def test_a_vault_without_it_proves_nothing_by_it(kind: str, tmp_path: Path) -> None:
    bench = Bench(open_vault(make_engine(kind, tmp_path / "vault")))
    bench.enter(voucher())

    for ask in (
        lambda: bench.vault.checkpoint(SM3),
        lambda: bench.vault.inclusion_proof(0, 1, SM3),
        lambda: bench.vault.consistency_proof(0, 1, SM3),
    ):
        with pytest.raises(TreeMissing):
            ask()

    assert bench.vault.trees == {LogTree.SHA256}
    assert bench.vault.checkpoint().startswith(f"{ORIGIN}\n1\n".encode())
    bench.vault.close()


@pytest.mark.refusal("TREES_DIFFER")
@pytest.mark.parametrize("kind", ["memory", "lmdb", "memory+sm3", "lmdb+sm3"])
def test_a_vault_is_not_opened_with_other_trees_than_it_was_made_with(
    kind: str, tmp_path: Path, heads: MemoryHeads
) -> None:
    engine = make_engine(kind, tmp_path / "vault")
    bench = Bench(open_vault(engine, heads))
    bench.enter(voucher())
    known = heads.all()
    has_sm3 = SM3 in bench.vault.trees
    bench.vault.close()
    again = engine if "memory" in kind else make_engine(kind, tmp_path / "vault")

    with pytest.raises(TreesDiffer) as refused:
        EngineVault(
            again,
            heads,
            origin=ORIGIN,
            sign=sign,
            sign_sm3=None if has_sm3 else sign,
            clock=StepClock(),
            register=UNFOUNDED,
            read_registration=read_registration,
        )

    assert "`sm2`" in str(refused.value)
    assert heads.all() == known
    again.close()


# --- what was signed -------------------------------------------------------------


def test_its_head_is_remembered_with_the_first_and_signed_when_asked_for(
    bench: Bench, heads: MemoryHeads
) -> None:
    bench.arrive(voucher("1", issuer=BANK, to=(FINANCE,)))

    first, second = heads.newest(ORIGIN), heads.newest(SM3_ORIGIN)
    assert first is not None
    assert second is not None
    assert (first.head.size, second.head.size) == (1, 1)
    assert first.note
    assert second.note == b""

    note = bench.vault.checkpoint(SM3)

    signed = heads.newest(SM3_ORIGIN)
    assert signed is not None
    assert (signed.head, signed.note) == (second.head, note)
    # Signed once: the line that says when would differ.
    assert bench.vault.checkpoint(SM3) == note


def test_what_was_remembered_is_signed_rather_than_something_older(
    bench: Bench, heads: MemoryHeads
) -> None:
    older = bench.vault.checkpoint(SM3)
    bench.arrive(voucher("1", issuer=BANK, to=(FINANCE,)))
    known = heads.newest(SM3_ORIGIN)
    assert known is not None

    newest = bench.vault._signer.sign(SM3, {SM3: head_of(older)}, 1)

    assert head_of(newest) == known.head


@pytest.mark.refusal("HEAD_FORKED")
@pytest.mark.parametrize("asked", [LogTree.SHA256, SM3])
def test_an_old_copy_put_back_is_noticed_by_either_tree(
    asked: LogTree, tmp_path: Path
) -> None:
    place, heads = tmp_path / "vault", FileHeads(tmp_path / "heads")
    bench = Bench(open_vault(make_engine("lmdb+sm3", place), heads))
    bench.enter(voucher("1"))
    bench.vault.close()
    shutil.copytree(place, tmp_path / "copy")
    bench = Bench(open_vault(make_engine("lmdb+sm3", place), heads))
    bench.enter(voucher("2"))
    bench.vault.checkpoint(asked)
    bench.vault.close()
    heads.close()
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "copy", place)
    # Of the other tree nothing is remembered that would contradict the copy.
    heads = FileHeads(tmp_path / "heads")
    origin = asked.origin(ORIGIN)
    heads._heads = {name: one for name, one in heads._heads.items() if name == origin}

    engine = make_engine("lmdb+sm3", place)
    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)
    old = Bench(open_vault(engine, heads))

    found = {finding.fault for finding in report.findings}
    assert found == {Fault.HEAD_NEWER, Fault.HEAD_UNKNOWN}
    for tree in LogTree:
        with pytest.raises(HeadForked):
            old.vault.checkpoint(tree)
    with pytest.raises(HeadForked):
        old.enter(voucher("3"))
    old.vault.close()
    heads.close()


@pytest.mark.refusal("HEAD_FORKED")
def test_another_sm3_tree_under_the_same_name_is_found(heads: MemoryHeads) -> None:
    first = Bench(open_vault(make_engine("memory+sm3", Path()), heads))
    first.enter(voucher("1"))
    first.vault.checkpoint(SM3)
    first.vault.close()
    del heads._heads[ORIGIN]
    engine = make_engine("memory+sm3", Path())
    other = Bench(open_vault(engine))
    other.enter(voucher("2"))
    other.vault.close()

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)

    found = {finding.fault for finding in report.findings}
    assert found == {Fault.HEAD_CONTRADICTED, Fault.HEAD_UNKNOWN}


@pytest.mark.refusal("HEAD_FORKED")
def test_a_tree_that_lags_behind_the_log_is_not_written_to() -> None:
    engine, heads = MemoryEngine(sm3_tree=True), MemoryHeads()
    bench = Bench(open_vault(engine, heads))
    before = engine._sm3_tree
    bench.enter(voucher("1"))
    bench.vault.close()
    engine._sm3_tree = before

    opened = open_vault(engine, heads)

    assert "SM3" in opened.stopped_reason
    with pytest.raises(HeadForked):
        opened.checkpoint(SM3)
    opened.close()


def test_nothing_is_remembered_of_a_commit_that_failed(
    bench: Bench, engine: Engine, heads: MemoryHeads, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.vault.checkpoint(SM3)
    known = heads.all()

    def fail(*_batch: object) -> None:
        raise OSError("the disk is gone")

    with engine.writing() as writing:
        monkeypatch.setattr(type(writing), "commit", fail)
    with pytest.raises(CounterfoilError):
        bench.arrive(voucher("1", issuer=BANK, to=(FINANCE,)))

    assert heads.all() == known
    with engine.reading() as reading:
        tree = reading.sm3_tree()
        assert tree is not None
        assert tree.frontier.size == 0
