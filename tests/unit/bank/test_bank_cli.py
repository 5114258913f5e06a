"""The command `counterfoil-bank`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from counterfoil.bank.cli import main
from counterfoil.bank.commands import core_plan
from counterfoil.bank.core import Fate
from counterfoil.business.program import REFUSED
from counterfoil.devca.directory import DevelopmentCa
from tests.unit.bank.recipient_desk import BANK
from tests.unit.office.loopback import PARTY


@pytest.fixture
def config(ca: DevelopmentCa, tmp_path: Path) -> Path:
    stem = os.path.relpath(ca.credential(BANK, "system", "1").stem, tmp_path)
    file = tmp_path / "bank.toml"
    file.write_text(f"""
[office]
party = "{BANK}"
address = "127.0.0.1:1"
authorities = "{os.path.relpath(ca.directory / "root.pem", tmp_path)}"
[office.caller.system]
certificate = "{stem}.pem"
key = "file:{stem}.key"
passphrase = "file:{stem}.pass"
[books]
url = "sqlite:///{tmp_path / "bank.sqlite"}"
[core]
url = "sqlite:///{tmp_path / "core.sqlite"}"
""")
    return file


def test_empty_books_say_zero(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["books", "--config", str(config), "--issuer", PARTY]

    assert main([*arguments, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures.values()) == {0}

    assert main(arguments) == 0
    assert "receipted=0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "told"),
    [("books", "books.url is missing"), ("core", "core.url is missing")],
)
@pytest.mark.usefixtures("signals")
def test_a_table_that_is_not_there_is_told(
    table: str, told: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace(f"[{table}]", "[shelf]"))

    assert main(["run", "--config", str(config)]) == REFUSED
    assert told in capsys.readouterr().err


def test_a_core_goes_wrong_as_its_table_says() -> None:
    plan = core_plan({"seed": 7, "refused": 0.5, "fates": {"A1": "refused"}})

    assert (plan.seed, plan.refused, plan.lost_before) == (7, 0.5, 0.0)
    assert plan.fates == {"A1": Fate.REFUSED}
