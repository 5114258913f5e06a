"""A peer's answer is recorded only when its proof holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from counterfoil.app.arrivals import arrival_leaf, single_proof
from counterfoil.app.peer_answers import (
    GrowthProof,
    LeafProof,
    PeerOutcome,
    PeerResponse,
)
from counterfoil.domain.evidence import Evidence
from counterfoil.domain.refusals import LeafNotFound, PeerForked, TreeMissing
from counterfoil.domain.standing import Act, Standing
from counterfoil.tlog.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.proof_file import ProofFile
from counterfoil.tlog.sm3 import sm3
from counterfoil.tlog.trees import LogTree
from counterfoil.tlog.verification import verify_consistency, verify_inclusion
from tests.unit.app.house import (
    RETRY_S,
    House,
    carried,
    delivered,
    fine,
    leaf_proof,
    recorded,
)
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    OTHER_BANK,
    direct_payment,
    draft_of,
    entry_notice,
)

Spoil = Callable[[House, PeerResponse], PeerResponse]


def signed(house: House, head: TreeHead, *, by: str, origin: str = "") -> bytes:
    """Return a checkpoint that the keys of `by` sign for a log."""
    checkpoint = Checkpoint(origin=origin or f"{BANK}/log", head=head)
    # A key's name has to be the log's, so another party's key borrows it.
    return sign_checkpoint(checkpoint, house.keys.heads[by], 1)


def other_root(house: House, response: PeerResponse) -> PeerResponse:
    """The peer signs a tree in which our documents do not stand."""
    head = TreeHead(house.vault.size() + 5, b"\x07" * 32)
    return replace(response, checkpoint=signed(house, head, by=BANK))


def other_time(_: House, response: PeerResponse) -> PeerResponse:
    return replace(response, arrival_time_us=response.arrival_time_us + 1)


def other_place(_: House, response: PeerResponse) -> PeerResponse:
    return replace(response, first_leaf=response.first_leaf + 1)


def other_key(house: House, response: PeerResponse) -> PeerResponse:
    head = TreeHead(2, b"\x07" * 32)
    return replace(
        response, checkpoint=signed(house, head, by=FINANCE, origin=f"{FINANCE}/log")
    )


def one_key_only(_: House, response: PeerResponse) -> PeerResponse:
    """Whoever breaks one algorithm leaves the other's line out."""
    lines = response.checkpoint.rstrip(b"\n").split(b"\n")
    return replace(response, checkpoint=b"\n".join(lines[:-1]) + b"\n")


def no_checkpoint(_: House, response: PeerResponse) -> PeerResponse:
    return replace(response, checkpoint=b"")


def longer_proof(_: House, response: PeerResponse) -> PeerResponse:
    proof = (*response.range_proof, b"\x01" * 32)
    return replace(response, range_proof=proof)


@pytest.mark.refusal("PEER_FORKED")
@pytest.mark.parametrize(
    "spoil",
    [
        other_root,
        other_time,
        other_place,
        other_key,
        one_key_only,
        no_checkpoint,
        longer_proof,
    ],
)
async def test_a_proof_that_does_not_hold_records_nothing(
    finance: House, bank: House, spoil: Spoil
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "12"]
    batch, _, response = await carried(finance, bank)
    before = await finance.state(*rows)

    with pytest.raises(PeerForked) as refused:
        await recorded(finance.record(BANK), batch, spoil(finance, response), now_us=0)

    assert refused.value.facts == {"peer": BANK}
    assert await finance.state(*rows) == before
    assert finance.vault.lane(BANK, after=-1, limit=9) == batch
    assert finance.heads.newest(f"{BANK}/log") is None
    # The true answer is still taken.
    await recorded(finance.record(BANK), batch, response, now_us=0)
    assert finance.standing(rows[0].key) is Standing.ARRIVED


@pytest.mark.refusal("PEER_FORKED")
@pytest.mark.parametrize("outcomes", [(), (PeerOutcome(),), (PeerOutcome(),) * 3])
async def test_an_answer_to_another_batch_records_nothing(
    finance: House, bank: House, outcomes: tuple[PeerOutcome, ...]
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "12"]
    batch, _, response = await carried(finance, bank)
    before = await finance.state(*rows)

    with pytest.raises(PeerForked):
        await recorded(
            finance.record(BANK), batch, replace(response, outcomes=outcomes), now_us=0
        )

    assert await finance.state(*rows) == before
    assert finance.heads.newest(f"{BANK}/log") is None


@pytest.mark.refusal("PEER_FORKED")
async def test_a_peer_that_signed_another_head_before_is_not_believed(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    batch, _, response = await carried(finance, bank)
    before = await finance.state(row)
    fork = TreeHead(1, b"\x07" * 32)
    record = finance.record(BANK)
    record.heads.see(f"{BANK}/log", fork, signed(finance, fork, by=BANK))

    with pytest.raises(PeerForked):
        await recorded(record, batch, response, now_us=0)

    assert await finance.state(row) == before
    known = finance.heads.newest(f"{BANK}/log")
    assert known is not None
    assert known.head == fork


async def test_the_head_that_proves_an_arrival_is_remembered(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment())
    batch, committed, response = await carried(finance, bank)

    await recorded(finance.record(BANK), batch, response, now_us=0)

    known = finance.heads.newest(f"{BANK}/log")
    assert known is not None
    assert (known.head.size, known.note) == (committed.size, committed.checkpoint)


async def test_each_document_of_a_batch_has_its_own_fate(
    finance: House, bank: House
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "1234"]
    batch = finance.vault.lane(BANK, after=-1, limit=9)
    certificates = finance.certificates.of_document(batch[0].sealed)
    # The bank knows the first already; the answers about two others are lost
    # because it refuses them, one for good and one for now.
    await bank.receive([batch[0].sealed], certificates, carrier=FINANCE)
    committed = await bank.receive([batch[3].sealed], certificates, carrier=FINANCE)
    response = PeerResponse(
        checkpoint=committed.checkpoint,
        arrival_time_us=committed.time_us,
        first_leaf=committed.first_leaf,
        range_proof=committed.range_proof,
        outcomes=(
            PeerOutcome(known_leaf=0, proof=leaf_proof(finance, bank, 0)),
            PeerOutcome(reason="FORM_REFUSED"),
            PeerOutcome(reason="SEAL_UNDETERMINED", retryable=True),
            PeerOutcome(),
        ),
    )

    await recorded(finance.record(BANK), batch, response, now_us=1_000)

    assert [finance.standing(row.key) for row in rows] == [
        Standing.ARRIVED,
        Standing.REFUSED,
        Standing.SENT,
        Standing.ARRIVED,
    ]
    (waiting,) = finance.vault.lane(BANK, after=-1, limit=9)
    assert waiting.sealed == batch[2].sealed
    assert waiting.not_before_us == 1_000 + int(RETRY_S * 1_000_000)


@pytest.mark.clause("hubei-16")
async def test_every_document_of_a_batch_can_be_proved_alone_to_a_third_party(
    finance: House, bank: House
) -> None:
    for number in "12345":
        await finance.sent(direct_payment(number))
    batch, committed, response = await carried(finance, bank)
    delivered = await recorded(finance.record(BANK), batch, response, now_us=0)
    evidence = Evidence.from_bytes(
        finance.vault.evidence(fine(delivered.outcomes[0]).leaf)
    )

    for item, outcome in zip(batch, committed.outcomes, strict=True):
        leaf = arrival_leaf(item.leaf, committed.time_us)
        proof = ProofFile.from_bytes(single_proof(evidence, leaf))

        assert proof.index == fine(outcome).leaf
        opened = proof.verify(
            leaf_hash(leaf.to_bytes()),
            origin=f"{BANK}/log",
            required=finance.keys.verifiers(BANK),
        )
        assert opened.checkpoint.head.size == committed.size
        assert bank.vault.leaf(proof.index) == leaf
        assert proof.extra == leaf.to_bytes()


async def test_no_proof_is_made_of_a_leaf_outside_the_evidence(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment())
    batch, _, response = await carried(finance, bank)
    delivered = await recorded(finance.record(BANK), batch, response, now_us=0)
    evidence = Evidence.from_bytes(
        finance.vault.evidence(fine(delivered.outcomes[0]).leaf)
    )

    with pytest.raises(ValueError, match="not in"):
        single_proof(evidence, arrival_leaf(batch[0].leaf, 77))


async def test_an_arrival_leaf_differs_from_the_entry_in_act_time_and_recipients(
    finance: House,
) -> None:
    row = await finance.sealed(direct_payment())
    entered = finance.vault.leaf(0)

    theirs = arrival_leaf(entered, 77)

    assert entered.document == row.digest
    assert theirs == replace(entered, act=Act.ARRIVE, time_us=77, recipients="")


# --- what the peer knew before ---------------------------------------------------


async def test_an_answer_that_was_lost_is_proved_when_the_batch_comes_again(
    finance: House, bank: House
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "123"]
    await carried(finance, bank)  # and the answer is lost
    batch, _, response = await carried(finance, bank)

    await recorded(finance.record(BANK), batch, response, now_us=0)

    assert [finance.standing(row.key) for row in rows] == [Standing.ARRIVED] * 3
    assert finance.vault.lane_lengths().get(BANK, 0) == 0
    for row in rows:
        way = await finance.inquire(row.key, caller=finance.caller())
        file = ProofFile.from_bytes(way.acts[-1].peer_proof)
        theirs = bank.vault.leaf(file.index)
        assert theirs.document == row.digest
        file.verify(
            leaf_hash(theirs.to_bytes()),
            origin=f"{BANK}/log",
            required=finance.keys.verifiers(BANK),
        )


def unproved(_: House, __: House, outcome: PeerOutcome) -> PeerOutcome:
    return replace(outcome, proof=None)


def of_another(finance: House, bank: House, outcome: PeerOutcome) -> PeerOutcome:
    """Another document of ours, truly in the peer's log."""
    other = 1 - (outcome.known_leaf or 0)
    return PeerOutcome(known_leaf=other, proof=leaf_proof(finance, bank, other))


def elsewhere(_: House, __: House, outcome: PeerOutcome) -> PeerOutcome:
    return replace(outcome, known_leaf=1 - (outcome.known_leaf or 0))


def no_leaf(_: House, __: House, outcome: PeerOutcome) -> PeerOutcome:
    assert outcome.proof is not None
    return replace(outcome, proof=replace(outcome.proof, leaf=b"\x01"))


def unsigned(_: House, __: House, outcome: PeerOutcome) -> PeerOutcome:
    assert outcome.proof is not None
    return replace(outcome, proof=replace(outcome.proof, checkpoint=b""))


@pytest.mark.refusal("PEER_FORKED")
@pytest.mark.parametrize("spoil", [unproved, of_another, elsewhere, no_leaf, unsigned])
async def test_what_a_peer_says_it_knew_is_recorded_only_with_its_proof(
    finance: House,
    bank: House,
    spoil: Callable[[House, House, PeerOutcome], PeerOutcome],
) -> None:
    rows = [await finance.sent(direct_payment(number)) for number in "12"]
    await carried(finance, bank)
    batch, _, response = await carried(finance, bank)
    before = await finance.state(*rows)
    first, second = response.outcomes
    spoiled = replace(response, outcomes=(spoil(finance, bank, first), second))

    with pytest.raises(PeerForked) as refused:
        await recorded(finance.record(BANK), batch, spoiled, now_us=0)

    assert refused.value.facts == {"peer": BANK}
    assert await finance.state(*rows) == before


# --- what a peer is proved -------------------------------------------------------


@pytest.mark.refusal("LEAF_NOT_FOUND")
async def test_a_peer_is_proved_only_leaves_about_its_own_documents(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment())
    await carried(finance, bank)

    proof = leaf_proof(finance, bank, 0)

    assert isinstance(proof, LeafProof)
    assert proof.leaf == bank.vault.leaf(0).to_bytes()
    for index, carrier in ((0, OTHER_BANK), (0, BANK), (0, "420000-999"), (9, FINANCE)):
        with pytest.raises(LeafNotFound):
            bank.prove.leaf(index, size=0, carrier=carrier)


@pytest.mark.refusal("TREE_MISSING", "LEAF_NOT_FOUND")
async def test_by_the_sm3_tree_a_peer_is_proved_the_same_and_no_more(
    finance: House, bank: House
) -> None:
    heads = []
    for number in "123":
        notice = draft_of(entry_notice(number))
        await bank.submit([notice], caller=bank.caller())
        await delivered(bank, finance)
        note = finance.prove.consistency(0, size=0, tree=LogTree.SM3).checkpoint
        heads.append(parse_checkpoint(parse_note(note).text).head)
    older, newer = heads[1:]

    proof = finance.prove.leaf(1, size=0, carrier=BANK, tree=LogTree.SM3)
    prefix = finance.prove.consistency(older.size, size=0, tree=LogTree.SM3)

    assert proof.leaf is not None
    assert proof.checkpoint == prefix.checkpoint
    hashed = leaf_hash(proof.leaf.to_bytes(), sm3)
    verify_inclusion(1, hashed, newer, proof.hashes, sm3)
    verify_consistency(older, newer, prefix.hashes, sm3)
    with pytest.raises(LeafNotFound):
        finance.prove.leaf(1, size=0, carrier=OTHER_BANK, tree=LogTree.SM3)
    with pytest.raises(TreeMissing):
        bank.prove.leaf(0, size=0, carrier=FINANCE, tree=LogTree.SM3)
    with pytest.raises(TreeMissing):
        bank.prove.consistency(0, size=1, tree=LogTree.SM3)


async def test_an_older_head_is_proved_a_prefix_of_the_newest(
    finance: House, bank: House
) -> None:
    heads = []
    for number in "123":
        await finance.sent(direct_payment(number))
        _, committed, _ = await carried(finance, bank)
        heads.append(parse_checkpoint(parse_note(committed.checkpoint).text).head)

    newest = bank.prove.consistency(heads[0].size, size=0)
    between = bank.prove.consistency(heads[0].size, size=heads[1].size)

    head = parse_checkpoint(parse_note(newest.checkpoint).text).head
    assert head == heads[2]
    verify_consistency(heads[0], head, newest.hashes)
    verify_consistency(heads[0], heads[1], between.hashes)
    assert between.checkpoint == b""


# --- whether a peer's log goes on ------------------------------------------------


async def grown(finance: House, bank: House) -> None:
    """Let the bank's log grow by one document, with its proof on record."""
    batch, _, response = await carried(finance, bank)
    await recorded(finance.record(BANK), batch, response, now_us=0)


async def test_a_peer_whose_log_goes_on_is_remembered_by_its_newest_head(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment("1"))
    await grown(finance, bank)
    await finance.sent(direct_payment("2"))
    _, committed, _ = await carried(finance, bank)
    asked: list[int] = []

    async def ask(size: int) -> GrowthProof:
        asked.append(size)
        proof = bank.prove.consistency(size, size=0)
        return GrowthProof(hashes=proof.hashes, checkpoint=proof.checkpoint)

    await finance.record(BANK).watch(ask)

    known = finance.heads.newest(f"{BANK}/log")
    assert asked == [1]
    assert known is not None
    assert known.head.size == committed.size == 2


@pytest.mark.refusal("PEER_FORKED")
@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_peer_that_tells_another_story_is_found_out(
    finance: House, bank: House, size: int
) -> None:
    # Smaller, as large and larger than the two leaves that it signed before.
    for number in "12":
        await finance.sent(direct_payment(number))
    await grown(finance, bank)
    before = finance.heads.newest(f"{BANK}/log")
    other = TreeHead(size, b"\x07" * 32)

    async def ask(_: int) -> GrowthProof:
        checkpoint = signed(finance, other, by=BANK)
        return GrowthProof(hashes=(), checkpoint=checkpoint)

    with pytest.raises(PeerForked) as refused:
        await finance.record(BANK).watch(ask)

    assert refused.value.facts == {"peer": BANK}
    assert finance.heads.newest(f"{BANK}/log") == before


async def test_a_peer_that_never_proved_anything_is_not_asked(finance: House) -> None:
    async def ask(_: int) -> GrowthProof:
        raise AssertionError("nothing is known that could be continued")

    await finance.record(BANK).watch(ask)

    assert finance.heads.newest(f"{BANK}/log") is None
