"""Allotments (用款计划): what a unit may spend, and what is left of it.

Every function takes a session, so that a decision and what follows from it can be one
transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, delete, func, select
from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_yuan
from counterfoil.finance.tables import Allotment, AllotmentUse


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class AllotmentKey:
    """Whose allotment, for what, and how it is paid.

    Attributes:
        fiscal_year: An allotment of one year pays nothing of another.
        top: Top-level unit (一级预算单位).
        unit: The unit; empty for all units of the top-level unit together.
        function: Function (支出功能分类科目).
        way: Way of payment (支付方式).
    """

    fiscal_year: int
    top: str
    unit: str
    function: str
    way: PaymentWay


Amounts = Mapping[AllotmentKey, int]
"""Amounts in fen."""


def left_fen(session: Session, key: AllotmentKey) -> int:
    """Return what is left of an allotment."""
    # One query: it is asked for every payment, twice.
    allotted, used = session.execute(
        select(_sum(Allotment, key), _sum(AllotmentUse, key))
    ).one()
    return int(allotted or 0) - int(used or 0)


def shortages(session: Session, needs: Amounts) -> Iterator[str]:
    """Yield where a payment would go beyond the allotment, in Chinese.

    Source: Hubei measures, article 27 (2) 1: finance checks an application (审核)
    before it orders the payment.
    """
    for key, fen in sorted(needs.items()):
        missing = fen - left_fen(session, key)
        if missing > 0:
            yield (
                f"{key.way.chinese}用款计划不足：单位{key.unit or key.top}"
                f"功能科目{key.function}超出{to_yuan(missing)}元"
            )


def use(session: Session, digest: bytes, amounts: Amounts) -> None:
    """Write down what a voucher uses of the allotments."""
    session.add_all(
        AllotmentUse(
            digest=digest,
            fiscal_year=key.fiscal_year,
            unit=key.unit,
            top=key.top,
            function=key.function,
            way=key.way.value,
            amount_fen=fen,
        )
        for key, fen in amounts.items()
    )


def release(session: Session, digest: bytes) -> None:
    """Give back what a voucher used: nothing was paid for it."""
    session.execute(delete(AllotmentUse).where(AllotmentUse.digest == digest))


def used_by(session: Session, digest: bytes) -> dict[AllotmentKey, int]:
    """Return what a voucher has used."""
    used: Counter[AllotmentKey] = Counter()
    for one in session.scalars(
        select(AllotmentUse).where(AllotmentUse.digest == digest)
    ):
        used[_key_of(one)] += one.amount_fen
    return dict(used)


def _key_of(one: AllotmentUse) -> AllotmentKey:
    return AllotmentKey(
        fiscal_year=one.fiscal_year,
        top=one.top,
        unit=one.unit,
        function=one.function,
        way=PaymentWay(one.way),
    )


def _sum(table: type[Allotment | AllotmentUse], key: AllotmentKey) -> ScalarSelect[Any]:
    wanted = select(func.sum(table.amount_fen)).where(
        table.fiscal_year == key.fiscal_year,
        table.top == key.top,
        table.function == key.function,
        table.way == key.way.value,
    )
    if key.unit:
        wanted = wanted.where(table.unit == key.unit)
    return wanted.scalar_subquery()
