"""When the log is stamped, by whom, and what is told when nobody stamps it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pytest

from counterfoil.app.prove import size_of
from counterfoil.app.time_stamps import StampedHead
from counterfoil.daemon.alerts import FILE, AlertCode, Alerts, read_watch_file
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.responder import ResponderFailed
from counterfoil.daemon.time_stamping import WATCH, TimeStamping
from counterfoil.daemon.timestamp_section import TimestampSection
from counterfoil.domain.refusals import HeadForked
from counterfoil.seal.chains import datetime_of
from counterfoil.seal.time_stamps import TimeStampTrust
from counterfoil.vault.time_stamp_book import TimeStampBook
from tests.time_stampers import TimeStamper
from tests.unit.seal.makers import IN_FORCE, NOW_US

SECOND_US: Final = 1_000_000
FIRST, SECOND = "http://first/", "http://second/"
SETTINGS: Final = TimestampSection(
    addresses=(FIRST, SECOND), authorities="roots.pem", every_s=600.0, alert_s=900.0
)


def note_of(size: int) -> bytes:
    """Return a checkpoint; its signatures are nobody's business here."""
    root = "A" * 43 + "="
    return f"420000-011/log\n{size}\n{root}\n\n— 420000-011/log AAAAAAA=\n".encode()


@dataclass
class FakeLog:
    """All that is asked of a vault here.

    Attributes:
        leaves: How many there are.
        forked: Whether it signs no more.
    """

    leaves: int = 0
    forked: bool = False
    grew: asyncio.Event = field(default_factory=asyncio.Event)

    def size(self) -> int:
        return self.leaves

    def checkpoint(self) -> bytes:
        if self.forked:
            raise HeadForked("another head was signed", origin="420000-011/log")
        return note_of(self.leaves)

    async def changed(self, size: int) -> int:
        while self.leaves <= size:
            self.grew.clear()
            await self.grew.wait()
        return self.leaves


@dataclass
class Stage:
    """A gateway's side of stamping, and the authorities that it asks."""

    directory: Path
    stamper: TimeStamper
    settings: TimestampSection = SETTINGS
    now_us: int = NOW_US
    log: FakeLog = field(default_factory=FakeLog)
    asked: list[str] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    twist: Callable[[bytes], bytes] = lambda body: body
    trust: Callable[[], TimeStampTrust] | None = None

    def __post_init__(self) -> None:
        self.stamper.wrong = {}
        self.stamper.now = lambda: datetime_of(self.now_us)

    @property
    def book(self) -> TimeStampBook:
        return TimeStampBook(self.directory / "stamps.sqlite")

    def start(self) -> TimeStamping:
        self.alerts = Alerts.load(self.directory)
        made = TimeStamping(
            vault=self.log,  # type: ignore[arg-type]  # all that is asked of it
            book=self.book,
            alerts=self.alerts,
            settings=self.settings,
            trust=self.trust or self.trusted,
            now_us=lambda: self.now_us,
            ask=self.ask,
            nonce=lambda: 4711,
        )
        made.begin()
        return made

    def trusted(self) -> TimeStampTrust:
        return TimeStampTrust(
            roots=(self.stamper.root.certificate,),
            authorities=(self.stamper.between.certificate,),
            policy=self.settings.policy,
            accuracy_us_max=self.settings.accuracy_us_max,
            clock_us_max=self.settings.clock_us_max,
        )

    def ask(self, url: str, question: bytes) -> bytes:
        self.asked.append(url)
        if url in self.silent:
            raise ResponderFailed("the authority cannot be reached: timed out")
        return self.twist(self.stamper.answer(question))

    def later(self, seconds: float) -> None:
        self.now_us += int(seconds * SECOND_US)

    def told(self) -> dict[str, object]:
        _, watches = read_watch_file(self.directory / FILE)
        return dict(watches[WATCH])

    def open_alerts(self) -> list[str]:
        alerts, _ = read_watch_file(self.directory / FILE)
        code = AlertCode.TIMESTAMP_SILENT.name
        return [one["detail"] for one in alerts.values() if one["code"] == code]


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; the test's own time limit ends it."""
    while not is_so():  # noqa: ASYNC110 -- a thread makes it so
        await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def stamper() -> TimeStamper:
    return TimeStamper.new(IN_FORCE)


@pytest.fixture
def stage(tmp_path: Path, stamper: TimeStamper) -> Stage:
    return Stage(tmp_path, stamper)


def test_one_question_stamps_whatever_came_since_the_last(stage: Stage) -> None:
    stage.log.leaves = 10_000
    stamping = stage.start()

    assert stamping.stamp()

    assert stage.asked == [FIRST]
    kept = stage.book.newest()
    assert kept is not None
    assert kept.checkpoint == note_of(10_000)
    assert kept.time_us == NOW_US
    assert kept.accuracy_us == SECOND_US
    assert stage.told()["leaves_stamped"] == 10_000
    assert stage.told()["leaves_waiting"] == 0
    assert not stage.told()["silent_since"]


def test_who_does_not_answer_is_passed_over(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.log.leaves = 3
    stage.silent = {FIRST}

    with caplog.at_level(logging.WARNING):
        assert stage.start().stamp()

    assert stage.asked == [FIRST, SECOND]
    assert "an authority gives no time stamp" in caplog.text
    assert stage.book.newest() is not None
    assert stage.open_alerts() == []


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        pytest.param({"nonce": 5}, "NONCE", id="another question's"),
        pytest.param({"imprint": bytes(32)}, "IMPRINT", id="about something else"),
        pytest.param({"status": 2}, "NOT_GRANTED", id="refused"),
        pytest.param({"accuracy_s": 3600}, "ACCURACY", id="inaccurate"),
        pytest.param({"digest": "sha1"}, "ALGORITHM", id="weak"),
        pytest.param({"policy": "1.2.3.4.9"}, "POLICY", id="policy"),
    ],
)
def test_of_a_bad_answer_nothing_is_kept_and_the_log_says_why(
    stage: Stage,
    caplog: pytest.LogCaptureFixture,
    wrong: dict[str, object],
    word: str,
) -> None:
    stage.settings = replace(SETTINGS, policy="1.2.3.4.1")
    stage.log.leaves = 3
    stage.stamper.wrong = wrong
    stamping = stage.start()

    with caplog.at_level(logging.WARNING):
        assert not stamping.stamp()

    assert stage.asked == [FIRST, SECOND]
    assert not stage.book.file.exists()
    told = [getattr(one, "detail", "") for one in caplog.records]
    assert all(word in one for one in told[:2])
    assert word in str(stage.told()["reason"])


def test_silence_is_shown_at_once_and_alerts_when_it_lasts(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.log.leaves = 3
    stage.silent = {FIRST, SECOND}
    stamping = stage.start()

    assert not stamping.stamp()
    assert str(stage.told()["silent_since"]).startswith("2026-06-01T08:00:00")
    assert stage.told()["leaves_waiting"] == 3
    assert stage.open_alerts() == []

    stage.log.leaves = 5
    stage.later(899)
    assert not stamping.stamp()
    assert stage.open_alerts() == []

    stage.log.leaves = 8
    stage.later(1)
    with caplog.at_level(logging.WARNING):
        assert not stamping.stamp()
    (detail,) = stage.open_alerts()
    assert "since 2026-06-01T08:00:00" in detail
    assert "8 leaves wait" in detail
    assert "cannot be reached" in detail
    (told,) = [one for one in caplog.records if getattr(one, "alert", "")]
    assert told.levelno == logging.ERROR
    assert told.__dict__["alert"] == "TIMESTAMP_SILENT"
    assert "时间戳" in told.getMessage()

    stage.silent = set()
    assert stamping.stamp()
    assert stage.open_alerts() == []
    kept = stage.book.newest()
    assert kept is not None
    assert kept.size == 8
    assert not stage.told()["silent_since"]


def test_a_restart_forgets_neither_the_silence_nor_what_was_stamped(
    stage: Stage,
) -> None:
    stage.log.leaves = 3
    assert stage.start().stamp()
    stage.log.leaves = 5
    stage.silent = {FIRST, SECOND}
    stage.later(100)
    assert not stage.start().stamp()
    stage.later(900)

    assert not stage.start().stamp()

    (detail,) = stage.open_alerts()
    assert "since 2026-06-01T08:01:40" in detail
    assert "2 leaves wait" in detail
    assert stage.told()["last_stamp"] == "2026-06-01T08:00:00+00:00"


def test_a_note_that_is_none_hinders_nothing(stage: Stage) -> None:
    state = {"alerts": [], "watches": {WATCH: {"silent_since": "yesterday"}}}
    (stage.directory / FILE).write_text(json.dumps(state))
    stage.log.leaves = 3

    assert stage.start().stamp()


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param("roots", id="roots cannot be read"),
        pytest.param("book", id="the book is damaged"),
        pytest.param("fork", id="the log signs nothing"),
        pytest.param("panic", id="a defect"),
    ],
)
def test_whatever_goes_wrong_is_told_and_nothing_is_raised(
    stage: Stage, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    class Panic(BaseException):
        """What a library in another language raises."""

    def refused() -> TimeStampTrust:
        raise ConfigurationRefused("roots.pem: cannot be read: gone")

    def panic(_: bytes) -> bytes:
        raise Panic

    stage.log.leaves = 3
    if trouble == "roots":
        stage.trust = refused
    elif trouble == "book":
        stage.book.file.write_bytes(b"no database at all, but long enough to look at")
    elif trouble == "fork":
        stage.log.forked = True
    else:
        stage.twist = panic
    stamping = stage.start()

    with caplog.at_level(logging.WARNING):
        assert not stamping.stamp()

    assert "no time stamp" in caplog.text
    assert stage.told()["reason"]
    stage.later(900)
    assert not stamping.stamp()
    assert len(stage.open_alerts()) == 1


def test_a_gateway_that_stops_asks_no_further(stage: Stage) -> None:
    stage.log.leaves = 3
    stage.silent = {FIRST, SECOND}
    stamping = stage.start()

    def stop(_: str, question: bytes) -> bytes:
        stamping._stopping.set()
        return stage.ask(FIRST, question)

    stamping.ask = stop

    assert not stamping.stamp()
    assert stage.asked == [FIRST]


async def test_nobody_is_asked_while_nothing_comes(stage: Stage) -> None:
    stage.settings = replace(SETTINGS, every_s=0.01, retry_s=0.01)
    stamping = stage.start()
    running = asyncio.create_task(stamping.run())

    await asyncio.sleep(0.1)
    assert stage.asked == []

    stage.log.leaves = 2
    stage.log.grew.set()
    await until(lambda: bool(stage.asked))
    await until(lambda: stage.book.newest() is not None)
    await asyncio.sleep(0.1)
    assert stage.asked == [FIRST]
    kept: StampedHead | None = stage.book.newest()
    assert kept is not None
    assert size_of(kept.checkpoint) == 2

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_failed_is_tried_again_until_it_is_stamped(stage: Stage) -> None:
    stage.settings = replace(SETTINGS, every_s=60.0, retry_s=0.01)
    stage.log.leaves = 2
    stage.silent = {FIRST, SECOND}
    running = asyncio.create_task(stage.start().run())

    await until(lambda: len(stage.asked) >= 6)
    assert stage.book.newest() is None
    stage.silent = set()
    await until(lambda: stage.book.newest() is not None)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
