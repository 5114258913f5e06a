"""How the commands of the reference business systems run and end."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil.business.outcomes import begun_before
from counterfoil.business.program import (
    DONE,
    REFUSED,
    UNREACHABLE,
    Stop,
    add_path,
    end_of,
    setting,
)
from counterfoil.office import DeskRefused, Unreachable


def raising(error: Exception) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (
            DeskRefused("NOT_IN_STATE", "no", text_zh="不可"),
            REFUSED,
            "NOT_IN_STATE: 不可",
        ),
        (Unreachable("UNAVAILABLE: nobody there"), UNREACHABLE, "nobody there"),
        (
            FileNotFoundError(2, "No such file", "bank.toml"),
            REFUSED,
            "bank.toml: No such file (文件无法读写)",
        ),
        (ValueError("books.url is missing"), REFUSED, "books.url is missing"),
    ],
)
def test_what_ends_a_command_is_told_in_a_line_and_a_status(
    error: Exception, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end_of(raising(error)) == status

    out, err = capsys.readouterr()
    assert not out
    assert told in err
    assert err.count("\n") == 1


def test_a_defect_is_not_told_as_a_refusal() -> None:
    with pytest.raises(ZeroDivisionError):
        end_of(raising(ZeroDivisionError()))


def test_a_command_ends_with_its_own_status() -> None:
    assert end_of(lambda: DONE) == DONE


@pytest.mark.parametrize("path", [("books", "url"), ("core",), ("core", "url")])
def test_a_setting_that_is_not_there_is_named(path: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r" is missing$") as refused:
        setting({"books": {}}, *path)

    assert str(refused.value) == f"{'.'.join(path)} is missing"


def test_a_setting_is_found_in_its_table() -> None:
    tables = {"books": {"url": "sqlite://"}}

    assert setting(tables, "books", "url") == "sqlite://"
    assert setting(tables, "books") == {"url": "sqlite://"}


def test_a_path_has_its_twin_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COUNTERFOIL_BANK_CONFIG", "from-there.toml")
    parser = argparse.ArgumentParser()
    add_path(parser, "bank", "config", "the configuration")

    assert parser.parse_args([]).config == Path("from-there.toml")
    assert parser.parse_args(["--config", "here.toml"]).config == Path("here.toml")


def test_a_path_without_a_twin_is_required() -> None:
    parser = argparse.ArgumentParser()
    add_path(parser, "bank", "config", "the configuration")

    with pytest.raises(SystemExit):
        parser.parse_args([])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("signals")
def test_whoever_asks_to_stop_is_remembered(number: signal.Signals) -> None:
    stop = Stop()
    assert not stop.asked

    signal.raise_signal(number)

    assert stop.asked


def test_only_an_act_that_has_begun_already_is_as_good_as_begun() -> None:
    def refused(state: str) -> DeskRefused:
        return DeskRefused("NOT_IN_STATE", "no", facts={"state": state})

    assert begun_before(refused("ACTING"))
    assert not begun_before(refused("ACTED"))
    assert not begun_before(DeskRefused("VAULT_BUSY", "later", retryable=True))
