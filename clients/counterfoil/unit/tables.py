"""What a unit writes down beside its inbox and outbox, in the same database.

Nothing is posted but by an entry notice, and every posting names it. What a request
takes of an allotment follows from its lines while it is open; nothing is kept twice.

    OPEN ─▶ GIVEN_BACK ─▶ OPEN, as the next issue
     │
     ▼
    WITHDRAWN
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from counterfoil.business.codes import PaymentWay
from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.unit.kinds import DealMode

_CODE: Final = String(42)
_DAY: Final = String(8)
_DIGEST: Final = LargeBinary(32)
_TEXT: Final = String(200)
_WAY: Final = Enum(PaymentWay, native_enum=False, length=2, values_callable=list)


class Base(DeclarativeBase):
    """Declares the tables."""


class Allotment(Base):
    """What we may spend on a function by one way of payment (用款计划)."""

    __tablename__ = "allotments"
    __table_args__ = (UniqueConstraint("plan", "way", "function"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan: Mapped[str] = mapped_column(_CODE)
    """Number of the plan that it stands in."""
    fiscal_year: Mapped[int]
    way: Mapped[PaymentWay] = mapped_column(_WAY)
    function: Mapped[str] = mapped_column(_CODE)
    function_name: Mapped[str] = mapped_column(_TEXT)
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class RequestState(StrEnum):
    """Whether what we asked for takes of the allotment."""

    OPEN = "open"
    """Planned, under way or paid."""
    GIVEN_BACK = "given_back"
    """Rejected or returned: nothing was paid for it."""
    WITHDRAWN = "withdrawn"
    """Taken back by ourselves before it was sent."""


class Request(Base):
    """What we asked for: an application (108201) or an authorised payment (8202)."""

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("type_code", "number"),
        # What stands is added up for every request, here and in the other tables:
        # all that is asked for stands in the indexes.
        Index("ix_requests_standing", "state", "fiscal_year", "way"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    type_code: Mapped[int]
    number: Mapped[str] = mapped_column(_CODE, index=True)
    issue: Mapped[int] = mapped_column(default=1)
    fiscal_year: Mapped[int]
    way: Mapped[PaymentWay] = mapped_column(_WAY)
    mode: Mapped[DealMode | None] = mapped_column(
        Enum(DealMode, native_enum=False, length=1, values_callable=list)
    )
    """Of a payment: how the bank deals with it."""
    day: Mapped[str] = mapped_column(_DAY)
    """Day on which this issue was made, `yyyymmdd`."""
    state: Mapped[RequestState] = mapped_column(
        Enum(RequestState, native_enum=False, length=12, values_callable=list)
    )
    note: Mapped[str] = mapped_column(String(NOTE_MAX), default="")
    """Why it was given back or withdrawn."""
    origin: Mapped[str | None] = mapped_column(_CODE, unique=True)
    """By which the simulator knows its own again; None if a person asked."""
    lines: Mapped[list[Line]] = relationship(
        order_by="Line.id", cascade="all, delete-orphan"
    )

    @property
    def amount_fen(self) -> int:
        """What is asked for."""
        return sum(line.amount_fen for line in self.lines)


class Line(Base):
    """One payee of a request."""

    __tablename__ = "request_lines"
    __table_args__ = (
        Index("ix_request_lines_sum", "request_id", "function", "amount_fen"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey(Request.id))
    row_id: Mapped[str] = mapped_column(_CODE)
    """By which the voucher's row is named."""
    function: Mapped[str] = mapped_column(_CODE)
    function_name: Mapped[str] = mapped_column(_TEXT)
    payee_account: Mapped[str] = mapped_column(_CODE)
    payee_name: Mapped[str] = mapped_column(_TEXT)
    payee_bank: Mapped[str] = mapped_column(_TEXT)
    purpose: Mapped[str] = mapped_column(_TEXT)
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class Posting(Base):
    """One entry of our ledger (单位会计): what was paid; what came back is negative."""

    __tablename__ = "postings"
    __table_args__ = (
        Index(
            "ix_postings_sum",
            *("fiscal_year", "way", "function", "request_id", "amount_fen"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(_DIGEST, index=True)
    """The entry notice (2205)."""
    request_id: Mapped[int | None] = mapped_column(ForeignKey(Request.id), index=True)
    """What it was paid for; None if finance paid without an application of ours."""
    fiscal_year: Mapped[int]
    way: Mapped[PaymentWay] = mapped_column(_WAY)
    function: Mapped[str] = mapped_column(_CODE)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    bank: Mapped[str] = mapped_column(String(31))
    """Party code of the bank that paid."""
    paid_by: Mapped[str] = mapped_column(_CODE, index=True)
    """Number of the payment voucher (5201 or 8202)."""
    notice: Mapped[str] = mapped_column(_CODE, index=True)
    """Number of the notice."""
    day: Mapped[str] = mapped_column(_DAY, index=True)
    """Day of the payment or refund, as the notice states it."""


class Match(Base):
    """What we answered to a refund that the bank matched with a payment (退款匹配)."""

    __tablename__ = "refund_matches"

    digest: Mapped[bytes] = mapped_column(_DIGEST, primary_key=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey(Request.id), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    """What came back; above zero."""
    reason: Mapped[str] = mapped_column(_TEXT)
    """Why it is not ours; empty if we confirmed it."""
    rows: Mapped[list[MatchedRow]] = relationship(cascade="all, delete-orphan")


class MatchedRow(Base):
    """What came back of one row of a payment."""

    __tablename__ = "refund_match_rows"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(ForeignKey(Match.digest), index=True)
    row_id: Mapped[str] = mapped_column(_CODE)
    """Empty if the bank did not say which row."""
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class Refund(Base):
    """A notice of refund (2204) that came; the entry notice posts it, not this."""

    __tablename__ = "refunds"

    digest: Mapped[bytes] = mapped_column(_DIGEST, primary_key=True)
    number: Mapped[str] = mapped_column(_CODE, index=True)
    request_id: Mapped[int] = mapped_column(ForeignKey(Request.id), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    """What came back; above zero."""
    day: Mapped[str] = mapped_column(_DAY)


class Check(Base):
    """What we found in one pack of a statement (对账单)."""

    __tablename__ = "statement_checks"

    digest: Mapped[bytes] = mapped_column(_DIGEST, primary_key=True)
    bank: Mapped[str] = mapped_column(String(31))
    check_no: Mapped[str] = mapped_column(_CODE)
    month: Mapped[str] = mapped_column(String(6))
    """Month of its last day, `yyyymm`."""
    reason: Mapped[str] = mapped_column(_TEXT)
    """What it lacks as a whole; empty if nothing."""
    missing: Mapped[int]
    """How many of our payments it does not name."""
    differences: Mapped[list[Difference]] = relationship(
        order_by="Difference.id", cascade="all, delete-orphan"
    )


class Difference(Base):
    """A row of a statement that our books do not confirm."""

    __tablename__ = "statement_differences"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(ForeignKey(Check.digest), index=True)
    row_id: Mapped[str] = mapped_column(_CODE)
    reason: Mapped[str] = mapped_column(_TEXT)
