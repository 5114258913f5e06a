"""A peer that breaks the contract, as far as a test says: a real server over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from counterfoil.daemon.tls import TlsKeeper
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from tests.houses import Town

Answers = Callable[[pb.DeliverRequest, Any], AsyncIterator[pb.DeliverResponse]]
"""Yields the answers to one batch."""


class ScriptedPeer(exchange_pb2_grpc.ExchangeServiceServicer):
    """Answers batches as a test says; an empty first document ends the stream.

    It has no proof of anything: `GetProof` fails with `unproved`.
    """

    def __init__(self, answers: Answers, unproved: grpc.StatusCode) -> None:
        self._answers = answers
        self._unproved = unproved

    async def Deliver(  # noqa: N802
        self,
        request_iterator: AsyncIterator[pb.DeliverRequest],
        context: Any,  # noqa: ANN401
    ) -> AsyncIterator[pb.DeliverResponse]:
        async for request in request_iterator:
            async for answer in self._answers(request, context):
                yield answer
            if not request.documents[0]:
                return

    async def GetCheckpoint(  # noqa: N802
        self,
        request: pb.GetCheckpointRequest,  # noqa: ARG002
        context: Any,  # noqa: ANN401, ARG002
    ) -> pb.GetCheckpointResponse:
        return pb.GetCheckpointResponse()

    async def GetProgress(  # noqa: N802
        self,
        request: pb.GetProgressRequest,  # noqa: ARG002
        context: Any,  # noqa: ANN401, ARG002
    ) -> pb.GetProgressResponse:
        return pb.GetProgressResponse()

    async def GetProof(  # noqa: N802
        self,
        request: pb.GetProofRequest,  # noqa: ARG002
        context: Any,  # noqa: ANN401
    ) -> pb.GetProofResponse:
        await context.abort(self._unproved, "no proof")
        return pb.GetProofResponse()


@asynccontextmanager
async def scripted(
    town: Town,
    party: str,
    answers: Answers,
    *,
    unproved: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE,
) -> AsyncIterator[None]:
    """Serve at a party's address, with its certificate, and answer so."""
    server = grpc.aio.server()
    exchange_pb2_grpc.add_ExchangeServiceServicer_to_server(
        ScriptedPeer(answers, unproved), server
    )
    credentials = TlsKeeper(town.configuration(party)).server
    server.add_secure_port(f"127.0.0.1:{town.ports[party]}", credentials)
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)
