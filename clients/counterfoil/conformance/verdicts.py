"""How a check ends."""

from __future__ import annotations

from enum import Enum


class CheckFailed(Exception):
    """The gateway does not do what the contract says; the text tells what it did."""


class NotApplicable(Exception):
    """The file of the gateway under test names nothing that the check could use."""


class Verdict(Enum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


def require(holds: object, otherwise: str) -> None:
    """Fail the check unless something holds.

    Raises:
        CheckFailed: It does not; `otherwise` says what was seen instead.
    """
    if not holds:
        raise CheckFailed(otherwise)
