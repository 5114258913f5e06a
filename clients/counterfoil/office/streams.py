"""The desk's streams: submitting with a window, reading until accepted, watching.

A stream that breaks is opened again where it stopped; both sides then may see a
batch twice, which the contract allows and digests reveal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, TypeVar

import grpc

from counterfoil.desk.v1 import desk_pb2
from counterfoil.office.calls import SERVICE, Attempts, Caller
from counterfoil.office.errors import Defect

WINDOW_BATCHES: Final = 4
"""Batches that may be under way on a Submit stream."""
STREAM_S: Final = 600.0
"""Deadline of one following stream; it is opened again then."""

Response = TypeVar("Response")


async def submit(
    caller: Caller,
    batches: Sequence[Sequence[desk_pb2.Draft]],
    *,
    window: int = WINDOW_BATCHES,
) -> AsyncIterator[desk_pb2.SubmitResponse]:
    """Yield the answer to every batch, in their order.

    Raises:
        OfficeError: The stream failed for good; what was answered is done.
    """
    method = caller.channel.stream_stream(
        f"/{SERVICE}/Submit",
        request_serializer=desk_pb2.SubmitRequest.SerializeToString,
        response_deserializer=desk_pb2.SubmitResponse.FromString,
    )
    attempts = Attempts(caller.patience)
    answered = 0
    while answered < len(batches):
        left = batches[answered:]
        free = asyncio.Semaphore(window)
        call = method(
            _requests(left, free), timeout=caller.patience.call_s * (1 + len(left))
        )
        try:
            expected = 0
            async for response in call:
                expected += 1
                if response.batch != expected:
                    raise Defect("a Submit stream answers out of order")
                free.release()
                answered += 1
                attempts.reset()
                yield response
            if answered < len(batches):
                raise Defect("a Submit stream ended before its last answer")
        except grpc.aio.AioRpcError as error:
            await attempts.wait_after(error)
        finally:
            call.cancel()


async def _requests(
    batches: Sequence[Sequence[desk_pb2.Draft]], free: asyncio.Semaphore
) -> AsyncIterator[desk_pb2.SubmitRequest]:
    """Yield a request whenever the window has room."""
    for number, drafts in enumerate(batches, start=1):
        await free.acquire()
        yield desk_pb2.SubmitRequest(batch=number, drafts=drafts)


async def read(
    caller: Caller, request: desk_pb2.ReadRequest, *, idle_s: float | None = None
) -> AsyncIterator[desk_pb2.ReadResponse | None]:
    """Yield batches of what has arrived; None after each `idle_s` of silence.

    With `follow` it goes on for as long as the gateway can be reached.

    Raises:
        OfficeError: The stream failed for good.
    """
    method: grpc.aio.UnaryStreamMultiCallable[bytes, desk_pb2.ReadResponse] = (
        caller.channel.unary_stream(
            f"/{SERVICE}/Read",
            response_deserializer=desk_pb2.ReadResponse.FromString,
        )
    )
    encoded = request.SerializeToString()
    attempts = Attempts(caller.patience)
    while True:
        opened = _Opened(caller)
        call = method(encoded, timeout=STREAM_S)
        try:
            async for response in _with_silence(aiter(call), idle_s):
                if response is not None:
                    attempts.reset()
                yield response
        except grpc.aio.AioRpcError as error:
            await opened.wait_after(attempts, error)
        else:
            if not request.follow:
                return
        finally:
            call.cancel()


async def watch(
    caller: Caller,
    after: int | None,
    *,
    from_start: bool = False,
    idle_s: float | None = None,
) -> AsyncIterator[desk_pb2.WatchResponse | None]:
    """Yield changes of standing; None after `idle_s` of silence.

    It goes on behind the last change it saw. With neither `after` nor `from_start`,
    what happens while the line is broken before the first change is not told.

    Raises:
        OfficeError: The stream failed for good.
    """
    method = caller.channel.unary_stream(
        f"/{SERVICE}/Watch",
        request_serializer=desk_pb2.WatchRequest.SerializeToString,
        response_deserializer=desk_pb2.WatchResponse.FromString,
    )
    attempts = Attempts(caller.patience)
    while True:
        opened = _Opened(caller)
        request = desk_pb2.WatchRequest(after=after, from_start=from_start)
        call = method(request, timeout=STREAM_S)
        try:
            async for response in _with_silence(aiter(call), idle_s):
                if response is not None:
                    attempts.reset()
                    after = response.changes[-1].leaf if response.changes else after
                yield response
        except grpc.aio.AioRpcError as error:
            await opened.wait_after(attempts, error)
        finally:
            call.cancel()


class _Opened:
    """When a stream was opened, and so whether it was ever connected."""

    def __init__(self, caller: Caller) -> None:
        self._lasting_s = caller.patience.call_s
        self._since_s = asyncio.get_running_loop().time()

    async def wait_after(self, attempts: Attempts, error: grpc.aio.AioRpcError) -> None:
        """Wait as long as it takes before the stream is opened again.

        A stream that lasted longer than a call may take was connected, however
        silent it was: its end is a first failure, not one more.
        """
        lasted_s = asyncio.get_running_loop().time() - self._since_s
        if lasted_s >= self._lasting_s:
            attempts.reset()
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            await attempts.wait_after(error)


async def _with_silence(
    messages: AsyncIterator[Response], idle_s: float | None
) -> AsyncIterator[Response | None]:
    """Yield what a stream says, and None after each `idle_s` of silence."""
    while True:
        # Never cancelled by a time-out: that would cancel the call itself.
        reading = asyncio.ensure_future(_next(messages))
        try:
            while not (await asyncio.wait({reading}, timeout=idle_s))[0]:
                yield None
        finally:
            if not reading.done():
                reading.cancel()
                await asyncio.wait({reading})
        told = reading.result()
        if not told:
            return
        yield told[0]


async def _next(messages: AsyncIterator[Response]) -> tuple[Response, ...]:
    """Return the next message alone, or nothing at the end of the stream."""
    async for message in messages:
        return (message,)
    return ()
