"""Says for every clause of the regulations which tests prove it.

A clause is `passed` when it has tests and all of them passed, `missing` when
no test carries its marker, else `failed`: a skipped test proves nothing.
Without `--run` the reports of the last test runs are read.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.tree import REPORTS, ROOT


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests say about one clause.

    Attributes:
        word: `passed`, `failed` or `missing`.
        tests: Node ids of the tests that carry the clause, sorted.
    """

    word: str
    tests: tuple[str, ...]


def read_clauses(path: Path) -> dict[str, str]:
    """Read `tests/clauses.txt`: id, tab, what the software must do.

    Raises:
        ValueError: A line is not of that form, or an id stands twice.
    """
    clauses: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        clause, tab, text = line.partition("\t")
        if not tab or not text or clause in clauses:
            msg = f"{path}:{number}: not a new clause: {line!r}"
            raise ValueError(msg)
        clauses[clause] = text
    return clauses


def judge(
    clauses: Iterable[str], reports: Iterable[Mapping[str, object]]
) -> dict[str, Verdict]:
    """Return the verdict on each clause.

    Args:
        clauses: The ids.
        reports: Test runs as `tests/conftest.py` writes them. A test in two
            reports counts with its outcome in both.
    """
    outcomes: dict[str, list[tuple[str, str]]] = {clause: [] for clause in clauses}
    for report in reports:
        tests = report["tests"]
        assert isinstance(tests, dict)
        for nodeid, test in tests.items():
            for clause in test["clauses"]:
                outcomes[clause].append((nodeid, test["outcome"]))
    return {clause: _verdict(found) for clause, found in outcomes.items()}


def _verdict(found: list[tuple[str, str]]) -> Verdict:
    tests = tuple(sorted({nodeid for nodeid, _ in found}))
    if not tests:
        return Verdict("missing", tests)
    passed = all(outcome == "passed" for _, outcome in found)
    return Verdict("passed" if passed else "failed", tests)


def _run_all(report: Path) -> None:
    """Run the whole suite; a failing test is told by the report."""
    command = [sys.executable, "-m", "pytest", "-q", f"--report={report}"]
    subprocess.run(command, cwd=ROOT, check=False, stdout=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Print one line for each clause; exit 1 unless all passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true", help="run all tests first")
    parser.add_argument("reports", nargs="*", type=Path, help="default: last runs")
    options = parser.parse_args(arguments)

    paths: list[Path] = options.reports
    if options.run:
        paths = [ROOT / REPORTS / "report-clauses.json"]
        paths[0].unlink(missing_ok=True)
        _run_all(paths[0])
    elif not paths:
        names = ("report-test.json", "report-test-tools.json")
        paths = [ROOT / REPORTS / name for name in names]
    reports = [json.loads(path.read_text()) for path in paths if path.exists()]
    if not reports:
        print("no report of a test run; use --run", file=sys.stderr)
        return 2

    verdicts = judge(read_clauses(ROOT / "tests/clauses.txt"), reports)
    for clause, verdict in verdicts.items():
        print(f"{clause:17}{verdict.word:8}{' '.join(verdict.tests)}".rstrip())
    words = [verdict.word for verdict in verdicts.values()]
    print(", ".join(f"{words.count(w)} {w}" for w in ("passed", "failed", "missing")))
    return 0 if set(words) == {"passed"} else 1


if __name__ == "__main__":
    sys.exit(main())
