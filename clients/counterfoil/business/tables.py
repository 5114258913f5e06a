"""What every business system writes down: what came, what it issued, what came back.

A system adds tables of its own beside these, in the same database, so that what it
books and where a voucher stands change in one transaction.

A voucher that came (inbox):

    READ ─▶ FIT ─▶ ACCEPTED ─▶ BEGUN ─▶ BOOKED ─▶ ACTED ─▶ RECEIPTED
     │                │ │        │
     ▼                │ ▼        ▼
    UNFIT             │ TAKEN   REFUSED ─▶ UNDONE ─▶ RETURNED
     │                ▼   │
     ▼               UNDONE
    REJECTED

A voucher of ours (outbox):

    PLANNED ─▶ SENT ─▶ ACCEPTED ─▶ RECEIPTED, or DIFFERS ─▶ SETTLED
       │         └───────┴──▶ REJECTED, RETURNED
       ▼
    REFUSED, WITHDRAWN
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sqlalchemy import Enum, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.office import Reference, VoucherKey


class InboxState(StrEnum):
    """Where a voucher that came stands with us."""

    READ = "read"
    """Come, not yet checked."""
    FIT = "fit"
    """Checked and found good; the acceptance is due."""
    UNFIT = "unfit"
    """Checked and found wrong; the rejection is due."""
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    """Taken over; it may wait here for what has to come before it is acted on."""
    TAKEN = "taken"
    """Accepted and in the books: a kind that nobody answers."""
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


IN_WORK: Final = (
    InboxState.READ,
    InboxState.FIT,
    InboxState.UNFIT,
    InboxState.BEGUN,
    InboxState.BOOKED,
    InboxState.ACTED,
    InboxState.REFUSED,
    InboxState.UNDONE,
)
"""States that something follows on by itself."""


class OutboxState(StrEnum):
    """Where a voucher of ours stands."""

    PLANNED = "planned"
    """To be written, reviewed, sealed and sent."""
    SENT = "sent"
    ACCEPTED = "accepted"
    RECEIPTED = "receipted"
    """Answered, and the answer agrees with what we sent."""
    DIFFERS = "differs"
    """Answered, and the answer does not agree: a person must look."""
    SETTLED = "settled"
    """Answered so, and people of both parties have agreed what holds."""
    REJECTED = "rejected"
    RETURNED = "returned"
    REFUSED = "refused"
    """Our own gateway would not take it: a person must look."""
    WITHDRAWN = "withdrawn"
    """Taken back by ourselves before it was sent."""


GIVEN_BACK: Final = frozenset({OutboxState.REJECTED, OutboxState.RETURNED})
"""States after which the number may be issued again."""


class RecallState(StrEnum):
    """How far a voucher of ours that came back is back from everybody.

    DUE ─▶ WAITING ─▶ DUE ─▶ BACK ─▶ VOIDING ─▶ VOID
     └─▶ KEPT
    """

    DUE = "due"
    """Where it stands with its recipients is to be looked at."""
    WAITING = "waiting"
    """Its other recipients are asked to return it too."""
    BACK = "back"
    """Nobody holds it any more."""
    VOIDING = "voiding"
    """Its number is to be issued again: it is to be void before that."""
    VOID = "void"
    """It is void (作废), and the gateway lets the next issue follow."""
    KEPT = "kept"
    """One of its recipients has acted on it: a person must look."""


class Base(DeclarativeBase):
    """Declares the tables."""


class _Keyed:
    """The columns of a voucher's key, and what follows from them."""

    issuer: Mapped[str] = mapped_column(String(31))
    adm_div: Mapped[str] = mapped_column(String(9))
    fiscal_year: Mapped[int]
    type_code: Mapped[int]
    number: Mapped[str] = mapped_column(String(42))
    issue: Mapped[int]

    @property
    def key(self) -> VoucherKey:
        """The voucher's name in the books."""
        return VoucherKey(
            issuer=self.issuer,
            adm_div=self.adm_div,
            fiscal_year=self.fiscal_year,
            type_code=self.type_code,
            number=self.number,
            issue=self.issue,
        )


KEY: Final = ("issuer", "adm_div", "fiscal_year", "type_code", "number", "issue")
"""Columns of a voucher's key, by the names of its parts."""


def key_columns(key: VoucherKey) -> dict[str, str | int]:
    """Return what the columns of a voucher's key hold."""
    return {name: getattr(key, name) for name in KEY}


class InboxEntry(_Keyed, Base):
    """A voucher that came."""

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint(*KEY),)

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    # Large, and wanted rarely: loaded when it is asked for.
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    arrived: Mapped[str] = mapped_column(String(8))
    """Day of its arrival in China, `yyyymmdd`."""
    state: Mapped[InboxState] = mapped_column(
        Enum(InboxState, native_enum=False, length=12, values_callable=list),
        index=True,
    )
    note: Mapped[str] = mapped_column(String(NOTE_MAX), default="")
    day: Mapped[str] = mapped_column(String(8), default="")
    """Day on which it was booked, `yyyymmdd`; empty while it is not."""

    @property
    def reference(self) -> Reference:
        """The voucher."""
        return Reference(self.key, self.digest)


class NumberSeries(Base):
    """How many numbers of a series were given: see `numbers`."""

    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    given: Mapped[int]


class CopyEntry(Base):
    """The copy of another's receipt (回单抄送) that was booked."""

    __tablename__ = "inbox_copies"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """Of the receipt."""


class OutboxEntry(_Keyed, Base):
    """A voucher of ours; one row for each issue of its number."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint(*KEY),
        # Counted whenever a number is given.
        Index("ix_outbox_kind", "type_code", "fiscal_year", "issue"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    draft: Mapped[bytes] = mapped_column(deferred=True)
    """What it says, as `office.payload_of` encodes it."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"", index=True)
    """Empty until the gateway has written it."""
    cause: Mapped[bytes] = mapped_column(LargeBinary(32), default=b"", index=True)
    """Digest of the voucher that it was made from; empty if from none."""
    planned: Mapped[str] = mapped_column(String(8))
    """Day on which it was planned in China, `yyyymmdd`."""
    state: Mapped[OutboxState] = mapped_column(
        Enum(OutboxState, native_enum=False, length=12, values_callable=list),
        index=True,
    )
    note: Mapped[str] = mapped_column(String(NOTE_MAX), default="")
    answered: Mapped[str] = mapped_column(String(8), default="")
    """Day on which its receipt came, `yyyymmdd`; empty while none did."""

    @property
    def reference(self) -> Reference:
        """The voucher, once the gateway has written it."""
        return Reference(self.key, self.digest)


class RecallEntry(Base):
    """A voucher of ours that came back and is to come back from all its recipients."""

    __tablename__ = "recalls"

    entry: Mapped[int] = mapped_column(primary_key=True)
    """The voucher, by its number in the outbox."""
    state: Mapped[RecallState] = mapped_column(
        Enum(RecallState, native_enum=False, length=12, values_callable=list),
        index=True,
    )
    note: Mapped[str] = mapped_column(String(NOTE_MAX), default="")
    """Why it came back; of one that is kept, who keeps it."""
    asked: Mapped[str] = mapped_column(String(8), default="")
    """Day on which its other recipients were asked, `yyyymmdd`; empty if not yet."""


class Holds(StrEnum):
    """What holds of a voucher whose receipt does not agree."""

    VOUCHER = "voucher"
    """It was done as the voucher says: the receipt is wrong."""
    RECEIPT = "receipt"
    """What the receipt says was done, and no more."""
    NOTHING = "nothing"
    """Nothing was done."""


class SettlementEntry(Base):
    """What people have agreed about a voucher whose receipt does not agree (协商解决).

    Each of two persons signs it; it holds once both have.
    """

    __tablename__ = "settlements"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """Of the voucher."""
    name: Mapped[str] = mapped_column(String(120))
    """Of the voucher, for people."""
    holds: Mapped[Holds] = mapped_column(
        Enum(Holds, native_enum=False, length=12, values_callable=list)
    )
    reason: Mapped[str] = mapped_column(String(NOTE_MAX))
    """Why, and with whom it was agreed."""
    day: Mapped[str] = mapped_column(String(8))
    """Day on which the first person signed, `yyyymmdd`."""
    first: Mapped[str] = mapped_column(String(120))
    """Identity of the person who signed first."""
    first_certificate: Mapped[bytes]
    first_signature: Mapped[bytes]
    second: Mapped[str] = mapped_column(String(120), default="")
    """The same of the second person; empty while only one has signed."""
    second_certificate: Mapped[bytes] = mapped_column(default=b"")
    second_signature: Mapped[bytes] = mapped_column(default=b"")
