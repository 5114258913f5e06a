"""One small day, lived once; then a copy of it for every fault."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from counterfoil.day.demo import DIFFERS, DONE, conclude, main
from counterfoil.day.faults import FAULTS
from counterfoil.day.figures import Figures, differences
from counterfoil.day.programme import Day
from counterfoil.day.programs import DayFailed, Programs
from counterfoil.day.screen import Screen
from counterfoil.day.stage import ABC, FINANCE, Stage

pytestmark = pytest.mark.timeout(600)

NAMED = {
    "bit-flip": f"vault of {ABC.code}",
    "truncation": f"vault of {ABC.code}",
    "old-copy": f"vault of {ABC.code}",
    "swapped-state": f"vault of {FINANCE.code}",
    "missing-ledger-row": f"{FINANCE.code} to {ABC.code}",
    "lost-receipt": f"{FINANCE.code} to ",
}
"""Where the final check must say that each fault is."""


class Lived(NamedTuple):
    """A day that is over, and what it told."""

    stage: Stage
    told: str


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    stream = io.StringIO()
    day = Day(
        directory=tmp_path_factory.mktemp("demo") / "day",
        files=40,
        broken=12,
        seed=1,
        screen=Screen(stream),
    )
    return Lived(day.run(), stream.getvalue())


def concluded(stage: Stage, plant: str | None) -> tuple[int, str]:
    stream = io.StringIO()
    status = conclude(stage, plant, Screen(stream))
    return status, stream.getvalue()


@pytest.mark.slow
@pytest.mark.clause("hubei-27.2", "hubei-27.3", "wuhai-6b")
def test_a_day_with_a_killed_gateway_ends_with_every_number_equal(
    lived: Lived,
) -> None:
    status, told = concluded(lived.stage, None)

    assert status == DONE, told
    assert "every vault is whole and every number agrees" in told


@pytest.mark.slow
def test_the_day_tells_what_both_sides_and_all_books_count(lived: Lived) -> None:
    for source in (
        "issuer's gateway",
        "bank's gateway",
        "issuer's books",
        "bank's books",
    ):
        assert lived.told.count(source) == 4
    assert f"killed the gateway of {ABC.code}" in lived.told


@pytest.mark.slow
@pytest.mark.clause("hubei-18")
def test_the_day_shows_one_vouchers_whole_way_with_the_evidence_of_both_sides(
    lived: Lived,
) -> None:
    _, finances, banks = lived.told.split("the way of ")

    for word in ("ENTER VOUCHER", "DELIVER VOUCHER", "ARRIVE RECEIPT", "CLOSE RECEIPT"):
        assert word in finances
    for word in ("ARRIVE VOUCHER", "ENTER RECEIPT", "DELIVER RECEIPT"):
        assert word in banks


@pytest.mark.slow
def test_broken_files_are_told_with_their_field_in_chinese(lived: Lived) -> None:
    refused = [line for line in lived.told.splitlines() if " refused " in line]

    assert len(refused) == 12
    assert any("rows[0].payee_acct_no: 收款人账号" in line for line in refused)


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_planted_fault_is_found_and_named(
    lived: Lived, tmp_path: Path, fault: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(lived.stage.directory, copy)

    status, told = concluded(Stage(copy), fault)

    assert status == DIFFERS
    found = [line for line in told.splitlines() if "DIFFERS: " in line]
    assert any(NAMED[fault] in line for line in found), told


def test_fewer_files_than_the_day_needs_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--files", "3"])

    assert caught.value.code == 2
    assert "at least 10 files" in capsys.readouterr().err


def figures_of(**changes: int) -> Figures:
    agreed = {
        "sent": 3,
        "accepted": 2,
        "receipted": 2,
        "returned": 0,
        "rejected": 1,
        "sent_fen": 300,
        "receipted_fen": 200,
    }
    return Figures(**(agreed | changes))


def test_sources_that_agree_have_no_difference() -> None:
    arrived = replace(figures_of(), sent=None, arrived=3)

    assert differences({"one": figures_of(), "other": arrived}) == []


@pytest.mark.parametrize("name", ["accepted", "receipted", "sent_fen", "receipted_fen"])
def test_a_number_that_differs_is_named_with_its_sources(name: str) -> None:
    [found] = differences({"one": figures_of(), "other": figures_of(**{name: 7})})

    assert found.startswith(f"{name}: one ")
    assert found.endswith("other 7")


def test_what_was_sent_and_never_arrived_is_a_difference() -> None:
    arrived = replace(figures_of(), sent=None, arrived=2)

    [found] = differences({"one": figures_of(), "other": arrived})

    assert found == "sent: one (sent) 3, other (arrived) 2"


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
