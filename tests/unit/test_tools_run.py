"""The machinery of `tests/conftest.py`, tried on a suite of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.tree import ROOT

CONFIGURATION = """
[tool.pytest.ini_options]
addopts = ["--strict-markers"]
markers = ["clause(*ids)", "refusal(*reasons)"]
"""
SUITE = """
import pytest

@pytest.mark.clause("a-1")
@pytest.mark.refusal("VAULT_FULL")
def test_passes(): pass

@pytest.mark.refusal("OTHER", "KEY_REUSED")
def test_fails(): assert False

def test_skips(): pytest.skip("no such program")

@pytest.mark.xfail
def test_is_expected_to_fail(): assert False
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    (tests / "conftest.py").write_bytes((ROOT / "tests/conftest.py").read_bytes())
    (tests / "clauses.txt").write_text("a-1\tdoes a thing\n")
    (tests / "test_suite.py").write_text(SUITE)
    return tmp_path


def run(suite: Path, *options: str, ci: bool = False) -> tuple[int, dict[str, Any]]:
    report = suite / "report.json"
    environment = {
        **os.environ,
        "CI": "true" if ci else "",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "pytest", "-q", f"--report={report}", *options]
    answer = subprocess.run(
        command, cwd=suite, env=environment, capture_output=True, check=False
    )
    return answer.returncode, json.loads(report.read_text()) if report.exists() else {}


def test_the_report_says_what_each_test_proved(suite: Path) -> None:
    status, report = run(suite)

    assert status == 1
    assert report["totals"] == {"passed": 1, "failed": 1, "skipped": 2}
    assert report["tests"]["tests/test_suite.py::test_passes"] == {
        "outcome": "passed",
        "clauses": ["a-1"],
        "refusals": ["VAULT_FULL"],
    }


def test_in_ci_what_is_skipped_has_failed(suite: Path) -> None:
    _, report = run(suite, ci=True)

    assert report["totals"] == {"passed": 1, "failed": 3, "skipped": 0}


def test_in_ci_a_module_that_skips_itself_has_failed(suite: Path) -> None:
    (suite / "tests/test_suite.py").write_text(
        "import pytest\npytest.importorskip('no_such_module')\n"
    )

    status, report = run(suite, ci=True)

    assert status != 0
    assert report["totals"] == {"passed": 0, "failed": 1, "skipped": 0}


def test_one_refusal_can_be_asked_for(suite: Path) -> None:
    _, report = run(suite, "--refusal=KEY_REUSED")

    assert list(report["tests"]) == ["tests/test_suite.py::test_fails"]


def test_a_clause_that_nobody_knows_is_refused(suite: Path) -> None:
    text = (suite / "tests/test_suite.py").read_text()
    (suite / "tests/test_suite.py").write_text(text.replace("a-1", "a-2"))

    status, _ = run(suite)

    assert status == pytest.ExitCode.USAGE_ERROR
