"""How every test run behaves: profiles, markers, reports.

`--report FILE` writes what each test proved, for `tools/clauses.py` and
`tools/mutants.py`. With `CI=true` a skipped or expected failure is a failure:
a gate that was not tried is not passed.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

import hypothesis
import pytest

from tools.clauses import read_clauses
from tools.needs import NEEDS, find

CI: Final = os.environ.get("CI") == "true"
CLAUSES: Final = Path(__file__).parent / "clauses.txt"

hypothesis.settings.register_profile(
    "ci",
    derandomize=True,  # the same tree gives the same verdict
    deadline=None,  # a shared machine is slow at times
    print_blob=True,
)
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if CI else "dev")
)


@pytest.fixture
def signals() -> Iterator[None]:
    """Put back the handlers that a command sets for its signals."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options that the tools use."""
    parser.addoption(
        "--refusal", metavar="REASON", help="only tests that guard this refusal"
    )
    parser.addoption(
        "--report", metavar="FILE", type=Path, help="write what each test proved"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start the report, if one is wanted."""
    target: Path | None = config.getoption("--report")
    if target is not None:
        config.pluginmanager.register(Report(target), "counterfoil-report")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Refuse unknown clauses and keep only the tests of `--refusal`."""
    known = read_clauses(CLAUSES)
    for item in items:
        for clause in marked(item, "clause"):
            if clause not in known:
                msg = f"{item.nodeid}: no clause {clause!r} in {CLAUSES.name}"
                raise pytest.UsageError(msg)
    reason: str | None = config.getoption("--refusal")
    if reason is not None:
        others = [item for item in items if reason not in marked(item, "refusal")]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where the gates run."""
    report = yield
    if CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for modules that skip themselves."""
    report = yield
    if CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


def marked(item: pytest.Item, name: str) -> list[str]:
    """Return the arguments of all markers `name` on `item`."""
    return [str(value) for mark in item.iter_markers(name) for value in mark.args]


class Report:
    """Collects what each test proved.

    The file holds `totals` (passed, failed, skipped) and for every test its
    outcome and the clauses and refusals that it is marked with.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._tests: dict[str, dict[str, object]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the markers of all tests that are about to run."""
        for item in session.items:
            self._tests[item.nodeid] = {
                "outcome": "missing",
                "clauses": marked(item, "clause"),
                "refusals": marked(item, "refusal"),
            }

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be collected counts as one failed test."""
        if report.failed:
            self._note(report.nodeid, "failed")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of set-up, call and tear-down."""
        if report.when == "call" or report.outcome != "passed":
            self._note(report.nodeid, report.outcome)

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        outcomes = [test["outcome"] for test in self._tests.values()]
        totals = {
            "passed": outcomes.count("passed"),
            "failed": outcomes.count("failed") + outcomes.count("missing"),
            "skipped": outcomes.count("skipped"),
        }
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._target.write_text(
            json.dumps({"totals": totals, "tests": self._tests}, indent=1)
        )

    def _note(self, nodeid: str, outcome: str) -> None:
        test = self._tests.setdefault(
            nodeid, {"outcome": "missing", "clauses": [], "refusals": []}
        )
        if test["outcome"] != "failed":
            test["outcome"] = outcome


@pytest.fixture(scope="session")
def program() -> Callable[[str], Path]:
    """Return a function that finds a program or skips the test.

    Its argument is a name that `tools/needs.py` lists.
    """

    def find_or_skip(name: str) -> Path:
        found = find(name)
        if found is None:
            pytest.skip(f"{name} is not installed: {NEEDS[name].install}")
        return found

    return find_or_skip
