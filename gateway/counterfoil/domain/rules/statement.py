"""Rules over reports and statements: plain values in and out.

Source: the central bank's receiving system for periods and packets, as far as it is
public; the identities of balances are those of accounting, and of the fields of the
national statements of quota (3510, 3551).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

AGREES: Final = "0"
"""`XCheckResult` of a statement that agrees with its recipient's books (相符)."""


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


def reason_holds(result: str, reasons: Iterable[str]) -> bool:
    """Tell whether a statement that does not agree says why (不符原因).

    Source: Hubei measures, articles 27(5) 1 and 29: the recipient fills in the result
    of comparing (填写对账结果), and a unit does not confirm what is not its own.

    Args:
        result: `XCheckResult` of the answer.
        reasons: Those of the main row and of the rows, as far as they are given.
    """
    return result == AGREES or any(reasons)


def count_holds(stated: int, rows: int) -> bool:
    """Tell whether the number of rows is the one that is stated (总笔数)."""
    return stated == rows
