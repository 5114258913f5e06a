"""Every way a call to the own gateway can fail, sorted by who must act next.

OfficeError
├── DeskRefused            the gateway answered no; `reason` says why
│   ├── Malformed              what was handed over does not say what it claims
│   ├── Forbidden              the caller may not do this
│   ├── Conflict               it contradicts what the vault holds
│   ├── OutOfTurn              the voucher's state does not allow it
│   ├── NotFound               there is no such thing
│   ├── Busy                   nothing was changed; try again later
│   └── Corrupt                an operator of the gateway must look
├── KeyAway                the person's token cannot be used; nothing was signed
├── Unreachable            no answer in the time we were given
└── Defect                 the gateway or the line broke the contract

A refusal of one item of a batch is *returned* in that item's place; a refusal of
the whole call is raised. Both are the same classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import grpc
from google.rpc import error_details_pb2, status_pb2

from counterfoil.sealed.v1 import sealed_pb2

DOMAIN: Final = "counterfoil"
"""`ErrorInfo.domain` of every refusal."""
_DETAILS: Final = "grpc-status-details-bin"
_CHINESE: Final = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One field that breaks a rule.

    Attributes:
        field: Path from the form, e.g. `rows[3].payee_acct_name`.
        rule: Stable id of the rule.
        text: What is wrong, in English.
        text_zh: The same in Chinese.
    """

    field: str
    rule: str
    text: str
    text_zh: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text_zh or self.text}"


class OfficeError(Exception):
    """Base of everything that the office raises about a call."""


class KeyAway(OfficeError):
    """The caller's key is in a token that cannot be used now; nothing was signed."""


class Unreachable(OfficeError):
    """The gateway gave no answer, or none that tells whether it acted."""


class Defect(OfficeError):
    """The answer is none that the contract knows."""


class DeskRefused(OfficeError):
    """The gateway refused, and changed nothing.

    Attributes:
        reason: Stable name, e.g. `VOUCHER_KEY_REUSED`.
        text: What is wrong, in English, for engineers.
        text_zh: The same in Chinese, for the people who act on it.
        facts: Details by stable names.
        violations: The fields at fault, if fields are at fault.
        retryable: Whether the same bytes may be sent again later.
    """

    def __init__(  # noqa: PLR0913 -- the parts of a refusal, as the contract has them
        self,
        reason: str,
        text: str,
        *,
        text_zh: str = "",
        facts: Mapping[str, str] | None = None,
        violations: Iterable[Violation] = (),
        retryable: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.text = text
        self.text_zh = text_zh
        self.facts = dict(facts or {})
        self.violations = tuple(violations)
        self.retryable = retryable

    def explanation(self) -> str:
        """Return what a clerk reads: the Chinese text and the fields at fault."""
        parts = [self.text_zh or self.text, *(str(one) for one in self.violations)]
        return "；".join(parts)


class Malformed(DeskRefused):
    """What was handed over does not say what it claims."""


class Forbidden(DeskRefused):
    """The caller may not do this."""


class Conflict(DeskRefused):
    """It contradicts what the vault holds."""


class OutOfTurn(DeskRefused):
    """The voucher's state does not allow it."""


class NotFound(DeskRefused):
    """There is no such thing here."""


class Busy(DeskRefused):
    """Nothing was changed; the same call may be tried again later."""


class Corrupt(DeskRefused):
    """What is stored is not what was stored; an operator must look."""


FAMILIES: Final[Mapping[type[DeskRefused], frozenset[str]]] = {
    Malformed: frozenset(
        {"MALFORMED_PAYLOAD", "FORM_REFUSED", "BATCH_TOO_LARGE", "PAGE_TOKEN_REFUSED"}
    ),
    Forbidden: frozenset(
        {"CALLER_UNKNOWN", "CALLER_REVOKED", "POST_REFUSED", "DIRECTION_REFUSED"}
        | {"NOT_THE_ISSUER", "NOT_A_RECIPIENT", "SEAL_FORGED", "SEAL_MISSING"}
        | {"AGREEMENT_MISSING", "FILING_MISSING", "OUTSIDE_FILING", "PARTY_DISMISSED"}
        | {"CERTIFICATE_LOST", "CERTIFICATE_NOT_ACTIVE"}
        | {"SIGNERS_REFUSED", "OWN_POST", "MATTER_FOREIGN", "AUDIT_CHECK_REFUSED"}
        | {"EARLIER_PROOF_REFUSED"}
    ),
    Conflict: frozenset(
        {"VOUCHER_KEY_REUSED", "RECEIPT_EXISTS", "POSITION_FILLED", "SAME_PERSON"}
        | {"REFERENCE_TAKEN", "REFERENCE_DIFFERS", "REFERENCE_EXCEEDED"}
        | {"REGISTRATION_NUMBER_REUSED", "ALREADY_REGISTERED", "POSTS_INCOMPATIBLE"}
        | {"TREES_DIFFER"}
        | {"IDENTITY_AMBIGUOUS", "PARTY_CONTRADICTED"}
    ),
    OutOfTurn: frozenset(
        {"NOT_IN_STATE", "ACTING_BEGUN", "ISSUE_OUT_OF_ORDER"}
        | {"WITHDRAWAL_OUT_OF_ORDER", "REFERENCE_MISSING"}
        | {"REFERENCE_VOID", "REFERENCE_UNSETTLED"}
        | {"AGREEMENT_SUSPENDED", "NOT_FOUNDED", "CERTIFICATES_MISSING"}
        | {"PARTIES_MISSING", "PARTIES_REMAIN"}
    ),
    NotFound: frozenset(
        {"VOUCHER_NOT_FOUND", "DRAFT_NOT_FOUND", "PARTY_UNKNOWN", "LEAF_NOT_FOUND"}
        | {"NOT_REGISTERED", "TREE_MISSING"}
    ),
    Busy: frozenset(
        {"SEAL_UNDETERMINED", "VAULT_STOPPED", "VAULT_BUSY", "PEER_UNREACHABLE"}
        | {"SEAL_KEY_UNAVAILABLE", "SIGNER_UNLISTED", "EARLIER_PROOF_DUE"}
        | {"VAULT_FULL", "WORKBENCH_UNAVAILABLE", "LEDGER_UNAVAILABLE"}
    ),
    Corrupt: frozenset({"VAULT_CORRUPT", "HEAD_FORKED", "PEER_FORKED"}),
}
"""Which reasons belong to which class; a reason not listed is a plain refusal."""

_CLASS_OF: Final = {
    reason: family for family, reasons in FAMILIES.items() for reason in reasons
}


def class_of(reason: str) -> type[DeskRefused]:
    """Return the class of a reason; the base for one this version does not know."""
    return _CLASS_OF.get(reason, DeskRefused)


def from_refusal(refusal: sealed_pb2.Refusal) -> DeskRefused:
    """Return the error for an item that was refused inside a batch."""
    return class_of(refusal.reason)(
        refusal.reason,
        refusal.text,
        text_zh=refusal.text_zh,
        facts=dict(refusal.facts),
        violations=[
            Violation(
                field=one.field, rule=one.rule, text=one.text, text_zh=one.text_zh
            )
            for one in refusal.violations
        ],
        retryable=refusal.retryable,
    )


def is_overwritten(error: grpc.aio.AioRpcError) -> bool:
    """Tell whether grpcio put its own status in the place of the gateway's.

    It does when the call ends while a request of a stream is being written: what the
    gateway said is lost, and only a further try can tell it.
    """
    return (
        error.code() is grpc.StatusCode.INTERNAL
        and error.details() == "Internal error from Core"
    )


def from_call(error: grpc.aio.AioRpcError) -> OfficeError:
    """Return the error for a call that failed as a whole."""
    status = _status_of(error)
    if status is not None:
        refused = _from_status(status)
        if refused is not None:
            return refused
    code = error.code()
    text = f"{code.name}: {error.details()}"
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
        return Unreachable(text)
    if is_overwritten(error):
        return Unreachable("the call ended while a request was written")
    return Defect(text)


def _status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    """Return the `google.rpc.Status` of a failed call, if it carries one."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return None


def _from_status(status: status_pb2.Status) -> DeskRefused | None:
    """Return the refusal that a status carries; None if it is not one of ours."""
    cause = error_details_pb2.ErrorInfo()
    fields = error_details_pb2.BadRequest()
    localised = error_details_pb2.LocalizedMessage()
    text_zh = ""
    for detail in status.details:
        if detail.Is(cause.DESCRIPTOR):
            detail.Unpack(cause)
        elif detail.Is(fields.DESCRIPTOR):
            detail.Unpack(fields)
        elif detail.Is(localised.DESCRIPTOR):
            detail.Unpack(localised)
            if localised.locale.lower().startswith(_CHINESE):
                text_zh = localised.message
    if cause.domain != DOMAIN or not cause.reason:
        return None
    kind = class_of(cause.reason)
    return kind(
        cause.reason,
        status.message,
        text_zh=text_zh,
        facts=dict(cause.metadata),
        violations=[
            Violation(
                field=one.field,
                rule=one.reason,
                text=one.description,
                text_zh=one.localized_message.message,
            )
            for one in fields.field_violations
        ],
        retryable=kind is Busy,
    )
