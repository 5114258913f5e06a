"""A small business system at a desk in memory: the engine, and books of a few lines.

It pays applications (2301) as long as its money lasts, notes notices (2203), and
issues payment orders (5201, reviewed by persons), lists (5553, submitted) and notices
of quota (5108, to two recipients).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from sqlalchemy import Engine, Select, delete, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from counterfoil.business import tables
from counterfoil.business.books import SqlBooks
from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.inbox import Inbox
from counterfoil.business.outbox import Outbox
from counterfoil.business.planning import find, plan
from counterfoil.business.tables import InboxEntry, InboxState, OutboxEntry, OutboxState
from counterfoil.business.turns import Taker, give_out
from counterfoil.business.works import Issue, Work
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.standing import Standing
from counterfoil.office import (
    Desk,
    Form,
    Person,
    Receipt,
    Step,
    Voucher,
    opened_payload,
)
from tests.forms import sound_voucher
from tests.unit.business.system_desk import SystemDesk
from tests.unit.office.dying_desk import DyingDesk
from tests.unit.office.loopback import PARTY, Loopback, access_of

BANK, TREASURY = "420000-102", "420000-001"
APPLICATION, NOTICE, ORDER, LIST, QUOTA = 2301, 2203, 5201, 5553, 5108
NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
"""It is the second of March in China."""
TODAY = "20260302"
MONEY_FEN = 1000
UNWELCOME, WAITING, LOOSE = "bad", "wait", "loose"
"""Numbers that begin so are objected to, wait for a voucher numbered `go`, or can be
undone when they are only taken."""


class OwnBase(DeclarativeBase):
    """Declares the table."""


class Booking(OwnBase):
    """What was booked."""

    __tablename__ = "bookings"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    amount_fen: Mapped[int] = mapped_column(default=0)


class Booked(Work):
    """Books a voucher once; what was begun pays as long as there is money."""

    def __init__(self, *, answers: bool) -> None:
        self.answers = answers

    def objections(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        del session, voucher
        if entry.number.startswith(UNWELCOME):
            yield "不受理"

    def is_due(self, session: Session, entry: InboxEntry) -> bool:
        if not entry.number.startswith(WAITING):
            return True
        return bool(session.scalar(_texts().where(Booking.text == "go")))

    def book(
        self, session: Session, entry: InboxEntry, voucher: Voucher
    ) -> Iterable[str]:
        fen = voucher.form.fen("pay_amt_fen")
        spent = session.scalar(select(func.sum(Booking.amount_fen))) or 0
        if spent + fen > MONEY_FEN:
            return ["余额不足"]
        session.add(Booking(text=entry.number, amount_fen=max(fen, 0)))
        return []

    def take_back(self, session: Session, entry: InboxEntry, voucher: Voucher) -> bool:
        del voucher
        if not entry.number.startswith(LOOSE):
            return False
        session.execute(delete(Booking).where(Booking.text == entry.number))
        return True

    def receipt(self, session: Session, entry: InboxEntry, voucher: Voucher) -> Receipt:
        del session
        amount = voucher.form.fen("pay_amt_fen")
        form = Form({"x_pay_amt_fen": amount, "x_clear_date": entry.day})
        return Receipt(voucher=entry.reference, by=PARTY, form=form)

    def copied(self, session: Session, voucher: Voucher, receipt: Receipt) -> None:
        del receipt
        session.add(Booking(text=f"copy {voucher.key.number}"))


class Told(Issue):
    """Books every answer that it is told of."""

    def receipted(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, receipt: Receipt
    ) -> None:
        del voucher, receipt
        session.add(Booking(text=f"receipt {entry.number}"))

    def given_back(
        self, session: Session, entry: OutboxEntry, voucher: Voucher, step: Step
    ) -> None:
        del voucher, step
        session.add(Booking(text=f"{entry.state.value} {entry.number}"))


def paper(
    type_code: int, number: str, fen: int = 0, *, issuer: str = "", to: str = ""
) -> Voucher:
    """Return a voucher that every rule of form allows; 100 fen unless said."""
    ours = type_code in {ORDER, LIST, QUOTA}
    sound = sound_voucher(
        type_code,
        issuer=issuer or (PARTY if ours else BANK),
        to=(to or (TREASURY if ours else PARTY),),
    )
    made = opened_payload(sound.SerializeToString())
    fields = {**made.form.fields, "voucher_no": number}
    row = dict(made.form.rows[0])
    if "voucher_bill_no" in row:
        row["voucher_bill_no"] = number
    if fen:
        fields["pay_amt_fen"] = row["pay_amt_fen"] = fen
    return replace(
        made, key=replace(made.key, number=number), form=Form(fields, (row,))
    )


def _texts() -> Select[str]:
    return select(Booking.text).order_by(Booking.id)


def reviewers_of(ca: DevelopmentCa, address: str, party: str = PARTY) -> list[Reviewer]:
    """Return the two persons who review, each at the own desk; close them."""
    people = [access_of(ca, "person", name, party) for name in ("first", "second")]
    return [
        Reviewer(Desk(address, one), Person.from_pem(one.certificate, one.key))
        for one in people
    ]


class House:
    """The system with its gateway."""

    def __init__(self, folder: Path, ca: DevelopmentCa, gateway: Loopback) -> None:
        self.desk = SystemDesk(gateway, PARTY)
        gateway.start()
        self.client = Desk(gateway.address, access_of(ca, "system", "1"))
        self.reviewers = reviewers_of(ca, gateway.address)
        url = f"sqlite:///{folder / 'books.sqlite'}"
        self.books = SqlBooks(url, tables.Base.metadata, OwnBase.metadata)
        self.told: Counter[str] = Counter()

    def inbox(self, desk: Desk | None = None) -> Inbox:
        return Inbox(
            PARTY,
            desk or self.client,
            self.books,
            {APPLICATION: Booked(answers=True), NOTICE: Booked(answers=False)},
            lambda: NOW,
            self._tell,
        )

    def outbox(self, desk: Desk | None = None, *, review: str = "") -> Outbox:
        """Return the outbox; with `review` the second person dies at it."""
        reviewers = list(self.reviewers)
        if review:
            second = reviewers[1]
            reviewers[1] = replace(second, desk=dying(second.desk, "review", review))
        system = desk or self.client
        return Outbox(
            PARTY,
            system,
            Clerks(system, reviewers, lambda: NOW),
            self.books,
            {ORDER: Told(), LIST: Told(), QUOTA: Told()},
            lambda: NOW,
            self._tell,
        )

    def turn(self, *takers: Taker) -> None:
        """Read what is there, give it out, and work once."""
        all_takers = takers or (self.inbox(), self.outbox())
        for arrivals in self.client.read():
            give_out(arrivals, all_takers)
        for taker in all_takers:
            taker.work()

    def plan(self, *vouchers: Voucher, cause: bytes = b"") -> None:
        with self.books.writing() as session:
            for one in vouchers:
                plan(session, one, TODAY, cause=cause)

    def entry(self, digest: bytes) -> InboxEntry:
        with self.books.reading() as session:
            return session.get_one(InboxEntry, digest)

    def state(self, digest: bytes) -> InboxState:
        return self.entry(digest).state

    def standing(self, digest: bytes) -> Standing:
        return self.desk.standings[digest]

    def issued(self, voucher: Voucher) -> OutboxEntry:
        with self.books.reading() as session:
            found = find(session, voucher.key)
        assert found is not None
        return found

    def issued_state(self, voucher: Voucher) -> OutboxState:
        return self.issued(voucher).state

    def bookings(self) -> list[str]:
        with self.books.reading() as session:
            return list(session.scalars(_texts()))

    def close(self) -> None:
        for desk in (self.client, *(one.desk for one in self.reviewers)):
            desk.close()
        self.books.close()

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count


def dying(desk: Desk, at: str, when: str) -> Desk:
    """Return a desk at which the program dies, `before` or `after` it is heard."""
    return cast("Desk", DyingDesk(desk, at, heard=when == "after"))


def dies_after(books: SqlBooks, act: Callable[[Session], object]) -> None:
    """Do something in a transaction that does not come to its end."""
    with books.writing() as session:
        act(session)
        raise KeyError


@contextmanager
def counted(what: str) -> Iterator[list[str]]:
    """Collect what happens at any database: `commit`, `before_cursor_execute`."""
    happened: list[str] = []

    def note(*_details: object) -> None:
        happened.append(what)

    event.listen(Engine, what, note)
    try:
        yield happened
    finally:
        event.remove(Engine, what, note)
