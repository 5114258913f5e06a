"""A gateway that lies: everything is passed on to an honest one, but for one thing."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.houses import BANK, FINANCE, UNIT, Town, free_port

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Call: TypeAlias = "grpc.aio.StreamStreamMultiCallable[bytes, bytes]"
Caller = tuple[str, str, str]
"""Party, use and name of a certificate."""
PEER: Caller = (BANK, "gateway", "1")
SYSTEM: Caller = (UNIT, "system", "1")
REVIEWER: Caller = (UNIT, "person", "first")
OWN_SYSTEM: Caller = (FINANCE, "system", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a call fails."""

    code: grpc.StatusCode
    text: str = ""
    metadata: Any = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """What a relay does otherwise than an honest gateway; by default nothing.

    Attributes:
        answer: Changes an answer; gets the method's name.
        failure: Says what becomes of a call that the honest gateway refused: it is
            refused otherwise, or answered with bytes after all.
        poses: Whom the honest gateway takes a caller for.
        asks: Whether a certificate is asked for; who shows none is the peer then.
    """

    answer: Callable[[str, bytes], bytes] = lambda _method, answer: answer
    failure: Callable[[str, Failure], Failure | bytes] = lambda _method, failed: failed
    poses: Callable[[str, Caller], Caller] = lambda _method, caller: caller
    asks: bool = True


@dataclass(slots=True, kw_only=True)
class _Relay(grpc.GenericRpcHandler):
    """Passes every call on, as bytes."""

    town: Town
    lie: Lie
    peer: Caller
    channels: dict[Caller, grpc.aio.Channel] = field(default_factory=dict)
    callers: dict[bytes, Caller] = field(default_factory=dict)

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes]:
        method = details.method

        async def behave(
            requests: AsyncIterator[bytes], context: Context
        ) -> AsyncIterator[bytes]:
            channel = self.channels[self.lie.poses(method, self._caller(context))]
            relayed: Call = channel.stream_stream(method)
            call = relayed(requests)
            try:
                async for answer in call:
                    yield self.lie.answer(method, answer)
            except grpc.aio.AioRpcError as error:
                failed = self.lie.failure(
                    method,
                    Failure(
                        code=error.code(),
                        text=error.details() or "",
                        metadata=tuple(error.trailing_metadata() or ()),
                    ),
                )
                if isinstance(failed, bytes):
                    yield failed
                else:
                    await context.abort(failed.code, failed.text, failed.metadata)

        return grpc.stream_stream_rpc_method_handler(behave)

    def _caller(self, context: Context) -> Caller:
        shown = next(iter(context.auth_context().get("x509_pem_cert", ())), None)
        if shown is None:
            return self.peer
        return self.callers[_digest(x509.load_pem_x509_certificate(shown))]


@asynccontextmanager
async def relaying(
    town: Town,
    lie: Lie,
    *,
    at: str = FINANCE,
    callers: Sequence[Caller] = (PEER, SYSTEM, REVIEWER, OWN_SYSTEM),
) -> AsyncIterator[int]:
    """Run a relay before a gateway; yield its port.

    Args:
        town: Where both are.
        lie: What it does otherwise.
        at: Whose gateway it stands before.
        callers: Who may call, the peer first.
    """
    relay = _Relay(town=town, lie=lie, peer=callers[0])
    async with AsyncExitStack() as stack:
        for caller in callers:
            party, use, name = caller
            relay.channels[caller] = await stack.enter_async_context(
                town.channel(party, use, name, at=at)
            )
            certificate = town.ca.credential(party, use, name).certificate
            relay.callers[_digest(certificate)] = caller
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
        server.add_generic_rpc_handlers((relay,))
        port = server.add_secure_port("127.0.0.1:0", _server_credentials(town, lie, at))
        await server.start()
        stack.push_async_callback(server.stop, None)
        yield port


@asynccontextmanager
async def speaking(
    town: Town, lowest: ssl.TLSVersion, highest: ssl.TLSVersion
) -> AsyncIterator[int]:
    """Listen by these versions of TLS, and hang up after the handshake."""
    credential = town.ca.credential(FINANCE, "gateway")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_verify_locations(str(town.pki / "authorities.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version, context.maximum_version = lowest, highest
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(
        credential.chain_file,
        credential.key_file,
        credential.pass_file.read_bytes().strip(),
    )

    async def hang_up(_reader: object, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    port = free_port()
    server = await asyncio.start_server(hang_up, "127.0.0.1", port, ssl=context)
    async with server:
        yield port


def _server_credentials(town: Town, lie: Lie, at: str) -> grpc.ServerCredentials:
    credential = town.ca.credential(at, "gateway")
    key = credential.load_key().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return grpc.ssl_server_credentials(
        [(key, credential.chain_file.read_bytes())],
        root_certificates=(town.pki / "authorities.pem").read_bytes(),
        require_client_auth=lie.asks,
    )


def _digest(certificate: x509.Certificate) -> bytes:
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(encoded).digest()
