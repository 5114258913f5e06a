"""The way out: from file through two reviews and the seal into the lane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import select

from counterfoil.business.clerks import Clerks, Drafted, Paper, Refused
from counterfoil.business.outcomes import Tell
from counterfoil.business.rows import put
from counterfoil.finance.books import Books, Order, RefusedFile, State
from counterfoil.finance.files import (
    FileUnreadable,
    NationalFile,
    names_in,
    read_file,
)
from counterfoil.office import (
    Desk,
    DeskRefused,
    Done,
    NationalDraft,
    Reason,
    Reference,
    plan_of,
)

BATCH_FILES: Final = 256
"""Files that go through the desk together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is to happen to single vouchers, by number.

    Attributes:
        discard: Sealed, then withdrawn before it is sent (作废).
        correct: Sealed, then its seals are withdrawn and the corrected file of
            the same name goes instead (撤章改正).
    """

    discard: frozenset[str] = frozenset()
    correct: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Takes files to the desk.

    Attributes:
        clerks: Who writes, reviews and seals.
        system: The desk of the business system.
        books: Our books.
        banks: Party codes by `PayBankCode`; the entry `default` for the rest.
        folder: Where the files are.
        corrections: Where a corrected file is looked for first.
        tell: Is told how far we are.
        wishes: What is to happen to single vouchers.
    """

    clerks: Clerks
    system: Desk
    books: Books
    banks: Mapping[str, str]
    folder: Path
    corrections: Path
    tell: Tell
    wishes: Wishes = field(default_factory=Wishes)

    def issue_folder(self) -> None:
        """Issue every file of the folder that our books do not know as sent."""
        names = names_in(self.folder)
        while batch := list(islice(names, BATCH_FILES)):
            due = self.books.due_among(batch)
            self.issue([self._paper(self.folder / name) for name in due])

    def issue(self, papers: Sequence[Paper]) -> None:
        """Write, review, seal and send; what is refused is noted and told."""
        drafts = self._reviewed(papers)
        special = self.wishes.discard | self.wishes.correct
        plain = [one for one in drafts if one.key.number not in special]
        self._seal_and_send(plain)
        for draft in drafts:
            if draft.key.number in self.wishes.discard:
                self._discard(draft)
            elif draft.key.number in self.wishes.correct:
                self._correct(draft)

    def reissue(self, returned: Order) -> None:
        """Issue a returned voucher again under the next issue of its number.

        The corrected file goes, if there is one; else the same content. Nobody
        alters the voucher that came back.
        """
        paper = self._paper(
            self._corrected(returned.file),
            issue=returned.issue + 1,
            replaces=returned.digest,
        )
        self._seal_and_send(self._reviewed([paper]))
        self.tell("reissued", 1)

    def _corrected(self, name: str) -> Path:
        """Return the corrected file of that name; the file itself without one."""
        corrected = self.corrections / name
        return corrected if corrected.exists() else self.folder / name

    def _paper(self, path: Path, *, issue: int = 1, replaces: bytes = b"") -> Paper:
        """Return a file as it is handed over; the gateway judges broken ones."""
        ours: NationalFile | None
        try:
            ours = read_file(path)
            content, bank = ours.content, ours.pay_bank_code
        except FileUnreadable:
            ours, content, bank = None, path.read_bytes(), ""
        recipient = self.banks.get(bank) or self.banks["default"]
        return Paper(
            name=path.name,
            draft=NationalDraft(
                document=content,
                recipients=(recipient,),
                issue=issue,
                replaces=replaces,
            ),
            amount_fen=ours.amount_fen if ours else None,
            count=ours.count if ours else 0,
        )

    def _reviewed(self, papers: Sequence[Paper]) -> list[Drafted]:
        """Write papers and have them signed by two persons."""
        drafts: list[Drafted] = []
        for outcome in self.clerks.write(papers):
            if isinstance(outcome, Refused):
                self._note_refused(outcome.paper.name, outcome.refusal)
            else:
                drafts.append(outcome)
        # Before it is sent: a receipt may be back before `send` has answered.
        self._note_written(drafts)
        refusals = self.clerks.review(drafts)
        for draft, refusal in zip(drafts, refusals, strict=True):
            if refusal is not None:
                self._note_refused(draft.paper.name, refusal)
        return [
            draft
            for draft, refusal in zip(drafts, refusals, strict=True)
            if refusal is None
        ]

    def _seal_and_send(self, drafts: Sequence[Drafted]) -> None:
        outcomes = self.clerks.seal([one.digest for one in drafts], send=True)
        sent = [
            draft.digest
            for draft, outcome in zip(drafts, outcomes, strict=True)
            if isinstance(outcome, Done)
        ]
        for draft, outcome in zip(drafts, outcomes, strict=True):
            if isinstance(outcome, DeskRefused):
                self._note_refused(draft.paper.name, outcome)
        with self.books.writing() as session:
            written = select(Order).where(
                Order.digest.in_(sent), Order.state == State.WRITTEN
            )
            for order in session.scalars(written):
                order.state = State.SENT
        if sent:
            self.tell("sent", len(sent))

    def _discard(self, draft: Drafted) -> None:
        """Seal a voucher and withdraw it before it is sent."""
        [sealed] = self.clerks.seal([draft.digest], send=False)
        must_be_done(sealed)
        reference = Reference(draft.key, draft.digest)
        [outcome] = self.system.discard([Reason(reference, "重复编制，发送前作废")])
        must_be_done(outcome)
        with self.books.writing() as session:
            session.get_one(Order, draft.digest).state = State.DISCARDED
        self.tell("discarded", 1)

    def _correct(self, draft: Drafted) -> None:
        """Seal a voucher, withdraw all its seals, and let the corrected file go."""
        [sealed] = self.clerks.seal([draft.digest], send=False)
        must_be_done(sealed)
        self.clerks.withdraw(draft, len(plan_of(draft.key.type_code)))
        with self.books.writing() as session:
            session.delete(session.get_one(Order, draft.digest))
        paper = self._paper(self._corrected(draft.paper.name))
        self._seal_and_send(self._reviewed([paper]))
        self.tell("corrected", 1)

    def _note_written(self, drafts: Iterable[Drafted]) -> None:
        by_digest = {one.digest: one for one in drafts}
        with self.books.writing() as session:
            known = select(Order.digest).where(Order.digest.in_(by_digest))
            new = by_digest.keys() - set(session.scalars(known))
            put(session, [_order_of(by_digest[one]) for one in new])

    def _note_refused(self, name: str, refusal: DeskRefused) -> None:
        with self.books.writing() as session:
            session.merge(
                RefusedFile(
                    file=name, reason=refusal.reason, explanation=refusal.explanation()
                )
            )
        self.tell("refused", 1)


def _order_of(draft: Drafted) -> Order:
    """Return what our books say of a draft that the gateway has written."""
    key, handed_over = draft.key, draft.paper.draft
    assert isinstance(handed_over, NationalDraft), "a folder holds national documents"
    return Order(
        digest=draft.digest,
        file=draft.paper.name,
        type_code=key.type_code,
        number=key.number,
        issue=key.issue,
        fiscal_year=key.fiscal_year,
        recipient=handed_over.recipients[0],
        amount_fen=draft.paper.amount_fen,
        count=draft.paper.count,
        state=State.WRITTEN,
        payload=draft.payload,
    )


def must_be_done(outcome: Done | DeskRefused) -> Done:
    """Return an outcome that our own flow relies on.

    Raises:
        DeskRefused: It was refused.
    """
    if isinstance(outcome, DeskRefused):
        raise outcome
    return outcome
