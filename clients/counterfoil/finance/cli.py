"""The command `counterfoil-finance`.

Its configuration has, beside what `office.settings` reads:

    [books]
    url = "sqlite:///finance.sqlite"

    [banks]                      # only with a folder of national files
    "102" = "420000-102"         # by `PayBankCode`
    default = "420000-102"

    [finance]                    # without it only a folder is issued: a hosted unit
    treasury = "420000-001"
    adm_div = "420000"
    tre_code = "4200000000"      # the treasury's own code (国库主体代码)
    fin_org_code = "420000000"   # ours (财政机关代码)
    account = "42000000001"      # the single account (国库单一账户)
    account_name = "国库单一账户"
    opening_fen = 1000000        # what it held before the first voucher

    [[bank]]                     # agent banks, and the special account's
    number = "102521000000"      # by which vouchers name it (行号)
    party = "420000-102"
    code = "102"                 # by which lists name it (`PayBankCode`)

    [[unit]]                     # budget units whose applications we take
    code = "101001"              # by which vouchers name it (`AgencyCode`)
    party = "420000-101001"
    name = "省教育厅"
    top = "101"                  # its top-level unit (`SupDepCode`)
    bank = "102521000000"        # its agent bank

    [office.caller.first_reviewer]    # two persons, who review and who `settle`
    [office.caller.second_reviewer]

    [special]                    # the special account (财政专户), if there is one
    number = "42000000301"
    name = "财政专户"
    bank = "301521000000"
    opening_fen = 1000000        # what it held before the first voucher

    [calendar]
    days = "working_days.toml"   # what `business.working_days` reads, if there is one
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Final, TypeAlias

from counterfoil.business.days import read_day, written
from counterfoil.business.money import to_yuan
from counterfoil.business.program import DONE, REFUSED, add_option, add_path, end_of
from counterfoil.business.settlements import add_settling
from counterfoil.finance import commands
from counterfoil.finance.figures import totals
from counterfoil.finance.recompute import recompute
from counterfoil.finance.run import run
from counterfoil.office import read_settings

_SYSTEM: Final = "finance"

# argparse gives it no public name.
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of the finance system.

    Returns:
        Exit status: 0 done, 1 refused or something to look at, 2 usage, 3 gateway
        unreachable.
    """
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.does
    return end_of(lambda: command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-finance",
        description="A reference business system of a finance department or unit.",
    )
    verbs = parser.add_subparsers(dest="command", required=True)
    run_ = _command(verbs, "run", _run, "take, issue and answer vouchers")
    run_.description = (
        "Take, issue and answer vouchers until SIGTERM. Without [finance] in the "
        "configuration only a folder is issued, until everything has come to an end."
    )
    add_path(run_, _SYSTEM, "folder", "national XML files", required=False)
    add_path(run_, _SYSTEM, "corrections", "corrected files, if any", required=False)
    for wish in ("discard", "correct"):
        twin = f"COUNTERFOIL_FINANCE_{wish}".upper()
        run_.add_argument(
            f"--{wish}",
            action="append",
            default=os.environ.get(twin, "").split(),
            metavar="NUMBER",
            help=f"before sending; numbers between blanks in [{twin}]",
        )
    add_option(
        run_,
        _SYSTEM,
        "notices",
        "entry notices to wait for at the end of a folder",
        kind=int,
        metavar="COUNT",
    )
    books = _command(verbs, "books", _show_books, "show what the books say")
    books.add_argument("--json", action="store_true", help="for a program")
    twin = "COUNTERFOIL_FINANCE_RECOMPUTE"
    books.add_argument(
        "--recompute",
        action="store_true",
        default=os.environ.get(twin) == "1",
        help="read the vouchers in the vault again and compare; exit status 1 if "
        f"they differ [{twin}=1]",
    )
    _add_orders(verbs)
    _add_periods(verbs)
    _add_remedies(verbs)
    return parser


def _add_orders(verbs: Verbs) -> None:
    """Add what people order."""
    allot = _command(verbs, "allot", commands.allot, "enter a plan of allotments")
    add_path(allot, _SYSTEM, "plan", "the plan, TOML")
    for name, does, text in (
        ("appropriate", commands.appropriate, "enter an appropriation"),
        ("special", commands.special, "enter a payment from the special account"),
    ):
        order = _command(verbs, name, does, text)
        add_path(order, _SYSTEM, "order", "the order, TOML")

    simulate = _command(
        verbs, "simulate", commands.simulate, "enter invented allotments and orders"
    )
    for option, required, text in (
        ("seed", True, "fixes everything that is invented"),
        ("count", False, "how many orders; else only allotments"),
    ):
        add_option(
            simulate,
            _SYSTEM,
            option,
            text,
            kind=int,
            metavar="N",
            required=required,
        )


def _add_periods(verbs: Verbs) -> None:
    """Add what is done at the end of a day or month."""
    lists = _command(verbs, "lists", commands.lists, "make the lists of a day")
    _add_day(lists, "day", "of this day (yyyymmdd); else of today")
    statements = _command(
        verbs, "statements", commands.statements, "state a month to the banks"
    )
    add_option(
        statements,
        _SYSTEM,
        "month",
        "the month (yyyymm)",
        metavar="MONTH",
        required=True,
    )
    _command(verbs, "alerts", commands.alerts, "show what a person has to look at")


def _add_remedies(verbs: Verbs) -> None:
    """Add what is done about errors."""
    ask = _command(verbs, "ask-return", commands.ask_return, "ask for a return")
    withdraw = _command(
        verbs, "withdraw", commands.withdraw, "take back what is not sent yet"
    )
    reissue = _command(
        verbs, "reissue", commands.reissue, "make again what was returned"
    )
    correct = _command(
        verbs, "correct", commands.correct, "take a quota notice back by another"
    )
    settle = _command(
        verbs,
        "settle",
        commands.settle,
        "sign what holds where an answer differs",
    )
    for verb in (ask, withdraw, reissue, correct, settle):
        verb.add_argument("number", metavar="NUMBER", help="of our voucher")
    for verb in (ask, withdraw):
        add_option(
            verb, _SYSTEM, "reason", "why, for people", metavar="TEXT", required=True
        )
    add_path(
        reissue, _SYSTEM, "order", "the corrected order, if it is one", required=False
    )
    add_settling(settle, _SYSTEM)


def _add_day(to: argparse.ArgumentParser, name: str, text: str) -> None:
    add_option(to, _SYSTEM, name, text, kind=_day, metavar="DAY")


def _day(text: str) -> str:
    """Return a day as vouchers write it, `yyyymmdd`."""
    return written(read_day(text))


def _command(
    verbs: Verbs,
    name: str,
    does: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text)
    parser.set_defaults(does=does)
    add_path(parser, _SYSTEM, "config", "the system's configuration")
    _add_day(parser, "today", "live this day (yyyymmdd)")
    return parser


def _run(options: argparse.Namespace) -> int:
    def warn(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    for refused in run(options, warn):
        print(f"{refused.file}: {refused.explanation}", file=sys.stderr)
    return DONE


def _show_books(options: argparse.Namespace) -> int:
    with commands.opened(options.config) as (office, books, tables):
        told: dict[str, object] = {
            recipient: asdict(books.figures(recipient))
            for recipient in sorted(set(tables.get("banks", {}).values()))
        }
        if office is not None:
            with books.reading() as session:
                told = {**asdict(totals(session, office)), "banks": told}
    if options.json:
        print(json.dumps(told))
    else:
        _print_figures(told)
    return _recompute(options) if options.recompute else DONE


def _recompute(options: argparse.Namespace) -> int:
    station, _ = read_settings(options.config)
    with (
        commands.at_work(options.config) as (_, books),
        station.desk("system") as desk,
    ):
        found = list(recompute(desk, books, station.party))
    for difference in found:
        print(difference, file=sys.stderr)
    return REFUSED if found else DONE


def _print_figures(told: Mapping[str, object]) -> None:
    """Print the figures for people: a line of our own, and one for each bank."""
    banks = told.get("banks", told)
    assert isinstance(banks, Mapping), "the figures of the banks"
    if banks is not told:
        print(_line({name: value for name, value in told.items() if name != "banks"}))
    for recipient, figures in banks.items():
        counts = {name: one for name, one in figures.items() if "fen" not in name}
        print(recipient, _line(counts), to_yuan(figures["receipted_fen"]))


def _line(figures: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in figures.items())
