"""Rules over the days that vouchers state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from counterfoil.domain.rules import dates

NOON_UTC = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
EVENING_UTC = int(datetime(2026, 6, 1, 16, tzinfo=UTC).timestamp()) * 1_000_000
"""Midnight in China: the second of June begins."""


@pytest.mark.parametrize(
    ("day", "come"),
    [("20260601", True), ("20260602", True), ("20260603", False), ("20250101", True)],
)
def test_a_voucher_may_be_dated_until_tomorrow(day: str, *, come: bool) -> None:
    assert dates.has_come(day, NOON_UTC) is come


def test_days_are_days_in_china() -> None:
    assert dates.latest_day(EVENING_UTC - 1) == "20260602"
    assert dates.latest_day(EVENING_UTC) == "20260603"


def test_tomorrow_is_in_the_next_year_on_its_last_day() -> None:
    last = int(datetime(2026, 12, 31, 1, tzinfo=UTC).timestamp()) * 1_000_000

    assert dates.latest_day(last) == "20270101"


@pytest.mark.parametrize(
    ("day", "year", "holds"),
    [
        ("20260301", "2026", True),
        # The adjustment period, and the statements of the last month.
        ("20270115", "2026", True),
        ("20271231", "2026", True),
        ("20280101", "2026", False),
        ("20251231", "2026", False),
        # Told by other rules.
        ("20260231", "2026", True),
        ("20260301", "", True),
        ("20260301", "二〇二六", True),
        ("", "2026", True),
    ],
)
def test_a_voucher_is_dated_in_its_fiscal_year_or_the_next(
    day: str, year: str, *, holds: bool
) -> None:
    assert dates.is_of_year(day, year) is holds
