"""Proves a whole vault against its log, and names what is wrong with it.

One scan of the log hashes every document and leaf again, rebuilds each tree and
replays all standings; then every index is compared with what must follow. Whoever
changed the log consistently meets the head store and the peers that cosigned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final, TypeAlias

from counterfoil.app.ports import FoundRow
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.document import Document
from counterfoil.domain.duties import require_active_signers
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import CounterfoilError, VaultCorrupt
from counterfoil.domain.register import Register
from counterfoil.domain.registering import register_after
from counterfoil.domain.standing import BRINGS_DOCUMENT, Act, Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Fault, Report
from counterfoil.vault.heads import HeadStore
from counterfoil.vault.names import PARTS, part_of, short
from counterfoil.vault.naming_check import NamingCheck
from counterfoil.vault.permitting import require_permitted
from counterfoil.vault.records import LogRow, Title, split_book_key, step_key
from counterfoil.vault.replay import Replay, difference
from counterfoil.vault.verify_tree import TreeCheck, tree_checks
from counterfoil.vault.verify_witness import WitnessCheck

Judge: TypeAlias = Callable[[bytes, Leaf, Mapping[bytes, Identity]], Document | None]
"""Judges a document's seals as of its leaf's time and says what it states.

Takes its bytes, its leaf (with an earlier time, if it is known to be older), and for
whom the directory listed certificates at that leaf.
Raises a `CounterfoilError` if the seals do not hold; None if it cannot tell.
"""

_NO_EVIDENCE: Final = sha256(b"").digest()


def verify_vault(  # noqa: PLR0913 -- what each comparison needs
    reading: Reading,
    *,
    origin: str,
    heads: HeadStore | None = None,
    judge: Judge | None = None,
    ledger: Iterable[FoundRow] | None = None,
    register: Register | None = None,
) -> Report:
    """Verify all that one reading shows.

    The reading stays open meanwhile, so a vault that is written to at the same
    time keeps its old pages; verify a copy if it is large and busy.

    Args:
        reading: The vault.
        origin: The log's name in the head store.
        heads: The head store, to find out whether an old copy was put back.
        judge: Judges seals; without it, bytes are only compared with the log.
        ledger: All rows of the ledger, in any order.
        register: What stood registered before the log's first registration; with
            `judge`, each registration is judged again by those before it.

    Returns:
        What was verified and what is wrong.
    """
    report = Report()
    check = _Check(reading, report, judge, register)
    check.log(tree_checks(reading, report, origin, heads))
    check.documents()
    check.entries()
    check.lanes()
    check.inbox()
    check.rest()
    check.names()
    if ledger is not None:
        check.ledger(ledger)
    return report


class _Check:
    """One verification; its methods are its steps, in this order."""

    def __init__(
        self,
        reading: Reading,
        report: Report,
        judge: Judge | None,
        register: Register | None,
    ) -> None:
        self._reading = reading
        self._register = register
        self._names = {} if register is None else register.names()
        self._report = report
        self._judge = judge
        self._replay = Replay(report)
        self._naming = NamingCheck(report)
        self._witness = WitnessCheck(reading, report)
        self._named_to = reading.named_to() or (0,) * PARTS
        self._evidence: tuple[int, bytes] = (-1, b"")

    def log(self, trees: Sequence[TreeCheck]) -> None:
        """Hash every leaf and document again, and replay what they tell.

        Args:
            trees: That of SHA-256, and then the others.
        """
        for index in range(self._reading.frontier().size):
            leaf = self._leaf(index)
            for tree in trees:
                tree.add(leaf)
        first, *others = [tree.finish() for tree in trees]
        self._report.size, self._report.root = first.size, first.root
        self._report.sm3_root = others[0].root if others else b""

    def documents(self) -> None:
        """Look for documents that no leaf brought."""
        for index, _ in self._reading.all_documents():
            try:
                row = self._reading.row(index)
            except VaultCorrupt:
                continue  # found before
            if row is None or Leaf.from_bytes(row.leaf).act not in BRINGS_DOCUMENT:
                self._report.add(Fault.DOCUMENT_STRAY, index=index)

    def entries(self) -> None:
        """Compare the book of keys with what was replayed."""
        stories = self._replay.stories
        seen: set[int] = set()
        damaged: set[bytes] = set()
        for encoded, entry in self._reading.all_entries():
            key, role = split_book_key(encoded)
            name = str(VoucherKey.from_bytes(key))
            if isinstance(entry, VaultCorrupt):
                self._report.add(Fault.ENTRY_CHANGED, key=name, detail="check sum")
                seen.update(
                    at
                    for at, story in stories.items()
                    if (story.title.key, story.title.role) == (key, role)
                )
                continue
            story = stories.get(entry.document)
            if story is None or (story.title.key, story.title.role) != (key, role):
                self._report.add(Fault.ENTRY_STRAY, index=entry.document, key=name)
                continue
            seen.add(entry.document)
            wrong = difference(story, entry, entry.document)
            if wrong:
                self._report.add(
                    Fault.ENTRY_CHANGED, index=entry.document, key=name, detail=wrong
                )
        for opened, story in stories.items():
            if opened not in seen and story.title.key not in damaged:
                name = str(VoucherKey.from_bytes(story.title.key))
                self._report.add(Fault.ENTRY_MISSING, index=opened, key=name)

    def lanes(self) -> None:
        """Compare what waits to be sent."""
        missing = dict(self._replay.lanes)
        for carrier, sequence, row in self._reading.all_lanes():
            if isinstance(row, VaultCorrupt):
                self._report.add(
                    Fault.LANE_STRAY, index=sequence, key=carrier, detail="check sum"
                )
            elif missing.get((carrier, row.digest)) != sequence:
                self._report.add(Fault.LANE_STRAY, index=sequence, key=carrier)
            else:
                del missing[carrier, row.digest]
        for (carrier, _), sequence in missing.items():
            self._report.add(Fault.LANE_MISSING, index=sequence, key=carrier)

    def inbox(self) -> None:
        """Compare what waits to be read; reading a step leaves no leaf."""
        missing = set(self._replay.inbox)
        for party, index in self._reading.all_inbox():
            if (party, index) in missing:
                missing.remove((party, index))
            elif not self._may_wait(index):
                self._report.add(Fault.INBOX_STRAY, index=index, key=party)
        for party, index in sorted(missing):
            self._report.add(Fault.INBOX_MISSING, index=index, key=party)

    def rest(self) -> None:
        """Compare steps, registrations, certificates and bucket sums."""
        steps = sum(1 for _ in self._reading.all_steps())
        if steps > self._replay.steps:
            self._report.add(Fault.STEP_STRAY, detail=f"{steps - self._replay.steps}")
        self._registrations()
        self._witness.compare()
        for digest, der in self._reading.all_certificates():
            if sha256(der).digest() != digest:
                self._report.add(Fault.CERTIFICATE_CHANGED, key=digest.hex())
        told = dict(self._replay.buckets)
        for carrier, number, bucket in self._reading.all_buckets():
            if bucket != told.pop((carrier, number), None):
                self._report.add(Fault.BUCKET_CHANGED, index=number, key=carrier)
        for carrier, number in sorted(told):
            self._report.add(Fault.BUCKET_CHANGED, index=number, key=carrier)

    def _registrations(self) -> None:
        missing = dict(self._replay.registrations)
        for digest, index in self._reading.all_registrations():
            if missing.pop(digest, None) != index:
                self._report.add(Fault.REGISTRATION_STRAY, key=digest.hex())
        for digest, index in missing.items():
            self._report.add(Fault.REGISTRATION_MISSING, index=index, key=digest.hex())

    def names(self) -> None:
        """Compare who names whom with the documents, as far as they were judged."""
        self._naming.compare(self._reading)

    def ledger(self, rows: Iterable[FoundRow]) -> None:
        """Compare the ledger with what was replayed."""
        missing = {
            (story.title.key, story.title.role, recipient): (opened, way)
            for opened, story in self._replay.stories.items()
            for recipient, way in zip(story.title.recipients, story.ways, strict=True)
        }
        for row in rows:
            told = missing.pop((row.key.to_bytes(), row.role, row.recipient), None)
            if told is None:
                if row.standing is not Standing.DRAFT:  # withdrawn, if it is
                    self._report.add(Fault.LEDGER_CHANGED, key=str(row.key))
            elif (row.standing, row.leaf) != (told[1].standing, told[1].leaf):
                self._report.add(
                    Fault.LEDGER_CHANGED,
                    index=told[0],
                    key=str(row.key),
                    detail=f"standing {row.standing.name}",
                )
        for (key, _, recipient), (opened, _) in missing.items():
            name = str(VoucherKey.from_bytes(key))
            self._report.add(
                Fault.LEDGER_MISSING, index=opened, key=name, detail=recipient
            )

    def _leaf(self, index: int) -> bytes | None:
        """Check what hangs on one leaf; return it, or None if it cannot be read."""
        try:
            row = self._reading.row(index)
            if row is None:
                self._report.add(Fault.LEAF_MISSING, index=index)
                return None
            leaf = Leaf.from_bytes(row.leaf)
        except (VaultCorrupt, ValueError) as error:
            self._report.add(Fault.LEAF_CHANGED, index=index, detail=str(error))
            return None
        self._replay.follow(index, row, leaf)
        if leaf.act in BRINGS_DOCUMENT:
            self._document(index, row, leaf)
        elif leaf.act is Act.DELIVER:
            self._delivery(index, leaf)
        elif leaf.act is Act.WITNESS:
            self._witness.take(index, leaf)
        return row.leaf

    def _document(self, index: int, row: LogRow, leaf: Leaf) -> None:
        sealed = self._reading.document(index)
        if sealed is None:
            self._report.add(Fault.DOCUMENT_MISSING, index=index, detail=leaf.kind.name)
            return
        self._report.documents += 1
        if sha256(sealed).digest() != leaf.version:
            self._report.add(Fault.DOCUMENT_CHANGED, index=index, detail=leaf.kind.name)
        elif self._judge is not None:
            self._judge_seals(index, sealed, leaf, row.title)
        if leaf.kind is DocumentKind.VOUCHER:
            self._name(index, leaf)
        elif leaf.kind is not DocumentKind.REGISTRATION:
            self._step(index, row, leaf)

    def _judge_seals(
        self, index: int, sealed: bytes, leaf: Leaf, title: Title | None
    ) -> None:
        assert self._judge is not None, "asked for only with a judge"
        earlier = self._witness.earlier(index, leaf)
        as_of = leaf if earlier is None else replace(leaf, time_us=earlier.time_us)
        try:
            stated = self._judge(sealed, as_of, self._names)
        except CounterfoilError as refusal:
            self._report.add(Fault.SEAL_REFUSED, index=index, detail=refusal.reason)
            return
        if stated is not None and stated.registration is not None:
            self._follow_register(index, stated, leaf.time_us)
        elif stated is not None:
            self._ask_register(index, replace(stated, earlier=earlier), leaf)
        if stated is None or title is None or leaf.kind is not DocumentKind.VOUCHER:
            return
        if (stated.key.to_bytes(), stated.amount_fen, stated.count) != (
            title.key,
            title.amount_fen,
            title.count,
        ):
            self._report.add(Fault.ROW_CHANGED, index=index, detail="title")
        self._naming.take(index, stated)

    def _follow_register(self, index: int, stated: Document, at_us: int) -> None:
        said = stated.registration
        if self._register is None or said is None:
            return
        try:
            self._register.require_not_void(stated.signers)
            require_active_signers(self._register, said, stated.signers, at_us)
            self._register = register_after(self._register, said, at_us)
            self._names = self._register.names()
        except CounterfoilError as refusal:
            self._report.add(
                Fault.REGISTRATION_REFUSED, index=index, detail=refusal.reason
            )

    def _ask_register(self, index: int, stated: Document, leaf: Leaf) -> None:
        """Ask the register as it stood then whether it permits a document's seals."""
        if self._register is None:
            return
        try:
            require_permitted(self._register, leaf.act, stated, leaf.time_us)
        except CounterfoilError as refusal:
            self._report.add(Fault.SIGNER_REFUSED, index=index, detail=refusal.reason)

    def _step(self, index: int, row: LogRow, leaf: Leaf) -> None:
        key = step_key(row.opened, leaf.kind, leaf.by, leaf.document)
        try:
            found = self._reading.step(key)
        except VaultCorrupt:
            found = None
        if found != index:
            self._report.add(Fault.STEP_MISSING, index=index, detail=leaf.kind.name)

    def _name(self, index: int, leaf: Leaf) -> None:
        if index >= self._named_to[part_of(leaf.subject)]:
            return
        found = self._reading.name(short(leaf.subject))
        if found is None or found < index:
            self._report.add(Fault.NAME_MISSING, index=index)

    def _delivery(self, index: int, leaf: Leaf) -> None:
        if leaf.version == _NO_EVIDENCE:
            return
        found = self._reading.evidence(index)
        if found is not None and found[0] != self._evidence[0]:
            self._evidence = (found[0], sha256(found[1]).digest())
        if found is None or self._evidence[1] != leaf.version:
            self._report.add(Fault.EVIDENCE_MISSING, index=index, key=leaf.by)

    def _may_wait(self, index: int) -> bool:
        """Return whether a step arrived there, which may be read or not."""
        try:
            row = self._reading.row(index)
        except VaultCorrupt:
            return True  # found before
        if row is None:
            return False
        leaf = Leaf.from_bytes(row.leaf)
        return leaf.act is Act.ARRIVE and leaf.kind is not DocumentKind.VOUCHER
