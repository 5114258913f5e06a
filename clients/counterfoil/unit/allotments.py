"""Plans of allotments (用款计划): the file that finance enters, read for our own lines.

number = "YK2026-001"        # by which it is entered once

[[allotment]]                # any number; those of other units are passed over
unit = "101001"
function = "2050205"         # 支出功能分类科目
function_name = "高等教育"
way = "11"                   # 11 paid directly, 12 authorised
amount = "12000.00"          # yuan; below zero takes back
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_fen
from counterfoil.unit.tables import Allotment


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one plan allots for one function by one way of payment.

    Attributes:
        plan: Number of the plan.
        fiscal_year: Of which year's budget it is.
        way: By which way it is paid.
        function: For what, by code.
        function_name: What people call that.
        amount_fen: How much; below zero if it takes back.
    """

    plan: str
    fiscal_year: int
    way: PaymentWay
    function: str
    function_name: str
    amount_fen: int


def read_plan(text: str, unit: str, fiscal_year: int) -> list[Grant]:
    """Return what a file allots to a unit.

    Args:
        text: The file's text.
        unit: The unit's code.
        fiscal_year: Of which year's budget it is.

    Raises:
        ValueError: It does not say what such a file says.
    """
    tables = tomllib.loads(text)
    try:
        return [
            Grant(
                plan=tables["number"],
                fiscal_year=fiscal_year,
                way=PaymentWay(one["way"]),
                function=one["function"],
                # A voucher must say something.
                function_name=one.get("function_name") or one["function"],
                amount_fen=to_fen(one["amount"]),
            )
            for one in tables["allotment"]
            if one["unit"] == unit
        ]
    except KeyError as error:
        msg = f"{error.args[0]} is missing in a plan of allotments"
        raise ValueError(msg) from error


def enter(session: Session, grants: Iterable[Grant]) -> int:
    """Enter what was allotted, each once; return how many are new.

    Raises:
        ValueError: One stands in the books with another content.
    """
    new = 0
    for grant in grants:
        there = session.scalar(
            select(Allotment).where(
                Allotment.plan == grant.plan,
                Allotment.way == grant.way,
                Allotment.function == grant.function,
            )
        )
        if there is None:
            session.add(Allotment(**asdict(grant)))
            new += 1
        elif (there.fiscal_year, there.amount_fen) != (
            grant.fiscal_year,
            grant.amount_fen,
        ):
            msg = f"the plan {grant.plan} was entered with another content"
            raise ValueError(msg)
    return new
