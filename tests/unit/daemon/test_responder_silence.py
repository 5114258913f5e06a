"""A responder that says nothing useful for long is told, once, until it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from counterfoil.daemon.alerts import FILE, AlertCode, Alerts, read_watch_file
from counterfoil.daemon.responder_silence import ResponderSilence

URL, OTHER = "http://one/", "http://other/"
MINUTE_US = 60_000_000

pytestmark = pytest.mark.clause("hubei-13")


@dataclass
class Room:
    """A gateway that tells of silence after an hour."""

    directory: Path
    now_us: int = 0
    alerts: Alerts = field(init=False)
    silence: ResponderSilence = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.alerts = Alerts.load(self.directory)
        self.silence = ResponderSilence(
            alerts=self.alerts, silence_s=3600.0, now_us=lambda: self.now_us
        )

    def after(self, minutes: int, url: str = URL, *, is_useful: bool) -> list[str]:
        """Ask a responder after a while; return what is silent now."""
        self.now_us += minutes * MINUTE_US
        self.silence.heard(url, is_useful=is_useful)
        return self.look()

    def look(self) -> list[str]:
        self.silence.look()
        return self.alerts.about(AlertCode.RESPONDER_SILENT)

    def kept(self) -> list[str]:
        """Return what stands in the file."""
        opened, _ = read_watch_file(self.directory / FILE)
        return [alert["about"] for alert in opened.values()]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_it_is_told_after_the_time_and_over_with_the_first_answer(room: Room) -> None:
    assert room.after(0, is_useful=False) == []
    assert room.after(59, is_useful=False) == []
    assert room.after(1, is_useful=False) == [URL]
    assert room.kept() == [URL]
    assert room.after(0, OTHER, is_useful=True) == [URL]
    assert room.after(5, is_useful=True) == []
    assert room.kept() == []


def test_an_answer_in_between_begins_the_time_anew(room: Room) -> None:
    room.after(0, is_useful=False)
    room.after(40, is_useful=True)
    assert room.after(1, is_useful=False) == []
    assert room.after(59, is_useful=False) == []
    assert room.after(1, is_useful=False) == [URL]


def test_who_is_not_asked_is_not_silent(room: Room) -> None:
    assert room.after(0, is_useful=True) == []
    room.now_us += 1000 * MINUTE_US
    assert room.look() == []


def test_who_is_not_asked_any_more_is_forgotten(room: Room) -> None:
    room.after(0, is_useful=False)
    assert room.after(60, is_useful=False) == [URL]
    room.now_us += 120 * MINUTE_US
    assert room.look() == [URL]
    room.now_us += MINUTE_US
    assert room.look() == []
    # Whoever is asked again begins anew.
    assert room.after(0, is_useful=False) == []


def test_a_restart_forgets_nothing(room: Room) -> None:
    room.after(0, is_useful=False)
    room.after(60, is_useful=False)

    room.start()
    assert room.look() == [URL]
    assert room.after(1, is_useful=False) == [URL]
    assert room.after(1, is_useful=True) == []

    room.after(60, is_useful=False)
    room.after(60, is_useful=False)
    room.start()
    room.now_us += 121 * MINUTE_US
    assert room.look() == []
