"""The writer: groups, bounds, and what a defect or a failure may do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from counterfoil.domain.deeds import Deed, Enter, Send
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.refusals import VaultBusy, VaultStopped
from counterfoil.vault.engine import Batch, CannotBeStored, Writing
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.lmdb_records import KEY_BYTES_MAX
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.writer import WriterLimits
from tests.contract.vaults import LANES, SMALL, open_vault, recorded, run, voucher
from tests.doubles import kept


class SlowEngine(MemoryEngine):
    """Waits before each commit until it is let go, and counts commits."""

    def __init__(self) -> None:
        super().__init__()
        self.go = Event()
        self.commits = 0
        self.error: Exception | None = None

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        self.go.wait(10)
        yield self

    def commit(self, batch: Batch) -> None:
        if self.error is not None:
            raise self.error
        self.commits += 1
        super().commit(batch)


def enter(number: int) -> list[Enter]:
    return [Enter(document=voucher(str(number)), lanes=LANES)]


def test_calls_that_wait_share_one_commit() -> None:
    engine = SlowEngine()
    vault = open_vault(engine)

    async def many() -> list[int]:
        calls = [asyncio.create_task(vault.perform(enter(n))) for n in range(100)]
        await asyncio.sleep(0.05)
        engine.go.set()
        answers = await asyncio.gather(*calls)
        return [recorded(answer[0].outcomes[0]).leaf for answer in answers]

    assert run(many()) == list(range(100))
    assert engine.commits <= 3
    vault.close()


@pytest.mark.refusal("VAULT_BUSY")
def test_more_calls_than_agreed_are_refused() -> None:
    engine = SlowEngine()
    vault = open_vault(engine, limits=WriterLimits(waiting_max=2))

    async def many() -> list[object]:
        calls = [asyncio.create_task(vault.perform(enter(n))) for n in range(10)]
        await asyncio.sleep(0.05)
        engine.go.set()
        return list(await asyncio.gather(*calls, return_exceptions=True))

    answers = run(many())

    refused = [answer for answer in answers if isinstance(answer, VaultBusy)]
    assert refused
    assert vault.size() == 10 - len(refused)
    vault.close()


def test_a_defect_in_one_call_harms_no_other() -> None:
    engine = SlowEngine()
    vault = open_vault(engine)
    broken = Send(key=None, digest=b"", lanes=LANES)  # type: ignore[arg-type]

    async def three() -> list[object]:
        with_defect: list[Deed] = [*enter(2), broken]
        calls = [
            asyncio.create_task(vault.perform(deeds))
            for deeds in (enter(1), with_defect, enter(3))
        ]
        await asyncio.sleep(0.05)
        engine.go.set()
        return list(await asyncio.gather(*calls, return_exceptions=True))

    one, two, three_ = run(three())

    assert isinstance(one, list)
    assert isinstance(two, AttributeError)
    assert isinstance(three_, list)
    assert vault.size() == 2
    assert kept(vault, voucher("2").key) is None
    assert vault.stopped_reason == ""
    vault.close()


@pytest.mark.refusal("VAULT_STOPPED")
def test_after_a_failed_commit_nothing_is_written_though_the_disk_recovers() -> None:
    engine = SlowEngine()
    engine.go.set()
    vault = open_vault(engine)
    engine.error = OSError("fsync failed")

    with pytest.raises(VaultStopped):
        run(vault.perform(enter(1)))
    engine.error = None

    with pytest.raises(VaultStopped):
        run(vault.perform(enter(2)))
    assert engine.commits == 0
    assert "fsync failed" in vault.stopped_reason
    vault.close()


def test_a_call_that_was_given_up_harms_nobody() -> None:
    engine = SlowEngine()
    vault = open_vault(engine)

    async def give_up() -> None:
        call = asyncio.create_task(vault.perform(enter(1)))
        await asyncio.sleep(0.01)
        call.cancel()
        engine.go.set()
        await vault.perform(enter(2))

    run(give_up())

    assert vault.size() == 2
    vault.close()


def test_a_close_that_was_interrupted_is_finished_by_the_next() -> None:
    engine = SlowEngine()
    engine.go.set()
    vault = open_vault(engine)
    writer = vault._writer
    # As an interrupt leaves it between putting the word and waking the thread.
    writer._closed = True
    writer._queue.queue.append(None)

    closing = Thread(target=vault.close, daemon=True)
    closing.start()
    closing.join(10)

    assert not closing.is_alive()
    assert not writer._thread.is_alive()


def test_a_loop_that_closes_before_its_answer_harms_nobody() -> None:
    engine = SlowEngine()
    vault = open_vault(engine)

    async def leave() -> asyncio.Task[object]:
        call = asyncio.ensure_future(vault.perform(enter(1)))
        await asyncio.sleep(0.01)
        return call

    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(leave())
    loop.close()
    engine.go.set()
    run(vault.perform(enter(2)))

    assert vault.size() == 2
    assert not left.done()
    vault.close()


def test_what_cannot_be_written_down_costs_its_own_call_only(tmp_path: Path) -> None:
    vault = open_vault(LmdbEngine(tmp_path, SMALL))
    # More than any layout holds; nothing that the contract takes is like that.
    huge = [
        Enter(document=replace(voucher("2"), amount_fen=2**63), lanes=LANES),
        *enter(4),
    ]

    async def three() -> list[object]:
        calls = [
            asyncio.create_task(vault.perform(deeds))
            for deeds in (enter(1), huge, enter(3))
        ]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    one, two, three_ = run(three())

    assert isinstance(one, list)
    assert isinstance(two, CannotBeStored)
    assert isinstance(three_, list)
    assert vault.stopped_reason == ""
    # Neither it nor what came with it, and what comes later is written as ever.
    assert [kept(vault, voucher(n).key) for n in "24"] == [None, None]
    assert recorded(run(vault.perform(enter(5)))[0].outcomes[0]).leaf == 2
    assert vault.size() == 3
    vault.close()


def test_a_key_that_is_too_long_for_the_engine_costs_its_own_call_only(
    tmp_path: Path,
) -> None:
    vault = open_vault(LmdbEngine(tmp_path, SMALL))
    longest = Naming(
        types=(5201,),
        number="9" * KEY_BYTES_MAX,
        amount_fen=1,
        path="ori_voucher_no",
        need=ReferenceNeed.NOTHING,
        measure=ReferenceMeasure.PART,
        once=False,
        lapses=False,
    )
    document = replace(voucher("1"), names=(longest,))

    with pytest.raises(CannotBeStored, match="too long"):
        run(vault.perform([Enter(document=document, lanes=LANES)]))

    assert vault.stopped_reason == ""
    assert recorded(run(vault.perform(enter(1)))[0].outcomes[0]).leaf == 0
    vault.close()
