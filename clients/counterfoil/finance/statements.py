"""What we state to banks: what we ordered them to pay in a month (105521).

One statement for each account that we paid from, made from our books alone. The bank
answers by its result.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.codes import wire_code
from counterfoil.business.days import read_day, written
from counterfoil.business.outbox import find, plan
from counterfoil.finance.forms import Fields, made
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    PAYMENT,
    SPECIAL_PAYMENT,
    Office,
)
from counterfoil.finance.tables import Receipted
from counterfoil.office import Form, Voucher


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


def statements_of(session: Session, office: Office, month: Month) -> list[Voucher]:
    """Return the statements of a month; none for an account that paid nothing.

    They follow from the books alone: made again, they say the same.

    Source: Hubei measures, article 29 (2).
    """
    return [
        _statement(session, office, month, whose)
        for whose in sorted(_accounts(session, month))
    ]


def plan_statements(
    session: Session, office: Office, month: Month, today: str
) -> list[Voucher]:
    """Plan the statements of a month that are not planned yet.

    Raises:
        ValueError: The month is not over.
    """
    if month.last >= today:
        msg = f"{month.name}尚未结束"
        raise ValueError(msg)
    due = [
        one
        for one in statements_of(session, office, month)
        if find(session, one.key) is None
    ]
    for one in due:
        plan(session, one, today)
    return due


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


def _paid(
    session: Session, month: Month, whose: tuple[str, str]
) -> Iterator[Receipted]:
    bank, account = whose
    yield from session.scalars(
        select(Receipted)
        .where(Receipted.type_code.in_((PAYMENT, SPECIAL_PAYMENT)))
        .where(Receipted.bank == bank, Receipted.account == account)
        .where(Receipted.day.between(month.first, month.last))
        .where(Receipted.agrees)
        .order_by(Receipted.day, Receipted.number)
    )


def _statement(
    session: Session, office: Office, month: Month, whose: tuple[str, str]
) -> Voucher:
    bank, account = whose
    rows: tuple[Fields, ...] = tuple(
        {
            "id": str(place),
            "e_voucher_type": wire_code(one.type_code),
            "voucher_no": one.number,
            "pay_amt_fen": one.amount_fen,
            "pay_date": one.day,
        }
        for place, one in enumerate(_paid(session, month, whose), start=1)
    )
    number = f"DZ{month.name}-{account}"[:42]
    code = next(
        (one.code for one in office.banks.values() if one.party == bank and one.code),
        "",
    )
    fields: Fields = {
        "voucher_check_no": number,
        "child_pack_num": 1,
        "cur_pack_no": 1,
        "pay_bank_code": code,
        "acct_no": account,
        "begin_date": month.first,
        "end_date": month.last,
        "all_num": len(rows),
        "all_amt_fen": sum(int(row["pay_amt_fen"]) for row in rows),
    }
    voucher = made(office, AGENCY_STATEMENT, number, month.last, Form(fields, rows))
    return replace(voucher, recipients=(bank,))
