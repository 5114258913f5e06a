"""What the bank writes down beside payments: entries, papers, refunds, quota.

Everything stands in one database with what came and what was issued
(`business.tables`), so that what is booked and why change in one transaction.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Enum,
    ForeignKey,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Declares the tables."""


class What(StrEnum):
    """What an entry in an account is."""

    PAID = "paid"
    """The core paid a voucher out of it."""
    CLEARED = "cleared"
    """The treasury paid it back to us (清算)."""
    CAME_BACK = "came-back"
    """A payee's bank gave it back, and the payer says that it is so."""
    REFUNDED = "refunded"
    """We paid it back to the treasury (退款清算)."""


class Entry(Base):
    """One change of a payer's account; what goes out is negative.

    The account of finance and of each unit is a zero-balance account (零余额账户): the
    bank pays first and the treasury clears, so that it stands at zero when everything
    was cleared.

    Source: Hubei measures, article 27 (2) to (5).
    """

    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("digest", "payment", "refund", "what"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    """Of the voucher that made it: the payment, the application, the confirmation."""
    payment: Mapped[bytes] = mapped_column(ForeignKey("payments.digest"), index=True)
    refund: Mapped[int] = mapped_column(default=0)
    """Number of the refund that it is about; 0 if of none."""
    what: Mapped[What] = mapped_column(
        Enum(What, native_enum=False, length=12, values_callable=list), index=True
    )
    account: Mapped[str] = mapped_column(String(42))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[str] = mapped_column(String(8), index=True)
    """In China, `yyyymmdd`."""
