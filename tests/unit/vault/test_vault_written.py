"""What the writer knows from its last commits changes nothing that it decides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import (
    Arrive,
    Deed,
    Deliver,
    Enter,
    Outcome,
    PeerAnswer,
    Send,
    Withdraw,
)
from counterfoil.domain.standing import Role
from counterfoil.vault.custody import apply
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.records import book_key
from counterfoil.vault.transaction import Transaction
from counterfoil.vault.written import SUMS_MAX, Written
from tests.contract.vaults import BANK, FINANCE, LANES, UNFOUNDED, step, voucher

SENT, OTHER, KEPT = (voucher(str(number)) for number in range(3))
RECEIPT = step(DocumentKind.RECEIPT, SENT)


def groups() -> Iterator[list[Deed]]:
    """Yield what each commit holds: every act meets what the one before it wrote."""
    yield [Enter(document=one, lanes=LANES, send=True) for one in (SENT, OTHER)]
    yield [Enter(document=KEPT, lanes=LANES)]
    yield [deliver(0, None, retryable=True), deliver(1, 7)]
    yield [deliver(1, 7), Enter(document=SENT, lanes=LANES, send=True)]
    yield [Arrive(carrier=BANK, documents=(RECEIPT,), hosted=frozenset({FINANCE}))]
    yield [deliver(0, 3), deliver(0, 3)]
    yield [Withdraw(key=KEPT.key, digest=KEPT.digest)]
    yield [Send(key=KEPT.key, digest=KEPT.digest, lanes=LANES)]
    yield [Enter(document=KEPT, lanes=LANES, send=True)]
    yield [deliver(8, None)]
    yield [Enter(document=KEPT, lanes=LANES, send=True), deliver(8, None)]


def deliver(sequence: int, leaf: int | None, *, retryable: bool = False) -> Deliver:
    reason = "" if leaf is not None else "NOT_A_RECIPIENT"
    answer = PeerAnswer(
        sequence=sequence, leaf=leaf, reason=reason, retryable=retryable
    )
    return Deliver(carrier=BANK, answers=(answer,), evidence=b"proof", not_before_us=9)


class Line:
    """A vault without a thread, and what it answered."""

    def __init__(self, records_max: int, sums_max: int = SUMS_MAX) -> None:
        self.engine = MemoryEngine()
        self.written = Written(UNFOUNDED, records_max, sums_max)
        self.answers: list[str] = []

    def commit(self, deeds: list[Deed]) -> None:
        with self.engine.writing() as writing:
            tx = Transaction(writing, 1_767_225_600_000_000, self.written)
            for deed in deeds:
                self.answers += [told(one) for one in apply(tx, deed).outcomes]
            batch = tx.batch()
            writing.commit(batch)
            self.written.committed(batch)

    def state(self) -> tuple[object, ...]:
        reading = self.engine
        return (
            self.answers,
            reading.frontier().head(),
            list(reading.all_entries()),
            list(reading.all_lanes()),
            list(reading.all_buckets()),
        )


def told(outcome: Outcome) -> str:
    return f"{type(outcome).__name__} {outcome}"


@pytest.mark.parametrize("kept", [1, 8192])
def test_what_is_remembered_is_what_would_be_read(kept: int) -> None:
    reading, remembering = Line(0, 0), Line(kept, kept)

    for deeds in groups():
        reading.commit(deeds)
        remembering.commit(deeds)
        assert remembering.state() == reading.state()

    assert not list(reading.engine.all_lanes())
    assert not reading.written.entries
    assert not reading.written.lanes
    assert not reading.written.sums
    assert any("Recorded" in answer for answer in reading.answers)
    assert any("Recorded" not in answer for answer in reading.answers)


def test_the_oldest_are_let_go() -> None:
    line = Line(2)

    line.commit([Enter(document=SENT, lanes=LANES, send=True)])
    line.commit([Enter(document=one, lanes=LANES, send=True) for one in (OTHER, KEPT)])

    assert list(line.written.entries) == [
        book_key(paper.key.to_bytes(), Role.ISSUER) for paper in (OTHER, KEPT)
    ]
    assert list(line.written.lanes) == [(BANK, 1), (BANK, 2)]


def test_sums_are_let_go_too_and_stay_right() -> None:
    """There are 4,096 for each peer, and a gateway may have a hundred peers."""
    few, all_of_them = Line(8, 2), Line(8)
    papers = [voucher(f"S{number}") for number in range(40)]
    for paper in papers:
        for line in (few, all_of_them):
            line.commit([Enter(document=paper, lanes=LANES, send=True)])
            sequence = line.engine.size() - 1
            line.commit([deliver(sequence, sequence)])

    assert len(few.written.sums) == 2
    assert len(all_of_them.written.sums) > 2
    assert few.state() == all_of_them.state()
