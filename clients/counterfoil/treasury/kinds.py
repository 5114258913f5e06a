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
    """

    party: str
    finance: str
    adm_div: str
    tre_code: str
    fin_org_code: str
    account: str
    banks: Mapping[str, Bank]
