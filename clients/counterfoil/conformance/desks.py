"""The desk of the party under test, as its own systems and people call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from counterfoil.conformance.bench import CALL_S, Bench, answered
from counterfoil.conformance.papers import Paper
from counterfoil.conformance.target import Identity
from counterfoil.conformance.verdicts import NotApplicable, require
from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.office.messages import reference_message

SYSTEM: Final = "desk.system"
REVIEWER: Final = "desk.reviewer"


def named(identity: Identity | None, table: str) -> Identity:
    """Return an identity that the file may leave out.

    Raises:
        NotApplicable: It does.
    """
    if identity is None:
        raise NotApplicable(f"the file has no {table}")
    return identity


@asynccontextmanager
async def desk_of(
    bench: Bench, caller: Identity
) -> AsyncIterator[desk_pb2_grpc.DeskServiceAsyncStub]:
    """Open the desk as one of its callers, or as somebody who is none."""
    async with bench.channel(caller.access.credentials()) as channel:
        yield desk_pb2_grpc.DeskServiceStub(channel)


async def accept(bench: Bench, paper: Paper) -> int:
    """Let the recipient's system take a voucher over; return the leaf of that.

    Raises:
        NotApplicable: The file names no such system.
        CheckFailed: It was refused.
    """
    item = desk_pb2.StepItem(voucher=reference_message(paper.voucher))
    asked = desk_pb2.AcceptRequest(items=[item])
    async with desk_of(bench, named(bench.target.system, SYSTEM)) as stub:
        answer = await answered(stub.Accept(asked, timeout=CALL_S))
    require(len(answer.results) == 1, f"one item had {len(answer.results)} results")
    result = answer.results[0]
    require(
        result.HasField("done"),
        f"the desk did not accept what arrived: {result.refusal.reason}",
    )
    return result.done.leaf
