"""The command `counterfoil-bank`.

Its configuration has, beside what `office.settings` reads:

    [office.caller.system]           # the system, and two persons who review
    [office.caller.first_reviewer]
    [office.caller.second_reviewer]

    [books]
    url = "sqlite:///bank.sqlite"

    [core]                           # the simulated core, and what goes wrong there
    url = "sqlite:///core.sqlite"

A bank that does not only pay, but clears:

    [bank]
    number = "102521000000"          # our bank number (行号)
    code = "102"                     # our bank class (`PayBankCode`)
    account = "10200001"             # our account at the treasury
    account_name = "..."

    [treasury]
    party = "420000-001"
    code = "4200000000"              # its code (国库主体代码)
    account = "42000000001"          # the single account (国库单一账户)
    account_name = "..."

    [finance]
    party = "420000-011"
    code = "420000000"               # its code (财政机关代码)

    [units]                          # who hears of direct payments
    "101001" = "420000-101001"       # party code by agency code
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from counterfoil.bank.accounts import Totals, totals
from counterfoil.bank.core import CorePlan, Fate, SimulatedCore
from counterfoil.bank.journal import Journal
from counterfoil.bank.kinds import Office, office_of
from counterfoil.bank.system import System, tell_applied
from counterfoil.business.clerks import Reviewer
from counterfoil.business.program import DONE, Stop, add_path, end_of, setting, tell
from counterfoil.office import Station, read_settings

_TWIN: Final = "COUNTERFOIL_BANK_"
_REVIEWERS: Final = ("first_reviewer", "second_reviewer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bank system.

    Returns:
        Exit status: 0 done, 1 refused, 2 usage, 3 gateway unreachable.
    """
    options = _parser().parse_args(arguments)
    commands = {"run": _run, "clear": _clear, "books": _show_books}
    return end_of(lambda: commands[options.command](options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-bank",
        description="A reference business system of an agent bank.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="take, pay and answer vouchers until SIGTERM")
    run.add_argument(
        "--clear",
        action="store_true",
        default=os.environ.get(f"{_TWIN}CLEAR") == "1",
        help=f"at the end, apply for clearing of what was paid [{_TWIN}CLEAR=1]",
    )
    clear = commands.add_parser(
        "clear", help="apply for clearing of what was paid; `run` sends it"
    )
    books = commands.add_parser("books", help="show what the books say")
    for command in (run, clear, books):
        add_path(command, "bank", "config", "the system's configuration")
    books.add_argument(
        "--issuer",
        default=os.environ.get(f"{_TWIN}ISSUER", ""),
        metavar="PARTY",
        help=f"count this issuer's vouchers only [{_TWIN}ISSUER]",
    )
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


def _now() -> datetime:
    return datetime.now(UTC)


def _run(options: argparse.Namespace) -> int:
    """Take, pay, clear and answer until SIGTERM, and nothing is left to do."""
    station, tables = read_settings(options.config)
    stop = Stop()
    with ExitStack() as stack:
        journal = stack.enter_context(closing(_journal(tables)))
        core = SimulatedCore(setting(tables, "core", "url"), core_plan(tables["core"]))
        stack.callback(core.close)
        office = office_of(station.party, tables)
        System(
            party=station.party,
            office=office,
            desk=stack.enter_context(station.desk("system")),
            reviewers=[] if office is None else _reviewers(station, stack),
            journal=journal,
            core=core,
            clock=_now,
            tell=tell,
        ).run(lambda: stop.asked, clear=options.clear)
    return DONE


def _clear(options: argparse.Namespace) -> int:
    """Apply for clearing of everything that is due."""
    station, tables = read_settings(options.config)
    with closing(_journal(tables)) as journal:
        tell_applied(journal, _office(station, tables), _now, tell)
    return DONE


def _show_books(options: argparse.Namespace) -> int:
    """Show what came from one issuer; without one, what was done for each."""
    _, tables = read_settings(options.config)
    with closing(_journal(tables)) as journal:
        if options.issuer:
            issuers = {options.issuer: asdict(journal.figures(options.issuer))}
            told = issuers[options.issuer]
        else:
            with journal.reading() as session:
                found = totals(session)
            issuers = {issuer: asdict(one) for issuer, one in found.items()}
            told = {**asdict(sum(found.values(), Totals())), "issuers": issuers}
    if options.json:
        print(json.dumps(told))
        return DONE
    for issuer, figures in issuers.items():
        print(issuer, *(f"{name}={value}" for name, value in figures.items()))
    return DONE


def _journal(tables: Mapping[str, Any]) -> Journal:
    return Journal(setting(tables, "books", "url"))


def _office(station: Station, tables: Mapping[str, Any]) -> Office:
    office = office_of(station.party, tables)
    if office is None:
        msg = "bank is missing: the configuration is of a bank that only pays"
        raise ValueError(msg)
    return office


def _reviewers(station: Station, stack: ExitStack) -> list[Reviewer]:
    return [
        Reviewer(stack.enter_context(station.desk(name)), station.person(name))
        for name in _REVIEWERS
    ]
