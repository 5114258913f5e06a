"""What programs have used: CPU and memory, with the workers that they started.

Every program of the day is a session of its own, so its processes are found by that.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PROCESSES: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_BYTES_PER_KIB: Final = 1024

# Fields of `/proc/PID/stat` behind the name, which may hold anything.
_SESSION: Final = 3
_OWN_CPU: Final = slice(11, 13)
_WAITED_CPU: Final = slice(13, 15)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program has used up to now.

    Attributes:
        cpu_s: CPU seconds of all its processes, also of those that ended.
        memory_bytes: Most memory of its own that one of its processes holds now;
            pages of a mapped vault are the system's to drop, and are not counted.
    """

    cpu_s: float
    memory_bytes: int


def usages() -> dict[int, Usage]:
    """Return what the running programs have used, by session."""
    found: dict[int, Usage] = {}
    for session, cpu_s, memory_bytes in _processes():
        before = found.get(session, Usage(0.0, 0))
        found[session] = Usage(
            before.cpu_s + cpu_s, max(before.memory_bytes, memory_bytes)
        )
    return found


def own_usage() -> Usage:
    """Return what this process has used itself, without programs that it started."""
    status = (_PROCESSES / "self" / "status").read_text()
    return Usage(time.process_time(), _own_memory(status))


def _processes() -> Iterator[tuple[int, float, int]]:
    """Yield session, CPU seconds and memory of every process that can be seen."""
    for folder in _PROCESSES.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text()
            status = (folder / "status").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended, or is another user's
        fields = stat.rpartition(")")[2].split()
        ticks = sum(map(int, fields[_OWN_CPU] + fields[_WAITED_CPU]))
        yield int(fields[_SESSION]), ticks / _TICKS, _own_memory(status)


def _own_memory(status: str) -> int:
    """Return the anonymous memory that `/proc/PID/status` tells; 0 of a zombie."""
    for line in status.splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * _BYTES_PER_KIB
    return 0


@dataclass(slots=True)
class Meter:
    """Adds up what each program used in each stage of the day.

    Attributes:
        cpu_s: CPU seconds by program and stage.
        peak_bytes: Most memory of its own that a process of each program was seen
            with.
    """

    cpu_s: dict[tuple[str, str], float] = field(default_factory=dict)
    peak_bytes: dict[str, int] = field(default_factory=dict)
    _before: dict[int, float] = field(default_factory=dict)

    def begin(self, session: int, usage: Usage) -> None:
        """Count of a program that runs already only what it uses from now on."""
        self._before[session] = usage.cpu_s

    def read(
        self, stage: str, names: Mapping[int, str], now: Mapping[int, Usage]
    ) -> None:
        """Book what was used since the last reading to a stage.

        Args:
            stage: What the day was doing meanwhile.
            names: The programs that run, by session.
            now: What they have used up to now, by session.
        """
        for session, name in names.items():
            usage = now.get(session)
            if usage is None:
                continue  # it has ended since
            # A program that is ending tells less from one process to the next.
            before_s = self._before.get(session, 0.0)
            used_s = max(0.0, usage.cpu_s - before_s)
            self._before[session] = max(before_s, usage.cpu_s)
            place = name, stage
            self.cpu_s[place] = self.cpu_s.get(place, 0.0) + used_s
            self.peak_bytes[name] = max(
                self.peak_bytes.get(name, 0), usage.memory_bytes
            )


class Sampling:
    """Has something measured again and again, beside what else is done, until left.

    What a program holds for a moment is missed by whoever looks only before and after.

    Args:
        measure: Measures; it is called from another thread.
        every_s: How often.
    """

    def __init__(self, measure: Callable[[], None], every_s: float) -> None:
        self._measure = measure
        self._every_s = every_s
        self._over = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="sampling", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if error is None and self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._over.wait(self._every_s):
                self._measure()
        except Exception as failure:  # noqa: BLE001 -- raised in the thread that leaves
            self._failure = failure
