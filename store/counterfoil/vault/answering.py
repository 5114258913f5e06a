"""What a deed is answered with once it is durable."""

from __future__ import annotations

from counterfoil.domain.deeds import Arrive, Committed, Deed, make_committed
from counterfoil.vault.custody import Applied
from counterfoil.vault.writer import Group


def committed_as(
    deed: Deed, applied: Applied, group: Group, checkpoint: bytes
) -> Committed:
    """Return the answer to one deed of a group, with the proof for a peer."""
    size = group.batch.frontier.size
    if not isinstance(deed, Arrive):
        return make_committed(
            outcomes=applied.outcomes, size=size, time_us=group.time_us
        )
    proof: tuple[bytes, ...] = ()
    if applied.new_count:
        growth = group.batch.growth
        proof = growth.range_proof(applied.first_leaf, applied.new_count)
    return make_committed(
        outcomes=applied.outcomes,
        size=size,
        time_us=group.time_us,
        checkpoint=checkpoint,
        range_proof=proof,
        first_leaf=applied.first_leaf,
        new_count=applied.new_count,
    )
