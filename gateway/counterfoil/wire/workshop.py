"""What a worker process does with a batch: check, compose, seal.

A workshop is made once per process from frozen material and then works on whole
batches, bytes in and plain values out. One bad item is refused alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Final, TypeVar

from counterfoil.domain.catalogue import (
    DocumentKind,
)
from counterfoil.domain.document import Document
from counterfoil.domain.draft_seals import DraftSeals, ReviewSeal
from counterfoil.domain.drafts import DraftRow, ReceiptText, StepText, Unsealed
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import (
    CounterfoilError,
    MalformedPayload,
)
from counterfoil.domain.seals import check_plan
from counterfoil.domain.witnessing import Held
from counterfoil.seal.certificates import certificate_bag
from counterfoil.seal.ocsp import RevocationAnswers
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.verify import (
    Court,
    SealedDocument,
    make_sealed_document,
    verify_seals,
)
from counterfoil.wire.compose import compose_draft, compose_receipt, compose_step
from counterfoil.wire.days import check_day
from counterfoil.wire.documents import Facts, document_of, read_payload
from counterfoil.wire.held import held
from counterfoil.wire.national_out import national_document
from counterfoil.wire.own_seals import (
    DOCUMENT_BYTES_MAX,
    Bare,
    OwnSeals,
    bare_of,
    plan_of,
    require_room,
)
from counterfoil.wire.registrations import registration_document
from counterfoil.wire.review import judge_review
from counterfoil.wire.sealed import Opened, open_sealed
from counterfoil.wire.seals import (
    parse_statement,
)

Item = TypeVar("Item")

Made = TypeVar("Made")

CHECKED_MAX: Final = 4_096
"""Checked vouchers remembered; when there are more, all are checked again."""


@dataclass(slots=True, kw_only=True)
class Workshop:
    """Checks and seals batches in one process; owned by one thread.

    Attributes:
        trust: Judges certificates.
        sealers: The institution seals of the parties hosted here, by party.
        in_batches: Whether vouchers of one batch share one signature.
        document_bytes_max: Largest sealed document of ours.
    """

    trust: TrustStore
    sealers: Mapping[str, Sealer]
    in_batches: bool = False
    document_bytes_max: int = DOCUMENT_BYTES_MAX
    _own: OwnSeals = field(init=False, repr=False)
    _checked: dict[bytes, Facts] = field(default_factory=dict, repr=False)
    """What vouchers say that we composed, by digest of the payload. That bytes keep
    the rules of form is true of them for ever: they need not be checked again when
    their reviews are complete, which for 500 rows takes as long as fifty seals."""

    def __post_init__(self) -> None:
        self._own = self._own_seals()

    def reseal(
        self, sealers: Mapping[str, Sealer], directory: Mapping[bytes, Identity]
    ) -> None:
        """Seal with other seals from now on; `directory` as of `relist`."""
        self.sealers = sealers
        self.relist(directory)

    def relist(self, directory: Mapping[bytes, Identity]) -> None:
        """Go by another directory of persons from now on, for our own seals as well.

        Args:
            directory: For whom each certificate is listed, by its SHA-256.
        """
        self.trust.relist(directory)
        self.sealers = {
            party: replace(
                sealer,
                identity=directory.get(sealer.certificate_digest, sealer.identity),
            )
            if sealer.is_listed
            else sealer
            for party, sealer in self.sealers.items()
        }
        self._own = self._own_seals()

    def _own_seals(self) -> OwnSeals:
        return OwnSeals(
            sealers=self.sealers,
            in_batches=self.in_batches,
            document_bytes_max=self.document_bytes_max,
        )

    def examine(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        at_us: int,
        answers: Sequence[bytes] = (),
    ) -> list[Document | CounterfoilError]:
        """Verify, then parse, a peer's documents."""
        court = self._court(certificates, at_us, answers)
        return _each(lambda sealed: self._examine(sealed, court), documents)

    def _examine(self, sealed: bytes, court: Court) -> Document:
        """Return a document that holds.

        The checks, in order:

        1. The envelope can be taken apart; nothing of the payload is read yet.
        2. Every seal holds (`verify_seals`, ten checks).
        3. Only now the payload is parsed, and every rule of form is checked; a
           voucher that is dated in the future is refused.
        4. The seals fill the plan of its kind and type, by the right signers.
        5. An enclosure is the sealed original that the document names, by digest
           and by key, and its issuer is one of the original's recipients.

        Of a registration the third and fourth check are its own.
        """
        # (1) No field of the payload is looked at.
        opened = open_sealed(sealed)
        # (2) Verify, then parse.
        verified = verify_seals(_to_verify(opened), court)
        if opened.kind is DocumentKind.REGISTRATION:
            return registration_document(sealed, opened, verified)
        # (3) By every rule that its issuer's gateway had to keep too.
        facts = read_payload(opened.kind, opened.payload)
        check_day(facts, court.at_us)
        # (4) What the payload says decides whose seals are due.
        plan = plan_of(opened.kind, facts)
        check_plan(plan, verified.statements, verified.sealings, issuer=facts.by)
        signers = [statement.certificate_digest for statement in verified.statements]
        is_overdue, listed = bool(verified.overdue), verified.listed
        # (5) Judged like a document that arrives, and never acted on.
        for enclosure in opened.enclosures:
            enclosed = self._enclosed(enclosure, facts, court)
            signers += enclosed.signers
            is_overdue |= enclosed.is_overdue
            listed += enclosed.listed
        return document_of(
            opened.kind,
            sealed,
            opened.digest,
            facts,
            tuple(dict.fromkeys(signers)),
            tuple([(one.position, _urn(one.signer)) for one in verified.sealings]),
            encloses=bool(opened.enclosures),
            is_overdue=is_overdue,
            listed=listed,
        )

    def _enclosed(self, enclosure: bytes, facts: Facts, court: Court) -> Document:
        """Return the original in a document, which is what the document says it is.

        Raises:
            MalformedPayload: It is not.
        """
        original = open_sealed(enclosure)
        # Before it is examined: a voucher, which is about no other, encloses
        # nothing, so enclosures never stand inside enclosures.
        if (original.kind, original.digest) != (DocumentKind.VOUCHER, facts.subject):
            raise MalformedPayload(
                "an enclosure is not the original", field="enclosures"
            )
        enclosed = self._examine(enclosure, court)
        # Who gets a copy has no voucher by which to see that it is another's key.
        if enclosed.key != facts.key:
            raise MalformedPayload(
                "the enclosed original has another key", field="enclosures"
            )
        if facts.by not in enclosed.recipients:
            raise MalformedPayload(
                "the enclosed original is not for its issuer", field="enclosures"
            )
        return enclosed

    def reread(self, documents: Sequence[bytes]) -> list[Document | CounterfoilError]:
        """Parse sealed documents, to look for them where they were judged before."""

        def reread(sealed: bytes) -> Document:
            opened = open_sealed(sealed)
            facts = read_payload(opened.kind, opened.payload)
            encloses = bool(opened.enclosures)
            return document_of(
                opened.kind, sealed, opened.digest, facts, encloses=encloses
            )

        return _each(reread, documents)

    def held(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes] = (),
    ) -> list[Held | None]:
        """Tell when the certificates of sealed documents could be relied on."""
        bag = certificate_bag(certificates)
        answered = RevocationAnswers(answers)
        return [held(sealed, self.trust, bag, answered) for sealed in documents]

    def compose(
        self, drafts: Sequence[bytes], desk: str, at_us: int
    ) -> list[DraftRow | CounterfoilError]:
        """Check drafts and encode the vouchers."""

        def compose(draft: bytes) -> DraftRow:
            row, facts = compose_draft(draft, desk=desk)
            check_day(facts, at_us)
            require_room(row.payload, self.document_bytes_max)
            if len(self._checked) >= CHECKED_MAX:
                self._checked.clear()
            self._checked[row.digest] = facts
            return row

        return _each(compose, drafts)

    def review(
        self,
        reviews: Sequence[tuple[DraftSeals, bytes]],
        certificates: Sequence[bytes],
        signer: Identity,
        at_us: int,
    ) -> list[ReviewSeal | CounterfoilError]:
        """Judge personal seals that are to go on top of drafts."""
        court = self._court(certificates, at_us)
        return _each(lambda pair: judge_review(*pair, signer, court), reviews)

    def seal(
        self, drafts: Sequence[Unsealed], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Put the institution's seals on vouchers whose reviews are complete."""

        def bare(draft: Unsealed) -> Bare:
            # Of the bytes as they came back, whatever kept them meanwhile.
            digest = sha256(draft.payload).digest()
            facts = self._checked.get(digest) or read_payload(
                DocumentKind.VOUCHER, draft.payload
            )
            return bare_of(
                DocumentKind.VOUCHER,
                draft.payload,
                facts,
                draft.seals,
                digest,
                signers=draft.signers,
            )

        return self._own.finish(_each(bare, drafts), at_us)

    def submit(
        self, drafts: Sequence[bytes], desk: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Compose and seal in one go."""

        def bare(draft: bytes) -> Bare:
            row, facts = compose_draft(draft, desk=desk)
            check_day(facts, at_us)
            return bare_of(DocumentKind.VOUCHER, row.payload, facts, (), row.digest)

        return self._own.finish(_each(bare, drafts), at_us)

    def steps(
        self, steps: Sequence[StepText], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Encode and seal steps."""

        def bare(step: StepText) -> Bare:
            payload, facts = compose_step(step)
            return bare_of(step.kind, payload, facts)

        return self._own.finish(_each(bare, steps), at_us)

    def receipts(
        self, receipts: Sequence[ReceiptText], by: str, at_us: int
    ) -> list[Document | CounterfoilError]:
        """Check, encode and seal receipts."""

        def bare(text: ReceiptText) -> Bare:
            payload, facts = compose_receipt(text, by=by)
            enclosures = (text.original,) if text.original else ()
            return bare_of(DocumentKind.RECEIPT, payload, facts, enclosures=enclosures)

        return self._own.finish(_each(bare, receipts), at_us)

    def national(
        self, documents: Sequence[tuple[bytes, bytes]], encoding: str
    ) -> list[bytes | CounterfoilError]:
        """Write vouchers of our vault, and their receipts, as national documents."""
        return _each(lambda pair: national_document(*pair, encoding), documents)

    def _court(
        self,
        certificates: Sequence[bytes],
        at_us: int,
        answers: Sequence[bytes] = (),
    ) -> Court:
        return Court(
            trust=self.trust,
            parse=parse_statement,
            at_us=at_us,
            bag=certificate_bag(certificates),
            answers=RevocationAnswers(answers, at_us=at_us),
        )


def _to_verify(opened: Opened) -> SealedDocument:
    return make_sealed_document(
        kind=opened.kind, payload_digest=opened.digest, seals=opened.seals
    )


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


@lru_cache(maxsize=1024)
def _urn(signer: Identity) -> str:
    """Return an identity as text; the same few sign again and again."""
    return signer.to_urn()
