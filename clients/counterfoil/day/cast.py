"""Who takes part in the day: a province in miniature.

A finance department with a budget unit hosted on its gateway, the treasury, two agent
banks, the bank of the special account, and a unit with a gateway of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ADM_DIV: Final = "420000"
SPECIAL_ACCOUNT: Final = "42000000301"
"""Number of the special account (财政专户)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Institution:
    """A party of the day.

    Attributes:
        code: Its party code.
        name: Its name.
        kind: Its kind, as a gateway's configuration names it.
        carrier: Whose gateway carries for it; empty if it has its own.
        bank: Of a budget unit: party code of the bank with its zero-balance account.
    """

    code: str
    name: str
    kind: str
    carrier: str = ""
    bank: str = ""

    @property
    def short(self) -> str:
        """The code without the division: a bank's class, a unit's code."""
        return self.code.partition("-")[2]

    @property
    def gateway(self) -> str:
        """Name of the program that is its gateway, or carries for it."""
        return f"gateway {self.carrier or self.code}"

    @property
    def system(self) -> str:
        """Name of the program that is its business system."""
        return f"system {self.code}"


FINANCE: Final = Institution(code="420000-011", name="湖北省财政厅", kind="finance")
TREASURY: Final = Institution(
    code="420000-001", name="国家金库湖北省分库", kind="treasury"
)
ICBC: Final = Institution(
    code="420000-102", name="工商银行湖北省分行", kind="agent-bank"
)
ABC: Final = Institution(
    code="420000-103", name="农业银行湖北省分行", kind="agent-bank"
)
SPECIAL_BANK: Final = Institution(
    code="420000-301", name="交通银行湖北省分行", kind="special-account-bank"
)
EDUCATION: Final = Institution(
    code="420000-101001",
    name="湖北省教育厅机关",
    kind="budget-unit",
    carrier=FINANCE.code,
    bank=ICBC.code,
)
HEALTH: Final = Institution(
    code="420000-115001",
    name="湖北省卫生健康委员会机关",
    kind="budget-unit",
    bank=ABC.code,
)

BANKS: Final = (ICBC, ABC)
"""Agent banks (代理银行); the special account's bank clears nothing."""
PAYERS: Final = (*BANKS, SPECIAL_BANK)
"""Whoever has a core that pays."""
UNITS: Final = (EDUCATION, HEALTH)
PARTIES: Final = (FINANCE, TREASURY, *PAYERS, *UNITS)
GATEWAYS: Final = tuple(one for one in PARTIES if not one.carrier)


def bank_number(code: str) -> str:
    """Return the number (行号) by which vouchers name the bank with a party code."""
    return f"{code.partition('-')[2]}521000000"
