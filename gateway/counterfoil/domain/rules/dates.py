"""Rules over the days that vouchers state: plain values in and out.

Days are days in China, `yyyyMMdd`, so they compare as texts.

Source: the checks of the central bank's receiving system, as far as they are public: a
voucher is not dated later than today, and its fiscal year has begun.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from counterfoil.domain.rules.payment import is_day

CHINA: Final = timezone(timedelta(hours=8))
"""Chinese civil time, which has one zone and no summer time."""
TOLERANCE: Final = timedelta(days=1)
"""By how much a voucher's date may be ahead of the clock: who issues it before midnight
for the next day, or by a clock that is ahead of ours, is no forger."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


_DAY_US: Final = 86_400_000_000
_AHEAD_US: Final = 8 * 3_600_000_000


def day_at(at_us: int) -> str:
    """Return the day in China at an instant.

    Args:
        at_us: Microseconds since the epoch.
    """
    return _day((at_us + _AHEAD_US) // _DAY_US)


@lru_cache(maxsize=64)
def _day(number: int) -> str:
    return (_EPOCH + timedelta(days=number)).strftime("%Y%m%d")


@lru_cache(maxsize=64)
def latest_day(at_us: int) -> str:
    """Return the latest day that a voucher may state at an instant.

    Args:
        at_us: Microseconds since the epoch, by our own clock.
    """
    at = (_EPOCH + timedelta(microseconds=at_us)).astimezone(CHINA)
    return (at + TOLERANCE).strftime("%Y%m%d")


def has_come(day: str, at_us: int) -> bool:
    """Tell whether a voucher may be dated so: not later than tomorrow.

    Source: the central bank's receiving system: 凭证日期 not later than today.

    Args:
        day: Its date.
        at_us: Now, microseconds since the epoch, by our own clock.
    """
    return day <= latest_day(at_us)


def is_of_year(day: str, fiscal_year: str) -> bool:
    """Tell whether a voucher of a fiscal year may be dated so.

    In the year itself; or in the next one, because last year's accounts are still open
    in the adjustment period (调整期, `TrimFlag`) and its statements are made then.
    What is no day or no year is another rule's business.

    Source: the central bank's receiving system: 业务年度 not later than this year; the
    code table of 调整期标志.

    Args:
        day: Its date.
        fiscal_year: `StYear`, four digits.
    """
    if day[:4] == fiscal_year:
        return True
    if not (is_day(day) and is_day(f"{fiscal_year}0101")):
        return True
    return int(day[:4]) == int(fiscal_year) + 1
