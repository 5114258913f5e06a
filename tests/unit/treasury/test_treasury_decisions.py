"""The pure rules, each broken by itself."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.business.codes import PaymentWay
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury import checks, clearing, lists, quota
from counterfoil.treasury.entries import QuotaKey, entry_of
from counterfoil.treasury.kinds import (
    APPROPRIATION_LIST,
    AUTHORISED_QUOTA,
    CLEARING_LIST,
)
from counterfoil.treasury.lists import Receipted
from tests.unit.treasury.papers import (
    BANK_NO,
    OFFICE,
    OTHER_BANK,
    application,
    appropriation,
    changed,
    listing,
    order,
    quota_notice,
    refund,
)


def key(
    unit: str = "101", function: str = "2010101", way: PaymentWay = PaymentWay.DIRECT
) -> QuotaKey:
    return QuotaKey(
        fiscal_year=2026, bank_no=BANK_NO, way=way, function=function, unit=unit
    )


SHARED = key("")


@pytest.mark.parametrize(
    ("balances", "changes", "missing"),
    [
        ({key(): 100}, {key(): -100}, None),
        ({key(): 100}, {key(): -101}, "0.01"),
        ({}, {key(): -1}, "0.01"),
        # What a unit lacks is drawn from the quota that names none, together.
        ({key(): 100, SHARED: 50}, {key(): -150}, None),
        ({key(): 100, SHARED: 50}, {key(): -151}, "0.01"),
        ({SHARED: 50}, {key("1"): -30, key("2"): -20}, None),
        ({SHARED: 50}, {key("1"): -30, key("2"): -21}, "0.01"),
        ({SHARED: 50, key("1"): -30}, {key("2"): -21}, "0.01"),
        # Neither another unit's, function's nor way's.
        ({key("2"): 100}, {key("1"): -1}, "0.01"),
        ({key(function="2"): 100}, {key(function="1"): -1}, "0.01"),
        ({key(way=PaymentWay.AUTHORISED): 100}, {key(): -1}, "0.01"),
        # Taking back what was used; giving is never refused.
        ({SHARED: 50, key("1"): -30}, {SHARED: -21}, "0.01"),
        ({SHARED: 50}, {SHARED: -51}, "0.01"),
        ({key(): -5}, {key(): 1}, None),
    ],
)
def test_clearing_stays_within_the_quota(
    balances: dict[QuotaKey, int], changes: dict[QuotaKey, int], missing: str | None
) -> None:
    found = list(quota.shortages(balances, changes))

    assert len(found) == (missing is not None)
    assert all(text.endswith(f"超出{missing}元") for text in found)


@pytest.mark.parametrize(("fen", "refused"), [(100, False), (101, True)])
def test_a_refund_goes_no_further_than_what_was_cleared(
    fen: int, *, refused: bool
) -> None:
    found = list(quota.refunds_beyond({key(): 100}, {key(): fen}))

    assert bool(found) is refused


def test_an_order_that_equals_its_application_differs_in_nothing() -> None:
    turned = order("Q1", "S1", (("102", "2010101", 250), ("101", "2010101", 100)))
    rows = tuple(
        {**row, "voucher_no": f"ZF{n}", "id": f"x{n}"}
        for n, row in zip((1, 0), turned.form.rows, strict=True)
    )

    assert list(clearing.differences(order("Q1", "S1"), application("S1"))) == []
    assert clearing.rows_of(type(turned.form)(turned.form.fields, rows)) == (
        clearing.rows_of(application("S1").form)
    )


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"ori_voucher_no": "S2"}, "划款凭证未指明申请划款凭证S1"),
        ({"ori_vt_code": "2302"}, "划款凭证未指明申请划款凭证S1"),
        ({"pay_bank_no": "103521000000"}, "代理银行行号与申请划款凭证不一致"),
        ({"agent_acct_no": "9"}, "收款银行账号与申请划款凭证不一致"),
        ({"clear_acct_no": "9"}, "付款账号与申请划款凭证不一致"),
        ({"pay_type_code": "12"}, "支付方式与申请划款凭证不一致"),
        ({"fund_type_code": "1"}, "资金性质与申请划款凭证不一致"),
        ({"pay_amt_fen": 351}, "划款金额3.51元与申请金额3.50元不一致"),
    ],
)
def test_an_order_must_say_what_its_application_says(
    fields: dict[str, FieldValue], told: str
) -> None:
    found = list(
        clearing.differences(changed(order("Q1", "S1"), **fields), application("S1"))
    )

    assert found == [told]


@pytest.mark.parametrize(
    "lines",
    [
        (("101", "2010101", 101), ("102", "2010101", 249)),
        (("103", "2010101", 100), ("102", "2010101", 250)),
        (("101", "2010102", 100), ("102", "2010101", 250)),
        (("102", "2010101", 100), ("101", "2010101", 250)),
    ],
)
def test_rows_of_the_same_total_must_be_the_same(
    lines: tuple[tuple[str, str, int], ...],
) -> None:
    found = list(clearing.differences(order("Q1", "S1", lines), application("S1")))

    assert found == ["明细与申请划款凭证不一致"]


def test_the_two_codes_of_a_way_of_payment_are_the_same_way() -> None:
    ours = order("Q1", "S1", way="001001")

    assert list(clearing.differences(ours, application("S1", way="11"))) == []


OURS = (Receipted("B1", 350), Receipted("B2", 7))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((("B1", 350), ("B2", 7)), []),
        ((("B2", 7), ("B1", 350)), []),
        ((("B1", 350),), ["清单缺少凭证B2"]),
        ((), ["清单缺少凭证B1、B2"]),
        ((("B1", 350), ("B2", 8)), ["凭证B2金额0.08元与回单0.07元不符"]),
        ((("B1", 350), ("B2", 7), ("B3", 1)), ["凭证B3无可列示的回单"]),
        ((("B1", 350), ("B2", 7), ("B2", 7)), ["凭证B2重复列示"]),
    ],
)
def test_a_list_must_be_the_receipts_of_its_day(
    rows: tuple[tuple[str, int], ...], told: list[str]
) -> None:
    made = listing(APPROPRIATION_LIST, "L1", rows)

    assert list(lists.differences(made, OURS)) == told


def test_two_banks_refunds_of_one_number_are_two_rows() -> None:
    same = (Receipted("T1", -5), Receipted("T1", -7))

    assert (
        list(lists.differences(listing(5552, "L", (("T1", -7), ("T1", -5))), same))
        == []
    )


def test_the_rows_of_a_list_are_of_its_own_kind() -> None:
    made = listing(CLEARING_LIST, "L1", (("B1", 350), ("B2", 7)))
    rows = tuple({**row, "ori_vt_code": "2301"} for row in made.form.rows)
    wrong = type(made)(
        key=made.key,
        recipients=made.recipients,
        form=type(made.form)(made.form.fields, rows),
    )

    assert list(lists.differences(wrong, OURS)) == ["清单明细的凭证类型应为5301"]


@pytest.mark.parametrize(
    "sound",
    [
        quota_notice("E1"),
        quota_notice("E1", type_code=AUTHORISED_QUOTA),
        appropriation("B1"),
        application("S1"),
        order("Q1", "S1"),
        refund("T1"),
        listing(CLEARING_LIST, "L1", (("Q1", 350),)),
    ],
    ids=lambda one: str(one.key.type_code),
)
def test_a_sound_voucher_has_no_objection(sound: object) -> None:
    assert list(checks.objections(sound, OFFICE)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (changed(appropriation("B1"), pay_amt_fen=351), "金额与明细合计不符"),
        (
            changed(listing(CLEARING_LIST, "L", (("Q", 1),)), all_amt_fen=2),
            "金额与明细合计不符",
        ),
        (
            changed(quota_notice("E", type_code=AUTHORISED_QUOTA), plan_amt_fen=1),
            "金额与明细合计不符",
        ),
        (quota_notice("E1", bank_no="999999999999"), "代理银行行号未登记"),
        (order("Q1", "S1", bank_no="999999999999"), "代理银行行号未登记"),
        (refund("T1", issuer=OTHER_BANK), "代理银行行号与发送方不符"),
        (
            changed(application("S1"), pay_type_code="91"),
            "支付方式编码缺失或不是直接支付、授权支付",
        ),
        (changed(appropriation("B1"), pay_acct_no="9"), "付款账号不是国库单一账户"),
        (changed(refund("T1"), clear_acct_no="9"), "付款账号不是国库单一账户"),
        (
            changed(order("Q1", "S1"), ori_vt_code="2302"),
            "原凭证类型不是申请划款凭证",
        ),
    ],
)
def test_what_is_wrong_with_a_voucher_is_told(broken: object, told: str) -> None:
    assert list(checks.objections(broken, OFFICE)) == [told]  # type: ignore[arg-type]


def test_an_entry_adds_up_rows_of_the_same_function_and_unit() -> None:
    entry = entry_of(
        order("Q1", "S1", (("101", "1", 5), ("101", "1", 6), ("102", "1", 7)))
    )

    assert entry.account == {"1": -18}
    assert entry.quota == {key("101", "1"): -11, key("102", "1"): -7}


def test_an_application_and_a_list_change_nothing() -> None:
    for one in (application("S1"), listing(CLEARING_LIST, "L1", (("Q1", 1),))):
        entry = entry_of(one)
        assert (entry.account, entry.quota) == ({}, {})


def of(unit: str = "", fund: str = "") -> QuotaKey:
    return replace(key(unit), fund=fund)


@pytest.mark.parametrize(
    ("balances", "changes", "missing"),
    [
        ({of("1", "a"): 5}, {of("1", "a"): -5}, None),
        ({of("1", "a"): 5}, {of("1", "a"): -6}, "0.01"),
        # A notice that names no fund, no unit or neither is for every one.
        ({of("1"): 5}, {of("1", "a"): -3, of("1", "b"): -2}, None),
        ({of("1"): 5}, {of("1", "a"): -3, of("1", "b"): -3}, "0.01"),
        ({of(fund="a"): 5}, {of("1", "a"): -3, of("2", "a"): -2}, None),
        ({of(fund="a"): 5}, {of("1", "a"): -3, of("2", "a"): -3}, "0.01"),
        ({of(): 5}, {of("1", "a"): -3, of("2", "b"): -2}, None),
        ({of(): 5}, {of("1", "a"): -3, of("2", "b"): -3}, "0.01"),
        # Never another fund's or unit's, and none that a voucher does not name.
        ({of("1", "b"): 5}, {of("1", "a"): -1}, "0.01"),
        ({of(fund="b"): 5}, {of("1", "a"): -1}, "0.01"),
        ({of("2"): 5}, {of("1", "a"): -1}, "0.01"),
        ({of("1", "a"): 5}, {of("1"): -1}, "0.01"),
        # Each part is covered once: the unit's covers b, so a needs the fund's.
        ({of("1"): 2, of(fund="a"): 3}, {of("1", "a"): -3, of("1", "b"): -2}, None),
        (
            {of("1"): 2, of(fund="a"): 2},
            {of("1", "a"): -3, of("1", "b"): -2},
            "0.01",
        ),
        # What one unit draws on the quota that names neither is gone for others.
        ({of(): 5, of("1"): -3}, {of("2", "b"): -3}, "0.01"),
    ],
)
def test_a_fund_has_a_quota_of_its_own(
    balances: dict[QuotaKey, int], changes: dict[QuotaKey, int], missing: str | None
) -> None:
    found = list(quota.shortages(balances, changes))

    assert [one.split("超出")[1] for one in found] == (
        [f"{missing}元"] if missing else []
    )


AMOUNT = st.integers(0, 4)
PAIRS = [(unit, fund) for unit in "12" for fund in "ab"]


@given(
    drawn=st.tuples(*(AMOUNT for _ in PAIRS)),
    units=st.tuples(AMOUNT, AMOUNT),
    funds=st.tuples(AMOUNT, AMOUNT),
)
def test_what_no_split_of_the_quotas_covers_is_missing(
    drawn: tuple[int, ...], units: tuple[int, int], funds: tuple[int, int]
) -> None:
    balances = {
        of("1"): units[0],
        of("2"): units[1],
        of(fund="a"): funds[0],
        of(fund="b"): funds[1],
    }
    changes = {of(*pair): -fen for pair, fen in zip(PAIRS, drawn, strict=True) if fen}

    told = "".join(quota.shortages(balances, changes))

    # Every way to split what each pair draws between its unit's and its fund's quota.
    fewest = min(
        sum(
            max(0, x + y - left)
            for x, y, left in (
                (split[0], split[1], units[0]),
                (split[2], split[3], units[1]),
                (drawn[0] - split[0], drawn[2] - split[2], funds[0]),
                (drawn[1] - split[1], drawn[3] - split[3], funds[1]),
            )
        )
        for split in product(*(range(fen + 1) for fen in drawn))
    )
    assert (f"超出0.{fewest:02}元" in told) if fewest else told == ""


def test_a_voucher_without_a_way_of_payment_has_no_quota() -> None:
    with pytest.raises(ValueError, match="way of payment"):
        entry_of(changed(refund("T1"), pay_type_code=""))
