"""Checks of the connection: TLS 1.3, and a certificate at both ends."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import grpc

from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.checks import Check, check
from counterfoil.conformance.strangers import stranger_of
from counterfoil.conformance.target import Target
from counterfoil.conformance.verdicts import CheckFailed, require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc

_TLS: Final = "exchange.v1.ExchangeService"
_HTTP_2: Final = "h2"


@check(
    101,
    "A peer's gateway gets a connection by TLS 1.3 and HTTP/2.",
    "对方网关经 TLS 1.3 和 HTTP/2 建立连接。",
    clause="hubei-9",
    contract=_TLS,
)
async def _speaks_tls_1_3(bench: Bench) -> None:
    context = _context(bench.target)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    version, protocol = await _session(bench.target, context)
    require(version == "TLSv1.3", f"the session is {version}")
    require(protocol == _HTTP_2, f"the protocol is {protocol}, not {_HTTP_2}")


@check(
    102,
    "A client that offers TLS 1.2 only gets no session.",
    "只提供 TLS 1.2 的客户端建立不了会话。",
    clause="hubei-9",
    contract=_TLS,
)
async def _refuses_tls_1_2(bench: Bench) -> None:
    context = _context(bench.target)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        version, _ = await _session(bench.target, context)
    except CheckFailed:
        await _must_answer(bench)
        return
    raise CheckFailed(f"there was a session by {version}")


@check(
    103,
    "Who shows no certificate gets no answer to any call.",
    "不出示证书者，任何调用都得不到应答。",
    clause="hubei-9",
    contract=_TLS,
)
async def _wants_a_certificate(bench: Bench) -> None:
    roots = bench.target.gateway.access.authorities
    await _must_not_answer(bench, grpc.ssl_channel_credentials(roots))


@check(
    104,
    "A certificate that no trusted authority issued gets no answer to any call.",
    "出示非受信机构签发的证书者，任何调用都得不到应答。",
    clause="hubei-9",
    contract=_TLS,
)
async def _wants_a_trusted_certificate(bench: Bench) -> None:
    stranger = stranger_of(bench.target.gateway)
    await _must_not_answer(bench, stranger.access.credentials())


CHECKS: Final[tuple[Check, ...]] = (
    _speaks_tls_1_3,
    _refuses_tls_1_2,
    _wants_a_certificate,
    _wants_a_trusted_certificate,
)


def _context(target: Target) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(target.authorities))
    own = target.gateway
    context.load_cert_chain(own.certificate, own.key, own.passphrase or b"")
    context.set_alpn_protocols([_HTTP_2])
    return context


async def _session(target: Target, context: ssl.SSLContext) -> tuple[str, str]:
    """Return version and protocol of a session that a handshake led to.

    Raises:
        CheckFailed: It led to none.
    """
    try:
        async with asyncio.timeout(CALL_S):
            _, writer = await asyncio.open_connection(
                target.host,
                target.port,
                ssl=context,
                server_hostname=target.server_name or target.host,
            )
    except (OSError, TimeoutError) as error:
        raise CheckFailed(f"there was no session: {error!r}") from error
    session = writer.get_extra_info("ssl_object")
    told = session.version(), session.selected_alpn_protocol()
    # Nothing is waited for: the gateway may not say goodbye.
    writer.transport.abort()
    return told


async def _must_answer(bench: Bench) -> None:
    """Require that whoever may call is answered, so that a refusal says something."""
    async with bench.exchange() as stub:
        await answered(stub.GetCheckpoint(pb.GetCheckpointRequest(), timeout=CALL_S))


async def _must_not_answer(bench: Bench, credentials: grpc.ChannelCredentials) -> None:
    """Require that a call with these credentials ends before the gateway reads it."""
    await _must_answer(bench)
    async with bench.channel(credentials) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
        try:
            await stub.GetCheckpoint(pb.GetCheckpointRequest(), timeout=CALL_S)
        except grpc.aio.AioRpcError as error:
            code = error.code()
        else:
            raise CheckFailed("the call was answered")
    require(
        code is grpc.StatusCode.UNAVAILABLE,
        f"the call was read and refused as {code.name}; the handshake must fail",
    )
