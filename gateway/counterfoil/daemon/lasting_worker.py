"""A worker that lasts: when its process ends, another takes its place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, TypeVarTuple

from counterfoil.daemon.worker_process import WorkerProcess

Made = TypeVar("Made")
Arguments = TypeVarTuple("Arguments")

log = logging.getLogger("counterfoil.works")

_APART_S: Final = 5.0
"""Least time between two starts: a batch that ends every process, and is sent again
and again, must not keep the machine busy with starting them."""


class LastingWorker:
    """One process after another; what was under way in one that ended is lost.

    Args:
        make: Makes a process.
        prepare: Readies a process before anybody else calls it.
        changed: Called when the worker becomes ready, or is not any more.
        apart_s: Least time between two starts, seconds.
    """

    def __init__(
        self,
        make: Callable[[], WorkerProcess],
        prepare: Callable[[WorkerProcess], Awaitable[None]],
        changed: Callable[[], None],
        *,
        apart_s: float = _APART_S,
    ) -> None:
        self._make = make
        self._prepare = prepare
        self._changed = changed
        self._apart_s = apart_s
        self._process = make()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The id of the process that works now."""
        return self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether a call finds a process."""
        return not self._process.has_ended

    async def connect(self) -> None:
        """Ready the first process.

        Raises:
            WorkerEnded: It could not start.
        """
        await self._ready(self._process)
        self._keeper = asyncio.create_task(self._keep(), name="worker's keeper")

    async def run(
        self, function: Callable[[*Arguments], Made], *arguments: *Arguments
    ) -> Made:
        """Call a function of a module in the process; see `WorkerProcess.run`."""
        return await self._process.run(function, *arguments)

    async def close(self) -> None:
        """Let the process end, and do not replace it."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        await self._process.close()

    async def _keep(self) -> None:
        """Replace every process that ends."""
        clock = asyncio.get_running_loop().time
        started_s = clock()
        while True:
            await self._process.ended()
            self._changed()
            await self._process.close()
            log.error(
                "a worker process ended; another takes its place",
                extra={"detail": f"exit status {self._process.exit_status}"},
            )
            while not self.is_ready:
                await asyncio.sleep(started_s + self._apart_s - clock())
                started_s = clock()
                try:
                    self._process = await self._another()
                except Exception:
                    log.exception("no worker process could be started")
            self._changed()

    async def _another(self) -> WorkerProcess:
        process = self._make()
        try:
            await self._ready(process)
        except BaseException:
            await process.close()
            raise
        return process

    async def _ready(self, process: WorkerProcess) -> None:
        await process.connect()
        await self._prepare(process)
