"""Vouchers that stand in the log of the peer that we play."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.conformance.papers import Paper
from counterfoil.conformance.peer_log import PeerLog
from counterfoil.conformance.target import Identity
from counterfoil.exchange.v1 import exchange_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A voucher that stands in the peer's log.

    Attributes:
        paper: The voucher.
        index: Where it entered.
    """

    paper: Paper
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Vouchers by a seal that is lost now, none of which was delivered.

    Attributes:
        log: The peer's log.
        size: Its size at the head that was witnessed before the loss.
        checkpoint: That head, signed.
        place: Where the gateway's log witnesses it.
        witness: What the gateway's log proves of that leaf.
        seal: Who sealed.
        taken: Below the head; for the check that lets it be taken.
        held: Below the head; for the check of proofs that are refused.
        arrival: A leaf below the head that says that `held` arrived.
        after: Behind the head.
    """

    log: PeerLog
    size: int
    checkpoint: bytes
    place: int
    witness: pb.GetProofResponse
    seal: Identity
    taken: Entered
    held: Entered
    arrival: int
    after: Entered
