"""Gateways in processes that can be killed at a chosen instant, and started fast.

`python -m tests.scenario.killable` is a nursery: it has everything imported, reads
one order a line from standard input, and forks a gateway for each. What a gateway
does at any moment stands in a file that survives it, and so does its trap: the
phase at which it is to send itself SIGKILL.

The gateway is the product's own. Two things differ: seals are made and judged in a
thread rather than in worker processes, so that a start costs a fifth of a second;
and the vault and the works note the phase. With `premature` the vault answers
before it has committed: that gateway loses vouchers, and the tests must notice.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from threading import Timer
from typing import Any

from counterfoil.app.ports import Clock
from counterfoil.daemon import gateway as composition
from counterfoil.daemon import worker, works
from counterfoil.daemon.config import Configuration, load_configuration
from counterfoil.daemon.keys import HeadSigners
from counterfoil.daemon.stores import open_vault
from counterfoil.domain.deeds import (
    Arrive,
    Committed,
    Deed,
    Deliver,
    Enter,
    Recorded,
)
from counterfoil.domain.standing import Standing
from counterfoil.seal.trust_material import TrustMaterial
from counterfoil.vault.heads import HeadStore
from counterfoil.vault.vault import EngineVault


class Phase(IntEnum):
    """What a gateway was last seen at."""

    STARTED = 0
    EXAMINING = 1
    """A peer's batch is being verified."""
    STORING = 2
    """A peer's batch is on its way to the disk."""
    STORED = 3
    """A peer's batch is committed, and not yet answered."""
    SEALING = 4
    """Documents of our own are being sealed."""
    ENTERING = 5
    """Documents of our own are on their way to the disk."""
    ENTERED = 6
    """Documents of our own are committed, and the caller not yet answered."""
    RECORDING = 7
    """A peer's proof of arrival is on its way to the disk."""
    RECORDED = 8
    """A peer's proof of arrival is committed."""


_BYTES = 8


@dataclass(slots=True)
class Register:
    """A few bytes that a gateway and its killer share: phase and trap."""

    shared: mmap.mmap

    @classmethod
    def open(cls, file: Path) -> Register:
        """Map the file; made if it is not there."""
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, _BYTES)
        try:
            return cls(mmap.mmap(descriptor, _BYTES))
        finally:
            os.close(descriptor)

    @property
    def phase(self) -> Phase:
        """What the gateway was last at."""
        return Phase(self.shared[0])

    def note(self, phase: Phase) -> None:
        """Note what the gateway is at; spring the trap if it is for this phase."""
        self.shared[0] = phase
        left = self.shared[2]
        if self.shared[1] == phase and left:
            self.shared[2] = left - 1
            if left == 1:
                self._spring()

    def set_trap(self, phase: Phase, times: int, *, delay_ms: int = 0) -> None:
        """Let the gateway die when it is at `phase` for the nth time from now."""
        self.shared[2] = 0
        self.shared[1], self.shared[3] = phase, delay_ms
        self.shared[2] = times

    def clear(self) -> None:
        """Forget phase and trap; before a gateway starts."""
        self.shared[:4] = bytes(4)

    def _spring(self) -> None:
        delay_ms = self.shared[3]
        if delay_ms:
            Timer(delay_ms / 1000, os.kill, (os.getpid(), signal.SIGKILL)).start()
        else:
            os.kill(os.getpid(), signal.SIGKILL)


class ThreadWorker:
    """A worker that is a thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, function, *arguments)

    is_ready = True

    async def connect(self) -> None:
        pass

    async def close(self) -> None:
        self._pool.shutdown()


class ThreadWorks(works.ProcessWorks):
    """The works in a thread of this process; notes the phases."""

    register: Register

    def __init__(
        self,
        material: TrustMaterial,
        seals: Sequence[worker.SealMaterial],
        *,
        workers: int,
        in_batches: bool,
        **rest: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(
            material, seals, workers=workers, in_batches=in_batches, **rest
        )
        # Whatever else is asked of the works, no process is begun for it.
        worker._workshop = worker.make_workshop(material, seals, in_batches=in_batches)
        self._workers = [ThreadWorker() for _ in range(workers)]  # type: ignore[misc]

    async def _call(self, method: str, *arguments: Any) -> list[Any]:  # noqa: ANN401
        if method == "examine":
            self.register.note(Phase.EXAMINING)
        elif method == "submit":
            self.register.note(Phase.SEALING)
        return await super()._call(method, *arguments)


class NotingVault:
    """The vault; notes the phases of what is committed."""

    def __init__(self, vault: EngineVault, register: Register) -> None:
        self._vault = vault
        self._register = register

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._vault, name)

    async def perform(self, deeds: Sequence[Deed]) -> list[Committed]:
        """Perform; the phases are noted before and behind the commit."""
        before, behind = _phases(deeds)
        self._register.note(before)
        committed = await self._vault.perform(deeds)
        if behind is not Phase.STORED or any(one.new_count for one in committed):
            self._register.note(behind)
        return committed


class PrematureVault(NotingVault):
    """A vault that answers what callers enter before it has committed it."""

    async def perform(self, deeds: Sequence[Deed]) -> list[Committed]:
        """Answer at once, and commit a little later."""
        if not all(isinstance(deed, Enter) for deed in deeds):
            return await super().perform(deeds)
        later = asyncio.create_task(self._later(deeds))
        self._unfinished = later
        recorded = Recorded(leaf=0, standing=Standing.SENT, time_us=1)
        self._register.note(Phase.ENTERED)
        return [Committed(outcomes=(recorded,), size=1, time_us=1) for _ in deeds]

    async def _later(self, deeds: Sequence[Deed]) -> None:
        await asyncio.sleep(0.3)
        await self._vault.perform(deeds)


def _phases(deeds: Sequence[Deed]) -> tuple[Phase, Phase]:
    if any(isinstance(deed, Arrive) for deed in deeds):
        return Phase.STORING, Phase.STORED
    if any(isinstance(deed, Deliver) for deed in deeds):
        return Phase.RECORDING, Phase.RECORDED
    return Phase.ENTERING, Phase.ENTERED


def serve(order: dict[str, Any]) -> None:
    """Run a gateway in this process until SIGTERM."""
    register = Register.open(Path(order["register"]))
    vault_class = PrematureVault if order["premature"] else NotingVault

    def opened(
        configuration: Configuration,
        heads: HeadStore,
        clock: Clock,
        signers: HeadSigners,
    ) -> NotingVault:
        return vault_class(open_vault(configuration, heads, clock, signers), register)

    ThreadWorks.register = register
    vars(composition)["open_vault"] = opened
    vars(composition)["ProcessWorks"] = ThreadWorks
    asyncio.run(_serve(load_configuration(Path(order["config"]))))


async def _serve(configuration: Configuration) -> None:
    gateway = composition.Gateway(configuration)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await gateway.start()
    _say({"pid": os.getpid(), "ready": True})
    await told.wait()
    await gateway.stop()


def _say(event: dict[str, Any]) -> None:
    os.write(1, json.dumps(event).encode() + b"\n")


def nurse() -> None:
    """Fork a gateway for each order, and tell when one has ended."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    buffered = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap()
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                _end_all()
                return
            *lines, buffered = (buffered + read).split(b"\n")
            for line in lines:
                _bear(json.loads(line))


_alive: set[int] = set()
"""Gateways that were forked and not yet reaped."""


def _end_all() -> None:
    for pid in _alive:
        os.kill(pid, signal.SIGKILL)


def _bear(order: dict[str, Any]) -> None:
    pid = os.fork()
    if pid:
        _alive.add(pid)
        _say({"pid": pid, "born": order["config"]})
        return
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 2)
        serve(order)
        status = 0
    except BaseException:
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(status)


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _alive.discard(pid)
        _say({"pid": pid, "ended": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    # Forked gateways look these up by their real name, not as `__main__`.
    from tests.scenario import killable

    killable.nurse()
