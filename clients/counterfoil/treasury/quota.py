"""Whether what is cleared stays within its quota (额度): pure decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from counterfoil.treasury.entries import QuotaKey, yuan

Balances = Mapping[QuotaKey, int]
"""What is left of each quota, in fen; below zero where a unit drew on its bank's."""


def shortages(balances: Balances, changes: Mapping[QuotaKey, int]) -> Iterator[str]:
    """Yield where changes would go beyond the quota, in Chinese; nothing if nowhere.

    A unit's own quota is used first. What goes beyond it is drawn from the quota of
    the same bank, year, way and function that names no unit. All that units draw so
    must not be more than that quota. A change that takes nothing is never refused.

    Source: Hubei measures, article 27 (4) 2: clears within the quota (在相应的额度内
    进行清算); and 27 (1) 2 for a notice that takes quota back.

    Args:
        balances: What is left now, of every quota of the bank.
        changes: What a voucher would change.
    """
    after = {key: balances.get(key, 0) for key in {*balances, *changes}}
    for key, fen in changes.items():
        after[key] += fen
    for shared in sorted({_shared(key) for key, fen in changes.items() if fen < 0}):
        overdrawn = {
            key: -fen
            for key, fen in after.items()
            if _shared(key) == shared and key.unit and fen < 0
        }
        missing = sum(overdrawn.values()) - after.get(shared, 0)
        if missing > 0:
            units = "、".join(sorted(key.unit for key in overdrawn)) or "未指定"
            yield (
                f"{shared.way.chinese}额度不足：单位{units}"
                f"功能科目{shared.function}超出{yuan(missing)}元"
            )


def refunds_beyond(cleared: Balances, changes: Mapping[QuotaKey, int]) -> Iterator[str]:
    """Yield where a refund would give back more than was cleared, in Chinese.

    Source: Hubei measures, article 27 (5): a refund clearing takes back a clearing.

    Args:
        cleared: What was cleared of each quota less what was refunded, in fen.
        changes: What the refund would give back, greater than zero.
    """
    for key, fen in sorted(changes.items()):
        beyond = fen - cleared.get(key, 0)
        if beyond > 0:
            yield (
                f"退款超过已清算金额：单位{key.unit}功能科目{key.function}"
                f"超出{yuan(beyond)}元"
            )


def _shared(key: QuotaKey) -> QuotaKey:
    """Return the quota beside a unit's own: the one that names no unit."""
    return QuotaKey(
        fiscal_year=key.fiscal_year,
        bank_no=key.bank_no,
        way=key.way,
        function=key.function,
        unit="",
    )
