"""What is left of an allotment: added up once, and right after all that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from counterfoil.business import tables as boxes
from counterfoil.business.books import SqlBooks
from counterfoil.business.codes import PaymentWay
from counterfoil.finance import budget
from counterfoil.finance.allotments import (
    AllotmentKey,
    left_fen,
    release,
    shortages,
    use,
    used_by,
)
from counterfoil.finance.plans import Grant, Plan
from counterfoil.finance.tables import Base
from tests.unit.business.house import counted
from tests.unit.finance.papers import HOSPITAL, OFFICE, SCHOOL

DAY: Final = "20261127"
FUNCTION: Final = "2010101"
OURS: Final = AllotmentKey(
    fiscal_year=2026,
    top=OFFICE.units[SCHOOL.code].top,
    unit=SCHOOL.code,
    function=FUNCTION,
    way=PaymentWay.DIRECT,
)
IN_ALL: Final = replace(OURS, unit="")
FIRST, SECOND = b"\x01" * 32, b"\x02" * 32


def plan(number: str, fen: int, unit: str = SCHOOL.code) -> Plan:
    return Plan(
        number,
        [
            Grant(
                unit=unit,
                function=FUNCTION,
                function_name="行政运行",
                way=PaymentWay.DIRECT,
                amount_fen=fen,
            )
        ],
    )


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlBooks]:
    made = SqlBooks(
        f"sqlite:///{tmp_path / 'books.sqlite'}", Base.metadata, boxes.Base.metadata
    )
    with made.writing() as session:
        budget.enter(session, OFFICE, plan("YK1", 1_000), DAY)
    yield made
    made.close()


def test_what_changes_an_allotment_changes_what_is_left_in_the_same_transaction(
    books: SqlBooks,
) -> None:
    left: list[int] = []
    with books.writing() as session:
        for change in (
            lambda: None,
            lambda: use(session, FIRST, {OURS: 300}),
            lambda: use(session, SECOND, {OURS: 700}),
            lambda: release(session, FIRST),
            lambda: budget.enter(session, OFFICE, plan("YK2", 50), DAY),
            lambda: budget.enter(session, OFFICE, plan("YK3", -350), DAY),
        ):
            change()
            left.append(left_fen(session, OURS))
            assert left_fen(session, IN_ALL) == left[-1]
        assert used_by(session, SECOND) == {OURS: 700}

    assert left == [1_000, 700, 0, 300, 350, 0]
    with books.reading() as session:
        assert (left_fen(session, OURS), left_fen(session, IN_ALL)) == (0, 0)


def test_a_unit_takes_nothing_of_anothers(books: SqlBooks) -> None:
    other = replace(OURS, unit=HOSPITAL.code, top=OFFICE.units[HOSPITAL.code].top)
    with books.writing() as session:
        budget.enter(session, OFFICE, plan("YK2", 40, HOSPITAL.code), DAY)
        assert [left_fen(session, one) for one in (OURS, other)] == [1_000, 40]
        use(session, FIRST, {other: 30})
        assert [left_fen(session, one) for one in (OURS, other)] == [1_000, 10]
        assert list(shortages(session, {other: 11})) == [
            f"直接支付用款计划不足：单位{HOSPITAL.code}功能科目{FUNCTION}超出0.01元"
        ]


def test_what_a_transaction_that_failed_has_used_is_not_used(books: SqlBooks) -> None:
    def fails() -> None:
        with books.writing() as session:
            use(session, FIRST, {OURS: 300})
            assert left_fen(session, OURS) == 700
            raise KeyError

    with pytest.raises(KeyError):
        fails()

    with books.writing() as session:
        assert left_fen(session, OURS) == 1_000


def test_many_payments_of_one_transaction_add_it_up_once(books: SqlBooks) -> None:
    with books.writing() as session:
        with counted("before_cursor_execute") as statements:
            for _ in range(50):
                assert not list(shortages(session, {OURS: 20}))
        assert len(statements) == 1
