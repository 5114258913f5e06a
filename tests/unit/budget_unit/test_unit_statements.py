"""A statement of the bank against our ledger, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from counterfoil.business.codes import PaymentWay
from counterfoil.business.inbox import voucher_of
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.domain.standing import Standing
from counterfoil.office import Voucher
from counterfoil.unit import ledger
from counterfoil.unit.statements import NOT_HERE, Found, Own, Row, compare
from tests.unit.budget_unit.papers import (
    DAY,
    OTHER_BANK,
    entry,
    item,
    refund_notice,
    statement,
)
from tests.unit.budget_unit.test_unit_notices import paid
from tests.unit.budget_unit.unit_house import UnitHouse
from tests.unit.business.house import dying
from tests.unit.office.dying_desk import Crash

DIRECT, AUTHORISED = PaymentWay.DIRECT, PaymentWay.AUTHORISED
Answer = tuple[str, int, str, dict[str, str]]


def answer(house: UnitHouse, digest: bytes) -> Answer:
    """Return result, number of differences, reason, and reasons of rows."""
    form = house.receipt(digest).unit_statement
    rows = {row.id: row.x_check_reason for row in form.rows}
    assert {row.x_check_result for row in form.rows} <= {"1"}
    return form.x_check_result, form.x_diff_num, form.x_check_reason, rows


AGREES: Answer = ("0", 0, "", {})


def test_a_statement_that_our_ledger_confirms_is_answered_with_agreement(
    house: UnitHouse,
) -> None:
    one, two = paid(house, 1_000), paid(house, 2_000, 500)

    digest = house.come(
        statement("DZ1", (("8202", one, 1_000, DAY), ("8202", two, 2_500, DAY)))
    )

    assert house.standing(digest) is Standing.RECEIPTED
    assert answer(house, digest) == AGREES
    assert (house.figures().statements, house.figures().disputed) == (1, 0)


def test_a_payment_may_be_stated_by_function_and_a_refund_by_its_own_number(
    house: UnitHouse,
) -> None:
    number = paid(house, 1_000, 3_000)
    house.come(refund_notice("TK1", number, 500))
    house.come(entry("RZTK1", (("1", -500),), original=("8202", number)))
    more = paid(house, 700)
    house.come(entry("RZ7", (("1", -700),), original=("8202", more)))

    digest = house.come(
        statement(
            "DZ1",
            (
                ("8202", number, 1_000, DAY),
                ("8202", number, 3_000, DAY),
                ("2204", "TK1", -500, DAY),
                ("8202", more, 700, DAY),
                ("2205", "RZ7", -700, DAY),
            ),
        )
    )

    assert answer(house, digest) == AGREES


def test_every_row_that_differs_is_named_with_the_reason(house: UnitHouse) -> None:
    one, two, three = paid(house, 1_000), paid(house, 2_000), paid(house, 3_000)

    digest = house.come(
        statement(
            "DZ1",
            (
                ("8202", one, 1_001, DAY),
                ("8202", two, 2_000, "20260303"),
                ("8202", three, 3_000, DAY),
                ("8202", "X", 5, DAY),
            ),
        )
    )

    assert answer(house, digest) == (
        "1",
        3,
        "明细与本单位账不符",
        {
            "1": "金额不符，本单位账为10.00元",
            "2": f"日期不符，本单位账为{DAY}",
            "4": NOT_HERE,
        },
    )
    assert house.figures().disputed == 1


def test_a_payment_that_the_statement_lacks_is_told(house: UnitHouse) -> None:
    one, two = paid(house, 1_000), paid(house, 2_000)

    digest = house.come(statement("DZ1", (("8202", one, 1_000, DAY),)))

    assert answer(house, digest) == ("1", 1, f"对账单缺少凭证{two}", {})
    assert house.figures().disputed == 1


def test_only_the_period_of_the_statement_counts(house: UnitHouse) -> None:
    number = paid(house)
    for day in ("20260228", "20260401"):
        other = house.pay(item(100))
        house.turn()
        told = entry(
            f"RZ{day}", house.rows_of(other), original=("8202", other), day=day
        )
        house.come(told)

    digest = house.come(statement("DZ1", (("8202", number, 4_000, DAY),)))

    assert answer(house, digest) == AGREES


def test_a_statement_is_compared_by_itself_whatever_came_before(
    house: UnitHouse,
) -> None:
    number = paid(house, 1_000)
    wrong = house.come(statement("DZ1", (("8202", number, 999, DAY),)))

    right = house.come(statement("DZ2", (("8202", number, 1_000, DAY),)))

    assert answer(house, wrong)[0] == "1"
    assert answer(house, right) == AGREES


def test_an_empty_statement_of_a_month_without_payments_agrees(
    house: UnitHouse,
) -> None:
    assert answer(house, house.come(statement("DZ1", ()))) == AGREES


def test_a_statement_in_packs_is_compared_when_all_have_come(house: UnitHouse) -> None:
    one, two = paid(house, 1_000), paid(house, 2_000)
    rows = (("8202", one, 400, DAY), ("8202", one, 600, DAY))
    first = house.come(statement("DZ1-1", rows, pack=(1, 2), check_no="DZ1"))
    assert house.state(first) is InboxState.ACCEPTED

    last = house.come(
        statement(
            "DZ1-2",
            (("8202", "X", 1, DAY),),
            pack=(2, 2),
            check_no="DZ1",
        )
    )

    assert answer(house, first) == AGREES
    assert answer(house, last) == ("1", 2, f"对账单缺少凭证{two}", {"1": NOT_HERE})


def test_a_payment_whose_rows_are_in_two_packs_adds_up(house: UnitHouse) -> None:
    number = paid(house, 1_000)
    packs = [
        statement(
            f"DZ1-{place}",
            (("8202", number, fen, DAY),),
            pack=(place, 2),
            check_no="DZ1",
        )
        for place, fen in ((1, 400), (2, 600))
    ]

    digests = [house.desk.arrive(one) for one in packs]
    house.turn()

    assert [answer(house, one) for one in digests] == [AGREES, AGREES]


def reads_of(
    house: UnitHouse, monkeypatch: pytest.MonkeyPatch, number: str, count: int
) -> int:
    """Return how often a pack is read until a statement in packs is answered."""
    reads = 0

    def counting(entry_: InboxEntry) -> Voucher:
        nonlocal reads
        reads += 1
        return voucher_of(entry_)

    monkeypatch.setattr(ledger, "voucher_of", counting)
    digests = [
        house.desk.arrive(
            statement(
                f"DZ{count}-{place}",
                (("8202", number, 1, DAY),),
                pack=(place, count),
                check_no=f"DZ{count}",
            )
        )
        for place in range(1, count + 1)
    ]
    house.turn()
    monkeypatch.setattr(ledger, "voucher_of", voucher_of)
    assert {house.receipt(one).unit_statement.x_check_result for one in digests} == {
        "0" if count == PAID else "1"
    }
    return reads


PAID = 24
"""Rows of one fen that a payment is stated by, each in a pack of its own."""


def test_twice_the_packs_are_read_twice_as_often(
    house: UnitHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = paid(house, PAID)

    some = reads_of(house, monkeypatch, number, PAID // 2)
    # What was compared before is read once more with what comes now.
    more = reads_of(house, monkeypatch, number, PAID)

    assert some <= 8 * PAID // 2
    assert more <= 8 * PAID + some


def test_packs_that_came_together_are_compared_together_and_once(
    house: UnitHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def noting(rows: Sequence[Row], *of: Any) -> Found:  # noqa: ANN401
        compared.append(len(rows))
        return compare(rows, *of)

    monkeypatch.setattr(ledger, "compare", noting)
    number = paid(house, 3)
    for place in (1, 2, 3):
        house.desk.arrive(
            statement(
                f"DZ1-{place}",
                (("8202", number, 1, DAY),),
                pack=(place, 3),
                check_no="DZ1",
            )
        )
    house.turn()

    assert compared == [3]
    assert (house.figures().statements, house.figures().disputed) == (3, 0)


@pytest.mark.parametrize(
    ("agency", "issuer"), [("999", "420000-102"), ("101001", OTHER_BANK)]
)
def test_a_statement_of_another_unit_or_bank_is_rejected(
    house: UnitHouse, agency: str, issuer: str
) -> None:
    digest = house.come(statement("DZ1", (), agency=agency, issuer=issuer))

    assert house.standing(digest) is Standing.REJECTED


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", ["begin_acting", "end_acting", "issue_receipt"])
def test_a_statement_is_answered_once_wherever_the_program_dies(
    house: UnitHouse, at: str, when: str
) -> None:
    number = paid(house, 1_000)
    digest = house.desk.arrive(statement("DZ1", (("8202", number, 1_000, DAY),)))
    with pytest.raises(Crash):
        house.turn(dying(house.client, at, when))
    # What is entered later changes nothing in an answer that was found.
    paid(house, 500)

    house.turn()

    answers = {one.unit_statement.x_check_result for one in house.desk.receipts}
    assert len(answers) == 1
    assert house.state(digest) is InboxState.RECEIPTED
    assert house.figures().statements == 1


def own(way: PaymentWay, fen: int) -> Own:
    return Own(way=way, amount_fen=fen, days=frozenset({DAY}))


def test_direct_payments_are_missed_only_where_the_statement_names_any() -> None:
    ledger = {
        "A": own(AUTHORISED, 1),
        "D1": own(DIRECT, 2),
        "D2": own(DIRECT, 3),
    }
    a = Row(number="A", amount_fen=1, day=DAY)
    d1 = Row(number="D1", amount_fen=2, day=DAY)

    assert compare([a], ledger, {}).missing == []
    assert compare([a, d1], ledger, {}).missing == ["D2"]
    assert compare([], ledger, {}).missing == ["A"]
