"""At the counter: units order, print and carry papers; a bank's teller types them in.

Source: Hubei measures, article 27 (3): the bank pays when the electronic voucher and
the paper are both there, and agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from counterfoil.business.books import SqlBooks
from counterfoil.day.cast import BANKS, UNITS, Institution
from counterfoil.day.commands import call
from counterfoil.day.phases import Command
from counterfoil.day.stage import Stage
from counterfoil.unit.kinds import DealMode
from counterfoil.unit.tables import Request

ORDERS: Final = 3
"""Orders of each unit; the last one's paper is never handed in."""
_CHECK_CODE: Final = "校验码 "
_WRONG_CODE: Final = "00000000"


def order(place: int) -> tuple[str, ...]:
    """Return the command that orders a unit's payment at the counter."""
    return (
        *("pay", "--mode", "counter"),
        *("--function", "2050202"),
        *("--amount", f"{place + 1}00.25"),
        *("--payee-account", f"622200002222{place}"),
        *("--payee-name", "武汉市江岸区文华办公用品有限公司"),
        *("--payee-bank", "中国建设银行武汉江岸支行"),
    )


def papers(stage: Stage) -> Iterator[Command]:
    """Yield what tellers type in, and for which order a unit thinks better of it."""
    for unit in UNITS:
        bank = next(one for one in BANKS if one.code == unit.bank)
        *carried, regretted = _ordered(stage, unit)
        for number in carried:
            code = _check_code(stage, unit, number)
            typed = ("counter", "--number", number, "--check-code")
            yield Command(bank, (*typed, _WRONG_CODE), is_refused=True)
            yield Command(bank, (*typed, code))
        yield Command(unit, ("ask-return", regretted, "--reason", "改由转账办理"))


def _ordered(stage: Stage, unit: Institution) -> list[str]:
    """Return the numbers of a unit's orders at the counter."""
    books = SqlBooks(stage.books(unit.code))
    try:
        with books.reading() as session:
            return list(
                session.scalars(
                    select(Request.number)
                    .where(Request.mode == DealMode.COUNTER)
                    .order_by(Request.id)
                )
            )
    finally:
        books.close()


def _check_code(stage: Stage, unit: Institution, number: str) -> str:
    """Return the check code that a unit's paper states."""
    paper = call(stage, unit, ("paper", number))
    [line] = [one for one in paper.splitlines() if one.startswith(_CHECK_CODE)]
    return line.removeprefix(_CHECK_CODE)
