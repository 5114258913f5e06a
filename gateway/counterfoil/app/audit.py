"""The security officer asks, and that he asked stands in the log first (安全检查)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.app.audit_rows import Answer, FindRows
from counterfoil.app.ports import Clock
from counterfoil.app.register import EnterRegistrations
from counterfoil.domain.audit import AuditQuery
from counterfoil.domain.document import Document
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.register_refusals import AuditCheckRefused
from counterfoil.domain.registration import AuditCheck
from counterfoil.domain.registry import Caller

CHECK_S_MAX: Final = 900
"""For so long, in seconds, a check may be sent again for the next page."""

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAudit:
    """Records a check and answers what it asks.

    Attributes:
        enter: Enters the check.
        clock: Our clock.
        rows: Finds what is asked for.
    """

    enter: EnterRegistrations
    clock: Clock
    rows: FindRows

    async def __call__(
        self,
        check: bytes,
        certificates: Sequence[bytes],
        *,
        from_leaf: int,
        caller: Caller,
    ) -> Answer:
        """Take a check into the log, and answer it once it is durable.

        The steps, in order:

        1. The check's seal holds, and it is a check that asks something.
        2. Who signed it is who calls.
        3. It stands in the log, now or since at most `CHECK_S_MAX`.
        4. Acts and registrations are those before the check's own leaf, so that
           the same check never tells of what came later.

        Args:
            check: The encoded `Sealed` registration.
            certificates: Certificates in DER that its seal names.
            from_leaf: Where to go on, as the answer before said.
            caller: Who asks.

        Raises:
            AuditCheckRefused: A step of 1 to 3 fails.
            CounterfoilError: The registration is refused; nothing is answered.
        """
        now_us = self.clock.now_us()
        # (1) Before it is entered: whatever asks nothing is none of ours.
        (document,) = await self.enter.works.examine(
            [check], certificates, at_us=now_us
        )
        query = _query_of(document, caller)
        # (3) What is known stands under its first leaf.
        ((_, outcome),) = await self.enter([check], certificates)
        if isinstance(outcome, CounterfoilError):
            raise outcome
        if now_us - outcome.time_us > CHECK_S_MAX * _US:
            raise AuditCheckRefused(
                f"the check is older than {CHECK_S_MAX} seconds; sign another one",
                check="age",
            )
        return self.rows(query, outcome, from_leaf)


def _query_of(document: Document | CounterfoilError, caller: Caller) -> AuditQuery:
    """Return what a verified check asks.

    Raises:
        AuditCheckRefused: It asks nothing, or is not the caller's.
        CounterfoilError: Its seal does not hold.
    """
    if isinstance(document, CounterfoilError):
        raise document
    said = document.registration
    matter = said.matter if said is not None else None
    if said is None or not isinstance(matter, AuditCheck) or matter.query is None:
        raise AuditCheckRefused("the check asks nothing", check="query")
    # (2) Nobody asks in the name of another.
    if said.signers != (caller.identity,):
        raise AuditCheckRefused("the check is not signed by its caller", check="signer")
    return matter.query
