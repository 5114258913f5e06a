"""Switches off each check of the product and sees whether a test notices.

A check is a statement that raises a refusal. For each, in a scratch copy of the
tree, the statement becomes `pass` and the tests marked with its reason run: one
of them must fail. Exit status 1 when a mutant survives, when a reason has no
passing test, or when `tests/mutants_equivalent.txt` is out of date.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.raise_sites import RaiseSite, all_raise_sites
from tools.tree import (
    HAND_WRITTEN_ROOTS,
    ROOT,
    SOURCE_ROOTS,
    copy_tree,
    modules_below,
)

MUTANT_S: Final = 120
"""A mutant that hangs is noticed: the suite would hang with it."""
BASELINE_S: Final = 1200
EQUIVALENT: Final = "tests/mutants_equivalent.txt"
NO_TESTS: Final = 5
"""pytest's exit status when it found nothing to run."""
TESTS_FAILED: Final = 1
INTERRUPTED: Final = 2
"""pytest's exit status when a module could not be collected."""
INTERNAL_ERROR: Final = 3
"""pytest's exit status when what a test left behind fails at its end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mutant.

    Attributes:
        site: The check that was switched off.
        word: `killed`, `SURVIVED`, `UNTESTED`, `ERROR` or `equivalent`.
        seconds: How long its tests ran.
    """

    site: RaiseSite
    word: str
    seconds: float = 0.0


def read_equivalent(path: Path) -> dict[str, str]:
    """Read the reviewed mutants that change nothing: name, tab, why.

    Raises:
        ValueError: A line gives no reason.
    """
    if not path.exists():
        return {}
    equivalent = {}
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, why = line.partition("\t")
            if not why.strip():
                msg = f"{path.name}: no reason: {line!r}"
                raise ValueError(msg)
            equivalent[name] = why.strip()
    return equivalent


def files_naming(tree: Path, reason: str) -> list[str]:
    """Return the test modules of `tree` that contain the reason in quotes.

    A test may stand in a module that others share, a contract of several engines say:
    then the modules that import it count.
    """
    texts = {path: path.read_text("utf-8") for path in modules_below(tree / "tests")}
    named = [path for path, text in texts.items() if f'"{reason}"' in text]
    shared = [f".{path.stem} import " for path in named if not _is_collected(path)]
    return [
        path.relative_to(tree).as_posix()
        for path, text in texts.items()
        if _is_collected(path)
        and (path in named or any(imports in text for imports in shared))
    ]


def _is_collected(path: Path) -> bool:
    return path.name.startswith("test_")


def guarded_reasons(report: Mapping[str, object]) -> set[str]:
    """Return the reasons that have a test, all of whose tests passed."""
    tests = report["tests"]
    assert isinstance(tests, dict)
    outcomes: dict[str, set[str]] = {}
    for test in tests.values():
        for reason in test["refusals"]:
            outcomes.setdefault(reason, set()).add(test["outcome"])
    return {reason for reason, found in outcomes.items() if found == {"passed"}}


def pytest_in(
    tree: Path, options: Iterable[str], *, timeout_s: int
) -> subprocess.CompletedProcess[str]:
    """Run pytest on the copy `tree`, which wins over an installed product.

    Raises:
        subprocess.TimeoutExpired: It ran longer than `timeout_s`.
    """
    roots = [str(tree / root) for root in SOURCE_ROOTS]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*roots, str(tree)]),
        # A stale cache could hide a mutation made within the same second.
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_PROFILE": "ci",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=tree,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def baseline(tree: Path, reasons: Iterable[str]) -> set[str]:
    """Run all refusal tests unmutated; return the reasons whose tests pass."""
    files = sorted({name for reason in reasons for name in files_naming(tree, reason)})
    if not files:
        return set()
    report = tree / ".cache/report-baseline.json"
    options = ["-m", "refusal and not tools", f"--report={report}", *files]
    answer = pytest_in(tree, options, timeout_s=BASELINE_S)
    if answer.returncode not in {0, NO_TESTS}:
        print(answer.stdout, file=sys.stderr)
    if not report.exists():
        return set()
    return guarded_reasons(json.loads(report.read_text("utf-8")))


def try_mutant(tree: Path, site: RaiseSite) -> Outcome:
    """Switch `site` off in the copy `tree`, run its tests, switch it on again."""
    module = tree / site.path
    original = module.read_bytes()
    times = module.stat()
    begun = time.monotonic()
    try:
        module.write_bytes(site.switched_off(original))
        os.utime(module, (times.st_atime, times.st_mtime - 1000))
        options = ["-x", "-m", "not tools", "--refusal", site.reason]
        files = files_naming(tree, site.reason)
        status = pytest_in(tree, [*options, *files], timeout_s=MUTANT_S).returncode
    except subprocess.TimeoutExpired:
        status = TESTS_FAILED
    finally:
        module.write_bytes(original)
        os.utime(module, (times.st_atime, times.st_mtime))
    words = {
        0: "SURVIVED",
        TESTS_FAILED: "killed",
        INTERRUPTED: "killed",
        INTERNAL_ERROR: "killed",
        NO_TESTS: "UNTESTED",
    }
    # Negative: a signal ended it, as reading behind the end of a file does.
    word = "killed" if status < 0 else words.get(status, "ERROR")
    return Outcome(site, word, time.monotonic() - begun)


def run(tree: Path, sites: list[RaiseSite], *, processes: int) -> list[Outcome]:
    """Try every mutant, `processes` at a time, each in a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-mutants-") as scratch:
        copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(processes):
            copy = Path(scratch, str(number))
            copy_tree(tree, copy)
            compileall.compile_dir(copy, quiet=2)
            copies.put(copy)
        first = Path(scratch, "0")
        guarded = baseline(first, {site.reason for site in sites})

        def attempt(site: RaiseSite) -> Outcome:
            if site.reason not in guarded:
                return Outcome(site, "UNTESTED")
            copy = copies.get()
            try:
                return try_mutant(copy, site)
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(processes) as pool:
            return list(pool.map(attempt, sites))


def main(arguments: list[str] | None = None) -> int:
    """Print one line for each check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--reason", action="append", help="only checks of this reason")
    parser.add_argument("--list", action="store_true", help="only name the checks")
    options = parser.parse_args(arguments)

    modules = [
        path for root in HAND_WRITTEN_ROOTS for path in modules_below(ROOT / root)
    ]
    sites = all_raise_sites(ROOT, modules)
    equivalent = read_equivalent(ROOT / EQUIVALENT)
    stale = equivalent.keys() - {site.name for site in sites}
    if options.reason:
        sites = [site for site in sites if site.reason in options.reason]
    if options.list:
        print("\n".join(site.name for site in sites))
        return 0

    tried = [site for site in sites if site.name not in equivalent]
    outcomes = run(ROOT, tried, processes=options.processes)
    outcomes += [Outcome(s, "equivalent") for s in sites if s.name in equivalent]
    for outcome in sorted(outcomes, key=lambda o: (o.site.path, o.site.start)):
        line = f"{outcome.word:10} {outcome.seconds:5.1f} s  "
        print(f"{line}{outcome.site.name} (line {outcome.site.line})")
    for name in sorted(stale):
        print(f"STALE      {EQUIVALENT}: {name}")
    words = [outcome.word for outcome in outcomes]
    print(", ".join(f"{words.count(word)} {word}" for word in sorted(set(words))))
    return 1 if stale or {"SURVIVED", "UNTESTED", "ERROR"} & set(words) else 0


if __name__ == "__main__":
    sys.exit(main())
