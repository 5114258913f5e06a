"""The lines of this day's balance sheet: who knows which number, by which names.

Names are those of each system's `books --json`; what stands in a table of its own has
the table's name before a dot.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from counterfoil.day.balance import Line, Side, Term
from counterfoil.day.cast import (
    BANKS,
    FINANCE,
    SPECIAL_ACCOUNT,
    SPECIAL_BANK,
    TREASURY,
    UNITS,
    Institution,
)


def _one(one: Institution, who: str, *names: str) -> Side:
    """Return a side that adds up numbers of one party; `-` before a name takes off."""
    return Side(
        who,
        tuple(
            Term(one.code, name.lstrip("-"), -1 if name.startswith("-") else 1)
            for name in names
        ),
    )


def _banks(name: str) -> Side:
    return Side("banks", tuple(Term(bank.code, name) for bank in BANKS))


def _of_issuers(issuers: Iterable[Institution], name: str) -> Side:
    """Return what banks did with the vouchers of issuers: a unit's only at its bank."""
    return Side(
        "banks",
        tuple(
            Term(bank.code, f"issuers.{issuer.code}.{name}")
            for issuer in issuers
            for bank in BANKS
            if issuer.bank in {"", bank.code}
        ),
    )


REVENUE: Final = Line(
    title="收入 revenue",
    source="article 25",
    sides=(
        _one(TREASURY, "treasury", "income_fen"),
        _one(FINANCE, "finance", "revenue_fen"),
    ),
)
APPROPRIATED: Final = Line(
    title="实拨 appropriated",
    source="article 26",
    sides=(
        _one(TREASURY, "treasury", "appropriated_fen"),
        _one(FINANCE, "finance", "appropriated_fen"),
    ),
)
QUOTA: Final = Line(
    title="清算额度余额 quota left",
    source="article 27 (1)",
    sides=(
        _one(TREASURY, "treasury", "quota_fen"),
        _one(FINANCE, "finance", "allotted_fen", "-cleared_fen", "refunded_fen"),
    ),
)
DIRECT: Final = Line(
    title="直接支付 direct payments",
    source="article 27 (2)",
    sides=(
        _one(FINANCE, "finance", "direct_fen"),
        _of_issuers([FINANCE], "paid_fen"),
    ),
)
DIRECT_COUNT: Final = Line(
    title="直接支付笔数 direct payments, vouchers",
    source="article 27 (2)",
    sides=(_one(FINANCE, "finance", "direct"), _of_issuers([FINANCE], "paid")),
    is_money=False,
)
CLEARED: Final = Line(
    title="清算 cleared",
    source="article 27 (4)",
    sides=(
        _one(TREASURY, "treasury", "cleared_fen"),
        _one(FINANCE, "finance", "cleared_fen"),
        _banks("cleared_fen"),
    ),
)
REFUNDED: Final = Line(
    title="退款 refunded",
    source="article 27 (5)",
    sides=(
        _one(TREASURY, "treasury", "refunded_fen"),
        _one(FINANCE, "finance", "refunded_fen"),
        _banks("refunded_fen"),
    ),
)
SPECIAL: Final = Line(
    title="专户支付 out of the special account",
    source="article 28",
    sides=(
        _one(FINANCE, "finance", "special_fen"),
        _one(SPECIAL_BANK, "bank", "special_fen"),
    ),
)
SPECIAL_COUNT: Final = Line(
    title="专户支付笔数 out of the special account, vouchers",
    source="article 28",
    sides=(
        _one(FINANCE, "finance", "special"),
        _one(SPECIAL_BANK, "bank", "special"),
    ),
    is_money=False,
)
SPECIAL_BALANCE: Final = Line(
    title="专户余额 special account",
    source="article 28",
    sides=(
        _one(FINANCE, "finance's ledger", "special_balance_fen"),
        _one(SPECIAL_BANK, "bank", f"accounts.{SPECIAL_ACCOUNT}"),
    ),
)
OF_SPECIAL: Final = (SPECIAL, SPECIAL_COUNT, SPECIAL_BALANCE)
EXPENDITURE: Final = Line(
    title="预算支出 expenditure",
    source="articles 26 to 27",
    sides=(
        _one(FINANCE, "ledger", "expenditure_fen"),
        _one(
            FINANCE,
            "vouchers",
            "direct_fen",
            "appropriated_fen",
            "cleared_authorised_fen",
            "-refunded_fen",
        ),
    ),
)
BALANCE: Final = Line(
    title="库款余额 single account",
    source="articles 25 to 27",
    sides=(
        _one(TREASURY, "treasury", "balance_fen"),
        _one(FINANCE, "finance", "balance_fen"),
        _one(
            TREASURY,
            "movements",
            "opening_fen",
            "income_fen",
            "-appropriated_fen",
            "-cleared_fen",
            "refunded_fen",
        ),
    ),
)
AUTHORISED: Final = tuple(
    Line(
        title=f"授权支付 authorised payments, {unit.short}",
        source="article 27 (3)",
        sides=(
            _one(unit, "unit", "paid_fen"),
            _of_issuers([unit], "paid_fen"),
        ),
    )
    for unit in UNITS
)

LINES: Final = (
    REVENUE,
    APPROPRIATED,
    QUOTA,
    DIRECT,
    DIRECT_COUNT,
    *AUTHORISED,
    CLEARED,
    REFUNDED,
    EXPENDITURE,
    BALANCE,
    *OF_SPECIAL,
)
