"""Programs of the day: heard, missed when they end too early, killed, started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.day.programs import DayFailed, Programs


def test_a_program_that_ends_too_early_fails_the_day(tmp_path: Path) -> None:
    with Programs(tmp_path / "logs", lambda _name, _text: None) as programs:
        programs.start("early", ["-c", "import sys; sys.exit('gone')"], tmp_path)

        with pytest.raises(DayFailed, match=r"early ended with 1:\ngone"):
            programs.wait(lambda: False, 20, "ever")


def test_what_does_not_come_in_time_fails_the_day(tmp_path: Path) -> None:
    with (
        Programs(tmp_path / "logs", lambda _name, _text: None) as programs,
        pytest.raises(DayFailed, match="in vain for ever"),
    ):
        programs.wait(lambda: False, 0.1, "ever")


def test_what_no_line_tells_is_looked_for_too(tmp_path: Path) -> None:
    looked: list[bool] = []

    def is_there() -> bool:
        looked.append(True)
        return len(looked) > 2

    with Programs(tmp_path / "logs", lambda _name, _text: None) as programs:
        programs.wait(is_there, 20, "it to be there")

    assert len(looked) == 3


def test_a_killed_program_is_not_missed(tmp_path: Path) -> None:
    heard: list[str] = []
    endless = ["-u", "-c", "import time; print('up'); time.sleep(600)"]
    with Programs(
        tmp_path / "logs", lambda _name, text: heard.append(text)
    ) as programs:
        programs.start("endless", endless, tmp_path)
        programs.wait(lambda: heard == ["up"], 20, "it to be up")

        programs.kill("endless")
        programs.start("endless", endless, tmp_path)
        programs.wait(lambda: heard == ["up", "up"], 20, "it to be up again")


def test_running_programs_are_told_by_session(tmp_path: Path) -> None:
    endless = ["-c", "import time; time.sleep(600)"]
    with Programs(tmp_path / "logs", lambda _name, _text: None) as programs:
        program = programs.start("endless", endless, tmp_path)

        assert programs.sessions() == {program.session: "endless"}

        programs.kill("endless")
        assert programs.sessions() == {}
