from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from counterfoil.business.clerks import MISREAD, Clerks, Reviewer
from counterfoil.desk.v1 import desk_pb2
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.finance import accounts
from counterfoil.finance.answers import Incoming, Receipted
from counterfoil.finance.books import Books, State
from counterfoil.finance.entries import Title
from counterfoil.finance.flows import Outgoing, Wishes
from counterfoil.finance.kinds import PAYMENT
from counterfoil.finance.system import registered
from counterfoil.office import Desk, Form, Person, Reference, VoucherKey
from counterfoil.office import Voucher as OfficeVoucher
from counterfoil.office.messages import draft_message, key_message
from counterfoil.sample.documents import file_of
from counterfoil.sample.faults import FAULTS, ROWS_MIN
from counterfoil.sample.vouchers import Voucher, VoucherMaker
from counterfoil.sealed.v1 import voucher_pb2
from tests.unit.finance.issuer_desk import IssuerDesk
from tests.unit.office.loopback import Loopback, access_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def nothing(*_receipt: object) -> None:
    pass


class Finance:
    """Finance's system at its desk, with files and books in a folder."""

    def __init__(self, folder: Path, ca: DevelopmentCa, gateway: Loopback) -> None:
        self.desk = IssuerDesk(gateway)
        gateway.start()
        self.client = Desk(gateway.address, access_of(ca, "system", "1"))
        self.files = folder / "files"
        self.corrections = folder / "corrections"
        self.files.mkdir()
        self.corrections.mkdir()
        self.books = Books(f"sqlite:///{folder / 'books.sqlite'}")
        self.told: Counter[str] = Counter()
        people = [access_of(ca, "person", name) for name in ("first", "second")]
        self.desks = [Desk(gateway.address, one) for one in people]
        self.clerks = Clerks(
            self.client,
            [
                Reviewer(desk, Person.from_pem(one.certificate, one.key))
                for desk, one in zip(self.desks, people, strict=True)
            ],
            lambda: NOW,
        )
        self._maker = VoucherMaker(
            Random(7),  # noqa: S311 -- a seed fixes every byte
            year=2026,
            banks=["420000-102"],
        )

    def put(
        self, change: Callable[[Voucher], bytes] = file_of, *, rows_min: int = 1
    ) -> Voucher:
        voucher = self._maker.make(rows_min=rows_min)
        (self.files / f"{voucher.number}.xml").write_bytes(change(voucher))
        return voucher

    def correct(self, voucher: Voucher, summary: str) -> None:
        voucher.main["PaySummaryName"] = summary
        path = self.corrections / f"{voucher.number}.xml"
        path.write_bytes(file_of(voucher))

    def issue(self, wishes: Wishes | None = None) -> Outgoing:
        outgoing = Outgoing(
            clerks=self.clerks,
            system=self.client,
            books=self.books,
            banks={"102": "420000-102", "default": "420000-199"},
            folder=self.files,
            corrections=self.corrections,
            tell=self._tell,
            wishes=wishes or Wishes(),
        )
        outgoing.issue_folder()
        return outgoing

    def take(self, outgoing: Outgoing, receipted: Receipted = nothing) -> None:
        incoming = Incoming(
            self.client, self.books, outgoing.reissue, self._tell, receipted
        )
        for arrivals in self.client.read():
            incoming.take(arrivals)

    def state(self, digest: bytes) -> State:
        order = self.books.order(digest)
        assert order is not None
        return order.state

    def close(self) -> None:
        for desk in (self.client, *self.desks):
            desk.close()
        self.books.close()

    def _tell(self, what: str, count: int) -> None:
        self.told[what] += count


@pytest.fixture
def finance(tmp_path: Path, ca: DevelopmentCa, gateway: Loopback) -> Iterator[Finance]:
    made = Finance(tmp_path, ca, gateway)
    yield made
    made.close()


def test_files_are_reviewed_by_two_persons_sealed_and_sent(finance: Finance) -> None:
    voucher = finance.put()

    finance.issue()

    digest = finance.desk.digest(voucher.number)
    assert finance.desk.standing(voucher.number) == "SENT"
    assert len(finance.desk.vouchers[digest].seals) == 3
    assert finance.desk.voucher(digest).recipients == ["420000-102"]
    assert finance.state(digest) is State.SENT


def test_what_was_sent_is_not_sent_again(finance: Finance) -> None:
    finance.put()
    finance.issue()

    finance.issue()

    assert finance.told["sent"] == 1


def test_a_draft_that_a_crash_left_reviewed_is_reviewed_anew(finance: Finance) -> None:
    voucher = finance.put()
    finance.issue(Wishes(discard=frozenset({voucher.number})))
    digest = finance.desk.digest(voucher.number)
    desked = finance.desk.vouchers[digest]
    desked.standing, desked.seals = "DRAFT", desked.seals[:2]
    with finance.books.writing() as session:
        order = finance.books.order(digest)
        assert order is not None
        order.state = State.WRITTEN
        session.merge(order)

    finance.issue()

    assert finance.desk.standing(voucher.number) == "SENT"


def test_every_broken_file_is_refused_with_its_field_and_the_chinese_text(
    finance: Finance,
) -> None:
    broken = {
        finance.put(fault.apply, rows_min=ROWS_MIN).number: fault for fault in FAULTS
    }

    finance.issue()

    refused = {one.file.removesuffix(".xml"): one for one in finance.books.refused()}
    assert refused.keys() == broken.keys()
    for number, fault in broken.items():
        assert fault.path in refused[number].explanation
        assert not refused[number].explanation.isascii()
    assert finance.told["sent"] == 0


def test_a_payload_that_is_not_our_record_is_never_signed(
    finance: Finance, gateway: Loopback
) -> None:
    voucher = finance.put()
    honest = gateway.unary["Write"]

    def forging(request: bytes) -> bytes:
        # Another voucher's amount under the same number.
        number = voucher.main["PayAmt"]
        document = file_of(voucher)
        voucher.main["PayAmt"] = voucher.rows[0]["PayAmt"] = f"9{number}"
        voucher.rows[1:] = []
        forged = desk_pb2.WriteRequest.FromString(request)
        assert forged.drafts[0].national.document == document
        forged.drafts[0].national.document = file_of(voucher)
        return honest(forged.SerializeToString())

    gateway.unary["Write"] = forging

    finance.issue()

    [refused] = finance.books.refused()
    assert refused.reason == MISREAD
    assert gateway.requests["Review"] == []


def test_a_voucher_is_discarded_before_it_is_sent(finance: Finance) -> None:
    voucher = finance.put()

    finance.issue(Wishes(discard=frozenset({voucher.number})))

    assert finance.desk.standing(voucher.number) == "DISCARDED"
    assert finance.state(finance.desk.digest(voucher.number)) is State.DISCARDED
    assert finance.books.figures("420000-102").sent == 0


def test_a_seal_is_withdrawn_and_the_corrected_file_goes(finance: Finance) -> None:
    voucher = finance.put()
    finance.correct(voucher, "改正后的用途")

    finance.issue(Wishes(correct=frozenset({voucher.number})))

    digest = finance.desk.digest(voucher.number)
    form = finance.desk.voucher(digest).direct_payment
    assert finance.desk.standing(voucher.number) == "SENT"
    assert form.pay_summary_name == "改正后的用途"
    assert finance.books.figures("420000-102").sent == 1


def test_a_receipt_that_agrees_closes_the_order(finance: Finance) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    digest = finance.desk.digest(voucher.number)
    finance.desk.bring_step(DocumentKind.ACCEPTANCE, digest, "")
    finance.desk.bring_receipt(digest)

    finance.take(outgoing)

    assert finance.state(digest) is State.PAID
    figures = finance.books.figures("420000-102")
    assert (figures.sent, figures.accepted, figures.receipted) == (1, 1, 1)
    assert figures.sent_fen == figures.receipted_fen
    assert finance.desk.acknowledged == [0, 1]


@pytest.mark.parametrize(("short_fen", "rows"), [(1, 0), (0, 1), (-1, 0)])
def test_a_receipt_of_another_amount_or_count_is_noticed(
    finance: Finance, short_fen: int, rows: int
) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    digest = finance.desk.digest(voucher.number)
    finance.desk.bring_receipt(digest, short_fen=short_fen, rows=rows)

    finance.take(outgoing)

    assert finance.state(digest) is State.DIFFERS


def test_a_receipt_that_comes_twice_is_booked_once(finance: Finance) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    digest = finance.desk.digest(voucher.number)
    finance.desk.bring_receipt(digest)
    finance.desk.bring_receipt(digest)

    finance.take(outgoing)
    finance.take(outgoing)

    assert finance.books.figures("420000-102").receipted == 1


def test_a_late_acceptance_does_not_lead_back(finance: Finance) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    digest = finance.desk.digest(voucher.number)
    finance.desk.bring_receipt(digest)
    finance.desk.bring_step(DocumentKind.ACCEPTANCE, digest, "")

    finance.take(outgoing)

    assert finance.state(digest) is State.PAID


def test_a_rejection_is_booked_with_its_reason(finance: Finance) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    digest = finance.desk.digest(voucher.number)
    finance.desk.bring_step(DocumentKind.REJECTION, digest, "收款人账号不合规")

    finance.take(outgoing)

    order = finance.books.order(digest)
    assert order is not None
    assert (order.state, order.note) == (State.REJECTED, "收款人账号不合规")


def test_a_returned_voucher_is_issued_again_and_names_the_one_before(
    finance: Finance,
) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    first = finance.desk.digest(voucher.number)
    finance.desk.bring_step(DocumentKind.RETURN, first, "已销户")

    finance.take(outgoing)
    finance.take(outgoing)  # the return is read again

    second = finance.desk.digest(voucher.number, issue=2)
    assert finance.desk.voucher(second).replaces == first
    assert (finance.state(first), finance.state(second)) == (State.RETURNED, State.SENT)
    assert finance.told["reissued"] == 1


NOTICE = OfficeVoucher(
    key=VoucherKey(
        issuer="420000-102",
        adm_div="420000",
        fiscal_year=2026,
        type_code=2205,
        number="RZ1",
    ),
    recipients=("420000-011",),
    form=Form({"ori_voucher_no": "U1", "pay_amt_fen": 350}),
)
"""An entry notice of a bank."""


def test_an_entry_notice_is_accepted_and_booked_once(finance: Finance) -> None:
    outgoing = finance.issue()
    payload = draft_message(NOTICE).voucher.SerializeToString()
    digest = hashlib.sha256(payload).digest()
    finance.desk.bring(DocumentKind.VOUCHER, payload, digest)

    finance.take(outgoing)
    finance.take(outgoing)

    [booked] = finance.books.notices()
    assert (booked.about, booked.amount_fen) == ("U1", 350)
    assert finance.desk.accepted == [digest, digest]
    assert finance.desk.acknowledged == []


def test_a_step_about_a_notice_is_heard_and_changes_nothing(finance: Finance) -> None:
    outgoing = finance.issue()
    payload = draft_message(NOTICE).voucher.SerializeToString()
    digest = hashlib.sha256(payload).digest()
    step = voucher_pb2.Step(
        voucher=voucher_pb2.VoucherReference(
            key=key_message(NOTICE.key), digest=digest
        ),
        by=NOTICE.key.issuer,
    )
    finance.desk.bring(DocumentKind.VOUCHER, payload, digest)
    finance.desk.bring(DocumentKind.RETURN_REQUEST, step.SerializeToString(), digest)

    finance.take(outgoing)

    assert [one.number for one in finance.books.notices()] == ["RZ1"]
    assert finance.desk.acknowledged == [1]


def test_a_payment_of_the_folder_is_expenditure_and_may_be_cleared(
    finance: Finance,
) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    finance.desk.bring_receipt(finance.desk.digest(voucher.number))

    finance.take(outgoing, registered)
    finance.take(outgoing, registered)

    with finance.books.reading() as session:
        paid = accounts.receipted(
            session, PAYMENT, voucher.number, fiscal_year=2026, bank="420000-102"
        )
        spent = accounts.total_fen(session, Title.EXPENDITURE)
    assert paid is not None
    assert paid.amount_fen == spent == finance.books.figures("420000-102").sent_fen


def test_a_payment_of_the_folder_whose_receipt_differs_is_no_expenditure(
    finance: Finance,
) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    finance.desk.bring_receipt(finance.desk.digest(voucher.number), short_fen=1)

    finance.take(outgoing, registered)

    with finance.books.reading() as session:
        assert accounts.total_fen(session, Title.EXPENDITURE) == 0


def test_the_folder_wants_answers_to_its_own_orders_and_notices_only(
    finance: Finance,
) -> None:
    voucher = finance.put()
    outgoing = finance.issue()
    finance.desk.bring_receipt(finance.desk.digest(voucher.number))
    [[arrival]] = list(finance.client.read())
    incoming = Incoming(
        finance.client, finance.books, outgoing.reissue, nothing, nothing
    )
    about_another = Reference(arrival.voucher.key, bytes(32))
    notice = Reference(replace(arrival.voucher.key, type_code=2205), bytes(32))

    others = [replace(arrival, voucher=one) for one in (about_another, notice)]
    assert incoming.wanted([arrival, *others]) == [arrival, others[1]]
    assert incoming.is_at_rest()
