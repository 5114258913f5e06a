"""What finance writes down beside its inbox and outbox, in the same database.

Nothing is posted but by a voucher, and every posting names it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Enum,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.finance.entries import Title

_CODE = String(42)
_DAY = String(8)
_DIGEST = LargeBinary(32)

APART: Final = "协商处理"
"""Stands where the number of a list would, of what people settled: it is on none."""


class Base(DeclarativeBase):
    """Declares the tables."""


class Posting(Base):
    """One line of the general budget's ledger (总预算会计); credits are negative."""

    __tablename__ = "postings"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(_DIGEST, index=True)
    """The voucher that it comes from."""
    title: Mapped[Title] = mapped_column(
        Enum(Title, native_enum=False, length=12, values_callable=list)
    )
    subject: Mapped[str] = mapped_column(_CODE)
    unit: Mapped[str] = mapped_column(_CODE)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    is_revenue: Mapped[bool]
    """Whether revenue made it: reports of expenditure leave it out."""
    day: Mapped[str] = mapped_column(_DAY, index=True)


class Allotment(Base):
    """What a unit may spend (用款计划), or what is taken back of it."""

    __tablename__ = "allotments"
    __table_args__ = (UniqueConstraint("plan", "unit", "function", "way"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan: Mapped[str] = mapped_column(_CODE)
    """Number of the plan that it stands in."""
    fiscal_year: Mapped[int]
    unit: Mapped[str] = mapped_column(_CODE)
    top: Mapped[str] = mapped_column(_CODE)
    """The top-level unit (一级预算单位)."""
    function: Mapped[str] = mapped_column(_CODE)
    way: Mapped[str] = mapped_column(String(2))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[str] = mapped_column(_DAY)


class AllotmentUse(Base):
    """What was spent of an allotment; what comes back is negative."""

    __tablename__ = "allotment_uses"
    # Added up for every application: all that is asked for stands in the index.
    __table_args__ = (
        Index(
            "ix_allotment_uses_key",
            *("fiscal_year", "top", "function", "way", "unit", "amount_fen"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(_DIGEST, index=True)
    """The application that it was used for, or the refund that gave it back."""
    fiscal_year: Mapped[int]
    unit: Mapped[str] = mapped_column(_CODE)
    """Empty where only the top-level unit is known: authorised payments."""
    top: Mapped[str] = mapped_column(_CODE)
    function: Mapped[str] = mapped_column(_CODE)
    way: Mapped[str] = mapped_column(String(2))
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class Receipted(Base):
    """A voucher whose receipt came to us, whether of ours or as a copy (回单登记)."""

    __tablename__ = "receipted"

    digest: Mapped[bytes] = mapped_column(_DIGEST, primary_key=True)
    type_code: Mapped[int]
    number: Mapped[str] = mapped_column(_CODE, index=True)
    fiscal_year: Mapped[int]
    adm_div: Mapped[str] = mapped_column(String(9))
    bank: Mapped[str] = mapped_column(String(31))
    """Party code of the agent bank: who paid, or whom it is cleared with."""
    unit: Mapped[str] = mapped_column(_CODE)
    account: Mapped[str] = mapped_column(_CODE)
    """The account that was paid from; empty where the voucher names none."""
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[str] = mapped_column(_DAY, index=True)
    """Day of the act, as the receipt states it."""
    agrees: Mapped[bool]
    note: Mapped[str] = mapped_column(String(NOTE_MAX), default="")
    listed_in: Mapped[str] = mapped_column(_CODE, default="")
    """Number of the list that names it, or that people settled it; else empty."""


class Claim(Base):
    """A payment that a bank has applied for; no other application may name it."""

    __tablename__ = "claims"
    __table_args__ = (UniqueConstraint("bank", "fiscal_year", "way", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(_DIGEST, index=True)
    """The bank's application (2301)."""
    bank: Mapped[str] = mapped_column(String(31))
    fiscal_year: Mapped[int]
    way: Mapped[str] = mapped_column(String(2))
    number: Mapped[str] = mapped_column(_CODE)


class Match(Base):
    """Money that came back to a bank, and that we said is ours (退款确认)."""

    __tablename__ = "matches"

    digest: Mapped[bytes] = mapped_column(_DIGEST, primary_key=True)
    """The bank's notice."""
    bank: Mapped[str] = mapped_column(String(31))
    fiscal_year: Mapped[int]
    number: Mapped[str] = mapped_column(_CODE)
    """The payment that it is of."""
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    """Smaller than zero."""


class Verdict(Base):
    """What we found when we compared a statement: fixed once, and told (对账结果)."""

    __tablename__ = "verdicts"

    digest: Mapped[bytes] = mapped_column(_DIGEST, primary_key=True)
    """The statement."""
    filled: Mapped[str]
    """What we fill in, as JSON: fields, and rows."""


class Finding(Base):
    """What a person has to look at: our books and another's paper do not agree."""

    __tablename__ = "findings"

    digest: Mapped[bytes] = mapped_column(_DIGEST, primary_key=True)
    """The paper."""
    name: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(String(NOTE_MAX))
    day: Mapped[str] = mapped_column(_DAY)
