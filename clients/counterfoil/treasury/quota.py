"""Whether what is cleared stays within its quota (额度): pure decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from counterfoil.business.money import to_yuan
from counterfoil.treasury.entries import QuotaKey

Balances = Mapping[QuotaKey, int]
"""What is left of each quota, in fen; below zero where a unit drew on its bank's."""


def shortages(balances: Balances, changes: Mapping[QuotaKey, int]) -> Iterator[str]:
    """Yield where changes would go beyond the quota, in Chinese; nothing if nowhere.

    What a clearing names, unit and fund, is used first. What goes beyond it is drawn
    from the quota of the same bank, year, way and function that names no fund, or no
    unit, or neither. All that is drawn so must not be more than those. A change that
    takes nothing is never refused.

    Source: Hubei measures, article 27 (4) 2: clears within the quota (在相应的额度内
    进行清算); and 27 (1) 2 for a notice that takes quota back.

    Args:
        balances: What is left now, of every quota of the bank.
        changes: What a voucher would change.
    """
    after = {key: balances.get(key, 0) for key in {*balances, *changes}}
    for key, fen in changes.items():
        after[key] += fen
    for pool in sorted({_pool(key) for key, fen in changes.items() if fen < 0}):
        left = {key: fen for key, fen in after.items() if _pool(key) == pool}
        missing = _uncovered(left)
        if missing > 0:
            over = sorted(key for key, fen in left.items() if fen < 0)
            units = "、".join(dict.fromkeys(one.unit for one in over if one.unit))
            yield (
                f"{pool.way.chinese}额度不足：单位{units or '未指定'}"
                f"功能科目{pool.function}超出{to_yuan(missing)}元"
            )


def refunds_beyond(cleared: Balances, changes: Mapping[QuotaKey, int]) -> Iterator[str]:
    """Yield where a refund would give back more than was cleared, in Chinese.

    Source: Hubei measures, article 27 (5): a refund clearing takes back a clearing.

    Args:
        cleared: What was cleared of each quota less what was refunded, in fen: of all
            payments, or of one that the refund names.
        changes: What the refund would give back of the same, greater than zero.
    """
    for key, fen in sorted(changes.items()):
        beyond = fen - cleared.get(key, 0)
        if beyond > 0:
            yield (
                f"退款超过已清算金额：单位{key.unit}功能科目{key.function}"
                f"超出{to_yuan(beyond)}元"
            )


def _pool(key: QuotaKey) -> QuotaKey:
    """Return the quota that names neither unit nor fund, beside those that do."""
    return replace(key, unit="", fund="")


def _uncovered(left: Balances) -> int:
    """Return how much of what is overdrawn no other quota of the pool covers.

    What a unit draws for a fund may come from the unit's quota without a fund or from
    the fund's without a unit, in any parts; what both lack comes from the quota that
    names neither. The most that any choice of funds lacks is what is missing at all
    (maximum flow is minimum cut). A fund without a quota of its own is always in the
    choice: it covers nothing.
    """
    drawn = {
        (key.unit, key.fund): -fen
        for key, fen in left.items()
        if key.unit and key.fund and fen < 0
    }
    units = {key.unit: fen for key, fen in left.items() if key.unit and not key.fund}
    funds = {key.fund: fen for key, fen in left.items() if key.fund and not key.unit}
    common = sum(fen for key, fen in left.items() if not key.unit and not key.fund)
    # What was drawn on the quota that names neither stands below zero.
    drawn_on_common = -sum(fen for fen in (*units.values(), *funds.values()) if fen < 0)
    covering = [fund for fund, fen in funds.items() if fen > 0]

    def lacking(outside: Collection[str]) -> int:
        needs: Counter[str] = Counter()
        for (unit, fund), fen in drawn.items():
            if fund not in outside:
                needs[unit] += fen
        covered = sum(funds[fund] for fund in covering if fund not in outside)
        return (
            sum(max(0, fen - max(0, units.get(unit, 0))) for unit, fen in needs.items())
            - covered
        )

    most = max(
        lacking(outside)
        for count in range(len(covering) + 1)
        for outside in combinations(covering, count)
    )
    return most + drawn_on_common - common
