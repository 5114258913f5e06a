"""The bank's system at a desk in memory, with books in a folder."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import select

from counterfoil.bank.accounts import Totals, balance_fen, totals
from counterfoil.bank.clearing import apply_for_clearing
from counterfoil.bank.core import CorePlan, Fate, SimulatedCore
from counterfoil.bank.journal import Journal, Payment, State
from counterfoil.bank.refunds import Match, apply_for_refunds, came_back
from counterfoil.bank.system import System
from counterfoil.bank.tables import Refund, RefundState
from counterfoil.business.clerks import Reviewer
from counterfoil.business.days import day_of
from counterfoil.business.planning import draft_of
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.business.turns import Taker, give_out, work
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.office import (
    Desk,
    Form,
    Person,
    Receipt,
    Reference,
    Voucher,
)
from tests.unit.bank.papers import BANK, OFFICE, TREASURY
from tests.unit.business.system_desk import SystemDesk
from tests.unit.office.dying_desk import Crash, DyingDesk
from tests.unit.office.loopback import Loopback, access_of

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
DAY = "20260301"


Closable = TypeVar("Closable", Desk, Journal, SimulatedCore)


class BankHouse:
    """The bank's system with its gateway."""

    def __init__(self, folder: Path, ca: DevelopmentCa, gateway: Loopback) -> None:
        self.desk = SystemDesk(gateway, BANK)
        gateway.start()
        self._opened = ExitStack()
        self.client = self._open(
            Desk(gateway.address, access_of(ca, "system", "1", BANK))
        )
        self.reviewers = []
        for name in ("first", "second"):
            access = access_of(ca, "person", name, BANK)
            desk = self._open(Desk(gateway.address, access))
            person = Person.from_pem(access.certificate, access.key)
            self.reviewers.append(Reviewer(desk, person))
        self.journal = self._open(Journal(f"sqlite:///{folder / 'books.sqlite'}"))
        self._core_url = f"sqlite:///{folder / 'core.sqlite'}"
        self.core = self._open(SimulatedCore(self._core_url, CorePlan()))
        self.told: Counter[str] = Counter()
        self.now = NOON
        self.dies: tuple[str, str] | None = None
        self.crashes = 0

    def system(self, desk: Desk | None = None) -> System:
        return System(
            party=BANK,
            office=OFFICE,
            desk=desk or self.client,
            reviewers=self.reviewers,
            journal=self.journal,
            core=self.core,
            clock=lambda: self.now,
            tell=self._tell,
        )

    def dying(self, at: str, when: str) -> System:
        """Return a system whose program dies at a call, `before` or `after` it."""
        heard = when == "after"
        if at != "review":
            desk = DyingDesk(self.client, at, heard=heard)
            return self.system(cast("Desk", desk))
        second = self.reviewers[1]
        desk = DyingDesk(second.desk, at, heard=heard)
        reviewers = [self.reviewers[0], replace(second, desk=cast("Desk", desk))]
        return replace(self.system(), reviewers=reviewers)

    def turn(self, system: System | None = None) -> None:
        """Begin anew, read what is there and take everything as far as it goes.

        If it is to die (`dies`), it dies first, and is started again.
        """
        if self.dies is not None:
            try:
                self._turn(self.dying(*self.dies).takers())
            except Crash:
                self.crashes += 1
        self._turn((system or self.system()).takers())

    def work_once(self) -> None:
        """Read what is there and let the teller take it one step further."""
        teller = self.system().teller()
        for arrivals in self.client.read():
            teller.take(arrivals)
        teller.work()

    def go_wrong(self, **fates: Fate) -> None:
        """Let the core do so to the vouchers of these numbers."""
        self.core = self._open(SimulatedCore(self._core_url, CorePlan(fates=fates)))

    def arrive(self, *vouchers: Voucher) -> list[bytes]:
        return [self.desk.arrive(one) for one in vouchers]

    def pay(self, *vouchers: Voucher) -> list[bytes]:
        """Let payments arrive and be made."""
        digests = self.arrive(*vouchers)
        self.turn()
        return digests

    def apply(self) -> int:
        """Apply for clearing, and for refunds that were held."""
        count = apply_for_clearing(self.journal, OFFICE, day_of(self.now))
        with self.journal.writing() as session:
            apply_for_refunds(session, OFFICE, day_of(self.now), held=True)
        return count

    def applied(self, type_code: int) -> list[str]:
        """Return the numbers of what we issued of a kind."""
        return [one.number for one in self.entries(type_code)]

    def entries(self, type_code: int) -> list[OutboxEntry]:
        with self.journal.reading() as session:
            return list(
                session.scalars(
                    select(OutboxEntry)
                    .filter_by(type_code=type_code)
                    .order_by(OutboxEntry.id)
                )
            )

    def issued(self, number: str) -> Voucher:
        """Return a voucher that we planned, as our books have it."""
        with self.journal.reading() as session:
            [entry] = session.scalars(select(OutboxEntry).filter_by(number=number))
            return draft_of(entry)

    def issued_state(self, number: str) -> OutboxState:
        with self.journal.reading() as session:
            [entry] = session.scalars(select(OutboxEntry).filter_by(number=number))
            return entry.state

    def clear(self, number: str, *, fen: int | None = None, by: str = TREASURY) -> None:
        """Let the treasury's receipt of an application arrive."""
        amount = self.issued(number).form.fen("pay_amt_fen")
        self.answer(
            number,
            {
                "x_clear_date": day_of(self.now),
                "x_pay_amt_fen": amount if fen is None else fen,
            },
            by=by,
        )

    def answer(
        self, number: str, fields: dict[str, str | int], *, by: str = TREASURY
    ) -> None:
        """Let a receipt of a voucher of ours arrive, and book it."""
        self.desk.receipt(
            Receipt(voucher=self.reference(number), by=by, form=Form(fields))
        )
        self.turn()

    def give_back(
        self, number: str, why: str, kind: DocumentKind = DocumentKind.RETURN
    ) -> None:
        """Let a return of a voucher of ours arrive, and book it."""
        self.desk.step(kind, self.reference(number), why)
        self.turn()

    def reference(self, number: str) -> Reference:
        return self.desk.reference(number)

    def refund(self, number: str, row_id: str, fen: int) -> Refund:
        """Let money come back, and ask the payer."""
        with self.journal.writing() as session:
            match = Match(number=number, row_id=row_id)
            refund = came_back(session, OFFICE, match, (fen, "账号有误"), DAY)
        self.turn()
        return refund

    def refund_state(self, refund: Refund) -> RefundState:
        with self.journal.reading() as session:
            return session.get_one(Refund, refund.id).state

    def payment(self, digest: bytes) -> Payment:
        payment = self.journal.payment(digest)
        assert payment is not None
        return payment

    def state(self, digest: bytes) -> State:
        return self.payment(digest).state

    def totals(self) -> Totals:
        with self.journal.reading() as session:
            return sum(totals(session).values(), Totals())

    def balance_fen(self, account: str) -> int:
        with self.journal.reading() as session:
            return balance_fen(session, account)

    def close(self) -> None:
        self._opened.close()

    def _turn(self, takers: list[Taker]) -> None:
        for arrivals in self.client.read():
            give_out(arrivals, takers)
        work(takers)

    def _open(self, one: Closable) -> Closable:
        self._opened.callback(one.close)
        return one

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count
