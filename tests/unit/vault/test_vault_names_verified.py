"""The index of who names whom is proved from the documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.refusals import SealForged, VaultCorrupt
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.records import (
    common_name_of,
    reference_key,
    split_reference_key,
)
from counterfoil.vault.verify import Judge, verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    ORIGIN,
    SMALL,
    Bench,
    open_vault,
    recorded,
    voucher,
)

NAMED = voucher("1", issuer=BANK, to=(FINANCE,))
NAMING = replace(
    voucher("2"),
    names=(
        Naming(
            types=(5201, 8202),
            number="1",
            amount_fen=10_000,
            path="ori_voucher_no",
            need=ReferenceNeed.HELD,
            measure=ReferenceMeasure.EQUAL,
            once=True,
        ),
    ),
)
PAPERS = {paper.sealed: paper for paper in (NAMED, NAMING)}


@dataclass
class Kept:
    """A vault that holds a voucher and one that names it."""

    engine: MemoryEngine
    bench: Bench

    @property
    def keys(self) -> list[bytes]:
        return sorted(self.engine._references)

    def check(self, judge: Judge | None) -> Report:
        with self.engine.reading() as reading:
            return verify_vault(reading, origin=ORIGIN, judge=judge)


def judged(sealed: bytes, leaf: Leaf, names: object) -> Document | None:
    del leaf, names
    return PAPERS[sealed]


@pytest.fixture
def kept() -> Iterator[Kept]:
    engine = MemoryEngine()
    bench = Bench(open_vault(engine))
    recorded(bench.arrive(NAMED, carrier=BANK, hosted=(FINANCE,)).outcomes[0])
    recorded(bench.enter(NAMING))
    yield Kept(engine, bench)
    bench.vault.close()


def test_a_name_stands_under_each_kind_that_may_be_meant(kept: Kept) -> None:
    names = [split_reference_key(key) for key in kept.keys]

    assert names == [
        (b"330000\x002026\x005201\x001\x00", 1),
        (b"330000\x002026\x008202\x001\x00", 1),
    ]
    assert kept.check(judged).findings == []


def lose(kept: Kept) -> None:
    del kept.engine._references[kept.keys[0]]


def change(kept: Kept) -> None:
    kept.engine._references[kept.keys[0]] = 1


def add(kept: Kept) -> None:
    kept.engine._references[reference_key(b"330000\x002026\x005201\x007\x00", 1)] = 1


def add_of_nobody(kept: Kept) -> None:
    kept.engine._references[reference_key(b"330000\x002026\x005201\x007\x00", 99)] = 1


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lose, Fault.REFERENCE_MISSING),
        (change, Fault.REFERENCE_CHANGED),
        (add, Fault.REFERENCE_STRAY),
        (add_of_nobody, Fault.REFERENCE_STRAY),
    ],
)
def test_each_fault_of_the_index_is_named(
    kept: Kept, spoil: Callable[[Kept], None], fault: Fault
) -> None:
    spoil(kept)

    assert [one.fault for one in kept.check(judged).findings] == [fault]


def test_of_documents_that_nobody_judged_nothing_is_said(kept: Kept) -> None:
    def undetermined(_sealed: bytes, _leaf: Leaf, _names: object) -> None:
        return None

    def forged(sealed: bytes, leaf: Leaf, names: object) -> Document | None:
        if sealed == NAMING.sealed:
            raise SealForged("it does not hold", check="4")
        return judged(sealed, leaf, names)

    assert kept.check(None).findings == []
    assert kept.check(undetermined).findings == []
    assert [one.fault for one in kept.check(forged).findings] == [Fault.SEAL_REFUSED]


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_damaged_name_is_found_and_nobody_judges_by_it(tmp_path: Path) -> None:
    engine = LmdbEngine(tmp_path / "vault", SMALL)
    bench = Bench(open_vault(engine))
    recorded(bench.arrive(NAMED, carrier=BANK, hosted=(FINANCE,)).outcomes[0])
    recorded(bench.enter(NAMING))
    txn, tables = engine.begin()
    with txn, txn.cursor(tables.references) as cursor:
        assert cursor.first()
        key, record = cursor.item()
        txn.put(key, record[:-1] + b"\x7f", db=tables.references)

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, judge=judged)
        with pytest.raises(VaultCorrupt):
            reading.references(split_reference_key(key)[0])

    assert [one.fault for one in report.findings] == [Fault.REFERENCE_CHANGED]
    bench.vault.close()


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_name_of_no_voucher_is_not_judged_by(kept: Kept) -> None:
    kept.engine._references[reference_key(common_name_of(kept.keys[0]), 99)] = 1
    another = replace(voucher("3"), names=NAMING.names)

    with pytest.raises(VaultCorrupt, match="of no voucher"):
        kept.bench.enter(another)
