"""Rates end to end, between two gateways that are processes of their own.

End to end: submitted over the desk, checked, durable, delivered, checked, durable
at the peer, proof checked and durable at the sender, and both ledgers caught up.
Load, gateways and their workers share the machine's cores. What the gateways' callers
make is made before the clock starts: drafts, and the seals of persons.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization

from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc, standing_pb2
from counterfoil.office.signing import Person
from tests.bench.reviewing import ReviewedBatch, reviewed_batch
from tests.bench.vouchers import notices, payments
from tests.houses import BANK, FINANCE, UNIT, Process, Town

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_BATCH: Final = 64
_REVIEWED_BATCH: Final = 128
_LARGE_BATCH: Final = 8
"""Vouchers of 500 rows, 122 KB each, in a batch: as many as the 1 MiB of a delivered
batch hold, which is what a sender that has many of them hands over at a time."""
_STREAMS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one load came to.

    Attributes:
        vouchers: How many were carried.
        seconds: From the first submission until everything had caught up.
        cpu_us: CPU microseconds per voucher by process.
        growth_bytes: How much the sender's vault grew per voucher.
    """

    vouchers: int
    seconds: float
    cpu_us: dict[str, float]
    growth_bytes: float

    @property
    def rate(self) -> float:
        """Vouchers a second."""
        return self.vouchers / self.seconds


@dataclass(kw_only=True)
class Pair:
    """A finance department and a bank, running.

    Attributes:
        town: Their certificates and configuration.
        gateways: Their processes.
    """

    town: Town
    gateways: dict[str, Process] = field(default_factory=dict)

    @classmethod
    def start(
        cls, directory: Path, *, batch_seals: bool = False, sm2: bool = False
    ) -> Pair:
        """Make and start two gateways; with `sm2` both institutions seal with that."""
        batch = "true" if batch_seals else "false"
        town = Town(
            directory=directory,
            settings={"seal": f"batch = {batch}"},
            sm2=(FINANCE, BANK, UNIT) if sm2 else (),
        )
        town.initialise()
        pair = cls(town=town)
        for party in town.carriers:
            pair.gateways[party] = Process(town=town, party=party)
            pair.gateways[party].start()
        return pair

    def stop(self) -> None:
        """Stop both gateways."""
        for gateway in self.gateways.values():
            gateway.stop()

    async def notices(self, first: int, count: int) -> Run:
        """Carry entry notices: one institution seal each, from bank to unit."""
        drafts = list(notices(first, count))
        batches = [drafts[at : at + _BATCH] for at in range(0, count, _BATCH)]
        async with (
            self._measured(BANK, count) as run,
            self.town.channel(BANK) as channel,
        ):
            stub = desk_pb2_grpc.DeskServiceStub(channel)
            await asyncio.gather(
                *(_submit(stub, batches[at::_STREAMS]) for at in range(_STREAMS))
            )
        return run[0]

    async def payments(self, first: int, count: int, rows: int) -> Run:
        """Carry direct payments: two persons' seals and the institution's."""
        size = _REVIEWED_BATCH if rows < 100 else _LARGE_BATCH
        drafts = payments(first, count, rows)
        persons = [self._person("first"), self._person("second")]
        batches = [
            reviewed_batch(islice(drafts, size), persons) for _ in range(0, count, size)
        ]
        async with (
            self._measured(FINANCE, count) as run,
            self.town.channel(FINANCE) as system,
            self.town.channel(FINANCE, "person", "first") as first_desk,
            self.town.channel(FINANCE, "person", "second") as second_desk,
        ):

            async def carry(mine: Sequence[ReviewedBatch]) -> None:
                for batch in mine:
                    await batch.carry(system, [first_desk, second_desk])

            await asyncio.gather(
                *(carry(batches[at::_STREAMS]) for at in range(_STREAMS))
            )
        return run[0]

    def _person(self, name: str) -> Person:
        credential = self.town.ca.credential(FINANCE, "person", name)
        key = credential.load_key()
        return Person.from_pem(
            credential.chain_file.read_bytes(),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    async def latencies(self, first: int, count: int) -> list[float]:
        """Return the seconds from submission to proof of arrival, one at a time."""
        seconds = []
        async with self.town.channel(BANK) as channel:
            stub = desk_pb2_grpc.DeskServiceStub(channel)
            watch = stub.Watch(desk_pb2.WatchRequest())
            stream = stub.Submit()
            for number, draft in enumerate(notices(first, count), start=1):
                started = time.perf_counter()
                await stream.write(desk_pb2.SubmitRequest(batch=number, drafts=[draft]))
                await stream.read()
                await _arrival(watch)
                seconds.append(time.perf_counter() - started)
            watch.cancel()
            stream.cancel()
        return seconds

    @asynccontextmanager
    async def _measured(self, sender: str, count: int) -> AsyncIterator[list[Run]]:
        before = {name: _cpu_s(pids) for name, pids in self._processes().items()}
        own = time.process_time()
        vault = self.town.state(sender) / "vault" / "vault.lmdb"
        bytes_before = _used_bytes(vault)
        started = time.perf_counter()
        runs: list[Run] = []
        yield runs
        await self._caught_up(sender)
        seconds = time.perf_counter() - started
        cpu = {
            name: (_cpu_s(pids) - before[name]) / count * 1e6
            for name, pids in self._processes().items()
        }
        cpu["load"] = (time.process_time() - own) / count * 1e6
        runs.append(
            Run(
                vouchers=count,
                seconds=seconds,
                cpu_us=cpu,
                growth_bytes=(_used_bytes(vault) - bytes_before) / count,
            )
        )

    async def _caught_up(self, sender: str) -> None:
        """Wait until nothing is under way and both ledgers have it all.

        A search answers only when its ledger has taken in what was committed.
        """
        other = BANK if sender == FINANCE else FINANCE
        async with (
            self.town.channel(sender) as ours,
            self.town.channel(other) as theirs,
        ):
            stub = desk_pb2_grpc.DeskServiceStub(ours)
            sent = desk_pb2.SearchRequest(
                standings=[standing_pb2.STANDING_SENT], page_size=1
            )
            # Polled from outside, as an operator would: the gateway has no call
            # that says "nothing is under way".
            while (await stub.Search(sent)).found:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await desk_pb2_grpc.DeskServiceStub(theirs).Search(
                desk_pb2.SearchRequest(page_size=1)
            )

    def _processes(self) -> dict[str, list[int]]:
        """Return the processes of each gateway: itself and its workers."""
        found: dict[str, list[int]] = {}
        for party, process in self.gateways.items():
            name = "finance" if party == FINANCE else "bank"
            found[name] = [process.pid]
            found[f"{name} workers"] = _children(process.pid)
        return found


async def _submit(
    stub: desk_pb2_grpc.DeskServiceAsyncStub,
    batches: Sequence[Sequence[desk_pb2.Draft]],
) -> None:
    stream = stub.Submit()

    async def write() -> None:
        for number, batch in enumerate(batches, start=1):
            await stream.write(desk_pb2.SubmitRequest(batch=number, drafts=batch))
        await stream.done_writing()

    writing = asyncio.create_task(write())
    async for response in stream:
        for one in response.results:
            assert one.WhichOneof("result") == "done", one.refusal
    await writing


async def _arrival(watch: AsyncIterable[desk_pb2.WatchResponse]) -> None:
    async for response in watch:
        for change in response.changes:
            if change.standing == standing_pb2.STANDING_ARRIVED:
                return


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def _cpu_s(pids: Sequence[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def process_bytes(pid: int, name: str) -> int:
    """Return a process's memory by its name in `/proc/PID/status`, e.g. `RssAnon`."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _used_bytes(vault: Path) -> int:
    return vault.stat().st_size
