"""What verification finds, fault by fault."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.app.ports import FoundRow
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import PeerAnswer
from counterfoil.domain.refusals import HeadForked, SealForged, VaultCorrupt
from counterfoil.domain.standing import Role, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.tlog.merkle import Frontier
from counterfoil.tlog.sm3 import sm3
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.heads import FileHeads, MemoryHeads
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.records import book_key, split_book_key
from counterfoil.vault.verify import Judge, verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    ORIGIN,
    SMALL,
    Bench,
    open_vault,
    run,
    step,
    voucher,
)
from tests.doubles import kept

K = DocumentKind
Spoil = Callable[[MemoryEngine], None]


def fill(bench: Bench) -> None:
    """Write a voucher's whole way, one that waits, and one of the bank's."""
    done, waits, refused = voucher("1"), voucher("2"), voucher("3")
    bench.enter(done)  # leaf 0
    bench.enter(done, send=True)  # leaf 1: what was sealed before is sent
    bench.enter(refused, send=True)
    lane = bench.vault.lane(BANK, after=-1, limit=9)
    bench.deliver(
        PeerAnswer(sequence=lane[0].sequence, leaf=5),
        PeerAnswer(sequence=lane[1].sequence, leaf=None, reason="SEAL_FORGED"),
    )
    bench.enter(waits, send=True)
    bench.arrive(step(K.ACCEPTANCE, done), step(K.RECEIPT, done))
    bench.arrive(voucher("4", issuer=BANK, to=(FINANCE,)))
    run(bench.vault.keep_certificates([b"a certificate"]))


@pytest.fixture
def engine() -> Iterator[MemoryEngine]:
    engine = MemoryEngine(sm3_tree=True)
    bench = Bench(open_vault(engine))
    fill(bench)
    yield engine
    bench.vault.close()


def check(engine: MemoryEngine, judge: Judge | None = None) -> Report:
    with engine.reading() as reading:
        return verify_vault(reading, origin=ORIGIN, judge=judge)


def faults(report: Report) -> set[Fault]:
    return {finding.fault for finding in report.findings}


def flip_document(engine: MemoryEngine) -> None:
    engine._documents[0] = b"\0" + engine._documents[0][1:]


def truncate_document(engine: MemoryEngine) -> None:
    engine._documents[0] = engine._documents[0][:-1]


def lose_receipt(engine: MemoryEngine) -> None:
    receipt = next(
        at for at, sealed in engine._documents.items() if b"RECEIPT" in sealed
    )
    del engine._documents[receipt]


def add_document(engine: MemoryEngine) -> None:
    engine._documents[1] = b"stray"


def flip_leaf(engine: MemoryEngine) -> None:
    row = engine._rows[1]
    engine._rows[1] = replace(row, leaf=row.leaf[:-1] + b"\1")


def flip_tile(engine: MemoryEngine) -> None:
    engine._tiles[0, 0] = b"\0" * 32 + engine._tiles[0, 0][32:]


def first_key(engine: MemoryEngine) -> bytes:
    return book_key(voucher("1").key.to_bytes(), Role.ISSUER)


def flip_sm3_tile(engine: MemoryEngine) -> None:
    hashes = bytearray(engine._sm3_tiles[0, 0])
    hashes[40] ^= 1  # in the hash of leaf 1
    engine._sm3_tiles[0, 0] = bytes(hashes)


def lose_sm3_tile(engine: MemoryEngine) -> None:
    del engine._sm3_tiles[0, 0]


def swap_sm3_root(engine: MemoryEngine) -> None:
    assert engine._sm3_tree is not None
    other = engine._sm3_tree.copy()
    other._peaks[0] = b"\7" * 32
    engine._sm3_tree = other


def shorten_sm3_tree(engine: MemoryEngine) -> None:
    engine._sm3_tree = Frontier(hash_function=sm3)


def swap_standing(engine: MemoryEngine) -> None:
    entry = engine._entries[first_key(engine)]
    passage = replace(entry.passages[0], standing=Standing.ACCEPTED)
    engine._entries[first_key(engine)] = replace(entry, passages=(passage,))


def forget_receipt(engine: MemoryEngine) -> None:
    entry = engine._entries[first_key(engine)]
    passage = replace(entry.passages[0], receipt=b"")
    engine._entries[first_key(engine)] = replace(entry, passages=(passage,))


def change_reason(engine: MemoryEngine) -> None:
    key = book_key(voucher("3").key.to_bytes(), Role.ISSUER)
    entry = engine._entries[key]
    passage = replace(entry.passages[0], refused_reason="VAULT_BUSY")
    engine._entries[key] = replace(entry, passages=(passage,))


def remove_entry(engine: MemoryEngine) -> None:
    del engine._entries[first_key(engine)]


def add_entry(engine: MemoryEngine) -> None:
    other = book_key(voucher("77").key.to_bytes(), Role.ISSUER)
    engine._entries[other] = engine._entries[first_key(engine)]


def remove_lane_item(engine: MemoryEngine) -> None:
    engine._lanes.clear()


def add_lane_item(engine: MemoryEngine) -> None:
    (row,) = engine._lanes.values()
    engine._lanes[BANK, 1] = row


def remove_inbox(engine: MemoryEngine) -> None:
    engine._inbox = {item for item in engine._inbox if item[1] != len(engine._rows) - 1}


def add_inbox(engine: MemoryEngine) -> None:
    engine._inbox.add((FINANCE, 0))


def remove_step(engine: MemoryEngine) -> None:
    engine._steps.popitem()


def add_step(engine: MemoryEngine) -> None:
    engine._steps[b"x"] = 0


def change_evidence(engine: MemoryEngine) -> None:
    engine._evidence = dict.fromkeys(engine._evidence, b"other")


def change_certificate(engine: MemoryEngine) -> None:
    engine._certificates = dict.fromkeys(engine._certificates, b"other")


def change_bucket(engine: MemoryEngine) -> None:
    place, bucket = engine._buckets.popitem()
    engine._buckets[place] = bucket.add(b"\1" * 32)


def remove_bucket(engine: MemoryEngine) -> None:
    engine._buckets.popitem()


def change_note(engine: MemoryEngine) -> None:
    engine._rows[1] = replace(engine._rows[1], changes=())


def lose_lane_note(engine: MemoryEngine) -> None:
    engine._rows[1] = replace(engine._rows[1], carriers=())


def lose_lane_note_of_both(engine: MemoryEngine) -> None:
    engine._rows[2] = replace(engine._rows[2], carriers=())  # entered and sent at once


def note_a_lane(engine: MemoryEngine) -> None:
    engine._rows[0] = replace(engine._rows[0], carriers=(BANK,))  # entered only


@pytest.mark.clause("hubei-37a1")
@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (flip_document, Fault.DOCUMENT_CHANGED),
        (truncate_document, Fault.DOCUMENT_CHANGED),
        (lose_receipt, Fault.DOCUMENT_MISSING),
        (add_document, Fault.DOCUMENT_STRAY),
        (flip_leaf, Fault.LEAF_CHANGED),
        (flip_tile, Fault.TREE_CHANGED),
        (flip_sm3_tile, Fault.SM3_TREE_CHANGED),
        (lose_sm3_tile, Fault.SM3_TREE_CHANGED),
        (swap_sm3_root, Fault.SM3_TREE_CHANGED),
        (shorten_sm3_tree, Fault.SM3_TREE_CHANGED),
        (swap_standing, Fault.ENTRY_CHANGED),
        (forget_receipt, Fault.ENTRY_CHANGED),
        (change_reason, Fault.ENTRY_CHANGED),
        (remove_entry, Fault.ENTRY_MISSING),
        (add_entry, Fault.ENTRY_STRAY),
        (remove_lane_item, Fault.LANE_MISSING),
        (add_lane_item, Fault.LANE_STRAY),
        (remove_inbox, Fault.INBOX_MISSING),
        (add_inbox, Fault.INBOX_STRAY),
        (remove_step, Fault.STEP_MISSING),
        (add_step, Fault.STEP_STRAY),
        (change_evidence, Fault.EVIDENCE_MISSING),
        (change_certificate, Fault.CERTIFICATE_CHANGED),
        (change_bucket, Fault.BUCKET_CHANGED),
        (remove_bucket, Fault.BUCKET_CHANGED),
        (change_note, Fault.ROW_CHANGED),
        (lose_lane_note, Fault.ROW_CHANGED),
        (lose_lane_note_of_both, Fault.ROW_CHANGED),
        (note_a_lane, Fault.ROW_CHANGED),
    ],
)
def test_each_fault_is_named(engine: MemoryEngine, spoil: Spoil, fault: Fault) -> None:
    assert check(engine).is_sound
    spoil(engine)

    report = check(engine)

    assert fault in faults(report), [str(finding) for finding in report.findings]


def test_a_sound_vault_is_sound(engine: MemoryEngine) -> None:
    report = check(engine)

    assert report.findings == []
    assert report.root == engine.frontier().root()
    second = engine.sm3_tree()
    assert second is not None
    assert report.sm3_root == second.frontier.root() != report.root
    assert (report.size, report.documents) == (engine.frontier().size, 6)


def test_what_is_wrong_with_one_tree_is_not_said_of_the_other(
    engine: MemoryEngine,
) -> None:
    flip_sm3_tile(engine)

    report = check(engine)

    assert faults(report) == {Fault.SM3_TREE_CHANGED}
    assert [finding.index for finding in report.findings] == [1, 0]
    assert report.findings[1].detail == "tile 0/0"


def test_an_sm3_tree_that_was_signed_for_and_is_gone_is_found() -> None:
    heads = MemoryHeads()
    first = open_vault(MemoryEngine(sm3_tree=True), heads)
    first.close()
    engine = MemoryEngine()

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)

    assert [finding.fault for finding in report.findings] == [Fault.SM3_TREE_CHANGED]
    assert report.findings[0].key == f"{ORIGIN}-sm3"
    assert report.sm3_root == b""


def test_seals_are_judged_where_a_judge_is_given(engine: MemoryEngine) -> None:
    def judge(sealed: bytes, leaf: object, names: object) -> None:
        del leaf, names
        if b"RECEIPT" in sealed:
            raise SealForged("it does not hold", check="4")

    report = check(engine, judge)

    assert [finding.fault for finding in report.findings] == [Fault.SEAL_REFUSED]


def test_what_a_document_states_is_compared_with_the_books(
    engine: MemoryEngine,
) -> None:
    report = check(engine, lambda _sealed, _leaf, _names: voucher("1"))

    assert Fault.ROW_CHANGED in faults(report)


def ledger_rows(engine: MemoryEngine) -> list[FoundRow]:
    return [
        FoundRow(
            key=VoucherKey.from_bytes(split_book_key(key)[0]),
            digest=entry.digest,
            role=entry.role,
            recipient=passage.recipient,
            standing=passage.standing,
            amount_fen=entry.amount_fen,
            leaf=passage.leaf,
            changed_us=0,
        )
        for key, entry in engine._entries.items()
        for passage in entry.passages
    ]


def test_the_ledger_is_compared_row_by_row(engine: MemoryEngine) -> None:
    rows = ledger_rows(engine)

    def found(rows: list[FoundRow]) -> set[Fault]:
        with engine.reading() as reading:
            return faults(verify_vault(reading, origin=ORIGIN, ledger=rows))

    assert found(rows) == set()
    assert found(rows[1:]) == {Fault.LEDGER_MISSING}
    changed = replace(rows[0], standing=Standing.SENT)
    assert found([changed, *rows[1:]]) == {Fault.LEDGER_CHANGED}
    assert found([*rows, replace(rows[0], recipient="330000009")]) == {
        Fault.LEDGER_CHANGED
    }


@pytest.mark.refusal("HEAD_FORKED")
def test_an_old_copy_put_back_is_found_and_never_signs(tmp_path: Path) -> None:
    place, heads = tmp_path / "vault", FileHeads(tmp_path / "heads")
    bench = Bench(open_vault(LmdbEngine(place, SMALL), heads))
    bench.enter(voucher("1"))
    bench.vault.checkpoint()
    bench.vault.close()
    shutil.copytree(place, tmp_path / "copy")
    bench = Bench(open_vault(LmdbEngine(place, SMALL), heads))
    bench.enter(voucher("2"))
    bench.vault.checkpoint()
    bench.vault.close()
    shutil.rmtree(place)
    shutil.copytree(tmp_path / "copy", place)

    engine = LmdbEngine(place, SMALL)
    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)
    old = Bench(open_vault(engine, heads))

    assert faults(report) == {Fault.HEAD_NEWER}
    assert "2 leaves were signed" in old.vault.stopped_reason
    with pytest.raises(HeadForked):
        old.vault.checkpoint()
    with pytest.raises(HeadForked):
        old.enter(voucher("3"))
    assert old.vault.document(0) == voucher("1").sealed
    old.vault.close()
    heads.close()


@pytest.mark.refusal("HEAD_FORKED")
def test_another_log_under_the_same_name_is_found() -> None:
    heads = MemoryHeads()
    first = Bench(open_vault(MemoryEngine(), heads))
    first.enter(voucher("1"))
    first.vault.checkpoint()
    first.vault.close()
    engine = MemoryEngine()
    other = Bench(open_vault(engine))
    other.enter(voucher("2"))
    other.vault.close()

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)
    forked = open_vault(engine, heads)

    assert faults(report) == {Fault.HEAD_CONTRADICTED}
    with pytest.raises(HeadForked):
        forked.checkpoint()
    forked.close()


@pytest.mark.refusal("HEAD_FORKED")
def test_a_vault_whose_head_store_is_gone_does_not_sign() -> None:
    engine = MemoryEngine()
    bench = Bench(open_vault(engine))
    bench.enter(voucher("1"))
    bench.vault.close()

    reopened = open_vault(engine, MemoryHeads())

    with pytest.raises(HeadForked):
        reopened.checkpoint()
    reopened.close()


@pytest.mark.refusal("VAULT_CORRUPT")
@pytest.mark.parametrize("at", ["document", "leaf", "entry"])
def test_a_flipped_bit_on_disk_is_seen_on_read_and_by_verification(
    tmp_path: Path, at: str
) -> None:
    paper = voucher(content="a needle in the file")
    heads = MemoryHeads()
    bench = Bench(open_vault(LmdbEngine(tmp_path / "vault", SMALL), heads))
    bench.enter(paper)
    leaf = bench.vault.leaf(0).to_bytes()
    bench.vault.close()
    needle = {
        "document": b"a needle in the file",
        "leaf": leaf[:60],
        "entry": BANK.encode(),
    }[at]
    file = tmp_path / "vault" / "vault.lmdb"
    content = bytearray(file.read_bytes())
    found = content.find(needle)
    while found >= 0:  # LMDB may hold an older page with the same bytes
        content[found] ^= 0x04
        found = content.find(needle)
    file.write_bytes(bytes(content))

    engine = LmdbEngine(tmp_path / "vault", SMALL)
    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)
    bench = Bench(open_vault(engine, heads))

    assert not report.is_sound
    with pytest.raises(VaultCorrupt):
        bench.vault.document(0) if at != "entry" else kept(bench.vault, paper.key)
    bench.vault.close()


def test_a_lost_head_store_is_a_finding() -> None:
    engine = MemoryEngine()
    bench = Bench(open_vault(engine))
    bench.enter(voucher("1"))
    bench.vault.close()

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=MemoryHeads())

    assert faults(report) == {Fault.HEAD_UNKNOWN}


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_vault_that_was_cut_off_is_refused_before_it_is_read(tmp_path: Path) -> None:
    bench = Bench(open_vault(LmdbEngine(tmp_path / "vault", SMALL)))
    bench.enter(voucher(content="long enough to fill a few pages " * 1000))
    bench.vault.close()
    file = tmp_path / "vault" / "vault.lmdb"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(VaultCorrupt, match="cut off"):
        LmdbEngine(tmp_path / "vault", SMALL, read_only=True)

    file.write_bytes(whole)
    LmdbEngine(tmp_path / "vault", SMALL, read_only=True).close()
