"""Issuer and recipient in one vault: both sides of a voucher, each as it stands."""

from __future__ import annotations

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Committed, Deliver, PeerAnswer
from counterfoil.domain.document import Document
from counterfoil.domain.standing import Act, Role, Standing
from counterfoil.vault.engine import Engine
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    FINANCE,
    ORIGIN,
    Bench,
    make_engine,
    open_vault,
    recorded,
    step,
    voucher,
)

K = DocumentKind
UNIT = "330000-101001"
"""Hosted on finance's gateway, as finance is."""
HOSTED = (FINANCE, UNIT)
TO_OURSELVES = {FINANCE: FINANCE, UNIT: FINANCE}


@pytest.fixture
def application(bench: Bench) -> Document:
    """An application of the unit to finance that has arrived there."""
    paper = voucher(issuer=UNIT, to=(FINANCE,))
    bench.enter(paper, send=True, lanes=TO_OURSELVES)
    carry(bench, paper)
    return paper


def carry(bench: Bench, *documents: Document) -> Committed:
    """Let what waits in the lane to ourselves arrive, and record the answers."""
    waiting = bench.vault.lane(FINANCE, after=-1, limit=9)
    assert [item.sealed for item in waiting] == [one.sealed for one in documents]
    arrived = bench.arrive(*documents, carrier=FINANCE, hosted=HOSTED)
    answers = [
        PeerAnswer(sequence=item.sequence, leaf=arrived.first_leaf + at)
        for at, item in enumerate(waiting)
    ]
    bench.perform(
        Deliver(
            carrier=FINANCE, answers=tuple(answers), evidence=b"proof", not_before_us=0
        )
    )
    return arrived


def standings(bench: Bench, paper: Document) -> tuple[Standing, Standing]:
    """Return where a voucher stands on the issuer's and on the recipient's side."""
    entries = [bench.vault.entry(paper.key, role) for role in Role]
    issued, received = (
        entry.passages[0].standing for entry in entries if entry is not None
    )
    return issued, received


def test_both_sides_stand_side_by_side(bench: Bench, application: Document) -> None:
    assert standings(bench, application) == (Standing.ARRIVED, Standing.ARRIVED)
    assert bench.vault.key_of(application.digest) == application.key
    assert bench.vault.lane_lengths() == {}
    (waits,) = bench.vault.waiting(FINANCE, after=-1, limit=9)
    assert waits.sealed == application.sealed
    assert bench.vault.waiting(UNIT, after=-1, limit=9) == []


def test_a_step_of_the_recipient_reaches_the_issuer(
    bench: Bench, application: Document
) -> None:
    acceptance = step(K.ACCEPTANCE, application, by=FINANCE)

    bench.enter(acceptance, lanes=TO_OURSELVES)

    assert standings(bench, application) == (Standing.ARRIVED, Standing.ACCEPTED)
    carry(bench, acceptance)
    assert standings(bench, application) == (Standing.ACCEPTED, Standing.ACCEPTED)


def test_a_return_is_refused_once_the_recipient_has_begun(
    bench: Bench, application: Document
) -> None:
    acceptance = step(K.ACCEPTANCE, application, by=FINANCE)
    bench.enter(acceptance, lanes=TO_OURSELVES)
    carry(bench, acceptance)
    recorded(bench.act(Act.BEGIN, application, FINANCE))
    before = bench.unchanged()

    outcome = bench.enter(step(K.RETURN, application, by=FINANCE), lanes=TO_OURSELVES)

    assert getattr(outcome, "reason", "") == "ACTING_BEGUN"
    assert bench.unchanged() == before
    assert standings(bench, application) == (Standing.ACCEPTED, Standing.ACTING)


def test_each_side_takes_its_own_steps_only(
    bench: Bench, application: Document
) -> None:
    before = bench.unchanged()

    for kind, by in ((K.ACCEPTANCE, UNIT), (K.DISCARD, FINANCE)):
        outcome = bench.enter(step(kind, application, by=by), lanes=TO_OURSELVES)
        assert getattr(outcome, "reason", "") == "VOUCHER_NOT_FOUND"

    assert bench.unchanged() == before


def test_sending_again_is_known_on_both_sides(
    bench: Bench, application: Document
) -> None:
    size = bench.vault.size()

    again = bench.arrive(application, carrier=FINANCE, hosted=HOSTED)
    entered = bench.enter(application, send=True, lanes=TO_OURSELVES)

    assert not recorded(again.outcomes[0]).new
    assert not recorded(entered).new
    assert bench.vault.size() == size


def test_a_used_number_is_used_on_both_sides(
    bench: Bench, application: Document
) -> None:
    other = voucher(issuer=UNIT, to=(FINANCE,), content="something else")
    before = bench.unchanged()

    entered = bench.enter(other, send=True, lanes=TO_OURSELVES)
    arrived = bench.arrive(other, carrier=FINANCE, hosted=HOSTED)

    assert getattr(entered, "reason", "") == "VOUCHER_KEY_REUSED"
    assert getattr(arrived.outcomes[0], "reason", "") == "VOUCHER_KEY_REUSED"
    assert bench.unchanged() == before


@pytest.mark.parametrize("kind", ["memory", "lmdb"])
def test_a_vault_with_both_sides_verifies(
    kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine: Engine = make_engine(kind, tmp_path_factory.mktemp("vault"))
    heads = MemoryHeads()
    bench = Bench(open_vault(engine, heads))
    paper = voucher(issuer=UNIT, to=(FINANCE,))
    bench.enter(paper, send=True, lanes=TO_OURSELVES)
    carry(bench, paper)
    receipt = step(K.RECEIPT, paper, by=FINANCE)
    acceptance = step(K.ACCEPTANCE, paper, by=FINANCE)
    bench.enter(acceptance, lanes=TO_OURSELVES)
    carry(bench, acceptance)
    recorded(bench.act(Act.BEGIN, paper, FINANCE))
    recorded(bench.act(Act.END_DONE, paper, FINANCE))
    bench.enter(receipt, lanes=TO_OURSELVES)
    carry(bench, receipt)
    assert standings(bench, paper) == (Standing.CLOSED, Standing.RECEIPTED)

    with engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, heads=heads)

    assert report.findings == []
    bench.vault.close()
