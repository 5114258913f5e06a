"""The daily check of vouchers (凭证对账): ours against each partner's, one by one.

For a day and a kind of voucher we state what we finished: number, amount, and whether
it was done or returned. The partner replies with its own view, and we compare.

Source: Hubei measures, article 21; the verdicts are those of the central bank's own
system, as far as they are public.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.codes import wire_code
from counterfoil.business.tables import InboxEntry
from counterfoil.business.works import Work
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue
from counterfoil.treasury.answers import conclude
from counterfoil.treasury.books import Incoming, Statement
from counterfoil.treasury.issuing import Name, sent, voucher_of
from counterfoil.treasury.kinds import (
    APPLICATION,
    APPROPRIATION,
    AUTHORISED_QUOTA,
    BANK_CHECK,
    DIRECT_QUOTA,
    FINANCE_CHECK,
    ORDER,
    REFUND,
    REPLIES,
    Office,
)

WITH_FINANCE: Final = (AUTHORISED_QUOTA, DIRECT_QUOTA, APPROPRIATION, ORDER)
WITH_BANKS: Final = (APPLICATION, REFUND)
"""Kinds that are checked, with whoever issues them."""
DONE: Final = "0"
RETURNED: Final = "1"
"""凭证状态 (`ProState`): 正常, 退回."""
_AGREES: Final = "对账成功"


@dataclass(frozen=True, slots=True)
class Line:
    """One voucher as a check names it.

    Attributes:
        number: Its number.
        amount_fen: Its amount.
        state: `DONE` or `RETURNED`.
    """

    number: str
    amount_fen: int
    state: str


def checks_of(session: Session, office: Office, day: str) -> list[Voucher]:
    """Return the checks of a day: one for each kind, with finance and every bank.

    A kind of which nothing was finished has one without rows: the partner may know
    of something.

    Args:
        session: The books.
        office: Who we are.
        day: In China, `yyyymmdd`.
    """
    return [
        _check(session, office, kind, party, day)
        for parties, kinds in (
            ([office.finance], WITH_FINANCE),
            (office.bank_parties(), WITH_BANKS),
        )
        for party in parties
        for kind in kinds
    ]


def compare(ours: Sequence[Line], theirs: Sequence[Line]) -> dict[str, str]:
    """Return what comes of each voucher, by its number: pure.

    1. What the partner does not know does not exist (不存在).
    2. What it names twice exists more than once (存在多条).
    3. Else state and amount are compared.
    4. What it knows and we do not, does not exist with us.
    """
    verdicts: dict[str, str] = {}
    for line in ours:
        found = [one for one in theirs if one.number == line.number]
        # (1) and (2): there is nothing to compare.
        if len(found) != 1:
            verdicts[line.number] = "存在多条" if found else "不存在"
            continue
        # (3) Told apart, for each has another cause.
        other = found[0]
        state = "" if other.state == line.state else "状态"
        amount = "" if other.amount_fen == line.amount_fen else "金额"
        verdicts[line.number] = f"{state}{amount}不符" if state or amount else _AGREES
    # (4) A first verdict stays.
    for line in theirs:
        verdicts.setdefault(line.number, "国库不存在")
    return verdicts


@dataclass(frozen=True, slots=True)
class CheckReply(Work):
    """Compares a partner's reply to a daily check (5502, 2502).

    Attributes:
        office: Who we are.
    """

    office: Office

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Object to a reply to what we never asked its issuer."""
        if self._asked(session, entry, voucher) is None:
            day, kind = _subject(voucher)
            yield f"未发出{day}凭证{kind}的对账"

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Compare row by row, and book the result."""
        statement = self._asked(session, entry, voucher)
        assert statement is not None, "it was objected to"
        ours = sent(session, statement)
        verdicts = compare(_lines(ours.form), _lines(voucher.form))
        conclude(
            session,
            statement,
            entry.day,
            [
                f"凭证{number}{verdict}"
                for number, verdict in verdicts.items()
                if verdict != _AGREES
            ],
        )
        return ()

    def _asked(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Statement | None:
        kind = REPLIES[entry.type_code]
        day, checked = _subject(voucher)
        number = _number(self.office, entry.issuer, day, checked)
        statement = session.get(Statement, (kind, number))
        if statement is None or statement.recipient != entry.issuer:
            return None
        return statement


def _check(
    session: Session, office: Office, kind: int, party: str, day: str
) -> Voucher:
    # Of a number that was issued again the newest issue counts.
    newest: Mapping[str, Incoming] = {
        one.number: one
        for one in session.scalars(
            select(Incoming)
            .where(Incoming.type_code == kind, Incoming.issuer == party)
            .where(Incoming.day == day)
            .order_by(Incoming.number, Incoming.issue)
        )
    }
    rows: tuple[dict[str, FieldValue], ...] = tuple(
        {
            "id": str(place),
            "voucher_no": one.number,
            "amt_fen": one.amount_fen,
            "pro_state": DONE if one.serial else RETURNED,
        }
        for place, one in enumerate(newest.values(), start=1)
    )
    fields: dict[str, FieldValue] = {
        "tre_code": office.tre_code,
        "check_date": day,
        "e_voucher_type": wire_code(kind),
        "all_num": len(rows),
        "all_amt_fen": sum(one.amount_fen for one in newest.values()),
    }
    is_bank = kind in WITH_BANKS
    if is_bank and (code := office.code_of(party)):
        fields["pay_bank_code"] = code
    name = Name(
        BANK_CHECK if is_bank else FINANCE_CHECK,
        _number(office, party, day, wire_code(kind)),
        day,
        party,
    )
    return voucher_of(office, name, Form(fields, rows), has_id=False)


def _number(office: Office, party: str, day: str, checked: str) -> str:
    """Return the number of a check, which follows from what it is about."""
    banks = office.numbers_of(party)
    return f"RD{day}-{checked}" + (f"-{banks[0]}" if banks else "")


def _subject(voucher: Voucher) -> tuple[str, str]:
    """Return the day and the kind that a reply is about."""
    form = voucher.form
    return form.text("check_date"), form.text("e_voucher_type")


def _lines(form: Form) -> list[Line]:
    return [
        Line(str(row["voucher_no"]), int(row["amt_fen"]), str(row["pro_state"]))
        for row in form.rows
    ]
