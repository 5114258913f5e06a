"""Rules over reports and statements: plain values in and out.

Source: the central bank's receiving system for periods and packets, as far as it is
public; the identities of balances are those of accounting, and of the fields of the
national statements of quota (3510, 3551).
"""

from __future__ import annotations


def balance_holds(
    before_fen: int, added_fen: int, taken_fen: int, left_fen: int
) -> bool:
    """Tell whether a balance follows from the one before it.

    上日余额 + 本日收入 − 本日支出 = 本日余额, and the same of quota: 上期额度余额 +
    本期新增 − 本期已清算 = 本期额度余额.
    """
    return before_fen + added_fen - taken_fen == left_fen


def packet_holds(number: int, packets: int) -> bool:
    """Tell whether a statement has such a packet (本包序号, 子包总数)."""
    return 1 <= number <= packets


def period_holds(first_day: str, last_day: str) -> bool:
    """Tell whether a period begins before it ends; days as `yyyyMMdd`."""
    return first_day <= last_day


def count_holds(stated: int, rows: int) -> bool:
    """Tell whether the number of rows is the one that is stated (总笔数)."""
    return stated == rows
