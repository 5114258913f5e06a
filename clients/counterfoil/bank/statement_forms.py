"""The statements (对账单) that the bank makes for treasury and units: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class UnitStatement:
    """The statement (2531) to a unit: every payment of the month, packet by packet.

    Source: Hubei measures, article 29 (4), annexed table 15.

    Attributes:
        office: Who we are.
        period: What it is about.
        unit: Its agency code and its party code.
        total: How many movements it names.
    """

    office: Office
    period: Period
    unit: tuple[str, str]
    total: int
    _account: str = ""
    _taken: int = 0
    _waiting: list[Movement] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every movement was named."""
        return self._taken == self.total

    def add(self, movement: Movement) -> Iterator[Voucher]:
        """Name the next movement; yield the packet that is full, or the last one.

        Args:
            movement: What was paid for the unit, or came back.
        """
        self._account = self._account or movement.account
        self._waiting.append(movement)
        self._taken += 1
        if len(self._waiting) == PACK or self.is_whole:
            yield self._packet()

    def _packet(self) -> Voucher:
        agency, party = self.unit
        rows: list[Fields] = [
            {
                "e_voucher_type": str(one.type_code),
                "voucher_no": one.number,
                **named(exp_func_code=one.function),
                "pay_amt_fen": one.amount_fen,
                "pay_date": one.day,
            }
            for one in self._waiting
        ]
        self._waiting.clear()
        place = -(-self._taken // PACK)
        number, packet = _packet(
            f"DZ{self.period.month}-{agency}",
            self.period,
            (place, _packets_of(self.total)),
            len(rows),
        )
        return voucher_of(
            _key(self.office, self.period, UNIT_STATEMENT, number),
            (party,),
            self.period.day,
            {
                **packet,
                "agency_code": agency,
                "pay_bank_code": self.office.code,
                "acct_no": self._account,
                "all_amt_fen": sum(int(row["pay_amt_fen"]) for row in rows),
            },
            counted(rows),
        )


def _packets(
    number: str, period: Period, rows: Sequence[Fields]
) -> Iterator[tuple[str, Fields, Sequence[Fields]]]:
    """Yield number, what every packet says of itself, and its rows."""
    count = _packets_of(len(rows))
    for place in range(1, count + 1):
        some = rows[(place - 1) * PACK : place * PACK]
        yield *_packet(number, period, (place, count), len(some)), some


def _packets_of(rows: int) -> int:
    """Return in how many packets so many rows go."""
    return -(-rows // PACK)


def _packet(
    number: str, period: Period, place: tuple[int, int], rows: int
) -> tuple[str, Fields]:
    """Return number, and what a packet says of itself.

    Args:
        number: Of the statement.
        period: What it is about.
        place: Which packet it is, from 1, of how many.
        rows: How many rows it has.
    """
    this, count = place
    fields: Fields = {
        "voucher_check_no": number,
        "child_pack_num": count,
        "cur_pack_no": this,
        "begin_date": period.first,
        "end_date": period.last,
        "all_num": rows,
    }
    return number if count == 1 else f"{number}-{this:02}", fields


def _key(office: Office, period: Period, type_code: int, number: str) -> VoucherKey:
    return VoucherKey(
        issuer=office.party,
        adm_div=period.adm_div,
        fiscal_year=int(period.month[:4]),
        type_code=type_code,
        number=number,
    )
