"""A bank's application for clearing (2301) against what we know of its payments: pure.

What we know of direct payments is our own orders, as far as the bank has given a
receipt for them. Authorised payments are between a unit and the bank: of them we know
only the unit's allotment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from counterfoil.business.codes import PaymentWay, way_of
from counterfoil.business.money import to_yuan
from counterfoil.finance.allotments import AllotmentKey
from counterfoil.finance.entries import place_of
from counterfoil.finance.kinds import Office
from counterfoil.office import Voucher

Places = Mapping[tuple[str, str], int]
"""Amounts in fen by function and unit."""


@dataclass(frozen=True, slots=True)
class Paid:
    """What our books say of a payment that a bank wants back.

    Attributes:
        places: What the bank's receipt says that it paid; None while there is none.
        is_claimed: Whether another application names it.
    """

    places: Places | None
    is_claimed: bool = False


def objections(voucher: Voucher, office: Office) -> Iterator[str]:
    """Yield what is wrong with an application by itself, in Chinese.

    1. It is of our budget.
    2. The bank is one of ours, and it is the bank's own number.
    3. It names a way of payment: each has a quota of its own.
    4. The money is to come from the single account.
    5. Every row names its payment.
    6. The rows make the amount.

    Source: Hubei measures, article 27 (4) 1 and 2.
    """
    form = voucher.form
    # (1) Another division has a finance department of its own.
    if voucher.key.adm_div != office.adm_div:
        yield "行政区划与本财政不符"
    # (2) Else one could be paid for what another advanced.
    bank = office.banks.get(form.text("pay_bank_no"))
    if bank is None:
        yield "代理银行行号未登记"
    elif bank.party != voucher.key.issuer:
        yield "代理银行行号与发送方不符"
    # (3) Else no quota can be drawn on.
    if way_of(form.text("pay_type_code")) is None:
        yield "支付方式编码缺失或不是直接支付、授权支付"
    # (4) The treasury pays out of no other.
    if form.text("clear_acct_no") != office.single.number:
        yield "付款账号不是国库单一账户"
    # (5) What is not named cannot be compared, and may be asked for twice.
    if not all(row.get("voucher_no") for row in form.rows):
        yield "明细未注明支付凭证号"
    # (6) An application that does not add up is nobody's.
    if sum(int(row["pay_amt_fen"]) for row in form.rows) != form.fen("pay_amt_fen"):
        yield "金额与明细合计不符"


def way_in(voucher: Voucher) -> PaymentWay:
    """Return the way of payment of an application that was not objected to."""
    way = way_of(voucher.form.text("pay_type_code"))
    assert way is not None, "`objections` refuses it before"
    return way


def payments_in(voucher: Voucher) -> dict[str, Places]:
    """Return what an application asks for, by the number of the payment."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    for row in voucher.form.rows:
        places = found.setdefault(str(row.get("voucher_no", "")), Counter())
        places[place_of(voucher, row)] += int(row["pay_amt_fen"])
    return {number: dict(places) for number, places in found.items()}


def differences(
    asked: Mapping[str, Places], known: Mapping[str, Paid], way: PaymentWay
) -> Iterator[str]:
    """Yield where an application and our books differ, in Chinese; nothing if nowhere.

    1. No payment is asked for twice.
    2. A direct payment is an order of ours that this bank has given a receipt for,
    3. of that amount,
    4. for that unit and function: else another's quota would be drawn on.

    Source: Hubei measures, article 27 (4) 2: finance makes the clearing order from the
    application, so it answers for every row.

    Args:
        asked: What the application asks for, by the number of the payment.
        known: What our books say of the same numbers; of direct payments that were
            never ordered, nothing.
        way: The application's way of payment.
    """
    for number, places in sorted(asked.items()):
        paid = known.get(number)
        # (1) An authorised payment is in our books once it was applied for.
        if paid is not None and paid.is_claimed:
            yield f"支付凭证{number}已申请清算"
            continue
        if way is PaymentWay.AUTHORISED:
            continue
        # (2) What we never ordered, we do not pay for.
        if paid is None:
            yield f"支付凭证{number}不是本财政下达并已支付的凭证"
            continue
        if paid.places is None:
            continue  # its receipt is under way
        # (3) Told by itself, for the amount is what people compare.
        theirs, ours = sum(places.values()), sum(paid.places.values())
        if theirs != ours:
            yield (
                f"支付凭证{number}申请金额{to_yuan(theirs)}元"
                f"与回单{to_yuan(ours)}元不符"
            )
        # (4) The same amount may hide another's quota.
        elif places != paid.places:
            yield f"支付凭证{number}的单位或功能科目与回单不符"


def needs(voucher: Voucher, way: PaymentWay) -> dict[AllotmentKey, int]:
    """Return what an application uses of allotments: for authorised payments only.

    A direct payment used its unit's when it was ordered.
    """
    amounts: Counter[AllotmentKey] = Counter()
    if way is PaymentWay.DIRECT:
        return amounts
    for row in voucher.form.rows:
        function, top = place_of(voucher, row)
        key = AllotmentKey(
            fiscal_year=voucher.key.fiscal_year,
            top=top,
            unit="",
            function=function,
            way=way,
        )
        amounts[key] += int(row["pay_amt_fen"])
    return dict(amounts)
