"""What we state to banks: what we ordered them to pay in a month (105521).

One statement for each account that we paid from, made from our books alone. The bank
answers by its result.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from counterfoil.business.codes import wire_code
from counterfoil.business.days import read_day, written
from counterfoil.business.planning import find, plan
from counterfoil.finance.forms import Fields, made
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    PAYMENT,
    SPECIAL_PAYMENT,
    Office,
)
from counterfoil.finance.tables import Receipted
from counterfoil.office import Form, Voucher

PACK: Final = 500
"""Payments of a packet, as the national specification has it."""
_NUMBER_MAX: Final = 38
"""Of what all packets bear; a packet's place comes behind it."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Month:
    """A month.

    Attributes:
        first: Its first day, `yyyymmdd`.
        last: Its last.
    """

    first: str
    last: str

    @classmethod
    def named(cls, name: str) -> Month:
        """Return a month by its name, `yyyymm`.

        Raises:
            ValueError: It is none.
        """
        day = read_day(f"{name}01")
        last = day.replace(day=monthrange(day.year, day.month)[1])
        return cls(first=written(day), last=written(last))

    @property
    def name(self) -> str:
        """Its name, `yyyymm`."""
        return self.first[:6]


def statements_of(session: Session, office: Office, month: Month) -> Iterator[Voucher]:
    """Yield the statements of a month; none for an account that paid nothing.

    They follow from the books alone: made again, they say the same. A statement of
    more payments than a packet holds is several; one is in memory at a time.

    Source: Hubei measures, article 29 (2).
    """
    for whose in sorted(_accounts(session, month)):
        yield from _packets(session, office, month, whose)


def plan_statements(session: Session, office: Office, month: Month, today: str) -> int:
    """Plan the statements of a month that are not planned yet; return how many.

    Raises:
        ValueError: The month is not over.
    """
    if month.last >= today:
        msg = f"{month.name}尚未结束"
        raise ValueError(msg)
    count = 0
    for one in statements_of(session, office, month):
        if find(session, one.key) is None:
            plan(session, one, today)
            count += 1
    return count


def _accounts(session: Session, month: Month) -> set[tuple[str, str]]:
    """Return the banks and accounts that paid for us in a month."""
    found = session.execute(
        select(Receipted.bank, Receipted.account)
        .where(Receipted.type_code.in_((PAYMENT, SPECIAL_PAYMENT)))
        .where(Receipted.day.between(month.first, month.last))
        .where(Receipted.agrees)
        .distinct()
    )
    return {(row.bank, row.account) for row in found}


def _paid(month: Month, whose: tuple[str, str]) -> Select[Receipted]:
    """Return the query for what a bank paid out of an account in a month."""
    bank, account = whose
    return (
        select(Receipted)
        .where(Receipted.type_code.in_((PAYMENT, SPECIAL_PAYMENT)))
        .where(Receipted.bank == bank, Receipted.account == account)
        .where(Receipted.day.between(month.first, month.last))
        .where(Receipted.agrees)
    )


def _packets(
    session: Session, office: Office, month: Month, whose: tuple[str, str]
) -> Iterator[Voucher]:
    """Yield the statement of one account, in packets."""
    bank, account = whose
    paid = _paid(month, whose)
    total = session.scalar(select(func.count()).select_from(paid.subquery())) or 0
    last = -(-total // PACK)
    in_order = paid.order_by(Receipted.day, Receipted.number, Receipted.digest)
    found = session.scalars(in_order.execution_options(yield_per=PACK)).partitions()
    number = f"DZ{month.name}-{account}"[:_NUMBER_MAX]
    code = next(
        (one.code for one in office.banks.values() if one.party == bank and one.code),
        "",
    )
    for place, some in enumerate(found, start=1):
        rows = tuple(_row(place, one) for place, one in enumerate(some, start=1))
        fields: Fields = {
            "voucher_check_no": number,
            "child_pack_num": last,
            "cur_pack_no": place,
            "pay_bank_code": code,
            "acct_no": account,
            "begin_date": month.first,
            "end_date": month.last,
            "all_num": len(rows),
            "all_amt_fen": sum(one.amount_fen for one in some),
        }
        own = number if last == 1 else f"{number}-{place:03}"
        voucher = made(office, AGENCY_STATEMENT, own, month.last, Form(fields, rows))
        yield replace(voucher, recipients=(bank,))


def _row(place: int, one: Receipted) -> Fields:
    return {
        "id": str(place),
        "e_voucher_type": wire_code(one.type_code),
        "voucher_no": one.number,
        "pay_amt_fen": one.amount_fen,
        "pay_date": one.day,
    }
