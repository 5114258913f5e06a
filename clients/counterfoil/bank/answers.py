"""What others state is held against our own books, and answered (对账)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from counterfoil.bank import periods
from counterfoil.bank.applications import counted
from counterfoil.bank.heads import Fields, voucher_of
from counterfoil.bank.kinds import (
    AUTHORISED_QUOTA,
    CHECK_REPLY,
    Office,
)
from counterfoil.bank.statements import month_end
from counterfoil.bank.tables import Difference, QuotaChange
from counterfoil.business.codes import PaymentWay, way_of
from counterfoil.business.days import written
from counterfoil.business.inbox import voucher_of as voucher_in
from counterfoil.business.money import to_yuan
from counterfoil.business.outbox import plan
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.business.works import Work
from counterfoil.office import Form, Receipt, Voucher, VoucherKey

AGREES, DIFFERS = "0", "1"
"""对账结果."""
NORMAL, RETURNED = "0", "1"
"""凭证状态 in a daily check."""
_REASON_MAX: Final = 500
"""Characters of all reasons: 1024 bytes in GBK."""
_NOT_TAKEN: Final = (InboxState.REJECTED, InboxState.RETURNED, InboxState.VOID)

Found = tuple[str, str]
"""Id of a row, empty if of none, and why it does not agree."""


class Statement(Work):
    """A statement that is compared once and answered by its result.

    Source: Hubei measures, article 29 (2) and (3).
    """

    answers = True

    def __init__(self, office: Office) -> None:
        self.office = office

    def differences(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[Found]:
        """Return where it does not agree with our books."""
        raise NotImplementedError

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Note where it differs: the answer says so, whatever is booked later."""
        session.add_all(
            Difference(digest=entry.digest, row_id=row_id, reason=reason)
            for row_id, reason in self.differences(session, entry, voucher)
        )
        return ()

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return the result, how many differ, and why."""
        del voucher
        found = session.scalars(
            select(Difference).filter_by(digest=entry.digest).order_by(Difference.id)
        ).all()
        return Receipt(
            voucher=entry.reference, by=self.office.party, form=_result(found)
        )


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
        for row in form.rows:
            reason = _row_differs(
                periods.booked(
                    session, int(row["e_voucher_type"]), str(row["voucher_no"])
                ),
                int(row["pay_amt_fen"]),
                str(row["pay_date"]),
            )
            if reason:
                yield str(row["id"]), f"凭证{row['voucher_no']}{reason}"
        if not _is_last(form):
            return
        packets = _packets(session, entry, form.text("voucher_check_no"))
        stated = {str(row["voucher_no"]) for one in packets for row in one.rows}
        for ours in periods.paid_of(
            session,
            form.text("acct_no"),
            form.text("begin_date"),
            form.text("end_date"),
        ):
            if ours.number not in stated:
                yield "", f"缺少凭证{ours.number}{to_yuan(ours.amount_fen)}元"


class TreasuryStatement(Statement):
    """The treasury's statement of what it cleared with us in a month (4005).

    Source: Hubei measures, article 29 (3).
    """

    def differences(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterator[Found]:
        """Yield where number or amount of a kind and way is another with us."""
        del entry
        month = voucher.form.text("check_date")[:6]
        ours = periods.answered(session, f"{month}01", written(month_end(month)))
        for row in voucher.form.rows:
            kind = int(row["e_voucher_type"])
            way = way_of(str(row.get("pay_type_code", "")))
            count = _taken(ours, kind, way)
            theirs = periods.Count(int(row["all_num"]), int(row["all_amt_fen"]))
            if count != theirs:
                name = row.get("e_voucher_type_name") or f"凭证{kind}"
                yield "", f"{name}{way.chinese if way else ''}{_other(theirs, count)}"
        for (kind, way), count in ours.items():
            yield "", f"缺少凭证{kind}{way.chinese}{_said(count)}"


class Check(Work):
    """The treasury's daily check of one kind of our vouchers (3502).

    It is answered by our own view of the day (2502), which it compares.

    Source: Hubei measures, article 21.
    """

    def __init__(self, office: Office) -> None:
        self.office = office

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Plan the reply: what was answered on the day, and what was given back."""
        form = voucher.form
        kind, day = int(form.text("e_voucher_type")), form.text("check_date")
        rows = [
            _seen(one, state)
            for state, found in (
                (NORMAL, periods.answered_on(session, kind, day)),
                (RETURNED, periods.returned_of(session, kind, day)),
            )
            for one in found
        ]
        fields: Fields = {
            "tre_code": self.office.treasury.code,
            "pay_bank_code": self.office.code,
            "check_date": day,
            "e_voucher_type": form.text("e_voucher_type"),
            "all_num": len(rows),
            "all_amt_fen": sum(int(row["amt_fen"]) for row in rows),
            "hold1": voucher.key.number,
        }
        key = VoucherKey(
            issuer=self.office.party,
            adm_div=voucher.key.adm_div,
            fiscal_year=voucher.key.fiscal_year,
            type_code=CHECK_REPLY,
            number=f"HZ{entry.digest.hex()[:16].upper()}",
        )
        reply = voucher_of(
            key, (self.office.treasury.party,), entry.day, fields, counted(rows)
        )
        plan(session, reply, entry.day, cause=entry.digest)
        return ()


class QuotaNotice(Work):
    """A notice of clearing quota that finance sent to us too (5106, 5108).

    It is the treasury that keeps quota and answers. A notice that replaces another
    takes its place.

    Source: Hubei measures, article 27 (1).
    """

    def __init__(self, office: Office) -> None:
        self.office = office

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Write down what it adds to our quota, or takes; another bank's is none."""
        if voucher.replaces:
            session.execute(
                delete(QuotaChange).where(QuotaChange.digest == voucher.replaces)
            )
        if voucher.form.text("pay_bank_no") != self.office.number:
            return ()
        authorised = entry.type_code == AUTHORISED_QUOTA
        way = PaymentWay.AUTHORISED if authorised else PaymentWay.DIRECT
        for row in map(Form, voucher.form.rows):
            session.add(
                QuotaChange(
                    digest=entry.digest,
                    adm_div=entry.adm_div,
                    fiscal_year=entry.fiscal_year,
                    way=way.value,
                    fund=voucher.form.text("fund_type_code"),
                    unit=row.text("sup_dep_code"),
                    unit_name=row.text("sup_dep_name"),
                    function=row.text("exp_func_code"),
                    function_name=row.text("exp_func_name"),
                    amount_fen=row.fen("plan_amt_fen" if authorised else "pay_amt_fen"),
                    day=entry.day,
                )
            )
        return ()


def _result(found: Sequence[Difference]) -> Form:
    """Return what is filled into a statement."""
    if not found:
        return Form({"x_check_result": AGREES})
    fields: Fields = {
        "x_check_result": DIFFERS,
        "x_diff_num": len(found),
        "x_check_reason": "；".join(one.reason for one in found)[:_REASON_MAX],
    }
    rows = [
        {
            "id": one.row_id,
            "x_check_result": DIFFERS,
            "x_check_reason": one.reason,
        }
        for one in found
        if one.row_id
    ]
    return Form(fields, tuple(rows))


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


def _taken(
    ours: dict[tuple[int, PaymentWay], periods.Count],
    kind: int,
    way: PaymentWay | None,
) -> periods.Count:
    """Take out what a row is about: a row without a way is about both."""
    both = [
        ours.pop((kind, one), periods.Count())
        for one in PaymentWay
        if way in {None, one}
    ]
    return periods.Count(
        sum(one.number for one in both), sum(one.amount_fen for one in both)
    )


def _other(theirs: periods.Count, ours: periods.Count) -> str:
    return f"对方{_said(theirs)}，我方{_said(ours)}"


def _said(count: periods.Count) -> str:
    return f"{count.number}笔{to_yuan(count.amount_fen)}元"


def _seen(one: periods.Booked, state: str) -> Fields:
    return {"voucher_no": one.number, "amt_fen": one.amount_fen, "pro_state": state}


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
