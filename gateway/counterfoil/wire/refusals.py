"""Refusals as they leave the gateway: a message in a batch, or a gRPC status."""

from __future__ import annotations

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
        text=str(refusal),
        text_zh=refusal.zh,
        facts=refusal.facts,
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
            reason=refusal.reason, domain=ERROR_DOMAIN, metadata=refusal.facts
        ),
        error_details_pb2.LocalizedMessage(locale="zh-CN", message=refusal.zh),
    ]
    status = status_pb2.Status(code=_CODES[refusal.status], message=str(refusal))
    for detail in details:
        _pack(status, detail)
    if refusal.violations:
        _pack(
            status,
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=violation.path,
                        description=violation.text,
                        reason=violation.rule,
                        localized_message=error_details_pb2.LocalizedMessage(
                            locale="zh-CN", message=violation.text_zh
                        ),
                    )
                    for violation in refusal.violations
                ]
            ),
        )
    return status


def _pack(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo
    | error_details_pb2.LocalizedMessage
    | error_details_pb2.BadRequest,
) -> None:
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)
