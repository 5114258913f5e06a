"""Statements (对账单) that came, against the ledger: what is read and written down."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.inbox import voucher_of
from counterfoil.business.outcomes import REASON_MAX
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.office import Voucher
from counterfoil.unit.kinds import STATEMENT
from counterfoil.unit.statements import Own, Row, compare
from counterfoil.unit.tables import Check, Difference, Posting, Refund, Request

_GIVEN_BACK: Final = (InboxState.UNFIT, InboxState.REJECTED, InboxState.VOID)
"""A pack that was rejected or withdrawn is none of the statement's."""


def is_whole(session: Session, pack: Voucher) -> bool:
    """Tell whether all packs of a statement have come (子包总数)."""
    return len(_packs(session, pack)) >= pack.form.fen("child_pack_num")


def check(session: Session, entry: InboxEntry, pack: Voucher) -> Check:
    """Compare a statement, and write down what is found in one of its packs.

    What the statement lacks as a whole is told with its last pack.

    Source: Hubei measures, article 29 (4).
    """
    form = pack.form
    packs = _packs(session, pack)
    rows = [row for one in packs for row in one.form.rows]
    place = 0
    for one in packs:
        if one.key == pack.key:
            break
        place += len(one.form.rows)
    stated = [
        Row(
            number=str(row["voucher_no"]),
            amount_fen=int(row["pay_amt_fen"]),
            day=str(row["pay_date"]),
        )
        for row in rows
    ]
    period = (form.text("begin_date"), form.text("end_date"))
    bank = entry.issuer
    found = compare(
        stated,
        _own(session, bank, period),
        _names(session, bank, {row.number for row in stated}),
    )
    is_last = form.fen("cur_pack_no") >= form.fen("child_pack_num")
    missing = found.missing if is_last else ()
    made = Check(
        digest=entry.digest,
        bank=bank,
        check_no=form.text("voucher_check_no"),
        month=form.text("end_date")[:6],
        missing=len(missing),
        reason=f"对账单缺少凭证{'、'.join(missing)}"[:REASON_MAX] if missing else "",
        differences=[
            Difference(row_id=str(row["id"]), reason=found.differing[index])
            for index, row in enumerate(form.rows, start=place)
            if index in found.differing
        ],
    )
    session.add(made)
    return made


def _packs(session: Session, pack: Voucher) -> list[Voucher]:
    """Return the packs of a statement that have come, in their order."""
    entries = session.scalars(
        select(InboxEntry).where(
            InboxEntry.type_code == STATEMENT,
            InboxEntry.issuer == pack.key.issuer,
            InboxEntry.adm_div == pack.key.adm_div,
            InboxEntry.state.not_in(_GIVEN_BACK),
        )
    )
    same = pack.form.text("voucher_check_no")
    packs = [
        one
        for one in map(voucher_of, entries)
        if one.form.text("voucher_check_no") == same
    ]
    return sorted(packs, key=_place)


def _place(pack: Voucher) -> int:
    return pack.form.fen("cur_pack_no")


def _own(session: Session, bank: str, period: tuple[str, str]) -> dict[str, Own]:
    """Return what a bank has paid for us in a period, by number of the payment."""
    begin, end = period
    postings: dict[str, list[Posting]] = {}
    for one in session.scalars(
        select(Posting)
        .where(Posting.bank == bank, Posting.day >= begin, Posting.day <= end)
        .order_by(Posting.id)
    ):
        postings.setdefault(one.paid_by, []).append(one)
    return {
        number: Own(
            way=some[0].way,
            amount_fen=sum(one.amount_fen for one in some),
            days=frozenset(one.day for one in some),
        )
        for number, some in postings.items()
    }


def _names(session: Session, bank: str, numbers: Collection[str]) -> dict[str, str]:
    """Return which payments are meant by numbers of notices about them."""
    notices = session.execute(
        select(Posting.notice, Posting.paid_by).where(
            Posting.bank == bank, Posting.notice.in_(numbers)
        )
    )
    refunds = session.execute(
        select(Refund.number, Request.number)
        .join(Request, Request.id == Refund.request_id)
        .where(Refund.number.in_(numbers))
    )
    return {**_pairs(notices.all()), **_pairs(refunds.all())}


def _pairs(rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    return dict(rows)
