from __future__ import annotations

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import status_pb2
from grpc.aio import AioRpcError, Metadata

from counterfoil.domain.reasons import all_reasons
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.violation import Violation
from counterfoil.ledger.errors import LedgerUnavailable
from counterfoil.office.errors import (
    FAMILIES,
    Busy,
    Defect,
    DeskRefused,
    Unreachable,
    class_of,
    from_call,
    from_refusal,
    is_overwritten,
)
from counterfoil.wire.refusals import refusal_to_message, refusal_to_status
from counterfoil.workbench.errors import WorkbenchUnavailable

# Not all refusals are the domain's: a package with its own has to be loaded.
assert {WorkbenchUnavailable.reason, LedgerUnavailable.reason} <= set(all_reasons())
REASONS = sorted(all_reasons().items())
VIOLATION = Violation(
    path="rows[3].payee_acct_name", rule="text.width", text="too long", text_zh="超长"
)


def failed_with(status: status_pb2.Status | None, code: grpc.StatusCode) -> AioRpcError:
    metadata = Metadata()
    if status is not None:
        metadata.add("grpc-status-details-bin", status.SerializeToString())
    return AioRpcError(code, Metadata(), metadata, details="text")


@pytest.mark.parametrize(("reason", "kind"), REASONS)
def test_every_refusal_of_the_gateway_is_known_by_its_class_and_reason(
    reason: str, kind: type[CounterfoilError]
) -> None:
    refusal = kind("why", [VIOLATION], number="A1")
    status = refusal_to_status(refusal)
    code = grpc.StatusCode[kind.status]

    error = from_call(failed_with(status, code))

    assert isinstance(error, DeskRefused)
    assert type(error) is class_of(reason)
    assert type(error) is not DeskRefused
    assert (error.reason, error.text_zh) == (reason, kind.zh)
    assert error.facts["number"] == "A1"


@pytest.mark.parametrize(("reason", "kind"), REASONS)
def test_a_refused_item_is_the_same_error_as_a_refused_call(
    reason: str, kind: type[CounterfoilError]
) -> None:
    refusal = kind("why", [VIOLATION], number="A1")

    item = from_refusal(refusal_to_message(refusal))

    assert type(item) is class_of(reason)
    assert (item.reason, item.text, item.text_zh) == (reason, "why", kind.zh)
    assert [one.field for one in item.violations] == ["rows[3].payee_acct_name"]
    assert item.retryable == isinstance(item, Busy)


def test_the_families_list_every_reason_once_and_no_other() -> None:
    listed = [reason for reasons in FAMILIES.values() for reason in reasons]

    assert sorted(listed) == [reason for reason, _ in REASONS]


def test_fields_at_fault_reach_the_clerk_in_chinese() -> None:
    refusal = all_reasons()["FORM_REFUSED"]("why", [VIOLATION])

    error = from_call(
        failed_with(refusal_to_status(refusal), grpc.StatusCode.INVALID_ARGUMENT)
    )

    assert isinstance(error, DeskRefused)
    assert error.explanation() == "凭证要素不合规；rows[3].payee_acct_name: 超长"


def test_a_reason_of_a_later_version_is_a_plain_refusal() -> None:
    assert class_of("INVENTED_LATER") is DeskRefused


def test_a_bare_internal_is_a_defect() -> None:
    assert isinstance(from_call(failed_with(None, grpc.StatusCode.INTERNAL)), Defect)


def test_a_silent_gateway_is_unreachable() -> None:
    error = from_call(failed_with(None, grpc.StatusCode.UNAVAILABLE))

    assert isinstance(error, Unreachable)


def test_a_status_that_grpcio_overwrote_says_nothing_of_the_gateway() -> None:
    error = AioRpcError(
        grpc.StatusCode.INTERNAL,
        Metadata(),
        Metadata(),
        details="Internal error from Core",
    )

    assert is_overwritten(error)
    assert isinstance(from_call(error), Unreachable)
    assert not is_overwritten(failed_with(None, grpc.StatusCode.INTERNAL))


def test_details_of_another_domain_are_no_refusal_of_ours() -> None:
    status = refusal_to_status(all_reasons()["POST_REFUSED"]("why"))
    other = status_pb2.Status()
    for detail in status.details:
        changed = Any(
            type_url=detail.type_url,
            value=detail.value.replace(b"counterfoil", b"elsewherexx"),
        )
        other.details.append(changed)

    error = from_call(failed_with(other, grpc.StatusCode.PERMISSION_DENIED))

    assert isinstance(error, Defect)
