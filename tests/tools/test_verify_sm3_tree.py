"""The script of `docs/verify-a-voucher.md` on exports of a log with an SM3 tree."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from counterfoil.daemon import cli
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.papers import Papers
from tests.tools.test_sm3_exchange import deliver, inquire
from tests.tools.test_verify_a_voucher import (
    Case,
    Change,
    after,
    line,
    other_base64,
    refused,
)

pytestmark = [pytest.mark.tools, pytest.mark.clause("hubei-16")]

Program: TypeAlias = Callable[[str], Path]

ORIGIN: Final = f"{FINANCE}/log-sm3"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, program: Program) -> Town:
    """A notice of the bank that arrived at finance, whose log has the tree."""
    program("libcrypto")
    town = Town(
        directory=tmp_path_factory.mktemp("sm3"),
        sm3=(FINANCE,),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    town.initialise()
    asyncio.run(_export(town))
    (town.directory / "root.pem").write_bytes((town.pki / "root.pem").read_bytes())
    keys = [*town.heads(FINANCE), *town.heads(BANK), *town.sm3_heads(FINANCE)]
    (town.directory / "keys.txt").write_text("\n".join(keys), "utf-8")
    return town


async def _export(town: Town) -> None:
    papers = Papers()
    async with running(town):
        reference, _ = await deliver(town, papers)
        await deliver(town, papers)  # so that the other's leaf has siblings
        export = town.directory / "export"
        status = await inquire(town, UNIT, reference.digest.hex(), export)
    assert status == cli.DONE


@pytest.fixture
def case(exported: Town, tmp_path: Path, program: Program) -> Case:
    program("openssl")
    for name in ("root.pem", "keys.txt"):
        shutil.copy(exported.directory / name, tmp_path)
    shutil.copytree(exported.directory / "export", tmp_path / "export")
    return Case(exported, tmp_path / "export")


def proof_of(case: Case, folder: str = "log-sm3") -> str:
    """Return the name of the proof of the arrival."""
    first = min(path.name for path in (case.export / folder).glob("act-*"))
    return f"{folder}/{first}"


def test_both_trees_are_judged(case: Case) -> None:
    verdict = case.judge()

    assert verdict.returncode == 0, verdict.stderr
    told = verdict.stdout.splitlines()
    arrived = [one for one in told if one.startswith("  arrived ")]
    assert [one.split(" of ")[1] for one in arrived] == [f"{FINANCE}/log", ORIGIN]
    assert arrived[0].split(" of ")[0] == arrived[1].split(" of ")[0]
    assert any(one.startswith(f"{ORIGIN}, ") for one in told)
    assert told[-1] == "holds (成立)"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (line(1, after("extra ")), "sm3"),  # the leaf
        (line(2, lambda _: "index 0"), "sm3"),
        (line(2, lambda _: "index 99"), "sm3"),
        (line(3, other_base64), "sm3"),  # a hash of the path
        (line(3, lambda text: f"{text}\n{text}"), "sm3"),
        (line(-5, other_base64), "checkpoint"),  # the root
        (line(-3, lambda text: text.replace("log-sm3 ", "log ")), "checkpoint"),
        (line(-2, lambda text: text[:-8] + "A" * 6 + text[-2:]), "checkpoint"),
    ],
)
def test_a_changed_proof(case: Case, change: Change, word: str) -> None:
    name = proof_of(case)
    before = (case.export / name).read_bytes()
    case.change(name, change)

    assert (case.export / name).read_bytes() != before
    assert refused(case, word)


@pytest.mark.parametrize("at", [-1, -2])
def test_each_of_its_keys_must_have_signed(case: Case, at: int) -> None:
    def without(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        assert lines[at].startswith(f"— {ORIGIN} ".encode())
        del lines[at]
        return b"".join(lines)

    case.change(proof_of(case), without)

    assert refused(case, "checkpoint")


def test_a_proof_by_the_first_tree_is_none_by_the_second(case: Case) -> None:
    shutil.copy(case.export / proof_of(case, "log"), case.export / proof_of(case))

    assert refused(case, "sm3")


def test_what_the_first_tree_does_not_have_is_refused(case: Case) -> None:
    (case.export / proof_of(case, "log")).unlink()

    assert refused(case, "sm3")


def test_keys_of_another_type_do_not_open_it(case: Case) -> None:
    keys = case.export.parent / "keys.txt"
    without = [one for one in keys.read_text().splitlines() if ORIGIN not in one]
    keys.write_text("\n".join(without))
    assert refused(case, "checkpoint")

    # As the page says: who names none of its keys takes the folder away.
    shutil.rmtree(case.export / "log-sm3")
    assert case.judge().returncode == 0
