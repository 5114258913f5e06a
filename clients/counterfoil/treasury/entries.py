"""What a voucher changes in the books: pure, from the voucher alone.

That is what makes the books repeatable: the same vouchers, read again from the vault
in whatever order, give the same account and the same quota.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from counterfoil.business.codes import PaymentWay, way_of
from counterfoil.office import Voucher
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury.kinds import (
    AUTHORISED_QUOTA,
    BOOKED,
    LISTED,
    ORDER,
    QUOTAS,
    REFUND,
)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class QuotaKey:
    """Whose clearing quota (清算额度) it is.

    Attributes:
        fiscal_year: Quota of one year clears nothing of another.
        bank_no: The agent bank, by its bank number.
        way: Way of payment.
        function: Function (支出功能分类科目).
        unit: Top-level unit (一级预算单位); empty where the notice names none, and
            then for every unit.
        fund: Nature of the funds (资金性质); empty where the voucher names none. A
            notice that names none is for every fund.
    """

    fiscal_year: int
    bank_no: str
    way: PaymentWay
    function: str
    unit: str
    fund: str = ""


class Cleared(NamedTuple):
    """What a change of quota is about.

    Attributes:
        key: Whose quota.
        payment: Number of the payment that was cleared or refunded; empty if none is
            named.
    """

    key: QuotaKey
    payment: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one voucher changes; amounts in fen.

    Attributes:
        account: Change of the single account, by function; money out is negative.
        changes: Change of the quota; what is cleared is negative.
    """

    account: dict[str, int]
    changes: dict[Cleared, int]

    @property
    def quota(self) -> dict[QuotaKey, int]:
        """Change of each quota, whatever payments it is about."""
        sums: Counter[QuotaKey] = Counter()
        for change, fen in self.changes.items():
            sums[change.key] += fen
        return dict(sums)

    @property
    def account_fen(self) -> int:
        """Change of the single account."""
        return sum(self.account.values())


def amount_field(type_code: int) -> str:
    """Return the name of the field that states a kind's main amount."""
    if type_code in LISTED:
        return "all_amt_fen"
    return "plan_amt_fen" if type_code == AUTHORISED_QUOTA else "pay_amt_fen"


def row_amount_field(type_code: int) -> str:
    """Return the name of the field that states the amount of a row."""
    return "plan_amt_fen" if type_code == AUTHORISED_QUOTA else "pay_amt_fen"


def entry_of(voucher: Voucher) -> Entry:
    """Return what a voucher changes once it is acted on; nothing for most kinds.

    * A quota notice (5106, 5108) adds to the quota, or takes from it if negative.
    * An appropriation (5207) is paid out of the single account.
    * A clearing order (5301) is paid out of it, and uses the quota up.
    * A refund (2302) is negative: its amounts come back to both.

    Source: Hubei measures, articles 26 (2), 27 (1) 2, 27 (4) 2 and 27 (5) 3.

    Raises:
        ValueError: The voucher names no way of payment; `checks` refuses it before.
    """
    account: Counter[str] = Counter()
    changes: Counter[Cleared] = Counter()
    kind = voucher.key.type_code
    if kind not in BOOKED:
        return Entry({}, {})
    for row in voucher.form.rows:
        amount = int(row[row_amount_field(kind)])
        if kind in QUOTAS:
            changes[Cleared(_key(voucher, row))] += amount
            continue
        account[str(row.get("exp_func_code", ""))] -= amount
        if kind in {ORDER, REFUND}:
            changes[Cleared(_key(voucher, row), payment_of(row))] -= amount
    return Entry(dict(account), dict(changes))


def payment_of(row: Mapping[str, FieldValue]) -> str:
    """Return the number of the payment that a row clears or refunds; or nothing.

    A refund names the original payment apart (`OriVoucherNo`).
    """
    return str(row.get("ori_voucher_no") or row.get("voucher_no", ""))


def quota_way(voucher: Voucher) -> PaymentWay | None:
    """Return which way of payment a voucher's quota is for; None if it says none."""
    if voucher.key.type_code in QUOTAS:
        authorised = voucher.key.type_code == AUTHORISED_QUOTA
        return PaymentWay.AUTHORISED if authorised else PaymentWay.DIRECT
    return way_of(voucher.form.text("pay_type_code"))


def _key(voucher: Voucher, row: Mapping[str, FieldValue]) -> QuotaKey:
    way = quota_way(voucher)
    if way is None:
        msg = f"{voucher.key} names no way of payment"
        raise ValueError(msg)
    return QuotaKey(
        fiscal_year=voucher.key.fiscal_year,
        bank_no=voucher.form.text("pay_bank_no"),
        way=way,
        function=str(row.get("exp_func_code", "")),
        unit=str(row.get("sup_dep_code", "")),
        fund=voucher.form.text("fund_type_code"),
    )
