"""What a refusal must carry: a stable reason, and a text in each language."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from typing import Final

import grpc

from counterfoil.conformance.verdicts import CheckFailed, require
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.office import DeskRefused
from counterfoil.office.errors import from_call, from_refusal

DUE: Final = "EARLIER_PROOF_DUE"
"""The one refusal of a document that asks for the same bytes again, with a proof."""

_CHINESE: Final = re.compile("[一-鿿]")
_SIZE: Final = re.compile("[1-9][0-9]{0,17}")
_CODES: Final = {
    "BATCH_TOO_LARGE": grpc.StatusCode.INVALID_ARGUMENT,
    "CALLER_UNKNOWN": grpc.StatusCode.PERMISSION_DENIED,
    "FORM_REFUSED": grpc.StatusCode.INVALID_ARGUMENT,
    "LEAF_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "POST_REFUSED": grpc.StatusCode.PERMISSION_DENIED,
}
"""The status of each reason that a call is refused for here."""


def words(answer: pb.DeliverResponse) -> list[str]:
    """Return `stored`, `known` or the reason of each document of a batch."""
    return [
        one.refusal.reason
        if one.HasField("refusal")
        else str(one.WhichOneof("outcome"))
        for one in answer.outcomes
    ]


def require_refused(outcome: pb.Outcome, *reasons: str) -> DeskRefused:
    """Require that a document was refused for one of these reasons, for good.

    Raises:
        CheckFailed: It was not, or the refusal is not whole.
    """
    refused = _refused(outcome, reasons)
    require(not refused.retryable, f"{refused.reason} says that it may be sent again")
    return refused


def require_due(outcome: pb.Outcome) -> int:
    """Require that a document was refused until it is shown in an earlier tree.

    Returns:
        The size of that tree.

    Raises:
        CheckFailed: It was not, or the refusal is not whole.
    """
    refused = _refused(outcome, (DUE,))
    require(refused.retryable, f"{DUE} does not say that it may be sent again")
    size = refused.facts.get("tree_size", "")
    require(_SIZE.fullmatch(size), f"{DUE} names no tree_size: {size!r}")
    return int(size)


def _refused(outcome: pb.Outcome, reasons: tuple[str, ...]) -> DeskRefused:
    if not outcome.HasField("refusal"):
        word = outcome.WhichOneof("outcome")
        raise CheckFailed(f"the document was {word}, not refused as {reasons[0]}")
    refused = from_refusal(outcome.refusal)
    _require_whole(refused, reasons)
    return refused


async def require_call_refused(call: Awaitable[object], reason: str) -> DeskRefused:
    """Require that a call fails for a reason, with that reason's status.

    Raises:
        CheckFailed: It does not, or the refusal is not whole.
    """
    try:
        await call
    except grpc.aio.AioRpcError as error:
        code, told = error.code(), from_call(error)
    else:
        raise CheckFailed(f"the call was answered, not refused as {reason}")
    if not isinstance(told, DeskRefused):
        raise CheckFailed(f"{code.name} without an ErrorInfo of domain counterfoil")
    _require_whole(told, (reason,))
    expected = _CODES[reason]
    require(code is expected, f"{reason} came as {code.name}, not {expected.name}")
    return told


def _require_whole(refused: DeskRefused, reasons: tuple[str, ...]) -> None:
    require(
        refused.reason in reasons,
        f"refused as {refused.reason or 'nothing'}, not as {' or '.join(reasons)}",
    )
    require(refused.text, f"{refused.reason} has no English text")
    require(_CHINESE.search(refused.text_zh), f"{refused.reason} has no Chinese text")
