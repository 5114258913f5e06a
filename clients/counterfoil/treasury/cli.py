"""The command `counterfoil-treasury`.

Its configuration has, beside what `office.settings` reads:

    [books]
    url = "sqlite:///treasury.sqlite"

    [treasury]
    finance = "420000-011"       # whom the reports go to
    adm_div = "420000"
    tre_code = "4200000000"      # our code as treasury (国库主体代码)
    fin_org_code = "420000000"   # finance's (财政机关代码)
    account = "42000000001"      # the single account (国库单一账户)
    opening_fen = 1000000        # what it held before the first voucher
    name = "国家金库湖北省分库"     # as statements state it, if it has one

    [calendar]
    days = "working_days.toml"   # what the legal calendar does not know, if any

    [office.caller.first_reviewer]    # two persons, if they are to `settle`
    [office.caller.second_reviewer]

and the agent banks that clear with us, as `business.banks` has them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from counterfoil.business.money import to_fen
from counterfoil.business.program import add_option, add_path, end_of
from counterfoil.business.settlements import add_settling
from counterfoil.treasury.commands import (
    correct_income,
    enter_income,
    report_day,
    run,
    settle,
    show_alerts,
    show_books,
    state,
)
from counterfoil.treasury.periods import month_of

_TWIN: Final = "COUNTERFOIL_TREASURY_"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the treasury system.

    Returns:
        Exit status: 0 done, 1 refused or the books differ, 2 usage, 3 gateway
        unreachable.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "income":
        _check_income(parser, options)
    if options.command == "statements" and bool(options.month) == bool(options.day):
        parser.error("say either --month or --day")
    return end_of(lambda: _COMMANDS[options.command](options))


_COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "run": run,
    "income": enter_income,
    "correct": correct_income,
    "report": report_day,
    "statements": state,
    "alerts": show_alerts,
    "settle": settle,
    "books": show_books,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-treasury",
        description="A reference business system of the treasury.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run_ = commands.add_parser(
        "run", help="take, act on and answer vouchers until SIGTERM"
    )
    income = commands.add_parser("income", help="enter income of the single account")
    _add_income(income)
    correct = commands.add_parser(
        "correct", help="take an entry of income back, and enter it rightly"
    )
    correct.add_argument("number", metavar="NUMBER", help="of the wrong entry")
    _add(correct, "level LEVEL", str, "the right level, if that was wrong")
    _add(correct, "subject CODE", str, "the right subject, if that was wrong")
    _add(correct, "amount YUAN", to_fen, "the right amount, if that was wrong")
    _add(correct, "reason TEXT", str, "why, for people", required=True)
    report = commands.add_parser(
        "report", help="close a day and send its reports to finance"
    )
    _add(report, "day DAY", _day, "the day, yyyymmdd", required=True)
    statements = commands.add_parser(
        "statements", help="send the statements of a month, or the checks of a day"
    )
    _add(statements, "month MONTH", _month, "the month, yyyymm")
    _add(statements, "day DAY", _day, "the day, yyyymmdd")
    alerts = commands.add_parser(
        "alerts", help="show what was noted today and what is late; exit 1 if any"
    )
    settle_ = commands.add_parser(
        "settle", help="sign what holds where an answer differs"
    )
    settle_.add_argument(
        "number", metavar="NUMBER", help="of the voucher, or of our statement"
    )
    add_settling(settle_, "treasury")
    books = commands.add_parser("books", help="show what the books say")
    books.add_argument(
        "--recompute",
        action="store_true",
        default=os.environ.get(f"{_TWIN}RECOMPUTE") == "1",
        help="read the vouchers and reports in the vault again and compare; exit "
        f"status 1 if they differ [{_TWIN}RECOMPUTE=1]",
    )
    books.add_argument(
        "--json",
        action="store_true",
        default=os.environ.get(f"{_TWIN}JSON") == "1",
        help=f"for a program [{_TWIN}JSON=1]",
    )
    for each in (run_, income, correct, report, statements, alerts, settle_, books):
        add_path(each, "treasury", "config", "the system's configuration")
    for each in (run_, income, correct, report, statements, alerts, settle_):
        _add(each, "today DAY", _day, "live this day instead of the clock's")
    return parser


def _add_income(to: argparse.ArgumentParser) -> None:
    """Add the options of one entry, of a file, and of the simulator."""
    _add(to, "number NUMBER", str, "number of the entry: twice is booked once")
    _add(to, "level LEVEL", str, "level of the budget, 0 to 6; without it, 2")
    _add(to, "subject CODE", str, "subject of the budget")
    _add(to, "amount YUAN", to_fen, "amount, e.g. 1234.50")
    _add(to, "file PATH", Path, "enter what a file (CSV) has")
    _add(to, "seed N", int, "enter what a simulator makes of this number")
    _add(to, "count N", int, "how many entries it makes; without it, 20")
    _add(to, "day DAY", _day, "day on which it came in; without it, today")


def _check_income(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a mistake of usage unless the income comes from one source."""
    by_hand = (options.number, options.subject, options.amount)
    given = [all(one is not None for one in by_hand), options.file, options.seed]
    if sum(one is not None and one is not False for one in given) != 1:
        parser.error(
            "say either --number, --subject and --amount, or --file, or --seed"
        )


def _add(
    to: argparse.ArgumentParser,
    option: str,
    kind: Callable[[str], object],
    text: str,
    *,
    required: bool = False,
) -> None:
    """Add an option, e.g. `day DAY`, with its environment twin."""
    name, metavar = option.split()
    add_option(
        to, "treasury", name, text, kind=kind, metavar=metavar, required=required
    )


def _month(text: str) -> str:
    """Return a month, `yyyymm`."""
    return month_of(text).name


def _day(text: str) -> str:
    """Return a day as vouchers write it, `yyyymmdd`."""
    return f"{date.fromisoformat(text):%Y%m%d}"
