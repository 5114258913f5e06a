"""A gateway of a few lines on loopback, over mutual TLS.

It answers each method by a function over bytes that a test gives it, and keeps the
bytes of every request that it was sent.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc

from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.office import Access, Patience
from counterfoil.wire.refusals import refusal_to_status

SERVICE = "counterfoil.desk.v1.DeskService"
PARTY = "420000-011"
QUICK = Patience(call_s=5.0, total_s=5.0, wait_s_min=0.01, wait_s_max=0.02)

Stream = Callable[[Any, Any], AsyncIterator[bytes]]
Context = grpc.aio.ServicerContext[Any, Any]
Metadata = tuple[tuple[str, str | bytes], ...]

_T = TypeVar("_T")


class Fails(Exception):
    """Makes a call fail with a status."""

    def __init__(
        self, code: grpc.StatusCode, details: str = "", metadata: Metadata = ()
    ) -> None:
        super().__init__(details)
        self.code = code
        self.details = details
        self.metadata = metadata


class Loopback:
    """Serves one test on a loop in a thread of its own."""

    def __init__(self, ca: DevelopmentCa) -> None:
        self._ca = ca
        self.requests: defaultdict[str, list[bytes]] = defaultdict(list)
        self.unary: dict[str, Callable[[bytes], bytes]] = {}
        self.streams: dict[str, Stream] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.address = ""
        self._server: grpc.aio.Server | None = None

    def start(self) -> None:
        self.wait_for(self._start())

    def stop(self) -> None:
        if self._server is not None:
            self.wait_for(self._server.stop(None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def wait_for(self, work: Awaitable[_T]) -> _T:
        async def done() -> _T:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(20)

    async def _start(self) -> None:
        gateway = self._ca.credential(PARTY, "gateway")
        access = access_of(self._ca, "gateway", "1")
        credentials = grpc.ssl_server_credentials(
            [(access.key, gateway.chain_file.read_bytes())],
            root_certificates=access.authorities,
            require_client_auth=True,
        )
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((self._handlers(),))
        port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{port}"
        await self._server.start()

    def _handlers(self) -> grpc.GenericRpcHandler:
        handlers: dict[str, Any] = {
            method: grpc.unary_unary_rpc_method_handler(self._unary(method))
            for method in self.unary
        }
        for method, stream in self.streams.items():
            kind = (
                grpc.stream_stream_rpc_method_handler
                if method == "Submit"
                else grpc.unary_stream_rpc_method_handler
            )
            handlers[method] = kind(self._stream(method, stream))
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    def _unary(self, method: str) -> Callable[..., Awaitable[bytes]]:
        async def answer(request: bytes, context: Context) -> bytes:
            self.requests[method].append(request)
            try:
                return self.unary[method](request)
            except Fails as failure:
                await context.abort(failure.code, failure.details, failure.metadata)
                raise

        return answer

    def _stream(
        self, method: str, stream: Stream
    ) -> Callable[..., AsyncIterator[bytes]]:
        async def answer(request: object, context: Context) -> AsyncIterator[bytes]:
            if isinstance(request, bytes):
                self.requests[method].append(request)
            try:
                async for response in stream(request, context):
                    yield response
            except Fails as failure:
                await context.abort(failure.code, failure.details, failure.metadata)

        return answer


def access_of(ca: DevelopmentCa, use: str, name: str, party: str = PARTY) -> Access:
    credential = ca.credential(party, use, name)
    return Access.from_files(
        certificate=credential.chain_file,
        key=credential.key_file,
        authorities=ca.directory / "root.pem",
        passphrase=credential.pass_file.read_bytes(),
    )


def refused(refusal: CounterfoilError) -> Fails:
    """Return a call's failure that tells of a refusal, as a gateway's does."""
    status = refusal_to_status(refusal)
    return Fails(
        grpc.StatusCode[refusal.status],
        str(refusal),
        (("grpc-status-details-bin", status.SerializeToString()),),
    )
