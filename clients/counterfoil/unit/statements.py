"""A statement (对账单) of our bank against our own ledger, row by row: pure.

Source: Hubei measures, article 29 (4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from counterfoil.business.codes import PaymentWay
from counterfoil.business.money import to_yuan

NOT_HERE = "本单位账中无此笔"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a statement.

    Attributes:
        number: The voucher that it names.
        amount_fen: How much; below zero if it came back.
        day: When, `yyyymmdd`.
    """

    number: str
    amount_fen: int
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What our ledger says of one payment in the period of a statement.

    Attributes:
        way: By which way it was paid.
        amount_fen: What was paid, less what came back.
        days: On which days.
    """

    way: PaymentWay
    amount_fen: int
    days: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What comparing finds.

    Attributes:
        differing: Why a row is not confirmed, by its place.
        missing: Numbers of our payments that no row names.
    """

    differing: Mapping[int, str] = field(default_factory=dict)
    missing: Sequence[str] = ()


def compare(
    rows: Sequence[Row], own: Mapping[str, Own], names: Mapping[str, str]
) -> Found:
    """Compare a whole statement with our ledger.

    Rows of one payment count together: a bank may state it by function, and a refund
    under the payment's number or under that of its own notice. Our authorised payments
    must all be there; direct ones are finance's account, and must be there as soon as
    the statement names any.

    Args:
        rows: All rows of all its packs.
        own: What our ledger says, by number of the payment.
        names: Numbers by which a row may name a payment, and which one each means.
    """
    stated: dict[str, int] = {}
    meant = [names.get(row.number, row.number) for row in rows]
    for number, row in zip(meant, rows, strict=True):
        stated[number] = stated.get(number, 0) + row.amount_fen
    differing = {
        place: reason
        for place, (number, row) in enumerate(zip(meant, rows, strict=True))
        if (reason := _difference(row, stated[number], own.get(number)))
    }
    covered = {PaymentWay.AUTHORISED} | {own[one].way for one in stated if one in own}
    missing = sorted(
        number
        for number, one in own.items()
        if number not in stated and one.way in covered
    )
    return Found(differing=differing, missing=missing)


def _difference(row: Row, stated_fen: int, own: Own | None) -> str:
    if own is None:
        return NOT_HERE
    if stated_fen != own.amount_fen:
        return f"金额不符，本单位账为{to_yuan(own.amount_fen)}元"
    if row.day not in own.days:
        return f"日期不符，本单位账为{'、'.join(sorted(own.days))}"
    return ""
