"""The steps of a voucher's way, as business systems and people take them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import grpc
from google.rpc import error_details_pb2, status_pb2

from counterfoil.office import (
    ActOutcome,
    ActRecord,
    Arrival,
    AsyncDesk,
    DeskRefused,
    Done,
    Draft,
    Outcome,
    Reference,
    Seal,
    Standing,
    Voucher,
    Way,
    Written,
    opened,
    opened_payload,
    plan_of,
    seal_voucher,
)
from tests.houses import FINANCE, Town

Value = TypeVar("Value")


async def until(
    tell: Callable[[], Awaitable[Value]],
    holds: Callable[[Value], bool],
    *,
    within_s: float = 30.0,
) -> Value:
    """Return what `tell` says once `holds`; it is asked again and again.

    Raises:
        AssertionError: It did not hold in time; the last answer is in the text.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not holds(told := await tell()):
        assert loop.time() < deadline, f"after {within_s} s still {told!r}"
        await asyncio.sleep(0.02)
    return told


def done(outcome: Outcome) -> Done:
    """Return an outcome that must not be a refusal."""
    assert isinstance(outcome, Done), outcome
    return outcome


def refused(outcome: Outcome | Written) -> str:
    """Return the reason of what must have been refused."""
    assert isinstance(outcome, DeskRefused), outcome
    return outcome.reason


@dataclass(frozen=True, slots=True)
class Issued:
    """A voucher that was written, and what it says."""

    reference: Reference
    voucher: Voucher
    payload: bytes


async def write(desk: AsyncDesk, draft: Draft) -> Issued:
    """Put a draft on the workbench."""
    (written,) = await desk.write([draft])
    assert isinstance(written, Written), written
    voucher = opened_payload(written.payload)
    return Issued(Reference(voucher.key, written.done.digest), voucher, written.payload)


def personal_seals(
    town: Town,
    issued: Issued,
    issuer: str,
    names: tuple[str, ...] = ("first", "second"),
) -> list[Seal]:
    """Return the seals of the reviewers of a draft, lowest first."""
    seals: list[Seal] = []
    for position, name in zip(
        plan_of(issued.reference.key.type_code), names, strict=False
    ):
        seals.append(
            seal_voucher(
                issued.payload,
                position,
                town.person(issuer, name),
                stated_time=datetime.now(UTC),
                beneath=tuple(seals),
            )
        )
    return seals


async def review(town: Town, issued: Issued, issuer: str = FINANCE) -> list[Seal]:
    """Let both reviewers seal a draft at their own desks."""
    seals = personal_seals(town, issued, issuer)
    for name, seal in zip(("first", "second"), seals, strict=True):
        async with town.desk(issuer, "person", name) as desk:
            (outcome,) = await desk.review([(issued.reference.digest, seal)])
        done(outcome)
    return seals


async def issue(
    town: Town, draft: Draft, issuer: str = FINANCE, *, send: bool = True
) -> Issued:
    """Write, review, seal and send one voucher."""
    async with town.desk(issuer) as desk:
        issued = await write(desk, draft)
        await review(town, issued, issuer)
        (outcome,) = await desk.seal([issued.reference.digest], send=send)
        assert done(outcome).standing is (Standing.SENT if send else Standing.SEALED)
    return issued


async def submit(desk: AsyncDesk, voucher: Voucher) -> Reference:
    """Write, seal and send what needs no personal seal."""
    (outcome,) = await desk.submit([voucher])
    return Reference(voucher.key, done(outcome).digest)


async def reaches(
    desk: AsyncDesk, reference: Reference, standing: Standing, *, within_s: float = 30.0
) -> None:
    """Wait until a voucher of one recipient stands so at a desk."""

    async def tell() -> set[Standing]:
        try:
            way = await desk.inquire(reference.digest)
        except DeskRefused:
            return set()
        return set(way.standings.values())

    await until(tell, lambda told: told == {standing}, within_s=within_s)


async def arrival_of(
    desk: AsyncDesk, wanted: Callable[[Arrival], bool], *, within_s: float = 30.0
) -> Arrival:
    """Wait until something has arrived, and return it; it stays unread."""
    async with asyncio.timeout(within_s):
        async for batch in desk.read(follow=True):
            for arrival in batch:
                if wanted(arrival):
                    return arrival
    raise AssertionError("unreachable")


def acts_of(way: Way, name: str) -> list[ActRecord]:
    """Return the acts of one name, whatever document they are about."""
    return [act for act in way.acts if act.act.split()[0] == name]


async def accept_at(desk: AsyncDesk, reference: Reference) -> Voucher:
    """Wait for a voucher at the recipient's desk, take it over, and open it."""
    arrival = await arrival_of(desk, lambda one: one.digest == reference.digest)
    (outcome,) = await desk.accept([reference])
    assert done(outcome).standing is Standing.ACCEPTED
    voucher = opened(arrival.sealed)
    assert isinstance(voucher, Voucher)
    return voucher


async def act_on(
    desk: AsyncDesk, reference: Reference, outcome: ActOutcome = ActOutcome.DONE
) -> None:
    """Begin and end the act about an accepted voucher."""
    (begun,) = await desk.begin_acting([reference])
    assert done(begun).standing is Standing.ACTING
    (ended,) = await desk.end_acting([(reference, outcome)])
    done(ended)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return `ErrorInfo.reason` of a failed call; empty if it carries none."""
    info = error_details_pb2.ErrorInfo()
    for detail in status_of(error).details:
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """Return the status of a failed call with its details."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            assert isinstance(value, bytes)
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()
