"""What was carried from whom to whom, as one source tells it, and whether all agree.

A way is an issuer, a recipient and a kind of voucher. Up to six sources tell of it:
the books of both business systems, the ledgers of both gateways and both vaults. Where
two of them tell the same number, it must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

from counterfoil.domain.standing import Standing


class Way(NamedTuple):
    """Whose vouchers of which kind go to whom."""

    issuer: str
    recipient: str
    type_code: int


_BEFORE_ARRIVAL: Final = frozenset(
    {Standing.DRAFT, Standing.SEALED, Standing.SENT, Standing.REFUSED}
)
_NEVER_SENT: Final = frozenset({Standing.DRAFT, Standing.SEALED, Standing.DISCARDED})
_NOT_TAKEN: Final = _BEFORE_ARRIVAL | {
    Standing.ARRIVED,
    Standing.REJECTED,
    Standing.RETURNED,
    Standing.DISCARDED,
}
_RECEIPTED: Final = frozenset({Standing.RECEIPTED, Standing.CLOSED, Standing.DISPUTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What one source tells of one way; None where it cannot know.

    Attributes:
        sent: Vouchers that the issuer sent, or, on the other side, that arrived.
        taken: Those that the recipient's system took over and did not give back.
        receipted: Those whose receipt exists.
        returned: Those that came back.
        rejected: Those that the recipient's system refused.
        disputed: Those whose receipt does not agree; the issuer finds that.
        sent_fen: Sum of those sent.
        receipted_fen: Sum of those receipted.
    """

    sent: int | None = None
    taken: int | None = None
    receipted: int | None = None
    returned: int | None = None
    rejected: int | None = None
    disputed: int | None = None
    sent_fen: int | None = None
    receipted_fen: int | None = None


NAMES: Final = tuple(one.name for one in fields(Carried))
_NOTHING: Final = Carried(**dict.fromkeys(NAMES, 0))

Sources = Mapping[str, Carried]
"""What each source tells of one way, by the source's name."""


class Teller(NamedTuple):
    """A source that tells of the ways of one party: its books, say."""

    party: str
    source: str


class Some(NamedTuple):
    """Vouchers that stand alike: how many, and their sum."""

    standing: Standing
    number: int
    fen: int


def of_standings(some: Iterable[Some], *, arrived: bool) -> Carried:
    """Count what a gateway tells.

    Args:
        some: Its vouchers of one way.
        arrived: Whether it is the recipient's, which tells only what arrived; the
            issuer's tells what was sent, arrived or not.
    """
    sent = [one for one in some if one.standing not in _NEVER_SENT]
    if arrived:
        sent = [one for one in sent if one.standing not in _BEFORE_ARRIVAL]
    receipted = [one for one in sent if one.standing in _RECEIPTED]
    return Carried(
        sent=sum(one.number for one in sent),
        taken=sum(one.number for one in sent if one.standing not in _NOT_TAKEN),
        receipted=sum(one.number for one in receipted),
        returned=_count(sent, Standing.RETURNED),
        rejected=_count(sent, Standing.REJECTED),
        disputed=None if arrived else _count(sent, Standing.DISPUTED),
        sent_fen=sum(one.fen for one in sent),
        receipted_fen=sum(one.fen for one in receipted),
    )


def of_lines(lines: Iterable[tuple[Way, Some]], *, arrived: bool) -> dict[Way, Carried]:
    """Count what one side tells, way by way; lines may come in any order."""
    sums: dict[Way, dict[Standing, tuple[int, int]]] = {}
    for way, (standing, number, fen) in lines:
        before, before_fen = sums.setdefault(way, {}).get(standing, (0, 0))
        sums[way][standing] = before + number, before_fen + fen
    return {
        way: of_standings(
            [Some(standing, *sum_) for standing, sum_ in some.items()], arrived=arrived
        )
        for way, some in sums.items()
    }


def differences(sources: Sources) -> list[str]:
    """Return what the sources do not agree on, one line for each number."""
    found = []
    for name in NAMES:
        told = {source: getattr(carried, name) for source, carried in sources.items()}
        told = {source: value for source, value in told.items() if value is not None}
        if len(set(told.values())) > 1:
            each = ", ".join(f"{source} {value}" for source, value in told.items())
            found.append(f"{name}: {each}")
    return found


def side_by_side(
    told: Mapping[Teller, Mapping[Way, Carried]],
) -> dict[Way, dict[str, Carried]]:
    """Turn what each teller tells of its ways into what each way is told by.

    A teller that does not know a way of its party tells that nothing was carried on
    it: a lost list is not a list that nobody counts.

    Args:
        told: By teller; one that could not be heard is left out.
    """
    return {
        way: {
            f"{side}'s {teller.source}": ways.get(way, _NOTHING)
            for side, party in (("issuer", way.issuer), ("recipient", way.recipient))
            for teller, ways in told.items()
            if teller.party == party
        }
        for way in sorted({way for ways in told.values() for way in ways})
    }


def _count(some: Iterable[Some], standing: Standing) -> int:
    return sum(one.number for one in some if one.standing is standing)
