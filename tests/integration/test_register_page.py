"""What docs/register.md tells an operator to type opens two registers."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.office import Standing
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.desks import accept_at, issue, reaches
from tests.integration.papers import Papers
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


@pytest.mark.timeout(600)
@pytest.mark.clause("hubei-24", "hubei-36")
async def test_the_commands_of_the_page_open_both_registers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # As the first exchange leaves it: nobody has said `init` yet.
    town = Town(directory=tmp_path / "town", founded=False)
    beside = Path(sys.executable).parent
    await asyncio.to_thread(
        subprocess.run,
        ["bash", "-e", "-c", commands()],
        cwd=town.directory,
        env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )

    # What both have taken in lets them exchange at once.
    async with running(town, FINANCE, BANK) as gateways:
        assert all(one._vault.register.is_founded for one in gateways.values())
        issued = await issue(town, Papers().direct_payment())
        async with town.desk(BANK) as bank, town.desk(FINANCE) as finance:
            await accept_at(bank, issued.reference)
            await reaches(finance, issued.reference, Standing.ACCEPTED)
    for party in (FINANCE, BANK):
        capsys.readouterr()
        verify = ["vault", "verify", "--config", str(town.file(party))]
        assert await asyncio.to_thread(cli.main, verify) == cli.DONE
        assert "no findings" in capsys.readouterr().err
