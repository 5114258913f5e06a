"""The bank's own books: every voucher that came, and where its payment stands.

    READ ─▶ ACCEPTED ─▶ BEGUN ─▶ CALLING ─▶ PAID ─▶ ACTED ─▶ RECEIPTED ─▶ CLOSED
     │          ▲                  │ │ ▲
     ▼          └── ABSENT ◀───────┼─┼─┘  (asked again until the core can tell)
    REJECTED                       │ ▼
                     RETURNED ◀ UNDONE ◀ REFUSED      CALLING ─▶ UNKNOWN ─▶ DOUBTED

A payment is written down as CALLING before the core is called. Found so after a
crash, it is as good as unknown: the core is asked, never called again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Enum,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, validates

from counterfoil.bank.kinds import WAYS
from counterfoil.bank.tables import Base, Entry, What
from counterfoil.business import tables
from counterfoil.business.books import SqlBooks
from counterfoil.business.codes import PaymentWay
from counterfoil.business.contents import content_of
from counterfoil.business.prepared import Prepared
from counterfoil.business.rows import put
from counterfoil.business.tables import key_columns
from counterfoil.office import Reference, Voucher, VoucherKey


class State(StrEnum):
    """Where a payment stands."""

    READ = "read"
    """Come, checked, not yet answered."""
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    BEGUN = "begun"
    """The gateway knows that we are about to pay: no return any more."""
    CALLING = "calling"
    """The core is called now; after a crash, it may have been."""
    UNKNOWN = "unknown"
    """The core did not answer; the gateway is to be told."""
    DOUBTED = "doubted"
    """The gateway was told; the core is to be asked."""
    PAID = "paid"
    """The core paid; the gateway is to be told."""
    REFUSED = "refused"
    """The core will not pay; the gateway is to be told."""
    ABSENT = "absent"
    """The core knows nothing of it: it may be begun anew."""
    ACTED = "acted"
    """The receipt is due."""
    UNDONE = "undone"
    """The return is due."""
    RECEIPTED = "receipted"
    """The entry notice is due, if the type has one."""
    CLOSED = "closed"
    RETURNED = "returned"
    VOID = "void"
    """Withdrawn by its issuer before anything was done."""
    STOPPED = "stopped"
    """The gateway refused what we asked: a person must look."""


GIVEN_BACK: Final = frozenset({State.REJECTED, State.RETURNED, State.VOID})
"""States after which the number may come again."""
FINAL: Final = frozenset({*GIVEN_BACK, State.CLOSED, State.STOPPED})
"""States that nothing follows on."""
IN_WORK: Final = frozenset(State) - FINAL - {State.ACCEPTED}
"""States that something follows on by itself; what is accepted may wait for paper."""
RECEIPTED: Final = frozenset({State.RECEIPTED, State.CLOSED})
"""States of what was paid and receipted."""


_STATE: Final = Enum(State, native_enum=False, length=12, values_callable=list)
"""Stored as the state's text."""


class Payment(Base):
    """A voucher that came, and its payment."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint(
            "issuer", "adm_div", "fiscal_year", "type_code", "number", "issue"
        ),
        # Statements name payments so, and not by their issuers.
        Index("ix_payments_number", "type_code", "number"),
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(31))
    adm_div: Mapped[str] = mapped_column(String(9))
    fiscal_year: Mapped[int]
    type_code: Mapped[int]
    number: Mapped[str] = mapped_column(String(42))
    issue: Mapped[int]
    # Large, and wanted rarely: see `Journal.sealed`.
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[State] = mapped_column(_STATE, index=True)
    accepted: Mapped[bool] = mapped_column(default=False)
    receipted: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=0)
    serial: Mapped[str] = mapped_column(String(20), default="")
    pay_date: Mapped[str] = mapped_column(String(8), default="")
    note: Mapped[str] = mapped_column(String(300), default="")
    account: Mapped[str] = mapped_column(String(42), default="")
    """Account that pays: finance's or the unit's zero-balance account (零余额账户)."""
    by_counter: Mapped[bool] = mapped_column(default=False)
    """Whether it is paid only when its paper is there (银行柜面)."""
    paper: Mapped[str] = mapped_column(String(8), default="")
    """Day on which its paper met it, `yyyymmdd`; empty while none did."""
    application: Mapped[int | None] = mapped_column(index=True, default=None)
    """Our living application that names it (an outbox entry); None if none does."""
    cleared: Mapped[str] = mapped_column(String(8), default="")
    """Day on which the treasury cleared it, `yyyymmdd`; empty while it did not."""

    @validates("state")
    def _remember(self, _name: str, state: State) -> State:
        """Note what was once reached: it stays true whatever follows."""
        self.accepted = bool(self.accepted) or state is State.ACCEPTED
        self.receipted = bool(self.receipted) or state is State.RECEIPTED
        return state

    @property
    def waits(self) -> bool:
        """Whether its paper is wanted and not there."""
        return self.by_counter and not self.paper

    @property
    def way(self) -> PaymentWay | None:
        """Way of payment; None of what the treasury does not clear."""
        return WAYS.get(self.type_code)

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
    def core_reference(self) -> str:
        """What names this attempt at the core."""
        return f"{self.digest.hex()}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came from one issuer; amounts in fen."""

    arrived: int
    accepted: int
    receipted: int
    returned: int
    rejected: int
    arrived_fen: int
    receipted_fen: int


_IN_STATE: Final = (
    select(Payment)
    .where(Payment.state.in_(bindparam("states", expanding=True)))
    .order_by(Payment.number, Payment.issue)
)
_ANY_IN_WORK: Final = select(Payment.digest).where(Payment.state.in_(IN_WORK)).limit(1)
_SEALED: Final = select(Payment.digest, Payment.sealed).where(
    Payment.digest.in_(bindparam("digests", expanding=True))
)
_SAME_NUMBER: Final = Prepared(
    select(Payment.digest, Payment.state).where(
        *(getattr(Payment, name) == bindparam(name) for name in tables.KEY[:-1])
    )
)


class Journal(SqlBooks):
    """Our books in a database; any thread may use them.

    Args:
        url: SQLAlchemy's URL, e.g. `sqlite:///bank.sqlite`.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, tables.Base.metadata, Base.metadata)

    def knows(self, digest: bytes) -> bool:
        """Tell whether a voucher came before."""
        return self.payment(digest) is not None

    def sealed(self, digest: bytes) -> bytes:
        """Return a voucher as it came."""
        return self.sealed_of([digest])[digest]

    def sealed_of(self, digests: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return vouchers as they came, by their digests."""
        if not digests:
            return {}
        with self.reading() as session:
            found = session.execute(_SEALED, {"digests": digests})
            return {row.digest: row.sealed for row in found}

    def payment(self, digest: bytes) -> Payment | None:
        """Return the payment of a voucher."""
        with self.reading() as session:
            return session.get(Payment, digest)

    def in_state(self, *states: State) -> list[Payment]:
        """Return the payments in these states, in the order of their numbers."""
        with self.reading() as session:
            return list(session.scalars(_IN_STATE, {"states": states}))

    def due(self) -> list[Payment]:
        """Return what was accepted and waits for nothing, by number."""
        return [one for one in self.in_state(State.ACCEPTED) if not one.waits]

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to do but what waits for its paper."""
        with self.reading() as session:
            is_busy = session.scalar(_ANY_IN_WORK) is not None
        return not is_busy and not self.due()

    def figures(self, issuer: str) -> Figures:
        """Return what came from one issuer, and what became of it."""
        with self.reading() as session:
            counted = session.execute(
                select(
                    Payment.state,
                    Payment.accepted,
                    Payment.receipted,
                    func.count().label("number"),
                    func.sum(Payment.amount_fen).label("fen"),
                )
                .where(Payment.issuer == issuer, Payment.state != State.VOID)
                .group_by(Payment.state, Payment.accepted, Payment.receipted)
            ).all()
        receipted = [one for one in counted if one.receipted]
        return Figures(
            arrived=sum(one.number for one in counted),
            accepted=sum(one.number for one in counted if one.accepted),
            receipted=sum(one.number for one in receipted),
            returned=sum(one.number for one in counted if one.state == State.RETURNED),
            rejected=sum(one.number for one in counted if one.state == State.REJECTED),
            arrived_fen=sum(int(one.fen) for one in counted),
            receipted_fen=sum(int(one.fen) for one in receipted),
        )


def book_paid(session: Session, payments: Iterable[Payment]) -> None:
    """Write down what the core paid of these: it went out of the payers' accounts."""
    put(
        session,
        [
            Entry(
                digest=one.digest,
                payment=one.digest,
                what=What.PAID,
                account=one.account,
                amount_fen=-one.amount_fen,
                day=one.pay_date,
            )
            for one in payments
            if one.state is State.PAID
        ],
    )


def voucher_of(payment: Payment) -> Voucher:
    """Return what a payment's voucher says; call it while its session is open."""
    content = content_of(payment.sealed)
    assert isinstance(content, Voucher), "the journal holds vouchers only"
    return content


class Namesake(NamedTuple):
    """A payment as far as another of its number asks: which it is, and its state."""

    digest: bytes
    state: State


def same_number(session: Session, key: VoucherKey) -> list[Namesake]:
    """Return the payments of a number, whichever issue."""
    return [Namesake(*one) for one in _SAME_NUMBER.rows(session, key_columns(key))]
