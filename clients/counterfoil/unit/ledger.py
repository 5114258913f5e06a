"""Statements (对账单) that came, against the ledger: what is read and written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.business.inbox import voucher_of
from counterfoil.business.outcomes import REASON_MAX
from counterfoil.business.tables import InboxEntry, InboxState
from counterfoil.office import Voucher
from counterfoil.unit.kinds import STATEMENT
from counterfoil.unit.statements import Found, Own, Row, compare
from counterfoil.unit.tables import Check, Difference, Posting, Refund, Request

_GIVEN_BACK: Final = (InboxState.UNFIT, InboxState.REJECTED, InboxState.VOID)
"""A pack that was rejected or withdrawn is none of the statement's."""
_PACKS: Final = "packs of statements"
"""Under which a session remembers which packs have come."""
_READ_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, order=True)
class _Pack:
    """A pack of a statement that has come.

    Attributes:
        place: Its place among the packs (子包序号).
        digest: Its voucher's.
    """

    place: int
    digest: bytes


def is_whole(session: Session, entry: InboxEntry) -> bool:
    """Tell whether all packs of a statement are here (子包总数), or were compared."""
    if session.get(Check, entry.digest) is not None:
        return True
    pack = voucher_of(entry)
    return len(_packs(session, pack)) >= pack.form.fen("child_pack_num")


def check(session: Session, entry: InboxEntry, pack: Voucher) -> None:
    """Compare a statement, once, and write down what is found in each of its packs.

    What the statement lacks as a whole is told with its last pack.

    Source: Hubei measures, article 29 (4).
    """
    if session.get(Check, entry.digest) is not None:
        return  # it was compared with another of its packs
    form, bank = pack.form, entry.issuer
    rows: list[Row] = []
    names: dict[str, str] = {}
    starts: dict[_Pack, int] = {}
    for one in _packs(session, pack):
        starts[one] = len(rows)
        some = [_row(row) for row in _read(session, one).form.rows]
        names |= _names(session, bank, {row.number for row in some})
        rows += some
    period = (form.text("begin_date"), form.text("end_date"))
    found = compare(rows, _own(session, bank, period), names)
    for one, start in starts.items():
        if session.get(Check, one.digest) is None:
            session.add(_found_in(_read(session, one), one, found, start))


def _found_in(pack: Voucher, one: _Pack, found: Found, start: int) -> Check:
    """Return what was found in a pack whose first row is the statement's `start`th."""
    form = pack.form
    is_last = one.place >= form.fen("child_pack_num")
    missing = found.missing if is_last else ()
    return Check(
        digest=one.digest,
        bank=pack.key.issuer,
        check_no=form.text("voucher_check_no"),
        month=form.text("end_date")[:6],
        missing=len(missing),
        reason=f"对账单缺少凭证{'、'.join(missing)}"[:REASON_MAX] if missing else "",
        differences=[
            Difference(row_id=str(row["id"]), reason=found.differing[index])
            for index, row in enumerate(form.rows, start=start)
            if index in found.differing
        ],
    )


def _row(row: Mapping[str, object]) -> Row:
    return Row(
        number=str(row["voucher_no"]),
        amount_fen=int(str(row["pay_amt_fen"])),
        day=str(row["pay_date"]),
    )


def _read(session: Session, pack: _Pack) -> Voucher:
    return voucher_of(session.get_one(InboxEntry, pack.digest))


def _packs(session: Session, pack: Voucher) -> list[_Pack]:
    """Return the packs of a statement that have come, in their order.

    All that wait are read together, once in a session: what comes meanwhile is written
    down in another one.
    """
    key = pack.key
    known = session.info.setdefault(_PACKS, {})
    if (key.issuer, key.adm_div) not in known:
        by_number: dict[str, list[_Pack]] = {}
        for entry in session.scalars(
            select(InboxEntry)
            .where(
                InboxEntry.type_code == STATEMENT,
                InboxEntry.issuer == key.issuer,
                InboxEntry.adm_div == key.adm_div,
                InboxEntry.state.not_in(_GIVEN_BACK),
            )
            .execution_options(yield_per=_READ_AT_ONCE)
        ):
            form = voucher_of(entry).form
            by_number.setdefault(form.text("voucher_check_no"), []).append(
                _Pack(form.fen("cur_pack_no"), entry.digest)
            )
        known[key.issuer, key.adm_div] = by_number
    found: list[_Pack] = known[key.issuer, key.adm_div].get(
        pack.form.text("voucher_check_no"), []
    )
    return sorted(found)


def _own(session: Session, bank: str, period: tuple[str, str]) -> dict[str, Own]:
    """Return what a bank has paid for us in a period, by number of the payment."""
    begin, end = period
    own: dict[str, Own] = {}
    for number, way, day, fen in session.execute(
        select(Posting.paid_by, Posting.way, Posting.day, func.sum(Posting.amount_fen))
        .where(Posting.bank == bank, Posting.day >= begin, Posting.day <= end)
        .group_by(Posting.paid_by, Posting.way, Posting.day)
        .order_by(func.min(Posting.id))
        .execution_options(yield_per=_READ_AT_ONCE)
    ):
        before = own.get(number)
        own[number] = Own(
            way=before.way if before else way,
            amount_fen=int(fen) + (before.amount_fen if before else 0),
            days=(before.days if before else frozenset()) | {day},
        )
    return own


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
