"""Looks a vault through again and again, a moment at a time, while it is written to.

Each slice opens its own reading and ends within a fraction of a second, so that it
keeps no old pages alive. What one leaf requires of document, tiles and indexes is
compared where the leaf stands; what only a later leaf can explain waits until that
leaf was reached (`waiting`). A pass goes through the stages in order and begins anew.

A scrub proves less than `verify_vault`, which replays every standing and judges
every seal: see decision 22.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from counterfoil.tlog.trees import LogTree
from counterfoil.vault.engine import Reading, stored_tree
from counterfoil.vault.findings import Report
from counterfoil.vault.heads import HeadStore
from counterfoil.vault.scrub_leaves import LeafCheck, SawBinding
from counterfoil.vault.scrub_tables import (
    scrub_certificates,
    scrub_entries,
    scrub_inbox,
    scrub_lanes,
    scrub_steps,
)
from counterfoil.vault.scrub_trees import scrub_root

SLICE_ITEMS: Final = 64
"""Most leaves or rows of one slice."""

Expired: TypeAlias = Callable[[], bool]
"""Returns whether the time of a slice is over."""

_LOG: Final = "log"
_TABLES: Final = {
    "entries": scrub_entries,
    "steps": scrub_steps,
    "certificates": scrub_certificates,
    "lanes": scrub_lanes,
}
_INBOX: Final = "inbox"
STAGES: Final = (_LOG, *_TABLES, _INBOX)
"""The stages of a pass, in their order."""


@dataclass(slots=True, kw_only=True)
class Place:
    """How far a scrub came, to go on from there.

    Attributes:
        stage: One of `STAGES`.
        leaf: Log index of the next leaf, in the first stage.
        after: The last key looked at, in the others.
        passes: Passes completed.
    """

    stage: str = _LOG
    leaf: int = 0
    after: bytes = b""
    passes: int = 0


@dataclass(slots=True, kw_only=True)
class Scrub:
    """One vault's endless check; owned by one thread at a time.

    Attributes:
        origin: The log's name in the head store.
        heads: What was signed.
        parties: Parties that read here, whose lists of what waits are looked at.
        saw_binding: Told of each end of the record of refused calls in the log, on the
            scrub's thread.
        place: Where it is.
    """

    origin: str
    heads: HeadStore
    parties: Sequence[str]
    saw_binding: SawBinding = lambda _index, _end, _goes_on: None
    place: Place = field(default_factory=Place)
    _leaves: LeafCheck = field(init=False)

    def __post_init__(self) -> None:
        self._leaves = LeafCheck(self.saw_binding)

    def resume_at(self) -> Place:
        """Return the place to store: nothing that still waits lies before it."""
        place = self.place
        leaf = min([place.leaf, *self._leaves.waiting_since()])
        return Place(
            # What waits ends with the log's stage; else its leaves are read again.
            stage=place.stage,
            leaf=leaf,
            after=place.after,
            passes=place.passes,
        )

    def slice(
        self,
        reading: Callable[[], AbstractContextManager[Reading]],
        expired: Expired,
        items: int = SLICE_ITEMS,
    ) -> Report:
        """Check the next few items in one reading.

        Args:
            reading: Opens a reading, for this slice alone.
            expired: Asked between two items.
            items: Most items.

        Returns:
            What was found; `size` is the number of items looked at.

        Raises:
            VaultCorrupt: The vault does not say how large it is.
        """
        report = Report()
        # Before the reading, so that the reading holds all that was signed.
        signed = {tree: self.heads.newest(tree.origin(self.origin)) for tree in LogTree}
        with reading() as state:
            if self.place.stage == _LOG:
                self._log(state, report, expired, items)
                if self.place.leaf >= state.size():
                    self._leaves.end(state, report)
                    for tree, known in signed.items():
                        scrub_root(state, tree, self.origin, known, report)
                    self._next()
            elif self.place.stage == _INBOX:
                report.size = scrub_inbox(state, report, self.parties)
                self._next()
            else:
                scrub = _TABLES[self.place.stage]
                rows = scrub(state, report, self.place.after, items, expired)
                report.size = rows.count
                self.place.after = rows.after
                if rows.is_last:
                    self._next()
        return report

    def _log(
        self, reading: Reading, report: Report, expired: Expired, items: int
    ) -> None:
        size = reading.size()
        trees = {LogTree.SHA256: stored_tree(reading, LogTree.SHA256).reader()}
        if (second := reading.sm3_tree()) is not None:
            trees[LogTree.SM3] = second.reader()
        if self.place.leaf == 0:
            self._leaves.begin()
        while self.place.leaf < size and report.size < items:
            if report.size and expired():
                break
            self._leaves.check(reading, trees, report, self.place.leaf)
            self.place.leaf += 1
            report.size += 1
        self._leaves.settle(report, self.place.leaf)

    def _next(self) -> None:
        at = STAGES.index(self.place.stage) + 1
        self.place.after = b""
        if at == len(STAGES):
            self.place = Place(passes=self.place.passes + 1)
        else:
            self.place.stage = STAGES[at]
