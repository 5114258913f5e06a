"""Connections to the gateway under test, and deliveries on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import Message

from counterfoil.conformance.entered import Late
from counterfoil.conformance.papers import Paper, Papers
from counterfoil.conformance.target import Identity, Target
from counterfoil.conformance.verdicts import CheckFailed, require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc

Answer = TypeVar("Answer", bound=Message)

CALL_S: Final = 30.0
"""How long one call may take."""


@dataclass(slots=True)
class Bench:
    """What a check works with.

    Attributes:
        target: The gateway under test, and who we are.
        papers: Fresh documents.
        late: Vouchers that come late, once a check needs them; see `lateness`.
    """

    target: Target
    papers: Papers = field(init=False)
    late: asyncio.Future[Late] | None = None

    def __post_init__(self) -> None:
        self.papers = Papers(self.target)

    @asynccontextmanager
    async def channel(
        self, credentials: grpc.ChannelCredentials
    ) -> AsyncIterator[grpc.aio.Channel]:
        """Open a connection of its own, as whoever has these credentials."""
        options: list[tuple[str, str | int]] = [
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_send_message_length", -1),
        ]
        if self.target.server_name:
            override = self.target.server_name
            options.append(("grpc.ssl_target_name_override", override))
        async with grpc.aio.secure_channel(
            self.target.address, credentials, options=options
        ) as channel:
            yield channel

    @asynccontextmanager
    async def exchange(
        self, identity: Identity | None = None
    ) -> AsyncIterator[exchange_pb2_grpc.ExchangeServiceAsyncStub]:
        """Open the exchange service, as the peer's gateway or as somebody else."""
        caller = identity or self.target.gateway
        async with self.channel(caller.access.credentials()) as channel:
            yield exchange_pb2_grpc.ExchangeServiceStub(channel)

    @property
    def certificates(self) -> list[bytes]:
        """Certificates in DER by which the peer's seals are judged."""
        sealing = (self.target.institution, *self.target.persons)
        return list(dict.fromkeys(der for one in sealing for der in chain_of(one)))

    def request(
        self,
        documents: Iterable[bytes],
        batch: int = 1,
        *more: bytes,
        shown: Iterable[pb.EarlierProof] = (),
    ) -> pb.DeliverRequest:
        """Return a batch with the peer's certificates, and more of them.

        Args:
            documents: Encoded `Sealed` documents.
            batch: Its number.
            more: More certificates in DER.
            shown: What shows that documents were sealed earlier.
        """
        return pb.DeliverRequest(
            batch=batch,
            documents=documents,
            certificates=[*self.certificates, *more],
            earlier_proofs=shown,
        )

    async def stream(
        self, requests: Iterable[pb.DeliverRequest]
    ) -> list[pb.DeliverResponse]:
        """Send batches on one stream; return the answers, one for each.

        Raises:
            CheckFailed: There are more or fewer.
        """
        sent = list(requests)
        async with self.exchange() as stub:
            call = stub.Deliver(_each(sent), timeout=CALL_S)
            answers = [whole(answer) async for answer in call]
        require(
            len(answers) == len(sent), f"{len(sent)} batches had {len(answers)} answers"
        )
        return answers

    async def deliver(
        self,
        documents: Sequence[bytes | Paper],
        *certificates: bytes,
        shown: Iterable[pb.EarlierProof] = (),
    ) -> pb.DeliverResponse:
        """Send one batch; return its answer, which has an outcome per document.

        Args:
            documents: The documents.
            certificates: More certificates in DER than the peer's.
            shown: What shows that documents were sealed earlier.

        Raises:
            CheckFailed: It has more or fewer.
        """
        encoded = [one if isinstance(one, bytes) else one.sealed for one in documents]
        (answer,) = await self.stream(
            [self.request(encoded, 1, *certificates, shown=shown)]
        )
        count = len(answer.outcomes)
        require(count == len(encoded), f"{len(encoded)} documents had {count} outcomes")
        return answer

    async def take(self, documents: Sequence[Paper]) -> pb.DeliverResponse:
        """Send sound vouchers in one batch; return the answer that took them all.

        Raises:
            CheckFailed: One was not taken.
        """
        answer = await self.deliver(documents)
        for one in answer.outcomes:
            if not one.HasField("stored"):
                told = f"{one.refusal.reason}: {one.refusal.text}"
                if not one.HasField("refusal"):
                    told = f"outcome {one.WhichOneof('outcome')}"
                raise CheckFailed(f"a sound voucher was not taken: {told}")
        return answer


async def answered(call: Awaitable[Answer]) -> Answer:
    """Return the answer to a call.

    Raises:
        CheckFailed: It is no message; gRPC hands over nothing in its place.
    """
    return whole(await call)


def whole(answer: Answer) -> Answer:
    """Return an answer that is a message.

    Raises:
        CheckFailed: It is none; gRPC hands over nothing in its place.
    """
    require(isinstance(answer, Message), "an answer is no message of the contract")
    return answer


def chain_of(identity: Identity) -> list[bytes]:
    """Return an identity's certificates in DER, its own first."""
    loaded = x509.load_pem_x509_certificates(identity.access.certificate)
    return [one.public_bytes(Encoding.DER) for one in loaded]


async def _each(
    requests: Iterable[pb.DeliverRequest],
) -> AsyncIterator[pb.DeliverRequest]:
    for request in requests:
        yield request
