from __future__ import annotations

import json
from pathlib import Path

import pytest

from counterfoil.business.program import REFUSED, UNREACHABLE
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.finance.cli import main
from counterfoil.office import Patience
from tests.unit.finance.station import station


@pytest.fixture
def config(ca: DevelopmentCa, tmp_path: Path) -> Path:
    lines = station(ca, tmp_path, "127.0.0.1:1")
    lines += ["[books]", f'url = "sqlite:///{tmp_path}/books.sqlite"']
    lines += ["[banks]", '"102" = "420000-102"', 'default = "420000-102"']
    file = tmp_path / "system.toml"
    file.write_text("\n".join(lines))
    return file


def test_a_gateway_that_does_not_answer_is_told_by_the_exit_status(
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "counterfoil.finance.run.PATIENCE", Patience(call_s=1.0, total_s=0.0)
    )
    (tmp_path / "files").mkdir()
    arguments = ["run", "--config", str(config), "--folder", str(tmp_path / "files")]

    status = main([*arguments, "--corrections", str(tmp_path)])

    assert status == UNREACHABLE
    assert "UNAVAILABLE" in capsys.readouterr().err


def test_a_configuration_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["books", "--config", str(tmp_path / "none.toml")]) == REFUSED
    assert "none.toml" in capsys.readouterr().err


def test_empty_books_say_zero_for_every_bank(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["books", "--config", str(config), "--json"]) == 0

    figures = json.loads(capsys.readouterr().out)
    assert figures.keys() == {"420000-102"}
    assert set(figures["420000-102"].values()) == {0}


def test_people_read_the_books_in_yuan(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COUNTERFOIL_FINANCE_CONFIG", str(config))

    assert main(["books"]) == 0

    assert capsys.readouterr().out.rstrip().endswith("rejected=0 0.00")
