"""Statements as text that a driver takes with plain tuples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import BindParameter, Select, create_engine, insert, select

from counterfoil.ledger.tables import ACTS, VOUCHERS
from counterfoil.sql.plain import LENGTHS, VALUES_MAX, lists_of, text_about, text_of

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


@pytest.mark.parametrize("count", LENGTHS)
def test_a_statement_about_a_list_has_a_place_for_each_value(count: int) -> None:
    assert text_about(ids, count, SQLITE).count("?") == count


def test_no_text_is_kept_for_a_length_that_lists_do_not_have() -> None:
    with pytest.raises(AssertionError, match="kept for good"):
        text_about(ids, 3, SQLITE)


def test_lists_of_any_number_of_values_have_few_lengths() -> None:
    lengths = {
        len(some)
        for count in range(1, 3 * VALUES_MAX)
        for some in lists_of(range(count))
    }

    assert lengths == set(LENGTHS)


@pytest.mark.parametrize("count", [0, 1, 3, 499, 500, 501, 1257])
def test_each_value_is_in_one_list_and_nothing_else_is(count: int) -> None:
    lists = list(lists_of([*range(count), *range(count)]))

    assert [one for some in lists for one in dict.fromkeys(some)] == list(range(count))
    assert all(some for some in lists)
