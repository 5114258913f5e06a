"""Finance's desk in memory, as issuer and as recipient, and its system at it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.codes import PaymentWay
from counterfoil.business.days import day_of
from counterfoil.business.planning import draft_of
from counterfoil.business.tables import (
    InboxEntry,
    InboxState,
    OutboxEntry,
    OutboxState,
)
from counterfoil.business.turns import Taker, give_out, work
from counterfoil.business.working_days import WorkingDays
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.finance import allotments, budget, orders
from counterfoil.finance.allotments import AllotmentKey
from counterfoil.finance.books import Books
from counterfoil.finance.figures import Totals, totals
from counterfoil.finance.kinds import (
    AUTHORISED_QUOTA,
    CLEARING_APPLICATION,
    CLEARING_ORDER,
    DIRECT_QUOTA,
    LISTED,
    PAYMENT,
    REFUND,
)
from counterfoil.finance.orders import Order
from counterfoil.finance.plans import Grant, Plan
from counterfoil.finance.system import Alarm, Finance
from counterfoil.finance.tables import Allotment, Finding
from counterfoil.office import (
    Desk,
    Form,
    Person,
    Receipt,
    Reference,
    Voucher,
    VoucherKey,
)
from counterfoil.office.messages import (
    draft_message,
)
from counterfoil.sealed.v1 import voucher_pb2
from tests.unit.business.system_desk import SystemDesk
from tests.unit.finance.papers import DAY, OFFICE, SCHOOL, TREASURY
from tests.unit.office.loopback import PARTY, Loopback, access_of

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
"""Noon of `papers.DAY` in China."""


class FinanceDesk(SystemDesk):
    """Says when something arrived: statements are answered in time, or late."""

    now = NOON

    def _note(
        self, kind: DocumentKind, payload: bytes, key: VoucherKey, subject: bytes
    ) -> None:
        super()._note(kind, payload, key, subject)
        self._arrived[-1].arrival_time.FromDatetime(self.now)


def filled(voucher: Voucher, day: str = DAY, *, short_fen: int = 0) -> Form:
    """Return what a recipient fills in when all is well, or too little was paid."""
    form, kind = voucher.form, voucher.key.type_code
    if kind in LISTED:
        return Form({"x_acct_date": day})
    paid = form.fen("pay_amt_fen") - short_fen
    if kind in {CLEARING_ORDER, REFUND, CLEARING_APPLICATION}:
        return Form({"x_clear_date": day, "x_pay_amt_fen": paid})
    if kind in {AUTHORISED_QUOTA, DIRECT_QUOTA}:
        return Form({})
    rows = tuple(
        {
            "id": row["id"],
            "x_pay_amt_fen": int(row["pay_amt_fen"]) - (short_fen if not n else 0),
            "x_pay_date": day,
        }
        for n, row in enumerate(form.rows)
    )
    if kind == PAYMENT:
        return Form({"x_pay_date": day, "x_pay_amt_fen": paid}, rows)
    return Form({}, rows)


class House:
    """A finance department's system at its desk, with books in a folder."""

    def __init__(self, folder: Path, ca: DevelopmentCa, gateway: Loopback) -> None:
        self.desk = FinanceDesk(gateway, PARTY)
        gateway.start()
        self.address = gateway.address
        self.client = Desk(gateway.address, access_of(ca, "system", "1"))
        self.url = f"sqlite:///{folder / 'books.sqlite'}"
        self.books = Books(self.url)
        self.told: Counter[str] = Counter()
        self.now = NOON
        self.warned: list[str] = []
        people = [access_of(ca, "person", name) for name in ("first", "second")]
        self._people = [Desk(gateway.address, one) for one in people]
        self.reviewers = [
            Reviewer(desk, Person.from_pem(one.certificate, one.key))
            for desk, one in zip(self._people, people, strict=True)
        ]

    def takers(
        self, desk: Desk | None = None, *, second: Desk | None = None
    ) -> tuple[Taker, ...]:
        """Return the system as it is after a start, at this desk or another.

        Args:
            desk: Of the system.
            second: Of the person who reviews last.
        """
        at = desk or self.client
        reviewers = list(self.reviewers)
        if second is not None:
            reviewers[1] = replace(reviewers[1], desk=second)
        return Finance(
            office=OFFICE,
            desk=at,
            clerks=Clerks(at, reviewers, lambda: self.now),
            books=self.books,
            clock=lambda: self.now,
            tell=self._tell,
            alarm=Alarm(WorkingDays(), self.warned.append),
        ).takers()

    def turn(self, takers: tuple[Taker, ...] | None = None) -> None:
        """Read what is there, and take everything as far as it goes."""
        mine = takers or self.takers()
        for arrivals in self.client.read():
            give_out(arrivals, mine)
        work(mine)

    def run(self, *vouchers: Voucher) -> list[bytes]:
        """Let vouchers arrive, and everything go as far as it can."""
        self.desk.now = self.now
        digests = [self.desk.arrive(one) for one in vouchers]
        self.turn()
        return digests

    def allot(self, *grants: Grant, number: str = "") -> None:
        """Enter a plan; by default what `papers.application` needs, twice."""
        lines = grants or tuple(
            Grant(unit=SCHOOL.code, function=one, way=PaymentWay.DIRECT, amount_fen=500)
            for one in ("2010101", "2050202")
        )
        with self.books.writing() as session:
            made = session.query(Allotment).count()
            plan = Plan(number or f"YK{made}", lines)
            budget.enter(session, OFFICE, plan, self.day)

    def left(
        self,
        function: str = "2010101",
        way: PaymentWay = PaymentWay.DIRECT,
        unit: str = SCHOOL.code,
    ) -> int:
        """Return what is left of an allotment of the school's."""
        key = AllotmentKey(
            fiscal_year=2026, top=SCHOOL.top, unit=unit, function=function, way=way
        )
        with self.books.reading() as session:
            return allotments.left_fen(session, key)

    @property
    def second(self) -> Desk:
        """The desk of the person who reviews last."""
        return self._people[1]

    @property
    def day(self) -> str:
        """Today in China."""
        return day_of(self.now)

    @property
    def totals(self) -> Totals:
        """What the books say in short."""
        with self.books.reading() as session:
            return totals(session, OFFICE)

    def issued(self, type_code: int) -> list[Voucher]:
        """Return what was planned of a kind, in order."""
        with self.books.reading() as session:
            entries = session.scalars(
                select(OutboxEntry)
                .where(OutboxEntry.type_code == type_code)
                .order_by(OutboxEntry.id)
            )
            return [draft_of(one) for one in entries]

    def entries(self, type_code: int) -> list[OutboxEntry]:
        """Return where our vouchers of a kind stand, in order."""
        with self.books.reading() as session:
            return list(
                session.scalars(
                    select(OutboxEntry)
                    .where(OutboxEntry.type_code == type_code)
                    .order_by(OutboxEntry.id)
                )
            )

    def state(self, type_code: int, place: int = 0) -> OutboxState:
        """Return where one of our vouchers stands."""
        return self.entries(type_code)[place].state

    def taken(self, digest: bytes) -> InboxState:
        """Return where a voucher of another's stands with us."""
        with self.books.reading() as session:
            return session.get_one(InboxEntry, digest).state

    def standing(self, digest: bytes) -> Standing:
        """Return where it stands at the gateway."""
        return self.desk.standings[digest]

    def reason(self, digest: bytes) -> str:
        """Return why it was rejected or returned."""
        return self.desk.explanations[digest]

    def findings(self) -> list[tuple[str, str]]:
        """Return what a person has to look at: about which paper, and what."""
        with self.books.reading() as session:
            found = session.scalars(select(Finding).order_by(Finding.name))
            return [(one.name.rpartition("/")[2], one.text) for one in found]

    def told_of(self, digest: bytes) -> voucher_pb2.Receipt:
        """Return the receipt that we gave for a voucher of another's: always one."""
        given = [one for one in self.desk.receipts if one.voucher.digest == digest]
        assert all(one == given[0] for one in given)
        return given[0]

    def order(self, type_code: int, order: Order) -> Voucher:
        """Enter an order to pay, and issue it."""
        with self.books.writing() as session:
            voucher = orders.enter(session, OFFICE, type_code, order, self.day)
        self.turn()
        return voucher

    def answered(
        self, type_code: int, place: int = 0, *, short_fen: int = 0, day: str = ""
    ) -> None:
        """Let the receipt of one of our vouchers come, and take it."""
        entry = self.entries(type_code)[place]
        form = filled(
            self.issued(type_code)[place], day or self.day, short_fen=short_fen
        )
        self.desk.receipt(Receipt(voucher=entry.reference, by="x", form=form))
        self.turn()

    def given_back(
        self,
        type_code: int,
        place: int = 0,
        *,
        kind: DocumentKind = DocumentKind.RETURN,
        explanation: str = "账号不存在",
        by: str = TREASURY,
    ) -> None:
        """Let one of our vouchers come back, and take that."""
        entry = self.entries(type_code)[place]
        self.desk.step(kind, entry.reference, explanation, by)
        self.turn()

    def copied(self, voucher: Voucher, *, short_fen: int = 0, day: str = "") -> bytes:
        """Let the copy of the treasury's receipt of a bank's voucher come."""
        digest = digest_of(voucher)
        form = filled(voucher, day or self.day, short_fen=short_fen)
        receipt = Receipt(
            voucher=Reference(voucher.key, digest), by=TREASURY, form=form
        )
        self.desk.receipt(receipt, voucher)
        self.turn()
        return digest

    def close(self) -> None:
        """Close desks and books."""
        for desk in (self.client, *self._people):
            desk.close()
        self.books.close()

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count


def digest_of(voucher: Voucher) -> bytes:
    """Return what names a voucher that somebody else issued."""
    payload = draft_message(voucher).voucher.SerializeToString()
    return hashlib.sha256(payload).digest()
