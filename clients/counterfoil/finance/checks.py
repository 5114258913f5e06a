"""What an application for direct payment must fulfil before we accept it: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from counterfoil.business.codes import PaymentWay, way_of
from counterfoil.finance.allotments import AllotmentKey
from counterfoil.finance.kinds import Office
from counterfoil.office import Voucher


def objections(voucher: Voucher, office: Office) -> Iterator[str]:
    """Yield why an application cannot be accepted, in Chinese; nothing if it can.

    Each check is a function below; whether the allotment allows it is asked of the
    books (`allotments.shortages`).

    Source: Hubei measures, article 27 (2) 1.
    """
    for check in _CHECKS:
        yield from check(voucher, office)


def needs(voucher: Voucher, office: Office) -> dict[AllotmentKey, int]:
    """Return what a sound application asks of the unit's allotments."""
    unit = office.units[voucher.form.text("agency_code")]
    amounts: Counter[AllotmentKey] = Counter()
    for row in voucher.form.rows:
        key = AllotmentKey(
            fiscal_year=voucher.key.fiscal_year,
            top=unit.top,
            unit=unit.code,
            function=str(row.get("exp_func_code", "")),
            way=PaymentWay.DIRECT,
        )
        amounts[key] += int(row["pay_amt_fen"])
    return dict(amounts)


def names_its_unit(voucher: Voucher, office: Office) -> Iterator[str]:
    """Object to a unit that is not of our budget, or to another's name."""
    unit = office.units.get(voucher.form.text("agency_code"))
    if unit is None:
        yield "预算单位未登记"
    elif unit.party != voucher.key.issuer:
        yield "预算单位编码与发送方不符"
    elif any(row.get("agency_code") != unit.code for row in voucher.form.rows):
        yield "明细的预算单位与申请单位不符"


def is_of_this_budget(voucher: Voucher, office: Office) -> Iterator[str]:
    """Object to another division's budget: it has a finance department of its own."""
    if voucher.key.adm_div != office.adm_div:
        yield "行政区划与本财政不符"


def is_direct(voucher: Voucher, _office: Office) -> Iterator[str]:
    """Object to another way of payment: it has an allotment of its own."""
    if way_of(voucher.form.text("pay_type_code")) is not PaymentWay.DIRECT:
        yield "支付方式不是直接支付"


def adds_up(voucher: Voucher, _office: Office) -> Iterator[str]:
    """Object to rows that take away, or do not make the amount.

    A payment voucher's rows are greater than zero each; an application's need not be.
    """
    amounts = [int(row["pay_amt_fen"]) for row in voucher.form.rows]
    if any(fen <= 0 for fen in amounts):
        yield "明细金额应大于零"
    if sum(amounts) != voucher.form.fen("pay_amt_fen"):
        yield "金额与明细合计不符"


_CHECKS: Final[tuple[Callable[[Voucher, Office], Iterator[str]], ...]] = (
    names_its_unit,
    is_of_this_budget,
    is_direct,
    adds_up,
)
