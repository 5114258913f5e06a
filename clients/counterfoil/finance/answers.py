"""The way back: receipts, steps and notices, booked and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, undefer

from counterfoil.business.outcomes import Tell
from counterfoil.business.prepared import Prepared
from counterfoil.business.rows import apart, put, store
from counterfoil.finance.books import Books, NoticeEntry, Order, ReceiptEntry, State
from counterfoil.finance.flows import must_be_done
from counterfoil.office import (
    Arrival,
    Desk,
    DocumentKind,
    Receipt,
    Step,
    Voucher,
    opened,
    opened_payload,
)

Receipted = Callable[[Session, Voucher, Receipt, str], None]
"""Is told of an order's receipt, and where the two differ, in Chinese."""
_ENTRY_NOTICE: Final = 2205

_RECEIPT: Final = Prepared(
    select(ReceiptEntry.digest).where(ReceiptEntry.digest == bindparam("digest"))
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """Reads what comes back, and books it.

    Attributes:
        system: The desk of the business system.
        books: Our books.
        reissue: Issues a returned voucher again.
        tell: Is told how far we are.
        receipted: Is told of every receipt, in the transaction that books it.
    """

    system: Desk
    books: Books
    reissue: Callable[[Order], None]
    tell: Tell
    receipted: Receipted

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Return what answers orders of the folder, and what are entry notices."""
        ordered = self.books.orders_among(one.voucher.digest for one in arrivals)
        return [
            one
            for one in arrivals
            if one.voucher.key.type_code == _ENTRY_NOTICE
            or one.voucher.digest in ordered
        ]

    def work(self) -> None:
        """Do nothing: all is done when it is taken."""

    def is_at_rest(self) -> bool:
        """Tell that nothing is left to do before something else comes."""
        return True

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Book a batch, then take it off the list of what waits.

        Booking twice changes nothing, so a crash in between costs nothing.
        """
        counted: Counter[str] = Counter()
        others: list[Arrival] = []
        returned: list[bytes] = []
        with self.books.writing() as session:
            orders = _orders(session, arrivals)
            apart(session, orders.values())
            for arrival in arrivals:
                match opened(arrival.sealed):
                    case Receipt() as receipt:
                        order = orders[receipt.voucher.digest]
                        what = self._book_receipt(session, arrival, receipt, order)
                        counted[what] += 1
                    case Step() as step if step.voucher.digest not in orders:
                        pass  # about a notice: it is booked, and stays so
                    case Step() as step:
                        counted[_book_step(orders[step.voucher.digest], step)] += 1
                        if step.kind is DocumentKind.RETURN:
                            returned.append(step.voucher.digest)
                    case Voucher() as voucher:
                        _book_notice(session, arrival, voucher)
                        counted["noticed"] += 1
                        others.append(arrival)
            store(session, orders.values())
        for digest in returned:
            self._reissue_once(digest)
        for outcome in self.system.accept(one.voucher for one in others):
            must_be_done(outcome)
        self.system.acknowledge(one for one in arrivals if one not in others)
        for what, count in counted.items():
            self.tell(what, count)

    def _book_receipt(
        self, session: Session, arrival: Arrival, receipt: Receipt, order: Order
    ) -> str:
        """Compare a receipt with its order; return what it shows (核对)."""
        paid_fen = receipt.form.fen("x_pay_amt_fen")
        rows_fen = sum(int(row.get("x_pay_amt_fen", 0)) for row in receipt.form.rows)
        agrees = (paid_fen, rows_fen, len(receipt.form.rows)) == (
            order.amount_fen,
            order.amount_fen,
            order.count,
        )
        voucher = opened_payload(order.payload)
        self.receipted(session, voucher, receipt, "" if agrees else "回单与凭证不符")
        if _RECEIPT.scalar(session, {"digest": arrival.digest}) is None:
            entry = ReceiptEntry(
                digest=arrival.digest,
                order=order.digest,
                amount_fen=paid_fen,
                count=len(receipt.form.rows),
                agrees=agrees,
            )
            put(session, [entry])
        order.state = State.PAID if agrees else State.DIFFERS
        order.accepted = True
        return "paid" if agrees else "differs"

    def _reissue_once(self, digest: bytes) -> None:
        returned = self.books.order(digest)
        if returned is None:
            return
        newest = self.books.newest(returned.file)
        assert newest is not None, "it has at least the issue that came back"
        if newest.issue == returned.issue or newest.state == State.WRITTEN:
            self.reissue(returned)


_STATE_AFTER: Final = {
    DocumentKind.ACCEPTANCE: State.ACCEPTED,
    DocumentKind.REJECTION: State.REJECTED,
    DocumentKind.RETURN: State.RETURNED,
}
"""Where a step of the recipient leads; others change nothing in our books."""


def _orders(session: Session, arrivals: Sequence[Arrival]) -> dict[bytes, Order]:
    """Return the orders that arrivals are about, with what they say, by digest."""
    digests = [one.voucher.digest for one in arrivals]
    wanted = select(Order).where(Order.digest.in_(digests))
    found = session.scalars(wanted.options(undefer(Order.payload)))
    return {one.digest: one for one in found}


def _book_step(order: Order, step: Step) -> str:
    """Book a step of the recipient; a late one never leads back."""
    state = _STATE_AFTER.get(step.kind)
    if step.kind is DocumentKind.ACCEPTANCE:
        order.accepted = True
        if order.state not in {State.WRITTEN, State.SENT}:
            return "accepted"
    if state is not None:
        order.state = state
        order.note = step.explanation
    return state.value if state is not None else "told"


def _book_notice(session: Session, arrival: Arrival, voucher: Voucher) -> None:
    """Book a voucher that came to us: an entry notice (入账通知书)."""
    session.merge(
        NoticeEntry(
            digest=arrival.digest,
            issuer=voucher.key.issuer,
            type_code=voucher.key.type_code,
            number=voucher.key.number,
            about=voucher.form.text("ori_voucher_no"),
            amount_fen=voucher.form.fen("pay_amt_fen"),
        )
    )
