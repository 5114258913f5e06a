"""A leaf that names an end of the record of refused calls, and changes nothing else."""

from __future__ import annotations

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Bind, Recorded
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.scrub import Place, Scrub
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import FINANCE, ORIGIN, Bench, open_vault, voucher

FIRST, SECOND, ZERO = b"1" * 32, b"2" * 32, bytes(32)


def bound(*deeds: Bind) -> tuple[Bench, MemoryEngine, MemoryHeads]:
    """Return a vault with a voucher behind each binding."""
    heads, engine = MemoryHeads(), MemoryEngine()
    bench = Bench(open_vault(engine, heads))
    for number, deed in enumerate(deeds):
        outcome = bench.one(deed)
        assert isinstance(outcome, Recorded)
        bench.enter(voucher(number=str(number)))
    return bench, engine, heads


def seen(
    engine: MemoryEngine, heads: MemoryHeads, place: Place | None = None
) -> tuple[list[tuple[int, bytes, bool]], Report]:
    """Return the bindings that a whole pass tells of, and what it found."""
    told: list[tuple[int, bytes, bool]] = []
    scrub = Scrub(
        origin=ORIGIN,
        heads=heads,
        parties=[FINANCE],
        saw_binding=lambda *binding: told.append(binding),
        place=place or Place(),
    )
    found = Report()
    while scrub.place.passes == 0:
        found.findings += scrub.slice(engine.reading, lambda: False, 1).findings
    return told, found


def test_a_binding_is_a_leaf_of_our_own_without_a_document() -> None:
    bench, engine, heads = bound(Bind(end=FIRST, before=ZERO))
    leaf = bench.vault.leaf(0)

    assert (leaf.act, leaf.kind) == (Act.BIND, DocumentKind.REGISTRATION)
    assert (leaf.subject, leaf.document, leaf.version) == (ZERO, FIRST, FIRST)
    assert Leaf.from_bytes(leaf.to_bytes()) == leaf
    assert bench.vault.lane_lengths() == {}
    with engine.reading() as reading:
        assert verify_vault(reading, origin=ORIGIN).findings == []
        assert reading.document(0) is None
    (record, _) = bench.vault.records(0, 2)
    assert (record.leaf, record.changes) == (leaf, ())
    assert bench.vault.registrations(after=-1, limit=9) == []
    assert seen(engine, heads)[1].findings == []


def test_a_scrub_tells_whether_a_binding_goes_on_from_the_one_before() -> None:
    _, engine, heads = bound(
        Bind(end=FIRST, before=ZERO), Bind(end=SECOND, before=FIRST)
    )
    told, found = seen(engine, heads)
    assert told == [(0, FIRST, True), (2, SECOND, True)]
    assert found.findings == []
    # Where a pass is resumed, what came before is not known.
    assert seen(engine, heads, Place(leaf=1))[0] == [(2, SECOND, True)]

    _, engine, heads = bound(
        Bind(end=FIRST, before=ZERO), Bind(end=SECOND, before=ZERO)
    )
    assert seen(engine, heads)[0] == [(0, FIRST, True), (2, SECOND, False)]
    _, engine, heads = bound(Bind(end=SECOND, before=FIRST))
    assert seen(engine, heads)[0] == [(0, SECOND, False)]


def test_a_binding_that_claims_more_than_its_leaf_is_found() -> None:
    _, engine, _ = bound(Bind(end=FIRST, before=ZERO))
    row = engine._rows[0]
    row.carriers = ("420000-102",)

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN)
    assert Fault.ROW_CHANGED in {one.fault for one in report.findings}
