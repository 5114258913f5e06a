"""What the log witnessed of peers' logs, and what late documents rest on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import PeerAnswer, Recorded, Witness
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound, SealForged, VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.domain.witnessing import Earlier, EarlierProof, WitnessedHead
from counterfoil.tlog.merkle import leaf_hash, node_hash
from counterfoil.vault.findings import Fault
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.scrub import Place, Scrub
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    ORIGIN,
    SMALL,
    TREASURY,
    UNFOUNDED,
    Bench,
    open_vault,
    peer_checkpoint,
    recorded,
    voucher,
)

LATE, OTHER = (voucher(name, issuer=BANK, to=(FINANCE,)) for name in ("1", "2"))
K = DocumentKind


def entered(document: Document) -> bytes:
    """Return the leaf by which a document entered the bank's log."""
    return Leaf(
        act=Act.ENTER,
        kind=document.kind,
        time_us=1,
        subject=document.subject,
        document=document.digest,
        version=document.version,
        by=BANK,
    ).to_bytes()


LEFT, RIGHT = leaf_hash(entered(LATE)), leaf_hash(entered(OTHER))
ROOT = node_hash(LEFT, RIGHT)


def seen(root: bytes = ROOT, size: int = 2, by: str = BANK) -> Witness:
    return Witness(carrier=by, root=root, note=peer_checkpoint(root, size, by))


def late(head: WitnessedHead, **changes: object) -> Document:
    """Return a document that came late, with what shows that it is older."""
    proof = EarlierProof(
        witness=head.leaf, index=0, leaf=entered(LATE), hashes=(RIGHT,)
    )
    proof = replace(proof, **changes)  # type: ignore[arg-type]
    return replace(LATE, earlier=Earlier(time_us=head.time_us, proof=proof.to_bytes()))


def witnessed(bench: Bench) -> WitnessedHead:
    """Let a vault witness the bank's log."""
    recorded(bench.one(seen()))
    head = bench.vault.witnessed(BANK, 2**62)
    assert head is not None
    return head


def found(bench: Bench, ended_us: int = 0) -> list[tuple[Fault, int]]:
    """Return what is found, if certificates ended at an instant."""

    def judge(sealed: bytes, leaf: Leaf, names: object) -> Document | None:
        del names
        if ended_us and leaf.time_us > ended_us:
            raise SealForged("the certificate has ended", check="6", seat="0")
        return {one.sealed: one for one in (LATE, OTHER)}.get(sealed)

    with bench.vault.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, judge=judge, register=UNFOUNDED)
    return [(one.fault, one.index) for one in report.findings]


def test_a_witnessed_head_is_a_leaf_and_is_found_by_its_time(bench: Bench) -> None:
    bench.enter(voucher("9"))
    first = recorded(bench.one(seen()))
    later = recorded(bench.one(seen(b"l" * 32, 5)))
    theirs = recorded(bench.one(seen(b"t" * 32, 3, TREASURY)))

    leaf = bench.vault.leaf(first.leaf)
    assert (leaf.act, leaf.kind, leaf.by) == (Act.WITNESS, K.REGISTRATION, BANK)
    assert leaf.subject == leaf.document == ROOT
    assert Leaf.from_bytes(leaf.to_bytes()) == leaf
    assert [one.leaf for one in (first, later, theirs)] == [1, 2, 3]
    head = bench.vault.witnessed(BANK, first.time_us)
    assert head == bench.vault.witnessed_at(first.leaf)
    assert head == WitnessedHead(
        leaf=1, time_us=first.time_us, size=2, root=ROOT, note=peer_checkpoint(ROOT, 2)
    )
    assert bench.vault.witnessed(BANK, first.time_us - 1) is None
    for at_us, index in (
        (later.time_us - 1, 1),
        (later.time_us, 2),
        (2**62, 2),
    ):
        newest = bench.vault.witnessed(BANK, at_us)
        assert newest is not None
        assert newest.leaf == index
    assert bench.vault.witnessed(FINANCE, 2**62) is None
    assert bench.vault.records(1, 1)[0].changes == ()
    assert found(bench) == []


@pytest.mark.refusal("LEAF_NOT_FOUND")
def test_a_leaf_that_witnessed_nothing_has_no_head(bench: Bench) -> None:
    bench.enter(voucher("9"))

    for index in (0, 1):
        with pytest.raises(LeafNotFound):
            bench.vault.witnessed_at(index)


def test_the_same_head_again_and_another_in_the_same_instant_are_known(
    bench: Bench,
) -> None:
    first, second = bench.perform(seen(), seen(b"o" * 32, 9))
    again = bench.one(seen())

    assert [recorded(one.outcomes[0]).new for one in (first, second)] == [True, False]
    assert isinstance(again, Recorded)
    assert (again.new, again.leaf, bench.vault.size()) == (False, 0, 1)
    assert found(bench) == []


def test_what_a_late_document_rests_on_is_kept_with_it(bench: Bench) -> None:
    head = witnessed(bench)
    before = recorded(bench.arrive(OTHER).outcomes[0])
    document = late(head)
    arrived = recorded(bench.arrive(document).outcomes[0])

    assert document.earlier is not None
    assert bench.vault.earlier_proof(arrived.leaf) == document.earlier.proof
    assert bench.vault.earlier_proof(before.leaf) == b""
    assert found(bench, ended_us=before.time_us) == []
    # It rests on that alone.
    assert found(bench, ended_us=head.time_us - 1) == [
        (Fault.SEAL_REFUSED, before.leaf),
        (Fault.SEAL_REFUSED, arrived.leaf),
    ]


def test_evidence_of_deliveries_stands_beside_it(bench: Bench) -> None:
    ours = [voucher(name) for name in "78"]
    for each in ours:
        bench.enter(each, send=True)
    first, second = bench.vault.lane(BANK, after=-1, limit=9)
    head = witnessed(bench)
    one = bench.deliver(PeerAnswer(sequence=first.sequence, leaf=5))
    arrived = recorded(bench.arrive(late(head)).outcomes[0])
    two = bench.deliver(PeerAnswer(sequence=second.sequence, leaf=6), evidence=b"2")

    places = [recorded(answer.outcomes[0]).leaf for answer in (one, two)]
    assert [bench.vault.evidence(place) for place in places] == [b"proof", b"2"]
    assert bench.vault.earlier_proof(arrived.leaf)
    with bench.vault.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN)
    assert report.findings == []


@pytest.mark.parametrize(
    "changes",
    [
        {"leaf": entered(OTHER), "index": 1, "hashes": (LEFT,)},
        {"hashes": ()},
        {"hashes": (LEFT,)},
        {"index": 1},
        {"index": 2, "hashes": ()},
        {"leaf": b"no leaf"},
        {"witness": 1},
        {"witness": 2},
        {"witness": 99},
    ],
)
def test_a_late_document_that_rests_on_nothing_is_found(
    bench: Bench, changes: dict[str, object]
) -> None:
    head = witnessed(bench)
    arrived = recorded(bench.arrive(late(head, **changes)).outcomes[0])
    # Witnessed after it came: that says nothing of it.
    bench.one(seen(node_hash(LEFT, b"r" * 32), 3))

    assert found(bench, ended_us=head.time_us) == [
        (Fault.EARLIER_PROOF_BROKEN, arrived.leaf),
        (Fault.SEAL_REFUSED, arrived.leaf),
    ]


def lose_note(engine: MemoryEngine) -> None:
    del engine._evidence[0]


def change_note(engine: MemoryEngine) -> None:
    engine._evidence[0] = peer_checkpoint(b"x" * 32, 2)


def lose_index(engine: MemoryEngine) -> None:
    engine._witnessed.clear()


def add_to_index(engine: MemoryEngine) -> None:
    engine._witnessed[BANK, 7] = 0


def change_index(engine: MemoryEngine) -> None:
    (place,) = engine._witnessed
    engine._witnessed[place] = 1


@pytest.mark.parametrize(
    ("spoil", "faults"),
    [
        (lose_note, [Fault.WITNESS_CHANGED, Fault.EARLIER_PROOF_BROKEN]),
        (change_note, [Fault.WITNESS_CHANGED, Fault.EARLIER_PROOF_BROKEN]),
        (lose_index, [Fault.WITNESS_CHANGED]),
        (add_to_index, [Fault.WITNESS_CHANGED]),
        (change_index, [Fault.WITNESS_CHANGED]),
    ],
)
def test_each_change_of_what_was_witnessed_is_found(
    spoil: Callable[[MemoryEngine], None], faults: list[Fault]
) -> None:
    engine = MemoryEngine()
    bench = Bench(open_vault(engine))
    recorded(bench.arrive(late(witnessed(bench))).outcomes[0])
    assert found(bench) == []

    spoil(engine)

    assert [fault for fault, _ in found(bench)] == faults


@pytest.mark.parametrize("spoil", [lose_note, change_note])
def test_a_scrub_finds_a_head_that_was_changed(
    spoil: Callable[[MemoryEngine], None],
) -> None:
    engine, heads = MemoryEngine(), MemoryHeads()
    bench = Bench(open_vault(engine, heads))
    witnessed(bench)
    bench.vault.checkpoint()

    def scrubbed() -> list[Fault]:
        scrub = Scrub(origin=ORIGIN, heads=heads, parties=[FINANCE], place=Place())
        findings = []
        while not scrub.place.passes:
            findings += scrub.slice(engine.reading, lambda: False, 9).findings
        return [one.fault for one in findings]

    assert scrubbed() == []
    spoil(engine)
    assert scrubbed() == [Fault.WITNESS_CHANGED]


def test_a_log_that_became_shorter_was_not_witnessed_by_us(bench: Bench) -> None:
    bench.one(seen(b"l" * 32, 5))
    shorter = recorded(bench.one(seen()))
    # A leaf that names another root than its checkpoint has.
    other = Witness(carrier=BANK, root=b"y" * 32, note=peer_checkpoint(b"z" * 32, 9))
    wrong = recorded(bench.one(other))

    assert found(bench) == [
        (Fault.WITNESS_CHANGED, shorter.leaf),
        (Fault.WITNESS_CHANGED, wrong.leaf),
    ]


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_damaged_head_is_not_judged_by(tmp_path: Path) -> None:
    with LmdbEngine(tmp_path / "vault", SMALL) as engine:
        bench = Bench(open_vault(engine))
        witnessed(bench)
        txn, tables = engine.begin()
        with txn, txn.cursor(tables.evidence) as cursor:
            assert cursor.first()
            txn.put(cursor.key(), cursor.value() + b"!", db=tables.evidence)
        with pytest.raises(VaultCorrupt):
            bench.vault.witnessed(BANK, 2**62)
        txn, tables = engine.begin()
        with txn, txn.cursor(tables.witnessed) as cursor:
            assert cursor.first()
            record = bytes([cursor.value()[0] ^ 1]) + cursor.value()[1:]
            txn.put(cursor.key(), record, db=tables.witnessed)
        with pytest.raises(VaultCorrupt):
            bench.vault.witnessed(BANK, 2**62)
        assert (Fault.WITNESS_CHANGED, -1) in found(bench)
        bench.vault.close()
