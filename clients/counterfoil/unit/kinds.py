"""The kinds of voucher that a budget unit deals with, and who takes part.

Numbers are those of the catalogue: a kind without a national code has a number from
100,000 on, and its four digits on the wire (`codes.wire_code`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from counterfoil.business.banks import Bank
from counterfoil.business.codes import PaymentWay

APPLICATION: Final = 108201
"""财政直接支付申请书, to finance."""
PAYMENT: Final = 8202
"""财政授权支付凭证, to our bank."""
ENTRY_NOTICE: Final = 2205
"""国库集中支付入账通知书, of our bank."""
REFUND_MATCH: Final = 102207
"""退款匹配通知, of our bank."""
REFUND_NOTICE: Final = 2204
"""财政授权支付退款通知书, of our bank."""
STATEMENT: Final = 102531
"""预算单位国库集中支付对账单, of our bank."""

WAYS: Final[Mapping[int, PaymentWay]] = {
    APPLICATION: PaymentWay.DIRECT,
    PAYMENT: PaymentWay.AUTHORISED,
}
"""What we ask for, and by which way it is paid."""


class DealMode(StrEnum):
    """How an authorised payment is dealt with at the bank (办理方式)."""

    COUNTER = "1"
    """At the counter: the bank pays when the paper is there too."""
    SELF_SERVICE = "2"
    """By the electronic voucher alone."""

    @property
    def chinese(self) -> str:
        """What people call it."""
        return "银行柜面" if self is DealMode.COUNTER else "自助柜面"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that is paid from.

    Attributes:
        number: Its number.
        name: Whose it is, as vouchers state it.
        bank: Name of the bank that keeps it.
    """

    number: str
    name: str
    bank: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who we are, and with whom we deal.

    Attributes:
        party: Our party code.
        finance: The party that applications go to.
        adm_div: Administrative division.
        code: By which vouchers name us (`AgencyCode`).
        name: What we are called.
        top: Our top-level unit (一级预算单位), by code; that has the clearing quota.
        bank: Our agent bank (代理银行).
        accounts: What is paid from, by way: finance's zero-balance account
            (财政零余额账户) directly, our own (预算单位零余额账户) as authorised.
    """

    party: str
    finance: str
    adm_div: str
    code: str
    name: str
    top: str
    bank: Bank
    accounts: Mapping[PaymentWay, Account]
