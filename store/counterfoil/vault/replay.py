"""Replays the log: what every index must hold follows from leaves and their notes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from counterfoil.app.ports import Entry, Passage
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import OutOfTurn
from counterfoil.domain.standing import (
    BRINGS_DOCUMENT,
    FILLS_LANES,
    FROM_RECIPIENT,
    Act,
    Role,
    Standing,
    advance,
)
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.records import Bucket, LogRow, Title, bucket_of, lanes_fit

_ENDS_WAITING: Final = FROM_RECIPIENT - {DocumentKind.RECEIPT}


@dataclass(slots=True)
class Way:
    """One passage as the log tells it; `refused` is the digest of the reason."""

    standing: Standing
    leaf: int
    receipt: bytes = b""
    refused: bytes = b""


@dataclass(slots=True)
class Story:
    """One voucher as the log tells it."""

    title: Title
    subject: bytes
    ways: list[Way]


class Replay:
    """Follows the log leaf by leaf; memory grows with vouchers, not with leaves.

    Args:
        report: Where contradictions are noted.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self.stories: dict[int, Story] = {}
        self.lanes: dict[tuple[str, bytes], int] = {}
        self.inbox: set[tuple[str, int]] = set()
        self.buckets: dict[tuple[str, int], Bucket] = {}
        self.steps = 0
        self.registrations: dict[bytes, int] = {}

    def follow(self, index: int, row: LogRow, leaf: Leaf) -> None:
        """Take in the next leaf."""
        if leaf.act in {Act.BIND, Act.WITNESS}:
            self._bind(index, row, leaf)
            return
        if leaf.kind is DocumentKind.REGISTRATION:
            self._register(index, row, leaf)
            return
        if row.title is not None and row.opened == index:
            changes = self._open(index, row.title, leaf)
        elif row.opened in self.stories:
            changes = self._move(index, self.stories[row.opened], leaf)
        else:
            self._report.add(Fault.ROW_CHANGED, index=index, detail="no voucher")
            return
        if changes != row.changes:
            self._report.add(Fault.ROW_CHANGED, index=index, detail="changes")
        self._follow_lanes(index, row, leaf)
        self._follow_inbox(row, leaf)
        if leaf.act is Act.WITHDRAW:
            del self.stories[row.opened]

    def _bind(self, index: int, row: LogRow, leaf: Leaf) -> None:
        """Take in what names something outside the log, which changes nothing."""
        if leaf.kind is not DocumentKind.REGISTRATION or leaf.recipients:
            self._report.add(Fault.ACT_IMPOSSIBLE, index=index, detail=leaf.act.name)
        if (row.opened, row.changes, row.carriers, row.title) != (index, (), (), None):
            self._report.add(Fault.ROW_CHANGED, index=index, detail=leaf.act.name)

    def _register(self, index: int, row: LogRow, leaf: Leaf) -> None:
        """Take in an act about a registration; what it says is judged elsewhere."""
        opens = leaf.act in {Act.REGISTER, Act.ARRIVE}
        answers = leaf.act in {Act.DELIVER, Act.REFUSE}
        opened = self.registrations.get(leaf.document)
        if not (opens or answers) or (opened is None) is not opens:
            self._report.add(Fault.ACT_IMPOSSIBLE, index=index, detail=leaf.act.name)
            return
        if opens:
            opened = self.registrations[leaf.document] = index
        if (row.opened, row.changes, row.title) != (opened, (), None):
            self._report.add(Fault.ROW_CHANGED, index=index, detail="registration")
        self._follow_lanes(index, row, leaf)

    def _open(self, index: int, title: Title, leaf: Leaf) -> tuple[object, ...]:
        opening = {
            (Act.ENTER, DocumentKind.VOUCHER): (Role.ISSUER, Standing.SEALED),
            (Act.ENTER_AND_SEND, DocumentKind.VOUCHER): (Role.ISSUER, Standing.SENT),
            (Act.ARRIVE, DocumentKind.VOUCHER): (Role.RECIPIENT, Standing.ARRIVED),
            (Act.ARRIVE, DocumentKind.DISCARD): (Role.RECIPIENT, Standing.DISCARDED),
            (Act.ARRIVE, DocumentKind.RECEIPT): (Role.COPY, Standing.RECEIPTED),
        }.get((leaf.act, leaf.kind))
        if opening is None or opening[0] is not title.role:
            self._report.add(Fault.ACT_IMPOSSIBLE, index=index, detail="opening")
            return ()
        ways = [Way(opening[1], index) for _ in title.recipients]
        self.stories[index] = Story(title, leaf.subject, ways)
        self.steps += leaf.kind is not DocumentKind.VOUCHER
        return tuple((at, opening[1]) for at in range(len(ways)))

    def _move(self, index: int, story: Story, leaf: Leaf) -> tuple[object, ...]:
        if leaf.subject != story.subject:
            self._report.add(Fault.ROW_CHANGED, index=index, detail="other voucher")
            return ()
        if leaf.act in BRINGS_DOCUMENT:
            self.steps += 1
        changes = []
        for at in _concerned(story.title, leaf):
            way = story.ways[at]
            standing = self._advance(index, story, way, leaf)
            if standing is None:
                continue
            way.standing, way.leaf = standing, index
            changes.append((at, standing))
            if leaf.kind is DocumentKind.RECEIPT and standing is Standing.RECEIPTED:
                way.receipt = leaf.document
            if leaf.act is Act.REFUSE:
                way.refused = leaf.version
            elif leaf.act is Act.DELIVER:
                way.refused = b""
        return tuple(changes)

    def _advance(
        self, index: int, story: Story, way: Way, leaf: Leaf
    ) -> Standing | None:
        if leaf.act is Act.WITHDRAW:
            return Standing.DRAFT
        answers = leaf.act in {Act.DELIVER, Act.REFUSE}
        if answers and leaf.kind is not DocumentKind.VOUCHER:
            return None
        try:
            return advance(story.title.role, way.standing, leaf.act, leaf.kind)
        except OutOfTurn as refusal:
            # A peer's answer is a fact also where it changes nothing any more.
            if not answers:
                self._report.add(Fault.ACT_IMPOSSIBLE, index=index, detail=str(refusal))
            return None

    def _follow_lanes(self, index: int, row: LogRow, leaf: Leaf) -> None:
        sent = leaf.act in FILLS_LANES
        if not lanes_fit(leaf, row.carriers):
            self._report.add(Fault.ROW_CHANGED, index=index, detail="lanes")
        for carrier in row.carriers:
            if sent:
                self.lanes[carrier, leaf.document] = index
            if leaf.kind is DocumentKind.REGISTRATION:
                continue  # told to whom it concerns, and in nobody's sums
            place = (carrier, bucket_of(leaf.document))
            bucket = self.buckets.get(place, Bucket())
            sign = -1 if leaf.act is Act.REFUSE else 1
            self.buckets[place] = bucket.add(leaf.document, sign)
        if (
            leaf.act in {Act.DELIVER, Act.REFUSE}
            and self.lanes.pop((leaf.by, leaf.document), None) is None
        ):
            self._report.add(Fault.ACT_IMPOSSIBLE, index=index, detail="not sent")

    def _follow_inbox(self, row: LogRow, leaf: Leaf) -> None:
        if leaf.act is Act.ARRIVE and leaf.kind is DocumentKind.VOUCHER and row.title:
            self.inbox.update((name, row.opened) for name in row.title.recipients)
        elif leaf.act is Act.ENTER and leaf.kind in _ENDS_WAITING:
            self.inbox.discard((leaf.by, row.opened))


def _concerned(title: Title, leaf: Leaf) -> tuple[int, ...]:
    """Return which passages an act is about, from the leaf alone."""
    if leaf.act is Act.ARRIVE and leaf.kind in FROM_RECIPIENT:
        names = {leaf.by}
    elif leaf.recipients:
        names = set(leaf.recipients.split(","))
    else:
        return tuple(range(len(title.recipients)))
    return tuple(at for at, name in enumerate(title.recipients) if name in names)


def difference(story: Story, entry: Entry, opened: int) -> str:
    """Return in what an entry differs from its story; empty if in nothing."""
    title = story.title
    pairs = {
        "role": (entry.role, title.role),
        "digest": (entry.digest, story.subject),
        "document": (entry.document, opened),
        "amount": (entry.amount_fen, title.amount_fen),
        "count": (entry.count, title.count),
        "recipients": (tuple(p.recipient for p in entry.passages), title.recipients),
    }
    wrong = [name for name, (has, told) in pairs.items() if has != told]
    for passage, way in zip(entry.passages, story.ways, strict=False):
        wrong += _passage_difference(passage, way)
    return ", ".join(wrong)


def _passage_difference(passage: Passage, way: Way) -> list[str]:
    wrong = []
    if passage.standing is not way.standing:
        wrong.append(f"standing {passage.standing.name}, not {way.standing.name}")
    if passage.leaf != way.leaf:
        wrong.append("leaf")
    if passage.receipt != way.receipt:
        wrong.append("receipt")
    reason = passage.refused_reason
    if (sha256(reason.encode()).digest() if reason else b"") != way.refused:
        wrong.append("reason of the refusal")
    return wrong
