"""The people at the desk: one system that writes, two persons who review.

What a person signs is the payload that the gateway encoded. Before anybody signs
it, it is compared with our own record of what was handed over: two readers have to
agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from counterfoil.office import (
    Desk,
    DeskRefused,
    Done,
    Draft,
    KeptDraft,
    Outcome,
    Person,
    PlanPosition,
    Seal,
    Voucher,
    VoucherKey,
    opened_payload,
    plan_of,
    seal_voucher,
)

MISREAD: Final = "MISREAD"
"""Reason when the gateway read a draft otherwise than we did."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person with the own desk and the own key.

    Attributes:
        desk: The desk, opened with the person's certificate.
        person: The certificate and key that the person seals by.
    """

    desk: Desk
    person: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document on its way to the desk.

    Attributes:
        name: What our own books call it: the file that it comes from, say.
        draft: What is handed over.
        amount_fen: Main amount by our own record; None if we cannot read it.
        count: Rows by our own record.
    """

    name: str
    draft: Draft
    amount_fen: int | None
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A paper that is on the workbench.

    Attributes:
        paper: The paper.
        digest: The draft's digest.
        key: The voucher's name in the books.
        payload: What persons sign.
        seals: How many seals were on the draft when it was written.
    """

    paper: Paper
    digest: bytes
    key: VoucherKey
    payload: bytes = field(repr=False)
    seals: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A paper that the gateway or our own check would not take.

    Attributes:
        paper: The paper.
        refusal: Why.
    """

    paper: Paper
    refusal: DeskRefused


class Clerks:
    """Writes, reviews, seals and withdraws.

    Args:
        system: The desk of the business system.
        reviewers: The persons, in the order of the plans' personal positions.
        clock: Says the time that seals state.
    """

    def __init__(
        self, system: Desk, reviewers: Sequence[Reviewer], clock: Clock
    ) -> None:
        self._system = system
        self._reviewers = tuple(reviewers)
        self._clock = clock

    def write(self, papers: Sequence[Paper]) -> list[Drafted | Refused]:
        """Have papers checked and put on the workbench."""
        answers = self._system.write(paper.draft for paper in papers)
        outcomes: list[Drafted | Refused] = []
        for paper, answer in zip(papers, answers, strict=True):
            if isinstance(answer, DeskRefused):
                outcomes.append(Refused(paper, answer))
                continue
            key = _agreed_key(paper, answer.payload)
            if key is None:
                outcomes.append(Refused(paper, _misread()))
                continue
            drafted = Drafted(
                paper=paper,
                digest=answer.done.digest,
                key=key,
                payload=answer.payload,
                seals=answer.done.seals,
            )
            outcomes.append(drafted)
        return outcomes

    def review(self, drafts: Sequence[Drafted]) -> list[DeskRefused | None]:
        """Have both persons sign; return for each draft why it could not be.

        A draft that carries seals from an attempt before is cleared first: the
        second person pins the first person's very statement, which is lost.
        """
        refusals = [self._cleared(draft) for draft in drafts]
        beneath: list[tuple[Seal, ...]] = [()] * len(drafts)
        for turn, reviewer in enumerate(self._reviewers):
            due = [
                (index, _position(draft, turn))
                for index, draft in enumerate(drafts)
                if refusals[index] is None
            ]
            seals = [
                seal_voucher(
                    drafts[index].payload,
                    position,
                    reviewer.person,
                    stated_time=self._clock(),
                    beneath=beneath[index],
                )
                for index, position in due
            ]
            answers = reviewer.desk.review(
                (
                    (drafts[index].digest, seal)
                    for (index, _), seal in zip(due, seals, strict=True)
                ),
                # It may be another one than the desk was opened with.
                certificates=[reviewer.person.certificate],
            )
            for (index, _), seal, answer in zip(due, seals, answers, strict=True):
                beneath[index] = (*beneath[index], seal)
                if isinstance(answer, DeskRefused):
                    refusals[index] = answer
        return refusals

    def _cleared(self, draft: Drafted) -> DeskRefused | None:
        """Withdraw what seals a draft carries; return why that could not be."""
        try:
            self.withdraw(draft, draft.seals)
        except DeskRefused as refusal:
            return refusal
        return None

    def seal(self, digests: Sequence[bytes], *, send: bool) -> list[Outcome]:
        """Put the institution's seal; with `send`, send."""
        return self._system.seal(digests, send=send)

    def withdraw(self, draft: Drafted, seals: int) -> None:
        """Withdraw the topmost `seals` seals, one by one (撤销签章).

        Raises:
            DeskRefused: One of them cannot be withdrawn.
        """
        positions = plan_of(draft.key.type_code)[:seals]
        for position in reversed(positions):
            [outcome] = self._system.cancel_seal([(draft.digest, position.id)])
            if not isinstance(outcome, Done):
                raise outcome


def _position(draft: Drafted, turn: int) -> PlanPosition:
    return plan_of(draft.key.type_code)[turn]


def _agreed_key(paper: Paper, payload: bytes) -> VoucherKey | None:
    """Return the name of a voucher that the gateway read as our own record has it.

    A typed draft says all of it; of a national one we know the amount and the rows.
    None: it read something else.
    """
    draft = paper.draft
    if isinstance(draft, KeptDraft):
        same = payload == draft.payload or (
            opened_payload(payload) == opened_payload(draft.payload)
        )
        return draft.key if same else None
    voucher = opened_payload(payload)
    if isinstance(draft, Voucher):
        same = voucher == draft
    else:
        form = voucher.form
        said = form.fen("pay_amt_fen"), len(form.rows)
        same = said == (paper.amount_fen, paper.count)
    return voucher.key if same else None


def _misread() -> DeskRefused:
    return DeskRefused(
        MISREAD,
        "the payload does not say what our own record says",
        text_zh="网关读取的凭证与本系统记录不一致",
    )
