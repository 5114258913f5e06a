"""Proves what the log witnessed of peers' logs, and what was taken on that ground."""

from __future__ import annotations

from hashlib import sha256

from counterfoil.app.earlier_proofs import require_earlier
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import CounterfoilError, VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.domain.witnessing import Earlier, EarlierProof, WitnessedHead
from counterfoil.vault import reading as look
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Fault, Report

_Place = tuple[str, int]
"""A peer, and the time of a leaf of `WITNESS`."""


class WitnessCheck:
    """Follows the heads that leaves name; a document that came late rests on one.

    Who signed a peer's checkpoint is not asked: since when this log has known its root
    does not depend on it.

    Args:
        reading: The vault.
        report: Where findings go.
    """

    def __init__(self, reading: Reading, report: Report) -> None:
        self._reading = reading
        self._report = report
        self._heads: dict[int, WitnessedHead] = {}
        self._places: dict[_Place, int] = {}
        self._sizes: dict[str, int] = {}

    def take(self, index: int, leaf: Leaf) -> None:
        """Take in a leaf `WITNESS`."""
        self._places[leaf.by, leaf.time_us] = index
        found = self._reading.evidence(index)
        note = found[1] if found is not None and found[0] == index else b""
        try:
            head = look.witnessed_head(index, leaf, note)
        except ValueError as error:
            self._note(Fault.WITNESS_CHANGED, index, str(error))
            return
        # One that became shorter was never seen so: the lane had asked for a proof.
        if head.size <= self._sizes.get(leaf.by, 0):
            self._note(Fault.WITNESS_CHANGED, index, "no larger than the one before")
        self._sizes[leaf.by] = head.size
        self._heads[index] = head

    def earlier(self, index: int, leaf: Leaf) -> Earlier | None:
        """Return since when a document that arrived is known to have been sealed.

        None if nothing but its arrival says so, or if what is kept does not hold: then
        it is judged as of its arrival, whatever comes of that.
        """
        if leaf.act is not Act.ARRIVE or leaf.kind is DocumentKind.REGISTRATION:
            return None
        kept = look.earlier_proof(self._reading, index)
        if not kept:
            return None
        try:
            proof = EarlierProof.from_bytes(kept)
            # Of those that stand before it: what came later proves nothing of it.
            head = self._heads[proof.witness]
            require_earlier(proof, head, leaf.version, path="earlier_proof")
        except (ValueError, KeyError, CounterfoilError) as error:
            self._note(Fault.EARLIER_PROOF_BROKEN, index, str(error))
            return None
        return Earlier(time_us=head.time_us, proof=kept)

    def compare(self) -> None:
        """Compare the index of what was witnessed with the leaves."""
        missing = dict(self._places)
        for carrier, time_us, index in self._reading.all_witnessed():
            if isinstance(index, VaultCorrupt):
                self._report.add(
                    Fault.WITNESS_CHANGED, key=carrier, detail="check sum of the index"
                )
            elif missing.pop((carrier, time_us), None) != index:
                self._note(Fault.WITNESS_CHANGED, index, "the index has too much")
        for index in missing.values():
            self._note(Fault.WITNESS_CHANGED, index, "the index lacks it")

    def _note(self, fault: Fault, index: int, detail: str) -> None:
        self._report.add(fault, index=index, detail=detail)


def check_witness(reading: Reading, report: Report, index: int, leaf: Leaf) -> None:
    """Compare one leaf `WITNESS` with the checkpoint that is kept with it."""
    found = reading.evidence(index)
    if found is None or (found[0], sha256(found[1]).digest()) != (index, leaf.version):
        report.add(Fault.WITNESS_CHANGED, index=index, key=leaf.by)
