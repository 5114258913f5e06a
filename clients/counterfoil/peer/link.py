"""A connection to one peer's gateway, and the delivery stream on it.

The peer is authenticated twice: its certificate must bear the name that the
configuration expects, and every answer is proved by its log's own keys, which the
use case checks. Several addresses are tried in order; the first that answers is
kept until it fails.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import grpc

from counterfoil.app.peer_answers import (
    GrowthProof,
    LeafProof,
    PeerOutcome,
    PeerResponse,
)
from counterfoil.domain.earlier_refusals import EarlierProofDue
from counterfoil.domain.refusals import PeerForked, PeerUnreachable
from counterfoil.domain.witnessing import ShownProof
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.deliveries import encoded_delivery
from counterfoil.wire.keys import timestamp_to_us

_DELIVER: Final = "/counterfoil.exchange.v1.ExchangeService/Deliver"
_KEEPALIVE_MS: Final = 20_000
_MESSAGE_BYTES_MAX: Final = 2_097_152
_PROOF_S: Final = 10.0
_SIZE_DIGITS_MAX: Final = 18
_STORED: Final = PeerOutcome()
_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
"""A reason as this contract or a later one may name it; it is kept with the voucher."""
_UNSPECIFIED: Final = "UNSPECIFIED"
_TIME_US: Final = range(253_402_300_800_000_000)
"""Instants that a leaf can state, microseconds since the epoch: before the year 10000,
which no reader of time stamps knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAddress:
    """Where a peer's gateway is, and whose certificate it must show.

    Attributes:
        party: The party whose gateway it is.
        addresses: `host:port`, in the order in which they are tried.
        server_name: DNS name that its certificate must bear.
    """

    party: str
    addresses: tuple[str, ...]
    server_name: str


@dataclass(slots=True, kw_only=True)
class PeerLink:
    """Connects to a peer and opens delivery streams.

    Attributes:
        peer: Where it is.
        credentials: Returns our certificate, our key, and the roots that we trust,
            as they are when a connection is opened.
        connect_s: How long one address may take to answer.
    """

    peer: PeerAddress
    credentials: Callable[[], grpc.ChannelCredentials]
    connect_s: float
    _channel: grpc.aio.Channel | None = None
    address: str = ""

    async def open(self) -> DeliveryStream:
        """Open a delivery stream on the first address that answers.

        Raises:
            PeerUnreachable: None answers; the reasons are in the text.
        """
        await self.close()
        failures = []
        for address in self.peer.addresses:
            channel = grpc.aio.secure_channel(
                address,
                self.credentials(),
                options=[
                    ("grpc.ssl_target_name_override", self.peer.server_name),
                    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
                    ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
                    # A fresh try is a fresh connection: our own back-off decides.
                    ("grpc.use_local_subchannel_pool", 1),
                ],
            )
            stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
            try:
                # One small call proves address, both certificates and service.
                await stub.GetCheckpoint(
                    pb.GetCheckpointRequest(), timeout=self.connect_s
                )
            except grpc.aio.AioRpcError as error:
                failures.append(f"{address}: {error.code().name} {error.details()}")
                await channel.close()
                continue
            self._channel, self.address = channel, address
            return DeliveryStream(stub, channel)
        raise PeerUnreachable(
            f"no address of {self.peer.party} answers: {'; '.join(failures)}",
            peer=self.peer.party,
        )

    async def close(self) -> None:
        """Close the connection; idempotent."""
        channel, self._channel, self.address = self._channel, None, ""
        if channel is not None:
            await channel.close()


@dataclass(slots=True)
class DeliveryStream:
    """One `Deliver` stream: batches out, answers in, in the same order."""

    stub: exchange_pb2_grpc.ExchangeServiceAsyncStub
    channel: grpc.aio.Channel
    _call: grpc.aio.StreamStreamCall[bytes, pb.DeliverResponse] = field(init=False)
    _sent: int = 0
    _answered: int = 0

    def __post_init__(self) -> None:
        # As `stub.Deliver`, with requests that are encoded already.
        deliver: grpc.aio.StreamStreamMultiCallable[bytes, pb.DeliverResponse] = (
            self.channel.stream_stream(
                _DELIVER, response_deserializer=pb.DeliverResponse.FromString
            )
        )
        self._call = deliver()

    async def send(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes] = (),
        earlier: Sequence[ShownProof] = (),
    ) -> None:
        """Send one batch; waits while the peer does not read.

        Args:
            documents: Encoded `Sealed` documents.
            certificates: That this stream has not carried yet, in DER.
            answers: Responders' answers about certificates, likewise.
            earlier: What shows that documents had entered our log earlier.

        Raises:
            PeerUnreachable: The stream broke.
        """
        self._sent += 1
        try:
            await self._call.write(
                encoded_delivery(self._sent, documents, certificates, answers, earlier)
            )
        except (
            grpc.aio.AioRpcError,
            grpc.aio.UsageError,
            # What gRPC says when the call ended between two writes.
            asyncio.InvalidStateError,
        ) as error:
            raise _broken(error) from error

    async def answer(self) -> PeerResponse:
        """Return the answer to the oldest batch that has none.

        Raises:
            PeerUnreachable: The stream broke or ended.
            PeerForked: The answer is for another batch, or no answer at all.
        """
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise _broken(error) from error
        if response is grpc.aio.EOF or not isinstance(response, pb.DeliverResponse):
            raise PeerUnreachable("the peer ended the stream")
        self._answered += 1
        if response.batch != self._answered:
            raise PeerForked("the peer answered another batch than was due")
        arrival_time_us = timestamp_to_us(response.arrival_time)
        if arrival_time_us not in _TIME_US:
            raise PeerForked("the peer states a time that no leaf can have")
        outcomes = [_outcome(one) for one in response.outcomes]
        # All at once: after a crash a whole window may be known already.
        known = [at for at, one in enumerate(outcomes) if one.known_leaf is not None]
        proved = await asyncio.gather(*(self._prove(outcomes[at]) for at in known))
        for at, one in zip(known, proved, strict=True):
            outcomes[at] = one
        return PeerResponse(
            checkpoint=response.checkpoint,
            arrival_time_us=arrival_time_us,
            first_leaf=response.first_leaf,
            range_proof=tuple(response.range_proof),
            outcomes=tuple(outcomes),
        )

    async def growth(self, older: int) -> GrowthProof:
        """Ask for the proof that the peer's log has only grown since a size.

        Raises:
            PeerForked: The peer has no such size any more.
            PeerUnreachable: It does not answer.
        """
        try:
            proof = await self.stub.GetProof(
                pb.GetProofRequest(older_size=older), timeout=_PROOF_S
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise PeerForked("the peer's log became shorter") from error
            raise _broken(error) from error
        return GrowthProof(
            hashes=tuple(proof.hashes),
            checkpoint=proof.checkpoint,
            settled_size=proof.settled_size,
        )

    async def _prove(self, outcome: PeerOutcome) -> PeerOutcome:
        """Return what the peer knew before, with its proof of that leaf."""
        assert outcome.known_leaf is not None, "asked only of what is known"
        try:
            proof = await self.stub.GetProof(
                pb.GetProofRequest(leaf=outcome.known_leaf), timeout=_PROOF_S
            )
        except grpc.aio.AioRpcError as error:
            raise _broken(error) from error
        return replace(
            outcome,
            proof=LeafProof(
                leaf=proof.leaf,
                hashes=tuple(proof.hashes),
                checkpoint=proof.checkpoint,
            ),
        )

    def cancel(self) -> None:
        """End the stream at once."""
        self._call.cancel()


def _outcome(outcome: pb.Outcome) -> PeerOutcome:
    """Return one outcome; what the peer knew before is not proved yet."""
    match outcome.WhichOneof("outcome"):
        case "stored":
            return _STORED
        case "known":
            return PeerOutcome(known_leaf=outcome.known.leaf)
        case "refusal":
            return PeerOutcome(
                reason=_reason(outcome.refusal),
                retryable=outcome.refusal.retryable,
                earlier_size=_earlier_size(outcome.refusal),
            )
        case _:
            raise PeerForked("the peer left an outcome empty")


def _reason(refusal: sealed_pb2.Refusal) -> str:
    """Return why a peer refused a document, if that is a name of a reason."""
    reason = refusal.reason
    return reason if _REASON.fullmatch(reason) else _UNSPECIFIED


def _earlier_size(refusal: sealed_pb2.Refusal) -> int:
    """Return by which size of our log the peer wants a document shown; 0 for none."""
    if refusal.reason != EarlierProofDue.reason:
        return 0
    size = refusal.facts.get("tree_size", "")
    is_size = size.isascii() and size.isdigit() and len(size) <= _SIZE_DIGITS_MAX
    return int(size) if is_size else 0


def _broken(error: Exception) -> PeerUnreachable:
    if isinstance(error, grpc.aio.AioRpcError):
        return PeerUnreachable(f"{error.code().name}: {error.details()}")
    return PeerUnreachable("the stream is closed")
