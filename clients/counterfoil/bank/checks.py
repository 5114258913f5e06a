"""What a voucher must fulfil before the bank accepts it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from counterfoil.bank.journal import GIVEN_BACK, Namesake
from counterfoil.bank.lines import lines_of
from counterfoil.office import Voucher

ACCOUNT: Final = re.compile(r"[0-9A-Z][0-9A-Z-]{5,31}", re.ASCII)
"""An account number at a bank has at least six characters."""


def objections(voucher: Voucher, others: Iterable[Namesake]) -> Iterator[str]:
    """Yield why a voucher cannot be accepted, in Chinese; nothing if it can.

    The checks, in order:

    1. The amount is the sum of the rows.
    2. Every row's payee account is well formed.
    3. No other voucher of the same number is with us, unless it was given back.

    Args:
        voucher: What the voucher says.
        others: The payments of the same number.
    """
    form = voucher.form
    # (1) An order that does not add up is nobody's order.
    if form.fen("pay_amt_fen") != sum(int(row["pay_amt_fen"]) for row in form.rows):
        yield "支付金额与明细合计不符"
    # (2) Money to such a number would come back in days.
    for index, line in enumerate(lines_of(form), start=1):
        if ACCOUNT.fullmatch(line.account) is None:
            yield f"第{index}行收款人账号不合规"
            break
    # (3) The same number twice is paid once.
    if any(other.state not in GIVEN_BACK for other in others):
        yield "凭证号重复"
