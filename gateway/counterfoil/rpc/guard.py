"""The guard before every method: caller, post, refusals, open streams, log.

Servicers behind it read `CALLER` and raise; nothing else reaches a caller than
what `proto/` lists. A defect of ours is logged whole and answered as a bare
INTERNAL, because gRPC would otherwise send the exception's text.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from grpc_status import rpc_status

from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import (
    CallerRevoked,
    CallerUnknown,
    CounterfoilError,
    VaultBusy,
)
from counterfoil.domain.registry import Caller
from counterfoil.rpc.callers import CALLER, CallerGate, Context
from counterfoil.rpc.sightings import Sightings, named
from counterfoil.wire.refusals import TEXT_MAX, refusal_to_status

log = logging.getLogger("counterfoil.rpc")

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(slots=True)
class _OpenStream:
    der: bytes
    digest: bytes
    method: str
    task: asyncio.Task[Any]
    revoked: CounterfoilError | None = None


@dataclass(slots=True, kw_only=True)
class Guard(grpc.aio.ServerInterceptor):
    """Admits callers, turns refusals into statuses, and cuts revoked streams.

    Attributes:
        gate: Tells who calls and what is allowed.
        streams_max: Most open streams of one certificate.
        sightings: Remembers who called and who was refused.
        listed: Returns for whom the directory lists a certificate, by its digest.
    """

    gate: CallerGate
    streams_max: int
    sightings: Sightings
    listed: Callable[[bytes], Identity | None] = lambda _: None
    _streams: dict[int, _OpenStream] = field(default_factory=dict)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wrap the method's handler; called by gRPC once per call."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        method = handler_call_details.method
        if handler.response_streaming:
            behaviour = handler.stream_stream or handler.unary_stream
            wrap = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return wrap(
                self._guard_stream(behaviour, method),
                handler.request_deserializer,
                handler.response_serializer,
            )
        assert handler.unary_unary is not None, "no method streams requests only"
        return grpc.unary_unary_rpc_method_handler(
            self._guard_unary(handler.unary_unary, method),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def cut_revoked(self) -> int:
        """Cut the open streams whose caller may not call any more.

        Returns:
            How many were cut.
        """
        cut = 0
        for stream in list(self._streams.values()):
            if stream.revoked is not None:
                # It is being told why; to cancel that would leave it open in silence.
                continue
            try:
                self.gate.admit(stream.der, stream.digest, stream.method)
            except CounterfoilError as refusal:
                stream.revoked = refusal
                stream.task.cancel()
                cut += 1
        return cut

    def _admit(self, context: Context, method: str) -> tuple[Caller, bytes]:
        der = self.gate.certificate_of(context)
        caller = self.gate.admit(der, hashlib.sha256(der).digest(), method)
        CALLER.set(caller)
        self.sightings.called(caller.identity.to_urn())
        return caller, der

    def _guard_unary(self, behaviour: Any, method: str) -> Any:
        async def guarded(request: Any, context: Context) -> Any:
            started = time.perf_counter()
            try:
                caller, _ = self._admit(context, method)
                response = await behaviour(request, context)
            except CounterfoilError as refusal:
                await self._refuse(context, method, refusal)
            except (asyncio.CancelledError, grpc.aio.AbortError):
                raise
            except Exception as defect:
                await _defect(context, method, defect)
            else:
                log.debug(
                    "answered",
                    extra={
                        "method": method,
                        "caller": caller.identity.to_urn(),
                        "took_ms": round((time.perf_counter() - started) * 1e3, 1),
                    },
                )
                return response

        return guarded

    def _guard_stream(self, behaviour: Any, method: str) -> Any:
        async def guarded(request: Any, context: Context) -> AsyncIterator[Any]:
            stream = None
            try:
                caller, der = self._admit(context, method)
                stream = self._enter(caller, der, method)
                async for response in _responses(behaviour, request, context):
                    yield response
            except CounterfoilError as refusal:
                await self._refuse(context, method, refusal)
            except asyncio.CancelledError:
                if stream is None or stream.revoked is None:
                    raise
                await self._refuse(context, method, stream.revoked)
            except grpc.aio.AbortError:
                raise
            except Exception as defect:
                await _defect(context, method, defect)
            finally:
                if stream is not None:
                    self._streams.pop(id(stream), None)
                    self.sightings.closed(id(stream))

        return guarded

    def _enter(self, caller: Caller, der: bytes, method: str) -> _OpenStream:
        counts = Counter(s.digest for s in self._streams.values())
        if counts[caller.certificate_digest] >= self.streams_max:
            raise VaultBusy(
                "too many open streams of this caller",
                streams_max=str(self.streams_max),
            )
        task = asyncio.current_task()
        assert task is not None, "gRPC runs every call in a task"
        stream = _OpenStream(der, caller.certificate_digest, method, task)
        self._streams[id(stream)] = stream
        self.sightings.opened(
            id(stream), caller.identity.to_urn(), stream.digest, method
        )
        return stream

    async def _refuse(
        self, context: Context, method: str, refusal: CounterfoilError
    ) -> None:
        identity, certificate = self._named(context)
        log.info(
            "refused",
            extra={
                "method": method,
                "caller": identity,
                "reason": refusal.reason,
                "detail": str(refusal)[:TEXT_MAX],
                "cut": isinstance(refusal, CallerRevoked),
            },
        )
        # On record before it is answered; the log line above is there in any case.
        await self.sightings.refused(identity, certificate, method, refusal.reason)
        status = rpc_status.to_status(refusal_to_status(refusal))
        await context.abort(status.code, status.details, status.trailing_metadata)

    def _named(self, context: Context) -> tuple[str, bytes]:
        """Return whose a caller's certificate is, and the certificate's digest."""
        try:
            der = self.gate.certificate_of(context)
        except CallerUnknown:
            return "", b""
        digest = hashlib.sha256(der).digest()
        holder = self.listed(digest)
        return named(der) if holder is None else holder.to_urn(), digest


async def _responses(
    behaviour: Any, request: Any, context: Context
) -> AsyncIterator[Any]:
    """Yield what a handler yields, or what it writes to the context itself."""
    made = behaviour(request, context)
    if hasattr(made, "__aiter__"):
        async for response in made:
            yield response
    else:
        await made


async def _defect(context: Context, method: str, defect: Exception) -> None:
    log.error("defect", extra={"method": method}, exc_info=defect)
    await context.abort(grpc.StatusCode.INTERNAL, "")
