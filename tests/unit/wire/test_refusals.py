"""A refusal arrives at the other gateway, and at any gRPC client, as what it was."""

from __future__ import annotations

from dataclasses import replace

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
    FACT_MAX,
    REFUSALS_BYTES_MAX,
    TEXT_MAX,
    refusal_from_message,
    refusal_to_message,
    refusal_to_status,
    shorten,
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


def test_refusals_of_one_answer_are_together_no_more_than_it_holds() -> None:
    broken = FormRefused("the form breaks rules", [VIOLATION] * 100)
    one = [refusal_to_message(broken)]
    shorten(one)
    assert len(one[0].violations) == 100

    # As many items as a batch has, and each breaks as many rules as are told.
    many = [refusal_to_message(broken) for _ in range(256)]
    before = sum(each.ByteSize() for each in many)
    shorten(many)
    assert sum(each.ByteSize() for each in many) <= REFUSALS_BYTES_MAX < before
    assert all(each.violations for each in many)
    assert many[0].violations[0].field == VIOLATION.path


def test_what_a_refusal_quotes_may_be_as_long_as_what_was_sent() -> None:
    refusal = MalformedPayload("not a key: " + "字" * 2_000_000, key="9" * 2_000_000)

    message, status = refusal_to_message(refusal), refusal_to_status(refusal)

    assert message.text.startswith("not a key: 字")
    assert len(message.text) == TEXT_MAX
    assert len(message.facts["key"]) == FACT_MAX
    assert status.ByteSize() < 4 * 1024


@pytest.mark.parametrize("count", [1, 10, 1_280])
def test_a_status_fits_into_the_trailers_that_every_client_takes(count: int) -> None:
    paths = [f"vouchers[{at}].key.adm_div" for at in range(count)]
    refusal = FormRefused(
        "the request breaks a rule",
        [replace(VIOLATION, path=path) for path in paths],
    )

    status = refusal_to_status(refusal)

    assert status.ByteSize() <= 4 * 1024
    fields = error_details_pb2.BadRequest()
    assert status.details[-1].Unpack(fields)
    told = [each.field for each in fields.field_violations]
    # The first ones, as many as there is room for.
    assert told == paths[: len(told)]
    assert len(told) >= min(count, 10)
