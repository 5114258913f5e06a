"""What the bank writes down beside payments: entries, papers, refunds, quota.

Everything stands in one database with what came and what was issued
(`business.tables`), so that what is booked and why change in one transaction.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

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


class Paper(Base):
    """A paper voucher that was handed in at a counter (银行柜面)."""

    __tablename__ = "papers"
    __table_args__ = (UniqueConstraint("number", "check_code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(42), index=True)
    check_code: Mapped[str] = mapped_column(String(8))
    day: Mapped[str] = mapped_column(String(8))
    """Day on which it was handed in, in China, `yyyymmdd`."""
    payment: Mapped[bytes | None] = mapped_column(LargeBinary(32), default=None)
    """Digest of the electronic voucher that it met; None while it waits."""
    refused: Mapped[bool] = mapped_column(default=False)
    """Whether its voucher came and had another check code."""


_PREFIX: Final = "TK"
"""Numbers of refunds begin so."""


class RefundState(StrEnum):
    """Where money that came back stands (退款).

    MATCHED ─▶ CONFIRMED ─▶ APPLIED ─▶ REFUNDED
      │ ▲                    │ ▲
      ▼ │                    ▼ │
    UNMATCHED                HELD
    """

    MATCHED = "matched"
    """The payer was asked whether it is its own."""
    UNMATCHED = "unmatched"
    """It is not that payer's: it may be matched again."""
    CONFIRMED = "confirmed"
    """It goes back to the treasury, once the payment itself was cleared."""
    APPLIED = "applied"
    """Our living refund application names it."""
    HELD = "held"
    """The treasury returned our application: it is named again by the next."""
    REFUNDED = "refunded"


class Refund(Base):
    """Money that a payee's bank gave back: all or a part of one paid row."""

    __tablename__ = "refunds"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment: Mapped[bytes] = mapped_column(ForeignKey("payments.digest"), index=True)
    row_id: Mapped[str] = mapped_column(String(38))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    """What came back, greater than zero."""
    reason: Mapped[str] = mapped_column(String(85))
    came: Mapped[str] = mapped_column(String(8))
    """Day on which it came, in China, `yyyymmdd`."""
    state: Mapped[RefundState] = mapped_column(
        Enum(RefundState, native_enum=False, length=12, values_callable=list),
        index=True,
    )
    asked: Mapped[int] = mapped_column(default=0)
    """How often a payer was asked."""
    confirmation: Mapped[int] = mapped_column(index=True, default=0)
    """Our last question to a payer (an outbox entry)."""
    application: Mapped[int | None] = mapped_column(index=True, default=None)
    """Our living refund application that names it (an outbox entry)."""
    refunded: Mapped[str] = mapped_column(String(8), default="")
    """Day on which the treasury had it back, `yyyymmdd`."""
    note: Mapped[str] = mapped_column(String(300), default="")

    @property
    def number(self) -> str:
        """By which we, and the notices, name it."""
        return f"{_PREFIX}{self.id:08}"


def id_in(number: str) -> int:
    """Return which refund a number names; 0 if it is no number of ours."""
    digits = number.removeprefix(_PREFIX)
    return int(digits) if number != digits and digits.isdecimal() else 0


class QuotaChange(Base):
    """One row of a notice of clearing quota (额度) that finance sent us too."""

    __tablename__ = "quota_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    """Of the notice."""
    adm_div: Mapped[str] = mapped_column(String(9))
    fiscal_year: Mapped[int]
    way: Mapped[str] = mapped_column(String(2))
    fund: Mapped[str] = mapped_column(String(42))
    """Nature of the funds (资金性质); empty if the notice names none."""
    unit: Mapped[str] = mapped_column(String(42))
    unit_name: Mapped[str] = mapped_column(String(60))
    function: Mapped[str] = mapped_column(String(42))
    function_name: Mapped[str] = mapped_column(String(60))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[str] = mapped_column(String(8), index=True)
    """Day on which it came into our books, `yyyymmdd`."""


class Difference(Base):
    """Where a statement that came does not agree with our books (不符)."""

    __tablename__ = "differences"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    """Of the statement."""
    row_id: Mapped[str] = mapped_column(String(38))
    """Of the statement's row; empty if of none."""
    reason: Mapped[str] = mapped_column(String(127))
