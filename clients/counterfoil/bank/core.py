"""A simulated core banking system: it pays, refuses, or leaves us in the dark.

It keeps books of its own, apart from the bank system's journal, and never pays
because it is asked whether it paid. What goes wrong follows from a seed and the
payment's reference, so a run can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

from sqlalchemy import BigInteger, String, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from counterfoil.business.books import SqlBooks
from counterfoil.business.rows import put


class CoreTimeout(Exception):
    """The core did not answer: whether it paid is not known."""


class CoreRefused(Exception):
    """The core will not pay; the text says why, in Chinese."""


class Fate(StrEnum):
    """What happens to a payment."""

    PAID = "paid"
    REFUSED = "refused"
    LOST_BEFORE = "lost-before"
    """The order is lost on its way: no answer, no payment."""
    LOST_AFTER = "lost-after"
    """It is paid, but the answer is lost, and so is that of the first question."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One row to be paid.

    Attributes:
        row_id: The row of the voucher.
        account: Where the money goes.
        amount_fen: How much.
    """

    row_id: str
    account: str
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """What the core is called for.

    Attributes:
        reference: Names the order.
        number: The voucher's number,
        issue: and issue.
        transfers: What to pay.
        attempt: The how manieth attempt of this voucher it is.
    """

    reference: str
    number: str
    issue: int
    transfers: Sequence[Transfer]
    attempt: int


CoreOutcome = str | CoreRefused | CoreTimeout
"""The serial number of an order that was paid; or why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorePlan:
    """What goes wrong.

    Attributes:
        seed: Changes which payments are hit.
        refused: Share of payments that are refused, 0 to 1.
        lost_before: Share whose order is lost.
        lost_after: Share whose answer is lost.
        fates: Fates of single vouchers, by number, at their first attempt.
    """

    seed: int = 0
    refused: float = 0.0
    lost_before: float = 0.0
    lost_after: float = 0.0
    fates: Mapping[str, Fate] = field(default_factory=dict)

    def fate_of(self, number: str, issue: int, attempt: int) -> Fate:
        """Return what happens to one attempt to pay a voucher."""
        if attempt > 1:
            return Fate.PAID
        if number in self.fates:
            return self.fates[number] if issue == 1 else Fate.PAID
        drawn = Random(f"{self.seed}/{number}/{issue}").random()  # noqa: S311 -- a simulation
        for fate, share in (
            (Fate.REFUSED, self.refused),
            (Fate.LOST_BEFORE, self.lost_before),
            (Fate.LOST_AFTER, self.lost_after),
        ):
            if drawn < share:
                return fate
            drawn -= share
        return Fate.PAID


REFUSAL: Final = "收款人账户已销户，无法入账"
"""What the core says when it refuses."""


class _Base(DeclarativeBase):
    pass


class _Booked(_Base):
    __tablename__ = "booked"

    reference: Mapped[str] = mapped_column(String(80), primary_key=True)
    serial: Mapped[int] = mapped_column(unique=True)
    transfers: Mapped[int]
    amount_fen: Mapped[int] = mapped_column(BigInteger)


_LAST_SERIAL: Final = select(func.max(_Booked.serial))


class SimulatedCore:
    """The core, with its own books in a database of its own.

    Args:
        url: SQLAlchemy's URL of the core's books.
        plan: What goes wrong.
    """

    def __init__(self, url: str, plan: CorePlan) -> None:
        self._books = SqlBooks(url, _Base.metadata)
        self._plan = plan
        self._asked: set[str] = set()

    def close(self) -> None:
        """Close the books."""
        self._books.close()

    def pay_each(self, orders: Sequence[PaymentOrder]) -> list[CoreOutcome]:
        """Pay orders, each by itself: all its transfers, or none.

        The core does not look whether it knows an order. What it pays is in its books
        before it answers.

        Returns:
            For each its serial number; or that it is refused, or not answered.
        """
        outcomes: list[CoreOutcome] = []
        booked: list[_Booked] = []
        with self._books.writing() as session:
            serial = session.scalar(_LAST_SERIAL) or 0
            for order in orders:
                fate = self._plan.fate_of(order.number, order.issue, order.attempt)
                if fate in {Fate.PAID, Fate.LOST_AFTER}:
                    serial += 1
                    booked.append(_booked(order, serial))
                if fate is Fate.LOST_AFTER:
                    self._asked.add(order.reference)
                outcomes.append(_told(order, fate, serial))
            put(session, booked)
        return outcomes

    def ask(self, reference: str) -> str | None:
        """Return the serial number of an order; None if it was and will not be paid.

        Raises:
            CoreTimeout: The core cannot tell yet.
        """
        if reference in self._asked:
            self._asked.discard(reference)
            raise CoreTimeout(reference)
        with self._books.reading() as session:
            booked = session.get(_Booked, reference)
        return None if booked is None else _serial_text(booked.serial)

    def times_paid(self) -> tuple[int, int]:
        """Return how many orders were paid, and their sum in fen."""
        with self._books.reading() as session:
            count, total = session.execute(
                select(func.count(), func.coalesce(func.sum(_Booked.amount_fen), 0))
            ).one()
        return count, int(total)


def _booked(order: PaymentOrder, serial: int) -> _Booked:
    return _Booked(
        reference=order.reference,
        serial=serial,
        transfers=len(order.transfers),
        amount_fen=sum(one.amount_fen for one in order.transfers),
    )


def _told(order: PaymentOrder, fate: Fate, serial: int) -> CoreOutcome:
    """Return what the caller hears of an order."""
    if fate is Fate.REFUSED:
        return CoreRefused(REFUSAL)
    return _serial_text(serial) if fate is Fate.PAID else CoreTimeout(order.reference)


def _serial_text(serial: int) -> str:
    return f"{serial:012}"
