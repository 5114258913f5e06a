"""The kinds of voucher that finance deals with, and who takes part.

Numbers are those of the catalogue: a kind without a national code has a number from
100,000 on, and its four digits on the wire (`codes.wire_code`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from counterfoil.business.banks import Bank, banks_of

APPLICATION: Final = 108201
"""财政直接支付申请书, of a budget unit."""
PAYMENT: Final = 5201
"""财政直接支付凭证."""
APPROPRIATION: Final = 5207
"""实拨拨款凭证."""
SPECIAL_PAYMENT: Final = 5267
"""财政专户拨款凭证."""
AUTHORISED_QUOTA: Final = 5106
"""财政授权支付汇总清算额度通知单."""
DIRECT_QUOTA: Final = 5108
"""财政直接支付汇总清算额度通知单."""
CLEARING_APPLICATION: Final = 2301
"""申请划款凭证, of an agent bank."""
CLEARING_ORDER: Final = 105301
"""清算划款凭证."""
REFUND: Final = 2302
"""申请退款凭证, of an agent bank."""
REFUND_NOTICE: Final = 2203
"""财政直接支付退款通知书."""
CLEARING_LIST: Final = 5551
REFUND_LIST: Final = 5552
APPROPRIATION_LIST: Final = 5553
REVENUE_REPORT: Final = 3401
"""收入日报表."""
BALANCE_REPORT: Final = 3402
"""库存日报表."""
EXPENDITURE_REPORT: Final = 3410
"""支出日报."""
DAILY_CHECK: Final = 3501
"""人行与财政凭证对账."""
REVENUE_STATEMENT: Final = 3511
"""收入报表对账."""
EXPENDITURE_STATEMENT: Final = 3512
"""支出报表对账."""
CHECK_REPLY: Final = 5502
"""凭证对账财政回执."""
REVENUE_REPLY: Final = 5511
EXPENDITURE_REPLY: Final = 5512
AGENCY_STATEMENT: Final = 105521
"""国库集中支付(财政专户)对账单."""
REFUND_MATCH: Final = 102207
"""退款匹配通知, of an agent bank."""

LISTED: Final[Mapping[int, int]] = {
    CLEARING_LIST: CLEARING_ORDER,
    REFUND_LIST: REFUND,
    APPROPRIATION_LIST: APPROPRIATION,
}
"""Which kind's receipts a list (清单) names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A budget unit (基层预算单位).

    Attributes:
        code: By which vouchers name it (`AgencyCode`).
        party: Its party code.
        name: What it is called.
        top: Its top-level unit (一级预算单位), by code; that has the clearing quota.
        bank: Number of its agent bank (行号).
    """

    code: str
    party: str
    name: str
    top: str
    bank: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of ours.

    Attributes:
        number: Its number.
        name: Whose it is, as vouchers state it.
        bank: Number of the bank that keeps it; empty for the treasury's.
    """

    number: str
    name: str
    bank: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who we are, for whom we pay, and through whom.

    Attributes:
        party: Our party code.
        treasury: The treasury's.
        adm_div: Administrative division.
        tre_code: The treasury's own code (国库主体代码), 10 digits.
        fin_org_code: Ours (财政机关代码), up to 12 digits.
        single: The single account (国库单一账户).
        special: The special account (财政专户), if we have one.
        opening_fen: What the single account held before the first voucher.
        special_opening_fen: The same of the special account.
        units: By unit code.
        banks: By bank number, the special account's among them.
    """

    party: str
    treasury: str
    adm_div: str
    tre_code: str
    fin_org_code: str
    single: Account
    special: Account | None = None
    opening_fen: int = 0
    special_opening_fen: int = 0
    units: Mapping[str, Unit] = field(default_factory=dict)
    banks: Mapping[str, Bank] = field(default_factory=dict)


def office_of(party: str, tables: Mapping[str, Any]) -> Office:
    """Return who we are, as the tables of a configuration say; see `cli`.

    Raises:
        ValueError: A key is missing, or a unit or account names no bank of ours.
    """
    try:
        own, special = tables["finance"], dict(tables.get("special", {}))
        special_opening_fen = special.pop("opening_fen", 0)
        office = Office(
            party=party,
            treasury=own["treasury"],
            adm_div=own["adm_div"],
            tre_code=own["tre_code"],
            fin_org_code=own["fin_org_code"],
            single=Account(number=own["account"], name=own["account_name"]),
            special=Account(**special) if special else None,
            opening_fen=own.get("opening_fen", 0),
            special_opening_fen=special_opening_fen,
            units={one["code"]: Unit(**one) for one in tables.get("unit", ())},
            banks=banks_of(tables),
        )
    except KeyError as error:
        msg = f"{error.args[0]} is missing"
        raise ValueError(msg) from error
    except TypeError as error:
        msg = f"a table [[unit]] or [special] is wrong: {error}"
        raise ValueError(msg) from error
    kept = [one.bank for one in office.units.values()]
    for number in [*kept, *([office.special.bank] if office.special else [])]:
        if number not in office.banks:
            msg = f"the bank {number!r} is not among the tables [[bank]]"
            raise ValueError(msg)
    return office
