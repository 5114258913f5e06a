"""A log that was written anew does not lead to the heads that were stamped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

import pytest

from counterfoil.app.prove import size_of
from counterfoil.app.time_stamps import StampedHead
from counterfoil.seal.timestamp_reading import question_for
from counterfoil.tlog.merkle import TreeHead
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.stamped_heads import check_stamped_heads
from tests.contract.vaults import ORIGIN, Bench, open_vault, voucher
from tests.time_stampers import TimeStamper, valid_now


@pytest.fixture(scope="module")
def stamper() -> TimeStamper:
    return TimeStamper.new(valid_now())


def note_of(head: TreeHead) -> bytes:
    """Return a checkpoint; its signatures are nobody's business here."""
    root = b64encode(head.root).decode()
    return f"{ORIGIN}\n{head.size}\n{root}\n\n— {ORIGIN} AAAAAAA=\n".encode()


def stamped(stamper: TimeStamper, checkpoint: bytes) -> StampedHead:
    question = question_for(sha256(checkpoint).digest(), nonce=1)
    return StampedHead(
        size=size_of(checkpoint),
        checkpoint=checkpoint,
        response=stamper.answer(question),
        time_us=1,
        accuracy_us=None,
    )


def log_of(
    stamper: TimeStamper, *numbers: str
) -> tuple[MemoryEngine, list[StampedHead]]:
    """Return a vault with vouchers of these numbers, stamped after each."""
    engine, heads = MemoryEngine(), []
    bench = Bench(open_vault(engine))
    for number in numbers:
        bench.enter(voucher(number))
        with engine.reading() as reading:
            head = reading.frontier().head()
        heads.append(stamped(stamper, note_of(head)))
    bench.vault.close()
    return engine, heads


def checked(
    engine: MemoryEngine, heads: Iterable[StampedHead]
) -> tuple[list[tuple[Fault, str]], list[int]]:
    report = Report()
    with engine.reading() as reading:
        worthless = check_stamped_heads(reading, ORIGIN, heads, report)
    return [(one.fault, one.detail) for one in report.findings], worthless


def test_a_log_that_only_grew_leads_to_all_its_stamped_heads(
    stamper: TimeStamper,
) -> None:
    engine, heads = log_of(stamper, "1", "2", "3")

    assert checked(engine, heads) == ([], [])


def test_a_log_that_was_written_anew_is_found(stamper: TimeStamper) -> None:
    _, heads = log_of(stamper, "1", "2", "3")
    other, _ = log_of(stamper, "1", "4", "3")

    found, worthless = checked(other, heads)

    assert [fault for fault, _ in found] == [Fault.HEAD_CONTRADICTED] * 2
    assert [detail for _, detail in found] == [
        "at 2 leaves, by a time stamp",
        "at 3 leaves, by a time stamp",
    ]
    assert worthless == []


def test_an_old_copy_is_found(stamper: TimeStamper) -> None:
    _, heads = log_of(stamper, "1", "2", "3")
    old, _ = log_of(stamper, "1", "2")

    assert checked(old, heads) == ([(Fault.HEAD_NEWER, "3 leaves stamped, 2 here")], [])


def test_what_was_not_stamped_so_accuses_nobody(stamper: TimeStamper) -> None:
    engine, (first, second) = log_of(stamper, "1", "2")
    _, (_, other) = log_of(stamper, "3", "4")
    heads = [
        replace(first, response=second.response),
        replace(second, checkpoint=other.checkpoint),
        replace(second, response=b"\0"),
        replace(second, checkpoint=b"no note"),
        # Of a log of another name, whatever it leads to.
        stamped(stamper, second.checkpoint.replace(b"/finance", b"/bank")),
    ]

    assert checked(engine, heads) == ([], [1, 2, 2, 2, 2])
