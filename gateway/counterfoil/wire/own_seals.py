"""The institution's seals go on documents of our own, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from counterfoil.domain.catalogue import (
    DocumentKind,
    SealedBy,
    SealPlan,
    SealPosition,
)
from counterfoil.domain.document import Document
from counterfoil.domain.draft_seals import NOBODY, Signers
from counterfoil.domain.refusals import (
    BatchTooLarge,
    CounterfoilError,
    MalformedPayload,
    NotTheIssuer,
    SealMissing,
)
from counterfoil.domain.seals import Seal, next_position
from counterfoil.domain.value import maker, value
from counterfoil.seal.sign import Sealer, make_seal_order
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.documents import Facts, document_of
from counterfoil.wire.sealed import close_sealed
from counterfoil.wire.seals import seal_from_bytes

DOCUMENT_BYTES_MAX: Final = 1_048_576
"""Largest sealed document, as `exchange.v1.ExchangeService.Deliver` says."""

_SEALS_BYTES: Final = 8 * 1024
"""Room for a document's seals; four of the largest have less than 5 KiB."""


@value
class Bare:
    """A checked payload of ours that waits for the institution's seals."""

    kind: DocumentKind
    payload: bytes
    digest: bytes
    seals: tuple[Seal, ...]
    facts: Facts
    enclosures: tuple[bytes, ...] = ()
    signers: Signers = NOBODY


make_bare: Final = maker(Bare)


@value
class _Ours:
    """What our seals of one position say of who put them."""

    place: tuple[str, str]
    signers: tuple[bytes, ...]
    listed: tuple[tuple[bytes, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSeals:
    """The institution seals of the parties hosted here.

    Attributes:
        sealers: Makes the seals of each party.
        in_batches: Whether vouchers of one batch share one signature.
        document_bytes_max: Largest sealed document: what is larger, no peer takes.
    """

    sealers: Mapping[str, Sealer]
    in_batches: bool = False
    document_bytes_max: int = DOCUMENT_BYTES_MAX

    def finish(
        self, bares: Sequence[Bare | CounterfoilError], at_us: int
    ) -> list[Document | CounterfoilError]:
        """Put every institution seal that is due, and close the documents."""
        finished: list[Document | CounterfoilError] = list(bares)  # type: ignore[arg-type]
        groups: dict[tuple[str, str], list[int]] = {}
        for index, bare in enumerate(bares):
            if isinstance(bare, CounterfoilError):
                continue
            try:
                require_room(bare.payload, self.document_bytes_max, bare.enclosures)
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
            members = [bare for i in indexes if isinstance(bare := bares[i], Bare)]
            try:
                seals = self._seal_all(party, members, at_us)
            except CounterfoilError as refusal:
                # The key is away: none of these can be sealed, others can.
                for index in indexes:
                    finished[index] = refusal.with_traceback(None)
                continue
            sealer = self.sealers[party]
            # The same for all of them, so it is said once.
            urn, digest = sealer.identity.to_urn(), sealer.certificate_digest
            ours = _Ours(
                place=(position, urn),
                signers=(digest,),
                listed=((digest, urn),) if sealer.is_listed else (),
            )
            for index, bare, seal in zip(indexes, members, seals, strict=True):
                finished[index] = _close(bare, seal, ours)
        return finished

    def _seal_all(self, party: str, bares: Sequence[Bare], at_us: int) -> list[Seal]:
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


def require_room(
    payload: bytes, bytes_max: int, enclosures: Sequence[bytes] = ()
) -> None:
    """Check that a document of ours will not be too large once it is sealed.

    Before anybody puts a seal on it: what is sealed cannot be made smaller, and a
    document that no peer takes would wait in its lane for ever.

    Args:
        payload: Its bytes.
        bytes_max: The largest sealed document.
        enclosures: Sealed originals that it carries.

    Raises:
        BatchTooLarge: It will be.
    """
    enclosed = sum(map(len, enclosures))
    room = bytes_max - _SEALS_BYTES - enclosed
    if len(payload) <= room:
        return
    facts = {"max": str(bytes_max), "bytes": str(len(payload) + enclosed)}
    if enclosures:
        raise BatchTooLarge(
            f"with the original inside the document has more than {bytes_max} bytes; "
            "issue it without copies",
            **facts,
        )
    raise BatchTooLarge(
        f"a document with its seals holds at most {bytes_max} bytes; divide it", **facts
    )


def plan_of(kind: DocumentKind, facts: Facts) -> SealPlan:
    """Return the seals that are due on a document.

    Raises:
        MalformedPayload: The catalogue has no such type.
    """
    if facts.key.type_code not in CATALOGUE.rows:
        raise MalformedPayload("the catalogue has no such type", field="key.type")
    return CATALOGUE.plan_for(kind, facts.key.type_code)


def bare_of(  # noqa: PLR0913 -- a document's parts
    kind: DocumentKind,
    payload: bytes,
    facts: Facts,
    seals: Sequence[bytes] = (),
    digest: bytes = b"",
    *,
    enclosures: tuple[bytes, ...] = (),
    signers: Signers = NOBODY,
) -> Bare:
    """Return a checked payload of ours, to be sealed.

    Args:
        kind: What it is.
        payload: Its bytes.
        facts: What it says.
        seals: Encoded seals of persons that are on it, lowest first.
        digest: SHA-256 of the payload, if it is known.
        enclosures: Sealed originals that it carries.
        signers: Whose the seals on it are.
    """
    return make_bare(
        kind=kind,
        payload=payload,
        digest=digest or sha256(payload).digest(),
        seals=tuple(seal_from_bytes(seal) for seal in seals),
        facts=facts,
        enclosures=enclosures,
        signers=signers,
    )


def _due(bare: Bare) -> SealPosition:
    """Return the one position that is left for the institution.

    The personal seals beneath were judged when they were put there; a recipient
    judges them all again.

    Raises:
        SealMissing: A person's seal is missing, or nothing is left to seal.
    """
    plan = plan_of(bare.kind, bare.facts)
    position = next_position(plan, len(bare.seals))
    if position.by is SealedBy.PERSON or len(plan.positions) != len(bare.seals) + 1:
        msg = f"position {position.id} has to be sealed by a person first"
        raise SealMissing(
            msg,
            position=position.id,
        )
    return position


def _close(bare: Bare, seal: Seal, ours: _Ours) -> Document:
    seals = (*bare.seals, seal)
    sealed = close_sealed(bare.kind, bare.payload, seals, bare.enclosures)
    return document_of(
        bare.kind,
        sealed,
        bare.digest,
        bare.facts,
        ours.signers,
        (*bare.signers.sealings, ours.place),
        encloses=bool(bare.enclosures),
        listed=bare.signers.listed + ours.listed,
        beneath=bare.signers.certificates,
    )
