"""Commands to systems: on which day they live, and how nested numbers are named."""

from __future__ import annotations

import os
from datetime import date

import pytest

from counterfoil.day.accounts import flat
from counterfoil.day.commands import living

TWINS = [
    f"COUNTERFOIL_{name}_TODAY" for name in ("FINANCE", "TREASURY", "BANK", "UNIT")
]


def test_every_system_is_told_which_day_to_live() -> None:
    with living(date(2026, 10, 31)):
        assert [os.environ[twin] for twin in TWINS] == ["20261031"] * 4


def test_the_day_is_over_afterwards_whatever_happens() -> None:
    with pytest.raises(KeyError), living(date(2026, 10, 31)):
        raise KeyError

    assert not set(TWINS) & set(os.environ)


def test_a_number_in_a_table_is_named_with_the_tables_name() -> None:
    told = {"paid": 1, "issuers": {"F": {"paid": 2}}}

    assert dict(flat(told)) == {"paid": 1, "issuers.F.paid": 2}
