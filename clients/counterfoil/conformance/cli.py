"""The command `counterfoil-conformance`: judges a gateway from outside.

Exit status: 0 no check failed, 1 one did, 2 usage or the file is wrong, 3 nobody
answers at the address, 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.conformance import report
from counterfoil.conformance.checks import Check
from counterfoil.conformance.papers import Papers
from counterfoil.conformance.suite import CHECKS, Finding, judged, reach
from counterfoil.conformance.target import Target, read_target
from counterfoil.office import Unreachable

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130
_TWIN: Final = "COUNTERFOIL_CONFORMANCE_CONFIG"


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the gateway that a file names; see the module for the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        print(report.table(CHECKS), end="")
        return DONE
    if options.config is None:
        parser.error("--config is needed: which gateway is judged, and as whom")
    try:
        checks = _chosen(options.only)
        target = read_target(options.config)
        began = datetime.now(UTC)
        findings = asyncio.run(_run(target, checks))
        if options.json is not None:
            text = report.as_json(target, findings, began)
            options.json.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return USAGE
    except Unreachable as error:
        print(f"nobody answers as a gateway: {error}", file=sys.stderr)
        return UNREACHABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE if report.conforms(findings) else FAILED


async def _run(target: Target, checks: Sequence[Check]) -> list[Finding]:
    """Run the checks, telling of each as it ends."""
    Papers(target).try_out()
    await reach(target)
    findings: list[Finding] = []
    async for finding in judged(target, checks):
        findings.append(finding)
        print(report.line(finding), flush=True)
    print(report.summary(findings))
    return findings


def _chosen(numbers: Sequence[int]) -> Sequence[Check]:
    """Return the checks with these numbers; all if none is named.

    Raises:
        ValueError: There is no such check.
    """
    known = {check.number: check for check in CHECKS}
    for number in numbers:
        if number not in known:
            raise ValueError(f"there is no check {number}; --list shows all")
    return [known[number] for number in numbers] or CHECKS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-conformance",
        description="Judge any gateway through its public services, in the place of "
        "another institution's gateway. It leaves vouchers in the vault for good: "
        "never judge a gateway that is in real use.",
    )
    parser.add_argument(
        "--config",
        type=Path,
        default=os.environ.get(_TWIN),
        help=f"which gateway, and the identities that may be used [{_TWIN}]",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the report here as well"
    )
    parser.add_argument(
        "--only",
        type=int,
        action="append",
        default=[],
        metavar="NUMBER",
        help="run this check only; may be repeated",
    )
    parser.add_argument(
        "--list", action="store_true", help="list all checks and run none"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
