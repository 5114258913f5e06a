"""One call, tried again until it is answered: the same bytes each time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Final, TypeVar

import grpc
from google.protobuf.message import Message

from counterfoil.office.errors import Busy, OfficeError, from_call, is_overwritten

ITEMS_MAX: Final = 256
"""Most items in one request, as the contract says."""
BATCH_BYTES_MAX: Final = 1_048_576
"""Bytes after which a new request is begun; half of what a gateway reads."""
SERVICE: Final = "counterfoil.desk.v1.DeskService"
"""The service that business systems call."""

_AGAIN: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        # Never ours: our own cancellation is an asyncio.CancelledError. It comes
        # from a gateway that stops while the call is under way.
        grpc.StatusCode.CANCELLED,
    }
)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for an answer, and when to give up.

    Attributes:
        call_s: Deadline of one try.
        total_s: From the first failure on, how long the same call is tried.
        wait_s_min: Wait before the second try; doubles from there.
        wait_s_max: Longest wait between two tries.
        jitter: Returns 0 to 1; spreads the callers that wait for one gateway.
    """

    call_s: float = 30.0
    total_s: float = 120.0
    wait_s_min: float = 0.1
    wait_s_max: float = 2.0
    jitter: Callable[[], float] = SystemRandom().random

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait before each further try, without end."""
        ceiling = self.wait_s_min
        while True:
            yield ceiling * (0.5 + self.jitter() / 2)
            ceiling = min(self.wait_s_max, ceiling * 2)


class Attempts:
    """Counts the failed tries of one call and says when to give up."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Begin anew: the call made progress."""
        self._waits = self._patience.waits()
        self._give_up_at: float | None = None

    async def wait_after(self, error: grpc.aio.AioRpcError) -> None:
        """Wait before the next try.

        Raises:
            OfficeError: The failure is final, or patience is at an end.
        """
        failure = from_call(error)
        if not _is_worth_a_try(error, failure):
            raise failure from error
        now = asyncio.get_running_loop().time()
        if self._give_up_at is None:
            self._give_up_at = now + self._patience.total_s
        wait_s = next(self._waits)
        if now + wait_s > self._give_up_at:
            raise failure from error
        await asyncio.sleep(wait_s)


def _is_worth_a_try(error: grpc.aio.AioRpcError, failure: OfficeError) -> bool:
    if isinstance(failure, Busy):
        # RESOURCE_EXHAUSTED (a full vault) needs a person before it helps.
        return error.code() is grpc.StatusCode.UNAVAILABLE
    return error.code() in _AGAIN or is_overwritten(error)


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls the methods of one desk over one channel.

    Attributes:
        channel: The channel.
        patience: Deadlines and tries.
    """

    channel: grpc.aio.Channel
    patience: Patience

    async def unary(self, method: str, request: Message) -> bytes:
        """Return the encoded answer of one call.

        The request is encoded once; every try sends those bytes.

        Raises:
            OfficeError: See `counterfoil.office.errors`.
        """
        encoded = request.SerializeToString()
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(
            f"/{SERVICE}/{method}"
        )
        attempts = Attempts(self.patience)
        while True:
            try:
                answer: bytes = await call(encoded, timeout=self.patience.call_s)
            except grpc.aio.AioRpcError as error:
                await attempts.wait_after(error)
            else:
                return answer


def in_batches(
    items: Iterable[Item], size_of: Callable[[Item], int]
) -> Iterator[Sequence[Item]]:
    """Split items into requests of at most 256 items and about 1 MiB, in order."""
    batch: list[Item] = []
    batch_bytes = 0
    for item in items:
        item_bytes = size_of(item)
        full = len(batch) >= ITEMS_MAX or batch_bytes + item_bytes > BATCH_BYTES_MAX
        if batch and full:
            yield batch
            batch, batch_bytes = [], 0
        batch.append(item)
        batch_bytes += item_bytes
    if batch:
        yield batch
