"""The quota of a bank over a period, from our own books."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from counterfoil.treasury.accounts import QUOTA_COLUMNS, key_of
from counterfoil.treasury.books import Incoming, QuotaChange
from counterfoil.treasury.entries import QuotaKey
from counterfoil.treasury.kinds import QUOTAS


@dataclass(slots=True)
class Moved:
    """What became of a quota in a period; amounts in fen.

    Attributes:
        before: What was left at the end of the period before (上期额度余额).
        added: What notices added (本期新增清算额度).
        cleared: What was cleared, less what was refunded (本期已清算额度).
    """

    before: int = 0
    added: int = 0
    cleared: int = 0

    @property
    def left(self) -> int:
        """What is left at the end (本期额度余额)."""
        return self.before + self.added - self.cleared

    def figures(self) -> tuple[int, int, int, int]:
        """Return the four figures that a statement has, in its order."""
        return (self.before, self.added, self.cleared, self.left)


def moved(
    session: Session, bank_numbers: list[str], fiscal_year: int, period: tuple[str, str]
) -> dict[QuotaKey, Moved]:
    """Return what became of every quota of some bank numbers in a period.

    Args:
        session: The books.
        bank_numbers: Of one bank.
        fiscal_year: Quota of one year clears nothing of another.
        period: First and last day, `yyyymmdd`.
    """
    first, last = period
    found: dict[QuotaKey, Moved] = {}
    for row in session.execute(
        select(
            *QUOTA_COLUMNS,
            Incoming.type_code,
            (Incoming.day < first).label("before"),
            func.sum(QuotaChange.amount_fen).label("fen"),
        )
        .join(Incoming, Incoming.digest == QuotaChange.digest)
        .where(QuotaChange.bank_no.in_(bank_numbers))
        .where(QuotaChange.fiscal_year == fiscal_year)
        .where(Incoming.day <= last)
        .group_by(*QUOTA_COLUMNS, Incoming.type_code, Incoming.day < first)
    ):
        one = found.setdefault(key_of(row), Moved())
        if row.before:
            one.before += int(row.fen)
        elif row.type_code in QUOTAS:
            one.added += int(row.fen)
        else:
            one.cleared -= int(row.fen)
    return found
