"""Two gateways under load that are killed again and again, and the reckoning after."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from counterfoil.app.ports import LogRecord
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.keys import load_head_signers
from counterfoil.daemon.stores import open_heads, open_vault
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.party import origin_of
from counterfoil.domain.standing import Act
from counterfoil.office import AsyncDesk, Done, OfficeError, Outcome, Patience
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.vault.verify import verify_vault
from tests.houses import BANK, FINANCE, UNIT, Town, environment
from tests.integration.papers import notice
from tests.scenario.killable import Phase, Register

_ROOT = Path(__file__).parents[2]
_BATCH = 4
_HIT_S = 90.0
"""Longest wait for a trap to be hit; on an idle machine the load passes every phase
many times a second."""


@dataclass(frozen=True, slots=True)
class Wound:
    """One kill.

    Attributes:
        party: Whose gateway died.
        phase: What it was at.
        chosen: Whether the phase was chosen, or hit by chance from outside.
    """

    party: str
    phase: Phase
    chosen: bool


@dataclass(slots=True)
class Nursery:
    """Starts gateways by forking a process that has everything imported."""

    process: asyncio.subprocess.Process
    _born: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    _ready: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    _ended: dict[int, asyncio.Future[int]] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self, order: dict[str, Any]) -> int:
        """Fork a gateway and return its process id once it serves.

        Raises:
            AssertionError: It ended instead; its log is in the text.
        """
        assert self.process.stdin is not None
        async with self._turn:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            await self.process.stdin.drain()
            pid = await self._born.get()
        ready, ended = self._ready[pid], self._ended[pid]
        ended.add_done_callback(lambda _ended: ready.done() or ready.cancel())
        try:
            async with asyncio.timeout(60):
                await ready
        except (TimeoutError, asyncio.CancelledError):
            assert not ended.done(), f"it does not start: see {order['log']}"
            raise
        return pid

    async def ended(self, pid: int) -> int:
        """Wait until a gateway has ended; return its status."""
        return await self._ended[pid]

    async def listen(self) -> None:
        """Take in what the nursery tells."""
        assert self.process.stdout is not None
        loop = asyncio.get_running_loop()
        async for line in self.process.stdout:
            event = json.loads(line)
            pid = event["pid"]
            ready = self._ready.setdefault(pid, loop.create_future())
            ended = self._ended.setdefault(pid, loop.create_future())
            if "born" in event:
                self._born.put_nowait(pid)
            elif "ready" in event and not ready.done():
                ready.set_result(None)
            elif "ended" in event:
                ended.set_result(event["ended"])


@asynccontextmanager
async def nursery() -> AsyncIterator[Nursery]:
    """Run a nursery."""
    inherited = environment()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.scenario.killable",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env={**inherited, "PYTHONPATH": f"{inherited['PYTHONPATH']}:{_ROOT}"},
    )
    made = Nursery(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@dataclass(slots=True, kw_only=True)
class Siege:
    """A pair of gateways, its load, and what was promised to the callers.

    Attributes:
        town: The pair: the bank issues, finance receives.
        nursery: Starts the gateways.
        chance: Decides instants.
        premature: The bank's gateway answers before it has committed.
        acknowledged: Digests by number of what the bank's callers were told is
            done.
        wounds: Every kill.
    """

    town: Town
    nursery: Nursery
    chance: Random
    premature: bool = False
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    wounds: list[Wound] = field(default_factory=list)
    _pids: dict[str, int] = field(default_factory=dict)
    _next: int = 1

    def register(self, party: str) -> Register:
        """Return what a gateway shares with its killer."""
        return Register.open(self.town.directory / f"{party}.register")

    async def start(self, party: str) -> None:
        """Start a gateway and wait until it serves."""
        self.register(party).clear()
        self._pids[party] = await self.nursery.start(
            {
                "config": str(self.town.file(party)),
                "register": str(self.town.directory / f"{party}.register"),
                "log": str(self.town.directory / f"{party}.log"),
                "premature": self.premature and party == BANK,
            }
        )

    async def stop(self, party: str) -> None:
        """End a gateway with SIGTERM."""
        os.kill(self._pids[party], signal.SIGTERM)
        async with asyncio.timeout(60):
            status = await self.nursery.ended(self._pids[party])
        assert status == 0, (self.town.directory / f"{party}.log").read_text()[-4000:]

    async def kill_at(self, party: str, phase: Phase, *, delay_ms: int = 0) -> None:
        """Let a gateway die at a phase, some time from now, and start it again."""
        register = self.register(party)
        # Not at the first time: in every life something has to get through, or the
        # other side would wait for its own phases for ever.
        register.set_trap(phase, self.chance.randint(2, 4), delay_ms=delay_ms)
        async with asyncio.timeout(_HIT_S):
            status = await self.nursery.ended(self._pids[party])
        assert status == -signal.SIGKILL
        self.wounds.append(Wound(party, phase, chosen=True))
        await self.start(party)

    async def kill_now(self, party: str) -> None:
        """Kill a gateway from outside, whatever it is at, and start it again."""
        await asyncio.sleep(self.chance.uniform(0.05, 0.5))
        os.kill(self._pids[party], signal.SIGKILL)
        await self.nursery.ended(self._pids[party])
        phase = self.register(party).phase
        self.wounds.append(Wound(party, phase, chosen=False))
        await self.start(party)

    async def load(self, ended: asyncio.Event) -> None:
        """Submit notices until told to end; each batch until it is answered."""
        desk = AsyncDesk(
            f"127.0.0.1:{self.town.ports[BANK]}",
            self.town.access(BANK),
            Patience(call_s=5.0, total_s=5.0, wait_s_min=0.01, wait_s_max=0.1),
        )
        async with desk:
            while not ended.is_set():
                numbers = range(self._next, self._next + _BATCH)
                self._next += _BATCH
                vouchers = [notice(number, BANK, UNIT) for number in numbers]
                outcomes: list[Outcome] = []
                while not outcomes:
                    try:
                        outcomes = await desk.submit(vouchers, window=1)
                    except OfficeError:
                        # Nobody knows what became of it: ask again, same bytes.
                        await asyncio.sleep(0.05)
                for voucher, outcome in zip(vouchers, outcomes, strict=True):
                    assert isinstance(outcome, Done), outcome
                    self.acknowledged[voucher.key.number] = outcome.digest
                await asyncio.sleep(0.04)  # the load, not a wait for anything

    async def settle(self) -> None:
        """Wait until the bank's lane is empty, and end both gateways."""
        async with asyncio.timeout(60):
            async with self.town.channel(BANK) as channel:
                stub = registry_pb2_grpc.RegistryServiceStub(channel)
                while True:
                    answer = await stub.ListPeers(registry_pb2.ListPeersRequest())
                    if not answer.peers[0].waiting:
                        break
                    await asyncio.sleep(0.05)
        await self.stop(BANK)
        await self.stop(FINANCE)


@asynccontextmanager
async def besieged(
    directory: Path,
    born: Nursery,
    *,
    seed: int,
    premature: bool = False,
    sm3: tuple[str, ...] = (),
) -> AsyncIterator[Siege]:
    """Run a pair under load, some with an SM3 tree."""
    town = Town(
        directory=directory,
        sm3=sm3,
        settings={
            "limits": "retry_s_min = 0.02\nretry_s_max = 0.1\ncall_s_max = 10.0\n"
            "drain_s_max = 5.0\nbatch_documents_max = 32"
        },
    )
    town.initialise()
    # Chance needs no secrecy here; the seed is there to be repeated.
    siege = Siege(
        town=town,
        nursery=born,
        chance=Random(seed),  # noqa: S311
        premature=premature,
    )
    await asyncio.gather(siege.start(FINANCE), siege.start(BANK))
    ended = asyncio.Event()
    callers = [asyncio.create_task(siege.load(ended)) for _ in range(2)]
    try:
        yield siege
        ended.set()
        await asyncio.gather(*callers)
    finally:
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What both vaults say after all.

    Attributes:
        sent: The bank's log.
        arrived: Finance's log.
        faults: What the verification of either vault found.
        sm3_roots: What it computed of the SM3 tree of each party that has one.
    """

    sent: Sequence[LogRecord]
    arrived: Sequence[LogRecord]
    faults: Sequence[str]
    sm3_roots: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, town: Town) -> Books:
        """Open both vaults, whose gateways have ended, and verify them."""
        logs, faults, sm3_roots = {}, [], {}
        for party in (BANK, FINANCE):
            configuration = town.configuration(party)
            heads = open_heads(configuration)
            signers = load_head_signers(configuration)
            vault = open_vault(configuration, heads, SystemClock(), signers)
            records: list[LogRecord] = []
            while page := vault.records(len(records), 4096):
                records += page
            logs[party] = records
            with vault._engine.reading() as reading:
                report = verify_vault(reading, origin=origin_of(party), heads=heads)
            faults += [f"{party}: {finding}" for finding in report.findings]
            if report.sm3_root:
                sm3_roots[party] = report.sm3_root
            vault.close()
            heads.close()
        return cls(
            sent=logs[BANK], arrived=logs[FINANCE], faults=faults, sm3_roots=sm3_roots
        )


def wrongs(acknowledged: Iterable[bytes], books: Books) -> list[str]:
    """Return everything that must not be after however many kills.

    1. What a caller was told is done is in the bank's log and has arrived.
    2. Nothing entered or arrived twice.
    3. Sender and receiver agree: whatever the bank's log says was delivered stands
       in finance's log.
    4. Both vaults verify.
    """
    entered = _documents(books.sent, Act.ENTER_AND_SEND)
    delivered = _documents(books.sent, Act.DELIVER)
    arrived = _documents(books.arrived, Act.ARRIVE)
    found = list(books.faults)
    for digest in acknowledged:
        if not entered[digest]:
            found.append(f"lost by the sender: {digest.hex()}")
        if not arrived[digest]:
            found.append(f"lost on the way: {digest.hex()}")
    for name, counted in (("entered", entered), ("arrived", arrived)):
        found += [
            f"{name} {times} times: {digest.hex()}"
            for digest, times in counted.items()
            if times > 1
        ]
    found += [
        f"delivered, but never arrived: {digest.hex()}"
        for digest in delivered
        if not arrived[digest]
    ]
    return found


def _documents(records: Iterable[LogRecord], act: Act) -> Counter[bytes]:
    return Counter(
        record.leaf.document
        for record in records
        if record.leaf.act is act and record.leaf.kind is DocumentKind.VOUCHER
    )
