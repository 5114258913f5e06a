"""A clearing order (5301) against the application (2301) that it names: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from counterfoil.business.codes import wire_code
from counterfoil.business.money import to_yuan
from counterfoil.office import Form, Voucher
from counterfoil.treasury.entries import quota_way
from counterfoil.treasury.kinds import APPLICATION

Row = tuple[str, str, str, int]
"""Payment voucher, unit, function and amount in fen of one row."""

_EQUAL: Final = (
    ("pay_bank_no", "代理银行行号"),
    ("agent_acct_no", "收款银行账号"),
    ("clear_acct_no", "付款账号"),
    ("fund_type_code", "资金性质"),
)


def differences(order: Voucher, application: Voucher) -> Iterator[str]:
    """Yield where an order and its application are not equal; nothing if they are.

    1. The order names the application by kind and number.
    2. Bank, the two accounts, the fund and the way of payment are the same.
    3. The amount is the same.
    4. So are the rows: payment voucher, unit, function and amount, in any order.

    Source: Hubei measures, article 27 (4) 2: finance makes the order from the bank's
    application, and the treasury clears by it; both must say the same.
    """
    theirs, ours = application.form, order.form
    # (1) Else the two have nothing to do with each other.
    named = (ours.text("ori_vt_code"), ours.text("ori_voucher_no"))
    if named != (wire_code(APPLICATION), application.key.number):
        yield f"划款凭证未指明申请划款凭证{application.key.number}"
    # (2) The money must go where the bank asked for it, out of the same quota.
    for name, chinese in _EQUAL:
        if ours.text(name) != theirs.text(name):
            yield f"{chinese}与申请划款凭证不一致"
    if quota_way(order) != quota_way(application):
        yield "支付方式与申请划款凭证不一致"
    # (3) Told by itself, for the amount is what people compare.
    if ours.fen("pay_amt_fen") != theirs.fen("pay_amt_fen"):
        yield (
            f"划款金额{to_yuan(ours.fen('pay_amt_fen'))}元与申请金额"
            f"{to_yuan(theirs.fen('pay_amt_fen'))}元不一致"
        )
    # (4) The same total may hide other rows, and with them another quota.
    if rows_of(ours) != rows_of(theirs):
        yield "明细与申请划款凭证不一致"


def rows_of(form: Form) -> Counter[Row]:
    """Return what the rows say, without their order and their ids."""
    return Counter(
        (
            str(row.get("voucher_no", "")),
            str(row.get("sup_dep_code", "")),
            str(row.get("exp_func_code", "")),
            int(row.get("pay_amt_fen", 0)),
        )
        for row in form.rows
    )
