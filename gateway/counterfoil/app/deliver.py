"""A batch of a lane goes to its peer, and the peer's proof is checked (发送)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from counterfoil.app.arrivals import arrival_hash, arrival_leaf
from counterfoil.app.peer_answers import (
    GrowthProof,
    PeerHeads,
    PeerOutcome,
    PeerResponse,
)
from counterfoil.app.ports import LaneItem, Vault
from counterfoil.domain.deeds import Committed, Deliver, PeerAnswer, make_peer_answer
from counterfoil.domain.evidence import Evidence
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import PeerForked
from counterfoil.tlog.checkpoint import open_checkpoint
from counterfoil.tlog.errors import TlogError
from counterfoil.tlog.merkle import TreeHead, empty_head, leaf_hash
from counterfoil.tlog.note import NoteVerifier
from counterfoil.tlog.proofs import range_from_inclusion
from counterfoil.tlog.verification import (
    verify_consistency,
    verify_inclusion,
    verify_range,
)

AskGrowth: TypeAlias = Callable[[int], Awaitable[GrowthProof]]
"""Asks a peer for the proof from a size of its log to its newest checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivery:
    """Checks a peer's proof of arrival and puts it on record.

    Attributes:
        vault: Our vault.
        heads: The newest heads seen of others.
        carrier: The peer.
        origin: Name of the peer's log.
        verifiers: Keys of the peer's log.
        retry_s: How long a document that was refused for now waits.
    """

    vault: Vault
    heads: PeerHeads
    carrier: str
    origin: str
    verifiers: tuple[NoteVerifier, ...]
    retry_s: float

    def check(
        self, batch: Sequence[LaneItem], response: PeerResponse, *, now_us: int
    ) -> list[Deliver]:
        """Return what the answers to `batch` come to, their proofs checked.

        Raises:
            PeerForked: The proof does not hold, or the answer does not fit the
                batch. Nothing is to be recorded; the documents stay in the lane.
        """
        if len(response.outcomes) != len(batch):
            raise PeerForked("the answer is for another batch", peer=self.carrier)
        not_before_us = now_us + int(self.retry_s * 1_000_000)
        deeds = [
            Deliver(
                carrier=self.carrier,
                answers=self._answers(batch, response),
                evidence=self._prove(batch, response),
                not_before_us=not_before_us,
            )
        ]
        # What the peer knew before stands elsewhere in its log: a proof for each.
        for item, outcome in zip(batch, response.outcomes, strict=True):
            if outcome.known_leaf is not None:
                answer = PeerAnswer(sequence=item.sequence, leaf=outcome.known_leaf)
                evidence = self._prove_known(item, outcome)
                deeds.append(
                    Deliver(carrier=self.carrier, answers=(answer,), evidence=evidence)
                )
        return deeds

    async def record(self, deeds: Sequence[Deliver]) -> Committed:
        """Record what `check` returned; return when that is durable."""
        committed = await self.vault.perform(deeds)
        return committed[-1]

    async def watch(self, ask: AskGrowth) -> None:
        """Check that the peer's log still holds what it has signed before.

        A vault that was put back to an older copy, or has told others another
        story, cannot prove it.

        Args:
            ask: Asks the peer for the proof from a size to its newest checkpoint.

        Raises:
            PeerForked: The newest head does not continue the newest one seen.
        """
        seen = self.heads.newest(self.origin)
        if seen is not None and seen.size:
            await self.grown(ask)

    async def grown(self, ask: AskGrowth) -> tuple[TreeHead, GrowthProof]:
        """Return the peer's newest head, which goes on from the newest one seen.

        Args:
            ask: See `watch`.

        Raises:
            PeerForked: It does not.
        """
        seen = self.heads.newest(self.origin) or empty_head()
        proof = await ask(seen.size)
        try:
            head = self._head(proof.checkpoint)
            verify_consistency(seen, head, proof.hashes)
        except TlogError as error:
            raise PeerForked(
                f"the peer's log does not continue what it signed: {error}",
                peer=self.carrier,
            ) from error
        self.heads.see(self.origin, head, proof.checkpoint)
        return head, proof

    def _answers(
        self, batch: Sequence[LaneItem], response: PeerResponse
    ) -> tuple[PeerAnswer, ...]:
        """Return what became of the documents that the peer did not know before."""
        leaf = response.first_leaf
        answers = []
        for item, outcome in zip(batch, response.outcomes, strict=True):
            if outcome.new:
                answers.append(make_peer_answer(sequence=item.sequence, leaf=leaf))
                leaf += 1
            elif outcome.reason:
                answers.append(
                    PeerAnswer(
                        sequence=item.sequence,
                        leaf=None,
                        reason=outcome.reason,
                        retryable=outcome.retryable,
                    )
                )
        return tuple(answers)

    def _prove_known(self, item: LaneItem, outcome: PeerOutcome) -> bytes:
        """Return the evidence of a document that the peer says it knew, checked.

        Raises:
            PeerForked: It does not prove it, or its leaf is not of this document.
        """
        proof, index = outcome.proof, outcome.known_leaf
        if proof is None or index is None:
            raise PeerForked("a known document is not proved", peer=self.carrier)
        try:
            theirs = Leaf.from_bytes(proof.leaf)
            head = self._head(proof.checkpoint)
            verify_inclusion(index, leaf_hash(proof.leaf), head, proof.hashes)
        except ValueError as error:
            raise PeerForked(
                f"the peer's proof does not hold: {error}", peer=self.carrier
            ) from error
        if theirs != arrival_leaf(item.leaf, theirs.time_us):
            raise PeerForked("the peer proved another document", peer=self.carrier)
        self.heads.see(self.origin, head, proof.checkpoint)
        return Evidence(
            checkpoint=proof.checkpoint,
            first_leaf=index,
            leaf_hashes=(leaf_hash(proof.leaf),),
            range_proof=range_from_inclusion(index, head.size, proof.hashes),
            arrival_time_us=theirs.time_us,
        ).to_bytes()

    def _head(self, checkpoint: bytes) -> TreeHead:
        """Return the head that every one of the peer's known keys signed.

        A line left out is as bad as one that lies.

        Raises:
            TlogError: One did not, or the checkpoint is another log's.
        """
        opened = open_checkpoint(
            checkpoint, origin=self.origin, required=self.verifiers
        )
        return opened.checkpoint.head

    def _prove(self, batch: Sequence[LaneItem], response: PeerResponse) -> bytes:
        """Return the evidence for what is new, checked; empty if nothing is.

        1. The checkpoint is the peer's: each of its known keys signed it.
        2. It does not contradict a head that the peer signed before.
        3. The leaves that we compute stand where the peer says they do.
        """
        hashes = tuple(
            arrival_hash(item.leaf, response.arrival_time_us)
            for item, outcome in zip(batch, response.outcomes, strict=True)
            if outcome.new
        )
        if not hashes:
            return b""
        try:
            # (1) Before anything is computed from it.
            head = self._head(response.checkpoint)
            # (3) Recomputed, so the peer cannot prove the arrival of other bytes.
            verify_range(response.first_leaf, hashes, head, response.range_proof)
        except TlogError as error:
            raise PeerForked(
                f"the peer's proof does not hold: {error}", peer=self.carrier
            ) from error
        # (2) Last, because only a head that proves something is worth keeping.
        self.heads.see(self.origin, head, response.checkpoint)
        return Evidence(
            checkpoint=response.checkpoint,
            first_leaf=response.first_leaf,
            leaf_hashes=hashes,
            range_proof=response.range_proof,
            arrival_time_us=response.arrival_time_us,
        ).to_bytes()
