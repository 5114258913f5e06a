"""Invented allotments and wishes: plausible, none of a real account. Pure."""

from __future__ import annotations

from random import Random
from typing import Final

from counterfoil.business.codes import PaymentWay
from counterfoil.unit.allotments import Grant
from counterfoil.unit.kinds import DealMode
from counterfoil.unit.wishes import Item, Wish

DIRECT_SHARE: Final = 0.4
"""How many of the requests are applications to finance."""
ITEMS_MAX: Final = 4

_FUNCTIONS: Final = (
    ("2050202", "小学教育"),
    ("2050204", "高中教育"),
    ("2050205", "高等教育"),
)
_PAYEES: Final = (
    ("武汉市江岸区文华办公用品有限公司", "中国建设银行武汉江岸支行"),
    ("湖北楚天物业管理有限公司", "中国银行武汉水果湖支行"),
    ("武汉光谷信息工程有限公司", "招商银行武汉光谷支行"),
    ("湖北新华印务有限公司", "中国农业银行武汉洪山支行"),
    ("武汉东湖建筑安装有限公司", "中国工商银行武汉东湖支行"),
)
_PURPOSES: Final = ("办公用品采购", "物业管理费", "信息系统维护", "印刷费", "校舍维修")


def plan(seed: int, fiscal_year: int) -> list[Grant]:
    """Return the allotments of a year: one for each function and way."""
    chance = Random(f"{seed}/allotments")  # noqa: S311 -- a seed fixes every fen
    return [
        Grant(
            plan=f"YK{fiscal_year}-{seed}",
            fiscal_year=fiscal_year,
            way=way,
            function=code,
            function_name=name,
            amount_fen=chance.randint(500, 2_000) * 1_000_000,
        )
        for code, name in _FUNCTIONS
        for way in PaymentWay
    ]


def wish(seed: int, place: int, counter_share: float) -> Wish:
    """Return the wish at a place in the seed's list."""
    chance = Random(f"{seed}/{place}")  # noqa: S311 -- a seed fixes every fen
    mode = None
    if chance.random() >= DIRECT_SHARE:
        at_counter = chance.random() < counter_share
        mode = DealMode.COUNTER if at_counter else DealMode.SELF_SERVICE
    function, _ = chance.choice(_FUNCTIONS)
    # One payee is more common than several.
    count = min(chance.randint(1, ITEMS_MAX) for _ in range(2))
    items = [_item(chance, function) for _ in range(count)]
    return Wish(items=items, mode=mode, origin=f"{seed}/{place}")


def _item(chance: Random, function: str) -> Item:
    name, bank = chance.choice(_PAYEES)
    return Item(
        function=function,
        amount_fen=int(chance.lognormvariate(13.0, 1.2)) + 1_000,
        payee_account=f"6222{chance.randrange(10**12):012}",
        payee_name=name,
        payee_bank=bank,
        purpose=chance.choice(_PURPOSES),
    )
