"""A peer's answers to what waited in its lane are put on record."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from counterfoil.app.ports import Entry
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import (
    Deliver,
    Outcome,
    PeerAnswer,
    make_recorded,
)
from counterfoil.domain.leaf import Leaf, make_leaf
from counterfoil.domain.refusals import LeafNotFound, NotInState
from counterfoil.domain.standing import FILLS_LANES, Act, Role, Standing, side_of
from counterfoil.vault.judging import known, moved, moves_of, position_of
from counterfoil.vault.records import Changes, LaneRow
from counterfoil.vault.transaction import Transaction


def deliver(tx: Transaction, deed: Deliver) -> tuple[Outcome, ...]:
    """Record which documents arrived at the peer, and which it refused.

    The leaves of arrival stand one after another and before those of refusals, so
    that the evidence stored under the first of them serves all.
    """
    first_leaf = tx.size
    outcomes: list[Outcome | None] = [None] * len(deed.answers)
    version = sha256(deed.evidence).digest()
    for at, answer in enumerate(deed.answers):
        if answer.leaf is not None:
            outcomes[at] = _arrived(tx, deed.carrier, answer, version)
    if deed.evidence and tx.size > first_leaf:
        tx.put_evidence(first_leaf, deed.evidence)
    for at, answer in enumerate(deed.answers):
        if answer.leaf is None:
            outcomes[at] = _refused(tx, deed, answer)
    return tuple(outcome for outcome in outcomes if outcome is not None)


def _arrived(
    tx: Transaction, carrier: str, answer: PeerAnswer, version: bytes
) -> Outcome:
    row = tx.lane_row(carrier, answer.sequence)
    if row is None:
        return _answered_before(tx, carrier, answer)
    tx.pop(carrier, answer.sequence)
    entry = tx.entry(row.key, side_of(row.kind))
    moves = _moves(entry, row, Act.DELIVER)
    index = _append(tx, carrier, row, _Verdict(Act.DELIVER, version, moves))
    if entry is not None and moves:
        tx.put_entry(row.key, moved(entry, moves, index, reason=""))
    return make_recorded(
        leaf=index, standing=_standing(entry, row, moves), time_us=tx.time_us
    )


def _refused(tx: Transaction, deed: Deliver, answer: PeerAnswer) -> Outcome:
    row = tx.lane_row(deed.carrier, answer.sequence)
    if row is None:
        return _answered_before(tx, deed.carrier, answer)
    entry = tx.entry(row.key, side_of(row.kind))
    if answer.retryable:
        tx.put_back(deed.carrier, answer.sequence, _set_aside(row, deed.not_before_us))
        return known(tx, answer.sequence, _standing(entry, row, ()))
    tx.pop(deed.carrier, answer.sequence)
    moves = _moves(entry, row, Act.REFUSE)
    # What the peer said is all the evidence that there is of a refusal.
    version = sha256(answer.reason.encode()).digest()
    index = _append(tx, deed.carrier, row, _Verdict(Act.REFUSE, version, moves))
    if entry is not None and moves:
        tx.put_entry(row.key, moved(entry, moves, index, reason=answer.reason))
    if row.kind is not DocumentKind.REGISTRATION:
        tx.count_exchanged(deed.carrier, row.digest, -1)
    return make_recorded(
        leaf=index, standing=_standing(entry, row, moves), time_us=tx.time_us
    )


def _answered_before(tx: Transaction, carrier: str, answer: PeerAnswer) -> Outcome:
    """Answer for a place that is empty: a document's sequence is its leaf's index."""
    row = tx.row(answer.sequence) if answer.sequence >= 0 else None
    if (
        row is None
        or carrier not in row.carriers
        or Leaf.from_bytes(row.leaf).act not in FILLS_LANES
    ):
        return LeafNotFound("nothing ever waited there", leaf=str(answer.sequence))
    opening = tx.row(row.opened)
    title = None if opening is None else opening.title
    entry = None if title is None else tx.entry(title.key, title.role)
    standing = Standing.SENT if entry is None else entry.passages[0].standing
    return known(tx, answer.sequence, standing)


@dataclass(slots=True)
class _Verdict:
    """What an answer is recorded as."""

    act: Act
    version: bytes
    moves: Changes


def _append(tx: Transaction, carrier: str, row: LaneRow, verdict: _Verdict) -> int:
    leaf = make_leaf(
        act=verdict.act,
        kind=row.kind,
        time_us=tx.time_us,
        subject=row.subject,
        document=row.digest,
        version=verdict.version,
        by=carrier,
        recipients=",".join(row.recipients),
    )
    # A document refused for good was taken out of the peer's sums.
    carriers = (carrier,) if verdict.act is Act.REFUSE else ()
    return tx.append(leaf, opened=row.opened, changes=verdict.moves, carriers=carriers)


def _moves(entry: Entry | None, row: LaneRow, act: Act) -> Changes:
    """Return what an answer about a voucher moves; one that is late moves nothing."""
    if entry is None or row.kind is not DocumentKind.VOUCHER:
        return ()
    places = [position_of(entry, recipient) for recipient in row.recipients]
    concerned = [place for place in places if place is not None]
    try:
        return moves_of(Role.ISSUER, entry, concerned, act, row.kind)
    except NotInState:
        return ()


def _standing(entry: Entry | None, row: LaneRow, moves: Changes) -> Standing:
    if moves:
        return moves[0][1]
    if entry is None:
        return Standing.SENT
    position = position_of(entry, row.by if entry.role is Role.RECIPIENT else "")
    return entry.passages[position or 0].standing


def _set_aside(row: LaneRow, not_before_us: int) -> LaneRow:
    return LaneRow(
        document=row.document,
        opened=row.opened,
        kind=row.kind,
        digest=row.digest,
        subject=row.subject,
        key=row.key,
        by=row.by,
        recipients=row.recipients,
        not_before_us=not_before_us,
    )
