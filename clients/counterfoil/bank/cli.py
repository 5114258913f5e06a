"""The command `counterfoil-bank`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from counterfoil.bank.core import CorePlan, Fate, SimulatedCore
from counterfoil.bank.journal import Journal
from counterfoil.bank.teller import Teller
from counterfoil.business.program import (
    DONE,
    IDLE_S,
    Stop,
    add_path,
    end_of,
    setting,
    tell,
)
from counterfoil.office import Arrival, read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bank system.

    Returns:
        Exit status: 0 done, 1 refused, 2 usage, 3 gateway unreachable.
    """
    options = _parser().parse_args(arguments)
    command = _show_books if options.command == "books" else _run
    return end_of(lambda: command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-bank",
        description="A reference business system of an agent bank.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="take, pay and answer vouchers until SIGTERM")
    add_path(run, "bank", "config", "the system's configuration")
    books = commands.add_parser("books", help="show what the books say")
    add_path(books, "bank", "config", "the system's configuration")
    books.add_argument("--issuer", required=True, help="whose vouchers to count")
    books.add_argument("--json", action="store_true", help="for a program")
    return parser


def core_plan(table: Mapping[str, Any]) -> CorePlan:
    """Return what goes wrong at the core, as the configuration's table says."""
    return CorePlan(
        seed=table.get("seed", 0),
        refused=table.get("refused", 0.0),
        lost_before=table.get("lost_before", 0.0),
        lost_after=table.get("lost_after", 0.0),
        fates={number: Fate(fate) for number, fate in table.get("fates", {}).items()},
    )


def _run(options: argparse.Namespace) -> int:
    """Take, pay and answer until SIGTERM or Ctrl-C, and nothing is left to do."""
    station, tables = read_settings(options.config)
    stop = Stop()
    with ExitStack() as stack:
        journal = Journal(setting(tables, "books", "url"))
        stack.callback(journal.close)
        core = SimulatedCore(setting(tables, "core", "url"), core_plan(tables["core"]))
        stack.callback(core.close)
        desk = stack.enter_context(station.desk("system"))
        teller = Teller(
            station.party, desk, journal, core, lambda: datetime.now(UTC), tell
        )
        teller.recover()

        def known(arrival: Arrival) -> bool:
            return journal.knows(arrival.digest)

        for arrivals in desk.read(follow=True, idle_s=IDLE_S, known=known):
            teller.take(arrivals)
            teller.work()
            if stop.asked and not arrivals and journal.is_at_rest():
                break
    return DONE


def _show_books(options: argparse.Namespace) -> int:
    _, tables = read_settings(options.config)
    with closing(Journal(setting(tables, "books", "url"))) as journal:
        figures = asdict(journal.figures(options.issuer))
    if options.json:
        print(json.dumps(figures))
    else:
        print(" ".join(f"{name}={value}" for name, value in figures.items()))
    return DONE
