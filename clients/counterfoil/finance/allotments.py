"""Allotments (用款计划): what a unit may spend, and what is left of it.

Every function takes a session, so that a decision and what follows from it can be one
transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_yuan
from counterfoil.business.prepared import Prepared
from counterfoil.business.rows import put
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


_SUMS: Final = "left of the allotments"

Amounts = Mapping[AllotmentKey, int]
"""Amounts in fen."""


def _left(*, of_unit: bool) -> Prepared:
    """Make the query of what is left: of a unit, or of a top-level unit in all."""
    sums = [
        select(func.coalesce(func.sum(table.amount_fen), 0))
        .where(
            table.fiscal_year == bindparam("fiscal_year"),
            table.top == bindparam("top"),
            table.function == bindparam("function"),
            table.way == bindparam("way"),
            *([table.unit == bindparam("unit")] if of_unit else []),
        )
        .scalar_subquery()
        for table in (Allotment, AllotmentUse)
    ]
    return Prepared(select(sums[0] - sums[1]))


_LEFT_OF_UNIT: Final = _left(of_unit=True)
_LEFT_OF_TOP: Final = _left(of_unit=False)


def left_fen(session: Session, key: AllotmentKey) -> int:
    """Return what is left of an allotment.

    It is added up once in a transaction, which books many payments: what changes it
    meanwhile is changed here.
    """
    sums = _sums(session)
    if key not in sums:
        query = _LEFT_OF_UNIT if key.unit else _LEFT_OF_TOP
        sums[key] = int(query.scalar(session, _columns(key)) or 0)
    return sums[key]


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
    sums = _sums(session)
    for key, fen in amounts.items():
        for of in {key, replace(key, unit="")} & sums.keys():
            sums[of] -= fen
    put(
        session,
        [
            AllotmentUse(digest=digest, **_columns(key), amount_fen=fen)
            for key, fen in amounts.items()
        ],
    )


def release(session: Session, digest: bytes) -> None:
    """Give back what a voucher used: nothing was paid for it."""
    forget(session)
    session.execute(delete(AllotmentUse).where(AllotmentUse.digest == digest))


def forget(session: Session) -> None:
    """Add up anew what is left: something else than a payment changes it."""
    _sums(session).clear()


def used_by(session: Session, digest: bytes) -> dict[AllotmentKey, int]:
    """Return what a voucher has used."""
    used: Counter[AllotmentKey] = Counter()
    for one in session.scalars(
        select(AllotmentUse).where(AllotmentUse.digest == digest)
    ):
        used[_key_of(one)] += one.amount_fen
    return dict(used)


def _sums(session: Session) -> dict[AllotmentKey, int]:
    """Return what this transaction knows to be left."""
    known: dict[AllotmentKey, int] = session.info.setdefault(_SUMS, {})
    return known


def _columns(key: AllotmentKey) -> dict[str, Any]:
    """Return a key as the tables have it."""
    return {
        "fiscal_year": key.fiscal_year,
        "top": key.top,
        "unit": key.unit,
        "function": key.function,
        "way": key.way.value,
    }


def _key_of(one: AllotmentUse) -> AllotmentKey:
    return AllotmentKey(
        fiscal_year=one.fiscal_year,
        top=one.top,
        unit=one.unit,
        function=one.function,
        way=PaymentWay(one.way),
    )
