"""What a scrub finds, slice by slice, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import PeerAnswer, Withdraw
from counterfoil.domain.standing import Role, Standing
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.trees import LogTree
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.heads import KnownHead, MemoryHeads
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.scrub import STAGES, Place, Scrub
from tests.contract.vaults import (
    BANK,
    FINANCE,
    ORIGIN,
    TREASURY,
    Bench,
    open_vault,
    step,
    voucher,
)
from tests.unit.vault import test_vault_verify as spoils
from tests.unit.vault.test_vault_verify import Spoil, faults, fill

SM3_ORIGIN = LogTree.SM3.origin(ORIGIN)


@pytest.fixture
def heads() -> MemoryHeads:
    return MemoryHeads()


@pytest.fixture
def engine(heads: MemoryHeads) -> Iterator[MemoryEngine]:
    engine = MemoryEngine(sm3_tree=True)
    bench = Bench(open_vault(engine, heads))
    fill(bench)
    bench.vault.checkpoint()
    yield engine
    bench.vault.close()


def scrub_of(heads: MemoryHeads, place: Place | None = None) -> Scrub:
    parties = [FINANCE, BANK]
    return Scrub(origin=ORIGIN, heads=heads, parties=parties, place=place or Place())


def never() -> bool:
    return False


def one_pass(scrub: Scrub, engine: MemoryEngine, items: int = 3) -> Report:
    """Go on until the pass is over; return all that was found."""
    found, passes = Report(), scrub.place.passes
    while scrub.place.passes == passes:
        report = scrub.slice(engine.reading, never, items)
        found.findings += report.findings
        found.documents += report.documents
        found.size += report.size
    return found


def test_a_sound_vault_is_sound_however_it_is_sliced(
    engine: MemoryEngine, heads: MemoryHeads
) -> None:
    for items in (1, 2, 64):
        report = one_pass(scrub_of(heads), engine, items)

        assert report.findings == []
        assert report.documents == 6


SEEN = [
    (spoils.flip_document, Fault.DOCUMENT_CHANGED),
    (spoils.truncate_document, Fault.DOCUMENT_CHANGED),
    (spoils.lose_receipt, Fault.DOCUMENT_MISSING),
    (spoils.add_document, Fault.DOCUMENT_STRAY),
    (spoils.flip_leaf, Fault.LEAF_CHANGED),
    (spoils.flip_tile, Fault.LEAF_CHANGED),
    (spoils.flip_tile, Fault.TREE_CHANGED),
    (spoils.flip_tile, Fault.HEAD_CONTRADICTED),
    (spoils.flip_sm3_tile, Fault.SM3_TREE_CHANGED),
    (spoils.flip_sm3_tile, Fault.HEAD_CONTRADICTED),
    (spoils.lose_sm3_tile, Fault.SM3_TREE_CHANGED),
    (spoils.swap_sm3_root, Fault.SM3_TREE_CHANGED),
    (spoils.shorten_sm3_tree, Fault.SM3_TREE_CHANGED),
    (spoils.swap_standing, Fault.ENTRY_CHANGED),
    (spoils.forget_receipt, Fault.ENTRY_CHANGED),
    (spoils.change_reason, Fault.ENTRY_CHANGED),
    (spoils.remove_entry, Fault.ENTRY_MISSING),
    (spoils.add_entry, Fault.ENTRY_STRAY),
    (spoils.remove_lane_item, Fault.LANE_MISSING),
    (spoils.add_lane_item, Fault.LANE_STRAY),
    (spoils.remove_inbox, Fault.INBOX_MISSING),
    (spoils.add_inbox, Fault.INBOX_STRAY),
    (spoils.remove_step, Fault.STEP_MISSING),
    (spoils.add_step, Fault.STEP_STRAY),
    (spoils.change_evidence, Fault.EVIDENCE_MISSING),
    (spoils.change_certificate, Fault.CERTIFICATE_CHANGED),
    (spoils.change_bucket, Fault.BUCKET_CHANGED),
    (spoils.remove_bucket, Fault.BUCKET_CHANGED),
    (spoils.lose_lane_note, Fault.BUCKET_CHANGED),
    (spoils.lose_lane_note, Fault.ROW_CHANGED),
    (spoils.lose_lane_note_of_both, Fault.ROW_CHANGED),
    (spoils.note_a_lane, Fault.ROW_CHANGED),
]


@pytest.mark.clause("hubei-37a2")
@pytest.mark.parametrize(("spoil", "fault"), SEEN)
@pytest.mark.parametrize("items", [1, 64])
def test_each_fault_is_named(
    engine: MemoryEngine, heads: MemoryHeads, spoil: Spoil, fault: Fault, items: int
) -> None:
    scrub = scrub_of(heads)
    assert one_pass(scrub, engine, items).findings == []
    spoil(engine)

    report = one_pass(scrub, engine, items)

    assert fault in faults(report), [str(finding) for finding in report.findings]


def lose_leaf(engine: MemoryEngine) -> None:
    row = engine._rows[2]
    engine._rows[2] = replace(row, leaf=row.leaf[:-1])


def move_entry_back(engine: MemoryEngine) -> None:
    entry = engine._entries[spoils.first_key(engine)]
    passage = replace(entry.passages[0], leaf=0)
    engine._entries[spoils.first_key(engine)] = replace(entry, passages=(passage,))


def move_entry_on(engine: MemoryEngine) -> None:
    entry = engine._entries[spoils.first_key(engine)]
    passage = replace(entry.passages[0], leaf=len(engine._rows) - 1)
    engine._entries[spoils.first_key(engine)] = replace(entry, passages=(passage,))


def put_entry_back(engine: MemoryEngine) -> None:
    """As it was when the voucher had just been sent: whole by itself, and old."""
    entry = engine._entries[spoils.first_key(engine)]
    sent = replace(entry.passages[0], standing=Standing.SENT, leaf=1, receipt=b"")
    engine._entries[spoils.first_key(engine)] = replace(entry, passages=(sent,))


def change_amount(engine: MemoryEngine) -> None:
    entry = engine._entries[spoils.first_key(engine)]
    engine._entries[spoils.first_key(engine)] = replace(entry, amount_fen=1)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lose_leaf, Fault.LEAF_CHANGED),
        (move_entry_back, Fault.ENTRY_CHANGED),
        (move_entry_on, Fault.ENTRY_CHANGED),
        (put_entry_back, Fault.ENTRY_CHANGED),
        (change_amount, Fault.ENTRY_CHANGED),
    ],
)
def test_what_else_is_compared(
    engine: MemoryEngine, heads: MemoryHeads, spoil: Spoil, fault: Fault
) -> None:
    spoil(engine)

    assert fault in faults(one_pass(scrub_of(heads), engine))


def test_what_is_wrong_with_one_tree_is_not_said_of_the_other(
    engine: MemoryEngine, heads: MemoryHeads
) -> None:
    spoils.flip_sm3_tile(engine)

    report = one_pass(scrub_of(heads), engine, 64)

    found = [(one.fault, one.index) for one in report.findings]
    assert (Fault.SM3_TREE_CHANGED, 1) in found
    assert faults(report) == {Fault.SM3_TREE_CHANGED, Fault.HEAD_CONTRADICTED}


def forget_sm3_tree(engine: MemoryEngine) -> None:
    engine._sm3_tree = None


def test_an_sm3_tree_that_is_gone_is_found_if_it_was_ever_there(
    engine: MemoryEngine, heads: MemoryHeads
) -> None:
    forget_sm3_tree(engine)

    assert faults(one_pass(scrub_of(heads), engine)) == {Fault.SM3_TREE_CHANGED}

    del heads._heads[SM3_ORIGIN]
    assert one_pass(scrub_of(heads), engine).findings == []


def many(count: int, heads: MemoryHeads) -> tuple[MemoryEngine, Bench]:
    engine = MemoryEngine(sm3_tree=True)
    bench = Bench(open_vault(engine, heads))
    for number in range(count):
        bench.enter(voucher(f"{number}"), send=True)
    return engine, bench


def change_hash_above(engine: MemoryEngine) -> None:
    engine._tiles[1, 0] = b"\0" * 32 + engine._tiles[1, 0][32:]


def lose_hash_above(engine: MemoryEngine) -> None:
    del engine._tiles[1, 0]


def change_sm3_hash_above(engine: MemoryEngine) -> None:
    engine._sm3_tiles[1, 0] = b"\0" * 32 + engine._sm3_tiles[1, 0][32:]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (change_hash_above, Fault.TREE_CHANGED),
        (lose_hash_above, Fault.TREE_CHANGED),
        (change_sm3_hash_above, Fault.SM3_TREE_CHANGED),
    ],
)
def test_a_tile_is_compared_with_the_hash_above_it(
    heads: MemoryHeads, spoil: Spoil, fault: Fault
) -> None:
    engine, bench = many(280, heads)
    assert one_pass(scrub_of(heads), engine, 64).findings == []
    spoil(engine)

    report = one_pass(scrub_of(heads), engine, 64)

    assert any(
        (one.fault, one.detail) == (fault, "tile 0/0") for one in report.findings
    )
    bench.vault.close()


def test_it_goes_on_where_it_stopped(engine: MemoryEngine, heads: MemoryHeads) -> None:
    scrub, stages = scrub_of(heads), []
    while scrub.place.passes < 1:
        stages.append(scrub.place.stage)
        scrub.slice(engine.reading, never, 8)
        # Another process takes over.
        scrub = scrub_of(heads, scrub.resume_at())

    assert list(dict.fromkeys(stages)) == list(STAGES)
    assert stages.count(STAGES[0]) == 2


def test_a_resumed_scrub_finds_what_was_damaged_meanwhile(
    engine: MemoryEngine, heads: MemoryHeads
) -> None:
    scrub = scrub_of(heads)
    scrub.slice(engine.reading, never, 1)
    spoils.lose_receipt(engine)

    resumed = scrub_of(heads, scrub.resume_at())

    assert Fault.DOCUMENT_MISSING in faults(one_pass(resumed, engine))


def test_what_is_answered_while_it_looks_is_no_fault(heads: MemoryHeads) -> None:
    engine, bench = many(3, heads)
    scrub = scrub_of(heads)
    scrub.slice(engine.reading, never, 1)
    lane = bench.vault.lane(BANK, after=-1, limit=9)
    bench.deliver(*[PeerAnswer(sequence=row.sequence, leaf=9) for row in lane])

    found = [scrub.slice(engine.reading, never, 1) for _ in range(20)]

    assert scrub.place.passes == 1 or scrub.place.stage != STAGES[0]
    assert [report.findings for report in found if report.findings] == []
    bench.vault.close()


def test_a_scrub_waits_at_the_leaf_that_was_not_explained_yet(
    heads: MemoryHeads,
) -> None:
    engine, bench = many(3, heads)
    lane = bench.vault.lane(BANK, after=-1, limit=9)
    bench.deliver(*[PeerAnswer(sequence=row.sequence, leaf=9) for row in lane])
    scrub = scrub_of(heads)
    scrub.slice(engine.reading, never, 4)

    assert scrub.place.leaf == 4
    assert scrub.resume_at().leaf == 1  # the first that was sent
    bench.vault.close()


def test_a_withdrawn_voucher_is_no_missing_entry(heads: MemoryHeads) -> None:
    engine, bench = many(1, heads)
    paper = voucher("77")
    bench.enter(paper)
    bench.one(Withdraw(key=paper.key, digest=paper.digest))

    assert one_pass(scrub_of(heads), engine, 1).findings == []
    bench.vault.close()


def test_a_slice_ends_when_its_time_is_over(
    engine: MemoryEngine, heads: MemoryHeads
) -> None:
    asked: list[bool] = []

    def expired() -> bool:
        asked.append(True)
        return len(asked) > 2

    assert scrub_of(heads).slice(engine.reading, expired, 64).size == 3
    # One item is looked at however late it is: otherwise nothing would ever be.
    assert scrub_of(heads).slice(engine.reading, lambda: True, 64).size == 1


@pytest.mark.parametrize("tree", LogTree)
@pytest.mark.parametrize(
    ("known", "fault"),
    [
        (None, Fault.HEAD_UNKNOWN),
        (TreeHead(1000, b"\1" * 32), Fault.HEAD_NEWER),
        (TreeHead(2, b"\1" * 32), Fault.HEAD_CONTRADICTED),
    ],
)
def test_each_root_is_compared_with_what_was_signed(
    engine: MemoryEngine,
    heads: MemoryHeads,
    tree: LogTree,
    known: TreeHead | None,
    fault: Fault,
) -> None:
    origin = tree.origin(ORIGIN)
    del heads._heads[origin]
    if known is not None:
        heads.replace(None, KnownHead(origin=origin, head=known, note=b"x"))

    assert faults(one_pass(scrub_of(heads), engine)) == {fault}


def test_a_copy_of_a_receipt_is_sound(heads: MemoryHeads) -> None:
    engine, bench = many(1, heads)
    paper = voucher("7", issuer=BANK, to=(TREASURY,))
    receipt = step(DocumentKind.RECEIPT, paper, by=TREASURY)
    copy = replace(receipt, recipients=(BANK, FINANCE), encloses=True)
    bench.arrive(copy, carrier=TREASURY, hosted=(FINANCE,))
    assert [entry.role for entry in engine._entries.values()][-1] is Role.COPY

    assert one_pass(scrub_of(heads), engine).findings == []
    bench.vault.close()


def test_a_leaf_that_changed_nothing_is_not_where_a_voucher_stands(
    heads: MemoryHeads,
) -> None:
    engine, bench = many(0, heads)
    paper = voucher("4", issuer=BANK, to=(FINANCE,))
    bench.arrive(paper)
    bench.enter(step(DocumentKind.ACCEPTANCE, paper, by=FINANCE))
    (row,) = bench.vault.lane(BANK, after=-1, limit=9)
    bench.deliver(PeerAnswer(sequence=row.sequence, leaf=9))
    assert one_pass(scrub_of(heads), engine).findings == []
    ((key, entry),) = engine._entries.items()
    last = replace(entry.passages[0], leaf=len(engine._rows) - 1)
    engine._entries[key] = replace(entry, passages=(last,))

    assert faults(one_pass(scrub_of(heads), engine)) == {Fault.ENTRY_CHANGED}
    bench.vault.close()


def test_what_nothing_explained_is_told_before_the_pass_is_over(
    heads: MemoryHeads,
) -> None:
    engine, bench = many(2, heads)
    engine._lanes.clear()
    scrub = scrub_of(heads)
    assert scrub.slice(engine.reading, never, 1).findings == []
    for number in range(10, 20):
        bench.enter(voucher(f"{number}"), send=True)

    (finding,) = scrub.slice(engine.reading, never, 3).findings

    assert (finding.fault, finding.index) == (Fault.LANE_MISSING, 0)
    assert scrub.place.stage == STAGES[0]
    bench.vault.close()
