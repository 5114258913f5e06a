"""The finance system's own books: the orders of its folder, and what came of them.

What else it writes down is in `tables`, in the same database. The books never read
the gateway's ledger: at the end of a day the two are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import (
    BigInteger,
    Enum,
    LargeBinary,
    String,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from counterfoil.business import tables as boxes
from counterfoil.business.books import SqlBooks
from counterfoil.finance import tables


class State(StrEnum):
    """Where an order stands in our books."""

    WRITTEN = "written"
    SENT = "sent"
    ACCEPTED = "accepted"
    PAID = "paid"
    DIFFERS = "differs"
    REJECTED = "rejected"
    RETURNED = "returned"
    DISCARDED = "discarded"


OPEN = (State.WRITTEN, State.SENT, State.ACCEPTED)
"""States in which something is still to come."""


_STATE: Final = Enum(State, native_enum=False, length=12, values_callable=list)
"""Stored as the state's text."""


class Base(DeclarativeBase):
    """Declares the tables."""


class Order(Base):
    """A voucher of ours (支付凭证), one row per issue."""

    __tablename__ = "orders"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    file: Mapped[str] = mapped_column(String(200), index=True)
    type_code: Mapped[int]
    number: Mapped[str] = mapped_column(String(42), index=True)
    issue: Mapped[int]
    fiscal_year: Mapped[int]
    recipient: Mapped[str] = mapped_column(String(31), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    state: Mapped[State] = mapped_column(_STATE, index=True)
    accepted: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(String(200), default="")
    # Large, and wanted once: when its receipt comes.
    payload: Mapped[bytes] = mapped_column(default=b"", deferred=True)
    """What it says, as the gateway encoded it."""


class ReceiptEntry(Base):
    """A receipt that came (回单), compared with its order."""

    __tablename__ = "receipts"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    order: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    agrees: Mapped[bool]


class NoticeEntry(Base):
    """An entry notice (入账通知书) or another voucher that came to us."""

    __tablename__ = "notices"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(31))
    type_code: Mapped[int]
    number: Mapped[str] = mapped_column(String(42))
    about: Mapped[str] = mapped_column(String(42))
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class RefusedFile(Base):
    """A file that the gateway would not take, and why."""

    __tablename__ = "refused_files"

    file: Mapped[str] = mapped_column(String(200), primary_key=True)
    reason: Mapped[str] = mapped_column(String(60))
    explanation: Mapped[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One bank's column at the end of the day; amounts in fen."""

    sent: int
    accepted: int
    receipted: int
    returned: int
    rejected: int
    sent_fen: int
    receipted_fen: int


_ORDERS: Final = select(Order.digest).where(
    Order.digest.in_(bindparam("digests", expanding=True))
)
_OF_FILES: Final = (
    select(Order.file, Order.state, Order.issue)
    .where(Order.file.in_(bindparam("files", expanding=True)))
    .order_by(Order.issue)
)
_NEWEST: Final = (
    select(Order)
    .where(Order.file == bindparam("file"))
    .order_by(Order.issue.desc())
    .limit(1)
)


class Books(SqlBooks):
    """Our books in a database; any thread may use them.

    Args:
        url: SQLAlchemy's URL, e.g. `sqlite:///finance.sqlite`.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, Base.metadata, tables.Base.metadata, boxes.Base.metadata)

    def order(self, digest: bytes) -> Order | None:
        """Return the order with this digest."""
        with self.reading() as session:
            return session.get(Order, digest)

    def orders_among(self, digests: Iterable[bytes]) -> set[bytes]:
        """Return which of these are digests of orders."""
        with self.reading() as session:
            return set(session.scalars(_ORDERS, {"digests": list(digests)}))

    def due_among(self, files: Sequence[str]) -> list[str]:
        """Return which of these files no order was made of that was sent."""
        with self.reading() as session:
            newest = {
                one.file: one for one in session.execute(_OF_FILES, {"files": files})
            }
        return [
            one
            for one in files
            if one not in newest
            or (newest[one].state is State.WRITTEN and newest[one].issue == 1)
        ]

    def newest(self, file: str) -> Order | None:
        """Return the newest issue that was made from a file."""
        with self.reading() as session:
            return session.scalar(_NEWEST, {"file": file})

    def in_state(self, *states: State) -> list[Order]:
        """Return the orders in these states."""
        with self.reading() as session:
            return list(session.scalars(select(Order).where(Order.state.in_(states))))

    def refused(self) -> list[RefusedFile]:
        """Return the files that were refused, in the order of their names."""
        with self.reading() as session:
            return list(session.scalars(select(RefusedFile).order_by(RefusedFile.file)))

    def notices(self) -> list[NoticeEntry]:
        """Return the notices that came, in the order of their numbers."""
        with self.reading() as session:
            return list(
                session.scalars(select(NoticeEntry).order_by(NoticeEntry.number))
            )

    def figures(self, recipient: str) -> Figures:
        """Return what we have ordered from one bank, and what came of it."""
        with self.reading() as session:
            orders = session.execute(
                select(
                    Order.state,
                    Order.accepted,
                    func.count().label("number"),
                    func.sum(Order.amount_fen).label("fen"),
                )
                .where(
                    Order.recipient == recipient,
                    Order.state.not_in((State.WRITTEN, State.DISCARDED)),
                )
                .group_by(Order.state, Order.accepted)
            ).all()
            receipted, receipted_fen = session.execute(
                select(
                    func.count(), func.coalesce(func.sum(ReceiptEntry.amount_fen), 0)
                )
                .join(Order, Order.digest == ReceiptEntry.order)
                .where(Order.recipient == recipient)
            ).one()
        return Figures(
            sent=sum(one.number for one in orders),
            accepted=sum(one.number for one in orders if one.accepted),
            receipted=receipted,
            returned=sum(one.number for one in orders if one.state == State.RETURNED),
            rejected=sum(one.number for one in orders if one.state == State.REJECTED),
            sent_fen=sum(int(one.fen) for one in orders),
            receipted_fen=int(receipted_fen),
        )
