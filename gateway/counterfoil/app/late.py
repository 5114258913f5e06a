"""Documents that come after their certificates' end, and were sealed before it (迟到).

Whoever holds an old key can seal at any time and say that it was earlier. What was
below a head of the deliverer's log that *our* log witnessed before the end, was sealed
before the end: by our clock, whatever keys were lost since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from counterfoil.app.earlier_proofs import require_earlier
from counterfoil.app.ports import Vault
from counterfoil.app.works import Works
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.document import Document
from counterfoil.domain.earlier_refusals import EarlierProofDue
from counterfoil.domain.refusals import CounterfoilError, SealForged
from counterfoil.domain.register import Register
from counterfoil.domain.violation import Violation
from counterfoil.domain.witnessing import (
    Earlier,
    EarlierProof,
    ShownProof,
    WitnessedHead,
)

_OF_TIME: Final = frozenset({"6", "7"})
"""The checks of `verify_seals` that may fail now and held before: path, revocation."""

_DUE: Final = Violation(
    path="earlier_proofs",
    rule="earlier.due",
    text="nothing shows by that head that the document had entered",
    text_zh="未附该树头下的入库证明",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A batch as it was delivered.

    Attributes:
        documents: Encoded `Sealed` documents.
        certificates: Certificates in DER that came with them.
        answers: Responders' answers (DER), likewise.
        carrier: The party that delivered it.
        shown: What shows that documents were sealed earlier, by their places.
    """

    documents: Sequence[bytes]
    certificates: Sequence[bytes]
    answers: Sequence[bytes]
    carrier: str
    shown: Mapping[int, ShownProof]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeLate:
    """Judges late documents as of a head that we witnessed before the end."""

    vault: Vault
    works: Works

    async def __call__(
        self,
        batch: Delivered,
        examined: Sequence[Document | CounterfoilError],
    ) -> list[Document | CounterfoilError]:
        """Return what was examined, late documents judged as of what was witnessed.

        A document whose certificates were all good at a head that we witnessed is
        refused for now until it is shown below that head; one that no such head can
        help stays what it was.

        Args:
            batch: The batch.
            examined: What came of each document, judged as of now.
        """
        judged, register = list(examined), self.vault.register
        late = [at for at, one in enumerate(judged) if self._is_late(one, register)]
        if not late:
            return judged
        heads = await self._heads(batch, late, register)
        proved: defaultdict[int, list[tuple[int, EarlierProof]]] = defaultdict(list)
        for at, head in heads.items():
            try:
                proved[head.time_us].append((at, self._prove(batch, at, head)))
            except CounterfoilError as refusal:
                judged[at] = refusal
        for time_us, proofs in proved.items():
            again = await self.works.examine(
                [batch.documents[at] for at, _ in proofs],
                batch.certificates,
                at_us=time_us,
                answers=batch.answers,
            )
            for (at, proof), one in zip(proofs, again, strict=True):
                judged[at] = one
                if isinstance(one, Document):
                    earlier = Earlier(time_us=time_us, proof=proof.to_bytes())
                    judged[at] = replace(one, earlier=earlier)
        return judged

    def _is_late(self, one: Document | CounterfoilError, register: Register) -> bool:
        """Tell whether a document may hold as of an earlier time, and not as of now."""
        if isinstance(one, SealForged):
            return one.facts.get("check") in _OF_TIME
        return (
            bool(register.voided)
            and isinstance(one, Document)
            # A registration binds whoever signs it from its arrival on.
            and one.kind is not DocumentKind.REGISTRATION
            and any(register.void_of(signer) for signer in one.signers)
            and not self.vault.holds(one)
        )

    async def _heads(
        self, batch: Delivered, late: Sequence[int], register: Register
    ) -> dict[int, WitnessedHead]:
        """Return for each late document the newest head at which its seals held."""
        held = await self.works.held(
            [batch.documents[at] for at in late], batch.certificates, batch.answers
        )
        heads = {}
        for at, one in zip(late, held, strict=True):
            if one is None:
                continue
            voided = [
                found.time_us - 1
                for found in map(register.void_of, one.signers)
                if found is not None
            ]
            until_us = min([one.until_us, *voided])
            head = self.vault.witnessed(batch.carrier, until_us)
            if head is not None and head.time_us >= one.from_us:
                heads[at] = head
        return heads

    def _prove(self, batch: Delivered, at: int, head: WitnessedHead) -> EarlierProof:
        """Return what shows that a document was sealed by then, once it does.

        Raises:
            EarlierProofDue: Nothing was shown, or by another head.
            EarlierProofRefused: It does not show it.
        """
        shown = batch.shown.get(at)
        if shown is None or shown.size != head.size:
            raise EarlierProofDue(
                "a certificate has ended or is void; show that the document is among "
                f"the first {head.size} leaves of your log",
                [_DUE],
                tree_size=str(head.size),
            )
        proof = EarlierProof(
            witness=head.leaf, index=shown.index, leaf=shown.leaf, hashes=shown.hashes
        )
        version = sha256(batch.documents[at]).digest()
        require_earlier(proof, head, version, path=f"earlier_proofs[{shown.place}]")
        return proof
