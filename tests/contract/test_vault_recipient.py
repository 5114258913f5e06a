"""What a vault does for the recipients of vouchers."""

from __future__ import annotations

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Read
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import (
    ActingBegun,
    IssueOutOfOrder,
    LeafNotFound,
    NotARecipient,
    NotInState,
    NotTheIssuer,
    ReceiptExists,
    ReferenceMissing,
    VoucherKeyReused,
    VoucherNotFound,
)
from counterfoil.domain.standing import Act, Standing
from tests.contract.vaults import (
    BANK,
    FINANCE,
    TREASURY,
    Bench,
    recorded,
    step,
    voucher,
    with_other_seals,
)
from tests.doubles import kept

K = DocumentKind
TO_US = (FINANCE, TREASURY)


def ours(kind: K, about: Document, content: str = "") -> Document:
    """Make a step of finance, as a recipient."""
    return step(kind, about, by=FINANCE, content=content)


@pytest.fixture
def paper(bench: Bench) -> Document:
    """Return a voucher to finance and treasury that has arrived as leaf 0."""
    document = voucher(issuer=BANK, to=TO_US)
    bench.arrive(document)
    return document


def accept_and(bench: Bench, about: Document, *acts: Act) -> None:
    """Accept, then act."""
    recorded(bench.enter(ours(K.ACCEPTANCE, about)))
    for act in acts:
        recorded(bench.act(act, about))


def test_an_arrived_voucher_waits_for_each_recipient_hosted_here(
    bench: Bench, paper: Document
) -> None:
    for party in TO_US:
        (waits,) = bench.vault.waiting(party, after=-1, limit=9)
        assert (waits.sealed, waits.key, waits.leaf_index) == (
            paper.sealed,
            paper.key,
            0,
        )
    assert bench.standing(paper) is Standing.ARRIVED
    assert bench.vault.leaf(0).recipients == ""
    assert bench.vault.leaf(0).by == BANK


def test_the_same_voucher_again_is_known_with_its_first_time(
    bench: Bench, paper: Document
) -> None:
    first = bench.vault.leaf(0).time_us

    committed = bench.arrive(with_other_seals(paper))

    again = recorded(committed.outcomes[0])
    assert (again.leaf, again.time_us, again.new) == (0, first, False)
    assert (committed.new_count, committed.range_proof, committed.size) == (0, (), 1)
    assert committed.checkpoint


@pytest.mark.refusal("VOUCHER_KEY_REUSED")
def test_other_bytes_under_a_known_key_are_refused(
    bench: Bench, paper: Document
) -> None:
    before = bench.unchanged()

    outcome = bench.arrive(voucher(issuer=BANK, to=TO_US, content="x")).outcomes[0]

    assert isinstance(outcome, VoucherKeyReused)
    assert bench.unchanged() == before
    assert bench.vault.key_of(paper.digest) == paper.key


@pytest.mark.refusal("NOT_A_RECIPIENT")
def test_a_voucher_for_others_is_refused(bench: Bench) -> None:
    committed = bench.arrive(voucher(issuer=BANK, to=("330000009",)))

    assert isinstance(committed.outcomes[0], NotARecipient)
    assert bench.vault.size() == 0


def test_a_refused_document_leaves_the_others_of_its_batch_standing(
    bench: Bench,
) -> None:
    good = [voucher(str(number), issuer=BANK, to=TO_US) for number in range(2)]

    committed = bench.arrive(
        good[0], voucher("8", issuer=BANK, to=("330000009",)), good[1], good[0]
    )

    assert [recorded(committed.outcomes[at]).leaf for at in (0, 2, 3)] == [0, 1, 0]
    assert recorded(committed.outcomes[3]).new is False
    assert isinstance(committed.outcomes[1], NotARecipient)
    assert (committed.first_leaf, committed.new_count, committed.size) == (0, 2, 2)


@pytest.mark.refusal("ISSUE_OUT_OF_ORDER")
@pytest.mark.clause("hubei-33")
def test_issue_two_is_admitted_only_after_issue_one_is_void(
    bench: Bench, paper: Document
) -> None:
    second = voucher(issuer=BANK, to=TO_US, issue=2, replaces=paper.digest)
    unseen = voucher("5", issuer=BANK, to=TO_US, issue=2, replaces=voucher("5").digest)

    early = bench.arrive(second, unseen).outcomes
    bench.enter(ours(K.RETURN, paper))
    bench.enter(step(K.RETURN, paper, by=TREASURY))
    late = bench.arrive(second).outcomes[0]

    assert [type(outcome) for outcome in early] == [IssueOutOfOrder] * 2
    assert recorded(late).standing is Standing.ARRIVED


def test_accepting_takes_the_voucher_off_that_party_s_list_only(
    bench: Bench, paper: Document
) -> None:
    outcome = recorded(bench.enter(ours(K.ACCEPTANCE, paper)))

    assert outcome.standing is Standing.ACCEPTED
    assert bench.vault.waiting(FINANCE, after=-1, limit=9) == []
    assert len(bench.vault.waiting(TREASURY, after=-1, limit=9)) == 1
    assert bench.standing(paper, 1) is Standing.ARRIVED
    assert bench.vault.lane_lengths() == {BANK: 1}
    assert bench.vault.leaf(outcome.leaf).recipients == FINANCE


def test_a_step_of_ours_twice_is_known(bench: Bench, paper: Document) -> None:
    first = recorded(bench.enter(ours(K.ACCEPTANCE, paper)))

    again = recorded(bench.enter(ours(K.ACCEPTANCE, paper)))
    other = recorded(bench.enter(ours(K.ACCEPTANCE, paper, "in other words")))

    assert [(again.leaf, again.new), (other.leaf, other.new)] == [
        (first.leaf, False),
        (first.leaf, False),
    ]
    assert bench.vault.lane_lengths() == {BANK: 1}


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
def test_a_step_needs_the_voucher_with_its_digest(
    bench: Bench, paper: Document
) -> None:
    other = voucher(issuer=BANK, to=TO_US, content="other")

    outcomes = [
        bench.enter(ours(K.ACCEPTANCE, other)),
        bench.enter(step(K.ACCEPTANCE, paper, by="330000009")),
        bench.act(Act.BEGIN, other),
        bench.act(Act.BEGIN, paper, "330000009"),
    ]

    assert [type(outcome) for outcome in outcomes] == [VoucherNotFound] * 4
    assert bench.vault.size() == 1


@pytest.mark.refusal("NOT_IN_STATE")
@pytest.mark.clause("hubei-33")
def test_acting_does_not_begin_twice(bench: Bench, paper: Document) -> None:
    accept_and(bench, paper, Act.BEGIN)
    before = bench.unchanged()

    outcome = bench.act(Act.BEGIN, paper)

    assert isinstance(outcome, NotInState)
    assert bench.unchanged() == before


def test_an_end_told_twice_is_known(bench: Bench, paper: Document) -> None:
    accept_and(bench, paper, Act.BEGIN, Act.END_DONE)
    size = bench.vault.size()

    again = recorded(bench.act(Act.END_DONE, paper))

    assert (again.leaf, again.new, bench.vault.size()) == (size - 1, False, size)


@pytest.mark.refusal("NOT_IN_STATE")
def test_nothing_ends_that_did_not_begin(bench: Bench, paper: Document) -> None:
    accept_and(bench, paper)

    for act in (Act.END_DONE, Act.END_NOT_DONE, Act.END_UNKNOWN):
        assert isinstance(bench.act(act, paper), NotInState)
    assert bench.standing(paper) is Standing.ACCEPTED


def test_after_not_done_acting_may_begin_again(bench: Bench, paper: Document) -> None:
    accept_and(bench, paper, Act.BEGIN, Act.END_UNKNOWN, Act.END_NOT_DONE)

    outcome = recorded(bench.act(Act.BEGIN, paper))

    assert (outcome.standing, outcome.new) == (Standing.ACTING, True)


@pytest.mark.refusal("ACTING_BEGUN")
@pytest.mark.clause("hubei-32b")
def test_a_voucher_is_not_returned_once_acting_has_begun(
    bench: Bench, paper: Document
) -> None:
    accept_and(bench, paper, Act.BEGIN)

    begun = bench.enter(ours(K.RETURN, paper))
    bench.act(Act.END_UNKNOWN, paper)
    unknown = bench.enter(ours(K.RETURN, paper))
    bench.act(Act.END_NOT_DONE, paper)
    free = bench.enter(ours(K.RETURN, paper))

    assert [type(outcome) for outcome in (begun, unknown)] == [ActingBegun] * 2
    assert recorded(free).standing is Standing.RETURNED


@pytest.mark.refusal("NOT_IN_STATE")
@pytest.mark.clause("hubei-33")
def test_a_returned_voucher_never_acts_again(bench: Bench, paper: Document) -> None:
    bench.enter(ours(K.RETURN, paper))

    for act in (Act.BEGIN, Act.END_DONE, Act.END_NOT_DONE, Act.END_UNKNOWN):
        assert isinstance(bench.act(act, paper), NotInState)
    assert isinstance(bench.enter(ours(K.RECEIPT, paper)), NotInState)
    assert bench.standing(paper) is Standing.RETURNED


@pytest.mark.refusal("NOT_IN_STATE")
def test_there_is_no_receipt_before_the_act_is_done(
    bench: Bench, paper: Document
) -> None:
    accept_and(bench, paper, Act.BEGIN, Act.END_UNKNOWN)

    assert isinstance(bench.enter(ours(K.RECEIPT, paper)), NotInState)


@pytest.mark.refusal("RECEIPT_EXISTS")
def test_a_recipient_issues_one_receipt(bench: Bench, paper: Document) -> None:
    accept_and(bench, paper, Act.BEGIN, Act.END_DONE)
    receipt = ours(K.RECEIPT, paper)
    first = recorded(bench.enter(receipt))

    again = recorded(bench.enter(receipt))
    other = bench.enter(ours(K.RECEIPT, paper, "another"))

    assert (again.leaf, again.new) == (first.leaf, False)
    assert isinstance(other, ReceiptExists)
    entry = kept(bench.vault, paper.key)
    assert entry is not None
    assert entry.passages[0].receipt == receipt.digest


def test_a_discard_of_a_returned_voucher_arrives(bench: Bench, paper: Document) -> None:
    for party in TO_US:
        bench.enter(step(K.RETURN, paper, by=party))

    committed = bench.arrive(step(K.DISCARD, paper, by=BANK))

    assert recorded(committed.outcomes[0]).standing is Standing.DISCARDED
    (waits,) = bench.vault.waiting(TREASURY, after=-1, limit=9)
    assert waits.leaf.kind is K.DISCARD


@pytest.mark.refusal("NOT_IN_STATE")
@pytest.mark.clause("hubei-33")
def test_a_voucher_discarded_before_it_arrived_is_refused(bench: Bench) -> None:
    late = voucher(issuer=BANK, to=TO_US)
    discard = step(K.DISCARD, late, by=BANK)
    first = recorded(bench.arrive(discard).outcomes[0])

    outcome = bench.arrive(late).outcomes[0]
    again = recorded(bench.arrive(discard).outcomes[0])
    second = bench.arrive(voucher(issuer=BANK, to=TO_US, issue=2, replaces=late.digest))

    assert first.standing is Standing.DISCARDED
    assert isinstance(outcome, NotInState)
    assert (again.leaf, again.new) == (first.leaf, False)
    assert recorded(second.outcomes[0]).standing is Standing.ARRIVED


@pytest.mark.refusal("NOT_THE_ISSUER")
def test_a_discard_by_another_than_the_issuer_is_refused(
    bench: Bench, paper: Document
) -> None:
    outcome = bench.arrive(step(K.DISCARD, paper, by=TREASURY)).outcomes[0]

    assert isinstance(outcome, NotTheIssuer)


@pytest.mark.refusal("REFERENCE_MISSING")
def test_a_return_request_about_the_unknown_is_refused(bench: Bench) -> None:
    about = voucher(issuer=BANK, to=TO_US)

    outcome = bench.arrive(step(K.RETURN_REQUEST, about, by=BANK)).outcomes[0]

    assert isinstance(outcome, ReferenceMissing)


@pytest.mark.clause("hubei-32b")
def test_a_return_request_is_shown_to_the_recipients(
    bench: Bench, paper: Document
) -> None:
    request = step(K.RETURN_REQUEST, paper, by=BANK)

    first, again = (bench.arrive(request) for _ in range(2))

    assert recorded(first.outcomes[0]).standing is Standing.ARRIVED
    assert recorded(again.outcomes[0]).new is False
    kinds = [w.leaf.kind for w in bench.vault.waiting(FINANCE, after=-1, limit=9)]
    assert kinds == [K.VOUCHER, K.RETURN_REQUEST]


@pytest.mark.refusal("NOT_IN_STATE")
def test_a_voucher_is_not_taken_off_the_list_by_reading(
    bench: Bench, paper: Document
) -> None:
    del paper

    outcome = bench.one(Read(party=FINANCE, leaves=(0,)))

    assert isinstance(outcome, NotInState)
    assert len(bench.vault.waiting(FINANCE, after=-1, limit=9)) == 1


@pytest.mark.refusal("LEAF_NOT_FOUND")
def test_nobody_reads_another_party_s_list(bench: Bench, paper: Document) -> None:
    bench.arrive(step(K.RETURN_REQUEST, paper, by=BANK))

    (committed,) = bench.perform(Read(party="330000009", leaves=(1, 77, -1)))

    assert [type(outcome) for outcome in committed.outcomes] == [LeafNotFound] * 3
    assert len(bench.vault.waiting(FINANCE, after=-1, limit=9)) == 2


def test_reading_twice_is_known(bench: Bench, paper: Document) -> None:
    bench.arrive(step(K.RETURN_REQUEST, paper, by=BANK))
    read = Read(party=FINANCE, leaves=(1,))

    first, again = (recorded(bench.one(read)) for _ in range(2))

    assert (first.new, again.new) == (True, False)
    assert bench.vault.size() == 2
