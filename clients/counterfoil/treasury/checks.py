"""What a voucher must fulfil before the treasury accepts it: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from counterfoil.business.codes import wire_code
from counterfoil.office import Voucher
from counterfoil.treasury.entries import amount_field, quota_way, row_amount_field
from counterfoil.treasury.kinds import (
    APPLICATION,
    APPROPRIATION,
    CLEARED,
    ORDER,
    QUOTAS,
    REFUND,
    Office,
)


def objections(voucher: Voucher, office: Office) -> Iterator[str]:
    """Yield why a voucher cannot be accepted, in Chinese; nothing if it can.

    Each check is a function below; what needs the books is not here.
    """
    for check in _CHECKS:
        yield from check(voucher, office)


def is_sum(voucher: Voucher, _office: Office) -> Iterator[str]:
    """Object to a main amount that is not the sum of the rows.

    Source: domain rule of every payment voucher, national specification.
    """
    kind = voucher.key.type_code
    name = row_amount_field(kind)
    total = sum(int(row.get(name, 0)) for row in voucher.form.rows)
    if voucher.form.fen(amount_field(kind)) != total:
        yield "金额与明细合计不符"


def names_a_bank(voucher: Voucher, office: Office) -> Iterator[str]:
    """Object to a bank that does not clear with us, or to another's name.

    What a bank asks for is of its own quota: else one could draw on another's.

    Source: Hubei measures, article 27 (1) 2 and 27 (4): quota is a bank's own.
    """
    kind = voucher.key.type_code
    if kind not in QUOTAS | CLEARED:
        return
    bank = office.banks.get(voucher.form.text("pay_bank_no"))
    if bank is None:
        yield "代理银行行号未登记"
    elif kind in {APPLICATION, REFUND} and bank.party != voucher.key.issuer:
        yield "代理银行行号与发送方不符"


def names_a_way(voucher: Voucher, _office: Office) -> Iterator[str]:
    """Object if no way of payment is named: each has a quota of its own.

    Source: Hubei measures, article 27 (1), with the two quota notices 5106 and 5108.
    """
    if voucher.key.type_code in CLEARED and quota_way(voucher) is None:
        yield "支付方式编码缺失或不是直接支付、授权支付"


def names_our_account(voucher: Voucher, office: Office) -> Iterator[str]:
    """Object to an account that is not the single account (国库单一账户).

    Source: Hubei measures, articles 26 (2) and 27 (4) 2.
    """
    name = {APPROPRIATION: "pay_acct_no"}.get(voucher.key.type_code, "clear_acct_no")
    if voucher.key.type_code not in {APPROPRIATION, *CLEARED}:
        return
    if voucher.form.text(name) != office.account:
        yield "付款账号不是国库单一账户"


def names_an_application(voucher: Voucher, _office: Office) -> Iterator[str]:
    """Object to a clearing order that is made from no application.

    Source: Hubei measures, article 27 (4) 2.
    """
    if voucher.key.type_code != ORDER:
        return
    if voucher.form.text("ori_vt_code") != wire_code(APPLICATION):
        yield "原凭证类型不是申请划款凭证"


_CHECKS: Final[tuple[Callable[[Voucher, Office], Iterator[str]], ...]] = (
    is_sum,
    names_a_bank,
    names_a_way,
    names_our_account,
    names_an_application,
)
