"""Every way to refuse has one reason, one status, and a text for two readers."""

from __future__ import annotations

import pickle
import re

import pytest

from counterfoil.domain.reasons import MODULES, all_reasons
from counterfoil.domain.refusals import (
    CounterfoilError,
    FormRefused,
    Refused,
    SealForged,
    Unavailable,
)
from counterfoil.domain.violation import Violation
from tools.tree import ROOT

PRODUCT = [
    kind
    for kind in all_reasons().values()
    if kind.__module__ in {module.__name__ for module in MODULES}
]
STATUSES = {
    "MALFORMED_PAYLOAD": "INVALID_ARGUMENT",
    "FORM_REFUSED": "INVALID_ARGUMENT",
    "BATCH_TOO_LARGE": "INVALID_ARGUMENT",
    "PAGE_TOKEN_REFUSED": "INVALID_ARGUMENT",
    "CALLER_UNKNOWN": "PERMISSION_DENIED",
    "CALLER_REVOKED": "PERMISSION_DENIED",
    "POST_REFUSED": "PERMISSION_DENIED",
    "DIRECTION_REFUSED": "PERMISSION_DENIED",
    "NOT_THE_ISSUER": "PERMISSION_DENIED",
    "NOT_A_RECIPIENT": "PERMISSION_DENIED",
    "SEAL_FORGED": "PERMISSION_DENIED",
    "SEAL_MISSING": "PERMISSION_DENIED",
    "SIGNERS_REFUSED": "PERMISSION_DENIED",
    "OWN_POST": "PERMISSION_DENIED",
    "MATTER_FOREIGN": "PERMISSION_DENIED",
    "AGREEMENT_MISSING": "PERMISSION_DENIED",
    "AUDIT_CHECK_REFUSED": "PERMISSION_DENIED",
    "CERTIFICATE_LOST": "PERMISSION_DENIED",
    "CERTIFICATE_NOT_ACTIVE": "PERMISSION_DENIED",
    "FILING_MISSING": "PERMISSION_DENIED",
    "OUTSIDE_FILING": "PERMISSION_DENIED",
    "VOUCHER_KEY_REUSED": "ALREADY_EXISTS",
    "RECEIPT_EXISTS": "ALREADY_EXISTS",
    "REFERENCE_TAKEN": "ALREADY_EXISTS",
    "REFERENCE_DIFFERS": "ALREADY_EXISTS",
    "REFERENCE_EXCEEDED": "ALREADY_EXISTS",
    "POSITION_FILLED": "ALREADY_EXISTS",
    "SAME_PERSON": "ALREADY_EXISTS",
    "REGISTRATION_NUMBER_REUSED": "ALREADY_EXISTS",
    "POSTS_INCOMPATIBLE": "ALREADY_EXISTS",
    "ALREADY_REGISTERED": "ALREADY_EXISTS",
    "TREES_DIFFER": "ALREADY_EXISTS",
    "IDENTITY_AMBIGUOUS": "ALREADY_EXISTS",
    "NOT_IN_STATE": "FAILED_PRECONDITION",
    "ACTING_BEGUN": "FAILED_PRECONDITION",
    "ISSUE_OUT_OF_ORDER": "FAILED_PRECONDITION",
    "WITHDRAWAL_OUT_OF_ORDER": "FAILED_PRECONDITION",
    "REFERENCE_MISSING": "FAILED_PRECONDITION",
    "REFERENCE_VOID": "FAILED_PRECONDITION",
    "REFERENCE_UNSETTLED": "FAILED_PRECONDITION",
    "AGREEMENT_SUSPENDED": "FAILED_PRECONDITION",
    "NOT_FOUNDED": "FAILED_PRECONDITION",
    "CERTIFICATES_MISSING": "FAILED_PRECONDITION",
    "PARTIES_MISSING": "FAILED_PRECONDITION",
    "PARTIES_REMAIN": "FAILED_PRECONDITION",
    "PARTY_CONTRADICTED": "ALREADY_EXISTS",
    "PARTY_DISMISSED": "PERMISSION_DENIED",
    "VOUCHER_NOT_FOUND": "NOT_FOUND",
    "DRAFT_NOT_FOUND": "NOT_FOUND",
    "PARTY_UNKNOWN": "NOT_FOUND",
    "LEAF_NOT_FOUND": "NOT_FOUND",
    "TREE_MISSING": "NOT_FOUND",
    "NOT_REGISTERED": "NOT_FOUND",
    "SEAL_UNDETERMINED": "UNAVAILABLE",
    "SIGNER_UNLISTED": "UNAVAILABLE",
    "EARLIER_PROOF_DUE": "UNAVAILABLE",
    "EARLIER_PROOF_REFUSED": "PERMISSION_DENIED",
    "SEAL_KEY_UNAVAILABLE": "UNAVAILABLE",
    "VAULT_STOPPED": "UNAVAILABLE",
    "VAULT_BUSY": "UNAVAILABLE",
    "PEER_UNREACHABLE": "UNAVAILABLE",
    "VAULT_FULL": "RESOURCE_EXHAUSTED",
    "VAULT_CORRUPT": "DATA_LOSS",
    "HEAD_FORKED": "DATA_LOSS",
    "PEER_FORKED": "DATA_LOSS",
}
"""What partners build on: a reason never changes its status."""


def test_every_reason_has_the_status_that_partners_know() -> None:
    assert {kind.reason: kind.status for kind in PRODUCT} == STATUSES


def test_every_class_without_heirs_is_a_reason_of_its_own() -> None:
    leaves = [
        kind
        for module in MODULES
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, CounterfoilError)
        and not kind.__subclasses__()
    ]

    reasons = [kind.reason for kind in leaves if kind in PRODUCT]

    assert len(set(reasons)) == len(reasons)
    assert sorted(reasons) == sorted(STATUSES)


@pytest.mark.parametrize("kind", PRODUCT, ids=lambda kind: kind.reason)
def test_every_reason_is_named_like_its_class_and_said_in_chinese(
    kind: type[CounterfoilError],
) -> None:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).upper()

    assert kind.reason == name
    assert re.search(r"[\u4e00-\u9fff]", kind.zh)
    assert kind.__doc__


def test_no_two_reasons_say_the_same_in_chinese() -> None:
    texts = [kind.zh for kind in PRODUCT]

    assert len(set(texts)) == len(texts)


def test_only_what_may_be_tried_again_is_unavailable() -> None:
    again = {kind.reason for kind in PRODUCT if issubclass(kind, Unavailable)}

    assert again == {
        reason
        for reason, status in STATUSES.items()
        if status in {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}
    }
    assert not any(
        issubclass(kind, Refused) for kind in PRODUCT if kind.reason in again
    )


@pytest.mark.parametrize("kind", PRODUCT, ids=lambda kind: kind.reason)
def test_the_contract_names_every_reason_that_a_partner_may_meet(
    kind: type[CounterfoilError],
) -> None:
    inside = {
        # Told to operators, never to a partner.
        "HEAD_FORKED",
        "PEER_FORKED",
        "PEER_UNREACHABLE",
        "VAULT_CORRUPT",
    }
    contract = "".join(
        path.read_text("utf-8") for path in (ROOT / "proto").rglob("*.proto")
    )

    assert f"`{kind.reason}`" in contract or kind.reason in inside


def test_a_refusal_comes_whole_out_of_another_process() -> None:
    violation = Violation(path="rows[0].id", rule="r", text="bad", text_zh="错")
    refusal = FormRefused("the form is wrong", [violation], seat="2")

    revived = pickle.loads(pickle.dumps(refusal))  # noqa: S301 -- our own bytes

    assert type(revived) is FormRefused
    assert str(revived) == "the form is wrong"
    assert revived.violations == (violation,)
    assert revived.facts == {"seat": "2"}


def test_a_fact_may_bear_any_name() -> None:
    # A peer chooses the names of its facts; none may clash with ours.
    facts = {"message": "a", "violations": "b", "self": "c", "check": "d"}

    refusal = SealForged("forged", (), **facts)
    revived = pickle.loads(pickle.dumps(refusal))  # noqa: S301 -- our own bytes

    assert refusal.facts == revived.facts == facts
    assert str(revived) == "forged"
