"""The command `counterfoil-demo`: one day among four institutions."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from counterfoil.day.faults import FAULTS
from counterfoil.day.final_check import findings
from counterfoil.day.material import SPECIAL
from counterfoil.day.programme import Day
from counterfoil.day.programs import DayFailed
from counterfoil.day.screen import Screen
from counterfoil.day.stage import Stage

DONE: Final = 0
DIFFERS: Final = 1
_FILES: Final = 1_000
_BROKEN: Final = 12
_FILES_MIN: Final = len(SPECIAL) + 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration day.

    Returns:
        Exit status: 0 if every number of every side agrees, else 1.
    """
    options = _parser().parse_args(arguments)
    directory = options.directory or Path(tempfile.mkdtemp(prefix="counterfoil-demo-"))
    screen = Screen(sys.stdout)
    day = Day(
        directory=directory.resolve(),
        files=options.files,
        broken=options.broken,
        seed=options.seed,
        screen=screen,
    )
    try:
        stage = day.run()
    except DayFailed as failure:
        screen.say(f"THE DAY FAILED: {failure}")
        return DIFFERS
    status = conclude(stage, options.plant, screen)
    screen.say(f"everything is in {directory}")
    return status


def conclude(stage: Stage, plant: str | None, screen: Screen) -> int:
    """Plant a fault, if one is wanted, and check the day that is over.

    Returns:
        Exit status: 0 if every number of every side agrees, else 1.
    """
    if plant is not None:
        FAULTS[plant](stage)
        screen.say(f"planted a fault: {plant}")
    screen.say("verifying all four vaults and comparing all books")
    found = list(findings(stage))
    for finding in found:
        screen.say(f"DIFFERS: {finding}")
    screen.say(
        f"{len(found)} findings"
        if found
        else "every vault is whole and every number agrees"
    )
    return DIFFERS if found else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-demo",
        description="Four gateways and their business systems live through one day "
        "on this machine; at the end every number must agree.",
    )
    for name, kind, default, what in (
        ("files", _files, str(_FILES), "sound national XML files of finance"),
        ("broken", int, str(_BROKEN), "broken files on top, the kinds in turn"),
        ("seed", int, "1", "the same seed gives the same files"),
        ("directory", Path, None, "work directory, empty; default a fresh one"),
    ):
        value = os.environ.get(f"COUNTERFOIL_DEMO_{name.upper()}", default)
        parser.add_argument(f"--{name}", type=kind, default=value, help=what)
    parser.add_argument(
        "--plant",
        choices=sorted(FAULTS),
        default=os.environ.get("COUNTERFOIL_DEMO_PLANT"),
        help="plant this fault before the final check, which must find it",
    )
    return parser


def _files(text: str) -> int:
    files = int(text)
    if files < _FILES_MIN:
        msg = f"at least {_FILES_MIN} files are needed"
        raise argparse.ArgumentTypeError(msg)
    return files


if __name__ == "__main__":
    sys.exit(main())
