"""Searching, watching, proving; and requests that break the desk's own bounds."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator

import grpc
import pytest

from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.domain.leaf import Leaf
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from counterfoil.office import (
    Change,
    DeskRefused,
    DocumentKind,
    Reference,
    Standing,
    kind_of,
    opened,
)
from counterfoil.office.messages import key_message, reference_message
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.tlog.checkpoint import parse_checkpoint
from counterfoil.tlog.merkle import TreeHead, leaf_hash
from counterfoil.tlog.note import parse_note
from counterfoil.tlog.verification import verify_consistency, verify_inclusion
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.conftest import Pair
from tests.integration.desks import (
    accept_at,
    arrival_of,
    done,
    issue,
    reaches,
    reason_of,
    submit,
    until,
)
from tests.integration.hand import call_error
from tests.integration.papers import notice

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_pages_of_a_search_show_every_voucher_once(pair: Pair) -> None:
    vouchers = [notice(500_000 + number, BANK, UNIT) for number in range(23)]
    async with pair.town.desk(BANK) as bank:
        await bank.submit(vouchers)
        # A voucher whose standing changes goes to the front, so let them all rest.
        await until(
            lambda: bank.search(
                number_prefix="RZ000000500", standings=[Standing.ARRIVED]
            ),
            lambda found: len(found) == 23,
        )
    async with pair.town.channel(BANK) as channel:
        desk = desk_pb2_grpc.DeskServiceStub(channel)
        request = desk_pb2.SearchRequest(number_prefix="RZ000000500", page_size=5)
        seen: list[str] = []
        pages = 0
        while True:
            page = await desk.Search(request)
            seen += [one.voucher.key.number for one in page.found]
            pages += 1
            # What is added meanwhile neither doubles nor hides a row.
            late = notice(500_100 + pages, BANK, UNIT)
            async with pair.town.desk(BANK) as bank:
                await submit(bank, late)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token

    wanted = {voucher.key.number for voucher in vouchers}
    assert len(seen) == len(set(seen))
    assert wanted <= set(seen)
    assert pages == 5


@pytest.mark.refusal("PAGE_TOKEN_REFUSED")
async def test_a_page_token_is_good_for_its_own_search_only(pair: Pair) -> None:
    async with pair.town.desk(BANK) as bank:
        await bank.submit([notice(510_000 + number, BANK, UNIT) for number in range(4)])
    async with (
        pair.town.channel(BANK) as channel,
        pair.town.channel(UNIT) as other_channel,
    ):
        desk = desk_pb2_grpc.DeskServiceStub(channel)
        first = desk_pb2.SearchRequest(number_prefix="RZ00000051", page_size=2)
        token = (await desk.Search(first)).next_page_token
        assert token
        foreign = [
            (desk, desk_pb2.SearchRequest(number_prefix="RZ", page_token=token)),
            (
                desk_pb2_grpc.DeskServiceStub(other_channel),
                desk_pb2.SearchRequest(
                    number_prefix="RZ00000051", page_size=2, page_token=token
                ),
            ),
            (desk, desk_pb2.SearchRequest(page_token="no token")),  # noqa: S106
            (
                desk,
                desk_pb2.SearchRequest(
                    page_token=base64.urlsafe_b64encode(b'["",1]').decode()
                ),
            ),
            (
                desk,
                desk_pb2.SearchRequest(
                    page_token=base64.urlsafe_b64encode(b"17").decode()
                ),
            ),
        ]
        for stub, request in foreign:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.Search(request)
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert reason_of(caught.value) == "PAGE_TOKEN_REFUSED"


@pytest.mark.clause("hubei-18")
async def test_watching_goes_on_behind_the_last_change_that_was_seen(
    pair: Pair,
) -> None:
    async with pair.town.desk(FINANCE) as finance:
        # So that there is a change to go on behind.
        before = await issue(pair.town, pair.papers.direct_payment())
        await reaches(finance, before.reference, Standing.ARRIVED)
        start = await _size(pair, FINANCE) - 1
        issued = await issue(pair.town, pair.papers.direct_payment())
        async with pair.town.desk(BANK) as bank:
            await accept_at(bank, issued.reference)
        await reaches(finance, issued.reference, Standing.ACCEPTED)
        whole = await _changes(finance.watch(start), end=Standing.ACCEPTED)

        resumed = await _changes(finance.watch(whole[0][0]), end=Standing.ACCEPTED)

    assert [standing for _, standing in whole] == [
        Standing.SENT,
        *[
            one
            for one in (Standing.ARRIVED,)
            if one in {standing for _, standing in whole}
        ],
        Standing.ACCEPTED,
    ]
    assert resumed == whole[1:]


@pytest.mark.clause("hubei-18")
async def test_watching_from_the_start_tells_the_first_change_of_a_log(
    town: Town,
) -> None:
    async with running(town, BANK) as gateways, town.desk(BANK) as desk:
        registered = len(gateways[BANK]._vault.registrations(after=-1, limit=100))
        for number in (1, 2):
            await submit(desk, notice(number, BANK, UNIT))

        whole = await _changes(desk.watch(from_start=True), count=2)
        resumed = await _changes(desk.watch(whole[0][0], from_start=True), count=1)

    # What was registered before moves no voucher and is told to nobody.
    assert registered
    assert whole == [(registered, Standing.SENT), (registered + 1, Standing.SENT)]
    assert resumed == whole[1:]


@pytest.mark.refusal("LEAF_NOT_FOUND")
async def test_watching_behind_a_leaf_that_is_not_there_is_refused(
    pair: Pair,
) -> None:
    async with pair.town.channel(FINANCE) as channel:
        stub = desk_pb2_grpc.DeskServiceStub(channel)
        for after in (10**9, 2**64 - 1):
            error = await call_error(stub.Watch(desk_pb2.WatchRequest(after=after)))
            assert error.code() is grpc.StatusCode.NOT_FOUND
            assert reason_of(error) == "LEAF_NOT_FOUND"


async def _changes(
    watching: AsyncIterator[tuple[Change, ...]],
    *,
    end: Standing | None = None,
    count: int = 0,
) -> list[tuple[int, Standing]]:
    """Return what is told up to a standing, or so many changes."""
    seen: list[tuple[int, Standing]] = []
    async with asyncio.timeout(30):
        async for changes in watching:
            seen += [(one.leaf, one.standing) for one in changes]
            if (seen and seen[-1][1] is end) or len(seen) == count:
                return seen
    return seen


async def test_a_reader_is_told_again_what_it_has_not_taken_over(pair: Pair) -> None:
    async with pair.town.desk(BANK) as bank, pair.town.desk(UNIT) as unit:
        reference = await submit(bank, pair.papers.notice())
        first = await arrival_of(unit, lambda one: one.digest == reference.digest)
        again = await arrival_of(unit, lambda one: one.digest == reference.digest)
        await unit.accept([reference])

        left = [one async for batch in unit.read() for one in batch]

    assert again.sealed == first.sealed
    assert kind_of(first.sealed) is DocumentKind.VOUCHER
    assert reference.digest not in {one.digest for one in left}


async def test_vouchers_are_given_again_as_they_were_sealed_with_what_is_refused(
    pair: Pair,
) -> None:
    vouchers = [notice(520_000 + number, BANK, UNIT) for number in range(300)]
    async with pair.town.desk(BANK) as bank, pair.town.desk(UNIT) as unit:
        outcomes = [done(one) for one in await bank.submit(vouchers)]
        mine = [
            Reference(one.key, outcome.digest)
            for one, outcome in zip(vouchers, outcomes, strict=True)
        ]
        await arrival_of(unit, lambda one: one.digest == mine[0].digest)
        unknown = Reference(mine[0].key, bytes(32))

        batches = [batch async for batch in bank.sealed([*mine, unknown])]
        theirs = [one async for batch in unit.sealed([mine[0]]) for one in batch]
        way = await bank.inquire(mine[0].digest)

    ours = [one for batch in batches for one in batch]
    assert isinstance(ours[-1], DeskRefused)
    assert ours[-1].reason == "VOUCHER_NOT_FOUND"
    documents = [one for one in ours if isinstance(one, bytes)]
    assert [opened(one) for one in documents] == vouchers
    assert documents[0] == way.documents[0] == theirs[0]
    assert len(batches) > 2


@pytest.mark.refusal("VOUCHER_NOT_FOUND")
async def test_no_other_party_is_given_a_voucher_again(pair: Pair) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment())
    async with pair.town.desk(FINANCE) as finance, pair.town.desk(BANK) as bank:
        await reaches(finance, issued.reference, Standing.ARRIVED)
        for desk in (finance, bank):
            [[given]] = [batch async for batch in desk.sealed([issued.reference])]
            assert isinstance(given, bytes)
    async with pair.town.desk(UNIT) as unit:
        [[refused]] = [batch async for batch in unit.sealed([issued.reference])]

    assert isinstance(refused, DeskRefused)
    assert refused.reason == "VOUCHER_NOT_FOUND"


async def _size(pair: Pair, party: str) -> int:
    return (await _head(pair, party)).size


async def _head(pair: Pair, party: str, caller: str = "") -> TreeHead:
    async with pair.town.channel(caller or party, "gateway", at=party) as channel:
        answer = await exchange_pb2_grpc.ExchangeServiceStub(channel).GetCheckpoint(
            pb.GetCheckpointRequest()
        )
    return parse_checkpoint(parse_note(answer.checkpoint).text).head


@pytest.mark.clause("hubei-18")
async def test_a_peer_can_prove_what_it_delivered_and_that_nothing_was_rewritten(
    pair: Pair,
) -> None:
    async with pair.town.desk(BANK) as bank, pair.town.desk(UNIT) as unit:
        reference = await submit(bank, pair.papers.notice())
        arrival = await arrival_of(unit, lambda one: one.digest == reference.digest)
        older = await _head(pair, FINANCE, BANK)
        await submit(bank, pair.papers.notice())
        await reaches(bank, reference, Standing.ARRIVED)
        newer = await _head(pair, FINANCE, BANK)
    async with pair.town.channel(BANK, "gateway", at=FINANCE) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)

        leaf = await stub.GetProof(pb.GetProofRequest(leaf=arrival.leaf))
        prefix = await stub.GetProof(
            pb.GetProofRequest(tree_size=newer.size, older_size=older.size)
        )

    newest = parse_checkpoint(parse_note(leaf.checkpoint).text).head
    verify_inclusion(arrival.leaf, leaf_hash(leaf.leaf), newest, tuple(leaf.hashes))
    verify_consistency(older, newer, tuple(prefix.hashes))
    assert Leaf.from_bytes(leaf.leaf).document == reference.digest


@pytest.mark.refusal("MALFORMED_PAYLOAD")
async def test_a_proof_of_nothing_or_of_what_is_not_there_is_refused(
    pair: Pair,
) -> None:
    async with pair.town.channel(BANK, "gateway", at=FINANCE) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
        for request, reason in (
            (pb.GetProofRequest(), "MALFORMED_PAYLOAD"),
            (pb.GetProofRequest(leaf=10**9), "LEAF_NOT_FOUND"),
            (pb.GetProofRequest(tree_size=10**9, older_size=1), "LEAF_NOT_FOUND"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.GetProof(request)
            assert reason_of(caught.value) == reason


async def test_progress_is_told_to_those_concerned_and_to_nobody_else(
    pair: Pair,
) -> None:
    async with pair.town.desk(BANK) as bank, pair.town.desk(UNIT) as unit:
        mine = await submit(bank, pair.papers.notice())
        await arrival_of(unit, lambda one: one.digest == mine.digest)
        unsent = await issue(pair.town, pair.papers.direct_payment(), send=False)
    other_bytes = reference_message(mine)
    other_bytes.digest = hashlib.sha256(b"other").digest()
    async with pair.town.channel(BANK, "gateway", at=FINANCE) as channel:
        answer = await exchange_pb2_grpc.ExchangeServiceStub(channel).GetProgress(
            pb.GetProgressRequest(vouchers=[reference_message(mine), other_bytes])
        )

    assert [one.known for one in answer.progress] == [True, False]
    assert answer.progress[0].standing == Standing.ARRIVED
    assert unsent.reference.key.number


@pytest.mark.refusal("FORM_REFUSED")
async def test_a_request_that_breaks_a_rule_of_the_contract_is_refused(
    pair: Pair,
) -> None:
    reference = reference_message_of_nothing()
    async with pair.town.channel(BANK) as channel:
        desk = desk_pb2_grpc.DeskServiceStub(channel)
        calls = (
            desk.Write(desk_pb2.WriteRequest()),
            desk.IssueReceipt(desk_pb2.IssueReceiptRequest()),
            desk.Accept(desk_pb2.AcceptRequest()),
            desk.Search(desk_pb2.SearchRequest(page_size=501)),
            desk.EndActing(
                desk_pb2.EndActingRequest(
                    items=[desk_pb2.EndActingItem(voucher=reference)]
                )
            ),
            desk.Inquire(desk_pb2.InquireRequest()),
        )
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert reason_of(caught.value) == "FORM_REFUSED"
        error = await call_error(desk.GetSealed(desk_pb2.GetSealedRequest()))
        assert reason_of(error) == "FORM_REFUSED"


@pytest.mark.refusal("BATCH_TOO_LARGE")
async def test_more_than_256_items_are_refused_as_a_whole(pair: Pair) -> None:
    item = desk_pb2.StepItem(voucher=reference_message_of_nothing())
    async with pair.town.channel(BANK) as channel:
        desk = desk_pb2_grpc.DeskServiceStub(channel)
        full = await desk.Accept(desk_pb2.AcceptRequest(items=[item] * 256))

        for call in (
            desk.Accept(desk_pb2.AcceptRequest(items=[item] * 257)),
            desk.Write(desk_pb2.WriteRequest(drafts=[desk_pb2.Draft()] * 257)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert reason_of(caught.value) == "BATCH_TOO_LARGE"
        many = [reference_message_of_nothing()] * 257
        error = await call_error(
            desk.GetSealed(desk_pb2.GetSealedRequest(vouchers=many))
        )
        assert reason_of(error) == "BATCH_TOO_LARGE"

    assert {one.refusal.reason for one in full.results} == {"VOUCHER_NOT_FOUND"}


def reference_message_of_nothing() -> voucher_pb2.VoucherReference:
    return voucher_pb2.VoucherReference(
        key=key_message(notice(1, BANK, UNIT).key), digest=bytes(32)
    )
