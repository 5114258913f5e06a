"""What docs/register.md tells an operator to type opens a register."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from tests.houses import BANK, FINANCE, Town
from tools.tree import ROOT

PAGE = ROOT / "docs" / "register.md"

pytestmark = pytest.mark.slow


def commands() -> str:
    """Return the page's shell commands."""
    return "\n".join(
        re.findall(
            r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
        )
    )


@pytest.mark.timeout(300)
@pytest.mark.clause("hubei-24", "hubei-36")
def test_the_commands_of_the_page_open_a_register(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = Town(directory=tmp_path / "town")
    beside = Path(sys.executable).parent
    subprocess.run(
        ["bash", "-e", "-c", commands()],
        cwd=town.directory,
        env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    assert town.founding(FINANCE).exists()

    assert cli.main(["init", "--config", str(town.file(FINANCE))]) == cli.DONE

    capsys.readouterr()
    verify = ["vault", "verify", "--config", str(town.file(FINANCE))]
    assert cli.main(verify) == cli.DONE
    assert "no findings" in capsys.readouterr().err
    assert BANK in commands()
