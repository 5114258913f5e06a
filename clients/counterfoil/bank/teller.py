"""The teller: takes every payment from one state of the journal to the next.

Each step reads one state, does one thing and commits what came of it. A crash
anywhere leaves a state from which the same step is done again; all that the
gateway is asked may be asked twice. The core alone must never be: see `_call_core`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.bank.checks import objections
from counterfoil.bank.core import (
    CoreRefused,
    CoreTimeout,
    PaymentOrder,
    SimulatedCore,
    Transfer,
)
from counterfoil.bank.counter import is_by_counter, meet_waiting
from counterfoil.bank.forms import notices_of, receipt_of
from counterfoil.bank.journal import (
    Journal,
    Payment,
    State,
    book_paid,
    same_number,
)
from counterfoil.bank.kinds import PAYMENTS
from counterfoil.bank.lines import lines_of
from counterfoil.business.contents import content_of
from counterfoil.business.days import day_of
from counterfoil.business.outcomes import Tell, begun_before, settled
from counterfoil.business.rows import put, store
from counterfoil.business.tables import key_columns
from counterfoil.office import (
    ActOutcome,
    Arrival,
    Desk,
    DeskRefused,
    DocumentKind,
    Outcome,
    Reason,
    Step,
    Voucher,
)

BATCH: Final = 64
"""Vouchers that are held in memory together."""

_NOT_BEGUN: Final = frozenset({State.READ, State.ACCEPTED, State.REJECTED})


@dataclass(frozen=True, slots=True)
class Teller:
    """Accepts, pays and answers vouchers.

    Attributes:
        party: Our party code.
        desk: The desk at our own gateway.
        journal: Our books.
        core: What pays.
        clock: Says on which day a payment is made.
        tell: Is told how far we are.
        units: Party codes of units by their agency codes, who hear of 5201.
    """

    party: str
    desk: Desk
    journal: Journal
    core: SimulatedCore
    clock: Callable[[], datetime]
    tell: Tell
    units: Mapping[str, str] = field(default_factory=dict)

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Return the arrivals about payments of others that we make."""
        return [
            one
            for one in arrivals
            if one.voucher.key.issuer != self.party
            and one.voucher.key.type_code in PAYMENTS
        ]

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to do before something else comes."""
        return self.journal.is_at_rest()

    def recover(self) -> None:
        """Begin after a crash: what the core was called for is unknown now."""
        self._move(self.journal.in_state(State.CALLING), State.UNKNOWN)

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Write down what has come, and hear what the issuers ask."""
        steps: list[Arrival] = []
        asked: list[Step] = []
        refused = 0
        with self.journal.writing() as session:
            for arrival in arrivals:
                match content_of(arrival.sealed):
                    case Voucher() as voucher:
                        refused += _write_down(session, arrival, voucher)
                    case Step() as step:
                        asked.append(step)
                        steps.append(arrival)
                    case _:
                        steps.append(arrival)
        for step in asked:
            self._hear(step)
        self.desk.acknowledge(steps)
        if refused:
            self.tell("papers-refused", refused)

    def work(self) -> None:
        """Take every payment one step further, as far as each can go now."""
        self._answer()
        self._begin()
        self._call_core()
        self._tell_outcomes()
        self._ask_core()
        self._tell_outcomes()
        self._close()

    def _hear(self, step: Step) -> None:
        """Do what an issuer's step asks, if nothing was begun."""
        payment = self.journal.payment(step.voucher.digest)
        if payment is None or payment.state not in _NOT_BEGUN:
            return
        if step.kind is DocumentKind.DISCARD:
            self._move([payment], State.VOID, step.explanation)
        elif step.kind is DocumentKind.RETURN_REQUEST:
            self._move([payment], State.UNDONE, f"应发送方要求退回：{step.explanation}")

    def _answer(self) -> None:
        """Accept or reject what was read (签收)."""
        read = self.journal.in_state(State.READ)
        good = [payment for payment in read if not payment.note]
        bad = [payment for payment in read if payment.note]
        self._settle(
            good,
            self.desk.accept(payment.reference for payment in good),
            State.ACCEPTED,
            "accepted",
        )
        self._settle(
            bad,
            self.desk.reject(Reason(one.reference, one.note) for one in bad),
            State.REJECTED,
            "rejected",
        )

    def _begin(self) -> None:
        """Tell the gateway that we are about to pay (开始办理)."""
        due = self.journal.due()
        outcomes = self.desk.begin_acting(payment.reference for payment in due)
        # Begun already, says the gateway, and our journal knows that we have not called
        # the core for it: the answer to our first asking was lost.
        self._settle(
            due,
            [None if begun_before(outcome) else outcome for outcome in outcomes],
            State.BEGUN,
        )

    def _call_core(self) -> None:
        """Pay what was begun: journal first, then the core, each order once."""
        due = self.journal.in_state(State.BEGUN)
        if not due:
            return
        with self.journal.writing() as session:
            for payment in due:
                payment.attempt += 1
                payment.state = State.CALLING
                payment.pay_date = day_of(self.clock())
            store(session, due)
        for some in _batches(due):
            self._pay(some)
        with self.journal.writing() as session:
            store(session, due)
            book_paid(session, due)

    def _pay(self, payments: Sequence[Payment]) -> None:
        """Call the core once for each and note in them what came of it."""
        orders = [_order(one, voucher) for one, voucher in self._vouchers(payments)]
        for payment, outcome in zip(payments, self.core.pay_each(orders), strict=True):
            if isinstance(outcome, CoreRefused):
                payment.state, payment.note = State.REFUSED, str(outcome)
            elif isinstance(outcome, CoreTimeout):
                payment.state = State.UNKNOWN
            else:
                payment.state, payment.serial = State.PAID, outcome

    def _ask_core(self) -> None:
        """Ask about what is in doubt; what stays in doubt is asked next time."""
        for payment in self.journal.in_state(State.DOUBTED):
            try:
                serial = self.core.ask(payment.core_reference)
            except CoreTimeout:
                continue
            with self.journal.writing() as session:
                payment.serial = serial or ""
                payment.state = State.ABSENT if serial is None else State.PAID
                store(session, [payment])
                book_paid(session, [payment])
            self.tell("cleared-up", 1)

    def _tell_outcomes(self) -> None:
        """Tell the gateway what came of our acts (办理结果)."""
        for state, outcome, following, what in (
            (State.UNKNOWN, ActOutcome.UNKNOWN, State.DOUBTED, "unknown"),
            (State.PAID, ActOutcome.DONE, State.ACTED, "paid"),
            (State.REFUSED, ActOutcome.NOT_DONE, State.UNDONE, ""),
            (State.ABSENT, ActOutcome.NOT_DONE, State.ACCEPTED, ""),
        ):
            payments = self.journal.in_state(state)
            told = self.desk.end_acting((one.reference, outcome) for one in payments)
            self._settle(payments, told, following, what)

    def _close(self) -> None:
        """Issue receipts and entry notices; return what cannot be paid."""
        acted = self.journal.in_state(State.ACTED)
        self._settle(
            acted,
            self.desk.issue_receipt(
                receipt_of(one, voucher, self.party)
                for one, voucher in self._vouchers(acted)
            ),
            State.RECEIPTED,
            "receipted",
        )
        undone = self.journal.in_state(State.UNDONE)
        self._settle(
            undone,
            self.desk.return_vouchers(
                Reason(one.reference, one.note) for one in undone
            ),
            State.RETURNED,
            "returned",
        )
        receipted = self.journal.in_state(State.RECEIPTED)
        if not receipted:
            return
        notices = [
            notices_of(one, voucher, self.party, self.units)
            for one, voucher in self._vouchers(receipted)
        ]
        told = iter(self.desk.submit(notice for some in notices for notice in some))
        outcomes = [_of_all([next(told) for _ in some]) for some in notices]
        self._settle(receipted, outcomes, State.CLOSED)
        sent = sum(
            len(some)
            for some, outcome in zip(notices, outcomes, strict=True)
            if outcome is None
        )
        if sent:
            self.tell("noticed", sent)

    def _settle(
        self,
        payments: Sequence[Payment],
        outcomes: Sequence[Outcome | None],
        following: State,
        what: str = "",
    ) -> None:
        """Note the gateway's answers: done goes on, busy waits, refused stops."""
        done = settled(self.journal, payments, outcomes, following, State.STOPPED)
        if what and done:
            self.tell(what, done)

    def _move(
        self, payments: Iterable[Payment], state: State, note: str | None = None
    ) -> None:
        some = list(payments)
        for payment in some:
            payment.state = state
            payment.note = payment.note if note is None else note
        with self.journal.writing() as session:
            store(session, some)

    def _vouchers(
        self, payments: Sequence[Payment]
    ) -> Iterator[tuple[Payment, Voucher]]:
        """Yield payments with what they are made for, some at a time."""
        for some in _batches(payments):
            sealed = self.journal.sealed_of([one.digest for one in some])
            for one in some:
                content = content_of(sealed[one.digest])
                assert isinstance(content, Voucher), "the journal holds vouchers only"
                yield one, content


def _batches(payments: Sequence[Payment]) -> Iterator[Sequence[Payment]]:
    """Yield payments by so many as are held in memory together."""
    for start in range(0, len(payments), BATCH):
        yield payments[start : start + BATCH]


def _order(payment: Payment, voucher: Voucher) -> PaymentOrder:
    """Return what the core is called for."""
    return PaymentOrder(
        reference=payment.core_reference,
        number=payment.number,
        issue=payment.issue,
        transfers=[
            Transfer(line.row_id, line.account, line.amount_fen)
            for line in lines_of(voucher.form)
        ],
        attempt=payment.attempt,
    )


def _of_all(outcomes: Sequence[Outcome]) -> Outcome | None:
    """Return the first refusal of several items; None if all are done."""
    return next((one for one in outcomes if isinstance(one, DeskRefused)), None)


def _write_down(session: Session, arrival: Arrival, voucher: Voucher) -> int:
    """Check a voucher and put it into the journal; once, by its digest.

    Returns:
        How many papers were refused that had waited for its number.
    """
    same = same_number(session, arrival.voucher.key)
    if any(one.digest == arrival.digest for one in same):
        return 0
    payment = Payment(
        **key_columns(voucher.key),
        digest=arrival.digest,
        sealed=arrival.sealed,
        amount_fen=voucher.form.fen("pay_amt_fen"),
        account=voucher.form.text("pay_acct_no"),
        state=State.READ,
        by_counter=is_by_counter(voucher.key.type_code, voucher.form),
        note="；".join(objections(voucher, same)),
    )
    refused = 0
    if payment.by_counter and not payment.note:
        refused = meet_waiting(session, payment, day_of(arrival.arrival_time))
    put(session, [payment])
    return refused
