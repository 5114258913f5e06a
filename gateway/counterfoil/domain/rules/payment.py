"""Rules over the amounts and keys of vouchers with rows: plain values in and out.

Source: the checks of the central bank's receiving system, as far as they are
public: sums, signs, unique row ids, and rows that name their main row.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from counterfoil.domain.catalogue import SignRule
from counterfoil.domain.money import FEN_MAX

_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII)


def sign_holds(fen: int, rule: SignRule) -> bool:
    """Tell whether an amount has a sign that `rule` allows."""
    match rule:
        case SignRule.POSITIVE:
            return fen > 0
        case SignRule.NEGATIVE:
            return fen < 0
        case SignRule.ZERO:
            return fen == 0
        case SignRule.NOT_ZERO:
            return fen != 0
        case SignRule.ANY:
            return True


def sum_holds(main_fen: int, rows_fen: Iterable[int]) -> bool:
    """Tell whether the main amount is the exact sum of the rows."""
    return main_fen == sum(rows_fen)


def sum_fits(rows_fen: Iterable[int]) -> bool:
    """Tell whether rows together are an amount that a voucher can state.

    Where only the rows state amounts, their sum is the voucher's: it is kept, found and
    compared as every amount is, so it has no more digits than any.
    """
    return abs(sum(rows_fen)) <= FEN_MAX


def repeated(names: Sequence[Hashable]) -> Iterator[int]:
    """Yield the index of every id or name that has occurred before."""
    seen: set[Hashable] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index
        seen.add(name)


@lru_cache(maxsize=4096)
def is_day(text: str) -> bool:
    """Tell whether `yyyyMMdd` is a day of the calendar."""
    match = _DAY.fullmatch(text)
    if match is None:
        return False
    try:
        date(*(int(part) for part in match.groups()))
    except ValueError:
        return False
    return True
