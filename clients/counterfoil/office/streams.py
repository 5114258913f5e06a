"""The desk's streams: submitting with a window, reading until accepted, watching.

A stream that breaks is opened again where it stopped; both sides then may see a
batch twice, which the contract allows and digests reveal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, TypeVar

import grpc
from google.protobuf.message import Message

from counterfoil.desk.v1 import desk_pb2
from counterfoil.office.calls import BATCH_BYTES_MAX, SERVICE, Attempts, Caller
from counterfoil.office.errors import Defect
from counterfoil.sealed.v1 import voucher_pb2

WINDOW_BATCHES: Final = 4
"""Batches that may be under way on a Submit stream."""
STREAM_S: Final = 600.0
"""Deadline of one following stream; it is opened again then."""

Response = TypeVar("Response", bound=Message)


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
    caller: Caller,
    request: desk_pb2.ReadRequest,
    *,
    idle_s: float | None = None,
    gather_s: float = 0.0,
) -> AsyncIterator[tuple[desk_pb2.ReadResponse, ...]]:
    """Yield batches of what has arrived; none after each `idle_s` of silence.

    Those that come within `gather_s` of a first one are yielded together. With
    `follow` it goes on for as long as the gateway can be reached.

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
            async for responses in _with_silence(aiter(call), idle_s, gather_s):
                if responses:
                    attempts.reset()
                yield responses
        except grpc.aio.AioRpcError as error:
            await opened.wait_after(attempts, error)
        else:
            if not request.follow:
                return
        finally:
            call.cancel()


async def sealed(
    caller: Caller, vouchers: Sequence[voucher_pb2.VoucherReference]
) -> AsyncIterator[desk_pb2.GetSealedResponse]:
    """Yield results until every voucher of one request has its own.

    Raises:
        OfficeError: The stream failed for good; what came before it holds.
    """
    method = caller.channel.unary_stream(
        f"/{SERVICE}/GetSealed",
        request_serializer=desk_pb2.GetSealedRequest.SerializeToString,
        response_deserializer=desk_pb2.GetSealedResponse.FromString,
    )
    attempts = Attempts(caller.patience)
    left = vouchers
    while left:
        request = desk_pb2.GetSealedRequest(vouchers=left)
        call = method(request, timeout=caller.patience.call_s)
        try:
            async for response in call:
                if not 0 < len(response.results) <= len(left):
                    raise Defect("a GetSealed stream answers what was not asked")
                left = left[len(response.results) :]
                attempts.reset()
                yield response
            if left:
                raise Defect("a GetSealed stream ended before its last result")
        except grpc.aio.AioRpcError as error:
            await attempts.wait_after(error)
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
            async for responses in _with_silence(aiter(call), idle_s):
                for response in responses:
                    attempts.reset()
                    after = response.changes[-1].leaf if response.changes else after
                    yield response
                if not responses:
                    yield None
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
    messages: AsyncIterator[Response], idle_s: float | None, gather_s: float = 0.0
) -> AsyncIterator[tuple[Response, ...]]:
    """Yield what a stream says, and nothing after each `idle_s` of silence.

    Messages that come within `gather_s` of a first one are yielded together, up to
    `BATCH_BYTES_MAX`. An error is raised when all that came before it was told.
    """
    clock = asyncio.get_running_loop().time
    told: list[Response] = []
    until_s = 0.0
    # Never cancelled by a time-out: that would cancel the call itself.
    reading = asyncio.ensure_future(_next(messages))
    try:
        while True:
            left_s = until_s - clock() if told else idle_s
            await asyncio.wait({reading}, timeout=left_s)
            if _went_on(reading):
                until_s = until_s if told else clock() + gather_s
                told += reading.result()
                reading = asyncio.ensure_future(_next(messages))
                is_full = sum(one.ByteSize() for one in told) >= BATCH_BYTES_MAX
                if clock() < until_s and not is_full:
                    continue
            elif reading.done() and not told:
                reading.result()  # raises what ended the stream
                return
            yield tuple(told)
            told = []
    finally:
        reading.cancel()
        await asyncio.wait({reading})
        # Nobody asks any more why it failed, if it did.
        _ = reading.cancelled() or reading.exception()


def _went_on(reading: asyncio.Future[tuple[Response, ...]]) -> bool:
    """Tell whether a message came: neither silence nor an error nor the end."""
    return (
        reading.done()
        and not reading.cancelled()
        and reading.exception() is None
        and bool(reading.result())
    )


async def _next(messages: AsyncIterator[Response]) -> tuple[Response, ...]:
    """Return the next message alone, or nothing at the end of the stream."""
    async for message in messages:
        return (message,)
    return ()
