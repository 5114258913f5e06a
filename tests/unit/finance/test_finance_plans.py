"""Plans of allotments: entered once, from a file, and told to the treasury."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.business.codes import PaymentWay
from counterfoil.finance.kinds import AUTHORISED_QUOTA, DIRECT_QUOTA
from counterfoil.finance.plans import Grant, Plan, read_plan
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    BANK,
    BANK_NO,
    HOSPITAL,
    OFFICE,
    OTHER_NO,
    SCHOOL,
    application,
)

DIRECT, AUTHORISED = PaymentWay.DIRECT, PaymentWay.AUTHORISED


def grant(
    fen: int, *, way: PaymentWay = DIRECT, unit: str = SCHOOL.code, name: str = ""
) -> Grant:
    return Grant(
        unit=unit, function="2010101", function_name=name, way=way, amount_fen=fen
    )


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        'number = "YK1"\n[[allotment]]\nunit = "101001"\nfunction = "2010101"\n'
        'function_name = "行政运行"\nway = "12"\namount = "12.50"\n'
    )

    assert read_plan(file) == Plan(
        "YK1", [grant(1250, way=AUTHORISED, name="行政运行")]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('number = "YK1"\n', "allotment is missing"),
        ('number = "YK1"\n[[allotment]]\nunit = "1"\n', "function is missing"),
        (
            (
                'number = "1"\n[[allotment]]\nunit = "1"\nfunction = "2"\n'
                'way = "13"\namount = "1.00"\n'
            ),
            "13",
        ),
        (
            (
                'number = "1"\n[[allotment]]\nunit = "1"\nfunction = "2"\n'
                'way = "11"\namount = "1"\n'
            ),
            "not an amount",
        ),
    ],
)
def test_a_plan_that_is_wrong_is_not_read(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text)

    with pytest.raises(ValueError, match=told):
        read_plan(file)


@pytest.mark.clause("hubei-27.1")
def test_each_bank_and_way_has_a_notice_of_its_own(house: House) -> None:
    house.allot(
        grant(100),
        grant(200, way=AUTHORISED, name="行政运行"),
        grant(300, unit=HOSPITAL.code),
    )

    direct = house.issued(DIRECT_QUOTA)
    [authorised] = house.issued(AUTHORISED_QUOTA)

    assert [
        (one.form.text("pay_bank_no"), one.form.fen("pay_amt_fen")) for one in direct
    ] == [(BANK_NO, 100), (OTHER_NO, 300)]
    assert authorised.form.fen("plan_amt_fen") == 200
    assert authorised.form.text("set_month") == "03"
    assert authorised.form.rows[0]["exp_func_name"] == "行政运行"
    numbers = [one.key.number for one in (*direct, authorised)]
    assert numbers == ["ZE2026000001", "ZE2026000002", "SE2026000001"]


@pytest.mark.clause("hubei-29.3")
def test_the_bank_hears_of_its_quota_as_the_treasury_does(house: House) -> None:
    house.allot(grant(100), grant(200, way=AUTHORISED))

    for kind in (DIRECT_QUOTA, AUTHORISED_QUOTA):
        [notice] = house.issued(kind)
        assert notice.recipients == (OFFICE.treasury, BANK)


def test_the_gateway_takes_both_notices(house: House) -> None:
    house.allot(grant(100), grant(200, way=AUTHORISED))

    house.turn()

    assert house.told["sent"] == 2


def test_a_plan_is_entered_once(house: House) -> None:
    house.allot(grant(100), number="YK1")

    with pytest.raises(ValueError, match="已录入"):
        house.allot(grant(100), number="YK1")

    assert house.left() == 100
    assert len(house.issued(DIRECT_QUOTA)) == 1


def test_what_is_left_may_be_taken_back_and_no_fen_more(house: House) -> None:
    house.allot(grant(500), number="YK1")
    house.run(application("SQ1", (("2010101", 300),)))

    with pytest.raises(ValueError, match=r"超出0\.01元"):
        house.allot(grant(-201), number="YK2")
    house.allot(grant(-200), number="YK3")

    assert house.left() == 0
    assert [one.form.fen("pay_amt_fen") for one in house.issued(DIRECT_QUOTA)] == [
        500,
        -200,
    ]


@pytest.mark.parametrize(
    ("grants", "told"),
    [
        ((grant(1, unit="9"),), "未登记"),
        (
            (
                grant(5),
                Grant(unit=SCHOOL.code, function="2", way=DIRECT, amount_fen=5),
                Grant(unit=HOSPITAL.code, function="3", way=AUTHORISED, amount_fen=0),
            ),
            "合计为零",
        ),
    ],
)
def test_a_plan_is_entered_whole_or_not_at_all(
    house: House, grants: tuple[Grant, ...], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        house.allot(*grants)

    assert house.left() == 0
    assert house.issued(DIRECT_QUOTA) == []
