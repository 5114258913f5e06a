"""The books against the vault: what stands there is read again and compared.

What was paid follows from the payments that we acted on, what was cleared and refunded
from our applications that the treasury closed. The vault, which is the truth, can tell
whether our books were changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import func, select

from counterfoil.bank.journal import Journal
from counterfoil.bank.kinds import APPLICATION, PAYMENTS, REFUND_APPLICATION, Office
from counterfoil.bank.settlements import unlike_books
from counterfoil.bank.tables import Entry, What
from counterfoil.business.money import to_yuan
from counterfoil.business.recomputing import differences, sent_to, vouchers_kept
from counterfoil.business.settlements import settled
from counterfoil.office import Desk, Reference, Standing

_ACTED: Final = (Standing.ACTED, Standing.RECEIPTED)
"""Where a payment stands in our vault once it was made."""
_CLEARED: Final = (Standing.CLOSED,)
"""Where an application stands whose receipt agrees."""
_COMPARED: Final = (What.PAID, What.CLEARED, What.REFUNDED)


def recompute(desk: Desk, journal: Journal, office: Office) -> Iterator[str]:
    """Yield where books and vault differ, in Chinese; nothing if they agree.

    Call it at rest: what is under way may be in the one and not yet in the other.

    Args:
        desk: The desk at our own gateway.
        journal: Our books.
        office: Who we are.

    Raises:
        OfficeError: The gateway refused, or cannot be reached.
    """
    ours = booked(journal)
    with journal.reading() as session:
        yield from unlike_books(session, ours)
        apart = settled(session)
    for one in differences(ours, in_vault(desk, office), but=apart):
        if one.kept is None:
            yield f"凭证{one.name}已记账，凭证库中未办结"
        elif one.booked is None:
            yield f"凭证{one.name}已办结，未记账"
        else:
            yield (
                f"凭证{one.name}记账{to_yuan(one.booked)}元，"
                f"凭证库为{to_yuan(one.kept)}元"
            )


def booked(journal: Journal) -> dict[bytes, int]:
    """Return what the books say that each voucher moved, in fen, by its digest."""
    with journal.reading() as session:
        sums = session.execute(
            select(Entry.digest, Entry.what, func.sum(Entry.amount_fen))
            .where(Entry.what.in_(_COMPARED))
            .group_by(Entry.digest, Entry.what)
        )
        # What is paid goes out of the payer's account: there it is negative.
        return {
            digest: -int(fen) if what is What.PAID else int(fen)
            for digest, what, fen in sums
        }


def in_vault(desk: Desk, office: Office) -> Iterator[tuple[Reference, int]]:
    """Yield the vouchers in the vault that were done, and what each moved, in fen."""
    for types, standings, recipient in (
        (PAYMENTS, _ACTED, office.party),
        ({APPLICATION, REFUND_APPLICATION}, _CLEARED, office.treasury.party),
    ):
        for reference, voucher in vouchers_kept(
            desk,
            types=types,
            standings=standings,
            wanted=sent_to(recipient),
        ):
            yield reference, voucher.form.fen("pay_amt_fen")
