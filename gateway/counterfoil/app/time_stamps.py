"""Time stamps on our log's heads, as the use cases need them.

One is of a signed checkpoint, and so of every leaf below it: a leaf pins the document
with its seals. See `docs/adr/0026`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from counterfoil.domain.value import value


@value
class StampedHead:
    """A checkpoint of our log, and an authority's word when it was there at the latest.

    Attributes:
        size: How many leaves the checkpoint covers.
        checkpoint: The signed note, byte for byte as it was stamped.
        response: The authority's answer (RFC 3161, `TimeStampResp` in DER).
        time_us: The time that it says, microseconds since the epoch, UTC.
        accuracy_us: By how much that may be wrong; None if it does not say.
    """

    size: int
    checkpoint: bytes
    response: bytes
    time_us: int
    accuracy_us: int | None


class TimeStamps(Protocol):
    """The stamped heads of our log."""

    async def covering(self, indices: Iterable[int]) -> dict[int, StampedHead]:
        """Return for each leaf the earliest stamped head that covers it.

        A leaf that none covers is missing. What cannot be read is logged, and is as
        if it were not there: nobody's business rests on it.

        Args:
            indices: Log indices.
        """


@dataclass(frozen=True, slots=True)
class NoTimeStamps:
    """Where no authority was ever asked."""

    async def covering(
        self,
        indices: Iterable[int],  # noqa: ARG002 -- the port's
    ) -> dict[int, StampedHead]:
        """Return nothing."""
        return {}
