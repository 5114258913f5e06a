"""All checks, in order, and running them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.message import DecodeError

from counterfoil.conformance import (
    agreements,
    bounds,
    callers,
    contents,
    filings,
    late,
    log,
    losses,
    own_matters,
    progress,
    seals,
    services,
    sm3_tree,
    taking,
    tls,
)
from counterfoil.conformance.bench import CALL_S, Bench
from counterfoil.conformance.checks import Check
from counterfoil.conformance.target import Target
from counterfoil.conformance.verdicts import CheckFailed, NotApplicable, Verdict
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.office import Unreachable

CHECKS: Final[tuple[Check, ...]] = tuple(
    one
    for module in (
        tls,
        services,
        taking,
        seals,
        contents,
        bounds,
        log,
        sm3_tree,
        progress,
        callers,
        agreements,
        filings,
        losses,
        late,
        own_matters,
    )
    for one in module.CHECKS
)
"""Every check, by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one check.

    Attributes:
        check: The check.
        verdict: How it ended.
        why: What was seen; empty if it passed.
    """

    check: Check
    verdict: Verdict
    why: str = ""


async def reach(target: Target) -> None:
    """Make sure that there is a gateway to judge.

    Raises:
        Unreachable: Nobody answers there who could be one.
    """
    bench = Bench(target)
    try:
        async with bench.exchange() as stub:
            await stub.GetCheckpoint(pb.GetCheckpointRequest(), timeout=CALL_S)
    except grpc.aio.AioRpcError as error:
        if error.code() in {
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
        }:
            raise Unreachable(f"{target.address}: {error.details()}") from error


async def judged(
    target: Target, checks: Iterable[Check] = CHECKS
) -> AsyncIterator[Finding]:
    """Yield what comes of each check, one after another.

    Each makes its own documents, so that none depends on another.
    """
    bench = Bench(target)
    for one in checks:
        yield await _finding(bench, one)


async def _finding(bench: Bench, check: Check) -> Finding:
    try:
        await check.run(bench)
    except NotApplicable as reason:
        verdict, why = Verdict.NOT_APPLICABLE, str(reason)
    except CheckFailed as failure:
        verdict, why = Verdict.FAILED, str(failure)
    except grpc.aio.AioRpcError as error:
        verdict = Verdict.FAILED
        why = f"a call failed as {error.code().name}: {error.details()}"
    except DecodeError as error:
        verdict, why = Verdict.FAILED, f"what an answer holds is no message: {error}"
    else:
        verdict, why = Verdict.PASSED, ""
    return Finding(check=check, verdict=verdict, why=why)
