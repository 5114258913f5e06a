"""Plans of allotments (用款计划), as files state them.

number = "YK2026-001"

[[allotment]]
unit = "101001"
function = "2050202"
function_name = "小学教育"
way = "11"                  # 11 direct, 12 authorised
amount = "12000.00"         # yuan; less than zero takes back
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One line of a plan.

    Attributes:
        unit: The unit, by its code.
        function: Function (支出功能分类科目).
        function_name: What it is called; empty if nobody says.
        way: Way of payment.
        amount_fen: What the unit may spend; less than zero takes back.
    """

    unit: str
    function: str
    function_name: str = ""
    way: PaymentWay
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of allotments.

    Attributes:
        number: Its number; a plan is entered once.
        grants: Its lines.
        corrects: Number of the quota notice that it takes back; empty if of none.
    """

    number: str
    grants: Sequence[Grant]
    corrects: str = ""


def read_plan(path: Path) -> Plan:
    """Return the plan that a file is.

    Raises:
        OSError: The file cannot be read.
        ValueError: It does not say what such a file says.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return Plan(tables["number"], [_grant(one) for one in tables["allotment"]])
    except KeyError as error:
        msg = f"{path.name}: {error.args[0]} is missing"
        raise ValueError(msg) from error


def _grant(table: Mapping[str, Any]) -> Grant:
    return Grant(
        unit=table["unit"],
        function=table["function"],
        function_name=table.get("function_name", ""),
        way=PaymentWay(table["way"]),
        amount_fen=to_fen(table["amount"]),
    )
