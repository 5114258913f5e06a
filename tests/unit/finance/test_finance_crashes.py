"""Finance's program dies at each step, is started again, and has lost nothing.

Every flow is cut at every call that it makes of the gateway, before the gateway hears
it and after, and at every transaction of the books. Afterwards the program is started
again, and everything is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from counterfoil.business.tables import OutboxState
from counterfoil.business.turns import Taker, give_out, work
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.finance.kinds import (
    CHECK_REPLY,
    CLEARING_LIST,
    CLEARING_ORDER,
    PAYMENT,
    REFUND_LIST,
)
from counterfoil.office import Desk
from tests.unit.business.house import dying
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    DAY,
    application,
    balance_report,
    clearing,
    daily_check,
    refund,
    revenue_report,
)
from tests.unit.office.dying_desk import Crash

PAID = "ZF2026000001"
WHEN = ("before", "after")
CALLS = ("accept", "write", "seal", "acknowledge", "submit")


def read_and_work(house: House, takers: tuple[Taker, ...]) -> None:
    for arrivals in house.client.read():
        give_out(arrivals, takers)
    work(takers)


def die_at(house: House, call: str, when: str) -> None:
    """Let the program run until it dies at a call, if it makes it at all."""
    try:
        read_and_work(house, house.takers(dying(house.client, call, when)))
    except Crash:
        return


def die_at_review(house: House, when: str) -> None:
    second: Desk = dying(house.second, "review", when)
    with pytest.raises(Crash):
        read_and_work(house, house.takers(second=second))


@dataclass
class Commits:
    """Counts transactions, and dies in one of them."""

    fatal: int
    seen: int = 0


@contextmanager
def dying_books(
    house: House, monkeypatch: pytest.MonkeyPatch, fatal: int
) -> Iterator[Commits]:
    """Let the program die at the end of a transaction: nothing of it is there."""
    writing, commits = house.books.writing, Commits(fatal)

    @contextmanager
    def counted() -> Iterator[Session]:
        with writing() as session:
            yield session
            session.flush()
            commits.seen += 1
            if commits.seen == commits.fatal:
                raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(house.books, "writing", counted)
        yield commits


def in_every_transaction(
    house: House, monkeypatch: pytest.MonkeyPatch, go: Callable[[], object]
) -> None:
    """Let the program die in its first transaction, then its second, and so on.

    Each time it is started again it goes on where it was; at last it lives.
    """
    for fatal in range(1, 200):
        with dying_books(house, monkeypatch, fatal) as commits:
            try:
                go()
            except Crash:
                continue
        assert commits.seen < fatal
        return
    pytest.fail("it never came to an end")


def pay(house: House) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)


def clear(house: House) -> None:
    pay(house)
    rows = (PAID, "101", "2010101", 100), (PAID, "101", "2050202", 250)
    house.run(clearing("SQ2", rows))


def is_paid_once(house: House) -> None:
    assert [one.key.number for one in house.issued(PAYMENT)] == [PAID]
    assert house.state(PAYMENT) is OutboxState.SENT
    assert house.desk.issued.standing(PAID) == "SENT"
    assert len(house.desk.issued.vouchers) == 2, "the payment and the quota notice"
    assert house.left() == 400


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("call", CALLS)
def test_an_application_is_ordered_once_wherever_the_program_dies(
    house: House, call: str, when: str
) -> None:
    house.allot()
    house.turn()
    house.desk.arrive(application("SQ1"))

    die_at(house, call, when)
    house.turn()

    is_paid_once(house)


@pytest.mark.parametrize("when", WHEN)
def test_an_application_is_ordered_once_when_the_program_dies_in_review(
    house: House, when: str
) -> None:
    house.allot()
    house.turn()
    house.desk.arrive(application("SQ1"))

    die_at_review(house, when)
    house.turn()

    is_paid_once(house)


def test_an_application_is_ordered_once_whatever_transaction_the_program_dies_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.allot()
    house.turn()
    house.desk.arrive(application("SQ1"))

    in_every_transaction(house, monkeypatch, house.turn)

    is_paid_once(house)


def test_a_receipt_is_booked_once_whatever_transaction_the_program_dies_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.allot()
    house.run(application("SQ1"))

    in_every_transaction(house, monkeypatch, lambda: house.answered(PAYMENT))

    found = house.totals
    assert (found.direct, found.expenditure_fen, found.advanced_fen) == (1, 350, 350)


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("call", CALLS)
def test_a_bank_is_cleared_once_wherever_the_program_dies(
    house: House, call: str, when: str
) -> None:
    pay(house)
    rows = (PAID, "101", "2010101", 100), (PAID, "101", "2050202", 250)
    house.desk.arrive(clearing("SQ2", rows))

    die_at(house, call, when)
    house.turn()

    assert [one.key.number for one in house.issued(CLEARING_ORDER)] == ["QS2026000001"]
    house.answered(CLEARING_ORDER)
    assert house.totals.cleared_fen == 350


def test_clearing_is_whole_whatever_transaction_the_program_dies_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(house)
    rows = (PAID, "101", "2010101", 100), (PAID, "101", "2050202", 250)
    house.desk.arrive(clearing("SQ2", rows))

    in_every_transaction(house, monkeypatch, house.turn)
    in_every_transaction(house, monkeypatch, lambda: house.answered(CLEARING_ORDER))

    found = house.totals
    assert (found.cleared, found.cleared_fen, found.expenditure_fen) == (1, 350, 350)
    assert found.balance_fen == 100_000 - 350


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("call", ["submit", "acknowledge"])
def test_a_day_is_listed_once_wherever_the_program_dies(
    house: House, call: str, when: str
) -> None:
    clear(house)
    house.answered(CLEARING_ORDER)
    house.now += timedelta(days=1)

    die_at(house, call, when)
    house.turn()

    assert [one.key.number for one in house.issued(CLEARING_LIST)] == [f"QD{DAY}"]
    assert house.state(CLEARING_LIST) is OutboxState.SENT


def test_a_day_is_listed_once_whatever_transaction_the_program_dies_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear(house)
    house.answered(CLEARING_ORDER)
    house.now += timedelta(days=1)

    in_every_transaction(house, monkeypatch, house.turn)

    [listing] = house.issued(CLEARING_LIST)
    assert listing.form.fen("all_num") == 1


def test_a_refund_is_booked_once_whatever_transaction_the_program_dies_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(house)
    back = refund("TK1", ((PAID, "101", "2010101", -40),))

    in_every_transaction(house, monkeypatch, lambda: house.copied(back))
    house.now += timedelta(days=1)
    house.turn()

    assert house.totals.expenditure_fen == 310
    assert house.left() == 440
    assert len(house.issued(REFUND_LIST)) == 1


@pytest.mark.parametrize("when", WHEN)
def test_what_goes_back_to_a_unit_goes_back_once(house: House, when: str) -> None:
    house.allot()
    [digest] = house.run(application("SQ1"))
    entry = house.entries(PAYMENT)[0]
    house.desk.step(DocumentKind.RETURN, entry.reference, "账号不存在")

    die_at(house, "return_vouchers", when)
    house.turn()

    assert house.reason(digest) == "代理银行退回：账号不存在"
    assert house.left() == 500


def test_revenue_is_booked_once_whatever_transaction_the_program_dies_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.desk.arrive(revenue_report(DAY, (("1010101", "2", 5000, 5000),)))

    in_every_transaction(house, monkeypatch, house.turn)

    assert house.totals.revenue_fen == 5000
    assert house.findings() == []


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("call", ["begin_acting", "end_acting", "issue_receipt"])
def test_a_balance_is_answered_once_wherever_the_program_dies(
    house: House, call: str, when: str
) -> None:
    digest = house.desk.arrive(balance_report(DAY, 100_000, 0, 0))

    die_at(house, call, when)
    house.turn()

    assert house.told_of(digest).balance_report.x_check_result == "0"


def test_a_check_is_replied_to_once_whatever_transaction_the_program_dies_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.desk.arrive(daily_check(DAY, "5207"))

    in_every_transaction(house, monkeypatch, house.turn)

    assert len(house.issued(CHECK_REPLY)) == 1
