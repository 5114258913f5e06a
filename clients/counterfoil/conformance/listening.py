"""The gateway of the peer that we play, as the gateway under test calls it.

It shows the peer's log and takes nothing: what is delivered to it is to come again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import grpc

from counterfoil.conformance.peer_log import PeerLog
from counterfoil.conformance.target import Target
from counterfoil.conformance.verdicts import NotApplicable
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from counterfoil.sealed.v1 import sealed_pb2

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_LATER: Final = sealed_pb2.Refusal(
    reason="VAULT_STOPPED",
    text="the conformance suite takes nothing",
    text_zh="符合性测试不接收文书",
    retryable=True,
)


@dataclass
class Listener(exchange_pb2_grpc.ExchangeServiceServicer):
    """Answers of the log as it is while it listens.

    Attributes:
        log: The log.
        seen: The size of it that the caller says it knows, if the log has fewer leaves.
    """

    log: PeerLog
    seen: int = 0

    async def GetCheckpoint(
        self, request: pb.GetCheckpointRequest, context: _Context
    ) -> pb.GetCheckpointResponse:
        """Answer with the newest head."""
        return pb.GetCheckpointResponse(checkpoint=self.log.checkpoint())

    async def GetProof(
        self, request: pb.GetProofRequest, context: _Context
    ) -> pb.GetProofResponse:
        """Answer how the log went on; of single leaves nobody needs to ask."""
        older, size = request.older_size, request.tree_size or self.log.size
        if request.WhichOneof("subject") != "older_size" or not (
            older <= size <= self.log.size
        ):
            self.seen = max(self.seen, older)
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such leaf or size")
        is_newest = not request.tree_size
        return pb.GetProofResponse(
            hashes=self.log.growth(older, size),
            checkpoint=self.log.checkpoint() if is_newest else b"",
            settled_size=size if is_newest else 0,
        )

    async def GetProgress(
        self, request: pb.GetProgressRequest, context: _Context
    ) -> pb.GetProgressResponse:
        """Know no voucher."""
        unknown = [pb.VoucherProgress()] * len(request.vouchers)
        return pb.GetProgressResponse(progress=unknown)

    async def Deliver(
        self, request_iterator: AsyncIterator[pb.DeliverRequest], context: _Context
    ) -> AsyncIterator[pb.DeliverResponse]:
        """Refuse each document for now."""
        async for request in request_iterator:
            yield pb.DeliverResponse(
                batch=request.batch,
                checkpoint=self.log.checkpoint(),
                outcomes=[pb.Outcome(refusal=_LATER)] * len(request.documents),
            )


@asynccontextmanager
async def listening(target: Target, log: PeerLog) -> AsyncIterator[Listener]:
    """Listen as the peer's gateway, where the file says.

    Raises:
        NotApplicable: Something else listens there.
    """
    listener, access = Listener(log), target.gateway.access
    credentials = grpc.ssl_server_credentials(
        [(access.key, access.certificate)],
        root_certificates=access.authorities,
        require_client_auth=True,
    )
    # Otherwise a second listener would share the port without a word.
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    exchange_pb2_grpc.add_ExchangeServiceServicer_to_server(listener, server)
    try:
        server.add_secure_port(log.settings.listen, credentials)
    except RuntimeError as error:
        place = log.settings.listen
        raise NotApplicable(f"peer.log: nobody can listen at {place}") from error
    await server.start()
    try:
        yield listener
    finally:
        await server.stop(None)
