"""What banks apply for (申请划款): which payments of ours they are, and who named them.

Every function takes a session, so that a decision and what follows from it can be one
transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from counterfoil.business.codes import PaymentWay
from counterfoil.business.outbox import OPEN as UNDER_WAY
from counterfoil.business.planning import draft_of
from counterfoil.business.rows import put
from counterfoil.business.tables import OutboxEntry
from counterfoil.finance.books import OPEN, Order
from counterfoil.finance.clearing import Paid, Places
from counterfoil.finance.entries import Title
from counterfoil.finance.kinds import PAYMENT
from counterfoil.finance.tables import Claim, Posting, Receipted
from counterfoil.office import Voucher

CHUNK: Final = 500
"""Numbers that one query names; databases allow a few thousand."""


def known_payments(
    session: Session, application: Voucher, numbers: Collection[str], way: PaymentWay
) -> dict[str, Paid]:
    """Return what our books say of the payments that a bank applies for."""
    known: dict[str, Paid] = {}
    for some in _chunks(numbers):
        claimed = _claimed(session, application, some, way)
        known |= dict.fromkeys(claimed, Paid({}, is_claimed=True))
        if way is PaymentWay.AUTHORISED:
            continue
        paid = _paid(session, application, some - claimed)
        known |= {number: Paid(places) for number, places in paid.items()}
        awaited = _under_way(session, application, some - claimed - set(paid))
        known |= dict.fromkeys(awaited, Paid(None))
    return known


def claim(
    session: Session,
    digest: bytes,
    application: Voucher,
    numbers: Iterable[str],
    way: PaymentWay,
) -> None:
    """Write down that an application names these payments."""
    put(
        session,
        [
            Claim(
                digest=digest,
                bank=application.key.issuer,
                fiscal_year=application.key.fiscal_year,
                way=way.value,
                number=number,
            )
            for number in numbers
        ],
    )


def release_claims(session: Session, digest: bytes) -> None:
    """Let the payments of an application be applied for again."""
    session.execute(delete(Claim).where(Claim.digest == digest))


def _chunks(numbers: Collection[str]) -> Iterator[set[str]]:
    """Yield numbers by so many as one query may name."""
    ordered = list(numbers)
    for start in range(0, len(ordered), CHUNK):
        yield set(ordered[start : start + CHUNK])


def _claimed(
    session: Session, application: Voucher, numbers: set[str], way: PaymentWay
) -> set[str]:
    """Return the payments that an application has named before."""
    return set(
        session.scalars(
            select(Claim.number).where(
                Claim.bank == application.key.issuer,
                Claim.fiscal_year == application.key.fiscal_year,
                Claim.way == way.value,
                Claim.number.in_(numbers),
            )
        )
    )


def _paid(
    session: Session, application: Voucher, numbers: set[str]
) -> dict[str, Places]:
    """Return what the bank has receipted: by function and unit, of each payment.

    One whose receipt does not agree is in no ledger: nothing was paid as ordered.
    """
    receipts = session.execute(
        select(Receipted.digest, Receipted.number).where(
            Receipted.type_code == PAYMENT,
            Receipted.bank == application.key.issuer,
            Receipted.fiscal_year == application.key.fiscal_year,
            Receipted.agrees,
            Receipted.number.in_(numbers),
        )
    )
    by_digest = {one.digest: one.number for one in receipts}
    paid: dict[str, dict[tuple[str, str], int]] = {}
    for one in session.execute(
        select(Posting.digest, Posting.subject, Posting.unit, Posting.amount_fen).where(
            Posting.digest.in_(by_digest), Posting.title == Title.EXPENDITURE
        )
    ):
        places = paid.setdefault(by_digest[one.digest], {})
        places[one.subject, one.unit] = one.amount_fen
    return dict(paid)


def _under_way(session: Session, application: Voucher, numbers: set[str]) -> set[str]:
    """Return the orders of ours that this bank has not answered."""
    bank, year = application.key.issuer, application.key.fiscal_year
    issued = session.scalars(
        select(OutboxEntry).where(
            OutboxEntry.type_code == PAYMENT,
            OutboxEntry.fiscal_year == year,
            OutboxEntry.state.in_(UNDER_WAY),
            OutboxEntry.number.in_(numbers),
        )
    )
    from_folder = session.scalars(
        select(Order.number).where(
            Order.type_code == PAYMENT,
            Order.fiscal_year == year,
            Order.recipient == bank,
            Order.state.in_(OPEN),
            Order.number.in_(numbers),
        )
    )
    own = {entry.number for entry in issued if bank in draft_of(entry).recipients}
    return own | set(from_folder)
