"""The command `counterfoil-unit`.

Its configuration has, beside what `office.settings` reads (callers `system`,
`first_reviewer` and `second_reviewer`):

    [books]
    url = "sqlite:///unit.sqlite"

    [unit]
    adm_div = "420000"
    code = "101001"              # by which vouchers name us (AgencyCode)
    name = "湖北省教育厅"
    top = "101"                  # our top-level unit (一级预算单位)
    finance = "420000-011"       # whom applications go to
    bank = "102521000000"        # number of our agent bank, one of [[bank]]

    [unit.account]               # ours (预算单位零余额账户): authorised payments
    number = "17102000101001"
    name = "湖北省教育厅零余额账户"
    bank = "中国工商银行武汉水果湖支行"

    [unit.direct_account]        # finance's (财政零余额账户): direct payments
    number = "17102042000001"
    name = "湖北省财政厅零余额账户"
    bank = "中国工商银行湖北省分行营业部"

    [[bank]]                     # see `business.banks`
    number = "102521000000"
    party = "420000-102"
    code = "102"

    [calendar]                   # if the library does not know a year
    days = "working_days.toml"   # see `business.working_days`
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final

from counterfoil.business.days import read_day
from counterfoil.business.money import to_fen
from counterfoil.business.program import add_option, add_path, end_of
from counterfoil.unit import commands
from counterfoil.unit.kinds import DealMode

_SYSTEM: Final = "unit"
_TWIN: Final = "COUNTERFOIL_UNIT_REQUESTS"
_MODES: Final = {
    "counter": DealMode.COUNTER,
    "self-service": DealMode.SELF_SERVICE,
}
_COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "run": commands.run,
    "allot": commands.allot,
    "apply": commands.ask,
    "pay": commands.ask,
    "paper": commands.show_paper,
    "withdraw": commands.withdraw,
    "ask-return": commands.ask_return,
    "reissue": commands.reissue,
    "alerts": commands.show_alerts,
    "books": commands.show_books,
}

_option = partial(add_option, system=_SYSTEM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the unit's system.

    Returns:
        Exit status: 0 done, 1 refused or something to look at, 2 usage, 3 gateway
        unreachable.
    """
    options = _parser().parse_args(arguments)
    return end_of(lambda: _COMMANDS[options.command](options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-unit",
        description="A reference business system of a budget unit.",
    )
    commands_of = parser.add_subparsers(dest="command", required=True)

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands_of.add_parser(name, help=text)
        add_path(command, _SYSTEM, "config", "the system's configuration")
        return command

    running = add("run", "issue, book and answer vouchers until SIGTERM")
    _add_simulator(running)
    allotting = add("allot", "enter what a plan allots to us")
    add_path(allotting, _SYSTEM, "plan", "the file of allotments")
    applying = add("apply", "apply to finance for a direct payment")
    paying = add("pay", "order an authorised payment at the bank")
    for asking in (applying, paying):
        _add_item(asking)
    _option(
        paying, name="mode", text="counter or self-service", kind=_mode, metavar="MODE"
    )
    numbered = {
        "paper": "show what the paper of a payment at the counter says",
        "withdraw": "take back a request before it is sent",
        "ask-return": "ask for a request that was sent to be returned",
        "reissue": "ask again under the number of a request that was given back",
    }
    made = {name: add(name, text) for name, text in numbered.items()}
    for command in made.values():
        command.add_argument("number", help="the request's number")
    for name in ("withdraw", "ask-return"):
        _option(made[name], name="reason", text="why", required=True)
    _option(made["reissue"], name="payee-account", text="the right account")
    _option(made["reissue"], name="amount", text="the right amount", kind=_amount)
    alerting = add("alerts", "list what is late; exit status 1 if anything is")
    for command in (running, allotting, applying, paying, made["reissue"], alerting):
        _option(
            command,
            name="today",
            text="as if it were this day",
            kind=_day,
            metavar="DAY",
        )
    books = add("books", "show what the books say")
    books.add_argument(
        "--requests",
        action="store_true",
        default=os.environ.get(_TWIN) == "1",
        help=f"list all requests too [{_TWIN}=1]",
    )
    books.add_argument("--json", action="store_true", help="for a program")
    return parser


def _add_item(to: argparse.ArgumentParser) -> None:
    """Add the options that say whom to pay what for."""
    _option(to, name="function", text="of which allotment, by code", required=True)
    _option(
        to,
        name="amount",
        text="in yuan, e.g. 12.50",
        kind=_amount,
        metavar="YUAN",
        required=True,
    )
    _option(to, name="payee-account", text="number of the account", required=True)
    _option(to, name="payee-name", text="whose account it is", required=True)
    _option(to, name="payee-bank", text="which bank keeps it", required=True)
    _option(to, name="purpose", text="what for")


def _add_simulator(to: argparse.ArgumentParser) -> None:
    """Add the options of the simulator."""
    _option(to, name="seed", text="invent allotments and requests", kind=int)
    _option(to, name="payments", text="how many requests to invent", kind=int)
    _option(
        to,
        name="counter-share",
        text="share of the invented payments that go to the counter, 0 to 1",
        kind=float,
        metavar="SHARE",
    )


def _amount(text: str) -> int:
    """Return an amount in fen, for argparse."""
    return to_fen(text)


def _day(text: str) -> date:
    """Return a day, `yyyymmdd` or `yyyy-mm-dd`."""
    return read_day(text.replace("-", ""))


def _mode(text: str) -> DealMode:
    """Return how a payment is dealt with at the bank."""
    if text not in _MODES:
        raise ValueError(text)
    return _MODES[text]
