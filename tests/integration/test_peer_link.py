"""The connection under a lane, against peers that break the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from counterfoil.daemon.tls import TlsKeeper
from counterfoil.domain.refusals import PeerForked, PeerUnreachable
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.peer.link import DeliveryStream, PeerAddress, PeerLink, _outcome
from counterfoil.sealed.v1.sealed_pb2 import Refusal
from tests.houses import BANK, FINANCE, Town, free_port
from tests.integration.scripted import Answers, scripted


def _link(town: Town, *ports: int, server_name: str = "") -> PeerLink:
    return PeerLink(
        peer=PeerAddress(
            party=BANK,
            addresses=tuple(f"127.0.0.1:{port}" for port in ports),
            server_name=server_name or f"{BANK}.gateway.counterfoil",
        ),
        credentials=TlsKeeper(town.configuration(FINANCE)).channel,
        connect_s=5.0,
    )


@asynccontextmanager
async def _stream(
    town: Town,
    answers: Answers,
    *,
    unproved: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE,
) -> AsyncIterator[DeliveryStream]:
    """Open a stream to a peer that answers so."""
    async with scripted(town, BANK, answers, unproved=unproved):
        link = _link(town, town.ports[BANK])
        try:
            stream = await link.open()
            try:
                yield stream
            finally:
                stream.cancel()
        finally:
            await link.close()


async def _properly(
    request: pb.DeliverRequest, _context: object
) -> AsyncIterator[pb.DeliverResponse]:
    stored = pb.Outcome(stored=pb.Stored())
    yield pb.DeliverResponse(
        batch=request.batch, outcomes=[stored for _ in request.documents]
    )


async def _nothing(
    _request: pb.DeliverRequest, _context: object
) -> AsyncIterator[pb.DeliverResponse]:
    for _ in ():
        yield pb.DeliverResponse()


async def test_a_proper_answer_is_taken(town: Town) -> None:
    async with _stream(town, _properly) as stream:
        await stream.send([b"one", b"two"], [])

        answer = await stream.answer()

    assert [outcome.new for outcome in answer.outcomes] == [True, True]


@pytest.mark.clause("wuhai-6d")
async def test_addresses_are_tried_in_their_order(town: Town) -> None:
    async with _stream(town, _properly):
        link = _link(town, free_port(), town.ports[BANK])

        await link.open()

        assert link.address == f"127.0.0.1:{town.ports[BANK]}"
        await link.close()
        assert link.address == ""


@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_when_no_address_answers_the_reasons_of_all_are_told(
    town: Town,
) -> None:
    ports = free_port(), free_port()

    with pytest.raises(PeerUnreachable) as caught:
        await _link(town, *ports).open()

    for port in ports:
        assert f"127.0.0.1:{port}: UNAVAILABLE" in str(caught.value)


@pytest.mark.clause("hubei-9")
@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_a_certificate_with_another_name_is_no_answer(town: Town) -> None:
    async with _stream(town, _properly):
        link = _link(
            town, town.ports[BANK], server_name=f"{FINANCE}.gateway.counterfoil"
        )

        with pytest.raises(PeerUnreachable):
            await link.open()


@pytest.mark.refusal("PEER_FORKED")
async def test_an_answer_to_another_batch_is_refused(town: Town) -> None:
    async def other(
        request: pb.DeliverRequest, _context: object
    ) -> AsyncIterator[pb.DeliverResponse]:
        yield pb.DeliverResponse(batch=request.batch + 1)

    async with _stream(town, other) as stream:
        await stream.send([b"one"], [])

        with pytest.raises(PeerForked, match="another batch"):
            await stream.answer()


@pytest.mark.refusal("PEER_FORKED")
async def test_an_outcome_that_says_nothing_is_refused(town: Town) -> None:
    async def empty(
        request: pb.DeliverRequest, _context: object
    ) -> AsyncIterator[pb.DeliverResponse]:
        yield pb.DeliverResponse(batch=request.batch, outcomes=[pb.Outcome()])

    async with _stream(town, empty) as stream:
        await stream.send([b"one"], [])

        with pytest.raises(PeerForked, match="outcome empty"):
            await stream.answer()


@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_a_stream_that_the_peer_ends_is_broken(town: Town) -> None:
    async with _stream(town, _nothing) as stream:
        # An empty document tells this peer to end the stream.
        await stream.send([b""], [])

        with pytest.raises(PeerUnreachable, match="ended the stream"):
            await stream.answer()


@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_a_stream_that_the_peer_fails_is_broken(town: Town) -> None:
    async def failing(
        _request: pb.DeliverRequest,
        context: Any,  # noqa: ANN401
    ) -> AsyncIterator[pb.DeliverResponse]:
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")
        yield pb.DeliverResponse()

    async with _stream(town, failing) as stream:
        await stream.send([b"one"], [])

        with pytest.raises(PeerUnreachable, match="RESOURCE_EXHAUSTED: full"):
            await stream.answer()


@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_sending_on_a_stream_that_has_ended_is_no_defect(town: Town) -> None:
    async with _stream(town, _nothing) as stream:
        await stream.send([b""], [])
        with pytest.raises(PeerUnreachable):
            await stream.answer()

        # gRPC itself says InvalidStateError here, which once ended a lane for ever.
        with pytest.raises(PeerUnreachable, match="the stream is closed"):
            await stream.send([b"one"], [])


@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_a_peer_that_cannot_prove_now_is_asked_again_later(town: Town) -> None:
    async def known(
        request: pb.DeliverRequest, _context: object
    ) -> AsyncIterator[pb.DeliverResponse]:
        outcome = pb.Outcome(known=pb.Known(leaf=1))
        yield pb.DeliverResponse(batch=request.batch, outcomes=[outcome])

    async with _stream(town, known) as stream:
        with pytest.raises(PeerUnreachable, match="no proof"):
            await stream.growth(1)
        await stream.send([b"one"], [])
        with pytest.raises(PeerUnreachable, match="no proof"):
            await stream.answer()


@pytest.mark.refusal("PEER_FORKED")
async def test_a_peer_that_has_lost_a_size_it_signed_is_forked(town: Town) -> None:
    async with _stream(town, _properly, unproved=grpc.StatusCode.NOT_FOUND) as stream:
        with pytest.raises(PeerForked, match="became shorter"):
            await stream.growth(1)


@pytest.mark.parametrize(
    ("reason", "size", "asked"),
    [
        ("EARLIER_PROOF_DUE", "17", 17),
        ("EARLIER_PROOF_DUE", "", 0),
        ("EARLIER_PROOF_DUE", "-1", 0),
        ("EARLIER_PROOF_DUE", "²", 0),
        ("EARLIER_PROOF_DUE", "9" * 19, 0),
        ("SEAL_UNDETERMINED", "17", 0),
    ],
)
def test_a_peer_says_by_which_size_a_document_is_to_be_shown(
    reason: str, size: str, asked: int
) -> None:
    refusal = Refusal(reason=reason, retryable=True, facts={"tree_size": size})

    assert _outcome(pb.Outcome(refusal=refusal)).earlier_size == asked
    refusal.facts.clear()
    assert _outcome(pb.Outcome(refusal=refusal)).earlier_size == 0


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("VOUCHER_KEY_REUSED", "VOUCHER_KEY_REUSED"),
        ("OF_A_LATER_CONTRACT_2", "OF_A_LATER_CONTRACT_2"),
        ("R" * 64, "R" * 64),
        ("R" * 65, "UNSPECIFIED"),
        # So long, it would not fit into the vault's book of keys.
        ("R" * 70_000, "UNSPECIFIED"),
        ("not a name", "UNSPECIFIED"),
        ("REASON\n", "UNSPECIFIED"),
        ("原因", "UNSPECIFIED"),
        ("", "UNSPECIFIED"),
    ],
)
def test_of_a_peers_reason_only_a_name_is_taken(said: str, kept: str) -> None:
    assert _outcome(pb.Outcome(refusal=Refusal(reason=said))).reason == kept


@pytest.mark.refusal("PEER_FORKED")
@pytest.mark.parametrize("seconds", [-1, 253_402_300_800, 2**63 - 1, -(2**63)])
async def test_a_time_that_no_leaf_can_state_is_no_answer(
    town: Town, seconds: int
) -> None:
    async def never(
        request: pb.DeliverRequest, _context: object
    ) -> AsyncIterator[pb.DeliverResponse]:
        answer = pb.DeliverResponse(batch=request.batch)
        answer.outcomes.add().stored.SetInParent()
        answer.arrival_time.seconds = seconds
        yield answer

    async with _stream(town, never) as stream:
        await stream.send([b"one"], [])

        with pytest.raises(PeerForked, match="no leaf can have"):
            await stream.answer()
