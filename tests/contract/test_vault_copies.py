"""A receipt is copied to a party that is not the voucher's issuer (回单抄送)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Outcome, Read
from counterfoil.domain.document import Document
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.vault.engine import Engine
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    ORIGIN,
    TREASURY,
    Bench,
    make_engine,
    open_vault,
    recorded,
    step,
    voucher,
)

K = DocumentKind
HOSTED = (FINANCE,)
UNIT = "330000-101001"
"""Hosted on finance's gateway, as finance is."""


def copied(paper: Document, *, encloses: bool = True, content: str = "") -> Document:
    """The treasury's receipt of a bank's voucher, with a copy to finance."""
    receipt = step(K.RECEIPT, paper, by=TREASURY, content=content)
    return replace(receipt, recipients=(BANK, FINANCE), encloses=encloses)


def application(*to: str) -> Document:
    return voucher("A1", issuer=BANK, to=to)


def arrive(bench: Bench, document: Document, carrier: str = TREASURY) -> Outcome:
    return bench.arrive(document, carrier=carrier, hosted=HOSTED).outcomes[0]


def refused(outcome: object) -> str:
    return str(getattr(outcome, "reason", ""))


def test_a_voucher_that_was_never_held_is_known_by_its_copy(bench: Bench) -> None:
    paper = application(TREASURY)
    receipt = copied(paper)

    outcome = arrive(bench, receipt)

    assert recorded(outcome).standing is Standing.RECEIPTED
    entry = bench.vault.entry(paper.key, Role.COPY)
    assert entry is not None
    assert (entry.digest, entry.passages[0].recipient) == (paper.digest, FINANCE)
    assert bench.vault.entry(paper.key, Role.RECIPIENT) is None
    assert bench.vault.key_of(paper.digest) == paper.key
    (waits,) = bench.vault.waiting(FINANCE, after=-1, limit=9)
    assert waits.sealed == receipt.sealed


def test_a_recipient_that_gets_a_copy_stands_where_it_stood(bench: Bench) -> None:
    paper = application(TREASURY, FINANCE)
    arrive(bench, paper, BANK)
    bench.enter(step(K.ACCEPTANCE, paper, by=FINANCE))

    outcome = arrive(bench, copied(paper))

    assert recorded(outcome).new
    entry = bench.vault.entry(paper.key, Role.RECIPIENT)
    assert entry is not None
    assert entry.passages[0].standing is Standing.ACCEPTED
    assert entry.passages[0].receipt == b""
    assert bench.vault.entry(paper.key, Role.COPY) is None
    (waits,) = bench.vault.waiting(FINANCE, after=-1, limit=9)
    assert waits.leaf.kind is K.RECEIPT


@pytest.mark.refusal("REFERENCE_MISSING")
def test_a_copy_without_its_original_changes_nothing(bench: Bench) -> None:
    before = bench.unchanged()

    outcome = arrive(bench, copied(application(TREASURY), encloses=False))

    assert refused(outcome) == "REFERENCE_MISSING"
    assert bench.unchanged() == before


@pytest.mark.refusal("VOUCHER_KEY_REUSED")
def test_a_copy_about_other_bytes_of_the_number_is_refused(bench: Bench) -> None:
    arrive(bench, copied(application(TREASURY)))
    other = voucher("A1", issuer=BANK, to=(TREASURY,), content="something else")
    before = bench.unchanged()

    assert refused(arrive(bench, copied(other))) == "VOUCHER_KEY_REUSED"
    assert bench.unchanged() == before


def test_a_copy_that_comes_again_is_known(bench: Bench) -> None:
    receipt = copied(application(TREASURY))
    first = recorded(arrive(bench, receipt))
    size = bench.vault.size()

    again = recorded(arrive(bench, receipt))

    assert (again.leaf, again.new) == (first.leaf, False)
    assert bench.vault.size() == size


def test_a_copy_may_come_before_the_voucher_and_again_after_it(bench: Bench) -> None:
    paper = application(TREASURY, FINANCE)
    receipt = copied(paper)
    first = recorded(arrive(bench, receipt))

    arrive(bench, paper, BANK)
    again = recorded(arrive(bench, receipt))

    assert (again.leaf, again.new) == (first.leaf, False)
    received = bench.vault.entry(paper.key, Role.RECIPIENT)
    assert received is not None
    assert received.passages[0].standing is Standing.ARRIVED


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
def test_nobody_acts_on_what_is_only_a_copy(bench: Bench) -> None:
    paper = application(TREASURY)
    arrive(bench, copied(paper))
    before = bench.unchanged()

    for kind in (K.ACCEPTANCE, K.REJECTION, K.RETURN, K.RECEIPT, K.DISCARD):
        assert refused(bench.enter(step(kind, paper, by=FINANCE))) == (
            "VOUCHER_NOT_FOUND"
        )
    assert refused(bench.act(Act.BEGIN, paper, FINANCE)) == "VOUCHER_NOT_FOUND"
    assert bench.unchanged() == before


def answered_here(bench: Bench) -> tuple[Document, Document]:
    """A unit hosted here answers a bank's voucher, with a copy to its host."""
    paper = voucher("A3", issuer=BANK, to=(UNIT,))
    bench.arrive(paper, carrier=BANK, hosted=(FINANCE, UNIT))
    bench.enter(step(K.ACCEPTANCE, paper, by=UNIT))
    for act in (Act.BEGIN, Act.END_DONE):
        bench.act(act, paper, UNIT)
    receipt = replace(
        step(K.RECEIPT, paper, by=UNIT), recipients=(BANK, FINANCE), encloses=True
    )
    bench.enter(receipt)
    outcome = bench.arrive(receipt, carrier=FINANCE, hosted=(FINANCE, UNIT)).outcomes[0]
    assert recorded(outcome).new
    return paper, receipt


def test_a_copy_reaches_the_host_of_whoever_answered(bench: Bench) -> None:
    paper, receipt = answered_here(bench)

    copy = bench.vault.entry(paper.key, Role.COPY)
    assert copy is not None
    assert [passage.recipient for passage in copy.passages] == [FINANCE]
    (waits,) = bench.vault.waiting(FINANCE, after=-1, limit=9)
    assert waits.sealed == receipt.sealed
    assert bench.vault.waiting(UNIT, after=-1, limit=9) == []
    again = bench.arrive(receipt, carrier=FINANCE, hosted=(FINANCE, UNIT)).outcomes[0]
    assert not recorded(again).new


def beside_issuer(
    bench: Bench, number: str = "A4", *, encloses: bool = True
) -> tuple[Document, Document, Outcome]:
    """The bank answers a voucher of finance, with a copy to a unit hosted there."""
    paper = voucher(number, to=(BANK,))
    bench.enter(paper, send=True)
    receipt = replace(
        step(K.RECEIPT, paper), recipients=(FINANCE, UNIT), encloses=encloses
    )
    outcome = bench.arrive(receipt, carrier=BANK, hosted=(FINANCE, UNIT)).outcomes[0]
    return paper, receipt, outcome


def test_a_copy_reaches_whoever_is_hosted_beside_the_issuer(bench: Bench) -> None:
    paper, receipt, outcome = beside_issuer(bench)

    assert recorded(outcome).standing is Standing.CLOSED
    assert bench.standing(paper) is Standing.CLOSED
    copy = bench.vault.entry(paper.key, Role.COPY)
    assert copy is not None
    assert [passage.recipient for passage in copy.passages] == [UNIT]
    for party in (FINANCE, UNIT):
        (waits,) = bench.vault.waiting(party, after=-1, limit=9)
        assert waits.sealed == receipt.sealed
        (read,) = bench.perform(Read(party=party, leaves=(waits.leaf_index,)))
        assert [recorded(one).new for one in read.outcomes] == [True]


def test_it_is_proved_and_counted_once(bench: Bench) -> None:
    _, receipt, _ = beside_issuer(bench)
    size = bench.vault.size()

    again = bench.arrive(receipt, carrier=BANK, hosted=(FINANCE, UNIT))

    # The peer gets one place for one document, of the arrival and not of the copy.
    assert recorded(again.outcomes[0]).leaf == size - 3
    assert bench.vault.size() == size
    acts = [record.leaf.act for record in bench.vault.records(size - 3, 9)]
    assert acts == [Act.ARRIVE, Act.CLOSE, Act.ARRIVE]


@pytest.mark.refusal("REFERENCE_MISSING")
def test_without_its_original_nobody_gets_it(bench: Bench) -> None:
    paper, _, outcome = beside_issuer(bench, encloses=False)

    assert refused(outcome) == "REFERENCE_MISSING"
    assert bench.standing(paper) is Standing.SENT
    assert bench.vault.entry(paper.key, Role.COPY) is None
    assert bench.vault.waiting(UNIT, after=-1, limit=9) == []


@pytest.mark.parametrize("kind", ["memory", "lmdb"])
def test_a_vault_with_copies_verifies(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine: Engine = make_engine(kind, tmp_path_factory.mktemp("vault"))
    heads = MemoryHeads()
    bench = Bench(open_vault(engine, heads))
    arrive(bench, copied(application(TREASURY)))
    held = voucher("A2", issuer=BANK, to=(TREASURY, FINANCE))
    arrive(bench, held, BANK)
    arrive(bench, copied(held))
    answered_here(bench)
    beside_issuer(bench)

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)

    assert report.findings == []
    bench.vault.close()
