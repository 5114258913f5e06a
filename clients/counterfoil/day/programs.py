"""Programs of the day: started, heard line by line, killed, ended.

Nothing here sleeps: whoever waits, waits for the next line or end of a program,
with a deadline.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

DAEMON: Final = ("-m", "counterfoil.daemon")
"""How the gateway's program is called."""
_TAIL_LINES: Final = 15
_END_S: Final = 30.0
_LOOK_S: Final = 0.5


class DayFailed(Exception):
    """The day cannot go on; the text says which program did what."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that a program printed; None when it ended.

    Attributes:
        name: Which program.
        text: What it printed.
    """

    name: str
    text: str | None


class Program:
    """One program, in a process group of its own.

    Args:
        name: What it is called in messages.
        arguments: Python's arguments.
        folder: Its working directory.
        log: File that its standard error is appended to.
        heard: Where its lines go.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        folder: Path,
        log: Path,
        heard: queue.Queue[Line],
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as errors:
            self._child = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONPATH": python_path()},
                # Killing the group also kills the workers that it started.
                start_new_session=True,
            )
        self._hearing = threading.Thread(
            target=self._hear, args=(heard,), name=f"hear {name}", daemon=True
        )
        self._hearing.start()

    @property
    def session(self) -> int:
        """What it and its workers are found by among all processes."""
        return self._child.pid

    @property
    def exit_status(self) -> int | None:
        """The exit status; None while it runs."""
        return self._child.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        if self.exit_status is None:
            self._child.send_signal(number)

    def kill(self) -> None:
        """End it and its workers at once, as a power cut would, and wait."""
        with contextlib.suppress(ProcessLookupError):  # it and its workers ended
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait(_END_S)
        self._hearing.join(_END_S)

    def tail(self) -> str:
        """Return the last lines of its standard error."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def _hear(self, heard: queue.Queue[Line]) -> None:
        assert self._child.stdout is not None, "it was opened as a pipe"
        with self._child.stdout as lines:
            for line in lines:
                heard.put(Line(self.name, line.rstrip("\n")))
        self._child.wait()
        heard.put(Line(self.name, None))


class Programs:
    """All programs of the day; leaving the context ends those that still run.

    Args:
        logs: Folder of their logs.
        listen: Is told every line that a program prints.
    """

    def __init__(self, logs: Path, listen: Callable[[str, str], None]) -> None:
        self._logs = logs
        self._listen = listen
        self._heard: queue.Queue[Line] = queue.Queue()
        self._running: dict[str, Program] = {}

    def __enter__(self) -> Self:
        self._logs.mkdir(exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for program in self._running.values():
            program.kill()

    def start(self, name: str, arguments: Sequence[str], folder: Path) -> Program:
        """Start a program under a name that no running one has."""
        assert name not in self._running, f"{name} runs already"
        log = self._logs / f"{name.replace(' ', '-')}.log"
        program = Program(name, arguments, folder, log, self._heard)
        self._running[name] = program
        return program

    def sessions(self) -> dict[int, str]:
        """Return the names of the programs that run, by session."""
        # Another thread may ask while a program is started or ends: of a copy.
        return {one.session: name for name, one in [*self._running.items()]}

    def kill(self, name: str) -> None:
        """Kill a program; its end is expected."""
        self._running.pop(name).kill()

    def end(self, names: Sequence[str], deadline_s: float) -> None:
        """Ask programs to stop and wait until they have, without complaint.

        Raises:
            DayFailed: One did not stop in time, or not well.
        """
        for name in names:
            self._running[name].signal(signal.SIGTERM)
        self.wait_for_end(names, deadline_s)

    def wait_for_end(self, names: Sequence[str], deadline_s: float) -> None:
        """Wait until programs have ended of themselves.

        Raises:
            DayFailed: One did not end in time, or not well.
        """
        waiting = set(names)
        self.wait(
            lambda: not waiting & self._running.keys(),
            deadline_s,
            f"the end of {', '.join(names)}",
            may_end=waiting,
        )

    def wait(
        self,
        condition: Callable[[], bool],
        deadline_s: float,
        what: str,
        *,
        may_end: set[str] | None = None,
    ) -> None:
        """Take in lines until `condition` holds.

        Args:
            condition: Looked at after lines and ends, and every half second: what
                programs write into their books is not told by a line.
            deadline_s: How long to wait.
            what: What is waited for, for the message.
            may_end: Programs that may end meanwhile, with exit status 0.

        Raises:
            DayFailed: The time is over, or a program ended that should not.
        """
        give_up_at = time.monotonic() + deadline_s
        while not condition():
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                msg = f"waited {deadline_s:.0f} s in vain for {what}"
                raise DayFailed(msg)
            for line in self._lines(min(left_s, _LOOK_S)):
                if line.text is not None:
                    self._listen(line.name, line.text)
                elif line.name in self._running:
                    self._note_end(self._running[line.name], may_end or set())

    def _lines(self, wait_s: float) -> Iterator[Line]:
        """Yield the lines that have come, or the first that comes in time."""
        with contextlib.suppress(queue.Empty):
            yield self._heard.get(timeout=wait_s)
            while True:
                yield self._heard.get_nowait()

    def _note_end(self, program: Program, may_end: set[str]) -> None:
        status = program.exit_status
        if status is None:
            return  # the end of one that was killed and started again since
        if program.name not in may_end or status != 0:
            msg = f"{program.name} ended with {status}:\n{program.tail()}"
            raise DayFailed(msg)
        del self._running[program.name]


def run(
    arguments: Sequence[str], folder: Path, deadline_s: float
) -> tuple[int, str, str]:
    """Run a program to its end; return exit status, output and errors."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline_s,
        check=False,
        env={**os.environ, "PYTHONPATH": python_path()},
    )
    return done.returncode, done.stdout, done.stderr


def python_path() -> str:
    """Return what a program needs to find the packages that this one has found."""
    return os.pathsep.join(str(Path(path).resolve()) for path in sys.path if path)
