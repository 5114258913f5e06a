"""A refusal arrives at the other gateway, and at any gRPC client, as what it was."""

from __future__ import annotations

import pytest
from google.rpc import code_pb2, error_details_pb2

from counterfoil.domain.reasons import all_reasons
from counterfoil.domain.refusals import (
    CounterfoilError,
    FormRefused,
    MalformedPayload,
    SealForged,
    Unavailable,
    VaultFull,
)
from counterfoil.domain.violation import Violation
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.refusals import (
    refusal_from_message,
    refusal_to_message,
    refusal_to_status,
)

KINDS = [
    kind
    for kind in all_reasons().values()
    if kind.__module__ == "counterfoil.domain.refusals"
]
VIOLATION = Violation(
    path="rows[3].payee_acct_name", rule="text.width", text="too long", text_zh="超长"
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.reason)
def test_every_refusal_arrives_as_its_own_class(kind: type[CounterfoilError]) -> None:
    refusal = kind("the text", [VIOLATION], check="6")

    message = refusal_to_message(refusal)
    arrived = refusal_from_message(message)

    assert type(arrived) is kind
    assert str(arrived) == "the text"
    assert arrived.violations == (VIOLATION,)
    assert arrived.facts == {"check": "6", "peer_reason": kind.reason}
    assert message.text_zh == kind.zh
    assert message.retryable == issubclass(kind, Unavailable)


def test_an_unknown_reason_of_a_newer_peer_is_never_tried_again() -> None:
    message = sealed_pb2.Refusal(
        reason="MOON_PHASE_WRONG", text="wait", facts={"phase": "3"}, retryable=True
    )

    arrived = refusal_from_message(message)

    assert type(arrived) is MalformedPayload
    assert not isinstance(arrived, Unavailable)
    assert arrived.facts == {"phase": "3", "peer_reason": "MOON_PHASE_WRONG"}


@pytest.mark.parametrize("name", ["message", "violations", "self", "peer_reason"])
def test_a_peer_may_call_its_facts_as_it_likes(name: str) -> None:
    message = sealed_pb2.Refusal(reason="SEAL_FORGED", facts={name: "x"})

    arrived = refusal_from_message(message)

    assert type(arrived) is SealForged
    assert arrived.facts["peer_reason"] == "SEAL_FORGED"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.reason)
def test_every_refusal_is_a_status_with_reason_and_chinese_text(
    kind: type[CounterfoilError],
) -> None:
    status = refusal_to_status(kind("the text", check="6"))

    info, localized = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.LocalizedMessage(),
    )
    assert code_pb2.Code.Name(status.code) == kind.status
    assert status.message == "the text"
    assert len(status.details) == 2
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(localized)
    assert (info.reason, info.domain) == (kind.reason, "counterfoil")
    assert dict(info.metadata) == {"check": "6"}
    assert (localized.locale, localized.message) == ("zh-CN", kind.zh)


def test_violations_are_field_violations_in_both_languages() -> None:
    status = refusal_to_status(FormRefused("broken", [VIOLATION]))

    bad = error_details_pb2.BadRequest()
    assert status.details[2].Unpack(bad)
    (found,) = bad.field_violations
    assert (found.field, found.reason) == (VIOLATION.path, VIOLATION.rule)
    assert found.description == VIOLATION.text
    assert found.localized_message.message == VIOLATION.text_zh


def test_a_full_vault_is_tried_again_later() -> None:
    assert refusal_to_message(VaultFull("full")).retryable
    assert not refusal_to_message(SealForged("forged")).retryable
