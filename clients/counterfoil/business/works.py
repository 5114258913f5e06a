"""What a business system says about each kind of voucher; the boxes do the rest.

A system has one `Work` for every kind that it takes, and one `Issue` for every kind
that it issues. Both are called inside the transaction that notes what came of it: what
they decide on is what they change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy.orm import Session

from counterfoil.business.tables import InboxEntry, OutboxEntry
from counterfoil.office import Form, Receipt, Step, Voucher


class Work:
    """What is done about one kind of voucher that comes.

    Attributes:
        answers: Whether it is acted on and answered by a receipt; else it is only
            accepted and booked.
    """

    answers: bool = False

    def expect(self, session: Session, vouchers: Sequence[Voucher]) -> None:
        """Read together what is to be known of vouchers that are looked at next.

        Args:
            session: The transaction in which each will be decided on. What is read here
                is kept with it, and seen as it stands when it is decided.
            vouchers: Some of this kind.
        """
        del session, vouchers

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Return why it cannot be accepted, in Chinese; nothing if it can."""
        del session, entry, voucher
        return ()

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        """Tell whether it can be booked, or begun, now; else it waits.

        Asked of what is accepted. What was begun waits no more: `book` decides.
        """
        del session, entry
        return True

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        """Book it on `entry.day`; or return why it cannot be, in Chinese.

        What is returned undoes nothing: decide first, then change the books.
        """
        del session, entry, voucher
        return ()

    def take_back(self, session: Session, entry: InboxEntry, voucher: Voucher) -> bool:
        """Undo in the books what is only taken, if that can be; its issuer asks for it.

        Source: Hubei measures, article 32: what nobody has acted on goes back.

        Args:
            session: One transaction.
            entry: A voucher that was accepted and booked, of a kind that is not
                answered.
            voucher: What it says.

        Returns:
            Whether nothing of it is left in the books; else it stays.
        """
        del session, entry, voucher
        return False

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        """Return the receipt of what was booked; always the same for the same books.

        Raises:
            NotImplementedError: The kind is not answered.
        """
        raise NotImplementedError

    def copied(self, session: Session, voucher: Voucher, receipt: Receipt) -> None:
        """Book the copy of another's receipt that came to us (回单抄送).

        Args:
            session: One transaction; a copy that comes twice is booked once.
            voucher: The original, which we may never have held.
            receipt: What its recipient filled in.
        """
        del session, voucher, receipt


class Issue:
    """What follows on the answers to one kind of voucher that we issue."""

    def differences(self, voucher: Voucher, receipt: Receipt) -> Iterator[str]:
        """Yield where a receipt does not agree with its voucher, in Chinese.

        What is not stated is not compared: amount, number of rows, amount of the
        rows, result of a statement.

        Source: Hubei measures, article 26 (3), 27 (4) 4 and 27 (5) 5: both parties'
        systems compare amount and count.
        """
        yield from receipt_differences(voucher.form, receipt.form)

    def receipted(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, receipt: Receipt
    ) -> None:
        """Book a receipt; `entry.state` tells whether it agrees."""
        del session, entry, voucher, receipt

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        """Book that a voucher was rejected or returned, and why."""
        del session, entry, voucher, step


_AMOUNTS = ("pay_amt_fen", "plan_amt_fen", "all_amt_fen", "sum_amt_fen")


def receipt_differences(ours: Form, theirs: Form) -> Iterator[str]:
    """Yield where a receipt's form does not agree with the voucher's, in Chinese."""
    amount = next((ours.fen(name) for name in _AMOUNTS if name in ours.fields), 0)
    if "x_pay_amt_fen" in theirs.fields and theirs.fen("x_pay_amt_fen") != amount:
        yield "回单金额与凭证不符"
    paid = [row for row in theirs.rows if "x_pay_amt_fen" in row]
    if paid and len(theirs.rows) != len(ours.rows):
        yield "回单笔数与凭证不符"
    elif paid and sum(int(row["x_pay_amt_fen"]) for row in paid) != amount:
        yield "回单明细金额与凭证不符"
    if theirs.text("x_check_result") not in {"", "0"}:
        yield theirs.text("x_check_reason") or "对账结果不符"
