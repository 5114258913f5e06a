"""The unit's system at a desk in memory, with books in a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from counterfoil.business.clerks import Clerks
from counterfoil.business.codes import PaymentWay
from counterfoil.business.days import noon, read_day
from counterfoil.business.tables import InboxEntry, InboxState, OutboxState
from counterfoil.business.turns import give_out, work
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Desk, Form, Receipt, Voucher
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.unit import allotments, requests
from counterfoil.unit.accounts import left_fen
from counterfoil.unit.figures import Figures, figures
from counterfoil.unit.kinds import DealMode
from counterfoil.unit.system import Unit, books_at
from counterfoil.unit.tables import Request, RequestState
from counterfoil.unit.wishes import Item, Wish
from tests.unit.budget_unit.papers import (
    DAY,
    FUNCTION,
    OFFICE,
    UNIT,
    entry,
    item,
    plan,
)
from tests.unit.business.house import reviewers_of
from tests.unit.business.system_desk import SystemDesk
from tests.unit.office.loopback import Loopback, access_of


class UnitHouse:
    """A unit's system with its gateway."""

    def __init__(self, folder: Path, ca: DevelopmentCa, gateway: Loopback) -> None:
        self.desk = SystemDesk(gateway, UNIT)
        gateway.start()
        self.address = gateway.address
        self.client = Desk(self.address, access_of(ca, "system", "1", UNIT))
        self.reviewers = reviewers_of(ca, gateway.address, UNIT)
        self.url = f"sqlite:///{folder / 'books.sqlite'}"
        self.books = books_at(self.url)
        self.told: Counter[str] = Counter()
        self.now = noon(read_day(DAY))
        self.clock: Callable[[], datetime] = lambda: self.now
        self.allot(plan(PaymentWay.DIRECT), plan(PaymentWay.AUTHORISED))

    def unit(self, desk: Desk | None = None) -> Unit:
        system = desk or self.client
        return Unit(
            office=OFFICE,
            desk=system,
            clerks=Clerks(system, self.reviewers, self.clock),
            books=self.books,
            clock=self.clock,
            tell=self._tell,
        )

    def turn(self, desk: Desk | None = None) -> None:
        """Read what is there, give it out, and work until nothing is left."""
        takers = self.unit(desk).takers()
        for arrivals in self.client.read():
            give_out(arrivals, takers)
        work(takers)

    def allot(self, *grants: allotments.Grant) -> int:
        with self.books.writing() as session:
            return allotments.enter(session, grants)

    def ask(self, *items: Item, mode: DealMode | None = None) -> str:
        """Enter a request for the items, or for one; return its number."""
        wish = Wish(items=items or (item(),), mode=mode)
        with self.books.writing() as session:
            return requests.enter(session, OFFICE, wish, DAY).number

    def pay(self, *items: Item, mode: DealMode = DealMode.SELF_SERVICE) -> str:
        return self.ask(*items, mode=mode)

    def left(self, way: PaymentWay, function: str = FUNCTION) -> int:
        with self.books.reading() as session:
            return left_fen(session, 2026, way, function)

    def figures(self) -> Figures:
        with self.books.reading() as session:
            return figures(session)

    def request(self, number: str) -> tuple[RequestState, str]:
        with self.books.reading() as session:
            asked, _ = requests.find(session, number)
            return asked.state, asked.note

    def outbox_state(self, number: str) -> OutboxState:
        with self.books.reading() as session:
            _, entry = requests.find(session, number)
            return entry.state

    def rows_of(self, number: str) -> tuple[tuple[str, int], ...]:
        with self.books.reading() as session:
            asked: Request = requests.find(session, number)[0]
            return tuple((line.row_id, line.amount_fen) for line in asked.lines)

    def sent(self, number: str, issue: int = 1) -> voucher_pb2.Voucher:
        return self.desk.issued.voucher(self.desk.issued.digest(number, issue))

    def bring_receipt(self, number: str) -> None:
        """Let the bank's receipt of a payment arrive."""
        fen = sum(amount for _, amount in self.rows_of(number))
        form = Form({"x_pay_date": DAY, "x_pay_amt_fen": fen})
        reference = self.desk.reference(number)
        self.desk.receipt(Receipt(voucher=reference, by="420000-102", form=form))

    def bring(self, kind: DocumentKind, number: str, text: str, issue: int = 1) -> None:
        """Let a step about a request of ours arrive."""
        self.desk.step(kind, self.desk.reference(number, issue), text)

    def enter(self, number: str, notice: str = "") -> bytes:
        """Let the entry notice of a payment of ours arrive, and take it."""
        told = entry(
            notice or f"RZ{number}", self.rows_of(number), original=("8202", number)
        )
        return self.come(told)

    def come(self, *vouchers: Voucher) -> bytes:
        """Let vouchers arrive and take them; return the digest of the last."""
        digests = [self.desk.arrive(one) for one in vouchers]
        self.turn()
        return digests[-1]

    def state(self, digest: bytes) -> InboxState:
        with self.books.reading() as session:
            return session.get_one(InboxEntry, digest).state

    def standing(self, digest: bytes) -> Standing:
        return self.desk.standings[digest]

    def reason(self, digest: bytes) -> str:
        return self.desk.explanations[digest]

    def receipt(self, digest: bytes) -> voucher_pb2.Receipt:
        [one] = [each for each in self.desk.receipts if each.voucher.digest == digest]
        return one

    def close(self) -> None:
        for desk in (self.client, *(one.desk for one in self.reviewers)):
            desk.close()
        self.books.close()

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count
