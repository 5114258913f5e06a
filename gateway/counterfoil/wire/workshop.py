"""What a worker process does with a batch: check, compose, seal.

A workshop is made once per process from frozen material and then works on whole
batches, bytes in and plain values out. One bad item is refused alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from counterfoil.domain.catalogue import (
    DocumentKind,
    SealedBy,
    SealPlan,
    SealPosition,
)
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, Unsealed
from counterfoil.domain.refusals import (
    CounterfoilError,
    MalformedPayload,
    NotTheIssuer,
    SealForged,
    SealMissing,
)
from counterfoil.domain.seals import Seal, check_plan, next_position
from counterfoil.domain.value import value
from counterfoil.seal.certificates import certificate_bag
from counterfoil.seal.sign import Sealer, SealOrder
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.verify import Court, SealedDocument, verify_seals
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.compose import compose_draft, compose_receipt, compose_step
from counterfoil.wire.documents import Facts, document_of, read_payload
from counterfoil.wire.sealed import close_sealed, open_sealed
from counterfoil.wire.seals import (
    parse_statement,
    seal_from_bytes,
)

Item = TypeVar("Item")

Made = TypeVar("Made")


@value
class _Bare:
    """A checked payload of ours that waits for the institution's seals."""

    kind: DocumentKind
    payload: bytes
    digest: bytes
    seals: tuple[Seal, ...]
    facts: Facts


@dataclass(slots=True, kw_only=True)
class Workshop:
    """Checks and seals batches in one process; owned by one thread.

    Attributes:
        trust: Judges certificates.
        sealers: The institution seals of the parties hosted here, by party.
        in_batches: Whether vouchers of one batch share one signature.
    """

    trust: TrustStore
    sealers: Mapping[str, Sealer]
    in_batches: bool = False

    def examine(
        self, documents: Sequence[bytes], certificates: Sequence[bytes], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Verify, then parse, a peer's documents."""
        court = self._court(certificates, at_us)
        return _each(lambda sealed: self._examine(sealed, court), documents)

    def _examine(self, sealed: bytes, court: Court) -> Document:
        """Return a document that holds.

        The checks, in order:

        1. The envelope can be taken apart; nothing of the payload is read yet.
        2. Every seal holds (`verify_seals`, ten checks).
        3. Only now the payload is parsed, and every rule of form is checked.
        4. The seals fill the plan of its kind and type, by the right signers.
        5. An enclosure is the sealed original that the document names.
        """
        # (1) No field of the payload is looked at.
        opened = open_sealed(sealed)
        # (2) Verify, then parse.
        verified = verify_seals(
            SealedDocument(
                kind=opened.kind, payload_digest=opened.digest, seals=opened.seals
            ),
            court,
        )
        # (3) By every rule that its issuer's gateway had to keep too.
        facts = read_payload(opened.kind, opened.payload)
        # (4) What the payload says decides whose seals are due.
        plan = _plan(opened.kind, facts)
        check_plan(plan, verified.statements, verified.sealings, issuer=facts.by)
        signers = [statement.certificate_digest for statement in verified.statements]
        # (5) Judged like a document that arrives, and never acted on.
        for enclosure in opened.enclosures:
            original = open_sealed(enclosure)
            # Before it is examined: a voucher, which is about no other, encloses
            # nothing, so enclosures never stand inside enclosures.
            if (original.kind, original.digest) != (
                DocumentKind.VOUCHER,
                facts.subject,
            ):
                raise MalformedPayload(
                    "an enclosure is not the original", field="enclosures"
                )
            signers += self._examine(enclosure, court).signers
        return document_of(
            opened.kind, sealed, opened.digest, facts, tuple(dict.fromkeys(signers))
        )

    def compose(
        self, drafts: Sequence[bytes], desk: str
    ) -> list[DraftRow | CounterfoilError]:
        """Check drafts and encode the vouchers."""
        return _each(lambda draft: compose_draft(draft, desk=desk)[0], drafts)

    def review(
        self,
        reviews: Sequence[tuple[DraftRow, bytes]],
        certificates: Sequence[bytes],
        signer: bytes,
        at_us: int,
    ) -> list[CounterfoilError | None]:
        """Judge personal seals that are to go on top of drafts."""
        court = self._court(certificates, at_us)
        return _each(lambda pair: _judge_review(*pair, signer, court), reviews)

    def seal(
        self, drafts: Sequence[Unsealed], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Put the institution's seals on vouchers whose reviews are complete."""

        def bare(draft: Unsealed) -> _Bare:
            facts = read_payload(DocumentKind.VOUCHER, draft.payload)
            return _bare(DocumentKind.VOUCHER, draft.payload, facts, draft.seals)

        return self._finish(_each(bare, drafts), at_us)

    def submit(
        self, drafts: Sequence[bytes], desk: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Compose and seal in one go."""

        def bare(draft: bytes) -> _Bare:
            row, facts = compose_draft(draft, desk=desk)
            return _bare(DocumentKind.VOUCHER, row.payload, facts, (), row.digest)

        return self._finish(_each(bare, drafts), at_us)

    def steps(
        self, steps: Sequence[StepText], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Encode and seal steps."""

        def bare(step: StepText) -> _Bare:
            payload, facts = compose_step(step)
            return _bare(step.kind, payload, facts)

        return self._finish(_each(bare, steps), at_us)

    def receipts(
        self, receipts: Sequence[ReceiptText], by: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Check, encode and seal receipts."""

        def bare(text: ReceiptText) -> _Bare:
            payload, facts = compose_receipt(text, by=by)
            return _bare(DocumentKind.RECEIPT, payload, facts)

        return self._finish(_each(bare, receipts), at_us)

    def _court(self, certificates: Sequence[bytes], at_us: int) -> Court:
        return Court(
            trust=self.trust,
            parse=parse_statement,
            at_us=at_us,
            bag=certificate_bag(certificates),
        )

    def _finish(
        self, bares: Sequence[_Bare | CounterfoilError], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Put every institution seal that is due, and close the documents."""
        finished: list[Document | CounterfoilError] = list(bares)  # type: ignore[arg-type]
        groups: dict[tuple[str, str], list[int]] = {}
        for index, bare in enumerate(bares):
            if isinstance(bare, CounterfoilError):
                continue
            try:
                position = _due(bare)
            except CounterfoilError as refusal:
                finished[index] = refusal
                continue
            if bare.facts.by not in self.sealers:
                finished[index] = NotTheIssuer(
                    f"no seal of {bare.facts.by} is kept here", by=bare.facts.by
                )
                continue
            groups.setdefault((bare.facts.by, position.id), []).append(index)
        for (party, _), indexes in groups.items():
            members = [bare for i in indexes if isinstance(bare := bares[i], _Bare)]
            seals = self._seal_all(party, members, at_us)
            for index, bare, seal in zip(indexes, members, seals, strict=True):
                finished[index] = _close(bare, seal)
        return finished

    def _seal_all(self, party: str, bares: Sequence[_Bare], at_us: int) -> list[Seal]:
        sealer = self.sealers[party]
        orders = []
        for bare in bares:
            position = _due(bare)
            orders.append(
                SealOrder(
                    document_kind=bare.kind,
                    payload_digest=bare.digest,
                    position=position.id,
                    purpose=position.purpose,
                    beneath=bare.seals,
                )
            )
        if self.in_batches and len(orders) > 1:
            return sealer.seal_batch(orders, stated_time_us=at_us)
        return sealer.seal_each(orders, stated_time_us=at_us)


def _each(
    make: Callable[[Item], Made], items: Sequence[Item]
) -> list[Made | CounterfoilError]:
    """Apply `make` to each item; a refusal takes the place of what it refuses."""
    outcomes: list[Made | CounterfoilError] = []
    for item in items:
        try:
            outcomes.append(make(item))
        except CounterfoilError as refusal:
            # Its traceback would keep the whole batch alive.
            outcomes.append(refusal.with_traceback(None))
    return outcomes


def _judge_review(row: DraftRow, seal: bytes, signer: bytes, court: Court) -> None:
    """Check a personal seal in the place where it is to stand.

    1. A position is due, and the seal is for it.
    2. The seals on the draft, this one on top, hold.
    3. It is the seal of the person who calls, of this party, in this position.
    4. No two personal seals are by one person.
    """
    seals = (*(seal_from_bytes(one) for one in row.seals), seal_from_bytes(seal))
    # (1) Raises if the plan is full.
    plan = CATALOGUE.row(row.key.type_code).plan
    next_position(plan, len(row.seals))
    # (2) Also those beneath: they were judged when they came, at another time.
    verified = verify_seals(
        SealedDocument(
            kind=DocumentKind.VOUCHER, payload_digest=row.digest, seals=seals
        ),
        court,
    )
    # (3) A person can only ever bring a seal of their own.
    if verified.sealings[-1].certificate_digest != signer:
        raise SealForged("the seal is another person's than the caller", check="caller")
    # (1), (3) and (4) as far as the plan is filled now.
    check_plan(
        SealPlan(plan.positions[: len(seals)]),
        verified.statements,
        verified.sealings,
        issuer=row.party,
    )


def _plan(kind: DocumentKind, facts: Facts) -> SealPlan:
    if facts.key.type_code not in CATALOGUE.rows:
        raise MalformedPayload("the catalogue has no such type", field="key.type")
    return CATALOGUE.plan_for(kind, facts.key.type_code)


def _bare(
    kind: DocumentKind,
    payload: bytes,
    facts: Facts,
    seals: Sequence[bytes] = (),
    digest: bytes = b"",
) -> _Bare:
    return _Bare(
        kind=kind,
        payload=payload,
        digest=digest or sha256(payload).digest(),
        seals=tuple(seal_from_bytes(seal) for seal in seals),
        facts=facts,
    )


def _due(bare: _Bare) -> SealPosition:
    """Return the one position that is left for the institution.

    The personal seals beneath were judged when they were put there; a recipient
    judges them all again.

    Raises:
        SealMissing: A person's seal is missing, or nothing is left to seal.
    """
    plan = _plan(bare.kind, bare.facts)
    position = next_position(plan, len(bare.seals))
    if position.by is SealedBy.PERSON or len(plan.positions) != len(bare.seals) + 1:
        msg = f"position {position.id} has to be sealed by a person first"
        raise SealMissing(
            msg,
            position=position.id,
        )
    return position


def _close(bare: _Bare, seal: Seal) -> Document:
    sealed = close_sealed(bare.kind, bare.payload, (*bare.seals, seal))
    return document_of(bare.kind, sealed, bare.digest, bare.facts)
