"""Statements as text that a driver takes with plain tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import BindParameter, Select, create_engine, insert, select

from counterfoil.ledger.tables import ACTS, VOUCHERS
from counterfoil.sql.plain import text_about, text_of

SQLITE = create_engine("sqlite://", paramstyle="qmark").dialect
INSERT = insert(ACTS)


def ids(digests: Sequence[BindParameter[Any]]) -> Select[Any]:
    return select(VOUCHERS.c.id).where(VOUCHERS.c.digest.in_(digests))


def test_a_statement_has_a_place_for_each_parameter_in_order() -> None:
    columns = ACTS.columns.keys()

    text = text_of(INSERT, SQLITE, *columns)

    assert text.count("?") == len(columns)


def test_a_statement_is_refused_when_tuples_would_bring_another_order() -> None:
    with pytest.raises(AssertionError, match="the order is"):
        text_of(INSERT, SQLITE, *reversed(ACTS.columns.keys()))


@pytest.mark.parametrize("count", [1, 2, 500])
def test_a_statement_about_a_list_has_a_place_for_each_value(count: int) -> None:
    assert text_about(ids, count, SQLITE).count("?") == count
