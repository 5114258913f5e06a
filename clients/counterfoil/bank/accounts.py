"""What the books say: what was paid, cleared and refunded, and what accounts hold.

Every function takes a session, so that a decision and what follows from it can be one
transaction.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.bank.journal import Payment
from counterfoil.bank.kinds import SPECIAL_PAYMENT
from counterfoil.bank.tables import Entry, What


@dataclass(slots=True, kw_only=True)
class Totals:
    """What was done with vouchers; amounts in fen, none is negative.

    What was paid out of special accounts (专户) stands apart: the treasury does not
    clear it.
    """

    paid: int = 0
    paid_fen: int = 0
    cleared: int = 0
    cleared_fen: int = 0
    refunded: int = 0
    refunded_fen: int = 0
    special: int = 0
    special_fen: int = 0

    def add(self, what: str, count: int, fen: int) -> None:
        """Add to what the names `what` and `what_fen` count."""
        setattr(self, what, getattr(self, what) + count)
        setattr(self, f"{what}_fen", getattr(self, f"{what}_fen") + fen)

    def __add__(self, other: Totals) -> Totals:
        """Return both together."""
        mine, theirs = asdict(self), asdict(other)
        return Totals(**{name: mine[name] + theirs[name] for name in mine})


_COUNTED = {What.PAID: "paid", What.CLEARED: "cleared", What.REFUNDED: "refunded"}


def totals(session: Session) -> dict[str, Totals]:
    """Return what was done with the vouchers of each issuer."""
    sums = session.execute(
        select(
            Payment.issuer,
            Payment.type_code,
            Entry.what,
            func.count(Entry.id),
            func.sum(Entry.amount_fen),
        )
        .join(Payment, Payment.digest == Entry.payment)
        .where(Entry.what.in_(_COUNTED))
        .group_by(Payment.issuer, Payment.type_code, Entry.what)
    )
    found: dict[str, Totals] = {}
    for issuer, type_code, what, count, fen in sums:
        name = "special" if type_code == SPECIAL_PAYMENT else _COUNTED[what]
        found.setdefault(issuer, Totals()).add(name, count, abs(int(fen)))
    return dict(sorted(found.items()))


def balance_fen(session: Session, account: str) -> int:
    """Return what a payer's account holds; below zero what is not cleared yet."""
    held = select(func.sum(Entry.amount_fen)).where(Entry.account == account)
    return int(session.scalar(held) or 0)
