"""The record of refused calls: on disk before the answer, summed up, bound, watched."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.refusal_counts import PROMPT_MAX
from counterfoil.daemon.refusal_opening import open_record
from counterfoil.daemon.refusals import WATCH, RefusalRecord, hinted_leaf
from counterfoil.daemon.watch_sections import RefusalsSection
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultStopped
from counterfoil.domain.standing import Act
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.refusal_chain import read_chain
from counterfoil.vault.refusal_state import state_of

ORIGIN = "420000-011/refusals"
WHO, CERTIFICATE, SEAL = "urn:counterfoil:420000-011:person:manager", b"c" * 32, "/Seal"
REASON = "POST_REFUSED"
LONG_S = 60.0
SHORT_S = 0.05


@dataclass
class Room:
    """A gateway's state directory, its head store, and a log that takes bindings."""

    directory: Path
    settings: RefusalsSection = field(
        default_factory=lambda: RefusalsSection(summary_s=LONG_S)
    )
    heads: MemoryHeads = field(default_factory=MemoryHeads)
    log: list[tuple[bytes, bytes]] = field(default_factory=list)
    is_stopped: bool = False
    alerts: Alerts = field(init=False)

    def __post_init__(self) -> None:
        self.alerts = Alerts.load(self.directory)

    @property
    def path(self) -> Path:
        return self.directory / "refusals.jsonl"

    def leaf(self, index: int) -> Leaf:
        before, end = self.log[index]
        return Leaf(
            act=Act.BIND,
            kind=DocumentKind.REGISTRATION,
            time_us=1,
            subject=before,
            document=end,
            version=end,
            by="420000-011",
        )

    async def bind(self, end: bytes, before: bytes) -> int:
        if self.is_stopped:
            raise VaultStopped("the disk is gone")
        self.log.append((before, end))
        return len(self.log) - 1

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[RefusalRecord]:
        """Run the record of a gateway."""
        self.alerts = Alerts.load(self.directory)
        times = iter(range(1, 1_000_000))
        record = RefusalRecord(
            opened=open_record(
                self.path,
                self.heads,
                ORIGIN,
                rows_max=self.settings.rows_max,
                leaf=self.leaf,
                size=len(self.log),
                now_us=1,
                hint=hinted_leaf(self.alerts),
            ),
            heads=self.heads,
            origin=ORIGIN,
            settings=self.settings,
            alerts=self.alerts,
            now_us=lambda: next(times),
            bind=self.bind,
            size=lambda: len(self.log),
        )
        running = asyncio.create_task(record.run())
        try:
            # The first interval has begun.
            await until(lambda: record._looked_at > 0)
            yield record
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await record.close()

    def on_disk(self) -> dict[tuple[str, str], int]:
        """Return how many the file has now, by method and reason."""
        state = state_of(read_chain(self.path), self.settings.rows_max)
        counts: Counter[tuple[str, str]] = Counter()
        for row in state.rows:
            counts[row.method, row.reason] += row.count
        return dict(counts)

    def entries(self) -> int:
        return len(read_chain(self.path).entries)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; the test's time-out ends it."""
    while not holds():  # noqa: ASYNC110 -- a file on disk sets no event
        await asyncio.sleep(0.01)


@pytest.mark.clause("hubei-37c")
async def test_a_refusal_is_on_disk_before_it_is_answered(room: Room) -> None:
    async with room.recording() as record:
        for count, method in enumerate(("/A", "/B", "/C"), 1):
            await record.refused(WHO, CERTIFICATE, method, REASON)

            assert len(room.on_disk()) == count
            assert record.refusals()[0].method == method


async def test_the_same_again_costs_no_writing_until_the_interval_ends(
    room: Room,
) -> None:
    async with room.recording() as record:
        for _ in range(1000):
            await record.refused(WHO, CERTIFICATE, SEAL, REASON)

        assert room.on_disk() == {(SEAL, REASON): 1}
        assert room.entries() == 2
        (row,) = record.refusals()
        assert (row.count, row.place) == (1000, 1)

    # Who stops a gateway loses nothing; who kills it, the count since.
    assert room.on_disk() == {(SEAL, REASON): 1000}
    assert room.entries() == 3


async def test_counts_are_summed_up_when_the_interval_ends(room: Room) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S)
    async with room.recording() as record:
        for _ in range(10):
            await record.refused(WHO, CERTIFICATE, SEAL, REASON)
        await until(lambda: room.on_disk() == {(SEAL, REASON): 10})


async def test_those_who_are_refused_together_are_written_together(room: Room) -> None:
    async with room.recording() as record:
        calls = [
            record.refused(f"CN={n}", CERTIFICATE, SEAL, REASON) for n in range(500)
        ]
        await asyncio.gather(*calls)

        assert sum(room.on_disk().values()) == 500
        assert len(record.refusals()) == 500


@pytest.mark.clause("hubei-37c")
async def test_whoever_floods_is_summed_up_and_not_stored_one_by_one(
    room: Room,
) -> None:
    async with room.recording() as record:
        for number in range(500):
            await record.refused(WHO, CERTIFICATE, f"/{number}", REASON)
        await record.refused("CN=other", CERTIFICATE, SEAL, REASON)

        rows = record.refusals()
        assert len(rows) == PROMPT_MAX + 2
        assert sum(row.count for row in rows) == 501
        (summed,) = (row for row in rows if not row.method)
        assert (summed.identity, summed.count) == (WHO, 500 - PROMPT_MAX)
        assert room.on_disk()[SEAL, REASON] == 1


async def test_the_file_keeps_its_bound_whoever_calls_how_often(room: Room) -> None:
    room.settings = RefusalsSection(
        rows_max=4, file_bytes_max=4 * 4096, summary_s=LONG_S
    )
    sizes = set()
    async with room.recording() as record:
        for number in range(300):
            await record.refused(f"CN={number}", CERTIFICATE, SEAL, REASON)
            files = room.directory.glob("refusals.*")
            sizes.add(sum(file.stat().st_size for file in files))

        assert max(sizes) <= room.settings.file_bytes_max
        assert record.end().entries > 300
        assert sum(row.count for row in record.refusals()) == 300
    assert sum(room.on_disk().values()) == 300


@pytest.mark.clause("hubei-37c")
async def test_the_end_is_bound_into_the_log_and_each_goes_on_from_the_last(
    room: Room,
) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S, bind_s=SHORT_S)
    async with room.recording() as record:
        assert record.end().bound_leaf is None
        await record.refused(WHO, CERTIFICATE, "/A", REASON)
        await until(lambda: record.end().bound_leaf == 0)
        await record.refused(WHO, CERTIFICATE, "/B", REASON)
        await until(lambda: record.end().bound_leaf == 1)
        # Nothing new, no leaf.
        await asyncio.sleep(6 * SHORT_S)
        assert len(room.log) == 2
    digests = read_chain(room.path).digests
    assert room.log[0][0] == bytes(32)
    assert room.log[1][0] == room.log[0][1]
    assert {end for _, end in room.log} <= set(digests)
    assert hinted_leaf(Alerts.load(room.directory)) == 1


async def test_what_a_process_left_unbound_the_next_one_binds_at_once(
    room: Room,
) -> None:
    async with room.recording() as record:
        await record.refused(WHO, CERTIFICATE, SEAL, REASON)
    assert room.log == []

    async with room.recording() as record:
        await until(lambda: record.end().bound_leaf == 0)


async def test_a_vault_that_does_not_write_is_tried_again(room: Room) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S, bind_s=SHORT_S)
    room.is_stopped = True
    async with room.recording() as record:
        await record.refused(WHO, CERTIFICATE, SEAL, REASON)
        await asyncio.sleep(4 * SHORT_S)
        assert record.end().bound_leaf is None
        room.is_stopped = False
        await until(lambda: record.end().bound_leaf == 0)


@pytest.mark.clause("hubei-37a2")
@pytest.mark.parametrize("act", ["unlink", "truncate", "change"])
async def test_a_file_that_is_touched_under_a_running_gateway_is_told_and_mended(
    room: Room, act: str, caplog: pytest.LogCaptureFixture
) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S, bind_s=SHORT_S)
    async with room.recording() as record:
        await record.refused(WHO, CERTIFICATE, SEAL, REASON)
        with caplog.at_level(logging.ERROR, "counterfoil.alerts"):
            if act == "unlink":
                room.path.unlink()
            elif act == "truncate":
                room.path.write_bytes(room.path.read_bytes()[:-9])
            else:
                content = room.path.read_bytes()
                room.path.write_bytes(content.replace(b"/Seal", b"/Seel"))
            await until(lambda: bool(record.end().broken_us))
            await until(lambda: bool(room.alerts.about(AlertCode.REFUSALS_ALTERED)))

        assert [one.__dict__["alert"] for one in caplog.records] == ["REFUSALS_ALTERED"]
        # What it knew it has written again.
        await until(lambda: room.on_disk() == {(SEAL, REASON): 1})


async def test_an_alert_is_over_when_the_officer_was_told(room: Room) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S)
    async with room.recording() as record:
        await record.refused(WHO, CERTIFICATE, SEAL, REASON)
    room.path.unlink()

    for _ in range(2):  # and not before, whoever starts the gateway how often
        async with room.recording() as record:
            await until(lambda: bool(room.alerts.about(AlertCode.REFUSALS_ALTERED)))
            assert len(record.end().broken_us) == 1
    async with room.recording() as record:
        record.told()
        await until(lambda: not room.alerts.about(AlertCode.REFUSALS_ALTERED))
    async with room.recording() as record:
        await asyncio.sleep(4 * SHORT_S)
        assert room.alerts.about(AlertCode.REFUSALS_ALTERED) == []
        assert len(record.end().broken_us) == 1


@pytest.mark.clause("hubei-37a2")
async def test_a_leaf_that_names_an_end_that_it_never_had_is_told_once(
    room: Room,
) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S, bind_s=SHORT_S)
    room.log.append((bytes(32), b"x" * 32))  # by a record that was removed since
    async with room.recording() as record:
        for _ in range(3):
            record.saw_binding(0, b"x" * 32, goes_on=True)
            await asyncio.sleep(3 * SHORT_S)
        await until(lambda: len(record.end().broken_us) == 1)
        # From here on the log goes on from what it has.
        await until(lambda: record.end().bound_leaf == 1)
        assert room.log[1][0] == b"x" * 32


@pytest.mark.clause("hubei-37a2")
async def test_a_leaf_that_does_not_go_on_from_the_one_before_is_told_once(
    room: Room,
) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S, bind_s=SHORT_S)
    async with room.recording() as record:
        await record.refused(WHO, CERTIFICATE, SEAL, REASON)
        await until(lambda: record.end().bound_leaf == 0)
        end = room.log[0][1]
        record.saw_binding(0, end, goes_on=True)
        await asyncio.sleep(3 * SHORT_S)
        assert record.end().broken_us == ()
        for _ in range(3):
            record.saw_binding(0, end, goes_on=False)
            await asyncio.sleep(3 * SHORT_S)
        assert len(record.end().broken_us) == 1


async def test_what_is_found_after_the_officer_was_told_is_told_again(
    room: Room,
) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S)
    async with room.recording() as record:
        await record.refused(WHO, CERTIFICATE, SEAL, REASON)
        room.path.unlink()
        await until(lambda: len(record.end().broken_us) == 1)
        record.told()
        await record._tell_broken("something else, before that is noted")
        await asyncio.sleep(4 * SHORT_S)
        assert room.alerts.about(AlertCode.REFUSALS_ALTERED) == [WATCH]
        record.told()
        await until(lambda: not room.alerts.about(AlertCode.REFUSALS_ALTERED))


async def test_a_disk_that_takes_nothing_is_an_alert_and_nobody_waits_for_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.settings = RefusalsSection(summary_s=SHORT_S)

    def full(*_: object) -> list[bytes]:
        raise OSError(errno.ENOSPC, "no space")

    async with room.recording() as record:
        with monkeypatch.context() as patched:
            patched.setattr(record._file.__class__, "append", full)
            await record.refused(WHO, CERTIFICATE, SEAL, REASON)
            await record.refused(WHO, CERTIFICATE, SEAL, REASON)
            assert room.alerts.about(AlertCode.REFUSALS_UNRECORDED) == [WATCH]
            assert [row.count for row in record.refusals()] == [2]
        # Nothing was forgotten.
        await until(lambda: room.on_disk() == {(SEAL, REASON): 2})
        await until(lambda: not room.alerts.about(AlertCode.REFUSALS_UNRECORDED))


async def test_who_hangs_up_while_the_disk_works_is_on_record(room: Room) -> None:
    async with room.recording() as record:
        asking = asyncio.create_task(record.refused(WHO, CERTIFICATE, SEAL, REASON))
        await asyncio.sleep(0)
        asking.cancel()
        await record.refused(WHO, CERTIFICATE, "/Send", REASON)

        assert room.on_disk()[SEAL, REASON] == 1


async def test_a_line_of_the_file_is_json_for_whoever_looks(room: Room) -> None:
    async with room.recording() as record:
        await record.refused("CN=某人" + "x" * 500, CERTIFICATE, SEAL, REASON)

    text = room.path.read_text("utf-8")
    stated = json.loads(text.splitlines()[1].partition(" ")[2])["refused"]
    assert stated["identity"].startswith("CN=某人x")
    assert len(stated["identity"]) == 256
    assert stated["reason"] == REASON
