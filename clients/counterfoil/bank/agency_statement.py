"""Finance's statement of our payments against our own books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.bank import periods
from counterfoil.bank.answers import Found, Statement
from counterfoil.business.inbox import voucher_of as voucher_in
from counterfoil.business.money import to_yuan
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.office import Form, Voucher
from counterfoil.office.vouchers import FieldValue

_NOT_TAKEN: Final = (InboxState.REJECTED, InboxState.RETURNED, InboxState.VOID)


class AgencyStatement(Statement):
    """Finance's statement of our payments out of one account (5521).

    Source: Hubei measures, article 29 (2).
    """

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        """Wait with the last packet until all are here: it tells what is missing."""
        form = voucher_in(entry).form
        if not _is_last(form):
            return True
        packets = _packets(session, entry, form.text("voucher_check_no"))
        return len(packets) == form.fields["child_pack_num"]

    def differences(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterator[Found]:
        """Yield what we have otherwise, and what of ours no packet names.

        1. Every row is of a payment, or refund, that we made: by kind and number.
        2. It has our amount and our day.
        3. Whatever was paid out of the account in the period is named.
        """
        form = voucher.form
        ours = periods.booked(session, map(_name, form.rows))
        for row in form.rows:
            reason = _row_differs(
                ours.get(_name(row), ()),
                int(row["pay_amt_fen"]),
                str(row["pay_date"]),
            )
            if reason:
                yield str(row["id"]), f"凭证{row['voucher_no']}{reason}"
        if not _is_last(form):
            return
        packets = _packets(session, entry, form.text("voucher_check_no"))
        stated = {str(row["voucher_no"]) for packet in packets for row in packet.rows}
        for one in periods.paid_of(
            session,
            form.text("acct_no"),
            form.text("begin_date"),
            form.text("end_date"),
        ):
            if one.number not in stated:
                yield "", f"缺少凭证{one.number}{to_yuan(one.amount_fen)}元"


def _name(row: Mapping[str, FieldValue]) -> tuple[int, str]:
    """Return kind and number of the voucher that a row is about."""
    return int(row["e_voucher_type"]), str(row["voucher_no"])


def _row_differs(ours: Sequence[periods.Booked], fen: int, day: str) -> str:
    """Return why a row is not what we have, in Chinese; empty if it is."""
    if not ours:
        return "不存在"
    of_amount = [one for one in ours if one.amount_fen == fen]
    if not of_amount:
        return f"金额不符，我方{to_yuan(ours[0].amount_fen)}元"
    if all(one.day != day for one in of_amount):
        return f"支付日期不符，我方{of_amount[0].day}"
    return ""


def _is_last(form: Form) -> bool:
    return form.fields["cur_pack_no"] == form.fields["child_pack_num"]


def _packets(session: Session, entry: InboxEntry, check_number: str) -> list[Form]:
    """Return the packets of a statement that are here and were not refused."""
    others = session.scalars(
        select(InboxEntry).where(
            InboxEntry.type_code == entry.type_code,
            InboxEntry.issuer == entry.issuer,
            InboxEntry.fiscal_year == entry.fiscal_year,
            InboxEntry.state.not_in(_NOT_TAKEN),
        )
    )
    forms = [voucher_in(one).form for one in others]
    return [one for one in forms if one.text("voucher_check_no") == check_number]
