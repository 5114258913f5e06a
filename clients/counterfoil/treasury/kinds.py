"""The kinds of voucher that the treasury acts on, and who takes part.

Numbers are those of the catalogue: a kind without a national code has a number from
100,000 on, and its four digits on the wire (`codes.wire_code`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from counterfoil.business.banks import Bank

AUTHORISED_QUOTA: Final = 5106
"""财政授权支付汇总清算额度通知单."""
DIRECT_QUOTA: Final = 5108
"""财政直接支付汇总清算额度通知单."""
APPROPRIATION: Final = 5207
"""实拨拨款凭证."""
APPLICATION: Final = 2301
"""申请划款凭证."""
REFUND: Final = 2302
"""申请退款凭证."""
ORDER: Final = 105301
"""清算划款凭证, finance's clearing order."""
CLEARING_LIST: Final = 5551
REFUND_LIST: Final = 5552
APPROPRIATION_LIST: Final = 5553
REVENUE_REPORT: Final = 3401
"""收入日报表."""
BALANCE_REPORT: Final = 3402
"""库存日报表."""
EXPENDITURE_REPORT: Final = 3410
"""支出日报."""

REVENUE_STATEMENT: Final = 3511
"""收入报表对账, of a month or a year."""
REVENUE_REPLY: Final = 5511
EXPENDITURE_STATEMENT: Final = 3512
"""支出报表对账, likewise."""
EXPENDITURE_REPLY: Final = 5512
BANK_STATEMENT: Final = 4005
"""人行与代理银行集中支付业务对账单."""
QUOTA_STATEMENT: Final = 102541
"""财政零余额额度对账单, of a bank."""
FINANCE_CHECK: Final = 3501
"""人行与财政凭证对账."""
FINANCE_CHECK_REPLY: Final = 5502
BANK_CHECK: Final = 3502
"""人行与代理银行凭证对账."""
BANK_CHECK_REPLY: Final = 2502
CLEARING_DETAIL: Final = 102311
"""汇总清算明细表."""

REPLIES: Final[Mapping[int, int]] = {
    REVENUE_REPLY: REVENUE_STATEMENT,
    EXPENDITURE_REPLY: EXPENDITURE_STATEMENT,
    FINANCE_CHECK_REPLY: FINANCE_CHECK,
    BANK_CHECK_REPLY: BANK_CHECK,
}
"""Which kind of ours a kind answers; others are answered by a result."""
ANSWERED: Final = frozenset({*REPLIES.values(), BALANCE_REPORT, BANK_STATEMENT})
"""Kinds of ours that are compared and answered."""
NAMES: Final[Mapping[int, str]] = {
    BALANCE_REPORT: "库存日报表",
    REVENUE_STATEMENT: "收入报表对账",
    EXPENDITURE_STATEMENT: "支出报表对账",
    BANK_STATEMENT: "集中支付业务对账单",
    FINANCE_CHECK: "凭证对账",
    BANK_CHECK: "凭证对账",
    QUOTA_STATEMENT: "财政零余额额度对账单",
    APPLICATION: "申请划款凭证",
    REFUND: "申请退款凭证",
}
"""What people call a kind."""
REPORTS: Final = frozenset({REVENUE_REPORT, BALANCE_REPORT, EXPENDITURE_REPORT})
"""Kinds that report a day to finance."""

LISTED: Final[Mapping[int, int]] = {
    CLEARING_LIST: ORDER,
    REFUND_LIST: REFUND,
    APPROPRIATION_LIST: APPROPRIATION,
}
"""Which kind's receipts a list (清单) names."""

QUOTAS: Final = frozenset({AUTHORISED_QUOTA, DIRECT_QUOTA})
CLEARED: Final = frozenset({APPLICATION, ORDER, REFUND})
"""Kinds that state a bank, a way of payment and the single account."""
BOOKED: Final = frozenset({*QUOTAS, APPROPRIATION, ORDER, REFUND})
"""Kinds that change the account or the quota; the others change neither."""
READ: Final = frozenset({*BOOKED, APPLICATION, *LISTED})
"""Kinds that we read at our desk and act on."""


OUR_NAME: Final = "国库"
"""Of a treasury whose configuration says no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who we are, for whom, and with whom we clear.

    Attributes:
        party: Our party code.
        finance: The party that reports go to.
        adm_div: Administrative division.
        tre_code: Our code as treasury (国库主体代码), 10 digits.
        fin_org_code: Code of finance (财政机关代码), up to 12 digits.
        account: Number of the single account (国库单一账户).
        banks: By bank number.
        name: Our name (国库主体名称), as statements state it.
    """

    party: str
    finance: str
    adm_div: str
    tre_code: str
    fin_org_code: str
    account: str
    banks: Mapping[str, Bank]
    name: str = OUR_NAME

    def numbers_of(self, party: str) -> list[str]:
        """Return the bank numbers of a party; none if it is no bank of ours."""
        return sorted(one.number for one in self.banks.values() if one.party == party)

    def code_of(self, party: str) -> str:
        """Return by which code lists and statements name a bank; empty if by none."""
        codes = (self.banks[number].code for number in self.numbers_of(party))
        return next(filter(None, codes), "")

    def bank_parties(self) -> list[str]:
        """Return the parties that are banks of ours."""
        return sorted({one.party for one in self.banks.values()})
