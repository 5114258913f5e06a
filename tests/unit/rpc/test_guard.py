"""Streams that are cut are told why, however often the guard looks meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
import pytest

from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import CallerRevoked
from counterfoil.domain.registry import Caller
from counterfoil.rpc.callers import CallerGate, Context
from counterfoil.rpc.guard import Guard
from counterfoil.rpc.sightings import Sightings

CALLER = Caller(
    identity=Identity(party="420000-102", use=Use.GATEWAY, name="1"),
    posts=frozenset(),
    certificate=b"der",
    certificate_digest=b"digest",
)


@dataclass
class Gate:
    """Lets everybody in while it is open."""

    is_open: bool = True

    def certificate_of(self, _context: object) -> bytes:
        return CALLER.certificate

    def admit(self, _der: bytes, _digest: bytes, _method: str) -> Caller:
        if not self.is_open:
            raise CallerRevoked("revoked")
        return CALLER


@dataclass
class Book:
    """Sightings that take their time to record a refusal."""

    recording: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def called(self, _urn: str) -> None:
        """Nobody asks."""

    def opened(self, *_what: object) -> None:
        """Nobody asks."""

    def closed(self, _stream: int) -> None:
        """Nobody asks."""

    async def refused(self, *_what: object) -> None:
        self.recording.set()
        await self.may_go_on.wait()


@dataclass
class Call:
    """A call's context, which remembers how it was ended."""

    code: grpc.StatusCode | None = None

    async def abort(self, code: grpc.StatusCode, *_more: object) -> None:
        self.code = code
        raise grpc.aio.AbortError


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CALLER_REVOKED")
async def test_a_stream_that_is_being_cut_is_not_cut_again() -> None:
    gate, book, call = Gate(), Book(), Call()
    guard = Guard(
        gate=cast(CallerGate, gate),
        streams_max=1,
        sightings=cast(Sightings, book),
        listed=lambda _: CALLER.identity,
    )

    async def silent(_request: object, _context: object) -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async def reads(stream: AsyncIterator[Any]) -> None:
        async for _ in stream:
            raise AssertionError("nothing is answered")

    guarded = guard._guard_stream(silent, "/method")
    reading = asyncio.ensure_future(reads(guarded(None, cast(Context, call))))
    await asyncio.sleep(0)
    gate.is_open = False

    assert guard.cut_revoked() == 1
    await book.recording.wait()
    # Another registration, while the first refusal is put on record.
    assert guard.cut_revoked() == 0
    book.may_go_on.set()

    with pytest.raises(grpc.aio.AbortError):
        await reading
    assert call.code is grpc.StatusCode.PERMISSION_DENIED
    assert guard.cut_revoked() == 0
