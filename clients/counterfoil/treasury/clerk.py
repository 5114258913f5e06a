"""The clerk: takes every voucher from one state of the books to the next.

Each step reads one state, does one thing and commits what came of it. A crash
anywhere leaves a state from which the same step is done again: all that the gateway is
asked may be asked twice, and an act is in the books whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from counterfoil.business.days import day_of
from counterfoil.business.outcomes import REASON_MAX, Tell, begun_before, settled
from counterfoil.office import (
    ActOutcome,
    Arrival,
    Desk,
    DocumentKind,
    Outcome,
    Reason,
    Step,
    Voucher,
    opened,
)
from counterfoil.treasury import closing
from counterfoil.treasury.acts import (
    act,
    is_alone,
    objections,
    partner_of,
    voucher_of,
)
from counterfoil.treasury.books import Books, Incoming, State
from counterfoil.treasury.entries import amount_field, quota_way
from counterfoil.treasury.forms import receipt_of
from counterfoil.treasury.kinds import ORDER, READ, Office

_NOT_BEGUN: Final = frozenset({State.READ, State.ACCEPTED})
_MAY_BEGIN: Final = frozenset({State.ACCEPTED, State.BEGUN})
"""States of one half of a pair in which the other may begin."""


@dataclass(frozen=True, slots=True)
class Clerk:
    """Accepts, acts on and answers vouchers.

    Attributes:
        office: Who we are.
        desk: The desk at our own gateway.
        books: Our books.
        clock: Says on which day something is booked.
        tell: Is told how far we are.
    """

    office: Office
    desk: Desk
    books: Books
    clock: Callable[[], datetime]
    tell: Tell

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Return the arrivals about vouchers that we act on."""
        return [one for one in arrivals if one.voucher.key.type_code in READ]

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Write down what has come, and hear what the issuers ask."""
        others: list[Arrival] = []
        asked: list[Step] = []
        with self.books.writing() as session:
            for arrival in arrivals:
                match opened(arrival.sealed):
                    case Voucher() as voucher:
                        _write_down(session, arrival, voucher)
                        continue
                    case Step() as step:
                        asked.append(step)
                    case _:
                        pass  # no answer: ours come to vouchers of ours
                others.append(arrival)
        for step in asked:
            self._hear(step)
        self.desk.acknowledge(others)

    def work(self) -> None:
        """Take every voucher one step further, as far as each can go now."""
        # What a crash left first: a list names receipts that finance has already.
        self._tell_outcomes()
        self._close()
        self._answer()
        self._begin()
        self._act()
        self._tell_outcomes()
        self._close()

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to do before something else comes."""
        return self.books.is_at_rest()

    def today(self) -> str:
        """Return the day in China, `yyyymmdd`."""
        return day_of(self.clock())

    def _hear(self, step: Step) -> None:
        """Do what an issuer's step asks, if nothing was begun."""
        one = self.books.incoming(step.voucher.digest)
        if one is None or one.state not in _NOT_BEGUN:
            return
        if step.kind is DocumentKind.DISCARD:
            self._move([one], State.VOID, step.explanation)
        elif step.kind is DocumentKind.RETURN_REQUEST:
            note = f"应发送方要求退回：{step.explanation}"
            self._move([one], State.UNDONE, note[:REASON_MAX])

    def _answer(self) -> None:
        """Check what was read; accept or reject it (签收)."""
        read = self.books.in_state(State.READ)
        with self.books.writing() as session:
            for one in read:
                mine = session.get_one(Incoming, one.digest)
                reasons = objections(session, mine, self.office)
                one.note = mine.note = "；".join(reasons)[:REASON_MAX]
        good = [one for one in read if not one.note]
        bad = [one for one in read if one.note]
        self._settle(
            good,
            self.desk.accept(one.reference for one in good),
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
        """Tell the gateway that we are about to act (开始办理).

        An order is begun together with its application, when both are with us.
        """
        due = [one for one in self.books.in_state(State.ACCEPTED) if is_alone(one)]
        for order, partner in self._pairs(State.ACCEPTED, State.BEGUN):
            if partner.state in _MAY_BEGIN:
                pair = (order, partner)
                due += [one for one in pair if one.state is State.ACCEPTED]
            elif partner.state is not State.READ:
                self._give_up(order, partner)
        for order, partner in self._pairs(State.STOPPED):
            if partner.state is State.BEGUN:
                self._give_up(partner, order)
        outcomes = self.desk.begin_acting(one.reference for one in due)
        # Begun already, says the gateway, and our books know that nothing was done:
        # the answer to our first asking was lost.
        self._settle(
            due,
            [None if begun_before(outcome) else outcome for outcome in outcomes],
            State.BEGUN,
        )

    def _give_up(self, one: Incoming, other: Incoming) -> None:
        """Let go of a half of a pair whose other half cannot be acted on."""
        begun = one.state is State.BEGUN
        note = f"凭证{other.number}未能办理：{other.note}"[:REASON_MAX]
        self._move([one], State.REFUSED if begun else State.UNDONE, note)

    def _act(self) -> None:
        """Act on what was begun: decision and postings of each in one transaction."""
        begun = [one for one in self.books.in_state(State.BEGUN) if is_alone(one)]
        pairs = [
            pair for pair in self._pairs(State.BEGUN) if pair[1].state is State.BEGUN
        ]
        for one, partner in [*((one, None) for one in begun), *pairs]:
            with self.books.writing() as session:
                mine = session.get_one(Incoming, one.digest)
                other = partner and session.get_one(Incoming, partner.digest)
                if other is not None and other.state is not State.BEGUN:
                    continue  # another order of this turn had it
                act(session, mine, other, self.office, self.today())
                refused = mine.state is State.REFUSED
            self.tell("refused" if refused else "booked", 1)

    def _pairs(self, *states: State) -> list[tuple[Incoming, Incoming]]:
        """Return the orders in these states whose applications are here, with them."""
        orders = [one for one in self.books.in_state(*states) if one.type_code == ORDER]
        with self.books.reading() as session:
            found = [(one, partner_of(session, one, self.office)) for one in orders]
        return [(one, partner) for one, partner in found if partner is not None]

    def _tell_outcomes(self) -> None:
        """Tell the gateway what came of our acts (办理结果)."""
        for state, outcome, following in (
            (State.BOOKED, ActOutcome.DONE, State.ACTED),
            (State.REFUSED, ActOutcome.NOT_DONE, State.UNDONE),
        ):
            due = self.books.in_state(state)
            told = self.desk.end_acting((one.reference, outcome) for one in due)
            self._settle(due, told, following)

    def _close(self) -> None:
        """Issue receipts (回单); return what cannot be done (退回)."""
        acted = self.books.in_state(State.ACTED)
        self._settle(
            acted,
            self.desk.issue_receipt(
                receipt_of(one, self._voucher(one), self.office) for one in acted
            ),
            State.RECEIPTED,
            "receipted",
        )
        undone = self.books.in_state(State.UNDONE)
        self._settle(
            undone,
            self.desk.return_vouchers(
                Reason(one.reference, one.note) for one in undone
            ),
            State.RETURNED,
            "returned",
        )

    def _settle(
        self,
        due: Sequence[Incoming],
        outcomes: Iterable[Outcome | None],
        following: State,
        what: str = "",
    ) -> None:
        done = settled(self.books, due, outcomes, following, State.STOPPED)
        if what and done:
            self.tell(what, done)

    def _move(self, these: Iterable[Incoming], state: State, note: str) -> None:
        with self.books.writing() as session:
            for one in these:
                one.state, one.note = state, note
                if state is not State.VOID:  # the issuer's own act, none of ours
                    one.day = closing.open_day(session, self.today())
                session.add(one)

    def _voucher(self, one: Incoming) -> Voucher:
        with self.books.reading() as session:
            return voucher_of(session.get_one(Incoming, one.digest))


def _write_down(session: Session, arrival: Arrival, voucher: Voucher) -> None:
    """Put a voucher into the books; once, by its digest."""
    if session.get(Incoming, arrival.digest) is not None:
        return
    key, form = voucher.key, voucher.form
    session.add(
        Incoming(
            digest=arrival.digest,
            issuer=key.issuer,
            adm_div=key.adm_div,
            fiscal_year=key.fiscal_year,
            type_code=key.type_code,
            number=key.number,
            issue=key.issue,
            sealed=arrival.sealed,
            amount_fen=form.fen(amount_field(key.type_code)),
            bank_no=form.text("pay_bank_no"),
            way=quota_way(voucher) or "",
            application=form.text("ori_voucher_no") if key.type_code == ORDER else "",
            state=State.READ,
        )
    )
