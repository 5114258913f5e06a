"""The script judges what came after its certificate's end, from its export."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.domain.leaf import Leaf
from counterfoil.tlog.proof_file import ProofFile
from tests.integration.desks import accept_at, issue
from tests.integration.late import (
    BANK,
    FINANCE,
    connection,
    opened,
    town_of,
    witnesses,
)
from tests.integration.papers import Papers

SCRIPT = Path(__file__).parents[2] / "docs/verify_a_voucher.py"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the bank exports of a voucher that came late, and what an expert trusts."""
    directory = tmp_path_factory.mktemp("late")
    asyncio.run(_export(directory))
    return directory


async def _export(directory: Path) -> None:
    town = town_of(directory)
    async with opened(town, FINANCE) as finance:
        async with opened(town, BANK) as bank:
            issued = await issue(town, Papers().direct_payment(), send=False)
            await witnesses(bank, finance)
        async with town.desk(FINANCE) as desk:
            await desk.send([issued.reference])
        async with opened(town, BANK, days=2), town.desk(BANK) as theirs:
            await accept_at(theirs, issued.reference)
            options = [*connection(town, BANK), "--export", str(directory / "export")]
            words = ["inquire", issued.reference.digest.hex(), *options]
            assert await asyncio.to_thread(cli.main, words) == 0
    shutil.copy(town.pki / "root.pem", directory)
    keys = [*town.heads(FINANCE), *town.heads(BANK)]
    (directory / "keys.txt").write_text("\n".join(keys), "utf-8")


@pytest.fixture
def export(exported: Path, tmp_path: Path, program: Callable[[str], Path]) -> Path:
    program("openssl")
    shutil.copytree(exported, tmp_path / "late")
    return tmp_path / "late"


def judged(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-I", str(SCRIPT), str(directory / "export")),
            *("--root", str(directory / "root.pem")),
            *("--log-keys", str(directory / "keys.txt")),
        ],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def proof(directory: Path, name: str) -> Path:
    (found,) = (directory / "export/log").glob(f"{name}-*")
    return found


@pytest.mark.clause("hubei-16")
def test_a_late_voucher_is_judged_as_of_what_was_witnessed(export: Path) -> None:
    verdict = judged(export)

    assert verdict.returncode == 0, verdict.stderr
    told = [line.split() for line in verdict.stdout.splitlines()]
    (witnessed,) = [line for line in told if line[:1] == ["witnessed"]]
    (at,) = [line for line in told if line[:1] == ["judged"]][:1]
    assert witnessed[-1] == f"{FINANCE}/log"
    assert at[1:4] == witnessed[1:4]
    assert verdict.stdout.endswith("holds (成立)\n")


def test_without_what_it_rests_on_it_does_not_hold(export: Path) -> None:
    proof(export, "earlier").unlink()

    verdict = judged(export)

    assert verdict.returncode == 1
    assert "certificate (证书)" in verdict.stderr


def as_another_act(export: Path) -> None:
    """Let another leaf of the bank's log stand for that of the witness."""
    (arrival,) = {
        file.name.partition("-")[2]
        for file in (export / "export/log").glob("earlier-*")
    }
    shutil.copy(export / f"export/log/act-{arrival}", proof(export, "witness"))


def as_another_head(export: Path) -> None:
    """Show the voucher's leaf in a head that was not witnessed."""
    shutil.copy(proof(export, "witness"), proof(export, "earlier"))


def of_another_arrival(export: Path) -> None:
    """Let it stand beside an act that is no arrival."""
    log = export / "export/log"
    acts = {
        file.name[4:]
        for file in log.glob("act-*")
        if Leaf.from_bytes(ProofFile.from_bytes(file.read_bytes()).extra or b"").act
        != 3
    }
    for name in ("earlier", "witness"):
        proof(export, name).rename(log / f"{name}-{min(acts)}")


@pytest.mark.parametrize("spoil", [as_another_act, as_another_head, of_another_arrival])
def test_what_was_not_witnessed_is_refused(
    export: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(export)

    verdict = judged(export)

    assert verdict.returncode == 1
    assert "earlier (早先签章)" in verdict.stderr


def test_a_changed_proof_leads_nowhere(export: Path) -> None:
    file = proof(export, "earlier")
    text = file.read_text("utf-8")
    lines = text.splitlines()
    place = next(at for at, line in enumerate(lines) if line.startswith("index")) + 1
    lines[place] = ("B" if lines[place][0] == "A" else "A") + lines[place][1:]
    file.write_text("\n".join(lines) + "\n", "utf-8")

    verdict = judged(export)

    assert verdict.returncode == 1
    assert "proof (证明)" in verdict.stderr
