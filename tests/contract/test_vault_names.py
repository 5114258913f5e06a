"""Vouchers that name other vouchers, judged by what the vault holds of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Outcome, Send, Withdraw
from counterfoil.domain.document import Document
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.standing import Act, Standing
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    TREASURY,
    Bench,
    recorded,
    step,
    voucher,
)

K = DocumentKind
APPLICATION, ORDER, LIST = 2301, 105301, 5551
PAYMENT, REFUND, NOTICE, MATCH = 5201, 2302, 2203, 102207
PATH = "rows[0].ori_voucher_no"


def of_type(
    type_code: int,
    number: str = "1",
    *,
    fen: int = 10_000,
    year: int = 2026,
    issuer: str = FINANCE,
    to: tuple[str, ...] = (BANK,),
    issue: int = 1,
    replaces: bytes = b"",
    names: tuple[Naming, ...] = (),
) -> Document:
    """Make a voucher of some kind over some amount."""
    plain = voucher(
        number,
        issuer=issuer,
        to=to,
        issue=issue,
        replaces=replaces,
        content=f"{type_code} {year} {fen} {names!r}",
    )
    key = replace(plain.key, type_code=type_code, fiscal_year=year)
    return replace(plain, key=key, amount_fen=fen, names=names)


def name(
    *types: int,
    number: str = "1",
    fen: int = 10_000,
    need: ReferenceNeed = ReferenceNeed.HELD,
    measure: ReferenceMeasure = ReferenceMeasure.NOTHING,
    once: bool = False,
    lapses: bool = False,
) -> Naming:
    return Naming(
        types=types,
        number=number,
        amount_fen=fen,
        path=PATH,
        need=need,
        measure=measure,
        once=once,
        lapses=lapses,
    )


def application(number: str = "1", *, year: int = 2026) -> Document:
    """A bank's application to finance, which names nothing."""
    return of_type(APPLICATION, number, issuer=BANK, to=(FINANCE,), year=year)


def order(number: str = "1", *, of: str = "1", fen: int = 10_000) -> Document:
    """Finance's order to the treasury, for an application."""
    naming = name(
        APPLICATION, number=of, fen=fen, measure=ReferenceMeasure.EQUAL, once=True
    )
    return of_type(ORDER, number, to=(TREASURY,), fen=fen, names=(naming,))


def payment(*, year: int = 2026) -> Document:
    """Finance's order to the bank to pay."""
    return of_type(PAYMENT, year=year)


def refund(
    number: str = "1",
    *,
    of: str = "1",
    fen: int = -4_000,
    kind: int = REFUND,
    year: int = 2026,
    issue: int = 1,
    replaces: bytes = b"",
    lapses: bool = False,
) -> Document:
    """The bank's voucher that part of a payment came back."""
    naming = name(
        PAYMENT,
        8202,
        number=of,
        fen=fen,
        need=ReferenceNeed.ACTED,
        measure=ReferenceMeasure.PART,
        lapses=lapses,
    )
    return of_type(
        kind,
        number,
        issuer=BANK,
        to=(FINANCE if kind == NOTICE else TREASURY,),
        fen=fen,
        year=year,
        issue=issue,
        replaces=replaces,
        names=(naming,),
    )


def listing(number: str = "L1", *, of: str = "1", fen: int = 10_000) -> Document:
    """Finance's list of receipts, with one row."""
    naming = name(
        ORDER,
        number=of,
        fen=fen,
        need=ReferenceNeed.ANSWERED,
        measure=ReferenceMeasure.EQUAL,
        once=True,
    )
    return of_type(LIST, number, to=(TREASURY,), names=(naming,))


def refused(outcome: Outcome) -> str:
    """Return the reason of a refusal, which says where; empty if it was recorded."""
    for violation in getattr(outcome, "violations", ()):
        assert violation.path == PATH
        assert violation.text_zh
    return str(getattr(outcome, "reason", ""))


def arrived(bench: Bench, document: Document, at: str = FINANCE) -> Outcome:
    return bench.arrive(document, carrier=document.by, hosted=(at,)).outcomes[0]


def paid(bench: Bench, paper: Document, *, at: str = BANK) -> None:
    """Let a voucher arrive and be acted on."""
    recorded(arrived(bench, paper, at))
    recorded(bench.enter(step(K.ACCEPTANCE, paper, by=at)))
    for act in (Act.BEGIN, Act.END_DONE):
        recorded(bench.act(act, paper, at))


def answered(bench: Bench, paper: Document, *, by: str, fen: int = 10_000) -> None:
    """Let a voucher of ours be sent and receipted."""
    recorded(bench.enter(paper, send=True))
    receipt = step(K.RECEIPT, paper, by=by, amount_fen=fen)
    recorded(bench.arrive(receipt, carrier=by, hosted=(paper.by,)).outcomes[0])


def leaves_no_trace(bench: Bench, act: Callable[[], Outcome]) -> str:
    """Return why an act is refused, and see that it changed nothing."""
    before = bench.unchanged()
    reason = refused(act())
    assert bench.unchanged() == before
    return reason


# --- what is named is here -------------------------------------------------------


@pytest.mark.refusal("REFERENCE_MISSING")
def test_an_order_without_its_application_is_not_sealed(bench: Bench) -> None:
    assert leaves_no_trace(bench, lambda: bench.enter(order())) == "REFERENCE_MISSING"

    arrived(bench, application())

    assert refused(bench.enter(order())) == ""


@pytest.mark.refusal("REFERENCE_MISSING")
def test_another_partys_voucher_is_as_good_as_none(bench: Bench) -> None:
    # Hosted here as well, but finance has no part in it.
    foreign = of_type(APPLICATION, issuer=BANK, to=(TREASURY,))
    arrived(bench, foreign, TREASURY)

    assert refused(bench.enter(order())) == "REFERENCE_MISSING"


@pytest.mark.refusal("REFERENCE_MISSING")
@pytest.mark.parametrize(
    "other",
    [
        of_type(2302, issuer=BANK, to=(FINANCE,)),
        application("11"),
        application(year=2025),
        application(year=2027),
    ],
)
def test_another_kind_number_or_year_is_not_meant(
    bench: Bench, other: Document
) -> None:
    arrived(bench, other)

    assert refused(bench.enter(order())) == "REFERENCE_MISSING"


def test_what_is_named_may_be_still_on_its_way_to_a_recipient(bench: Bench) -> None:
    assert refused(arrived(bench, order(), TREASURY)) == ""


def test_a_name_that_needs_nothing_may_be_of_nothing(bench: Bench) -> None:
    naming = name(PAYMENT, need=ReferenceNeed.NOTHING)
    notice = of_type(2205, issuer=BANK, to=(FINANCE,), names=(naming,))

    assert refused(bench.enter(notice)) == ""


@pytest.mark.refusal("REFERENCE_MISSING")
def test_a_refund_is_of_the_fiscal_year_of_its_payment(bench: Bench) -> None:
    paid(bench, payment(year=2025))
    paid(bench, payment())

    assert refused(bench.enter(refund("1", fen=-9_000, year=2025))) == ""
    assert refused(bench.enter(refund("1", fen=-9_000))) == ""
    assert refused(bench.enter(refund("1", year=2024))) == "REFERENCE_MISSING"


def test_a_voucher_entered_in_the_same_commit_is_found(bench: Bench) -> None:
    naming = name(APPLICATION)
    detail = of_type(102311, issuer=BANK, to=(TREASURY,), names=(naming,))
    own = of_type(APPLICATION, issuer=BANK, to=(TREASURY,))
    first = bench.arrive(
        application(), application("2"), carrier=BANK, hosted=(FINANCE,)
    )

    assert [refused(one) for one in first.outcomes] == ["", ""]
    assert [refused(bench.enter(one)) for one in (own, detail)] == ["", ""]


# --- where it stands -------------------------------------------------------------


@pytest.mark.refusal("REFERENCE_VOID")
@pytest.mark.parametrize("kind", [K.REJECTION, K.RETURN])
def test_a_voucher_that_went_back_is_not_named(bench: Bench, kind: K) -> None:
    back = application()
    arrived(bench, back)
    bench.enter(step(kind, back, by=FINANCE))

    assert leaves_no_trace(bench, lambda: bench.enter(order())) == "REFERENCE_VOID"
    assert refused(arrived(bench, order("2"), TREASURY)) == "REFERENCE_VOID"


def test_the_next_issue_of_a_voucher_that_went_back_is_named(bench: Bench) -> None:
    back = application()
    arrived(bench, back)
    bench.enter(step(K.RETURN, back, by=FINANCE))
    again = of_type(
        APPLICATION, issuer=BANK, to=(FINANCE,), issue=2, replaces=back.digest
    )
    arrived(bench, again)

    assert refused(bench.enter(order())) == ""


@pytest.mark.refusal("REFERENCE_UNSETTLED")
def test_a_payment_that_was_not_made_has_no_refund(bench: Bench) -> None:
    paper = payment()
    arrived(bench, paper, BANK)
    bench.enter(step(K.ACCEPTANCE, paper, by=BANK))
    bench.act(Act.BEGIN, paper, BANK)

    assert leaves_no_trace(bench, lambda: bench.enter(refund())) == (
        "REFERENCE_UNSETTLED"
    )
    bench.act(Act.END_UNKNOWN, paper, BANK)
    assert refused(bench.enter(refund())) == "REFERENCE_UNSETTLED"
    bench.act(Act.END_DONE, paper, BANK)
    assert refused(bench.enter(refund())) == ""


@pytest.mark.refusal("REFERENCE_UNSETTLED")
def test_a_list_follows_receipts_that_agree(bench: Bench) -> None:
    arrived(bench, application())
    arrived(bench, application("2"))
    good, short = order("1"), order("2", of="2")
    recorded(bench.enter(good, send=True))
    assert refused(bench.enter(listing())) == "REFERENCE_UNSETTLED"

    receipt = step(K.RECEIPT, good, by=TREASURY)
    bench.arrive(receipt, carrier=TREASURY, hosted=(FINANCE,))
    answered(bench, short, by=TREASURY, fen=9_999)

    assert bench.standing(short) is Standing.DISPUTED
    assert refused(bench.enter(listing("L2", of="2"))) == "REFERENCE_UNSETTLED"
    assert refused(bench.enter(listing())) == ""


@pytest.mark.refusal("REFERENCE_UNSETTLED")
def test_a_recipient_knows_what_it_did_itself(bench: Bench) -> None:
    paid(bench, order(), at=TREASURY)
    listed = listing()
    assert refused(arrived(bench, listed, TREASURY)) == "REFERENCE_UNSETTLED"

    bench.enter(step(K.RECEIPT, order(), by=TREASURY))

    assert refused(arrived(bench, listed, TREASURY)) == ""


@pytest.mark.refusal("REFERENCE_UNSETTLED")
def test_what_a_payee_did_may_reach_us_later_than_what_follows(bench: Bench) -> None:
    sealed = payment()
    recorded(bench.enter(sealed))
    told = refund(kind=NOTICE)
    assert refused(arrived(bench, told)) == "REFERENCE_UNSETTLED"

    bench.one(Send(key=sealed.key, digest=sealed.digest, lanes=LANES))

    assert refused(arrived(bench, told)) == ""


# --- how much it is --------------------------------------------------------------


@pytest.mark.refusal("REFERENCE_DIFFERS")
def test_an_order_of_another_amount_is_refused_on_both_sides(bench: Bench) -> None:
    arrived(bench, application())
    other = order(fen=9_999)

    assert leaves_no_trace(bench, lambda: bench.enter(other)) == "REFERENCE_DIFFERS"
    assert refused(arrived(bench, other, TREASURY)) == "REFERENCE_DIFFERS"


def test_one_of_two_banks_with_the_same_number_is_enough(bench: Bench) -> None:
    other = of_type(APPLICATION, issuer="330000004", to=(FINANCE,), fen=70)
    arrived(bench, application())
    arrived(bench, other)

    assert refused(bench.enter(order("1"))) == ""
    assert refused(bench.enter(order("2", fen=70))) == ""
    assert refused(bench.enter(order("3", fen=71))) == "REFERENCE_DIFFERS"
    assert refused(bench.enter(order("4", fen=70))) == "REFERENCE_TAKEN"


@pytest.mark.refusal("REFERENCE_EXCEEDED")
def test_refunds_together_are_never_more_than_the_payment(bench: Bench) -> None:
    paid(bench, payment())
    assert refused(bench.enter(refund("1", fen=-4_000))) == ""
    assert refused(bench.enter(refund("2", fen=-5_999))) == ""

    last = refund("3", fen=-2)
    assert leaves_no_trace(bench, lambda: bench.enter(last)) == "REFERENCE_EXCEEDED"

    assert refused(bench.enter(refund("4", fen=-1))) == ""
    # What another kind says is about the same money.
    assert refused(bench.enter(refund("5", fen=-10_000, kind=NOTICE))) == ""


@pytest.mark.refusal("REFERENCE_EXCEEDED")
def test_refunds_in_one_commit_count_together(bench: Bench) -> None:
    recorded(bench.enter(payment(), send=True))
    told = [refund(str(at), fen=-6_000, kind=NOTICE) for at in range(2)]

    outcomes = bench.arrive(*told, carrier=BANK, hosted=(FINANCE,)).outcomes

    assert [refused(one) for one in outcomes] == ["", "REFERENCE_EXCEEDED"]


def test_no_stranger_uses_up_what_another_bank_may_give_back(bench: Bench) -> None:
    """A gateway that lets its own bank name another's payment harms nobody else."""
    stranger = "330000004"
    recorded(bench.enter(payment(), send=True))
    honest = refund("1", fen=-10_000, kind=NOTICE)
    lie = refund("9", fen=-10_000, kind=NOTICE)
    lie = replace(lie, key=replace(lie.key, issuer=stranger), by=stranger)

    (let_pass,) = bench.arrive(lie, carrier=stranger, hosted=(FINANCE,)).outcomes
    (arrived,) = bench.arrive(honest, carrier=BANK, hosted=(FINANCE,)).outcomes

    # The one is for the desk to look at; no voucher that it may name is here.
    assert [refused(let_pass), refused(arrived)] == ["", ""]
    more = refund("2", fen=-1, kind=NOTICE)
    (exceeds,) = bench.arrive(more, carrier=BANK, hosted=(FINANCE,)).outcomes
    assert refused(exceeds) == "REFERENCE_EXCEEDED"


def test_a_refund_that_was_returned_or_withdrawn_counts_no_more(bench: Bench) -> None:
    paid(bench, payment())
    back, gone = refund("1", fen=-10_000), refund("2", fen=-10_000)
    recorded(bench.enter(back, send=True))
    assert refused(bench.enter(gone)) == "REFERENCE_EXCEEDED"
    returned = step(K.RETURN, back, by=TREASURY)
    bench.arrive(returned, carrier=TREASURY, hosted=(BANK,))

    recorded(bench.enter(gone))
    recorded(bench.one(Withdraw(key=gone.key, digest=gone.digest)))

    again = refund("1", fen=-10_000, issue=2, replaces=back.digest)
    assert refused(bench.enter(again)) == ""


@pytest.mark.refusal("REFERENCE_EXCEEDED")
def test_a_voucher_that_was_withdrawn_and_sealed_anew_counts(bench: Bench) -> None:
    paid(bench, payment())
    anew = refund("1", fen=-10_000)
    recorded(bench.enter(anew))
    recorded(bench.one(Withdraw(key=anew.key, digest=anew.digest)))
    recorded(bench.enter(anew))

    assert refused(bench.enter(refund("2", fen=-1))) == "REFERENCE_EXCEEDED"


def test_a_match_that_the_unit_denies_counts_no_more(bench: Bench) -> None:
    paid(bench, payment())
    denied = refund("1", fen=-10_000, kind=MATCH, lapses=True)
    recorded(bench.enter(denied, send=True))
    right = refund("2", fen=-10_000, kind=MATCH, lapses=True)
    assert refused(bench.enter(right)) == "REFERENCE_EXCEEDED"

    no = step(K.RECEIPT, denied, by=TREASURY, amount_fen=1)
    bench.arrive(no, carrier=TREASURY, hosted=(BANK,))

    assert bench.standing(denied) is Standing.DISPUTED
    assert refused(bench.enter(right)) == ""


# --- how often -------------------------------------------------------------------


@pytest.mark.refusal("REFERENCE_TAKEN")
def test_an_application_is_ordered_once(bench: Bench) -> None:
    arrived(bench, application())
    recorded(bench.enter(order("1"), send=True))

    second = order("2")
    assert leaves_no_trace(bench, lambda: bench.enter(second)) == "REFERENCE_TAKEN"

    returned = step(K.RETURN, order("1"), by=TREASURY)
    bench.arrive(returned, carrier=TREASURY, hosted=(FINANCE,))
    assert refused(bench.enter(second)) == ""


@pytest.mark.refusal("REFERENCE_TAKEN")
def test_a_receipt_stands_in_one_list(bench: Bench) -> None:
    arrived(bench, application())
    answered(bench, order(), by=TREASURY)
    recorded(bench.enter(listing("L1")))

    assert refused(bench.enter(listing("L2"))) == "REFERENCE_TAKEN"
    # The same bytes again are the same list.
    assert not recorded(bench.enter(listing("L1"))).new


def test_a_voucher_that_comes_to_the_vault_that_issued_it_is_one(bench: Bench) -> None:
    """Both sides of a refund notice in one vault do not count twice."""
    recorded(bench.enter(payment(), send=True))
    paid(bench, payment(), at=BANK)
    told = refund(fen=-10_000, kind=NOTICE)
    recorded(bench.enter(told, send=True))

    outcome = bench.arrive(told, carrier=BANK, hosted=(BANK, FINANCE)).outcomes[0]

    assert refused(outcome) == ""
    again = refund("2", fen=-1, kind=NOTICE)
    assert refused(bench.enter(again)) == "REFERENCE_EXCEEDED"
