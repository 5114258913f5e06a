"""The command `counterfoil-treasury`.

Its configuration has, beside what `office.settings` reads:

    [books]
    url = "sqlite:///treasury.sqlite"

    [treasury]
    finance = "420000-011"       # whom the daily reports go to
    adm_div = "420000"
    tre_code = "4200000000"      # our code as treasury (国库主体代码)
    fin_org_code = "420000000"   # finance's (财政机关代码)
    account = "42000000001"      # the single account (国库单一账户)
    opening_fen = 1000000        # what it held before the first voucher

    [[bank]]                     # any number of agent banks that clear with us
    number = "102521000000"      # by which vouchers name it (行号)
    party = "420000-102"
    code = "102"                 # by which lists name it (`PayBankCode`), if any does
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any, Final

from counterfoil.business.banks import banks_of
from counterfoil.business.program import (
    DONE,
    IDLE_S,
    REFUSED,
    Stop,
    add_path,
    end_of,
    setting,
    tell,
)
from counterfoil.office import Arrival, DeskRefused, read_settings
from counterfoil.treasury.accounts import figures
from counterfoil.treasury.books import Books
from counterfoil.treasury.clerk import Clerk
from counterfoil.treasury.kinds import BALANCE_REPORT, READ, Office
from counterfoil.treasury.recompute import recompute
from counterfoil.treasury.reports import reports_of

_TWIN: Final = "COUNTERFOIL_TREASURY_"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the treasury system.

    Returns:
        Exit status: 0 done, 1 refused or the books differ, 2 usage, 3 gateway
        unreachable.
    """
    options = _parser().parse_args(arguments)
    command = _show_books if options.command == "books" else _run
    return end_of(lambda: command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-treasury",
        description="A reference business system of the treasury.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run", help="take, act on and answer vouchers until SIGTERM"
    )
    add_path(run, "treasury", "config", "the system's configuration")
    run.add_argument(
        "--report",
        type=_day,
        default=os.environ.get(f"{_TWIN}REPORT"),
        metavar="DAY",
        help=f"at the end, report this day (yyyymmdd) to finance [{_TWIN}REPORT]",
    )
    books = commands.add_parser("books", help="show what the books say")
    add_path(books, "treasury", "config", "the system's configuration")
    books.add_argument(
        "--recompute",
        action="store_true",
        default=os.environ.get(f"{_TWIN}RECOMPUTE") == "1",
        help="read the vouchers in the vault again and compare; exit status 1 if "
        f"they differ [{_TWIN}RECOMPUTE=1]",
    )
    books.add_argument("--json", action="store_true", help="for a program")
    return parser


def _day(text: str) -> str:
    """Return a day as vouchers write it, `yyyymmdd`."""
    return f"{date.fromisoformat(text):%Y%m%d}"


def office_of(party: str, tables: Mapping[str, Any]) -> Office:
    """Return who we are, as the tables `[treasury]` and `[[bank]]` say.

    Args:
        party: Our party code.
        tables: The configuration's tables.

    Raises:
        ValueError: A key is missing.
    """
    try:
        own = tables["treasury"]
        return Office(
            party=party,
            finance=own["finance"],
            adm_div=own["adm_div"],
            tre_code=own["tre_code"],
            fin_org_code=own["fin_org_code"],
            account=own["account"],
            banks=banks_of(tables),
        )
    except KeyError as error:
        msg = f"{error.args[0]} is missing"
        raise ValueError(msg) from error


def _books(office: Office, tables: Mapping[str, Any]) -> Books:
    url = setting(tables, "books", "url")
    return Books(url, office.account, tables["treasury"].get("opening_fen", 0))


def _run(options: argparse.Namespace) -> int:
    """Take, act and answer until SIGTERM or Ctrl-C, and nothing is left to do."""
    station, tables = read_settings(options.config)
    office = office_of(station.party, tables)
    stop = Stop()
    with ExitStack() as stack:
        books = _books(office, tables)
        stack.callback(books.close)
        desk = stack.enter_context(station.desk("system"))
        clerk = Clerk(office, desk, books, lambda: datetime.now(UTC), tell)

        def known(arrival: Arrival) -> bool:
            return books.knows(arrival.digest)

        kinds = sorted({*READ, BALANCE_REPORT})
        for arrivals in desk.read(types=kinds, follow=True, idle_s=IDLE_S, known=known):
            clerk.take(arrivals)
            clerk.work()
            if stop.asked and not arrivals and books.is_at_rest():
                break
        if options.report:
            with books.reading() as session:
                reports = reports_of(session, office, options.report)
            for outcome in desk.submit(reports):
                if isinstance(outcome, DeskRefused):
                    raise outcome
            tell("reported", len(reports))
    return DONE


def _show_books(options: argparse.Namespace) -> int:
    station, tables = read_settings(options.config)
    office = office_of(station.party, tables)
    with ExitStack() as stack:
        books = _books(office, tables)
        stack.callback(books.close)
        with books.reading() as session:
            told = asdict(figures(session))
        if options.json:
            print(json.dumps(told))
        else:
            print(" ".join(f"{name}={value}" for name, value in told.items()))
        if not options.recompute:
            return DONE
        desk = stack.enter_context(station.desk("system"))
        found = list(recompute(desk, books, office.party))
        for difference in found:
            print(difference, file=sys.stderr)
    return REFUSED if found else DONE
