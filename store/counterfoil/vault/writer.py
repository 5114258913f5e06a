"""The one thread that writes: deeds in groups, one commit each, then the answers.

Whatever is waiting when a commit ends becomes the next group, so groups grow with
the load and nobody waits for company. An answer leaves only when its commit is on
disk; if a commit fails, nothing is written any more, because nobody can tell what
the disk did with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Lock, Thread
from typing import Final

from counterfoil.domain.deeds import Arrive, Committed, Deed, Deliver
from counterfoil.domain.refusals import VaultBusy, VaultFull, VaultStopped
from counterfoil.domain.register import Register
from counterfoil.vault.custody import Applied, apply
from counterfoil.vault.engine import Batch, CannotBeStored, Engine
from counterfoil.vault.names import NameIndex
from counterfoil.vault.transaction import Transaction
from counterfoil.vault.written import Written

_LOG: Final = logging.getLogger(__name__)
_HEARD_S: Final = 1.0
"""How long a writer that is told to end is given before it is told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterLimits:
    """How much the writer takes.

    Attributes:
        group_max: Documents and acts in one commit; a single call may have more.
        waiting_max: Calls that wait at most.
    """

    group_max: int = 1024
    waiting_max: int = 4096


@dataclass(slots=True, kw_only=True)
class Job:
    """One call that waits for its commit.

    Attributes:
        deeds: What to do.
        certificates: What to keep.
        done: Resolved on its own event loop.
        applied: What the deeds came to in this group.
    """

    deeds: Sequence[Deed]
    certificates: tuple[bytes, ...] = ()
    done: asyncio.Future[list[Committed]]
    applied: list[Applied] = field(default_factory=list)

    def weight(self) -> int:
        """Return how many documents and acts it holds."""
        return len(self.certificates) + sum(map(_weight, self.deeds))

    def arrivals(self) -> bool:
        """Return whether a peer waits for a signed answer to it."""
        return any(isinstance(deed, Arrive) for deed in self.deeds)


Answer = tuple[asyncio.Future[list[Committed]], list[Committed] | BaseException]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What the writer hands over after a commit.

    Attributes:
        jobs: The calls that it holds.
        batch: What was written.
        time_us: Its clock reading.
    """

    jobs: list[Job]
    batch: Batch
    time_us: int


class Writer:
    """Runs deeds on an engine.

    Args:
        engine: Where to; nobody else writes to it.
        names: Learns what every commit opened.
        register: What stands registered.
        now_us: The clock, read once per commit.
        conclude: Called on the writing thread after each commit, before anybody is
            answered; returns the answer to each job.
        limits: How much it takes.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # the parts that a vault puts together
        self,
        engine: Engine,
        names: NameIndex,
        register: Register,
        now_us: Callable[[], int],
        conclude: Callable[[Group], list[list[Committed]]],
        limits: WriterLimits,
    ) -> None:
        self._engine = engine
        self._names = names
        self._now_us = now_us
        self._conclude = conclude
        self._limits = limits
        self._queue: Queue[Job | None] = Queue(limits.waiting_max)
        self._written = Written(register)
        self._closing = Lock()
        self._closed = False
        self.stopped_reason = ""
        self.stopped: Future[None] = Future()
        self._thread = Thread(target=self._run, name="vault-writer", daemon=True)
        self._thread.start()

    async def submit(
        self, deeds: Sequence[Deed], certificates: tuple[bytes, ...] = ()
    ) -> list[Committed]:
        """Return what `deeds` came to, once it is durable.

        Raises:
            VaultFull: Nothing was stored.
            VaultStopped: A commit failed before; nothing is written any more.
            VaultBusy: Too much is waiting.
        """
        if self.stopped_reason:
            raise VaultStopped(self.stopped_reason)
        done = asyncio.get_running_loop().create_future()
        job = Job(deeds=deeds, certificates=certificates, done=done)
        with self._closing:
            if self._closed:
                raise VaultStopped("the vault is closed")
            try:
                self._queue.put_nowait(job)
            except Full:
                raise VaultBusy("too many calls are waiting") from None
        answer: list[Committed] = await done
        return answer

    def close(self) -> None:
        """Write what is waiting, then end; idempotent."""
        with self._closing:
            self._closed = True
        # Said again until it is heard: a caller that was interrupted while it said so
        # may have left the word in the queue without waking the thread.
        while self._thread.is_alive():
            with suppress(Full):
                self._queue.put(None, timeout=_HEARD_S)
            self._thread.join(_HEARD_S)

    def _run(self) -> None:
        more = True
        while more:
            jobs, more = self._next_group()
            if jobs:
                answer_all(self._write(jobs))

    def _next_group(self) -> tuple[list[Job], bool]:
        """Wait for a job and take along what waits behind it."""
        job = self._queue.get()
        jobs, weight = [], 0
        while job is not None:
            jobs.append(job)
            weight += job.weight()
            if weight >= self._limits.group_max:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs, True
        return jobs, False

    def _write(self, jobs: list[Job]) -> list[Answer]:
        """Commit the jobs in one group and return the answers."""
        if self.stopped_reason:
            return _same_answer(jobs, VaultStopped(self.stopped_reason))
        answers: list[Answer] = []
        try:
            group = self._judge_and_commit(jobs, answers)
            concluded = self._conclude(group)
        except CannotBeStored as defect:
            return self._each_alone(jobs, defect)
        except VaultFull as full:
            return answers + _same_answer(_unanswered(jobs, answers), full)
        except BaseException as error:  # noqa: BLE001
            # What the disk did is unknown: stop, and let an operator verify.
            self.stopped_reason = f"a commit failed: {type(error).__name__}: {error}"
            self.stopped.set_result(None)
            _LOG.critical("the vault stops writing", exc_info=error)
            stopped = VaultStopped(self.stopped_reason)
            return answers + _same_answer(_unanswered(jobs, answers), stopped)
        done = [
            (job.done, result)
            for job, result in zip(group.jobs, concluded, strict=True)
        ]
        return answers + done

    def _each_alone(self, jobs: list[Job], defect: CannotBeStored) -> list[Answer]:
        """Write each job in a commit of its own, but what cannot be written down.

        Nothing was stored of the group, so nobody but its own caller has to suffer.
        """
        if len(jobs) > 1:
            return [answer for job in jobs for answer in self._write([job])]
        _LOG.error("a deed cannot be stored", exc_info=defect)
        return _same_answer(jobs, defect)

    def _judge_and_commit(self, jobs: list[Job], answers: list[Answer]) -> Group:
        """Judge and commit; a job that cannot be judged is answered and left out."""
        jobs = list(jobs)
        while True:
            with self._engine.writing() as writing:
                tx = Transaction(writing, self._now_us(), self._written)
                failed = _apply_all(tx, jobs)
                if failed is not None:
                    job, error = failed
                    # Half of its deeds may be in `tx`: begin anew without it.
                    jobs.remove(job)
                    answers.append((job.done, error))
                    continue
                batch = tx.batch()
                self._names.put_into(batch)
                if not batch.is_empty():
                    writing.commit(batch)
                    self._names.committed(batch)
                    self._written.committed(batch)
            return Group(jobs=jobs, batch=batch, time_us=tx.time_us)


def _apply_all(
    tx: Transaction, jobs: Iterable[Job]
) -> tuple[Job, BaseException] | None:
    """Apply all deeds; return the first job that cannot be judged, and why."""
    for job in jobs:
        try:
            tx.put_certificates(job.certificates)
            job.applied = [apply(tx, deed) for deed in job.deeds]
        except Exception as error:  # noqa: BLE001
            _LOG.exception("a deed cannot be judged")
            return job, error
    return None


def answer_all(answers: Iterable[Answer]) -> None:
    """Resolve futures, with one call to each event loop."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_loop[answer[0].get_loop()].append(answer)
    for loop, its_answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, its_answers)
        except RuntimeError:
            # Nobody waits in a loop that was closed; whatever else it is, is a defect.
            if not loop.is_closed():
                raise


def _resolve(answers: Iterable[Answer]) -> None:
    for done, result in answers:
        if done.done():
            continue
        if isinstance(result, BaseException):
            done.set_exception(result)
        else:
            done.set_result(result)


def _same_answer(jobs: Iterable[Job], error: BaseException) -> list[Answer]:
    return [(job.done, error) for job in jobs]


def _unanswered(jobs: Iterable[Job], answers: Iterable[Answer]) -> list[Job]:
    answered = {id(done) for done, _ in answers}
    return [job for job in jobs if id(job.done) not in answered]


def _weight(deed: Deed) -> int:
    match deed:
        case Arrive():
            return len(deed.documents)
        case Deliver():
            return len(deed.answers)
        case _:
            return 1
