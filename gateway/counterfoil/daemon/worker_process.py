"""A process that calls functions for us, spoken to by the event loop itself.

A pool of the standard library needs two threads beside the loop, one to feed its
process and one to hear it, and each waits for the interpreter's lock whenever the
loop or the vault's writer is busy. Here the loop writes to and reads from one socket
pair; nothing waits for a lock. `docs/adr/0005` has the figures.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar, TypeVarTuple

Made = TypeVar("Made")
Arguments = TypeVarTuple("Arguments")

_SPAWN: Final = multiprocessing.get_context("spawn")
_LENGTH_BYTES: Final = 4
_BUFFER_BYTES: Final = 4 * 1024 * 1024
_SEND_BYTES: Final = 1024 * 1024
"""What the system holds on its way, if it allows as much: of a batch of large vouchers
the rest would be copied, and sent in pieces."""


class WorkerEnded(Exception):
    """The process is gone, and with it what it had not answered."""


class WorkerDefect(Exception):
    """A function raised in the process; says where, never what with."""


class WorkerProcess:
    """One process; calls are answered in the order in which they were made.

    It ends when the socket closes, so it does not outlive us, however we end: it
    would keep the institution's keys in its memory.

    Args:
        start: Called once in the new process, before anything else.
        arguments: What it is called with; pickled, over the pipe that starts it.
    """

    def __init__(self, start: Callable[..., None], arguments: Sequence[object]) -> None:
        self._socket, theirs = socket.socketpair()
        for end in (self._socket, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        self._process = _SPAWN.Process(
            target=_serve, args=(theirs, start, tuple(arguments)), daemon=True
        )
        self._process.start()
        theirs.close()
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._listener: asyncio.Task[None] | None = None
        self._ended = False

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, or was told to go."""
        return self._ended

    @property
    def exit_status(self) -> int | None:
        """Exit status, or minus the signal that ended it; None while it runs."""
        return self._process.exitcode

    async def ended(self) -> None:
        """Return once the process is gone, or was told to go."""
        assert self._listener is not None, "it was connected before"
        await asyncio.wait({self._listener})

    async def connect(self) -> None:
        """Let the running event loop take the process over; before the first call."""
        reader, self._writer = await asyncio.open_connection(
            sock=self._socket, limit=_BUFFER_BYTES
        )
        self._listener = asyncio.create_task(self._listen(reader))

    async def run(
        self, function: Callable[[*Arguments], Made], *arguments: *Arguments
    ) -> Made:
        """Call a function of a module in the process.

        Raises:
            WorkerEnded: The process is gone.
            WorkerDefect: The function raised.
        """
        assert self._writer is not None, "it was connected before"
        if self._ended:
            raise WorkerEnded
        answer: asyncio.Future[Made] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        self._writer.write(_framed((function, arguments)))
        return await answer

    async def close(self) -> None:
        """Let the process end, and wait until it has."""
        self._ended = True
        if self._writer is None:
            self._socket.close()
        else:
            self._writer.close()
            # The other end may have gone first.
            with suppress(OSError):
                await self._writer.wait_closed()
        if self._listener is not None:
            await self._listener
        await asyncio.to_thread(self._process.join)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hand out the answers, until the process is gone."""
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
                made, failed = pickle.loads(await reader.readexactly(size))  # noqa: S301 -- our own process
                answer = self._waiting.popleft()
                # Who asked may have stopped waiting.
                if answer.done():
                    continue
                if failed:
                    answer.set_exception(WorkerDefect(failed))
                else:
                    answer.set_result(made)
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            self._ended = True
            for answer in self._waiting:
                if not answer.done():
                    answer.set_exception(WorkerEnded())
            self._waiting.clear()


def _framed(value: object) -> bytes:
    encoded = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded


def _serve(
    connection: socket.socket, start: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    """Be the process: call what is asked for until nobody asks any more."""
    start(*arguments)
    with connection, connection.makefile("rwb") as stream:
        while len(head := stream.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
            asked = pickle.loads(stream.read(int.from_bytes(head, "big")))  # noqa: S301 -- our own gateway
            function: Callable[..., object] = asked[0]
            try:
                answer: tuple[object, str] = (function(*asked[1]), "")
            except Exception as defect:  # noqa: BLE001 -- told to the gateway, which logs it
                answer = (None, _where(defect))
            try:
                stream.write(_framed(answer))
                stream.flush()
            except OSError:
                # The gateway is gone; nobody waits for the answer.
                return


def _where(defect: Exception) -> str:
    """Return the kind and place of a defect; its text could quote a payload."""
    frames = []
    trace = defect.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(defect).__name__} at {' > '.join(frames)}"
