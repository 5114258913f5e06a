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

    [accounts]                       # special accounts (财政专户) that we keep
    "42000000301" = 1000000          # what one held before the first voucher, in fen

    [calendar]
    days = "working_days.toml"       # what the legal calendar does not know, if any
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from counterfoil.bank import commands
from counterfoil.business.money import to_fen
from counterfoil.business.program import add_option, add_path, end_of
from counterfoil.business.settlements import add_settling


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bank system.

    Returns:
        Exit status: 0 done, 1 refused, 2 usage, 3 gateway unreachable.
    """
    options = _parser().parse_args(arguments)
    return end_of(lambda: int(options.does(options)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-bank",
        description="A reference business system of an agent bank.",
    )
    nouns = parser.add_subparsers(dest="command", required=True)

    def command(
        name: str, text: str, does: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        added = nouns.add_parser(name, help=text, description=f"{text}.".capitalize())
        add_path(added, "bank", "config", "the system's configuration")
        _add(
            added,
            "today",
            "live this day, yyyymmdd",
            kind=date.fromisoformat,
            metavar="DAY",
        )
        added.set_defaults(does=does)
        return added

    run = command(
        "run", "take, pay, clear and answer vouchers until SIGTERM", commands.run
    )
    _add_flag(run, "clear", "at the end, apply for clearing of what was paid")
    command(
        "clear", "apply for clearing of what was paid; `run` sends it", commands.clear
    )
    _add_counter(
        command("counter", "enter a paper voucher at the counter", commands.counter)
    )
    _add_refund(command("refund", "enter money that came back", commands.refund))
    simulate = command(
        "simulate", "have payees' banks give back money", commands.simulate
    )
    _add(simulate, "refunds", "how many refunds to invent", kind=int, required=True)
    _add(simulate, "seed", "changes which payments are hit", kind=int)
    statements = command(
        "statements", "make a month's statements; `run` sends them", commands.statements
    )
    _add(statements, "month", "yyyymm", required=True)
    _add_settle(
        command("settle", "sign what holds where an answer differs", commands.settle)
    )
    command(
        "alerts", "list what is late; exit status 1 if anything is", commands.alerts
    )
    books = command("books", "show what the books say", commands.books)
    _add(books, "issuer", "count this issuer's vouchers only", metavar="PARTY")
    _add_flag(
        books,
        "recompute",
        "compare with the vouchers in the vault; exit status 1 if they differ",
    )
    books.add_argument("--json", action="store_true", help="for a program")
    return parser


def _add_settle(to: argparse.ArgumentParser) -> None:
    to.add_argument("number", metavar="NUMBER", help="of our application or statement")
    add_settling(to, "bank")


def _add_counter(to: argparse.ArgumentParser) -> None:
    _add(to, "number", "the voucher's number, as printed", required=True)
    _add(to, "check-code", "the check code, as printed", required=True)


def _add_refund(to: argparse.ArgumentParser) -> None:
    _add(to, "payment", "number of the voucher that paid it", required=True)
    _add(to, "row", "id of the row that paid it", metavar="ID", required=True)
    _add(to, "type", "kind of that voucher, 5201 or 8202", kind=int)
    _add(to, "amount", "how much came, in yuan", kind=to_fen, metavar="YUAN")
    _add(to, "reason", "why, as the payee's bank says", metavar="TEXT")
    _add(to, "again", "match this refund again, instead", metavar="NUMBER")


def _add(to: argparse.ArgumentParser, name: str, text: str, **more: Any) -> None:  # noqa: ANN401 -- as `add_option` has it
    add_option(to, "bank", name, text, **more)


def _add_flag(to: argparse.ArgumentParser, name: str, text: str) -> None:
    twin = f"COUNTERFOIL_BANK_{name.upper()}"
    to.add_argument(
        f"--{name}",
        action="store_true",
        default=os.environ.get(twin) == "1",
        help=f"{text} [{twin}=1]",
    )
