from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from counterfoil.bank import teller as teller_module
from counterfoil.bank.core import (
    CoreOutcome,
    CorePlan,
    Fate,
    PaymentOrder,
    SimulatedCore,
)
from counterfoil.bank.journal import Journal, State
from counterfoil.bank.teller import Teller
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.office import Desk
from tests.unit.bank.recipient_desk import BANK, RecipientDesk, voucher
from tests.unit.office.loopback import Loopback, access_of

NIGHT = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


class Crash(BaseException):
    """The bank's program dies."""


class CrashingCore(SimulatedCore):
    """Pays, and the program dies before it hears of it."""

    def pay_each(self, orders: Sequence[PaymentOrder]) -> list[CoreOutcome]:
        super().pay_each(orders)
        raise Crash


class Bank:
    """A bank's system at its desk, with books in a folder."""

    def __init__(self, folder: Path, ca: DevelopmentCa, gateway: Loopback) -> None:
        self.desk = RecipientDesk(gateway)
        gateway.start()
        self.client = Desk(gateway.address, access_of(ca, "system", "1", BANK))
        self.journal = Journal(f"sqlite:///{folder / 'journal.sqlite'}")
        self._core_url = f"sqlite:///{folder / 'core.sqlite'}"
        self.told: Counter[str] = Counter()
        self.now = NIGHT
        self._cores: list[SimulatedCore] = []

    def teller(
        self, plan: CorePlan | None = None, kind: type[SimulatedCore] = SimulatedCore
    ) -> Teller:
        core = kind(self._core_url, plan or CorePlan())
        self._cores.append(core)
        return Teller(
            BANK, self.client, self.journal, core, lambda: self.now, self._tell
        )

    def read(self, teller: Teller) -> None:
        for arrivals in self.client.read():
            teller.take(arrivals)

    def run(self, plan: CorePlan | None = None, turns: int = 4) -> Teller:
        teller = self.teller(plan)
        teller.recover()
        self.read(teller)
        for _ in range(turns):
            teller.work()
        return teller

    def state(self, digest: bytes) -> State:
        payment = self.journal.payment(digest)
        assert payment is not None
        return payment.state

    def close(self) -> None:
        self.client.close()
        self.journal.close()
        for core in self._cores:
            core.close()

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count


@pytest.fixture
def bank(tmp_path: Path, ca: DevelopmentCa, gateway: Loopback) -> Iterator[Bank]:
    made = Bank(tmp_path, ca, gateway)
    yield made
    made.close()


def test_a_sound_voucher_is_paid_and_receipted_row_by_row(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1"))

    teller = bank.run()

    assert bank.desk.standings[digest] is Standing.RECEIPTED
    assert teller.core.times_paid() == (1, 350)
    [receipt] = bank.desk.receipts
    form = receipt.direct_payment
    assert (form.x_pay_amt_fen, form.x_agent_business_no) == (350, "000000000001")
    assert [(row.id, row.x_pay_amt_fen) for row in form.rows] == [
        ("A1-0", 100),
        ("A1-1", 250),
    ]
    assert bank.told["receipted"] == 1


def test_the_day_of_payment_is_a_day_in_china(bank: Bank) -> None:
    bank.desk.arrive(voucher("A1"))

    bank.run()

    assert bank.desk.receipts[0].direct_payment.x_pay_date == "20261123"


def test_a_voucher_that_is_read_again_is_paid_once(bank: Bank) -> None:
    bank.desk.arrive(voucher("A1"))
    bank.desk.arrive(voucher("A1"))
    bank.run()

    teller = bank.run()

    assert teller.core.times_paid() == (1, 350)
    assert len(bank.desk.receipts) == 1


def test_a_voucher_with_no_account_is_rejected_with_the_reason(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1", account="123"))

    teller = bank.run()

    assert bank.desk.standings[digest] is Standing.REJECTED
    assert bank.desk.explanations[digest] == "第1行收款人账号不合规"
    assert teller.core.times_paid() == (0, 0)


def test_a_number_that_comes_again_is_paid_once(bank: Bank) -> None:
    first = bank.desk.arrive(voucher("A1"))
    bank.run()
    again = bank.desk.arrive(voucher("A1", issue=2))

    teller = bank.run()

    assert bank.desk.standings[first] is Standing.RECEIPTED
    assert bank.desk.standings[again] is Standing.REJECTED
    assert bank.desk.explanations[again] == "凭证号重复"
    assert teller.core.times_paid() == (1, 350)


def test_two_divisions_may_use_the_same_number(bank: Bank) -> None:
    digests = [
        bank.desk.arrive(voucher("A1", adm_div=division))
        for division in ("420000", "420100")
    ]

    teller = bank.run()

    assert {bank.desk.standings[one] for one in digests} == {Standing.RECEIPTED}
    assert teller.core.times_paid() == (2, 700)


def test_what_the_core_refuses_is_returned(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1"))

    bank.run(CorePlan(fates={"A1": Fate.REFUSED}))

    assert bank.desk.standings[digest] is Standing.RETURNED
    assert "销户" in bank.desk.explanations[digest]
    assert bank.state(digest) is State.RETURNED


def test_the_next_issue_of_a_returned_number_is_paid(bank: Bank) -> None:
    plan = CorePlan(fates={"A1": Fate.REFUSED})
    bank.desk.arrive(voucher("A1"))
    bank.run(plan)
    second = bank.desk.arrive(voucher("A1", issue=2))

    teller = bank.run(plan)

    assert bank.desk.standings[second] is Standing.RECEIPTED
    assert teller.core.times_paid() == (1, 350)


def test_an_unknown_outcome_is_told_and_cleared_up_later(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1"))
    plan = CorePlan(fates={"A1": Fate.LOST_AFTER})

    teller = bank.run(plan, turns=1)

    assert bank.desk.standings[digest] is Standing.UNKNOWN
    assert bank.desk.receipts == []
    teller.work()
    assert bank.desk.standings[digest] is Standing.RECEIPTED
    assert teller.core.times_paid() == (1, 350)


def test_an_order_that_was_lost_is_begun_anew_once_the_core_denies_it(
    bank: Bank,
) -> None:
    digest = bank.desk.arrive(voucher("A1"))

    teller = bank.run(CorePlan(fates={"A1": Fate.LOST_BEFORE}))

    assert bank.desk.standings[digest] is Standing.RECEIPTED
    assert teller.core.times_paid() == (1, 350)


def test_a_crash_after_the_core_was_called_leads_to_no_second_payment(
    bank: Bank,
) -> None:
    digest = bank.desk.arrive(voucher("A1"))
    crashing = bank.teller(kind=CrashingCore)
    bank.read(crashing)
    with pytest.raises(Crash):
        crashing.work()
    assert bank.state(digest) is State.CALLING

    teller = bank.run()

    assert teller.core.times_paid() == (1, 350)
    assert bank.desk.standings[digest] is Standing.RECEIPTED


def test_what_was_paid_before_a_crash_was_paid_on_that_day(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1"))
    crashing = bank.teller(kind=CrashingCore)
    bank.read(crashing)
    with pytest.raises(Crash):
        crashing.work()
    bank.now += timedelta(days=1)

    bank.run()

    assert bank.desk.standings[digest] is Standing.RECEIPTED
    assert bank.desk.receipts[0].direct_payment.x_pay_date == "20261123"


def test_a_crash_before_the_core_was_called_loses_no_payment(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teller_module, "BATCH", 1)
    digests = [bank.desk.arrive(voucher(number)) for number in ("A1", "A2")]
    crashing = bank.teller(kind=CrashingCore)
    bank.read(crashing)
    with pytest.raises(Crash):
        crashing.work()  # dies at the first, the second was never ordered

    teller = bank.run()

    assert teller.core.times_paid() == (2, 700)
    assert {bank.desk.standings[one] for one in digests} == {Standing.RECEIPTED}


def test_a_lost_answer_to_begin_acting_stops_nothing(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1"))
    teller = bank.teller()
    bank.read(teller)
    bank.desk.standings[digest] = Standing.ACCEPTED
    bank.client.begin_acting(
        [payment.reference for payment in bank.journal.in_state(State.READ)]
    )

    assert bank.desk.standings[digest] is Standing.ACTING
    with bank.journal.writing() as session:
        payment = bank.journal.payment(digest)
        assert payment is not None
        payment.state = State.ACCEPTED
        session.add(payment)
    teller.work()

    assert bank.desk.standings[digest] is Standing.RECEIPTED


def test_an_authorised_payment_brings_the_unit_an_entry_notice(bank: Bank) -> None:
    bank.desk.arrive(voucher("U1", type_code=8202))

    bank.run()

    [notice] = bank.desk.submitted
    assert notice.recipients == ["420000-101001"]
    form = notice.entry_notice
    assert (form.ori_vt_code, form.ori_voucher_no) == ("8202", "U1")
    assert (form.pay_amt_fen, form.x_agent_business_no) == (350, "000000000001")
    assert [row.x_pay_amt_fen for row in form.rows] == [100, 250]
    assert notice.key.number == form.voucher_no == "RZ000000000001"


def test_a_direct_payment_brings_no_entry_notice(bank: Bank) -> None:
    bank.desk.arrive(voucher("A1"))

    bank.run()

    assert bank.desk.submitted == []
    assert bank.journal.is_at_rest()


def test_a_return_that_the_issuer_asks_for_is_made_before_anything_is_paid(
    bank: Bank,
) -> None:
    digest = bank.desk.arrive(voucher("A1"))
    bank.desk.tell(DocumentKind.RETURN_REQUEST, voucher("A1"), "重复")

    teller = bank.run()

    assert bank.desk.standings[digest] is Standing.RETURNED
    assert teller.core.times_paid() == (0, 0)
    assert bank.desk.acknowledged == [1]


def test_a_return_that_is_asked_for_too_late_changes_nothing(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1"))
    bank.run()
    bank.desk.tell(DocumentKind.RETURN_REQUEST, voucher("A1"), "重复")

    bank.run()

    assert bank.desk.standings[digest] is Standing.RECEIPTED


def test_a_discard_of_what_never_came_is_acknowledged(bank: Bank) -> None:
    bank.desk.tell(DocumentKind.DISCARD, voucher("A9"), "作废")

    bank.run()

    assert bank.desk.acknowledged == [0]


def test_what_the_gateway_refuses_waits_for_a_person(bank: Bank) -> None:
    digest = bank.desk.arrive(voucher("A1"))
    bank.desk.standings[digest] = Standing.DISCARDED

    teller = bank.run()

    assert bank.state(digest) is State.STOPPED
    payment = bank.journal.payment(digest)
    assert payment is not None
    assert payment.note.startswith("NOT_IN_STATE")
    assert teller.core.times_paid() == (0, 0)


def test_the_figures_count_what_came_of_each(bank: Bank) -> None:
    bank.desk.arrive(voucher("A1"))
    bank.desk.arrive(voucher("A2", account="123"))
    bank.desk.arrive(voucher("A3"))

    bank.run(CorePlan(fates={"A3": Fate.REFUSED}))

    figures = bank.journal.figures("420000-011")
    assert (figures.arrived, figures.accepted, figures.receipted) == (3, 2, 1)
    assert (figures.returned, figures.rejected) == (1, 1)
    assert (figures.arrived_fen, figures.receipted_fen) == (1050, 350)
