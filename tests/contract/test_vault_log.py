"""The log of a vault: proofs, records, time, groups, certificates."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from hashlib import sha256

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Arrive, Enter, Withdraw
from counterfoil.domain.refusals import LeafNotFound, VaultStopped
from counterfoil.domain.standing import Role, Standing
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.tlog.verification import (
    verify_consistency,
    verify_inclusion,
    verify_range,
)
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    TREASURY,
    Bench,
    recorded,
    run,
    step,
    voucher,
)

K = DocumentKind


def test_the_answer_to_a_batch_proves_its_new_leaves(bench: Bench) -> None:
    bench.enter(voucher("before"))
    known = voucher("known", issuer=BANK, to=(FINANCE,))
    bench.arrive(known)
    papers = [voucher(str(n), issuer=BANK, to=(FINANCE,)) for n in range(5)]

    committed = bench.arrive(papers[0], known, *papers[1:])

    leaves = [
        leaf_hash(bench.vault.leaf(recorded(outcome).leaf).to_bytes())
        for outcome in committed.outcomes
        if recorded(outcome).new
    ]
    head = parse_checkpoint(committed.checkpoint.split(b"\n\n")[0] + b"\n").head
    assert head.size == committed.size
    verify_range(committed.first_leaf, leaves, head, committed.range_proof)


def test_every_leaf_and_every_older_size_is_proved(bench: Bench) -> None:
    heads = []
    for number in range(10):
        bench.enter(voucher(str(number)), send=True)
        note = bench.vault.checkpoint()
        heads.append(parse_checkpoint(note.split(b"\n\n")[0] + b"\n").head)

    for index in range(10):
        leaf = leaf_hash(bench.vault.leaf(index).to_bytes())
        proof = bench.vault.inclusion_proof(index, 10)
        verify_inclusion(index, leaf, heads[-1], proof)
    for head in heads:
        proof = bench.vault.consistency_proof(head.size, 10)
        verify_consistency(head, heads[-1], proof)


def test_many_leaves_are_proved_as_each_one_is(bench: Bench) -> None:
    for number in range(10):
        bench.enter(voucher(str(number)), send=True)

    together = bench.vault.inclusion_proofs([7, 0, 7, 3], 9)

    assert together == [bench.vault.inclusion_proof(at, 9) for at in (7, 0, 7, 3)]
    assert bench.vault.inclusion_proofs([], 9) == []


@pytest.mark.refusal("LEAF_NOT_FOUND")
def test_what_is_not_in_the_log_is_not_found(bench: Bench) -> None:
    bench.enter(voucher())
    bench.enter(voucher(), send=True)

    for ask in (
        lambda: bench.vault.leaf(2),
        lambda: bench.vault.leaf(-1),
        lambda: bench.vault.document(1),
        lambda: bench.vault.evidence(0),
        lambda: bench.vault.inclusion_proof(2, 2),
        lambda: bench.vault.inclusion_proof(0, 3),
        lambda: bench.vault.inclusion_proofs([0, 2], 2),
        lambda: bench.vault.inclusion_proofs([], 3),
        lambda: bench.vault.consistency_proof(2, 1),
    ):
        with pytest.raises(LeafNotFound):
            ask()


def test_documents_are_given_together_in_the_order_asked(bench: Bench) -> None:
    papers = [voucher(str(number)) for number in range(4)]
    places = [recorded(bench.enter(paper)).leaf for paper in papers]

    backwards = bench.vault.documents(places[::-1], bytes_max=10_000)

    assert backwards == [paper.sealed for paper in reversed(papers)]
    assert bench.vault.documents([], bytes_max=10_000) == []


def test_documents_are_given_up_to_so_many_bytes_and_one_at_least(
    bench: Bench,
) -> None:
    papers = [voucher(str(number)) for number in range(4)]
    places = [recorded(bench.enter(paper)).leaf for paper in papers]
    size = len(papers[0].sealed)

    for bytes_max, count in ((1, 1), (2 * size - 1, 1), (2 * size, 2), (9 * size, 4)):
        given = bench.vault.documents(places, bytes_max=bytes_max)
        assert given == [paper.sealed for paper in papers[:count]]


@pytest.mark.refusal("LEAF_NOT_FOUND")
def test_of_a_leaf_without_a_document_none_is_given(bench: Bench) -> None:
    bench.enter(voucher())
    bench.enter(voucher(), send=True)

    for indices in ([0, 1], [0, 2], [-1]):
        with pytest.raises(LeafNotFound):
            bench.vault.documents(indices, bytes_max=10_000)


@pytest.mark.clause("hubei-18")
@pytest.mark.clause("hubei-37a1")
def test_the_records_tell_the_whole_way_of_a_voucher(bench: Bench) -> None:
    paper = voucher(to=(BANK, TREASURY))
    bench.enter(paper)
    bench.enter(paper, send=True)
    bench.arrive(step(K.ACCEPTANCE, paper, by=TREASURY))
    bench.arrive(step(K.RECEIPT, paper, by=TREASURY))

    records = bench.vault.records(0, 100)

    assert [record.changes for record in records] == [
        ((BANK, Standing.SEALED), (TREASURY, Standing.SEALED)),
        ((BANK, Standing.SENT), (TREASURY, Standing.SENT)),
        ((TREASURY, Standing.ACCEPTED),),
        ((TREASURY, Standing.RECEIPTED),),
        ((TREASURY, Standing.CLOSED),),
    ]
    assert {(r.key, r.amount_fen, r.count, r.role) for r in records} == {
        (paper.key, 10_000, 2, Role.ISSUER)
    }
    assert bench.vault.records(2, 2) == records[2:4]


def test_the_records_of_a_withdrawn_voucher_stay(bench: Bench) -> None:
    paper = voucher()
    bench.enter(paper)
    bench.one(Withdraw(key=paper.key, digest=paper.digest))

    assert bench.vault.records(1, 9)[0].changes == ((BANK, Standing.DRAFT),)


def test_time_never_runs_back(bench: Bench) -> None:
    first = recorded(bench.enter(voucher("1")))
    bench.clock.now -= 60_000_000

    second = recorded(bench.enter(voucher("2")))

    assert second.time_us == first.time_us


def test_deeds_of_one_call_see_each_other(bench: Bench) -> None:
    paper = voucher()
    deeds = [Enter(document=paper, lanes=LANES), Enter(document=paper, lanes=LANES)]

    one, two = bench.perform(*deeds)

    assert recorded(one.outcomes[0]).new
    assert not recorded(two.outcomes[0]).new
    assert (one.size, two.size) == (1, 1)


def test_calls_made_together_are_all_answered(bench: Bench) -> None:
    papers = [voucher(str(number), issuer=BANK, to=(FINANCE,)) for number in range(50)]

    async def all_at_once() -> set[int]:
        calls = [
            bench.vault.perform(
                [Arrive(carrier=BANK, documents=(p,), hosted=frozenset({FINANCE}))]
            )
            for p in papers
        ]
        answers = await asyncio.gather(*calls)
        return {recorded(answer[0].outcomes[0]).leaf for answer in answers}

    assert run(all_at_once()) == set(range(50))


def test_whoever_waits_for_leaves_is_told(bench: Bench) -> None:
    async def wait() -> int:
        waiting = asyncio.create_task(bench.vault.changed(0))
        await asyncio.sleep(0)
        await bench.vault.perform([Enter(document=voucher(), lanes=LANES)])
        return await asyncio.wait_for(waiting, 5)

    assert run(wait()) == 1
    assert run(bench.vault.changed(0)) == 1


def test_whoever_stops_waiting_leaves_nothing_in_the_vault(bench: Bench) -> None:
    """Lanes wait with a deadline: at rest that is all that happens, for days."""
    known = bench.vault.register

    async def wait(times: int) -> int:
        for _ in range(times):
            for waiting in (
                bench.vault.changed(bench.vault.size()),
                bench.vault.register_changed(known),
            ):
                with suppress(TimeoutError):
                    async with asyncio.timeout(0):
                        await waiting
        gc.collect()
        return sum(isinstance(one, asyncio.Future) for one in gc.get_objects())

    once = run(wait(1))
    assert run(wait(100)) == once


def test_certificates_are_kept_under_their_digest(bench: Bench) -> None:
    run(bench.vault.keep_certificates([b"one", b"two", b"one"]))
    run(bench.vault.keep_certificates([b"one"]))

    assert bench.vault.certificate(sha256(b"two").digest()) == b"two"
    assert bench.vault.certificate(sha256(b"three").digest()) is None
    assert bench.vault.size() == 0


def test_a_checkpoint_is_signed_once_per_size(bench: Bench) -> None:
    bench.enter(voucher())

    assert bench.vault.checkpoint() == bench.vault.checkpoint()


@pytest.mark.refusal("VAULT_STOPPED")
def test_a_closed_vault_writes_nothing(bench: Bench) -> None:
    bench.vault.close()

    with pytest.raises(VaultStopped):
        bench.enter(voucher())


def test_a_vault_that_answers_is_ready(bench: Bench) -> None:
    bench.enter(voucher())

    assert bench.vault.stopped_reason == ""
