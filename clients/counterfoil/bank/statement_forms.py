"""The statements (对账单) that the bank makes for treasury and units: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.bank.applications import counted
from counterfoil.bank.heads import Fields, named, voucher_of
from counterfoil.bank.kinds import QUOTA_STATEMENT, UNIT_STATEMENT, Office
from counterfoil.bank.quota import QuotaKey, QuotaLine
from counterfoil.office import Voucher, VoucherKey

PACK: Final = 500
"""Rows of a packet, as the national specification has it."""
NO_UNIT: Final = ("0", "未指定单位")
"""How a row names quota that belongs to no unit: its code may not be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a statement is about.

    Attributes:
        adm_div: Administrative division.
        month: `yyyymm`.
        first: First day, `yyyymmdd`.
        last: Last day, `yyyymmdd`.
        day: Day on which it is made, `yyyymmdd`.
    """

    adm_div: str
    month: str
    first: str
    last: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What went out of, or came back into, a unit's account.

    Attributes:
        type_code: Kind of the voucher that the unit has of it.
        number: The voucher's number.
        function: Function, if it was of one alone.
        amount_fen: Amount; what came back is negative.
        day: Day on which it was paid or refunded.
        account: Account that paid.
    """

    type_code: int
    number: str
    function: str
    amount_fen: int
    day: str
    account: str


def quota_statement(
    office: Office, period: Period, lines: Mapping[QuotaKey, QuotaLine]
) -> Iterator[Voucher]:
    """Yield the quota statement (2541) to the treasury, in packets.

    Source: Hubei measures, article 29 (3), annexed table 17.
    """
    rows: list[Fields] = [
        {
            "sup_dep_code": key.unit or NO_UNIT[0],
            "sup_dep_name": line.unit_name or key.unit or NO_UNIT[1],
            **named(fund_type_code=key.fund),
            "pay_bank_code": office.code,
            "pay_bank_no": office.number,
            "exp_func_code": key.function,
            "exp_func_name": line.function_name or key.function,
            "pay_type_code": key.way.value,
            "pay_type_name": key.way.chinese,
            "pre_date_money_fen": line.before_fen,
            "clear_amt_fen": line.added_fen,
            "cur_reck_money_fen": line.cleared_fen,
            "cur_date_money_fen": line.left_fen,
        }
        for key, line in lines.items()
    ]
    for number, packet, some in _packets(f"ED{period.month}", period, rows):
        yield voucher_of(
            _key(office, period, QUOTA_STATEMENT, number),
            (office.treasury.party,),
            period.day,
            {
                **packet,
                "tre_code": office.treasury.code,
                **{
                    name: sum(int(row[name]) for row in some)
                    for name in (
                        "pre_date_money_fen",
                        "clear_amt_fen",
                        "cur_reck_money_fen",
                        "cur_date_money_fen",
                    )
                },
            },
            counted(some),
        )


def unit_statement(
    office: Office,
    period: Period,
    unit: tuple[str, str],
    movements: Sequence[Movement],
) -> Iterator[Voucher]:
    """Yield the statement (2531) to a unit: every payment of the month, in packets.

    Source: Hubei measures, article 29 (4), annexed table 15.

    Args:
        office: Who we are.
        period: What it is about.
        unit: Its agency code and its party code.
        movements: What was paid for it, and what came back; one at least.
    """
    agency, party = unit
    rows: list[Fields] = [
        {
            "e_voucher_type": str(one.type_code),
            "voucher_no": one.number,
            **named(exp_func_code=one.function),
            "pay_amt_fen": one.amount_fen,
            "pay_date": one.day,
        }
        for one in movements
    ]
    for number, packet, some in _packets(f"DZ{period.month}-{agency}", period, rows):
        yield voucher_of(
            _key(office, period, UNIT_STATEMENT, number),
            (party,),
            period.day,
            {
                **packet,
                "agency_code": agency,
                "pay_bank_code": office.code,
                "acct_no": movements[0].account,
                "all_amt_fen": sum(int(row["pay_amt_fen"]) for row in some),
            },
            counted(some),
        )


def _packets(
    number: str, period: Period, rows: Sequence[Fields]
) -> Iterator[tuple[str, Fields, Sequence[Fields]]]:
    """Yield number, what every packet says of itself, and its rows."""
    count = -(-len(rows) // PACK)
    for place in range(count):
        some = rows[place * PACK : (place + 1) * PACK]
        packet: Fields = {
            "voucher_check_no": number,
            "child_pack_num": count,
            "cur_pack_no": place + 1,
            "begin_date": period.first,
            "end_date": period.last,
            "all_num": len(some),
        }
        yield number if count == 1 else f"{number}-{place + 1:02}", packet, some


def _key(office: Office, period: Period, type_code: int, number: str) -> VoucherKey:
    return VoucherKey(
        issuer=office.party,
        adm_div=period.adm_div,
        fiscal_year=int(period.month[:4]),
        type_code=type_code,
        number=number,
    )
