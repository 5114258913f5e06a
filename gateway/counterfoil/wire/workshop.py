"""What a worker process does with a batch: check, compose, seal.

A workshop is made once per process from frozen material and then works on whole
batches, bytes in and plain values out. One bad item is refused alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Final, TypeVar

from counterfoil.domain.catalogue import (
    DocumentKind,
    SealedBy,
    SealPlan,
    SealPosition,
)
from counterfoil.domain.document import Document
from counterfoil.domain.drafts import (
    DraftRow,
    DraftSeals,
    ReceiptText,
    StepText,
    Unsealed,
)
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import (
    CounterfoilError,
    MalformedPayload,
    NotTheIssuer,
    SealMissing,
)
from counterfoil.domain.seals import Seal, check_plan, next_position
from counterfoil.domain.value import maker, value
from counterfoil.seal.certificates import certificate_bag
from counterfoil.seal.sign import Sealer, make_seal_order
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.verify import (
    Court,
    make_sealed_document,
    verify_seals,
)
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.compose import compose_draft, compose_receipt, compose_step
from counterfoil.wire.days import check_day
from counterfoil.wire.documents import Facts, document_of, read_payload
from counterfoil.wire.national_out import national_document
from counterfoil.wire.registrations import registration_document
from counterfoil.wire.review import judge_review
from counterfoil.wire.sealed import close_sealed, open_sealed
from counterfoil.wire.seals import (
    parse_statement,
    seal_from_bytes,
)

Item = TypeVar("Item")

Made = TypeVar("Made")

CHECKED_MAX: Final = 4_096
"""Checked vouchers remembered; when there are more, all are checked again."""


@value
class _Bare:
    """A checked payload of ours that waits for the institution's seals."""

    kind: DocumentKind
    payload: bytes
    digest: bytes
    seals: tuple[Seal, ...]
    facts: Facts
    enclosures: tuple[bytes, ...] = ()
    sealings: tuple[tuple[str, str], ...] = ()


_make_bare: Final = maker(_Bare)


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
    _checked: dict[bytes, Facts] = field(default_factory=dict, repr=False)
    """What vouchers say that we composed, by digest of the payload. That bytes keep
    the rules of form is true of them for ever: they need not be checked again when
    their reviews are complete, which for 500 rows takes as long as fifty seals."""

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
        3. Only now the payload is parsed, and every rule of form is checked; a
           voucher that is dated in the future is refused.
        4. The seals fill the plan of its kind and type, by the right signers.
        5. An enclosure is the sealed original that the document names, and its
           issuer is one of the original's recipients.

        Of a registration the third and fourth check are its own.
        """
        # (1) No field of the payload is looked at.
        opened = open_sealed(sealed)
        # (2) Verify, then parse.
        verified = verify_seals(
            make_sealed_document(
                kind=opened.kind, payload_digest=opened.digest, seals=opened.seals
            ),
            court,
        )
        if opened.kind is DocumentKind.REGISTRATION:
            return registration_document(sealed, opened, verified)
        # (3) By every rule that its issuer's gateway had to keep too.
        facts = read_payload(opened.kind, opened.payload)
        check_day(facts, court.at_us)
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
            enclosed = self._examine(enclosure, court)
            if facts.by not in enclosed.recipients:
                raise MalformedPayload(
                    "the enclosed original is not for its issuer", field="enclosures"
                )
            signers += enclosed.signers
        return document_of(
            opened.kind,
            sealed,
            opened.digest,
            facts,
            tuple(dict.fromkeys(signers)),
            tuple([(one.position, _urn(one.signer)) for one in verified.sealings]),
            encloses=bool(opened.enclosures),
        )

    def compose(
        self, drafts: Sequence[bytes], desk: str, at_us: int
    ) -> list[DraftRow | CounterfoilError]:
        """Check drafts and encode the vouchers."""

        def compose(draft: bytes) -> DraftRow:
            row, facts = compose_draft(draft, desk=desk)
            check_day(facts, at_us)
            if len(self._checked) >= CHECKED_MAX:
                self._checked.clear()
            self._checked[row.digest] = facts
            return row

        return _each(compose, drafts)

    def review(
        self,
        reviews: Sequence[tuple[DraftSeals, bytes]],
        certificates: Sequence[bytes],
        signer: bytes,
        at_us: int,
    ) -> list[CounterfoilError | None]:
        """Judge personal seals that are to go on top of drafts."""
        court = self._court(certificates, at_us)
        return _each(lambda pair: judge_review(*pair, signer, court), reviews)

    def seal(
        self, drafts: Sequence[Unsealed], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Put the institution's seals on vouchers whose reviews are complete."""

        def bare(draft: Unsealed) -> _Bare:
            # Of the bytes as they came back, whatever kept them meanwhile.
            digest = sha256(draft.payload).digest()
            facts = self._checked.get(digest) or read_payload(
                DocumentKind.VOUCHER, draft.payload
            )
            return _bare(
                DocumentKind.VOUCHER,
                draft.payload,
                facts,
                draft.seals,
                digest,
                sealings=draft.sealings,
            )

        return self._finish(_each(bare, drafts), at_us)

    def submit(
        self, drafts: Sequence[bytes], desk: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Compose and seal in one go."""

        def bare(draft: bytes) -> _Bare:
            row, facts = compose_draft(draft, desk=desk)
            check_day(facts, at_us)
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
            enclosures = (text.original,) if text.original else ()
            return _bare(DocumentKind.RECEIPT, payload, facts, enclosures=enclosures)

        return self._finish(_each(bare, receipts), at_us)

    def national(
        self, documents: Sequence[tuple[bytes, bytes]], encoding: str
    ) -> list[bytes | CounterfoilError]:
        """Write vouchers of our vault, and their receipts, as national documents."""
        return _each(lambda pair: national_document(*pair, encoding), documents)

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
                due = _due(bare)
            except CounterfoilError as refusal:
                finished[index] = refusal
                continue
            if bare.facts.by not in self.sealers:
                finished[index] = NotTheIssuer(
                    f"no seal of {bare.facts.by} is kept here", by=bare.facts.by
                )
                continue
            groups.setdefault((bare.facts.by, due.id), []).append(index)
        for (party, position), indexes in groups.items():
            members = [bare for i in indexes if isinstance(bare := bares[i], _Bare)]
            try:
                seals = self._seal_all(party, members, at_us)
            except CounterfoilError as refusal:
                # The key is away: none of these can be sealed, others can.
                for index in indexes:
                    finished[index] = refusal.with_traceback(None)
                continue
            sealer = self.sealers[party]
            signers = (sealer.certificate_digest,)
            ours = position, sealer.identity.to_urn()
            for index, bare, seal in zip(indexes, members, seals, strict=True):
                finished[index] = _close(bare, seal, signers, ours)
        return finished

    def _seal_all(self, party: str, bares: Sequence[_Bare], at_us: int) -> list[Seal]:
        sealer = self.sealers[party]
        orders = []
        for bare in bares:
            position = _due(bare)
            orders.append(
                make_seal_order(
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


def _plan(kind: DocumentKind, facts: Facts) -> SealPlan:
    if facts.key.type_code not in CATALOGUE.rows:
        raise MalformedPayload("the catalogue has no such type", field="key.type")
    return CATALOGUE.plan_for(kind, facts.key.type_code)


def _bare(  # noqa: PLR0913 -- a document's parts
    kind: DocumentKind,
    payload: bytes,
    facts: Facts,
    seals: Sequence[bytes] = (),
    digest: bytes = b"",
    *,
    enclosures: tuple[bytes, ...] = (),
    sealings: tuple[tuple[str, str], ...] = (),
) -> _Bare:
    return _make_bare(
        kind=kind,
        payload=payload,
        digest=digest or sha256(payload).digest(),
        seals=tuple(seal_from_bytes(seal) for seal in seals),
        facts=facts,
        enclosures=enclosures,
        sealings=sealings,
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


def _close(
    bare: _Bare, seal: Seal, signers: tuple[bytes, ...], ours: tuple[str, str]
) -> Document:
    seals = (*bare.seals, seal)
    sealed = close_sealed(bare.kind, bare.payload, seals, bare.enclosures)
    return document_of(
        bare.kind,
        sealed,
        bare.digest,
        bare.facts,
        signers,
        (*bare.sealings, ours),
        encloses=bool(bare.enclosures),
    )


@lru_cache(maxsize=1024)
def _urn(signer: Identity) -> str:
    """Return an identity as text; the same few sign again and again."""
    return signer.to_urn()
