"""The command `counterfoil-bank`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from counterfoil.bank.core import CorePlan, Fate, SimulatedCore
from counterfoil.bank.journal import Journal
from counterfoil.bank.teller import Teller
from counterfoil.office import (
    Arrival,
    DeskRefused,
    OfficeError,
    Unreachable,
    read_settings,
)

DONE: Final = 0
REFUSED: Final = 1
UNREACHABLE: Final = 3
_IDLE_S: Final = 0.2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bank system.

    Returns:
        Exit status: 0 done, 1 refused, 2 usage, 3 gateway unreachable.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "books":
            return _show_books(options)
        return _run(options)
    except Unreachable as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    except DeskRefused as refusal:
        print(f"{refusal.reason}: {refusal.explanation()}", file=sys.stderr)
        return REFUSED
    except (OfficeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-bank",
        description="A reference business system of an agent bank.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="take, pay and answer vouchers until SIGTERM")
    _config(run)
    books = commands.add_parser("books", help="show what the books say")
    _config(books)
    books.add_argument("--issuer", required=True, help="whose vouchers to count")
    books.add_argument("--json", action="store_true", help="for a program")
    return parser


def _config(to: argparse.ArgumentParser) -> None:
    value = os.environ.get("COUNTERFOIL_BANK_CONFIG")
    to.add_argument(
        "--config",
        type=Path,
        default=value,
        required=value is None,
        metavar="PATH",
        help="the system's configuration [COUNTERFOIL_BANK_CONFIG]",
    )


def tell(what: str, count: int) -> None:
    """Print one line of progress for a person or a program: `paid 64`."""
    print(what, count, flush=True)


def core_plan(table: Mapping[str, Any]) -> CorePlan:
    """Return what goes wrong at the core, as the configuration's table says."""
    return CorePlan(
        seed=table.get("seed", 0),
        refused=table.get("refused", 0.0),
        lost_before=table.get("lost_before", 0.0),
        lost_after=table.get("lost_after", 0.0),
        fates={number: Fate(fate) for number, fate in table.get("fates", {}).items()},
    )


class _Stop:
    """Remembers that somebody asked us to stop; the batch under way is finished."""

    asked = False

    def __call__(self, _signal: int, _frame: object) -> None:
        self.asked = True


def _run(options: argparse.Namespace) -> int:
    """Take, pay and answer until SIGTERM or Ctrl-C, and nothing is left to do."""
    station, tables = read_settings(options.config)
    stop = _Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with ExitStack() as stack:
        journal = Journal(tables["books"]["url"])
        stack.callback(journal.close)
        core = SimulatedCore(tables["core"]["url"], core_plan(tables["core"]))
        stack.callback(core.close)
        desk = stack.enter_context(station.desk("system"))
        teller = Teller(
            station.party, desk, journal, core, lambda: datetime.now(UTC), tell
        )
        teller.recover()

        def known(arrival: Arrival) -> bool:
            return journal.knows(arrival.digest)

        for arrivals in desk.read(follow=True, idle_s=_IDLE_S, known=known):
            teller.take(arrivals)
            teller.work()
            if stop.asked and not arrivals and journal.is_at_rest():
                break
    return DONE


def _show_books(options: argparse.Namespace) -> int:
    _, tables = read_settings(options.config)
    figures = asdict(Journal(tables["books"]["url"]).figures(options.issuer))
    if options.json:
        print(json.dumps(figures))
    else:
        print(" ".join(f"{name}={value}" for name, value in figures.items()))
    return DONE
