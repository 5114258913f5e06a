"""Refusals as they leave the gateway: a message in a batch, or a gRPC status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

from counterfoil.domain.reasons import all_reasons
from counterfoil.domain.refusals import (
    CounterfoilError,
    MalformedPayload,
    Unavailable,
)
from counterfoil.domain.violation import Violation
from counterfoil.sealed.v1 import sealed_pb2

ERROR_DOMAIN: Final = "counterfoil"
"""`ErrorInfo.domain` of every refusal."""

REFUSALS_BYTES_MAX: Final = 512 * 1024
"""Most bytes of the refusals in one answer: a quarter of a message."""

TEXT_MAX: Final = 500
"""Longest text of a refusal; what it quotes may be as long as what was sent."""

FACT_MAX: Final = 200
"""Longest fact of a refusal, likewise."""

_STATUS_BYTES_MAX: Final = 4 * 1024
"""Largest status: it travels in the trailers of a call, written in base 64, and most
clients take no more than 8 KiB of these."""

_STATUS_VIOLATIONS_MAX: Final = 64

_PACKED_BYTES: Final = 64
"""What a detail takes beside its own bytes: the name of its type."""

_CODES: Final = {
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
}


def refusal_to_message(refusal: CounterfoilError) -> sealed_pb2.Refusal:
    """Return a refusal as one outcome of a batch states it."""
    return sealed_pb2.Refusal(
        reason=refusal.reason,
        text=_text(refusal),
        text_zh=refusal.zh,
        facts=_facts(refusal),
        violations=[
            sealed_pb2.FieldViolation(
                field=violation.path,
                rule=violation.rule,
                text=violation.text,
                text_zh=violation.text_zh,
            )
            for violation in refusal.violations
        ],
        retryable=isinstance(refusal, Unavailable),
    )


def shorten(refusals: Sequence[sealed_pb2.Refusal]) -> None:
    """Leave out violations where refusals together are more than one answer holds.

    Each keeps its first ones. A batch of which every item breaks a hundred rules would
    else have an answer that its caller cannot take, and would never learn why.

    Args:
        refusals: Those of one answer; shortened in place.
    """
    if sum(one.ByteSize() for one in refusals) <= REFUSALS_BYTES_MAX:
        return
    room = REFUSALS_BYTES_MAX // len(refusals)
    for one in refusals:
        while one.violations and one.ByteSize() > room:
            del one.violations[len(one.violations) // 2 :]


def refusal_from_message(message: sealed_pb2.Refusal) -> CounterfoilError:
    """Return a peer's refusal as one of ours; an unknown reason stays a refusal.

    A reason that only a newer peer knows becomes `MalformedPayload`, which is
    never tried again, with the peer's reason among the facts.
    """
    violations = [
        Violation(path=v.field, rule=v.rule, text=v.text, text_zh=v.text_zh)
        for v in message.violations
    ]
    kind = all_reasons().get(message.reason, MalformedPayload)
    facts = dict(message.facts) | {"peer_reason": message.reason}
    return kind(message.text, violations, **facts)


def refusal_to_status(refusal: CounterfoilError) -> status_pb2.Status:
    """Return a refusal as the rich status of a failed call.

    Source: google.rpc error_details.proto: `ErrorInfo`, `BadRequest`,
    `LocalizedMessage`.
    """
    details = [
        error_details_pb2.ErrorInfo(
            reason=refusal.reason, domain=ERROR_DOMAIN, metadata=_facts(refusal)
        ),
        error_details_pb2.LocalizedMessage(locale="zh-CN", message=refusal.zh),
    ]
    status = status_pb2.Status(code=_CODES[refusal.status], message=_text(refusal))
    for detail in details:
        _pack(status, detail)
    violations = [
        error_details_pb2.BadRequest.FieldViolation(
            field=_cut(violation.path, FACT_MAX),
            description=_cut(violation.text, FACT_MAX),
            reason=violation.rule,
            localized_message=error_details_pb2.LocalizedMessage(
                locale="zh-CN", message=violation.text_zh
            ),
        )
        for violation in refusal.violations[:_STATUS_VIOLATIONS_MAX]
    ]
    room = _STATUS_BYTES_MAX - status.ByteSize() - _PACKED_BYTES
    while violations:
        details = error_details_pb2.BadRequest(field_violations=violations)
        if details.ByteSize() <= room:
            _pack(status, details)
            break
        violations.pop()
    return status


def _text(refusal: CounterfoilError) -> str:
    return _cut(str(refusal), TEXT_MAX)


def _facts(refusal: CounterfoilError) -> dict[str, str]:
    return {name: _cut(fact, FACT_MAX) for name, fact in refusal.facts.items()}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _pack(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo
    | error_details_pb2.LocalizedMessage
    | error_details_pb2.BadRequest,
) -> None:
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)
