"""The lane to ourselves: issuer and recipient are hosted on the same gateway.

Such a voucher takes the way of every other. It waits in a lane, its seals are judged
when it arrives, its arrival is a leaf of its own and is proved under a signed head;
only there is no line in between. So both sides of it stand in the one vault, each with
its own standing, and what holds between two gateways needs no second rule here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from counterfoil.app.peer_answers import (
    GrowthProof,
    LeafProof,
    PeerOutcome,
    PeerResponse,
)
from counterfoil.app.prove import ProveLog
from counterfoil.app.receive import ReceiveDocuments
from counterfoil.domain.deeds import Committed, Outcome
from counterfoil.domain.refusals import CounterfoilError, Unavailable
from counterfoil.domain.witnessing import ShownProof
from counterfoil.peer.link import PeerAddress
from counterfoil.wire.certificates import ShownCertificates


@dataclass(slots=True, kw_only=True)
class LoopbackStream:
    """Batches that arrive where they were sent; answers in the same order.

    Attributes:
        home: The party whose gateway this is.
        receive: Takes a batch in.
        prove: Proves what was known before.
    """

    home: str
    receive: ReceiveDocuments
    prove: ProveLog
    _shown: ShownCertificates = field(default_factory=ShownCertificates)
    _sent: asyncio.Queue[tuple[list[bytes], list[bytes]]] = field(
        default_factory=asyncio.Queue
    )

    async def send(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes] = (),  # noqa: ARG002 -- those who judge have them
        earlier: Sequence[ShownProof] = (),  # noqa: ARG002 -- nobody asks for it
    ) -> None:
        """Take one batch; it arrives when its answer is asked for."""
        self._sent.put_nowait((list(documents), self._shown.add(certificates)))

    async def answer(self) -> PeerResponse:
        """Let the oldest batch arrive, and return the answer to it.

        Raises:
            CounterfoilError: Nothing of the batch was stored.
        """
        documents, certificates = await self._sent.get()
        committed = await self.receive(documents, certificates, carrier=self.home)
        return PeerResponse(
            checkpoint=committed.checkpoint,
            arrival_time_us=committed.time_us,
            first_leaf=committed.first_leaf,
            range_proof=committed.range_proof,
            outcomes=self._outcomes(committed),
        )

    async def growth(self, older: int) -> GrowthProof:
        """Prove that our log has only grown since a size.

        Raises:
            LeafNotFound: There is no such size any more.
        """
        proof = self.prove.consistency(older, size=0)
        return GrowthProof(hashes=proof.hashes, checkpoint=proof.checkpoint)

    def cancel(self) -> None:
        """End the stream; what has not arrived waits in the lane as before."""

    def _outcomes(self, committed: Committed) -> tuple[PeerOutcome, ...]:
        return tuple(self._outcome(one) for one in committed.outcomes)

    def _outcome(self, outcome: Outcome) -> PeerOutcome:
        if isinstance(outcome, CounterfoilError):
            return PeerOutcome(
                reason=outcome.reason, retryable=isinstance(outcome, Unavailable)
            )
        if outcome.new:
            return PeerOutcome()
        proof = self.prove.leaf(outcome.leaf, size=0, carrier=self.home)
        assert proof.leaf is not None, "a leaf was asked for"
        return PeerOutcome(
            known_leaf=outcome.leaf,
            proof=LeafProof(
                leaf=proof.leaf.to_bytes(),
                hashes=proof.hashes,
                checkpoint=proof.checkpoint,
            ),
        )


@dataclass(slots=True, kw_only=True)
class LoopbackLink:
    """Opens streams to ourselves; it never fails to connect.

    Attributes:
        receive: Takes batches in.
        prove: Proves what was known before.
    """

    receive: ReceiveDocuments
    prove: ProveLog
    address: str = ""

    @property
    def peer(self) -> PeerAddress:
        """Ourselves, without an address."""
        home = self.receive.registry.home
        return PeerAddress(party=home, addresses=(), server_name="")

    async def open(self) -> LoopbackStream:
        """Open a stream."""
        return LoopbackStream(
            home=self.peer.party, receive=self.receive, prove=self.prove
        )

    async def close(self) -> None:
        """Nothing is open."""
