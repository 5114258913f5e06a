"""What a voucher of our bank must fulfil by itself before we accept it: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from counterfoil.office import Voucher
from counterfoil.unit.kinds import ENTRY_NOTICE, Office

_DIRECT: Final = frozenset({"5201", "2203"})
"""Originals of any agent bank: finance chooses who pays directly."""


def objections(voucher: Voucher, office: Office) -> Iterator[str]:
    """Yield why a voucher cannot be accepted, in Chinese; nothing if it can.

    Each check is a function below; what needs the books is not here.
    """
    for check in _CHECKS:
        yield from check(voucher, office)


def is_ours(voucher: Voucher, office: Office) -> Iterator[str]:
    """Object to what is about another unit.

    Source: Hubei measures, article 27 (2) 3 and (3) 3: the notice goes to the unit
    that it was paid for.
    """
    stated = voucher.form.text("agency_code")
    if stated and stated != office.code:
        yield f"基层预算单位编码{stated}不是本单位"


def is_of_our_bank(voucher: Voucher, office: Office) -> Iterator[str]:
    """Object to what another bank says about our own account.

    Source: Hubei measures, article 27 (3): we pay through our agent bank alone.
    """
    is_direct = voucher.form.text("ori_vt_code") in _DIRECT
    if not is_direct and voucher.key.issuer != office.bank.party:
        yield "发送方不是本单位代理银行"


def is_sum(voucher: Voucher, _office: Office) -> Iterator[str]:
    """Object to a main amount that is not the sum of the rows, or is nothing.

    Source: domain rule of every payment voucher, national specification.
    """
    form = voucher.form
    if "pay_amt_fen" not in form.fields:
        return
    total = sum(int(row.get("pay_amt_fen", 0)) for row in form.rows)
    if form.fen("pay_amt_fen") != total:
        yield "金额与明细合计不符"
    if voucher.key.type_code == ENTRY_NOTICE and not total:
        yield "入账金额为零"


_CHECKS: Final[tuple[Callable[[Voucher, Office], Iterator[str]], ...]] = (
    is_ours,
    is_of_our_bank,
    is_sum,
)
