"""What a vault does for the issuer of vouchers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import Comparison, DocumentKind
from counterfoil.domain.deeds import PeerAnswer, Read, Recorded, Send, Withdraw
from counterfoil.domain.refusals import (
    IssueOutOfOrder,
    LeafNotFound,
    NotInState,
    NotTheIssuer,
    PartyUnknown,
    ReceiptExists,
    ReferenceMissing,
    VoucherKeyReused,
    VoucherNotFound,
    WithdrawalOutOfOrder,
)
from counterfoil.domain.standing import Act, Role, Standing
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    TREASURY,
    Bench,
    recorded,
    step,
    voucher,
    with_other_seals,
)
from tests.doubles import kept

K = DocumentKind


def arrived_at_bank(bench: Bench, about: object) -> None:
    """Let the bank answer everything that waits for it."""
    del about
    answers = [
        PeerAnswer(sequence=item.sequence, leaf=at)
        for at, item in enumerate(bench.vault.lane(BANK, after=-1, limit=100))
    ]
    bench.deliver(*answers)


def test_an_entered_voucher_is_in_the_books_and_waits_in_no_lane(bench: Bench) -> None:
    paper = voucher()

    outcome = bench.enter(paper)

    assert outcome == Recorded(
        leaf=0, standing=Standing.SEALED, time_us=recorded(outcome).time_us
    )
    assert bench.vault.document(0) == paper.sealed
    assert bench.vault.key_of(paper.digest) == paper.key
    assert bench.vault.lane_lengths() == {}
    assert bench.vault.leaf(0).act is Act.ENTER


def test_many_keys_are_looked_up_at_once(bench: Bench) -> None:
    first, second, other = voucher("1"), voucher("2"), voucher("3")
    for paper in (first, second):
        bench.enter(paper)

    entries = bench.vault.entries(
        [second.key, other.key, first.key, second.key], Role.ISSUER
    )

    assert [entry.digest if entry else None for entry in entries] == [
        second.digest,
        None,
        first.digest,
        second.digest,
    ]
    assert entries[2] == kept(bench.vault, first.key)
    assert bench.vault.entries([], Role.ISSUER) == []


def test_entering_the_same_voucher_again_writes_nothing(bench: Bench) -> None:
    first = recorded(bench.enter(voucher()))

    again = recorded(bench.enter(with_other_seals(voucher())))

    assert (again.leaf, again.time_us, again.new) == (0, first.time_us, False)
    assert bench.vault.size() == 1


@pytest.mark.refusal("VOUCHER_KEY_REUSED")
def test_a_voucher_key_cannot_carry_other_bytes(bench: Bench) -> None:
    bench.enter(voucher())
    before = bench.unchanged()

    outcome = bench.enter(voucher(content="another"))

    assert isinstance(outcome, VoucherKeyReused)
    assert bench.unchanged() == before


def test_entering_with_send_is_one_act(bench: Bench) -> None:
    outcome = recorded(bench.enter(voucher(), send=True))

    assert (outcome.leaf, outcome.standing) == (0, Standing.SENT)
    assert bench.vault.leaf(0).act is Act.ENTER_AND_SEND
    assert bench.vault.document(0) == voucher().sealed
    assert bench.vault.size() == 1
    assert [item.sealed for item in bench.vault.lane(BANK, after=-1, limit=9)] == [
        voucher().sealed
    ]


def test_entering_a_known_voucher_with_send_sends_it(bench: Bench) -> None:
    bench.enter(voucher())

    outcome = recorded(bench.enter(voucher(), send=True))
    again = recorded(bench.enter(voucher(), send=True))

    assert (outcome.leaf, outcome.new) == (1, True)
    assert [bench.vault.leaf(at).act for at in (0, 1)] == [Act.ENTER, Act.SEND]
    assert (again.leaf, again.new) == (1, False)
    assert bench.vault.lane_lengths() == {BANK: 1}


def test_two_recipients_behind_one_carrier_are_one_item(bench: Bench) -> None:
    lanes = {BANK: BANK, TREASURY: BANK}

    bench.enter(voucher(to=(BANK, TREASURY)), send=True, lanes=lanes)

    (item,) = bench.vault.lane(BANK, after=-1, limit=9)
    assert item.recipients == (BANK, TREASURY)


def test_two_carriers_have_each_their_own_lane(bench: Bench) -> None:
    bench.enter(voucher(to=(BANK, TREASURY)), send=True)

    assert bench.vault.lane_lengths() == {BANK: 1, TREASURY: 1}


@pytest.mark.refusal("PARTY_UNKNOWN")
def test_a_voucher_without_a_lane_is_not_entered_for_sending(bench: Bench) -> None:
    outcome = bench.enter(voucher(to=(BANK, TREASURY)), send=True, lanes={BANK: BANK})

    assert isinstance(outcome, PartyUnknown)
    assert bench.vault.size() == 0


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
def test_only_a_voucher_of_ours_with_this_digest_is_sent(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper)
    foreign = voucher(issuer=BANK, to=(FINANCE,))
    bench.arrive(foreign)
    before = bench.unchanged()

    outcomes = [
        bench.one(Send(key=paper.key, digest=b"\1" * 32, lanes=LANES)),
        bench.one(Send(key=voucher("2").key, digest=paper.digest, lanes=LANES)),
        bench.one(Send(key=foreign.key, digest=foreign.digest, lanes=LANES)),
    ]

    assert [type(outcome) for outcome in outcomes] == [VoucherNotFound] * 3
    assert bench.unchanged() == before


def test_sending_again_later_is_known_and_changes_nothing(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    arrived_at_bank(bench, paper)

    again = recorded(bench.one(Send(key=paper.key, digest=paper.digest, lanes=LANES)))

    assert (again.new, again.standing) == (False, Standing.ARRIVED)
    assert bench.vault.lane_lengths() == {}


@pytest.mark.refusal("NOT_IN_STATE")
@pytest.mark.clause("hubei-33")
def test_a_void_voucher_is_never_sent_again(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    arrived_at_bank(bench, paper)
    bench.arrive(step(K.RETURN, paper))

    outcome = bench.one(Send(key=paper.key, digest=paper.digest, lanes=LANES))

    assert isinstance(outcome, NotInState)
    assert bench.standing(paper) is Standing.RETURNED


@pytest.mark.refusal("ISSUE_OUT_OF_ORDER")
@pytest.mark.clause("hubei-33")
def test_issue_two_needs_a_void_issue_one_and_its_digest(bench: Bench) -> None:
    paper = voucher()
    second = voucher(issue=2, replaces=paper.digest, content="second")
    unheard = bench.enter(second)
    bench.enter(paper)
    in_force = bench.enter(second)
    bench.enter(step(K.DISCARD, paper, by=FINANCE), lanes={})
    wrong = bench.enter(voucher(issue=2, replaces=b"\2" * 32, content="second"))
    first_replaces = bench.enter(voucher("9", replaces=paper.digest))
    right = bench.enter(second)

    refused = [unheard, in_force, wrong, first_replaces]
    assert [type(outcome) for outcome in refused] == [IssueOutOfOrder] * 4
    assert recorded(right).standing is Standing.SEALED


def test_a_voucher_that_was_never_sent_can_be_withdrawn(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper)

    outcome = recorded(bench.one(Withdraw(key=paper.key, digest=paper.digest)))

    assert outcome.standing is Standing.DRAFT
    assert kept(bench.vault, paper.key) is None
    assert bench.vault.key_of(paper.digest) is None
    assert bench.vault.leaf(outcome.leaf).act is Act.WITHDRAW
    assert recorded(bench.enter(voucher(content="rewritten"))).new


@pytest.mark.refusal("WITHDRAWAL_OUT_OF_ORDER")
def test_a_sent_voucher_cannot_be_withdrawn(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)

    outcome = bench.one(Withdraw(key=paper.key, digest=paper.digest))

    assert isinstance(outcome, WithdrawalOutOfOrder)
    assert bench.vault.size() == 1


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
def test_what_is_not_in_the_books_cannot_be_withdrawn(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper)

    outcome = bench.one(Withdraw(key=paper.key, digest=b"\1" * 32))

    assert isinstance(outcome, VoucherNotFound)


def test_delivery_leaves_the_lane_and_keeps_the_evidence(bench: Bench) -> None:
    papers = [voucher(str(number)) for number in range(3)]
    for paper in papers:
        bench.enter(paper, send=True)
    lane = bench.vault.lane(BANK, after=-1, limit=9)

    committed = bench.deliver(
        *[PeerAnswer(sequence=item.sequence, leaf=7) for item in lane],
        evidence=b"the peer's proof",
    )

    leaves = [recorded(outcome).leaf for outcome in committed.outcomes]
    assert leaves == [3, 4, 5]
    assert [bench.vault.evidence(leaf) for leaf in leaves] == [b"the peer's proof"] * 3
    assert bench.vault.lane_lengths() == {}
    assert [bench.standing(paper) for paper in papers] == [Standing.ARRIVED] * 3
    assert bench.vault.leaf(3).by == BANK


def test_an_answer_given_twice_is_known(bench: Bench) -> None:
    bench.enter(voucher(), send=True)
    (item,) = bench.vault.lane(BANK, after=-1, limit=9)
    answer = PeerAnswer(sequence=item.sequence, leaf=7)
    bench.deliver(answer)

    committed = bench.deliver(answer)

    assert recorded(committed.outcomes[0]).new is False
    assert bench.vault.size() == 2


def test_an_answer_to_nothing_is_refused(bench: Bench) -> None:
    bench.enter(voucher())

    committed = bench.deliver(
        PeerAnswer(sequence=0, leaf=1), PeerAnswer(sequence=99, leaf=1)
    )

    assert [type(outcome) for outcome in committed.outcomes] == [LeafNotFound] * 2
    assert bench.vault.size() == 1


def test_a_known_document_needs_no_evidence(bench: Bench) -> None:
    bench.enter(voucher(), send=True)
    (item,) = bench.vault.lane(BANK, after=-1, limit=9)

    committed = bench.deliver(PeerAnswer(sequence=item.sequence, leaf=7), evidence=b"")

    leaf = recorded(committed.outcomes[0]).leaf
    with pytest.raises(LeafNotFound):
        bench.vault.evidence(leaf)
    assert bench.standing(voucher()) is Standing.ARRIVED


def test_a_refusal_for_good_leaves_the_lane_with_its_reason(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    (item,) = bench.vault.lane(BANK, after=-1, limit=9)

    bench.deliver(
        PeerAnswer(sequence=item.sequence, leaf=None, reason="SEAL_FORGED"),
        evidence=b"",
    )

    entry = kept(bench.vault, paper.key)
    assert entry is not None
    assert entry.passages[0].standing is Standing.REFUSED
    assert entry.passages[0].refused_reason == "SEAL_FORGED"
    assert bench.vault.lane_lengths() == {}
    assert bench.vault.leaf(1).act is Act.REFUSE


def test_a_refusal_for_now_is_set_aside_and_stays(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    (item,) = bench.vault.lane(BANK, after=-1, limit=9)

    committed = bench.deliver(
        PeerAnswer(sequence=item.sequence, leaf=None, reason="X", retryable=True)
    )

    (item,) = bench.vault.lane(BANK, after=-1, limit=9)
    assert item.not_before_us > 0
    assert bench.vault.lane_lengths() == {BANK: 1}
    assert recorded(committed.outcomes[0]).new is False
    assert bench.vault.size() == 1


def test_delivery_leaves_stand_together_in_the_order_of_answers(bench: Bench) -> None:
    for number in range(3):
        bench.enter(voucher(str(number)), send=True)
    one, two, three = bench.vault.lane(BANK, after=-1, limit=9)

    committed = bench.deliver(
        PeerAnswer(sequence=one.sequence, leaf=1),
        PeerAnswer(sequence=two.sequence, leaf=None, reason="NO"),
        PeerAnswer(sequence=three.sequence, leaf=2),
    )

    leaves = [recorded(outcome).leaf for outcome in committed.outcomes]
    assert leaves == [3, 5, 4]


def test_a_lane_is_read_from_any_place(bench: Bench) -> None:
    for number in range(4):
        bench.enter(voucher(str(number)), send=True)
    items = bench.vault.lane(BANK, after=-1, limit=9)

    page = bench.vault.lane(BANK, after=items[1].sequence, limit=1)

    assert page == [items[2]]


def test_steps_of_the_recipient_arrive_and_are_read(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    arrived_at_bank(bench, paper)
    acceptance = step(K.ACCEPTANCE, paper)

    bench.arrive(acceptance)

    (waits,) = bench.vault.waiting(FINANCE, after=-1, limit=9)
    assert (waits.key, waits.sealed, waits.times_read) == (
        paper.key,
        acceptance.sealed,
        0,
    )
    assert bench.vault.waiting(FINANCE, after=-1, limit=9)[0].times_read == 1
    assert bench.standing(paper) is Standing.ACCEPTED
    bench.one(Read(party=FINANCE, leaves=(waits.leaf_index,)))
    assert bench.vault.waiting(FINANCE, after=-1, limit=9) == []


def test_so_many_bytes_are_read_at_a_time_and_only_those_count_as_read(
    bench: Bench,
) -> None:
    for number in range(3):
        bench.arrive(voucher(str(number), issuer=BANK, to=(FINANCE,)))
    first, *_ = bench.vault.waiting(FINANCE, after=-1, limit=1)
    room = 2 * len(first.sealed)

    two = bench.vault.waiting(FINANCE, after=-1, limit=9, bytes_max=room)
    one = bench.vault.waiting(FINANCE, after=-1, limit=9, bytes_max=1)
    everything = bench.vault.waiting(FINANCE, after=-1, limit=9)

    assert [len(page) for page in (two, one, everything)] == [2, 1, 3]
    assert [waits.times_read for waits in everything] == [3, 1, 0]


@pytest.mark.clause("hubei-20")
def test_a_receipt_that_agrees_closes_the_voucher(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    receipt = step(K.RECEIPT, paper)

    committed = bench.arrive(receipt)

    assert recorded(committed.outcomes[0]).standing is Standing.CLOSED
    assert (committed.first_leaf, committed.new_count, committed.size) == (1, 1, 3)
    assert bench.vault.leaf(2).act is Act.CLOSE
    entry = kept(bench.vault, paper.key)
    assert entry is not None
    assert entry.passages[0].receipt == receipt.digest


def test_a_receipt_that_does_not_agree_is_disputed(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)

    committed = bench.arrive(step(K.RECEIPT, paper, amount_fen=9_999))

    assert recorded(committed.outcomes[0]).standing is Standing.DISPUTED
    assert bench.vault.leaf(2).act is Act.DISPUTE


@pytest.mark.parametrize(
    ("comparison", "amount_fen", "standing"),
    [
        (Comparison.AMOUNT, 10_000, Standing.CLOSED),
        (Comparison.AMOUNT, 9_999, Standing.DISPUTED),
        (Comparison.NOTHING, 0, Standing.CLOSED),
        (Comparison.DIFFERS, 10_000, Standing.DISPUTED),
    ],
)
def test_a_receipt_is_compared_by_what_it_states(
    bench: Bench, comparison: Comparison, amount_fen: int, standing: Standing
) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    receipt = step(K.RECEIPT, paper, amount_fen=amount_fen)

    committed = bench.arrive(replace(receipt, count=0, comparison=comparison))

    assert recorded(committed.outcomes[0]).standing is standing


def test_leaves_of_arrival_stand_before_those_of_comparison(bench: Bench) -> None:
    papers = [voucher(str(number)) for number in range(2)]
    for paper in papers:
        bench.enter(paper, send=True)

    committed = bench.arrive(*[step(K.RECEIPT, paper) for paper in papers])

    acts = [bench.vault.leaf(at).act for at in range(2, 6)]
    assert acts == [Act.ARRIVE, Act.ARRIVE, Act.CLOSE, Act.CLOSE]
    assert (committed.first_leaf, committed.new_count) == (2, 2)


@pytest.mark.refusal("RECEIPT_EXISTS")
def test_a_voucher_has_one_receipt(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    first = recorded(bench.arrive(step(K.RECEIPT, paper)).outcomes[0])

    again = bench.arrive(step(K.RECEIPT, paper)).outcomes[0]
    other = bench.arrive(step(K.RECEIPT, paper, content="other")).outcomes[0]

    assert isinstance(again, Recorded)
    assert (again.leaf, again.time_us, again.new) == (first.leaf, first.time_us, False)
    assert isinstance(other, ReceiptExists)
    assert bench.vault.size() == 3


@pytest.mark.refusal("NOT_THE_ISSUER")
def test_a_step_by_no_recipient_is_refused(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    before = bench.unchanged()

    outcome = bench.arrive(step(K.ACCEPTANCE, paper, by=TREASURY)).outcomes[0]

    assert isinstance(outcome, NotTheIssuer)
    assert bench.unchanged() == before


@pytest.mark.refusal("REFERENCE_MISSING")
def test_a_step_about_an_unknown_voucher_is_refused(bench: Bench) -> None:
    outcome = bench.arrive(step(K.RECEIPT, voucher())).outcomes[0]

    assert isinstance(outcome, ReferenceMissing)
    assert bench.vault.size() == 0


@pytest.mark.refusal("NOT_IN_STATE")
def test_a_step_before_sending_is_refused(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper)

    outcome = bench.arrive(step(K.ACCEPTANCE, paper)).outcomes[0]

    assert isinstance(outcome, NotInState)
    assert bench.standing(paper) is Standing.SEALED


def test_a_late_step_is_stored_and_leads_nowhere(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    bench.arrive(step(K.RETURN, paper))

    committed = bench.arrive(step(K.ACCEPTANCE, paper))

    assert committed.new_count == 1
    assert recorded(committed.outcomes[0]).standing is Standing.RETURNED
    assert bench.vault.document(committed.first_leaf)


@pytest.mark.clause("hubei-32b")
def test_a_return_request_travels_once_and_changes_no_standing(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    request = step(K.RETURN_REQUEST, paper, by=FINANCE)

    first = recorded(bench.enter(request))
    again = recorded(bench.enter(request))

    assert (first.new, again.new, again.leaf) == (True, False, first.leaf)
    assert bench.vault.lane_lengths() == {BANK: 2}
    assert bench.standing(paper) is Standing.SENT


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
def test_no_step_of_ours_about_what_is_not_ours(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)
    before = bench.unchanged()

    outcomes = [
        bench.enter(step(K.ACCEPTANCE, paper)),
        bench.enter(step(K.DISCARD, paper, by=BANK)),
        bench.enter(step(K.RETURN_REQUEST, voucher("7"), by=FINANCE)),
    ]

    assert [type(outcome) for outcome in outcomes] == [VoucherNotFound] * 3
    assert bench.unchanged() == before


@pytest.mark.refusal("NOT_IN_STATE")
def test_a_sent_voucher_cannot_be_discarded(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper, send=True)

    outcome = bench.enter(step(K.DISCARD, paper, by=FINANCE))

    assert isinstance(outcome, NotInState)
    assert bench.standing(paper) is Standing.SENT


def test_a_discard_travels_where_its_lanes_lead(bench: Bench) -> None:
    paper = voucher(to=(BANK, TREASURY))
    bench.enter(paper)

    bench.enter(step(K.DISCARD, paper, by=FINANCE), lanes={BANK: BANK})

    assert bench.standing(paper, 0) is Standing.DISCARDED
    assert bench.standing(paper, 1) is Standing.DISCARDED
    assert bench.vault.lane_lengths() == {BANK: 1}
