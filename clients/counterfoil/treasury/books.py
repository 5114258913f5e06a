"""The treasury's own books: every voucher that came, and what it changed.

    READ ─▶ ACCEPTED ─▶ BEGUN ─▶ BOOKED ─▶ ACTED ─▶ RECEIPTED
     │         │          │
     ▼         │          ▼
    REJECTED   └──────▶ REFUSED ─▶ UNDONE ─▶ RETURNED

An act and its postings are one transaction: a voucher is BOOKED with them or BEGUN
without them, and no crash leaves anything between. What is paid, cleared or refunded is
posted by a voucher, and every posting names it. What comes in is entered as income.
A day that was reported is closed, and nothing is booked on it any more.
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
    Text,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from counterfoil.business import tables
from counterfoil.business.books import SqlBooks
from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.office import Reference, VoucherKey


class State(StrEnum):
    """Where a voucher stands with us."""

    READ = "read"
    """Come, not yet answered."""
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    """Taken over; an application waits here for its order, and the other way round."""
    BEGUN = "begun"
    """The gateway knows that we are about to act: no return any more."""
    BOOKED = "booked"
    """It is in the books; the gateway is to be told."""
    ACTED = "acted"
    """The receipt is due."""
    RECEIPTED = "receipted"
    REFUSED = "refused"
    """The books do not allow it; the gateway is to be told."""
    UNDONE = "undone"
    """The return is due."""
    RETURNED = "returned"
    VOID = "void"
    """Withdrawn by its issuer before anything was done."""
    STOPPED = "stopped"
    """The gateway refused what we asked: a person must look."""


GIVEN_BACK: Final = frozenset({State.REJECTED, State.RETURNED, State.VOID})
"""States after which the number may come again."""
LOST: Final = frozenset({*GIVEN_BACK, State.REFUSED, State.UNDONE, State.STOPPED})
"""States in which a voucher will not be acted on."""
WAITING: Final = frozenset({State.ACCEPTED})
"""States that may last: an application without an order, or an order without one."""
FINAL: Final = frozenset({*GIVEN_BACK, State.RECEIPTED, State.STOPPED})
"""States that nothing follows on."""

TEXT_MAX: Final = 1024
"""Characters of an alert, and of what an answer to a statement says."""
AGREES: Final = "0"
DIFFERS: Final = "1"
"""Result of comparing a statement (对账结果)."""
SETTLED: Final = "2"
"""Of a statement of ours that differs, once people have settled it; on no wire."""
_STATE: Final = Enum(State, native_enum=False, length=12, values_callable=list)


class Base(DeclarativeBase):
    """Declares the tables."""


class Opening(Base):
    """What the single account held before the first voucher; written once."""

    __tablename__ = "opening"

    account: Mapped[str] = mapped_column(String(42), primary_key=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class Incoming(Base):
    """A voucher that came, and where it stands."""

    __tablename__ = "incoming"
    __table_args__ = (
        UniqueConstraint(
            "issuer", "adm_div", "fiscal_year", "type_code", "number", "issue"
        ),
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(31))
    adm_div: Mapped[str] = mapped_column(String(9))
    fiscal_year: Mapped[int]
    type_code: Mapped[int]
    number: Mapped[str] = mapped_column(String(42))
    issue: Mapped[int]
    # Large, and wanted rarely: see `Books.sealed`.
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    bank_no: Mapped[str] = mapped_column(String(12))
    way: Mapped[str] = mapped_column(String(2))
    """Way of payment, if its kind has one."""
    application: Mapped[str] = mapped_column(String(42))
    """Of an order: number of the application that it names."""
    state: Mapped[State] = mapped_column(_STATE, index=True)
    note: Mapped[str] = mapped_column(String(NOTE_MAX), default="")
    serial: Mapped[int] = mapped_column(default=0)
    """Number of the booking, from 1; 0 while there is none."""
    day: Mapped[str] = mapped_column(String(8), default="")
    """Day of the booking or the return, `yyyymmdd`; a later one if that was closed."""
    listed_in: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"")
    """Digest of the list that names its receipt; empty while none does."""

    @property
    def reference(self) -> Reference:
        """The voucher."""
        key = VoucherKey(
            issuer=self.issuer,
            adm_div=self.adm_div,
            fiscal_year=self.fiscal_year,
            type_code=self.type_code,
            number=self.number,
            issue=self.issue,
        )
        return Reference(key, self.digest)

    @property
    def serial_text(self) -> str:
        """The booking's number as receipts state it (`XAgentBusinessNo`)."""
        return f"{self.serial:012}"


class Posting(Base):
    """One change of the single account (国库单一账户), by function; out is negative."""

    __tablename__ = "postings"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(ForeignKey(Incoming.digest))
    function: Mapped[str] = mapped_column(String(42))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[str] = mapped_column(String(8), index=True)


class Income(Base):
    """Revenue (预算收入) that came into the single account."""

    __tablename__ = "income"

    number: Mapped[str] = mapped_column(String(42), primary_key=True)
    """Of the entry (流水号): entered twice, it is booked once."""
    level: Mapped[str] = mapped_column(String(1))
    """Level of the budget (预算级次)."""
    subject: Mapped[str] = mapped_column(String(30))
    """Subject of the budget (收入分类科目)."""
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    came: Mapped[str] = mapped_column(String(8))
    """Day on which it came in, `yyyymmdd`."""
    day: Mapped[str] = mapped_column(String(8), index=True)
    """Day on which it is booked; a later one if that day was closed."""
    reason: Mapped[str] = mapped_column(String(NOTE_MAX), default="")
    """Why it is booked on another day than it came in; empty if it is not."""


class IncomeCorrection(Base):
    """Income that was entered wrongly, and what puts it right (更正)."""

    __tablename__ = "income_corrections"

    number: Mapped[str] = mapped_column(ForeignKey(Income.number), primary_key=True)
    """Of the wrong entry, which stays as it is: it is corrected once."""
    reversal: Mapped[str] = mapped_column(ForeignKey(Income.number), unique=True)
    """Of the entry that takes it back (红字)."""
    right: Mapped[str] = mapped_column(String(42), default="")
    """Of the right entry; empty if nothing had come in."""
    reason: Mapped[str] = mapped_column(String(NOTE_MAX))
    day: Mapped[str] = mapped_column(String(8))
    """Day on which it was corrected, `yyyymmdd`."""


class ClosedDay(Base):
    """A day whose reports were made: it, and all before it, are closed (日结)."""

    __tablename__ = "closed_days"

    day: Mapped[str] = mapped_column(String(8), primary_key=True)


class QuotaChange(Base):
    """One change of a clearing quota (清算额度); what is cleared is negative."""

    __tablename__ = "quota_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(ForeignKey(Incoming.digest))
    fiscal_year: Mapped[int]
    bank_no: Mapped[str] = mapped_column(String(12), index=True)
    way: Mapped[str] = mapped_column(String(2))
    function: Mapped[str] = mapped_column(String(42))
    unit: Mapped[str] = mapped_column(String(42))
    fund: Mapped[str] = mapped_column(String(42))
    payment: Mapped[str] = mapped_column(String(42), index=True)
    """Number of the payment that is cleared or refunded; empty if none is named."""
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class Alert(Base):
    """Something that a person is to be told of."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(String(8), index=True)
    """Day on which it was found, `yyyymmdd`."""
    text: Mapped[str] = mapped_column(String(TEXT_MAX))
    told: Mapped[bool] = mapped_column(default=False)
    """Whether a running system has told it."""


class Statement(Base):
    """A statement, report or check of ours that is answered, and its answer."""

    __tablename__ = "statements"

    type_code: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(42), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(31))
    day: Mapped[str] = mapped_column(String(8))
    """Last day that it is about, `yyyymmdd`."""
    sent: Mapped[str] = mapped_column(String(8))
    """Day on which it was issued."""
    result: Mapped[str] = mapped_column(String(1), default="")
    """`AGREES`, `DIFFERS` or `SETTLED`; empty while it is not answered."""
    note: Mapped[str] = mapped_column(String(TEXT_MAX), default="")
    """What does not agree, or why it came back."""
    answered: Mapped[str] = mapped_column(String(8), default="")
    """Day of the answer; empty while there is none."""


class QuotaAnswer(Base):
    """What we found when we compared a bank's statement of quota with our books."""

    __tablename__ = "quota_answers"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """Of the statement."""
    issuer: Mapped[str] = mapped_column(String(31))
    last: Mapped[str] = mapped_column(String(8))
    """Last day of its period, `yyyymmdd`."""
    result: Mapped[str] = mapped_column(String(1))
    answer: Mapped[str] = mapped_column(Text)
    """The form of our receipt, as JSON: later bookings do not change it."""


class Books(SqlBooks):
    """Our books in a database; any thread may use them.

    Args:
        url: SQLAlchemy's URL, e.g. `sqlite:///treasury.sqlite`.
        account: Number of the single account.
        opening_fen: What it held before the first voucher.

    Raises:
        ValueError: The books were opened with another account or amount.
    """

    def __init__(self, url: str, account: str, opening_fen: int) -> None:
        super().__init__(url, tables.Base.metadata, Base.metadata)
        with self.writing() as session:
            opening = session.scalar(select(Opening))
            if opening is None:
                session.add(Opening(account=account, amount_fen=opening_fen))
            elif (opening.account, opening.amount_fen) != (account, opening_fen):
                msg = "the books were opened with another account or balance"
                raise ValueError(msg)

    def knows(self, digest: bytes) -> bool:
        """Tell whether a voucher came before."""
        return self.incoming(digest) is not None

    def sealed(self, digest: bytes) -> bytes:
        """Return a voucher as it came."""
        with self.reading() as session:
            return session.scalars(
                select(Incoming.sealed).where(Incoming.digest == digest)
            ).one()

    def incoming(self, digest: bytes) -> Incoming | None:
        """Return where a voucher stands; None if it never came."""
        with self.reading() as session:
            return session.get(Incoming, digest)

    def in_state(self, *states: State) -> list[Incoming]:
        """Return the vouchers in these states, by kind and number.

        A notice of quota comes before an order that may need it.
        """
        with self.reading() as session:
            return list(
                session.scalars(
                    select(Incoming)
                    .where(Incoming.state.in_(states))
                    .order_by(Incoming.type_code, Incoming.number, Incoming.issue)
                )
            )

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to do before another voucher comes."""
        with self.reading() as session:
            return not session.scalar(
                select(func.count()).where(Incoming.state.not_in(FINAL | WAITING))
            )
