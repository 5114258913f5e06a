"""The kinds of voucher that the bank works with, and who takes part.

Numbers are those of the catalogue: a kind without a national code has a number from
100,000 on, and its four digits on the wire (`business.codes.wire_code`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from counterfoil.business.codes import PaymentWay

DIRECT_PAYMENT: Final = 5201
"""财政直接支付凭证."""
AUTHORISED_PAYMENT: Final = 8202
"""财政授权支付凭证."""
SPECIAL_PAYMENT: Final = 5267
"""财政专户拨款凭证."""
ENTRY_NOTICE: Final = 2205
"""国库集中支付入账通知书."""
APPLICATION: Final = 2301
"""申请划款凭证."""
DETAIL: Final = 102311
"""汇总清算明细表."""
REFUND_MATCH: Final = 102207
"""退款匹配通知."""
REFUND_APPLICATION: Final = 2302
"""申请退款凭证."""
DIRECT_REFUND: Final = 2203
"""财政直接支付退款通知书."""
AUTHORISED_REFUND: Final = 2204
"""财政授权支付退款通知书."""
AUTHORISED_QUOTA: Final = 5106
"""财政授权支付汇总清算额度通知单."""
DIRECT_QUOTA: Final = 5108
"""财政直接支付汇总清算额度通知单."""
AGENCY_STATEMENT: Final = 105521
"""国库集中支付(财政专户)对账单, finance's."""
TREASURY_STATEMENT: Final = 4005
"""人行与代理银行集中支付业务对账单, the treasury's."""
UNIT_STATEMENT: Final = 102531
"""预算单位国库集中支付对账单, ours to a unit."""
QUOTA_STATEMENT: Final = 102541
"""财政零余额额度对账单, ours to the treasury."""
CHECK: Final = 3502
"""人行与代理银行凭证对账, the treasury's."""
CHECK_REPLY: Final = 2502
"""凭证对账商行回执."""

PAYMENTS: Final = frozenset({DIRECT_PAYMENT, AUTHORISED_PAYMENT, SPECIAL_PAYMENT})
"""Kinds that the core pays."""
WAYS: Final[Mapping[int, PaymentWay]] = {
    DIRECT_PAYMENT: PaymentWay.DIRECT,
    AUTHORISED_PAYMENT: PaymentWay.AUTHORISED,
}
"""Way of payment of each kind that the treasury clears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treasury:
    """The treasury that we clear with.

    Attributes:
        party: Its party code.
        code: Its code (国库主体代码), ten digits.
        account: Number of the single account (国库单一账户).
        account_name: Its holder.
    """

    party: str
    code: str
    account: str
    account_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finance:
    """The finance department whose payments we make.

    Attributes:
        party: Its party code.
        code: Its code (财政机关代码).
    """

    party: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who we are, for whom we pay and with whom we clear.

    Attributes:
        party: Our party code.
        number: Our bank number (行号), twelve digits.
        code: Our bank class (`PayBankCode`), e.g. 102.
        account: Our account at the treasury, which clearing credits.
        account_name: Its holder.
        treasury: Whom we clear with.
        finance: Whose payments we make.
        units: Party codes of units by their agency codes (预算单位编码).
    """

    party: str
    number: str
    code: str
    account: str
    account_name: str
    treasury: Treasury
    finance: Finance
    units: Mapping[str, str] = field(default_factory=dict)


def office_of(party: str, tables: Mapping[str, Any]) -> Office | None:
    """Return who we are, as the configuration says; None for a bank that only pays.

    Args:
        party: Our party code.
        tables: The configuration's tables.

    Raises:
        ValueError: A key is missing.
    """
    if "bank" not in tables:
        return None
    try:
        own, treasury, finance = (
            tables[name] for name in ("bank", "treasury", "finance")
        )
        return Office(
            party=party,
            number=own["number"],
            code=own["code"],
            account=own["account"],
            account_name=own["account_name"],
            treasury=Treasury(
                party=treasury["party"],
                code=treasury["code"],
                account=treasury["account"],
                account_name=treasury["account_name"],
            ),
            finance=Finance(party=finance["party"], code=finance["code"]),
            units=dict(tables.get("units", {})),
        )
    except KeyError as error:
        msg = f"{error.args[0]} is missing"
        raise ValueError(msg) from error
