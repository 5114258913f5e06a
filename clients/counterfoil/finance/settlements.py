"""A receipt that does not agree, after people have agreed what holds (协商解决).

What was really done goes into the ledger, and the voucher out of the way of its day's
list: a list names receipts that agree, so one that was settled is on none, with the
treasury as with us. Whoever was wrong then issues a correcting voucher, which is one of
its own: what is left to pay is ordered anew, what was paid too much comes as a refund.

Source: Hubei measures, articles 26 (3), 27 (4) 4 and 34.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from counterfoil.business import settlements
from counterfoil.business.books import SqlBooks
from counterfoil.business.issued import by_digest
from counterfoil.business.tables import Holds, OutboxEntry, OutboxState
from counterfoil.finance import accounts, allotments, checks, claims, clearing
from counterfoil.finance.entries import Entry, entry_of
from counterfoil.finance.issues import give_back
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    CLEARING_ORDER,
    PAYMENT,
    REFUND,
    Office,
)
from counterfoil.finance.refunds import given_back
from counterfoil.finance.tables import APART, Finding, Receipted
from counterfoil.office import Desk, Form, Receipt, Voucher, enclosed, opened

STATEMENTS: Final = (AGENCY_STATEMENT,)
"""Statements of ours: when one is settled, nothing is booked."""


_STATED: Final = select(OutboxEntry.digest).where(
    OutboxEntry.type_code.in_(STATEMENTS), OutboxEntry.state == OutboxState.SETTLED
)


class Papers(NamedTuple):
    """A voucher and its receipt."""

    voucher: Voucher
    receipt: Receipt


def differing(session: Session, number: str) -> Receipted:
    """Return the voucher of a number whose receipt does not agree.

    Raises:
        ValueError: There is none, or more than one.
    """
    found = session.scalars(
        select(Receipted).where(
            Receipted.number == number,
            Receipted.agrees.is_(False),
            Receipted.listed_in == "",
        )
    ).all()
    if len(found) != 1:
        many = "不唯一" if found else "没有回单不符待处理的"
        msg = f"{many}凭证{number}"
        raise ValueError(msg)
    return found[0]


def papers_of(desk: Desk, digest: bytes) -> Papers:
    """Return a voucher and its receipt, as the vault has them.

    Raises:
        OfficeError: The gateway refused, or cannot be reached.
        ValueError: The vault lacks one of them.
    """
    voucher: Voucher | None = None
    receipt: Receipt | None = None
    for document in desk.inquire(digest).documents:
        match opened(document):
            case Voucher() as found:
                voucher = found
            case Receipt() as found_receipt:
                receipt = found_receipt
                voucher = voucher or enclosed(document)
            case _:
                pass  # a step: it says nothing of amounts
    if voucher is None or receipt is None:
        msg = f"凭证库中没有{digest.hex()[:16]}的凭证或回单"
        raise ValueError(msg)
    return Papers(voucher, receipt)


def done(papers: Papers, holds: Holds) -> Voucher | None:
    """Return the voucher as it was done; None if nothing was.

    Raises:
        ValueError: The receipt does not tell what was done of each row.
    """
    if holds is Holds.NOTHING:
        return None
    return papers.voucher if holds is Holds.VOUCHER else _as_receipted(papers)


def settle(
    session: Session, office: Office, one: Receipted, papers: Papers, holds: Holds
) -> None:
    """Book what holds, and take the voucher out of the way of its list.

    Args:
        session: The transaction in which the second person agreed.
        office: Who we are.
        one: The voucher in the register of receipts.
        papers: What it says, and what its receipt says.
        holds: What was agreed.

    Raises:
        ValueError: The receipt does not tell what was done of each row.
    """
    was, entry = done(papers, holds), by_digest(session, one.digest)
    if was is not None:
        one.agrees, one.amount_fen = True, was.form.fen("pay_amt_fen")
        accounts.post(session, one.digest, was, one.day)
    one.listed_in = APART
    _use(session, office, one, entry, was)
    session.execute(delete(Finding).where(Finding.digest == one.digest))
    if entry is not None:
        entry.state = OutboxState.SETTLED


def unlike_vault(
    desk: Desk, books: SqlBooks, posted: Mapping[bytes, Entry]
) -> Iterator[str]:
    """Yield where the ledger has what was settled otherwise than it holds, in Chinese.

    Args:
        desk: The desk at our own gateway.
        books: Our books.
        posted: What the ledger says that each voucher changed, by its digest.

    Raises:
        OfficeError: The gateway refused, or cannot be reached.
    """
    with books.reading() as session:
        yield from settlements.unsound(session)
        found = settlements.settled(session)
        for digest in session.scalars(_STATED):
            found.pop(digest, None)
    for digest, holds in sorted(found.items()):
        papers = papers_of(desk, digest)
        was = done(papers, holds)
        if posted.get(digest, {}) != (entry_of(was) if was is not None else {}):
            yield f"凭证{papers.voucher.key}记账与协商处理的结果不符"


def _as_receipted(papers: Papers) -> Voucher:
    """Return the voucher with the amounts that its receipt states, row by row."""
    form, theirs = papers.voucher.form, papers.receipt.form
    paid = {
        str(row.get("id", "")): int(row["x_pay_amt_fen"])
        for row in theirs.rows
        if "x_pay_amt_fen" in row
    }
    ids = [str(row.get("id", "")) for row in form.rows]
    if not paid and len(ids) == 1 and "x_pay_amt_fen" in theirs.fields:
        paid = {ids[0]: theirs.fen("x_pay_amt_fen")}
    if sorted(paid) != sorted(ids):
        msg = f"回单未逐笔列明凭证{papers.voucher.key.number}的办理金额"
        raise ValueError(msg)
    rows = tuple(
        {**row, "pay_amt_fen": paid[one]}
        for one, row in zip(ids, form.rows, strict=True)
    )
    fields = {**form.fields, "pay_amt_fen": sum(paid.values())}
    return replace(papers.voucher, form=Form(fields, rows))


def _use(
    session: Session,
    office: Office,
    one: Receipted,
    entry: OutboxEntry | None,
    was: Voucher | None,
) -> None:
    """Let allotments and claims stand as what was done wants them."""
    if one.type_code == REFUND and was is not None:
        allotments.use(session, one.digest, given_back(session, was))
    if entry is None or one.type_code not in {PAYMENT, CLEARING_ORDER}:
        return
    allotments.release(session, entry.cause)
    if was is None:
        claims.release_claims(session, entry.cause)
        if one.type_code == PAYMENT:
            give_back(session, entry, "经协商确认未支付")
    elif one.type_code == PAYMENT:
        allotments.use(session, entry.cause, checks.needs(was, office))
    else:
        used = clearing.needs(was, clearing.way_in(was))
        allotments.use(session, entry.cause, used)
