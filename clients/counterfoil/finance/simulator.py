"""Invented allotments and orders: plausible, none of a real budget.

A seed fixes every fen, and what was entered is known by its number: entered again, it
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.planning import find
from counterfoil.finance import budget, orders
from counterfoil.finance.kinds import APPROPRIATION, SPECIAL_PAYMENT, Office
from counterfoil.finance.orders import Order
from counterfoil.finance.plans import Grant, Plan

_FUNCTIONS: Final = (
    ("2050202", "小学教育"),
    ("2050204", "高中教育"),
    ("2050205", "高等教育"),
)
_PAYEES: Final = (
    ("湖北省建筑工程集团有限公司", "105521000000"),
    ("武汉教学设备有限公司", "104521000000"),
    ("湖北省图书发行有限公司", "103521000001"),
)
_PURPOSES: Final = ("校舍维修", "教学设备购置", "图书购置")
_SPECIAL_EVERY: Final = 4
"""Of so many orders one is out of the special account, if we have one."""
_YUAN: Final = 100


def plan_of(office: Office, seed: int, year: int) -> Plan:
    """Return a plan for every unit, function and way of payment of a year.

    A unit may spend 20 to 40 million yuan of each.
    """
    chance = Random(f"{seed}/allotments")  # noqa: S311 -- a seed fixes every fen
    grants = [
        Grant(
            unit=unit,
            function=code,
            function_name=name,
            way=way,
            amount_fen=chance.randint(2_000, 4_000) * 10_000 * _YUAN,
        )
        for unit in sorted(office.units)
        for code, name in _FUNCTIONS
        for way in PaymentWay
    ]
    return Plan(f"YK{year}-{seed}", grants)


def order_of(office: Office, seed: int, year: int, place: int) -> tuple[int, Order]:
    """Return kind and content of the order at a place in the seed's list."""
    chance = Random(f"{seed}/{place}")  # noqa: S311 -- a seed fixes every fen
    is_special = office.special is not None and place % _SPECIAL_EVERY == 0
    function, name = chance.choice(_FUNCTIONS)
    payee, bank_no = chance.choice(_PAYEES)
    order = Order(
        number=f"{year}-{seed}-{place:05}",
        unit=chance.choice(sorted(office.units)),
        function=function,
        function_name=name,
        amount_fen=int(chance.lognormvariate(13.0, 1.0)) + _YUAN,
        purpose=chance.choice(_PURPOSES),
        payee_account=f"6222{chance.randrange(10**12):012}",
        payee_name=payee,
        payee_bank_no=bank_no,
    )
    return SPECIAL_PAYMENT if is_special else APPROPRIATION, order


def enter(
    session: Session, office: Office, seed: int, places: Sequence[int], day: str
) -> int:
    """Enter the plan of a seed and some of its orders; return how many were new.

    Args:
        session: One transaction.
        office: Who we are; it has units.
        seed: Fixes everything.
        places: Which orders, counted from 1.
        day: Today in China, `yyyymmdd`.
    """
    year = int(day[:4])
    entered = 0
    plan = plan_of(office, seed, year)
    if not budget.is_entered(session, plan.number):
        budget.enter(session, office, plan, day)
        entered += 1
    for place in places:
        kind, order = order_of(office, seed, year, place)
        voucher = orders.voucher_of(office, kind, order, day)
        if find(session, voucher.key) is None:
            orders.enter(session, office, kind, order, day)
            entered += 1
    return entered
