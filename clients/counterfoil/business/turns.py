"""The turns of a business system: read what came, give it out, take everything on."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from typing import Final, Protocol

from counterfoil.business.books import SqlBooks
from counterfoil.business.program import GATHER_S, IDLE_S
from counterfoil.office import Arrival, Desk


class Taker(Protocol):
    """Takes some of what arrives, and works on it: an inbox, an outbox, a teller."""

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Return which arrivals are for this one, in their order."""

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Write down what came."""

    def work(self) -> None:
        """Take everything as far as it can go now."""

    def is_at_rest(self) -> bool:
        """Tell whether nothing is left to do before something else comes."""


class Worker:
    """A taker to which nothing comes: it works on the books alone."""

    __slots__ = ()

    def wanted(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Want nothing of what comes."""
        del arrivals
        return []

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Do nothing: nothing is wanted."""

    def work(self) -> None:
        """Take everything as far as it can go now."""
        raise NotImplementedError

    def is_at_rest(self) -> bool:
        """Tell that nothing is left to do before something else comes."""
        return True


WORK_MAX: Final = 8
"""How often all take a turn before something else is read: one plans for another."""

_YOUNG_MAX: Final = 20_000
"""Values that are made before Python looks for cycles among them."""

SILENT_MAX: Final = 50
"""How many silent turns may go by without work: ten seconds."""


def _settle_collector() -> None:
    """Leave what is loaded alone for good, and look for cycles less often.

    Rows and vouchers come by the thousand, and few of them in cycles: by default Python
    would look through them after every 700.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX)


def give_out(arrivals: Sequence[Arrival], takers: Sequence[Taker]) -> list[Arrival]:
    """Give every arrival to the first that wants it; return what nobody wants."""
    left = list(arrivals)
    for taker in takers:
        mine = taker.wanted(left)
        if mine:
            given = set(map(id, mine))
            left = [one for one in left if id(one) not in given]
            taker.take(mine)
    return left


def work(takers: Sequence[Taker]) -> bool:
    """Let all work until nothing is left to do, or for so many turns.

    Returns:
        Whether nothing is left to do before something else comes.
    """
    for _ in range(WORK_MAX):
        for taker in takers:
            taker.work()
        if all(taker.is_at_rest() for taker in takers):
            return True
    return False


def turns(
    desk: Desk, takers: Sequence[Taker], books: SqlBooks | None = None
) -> Generator[tuple[Arrival, ...]]:
    """Read, give out and work for ever; yield what each turn brought.

    What nobody wants stays on the list: another system of the same desk takes it.
    The caller stops when it has seen enough; an empty turn is one of silence.

    Args:
        desk: The desk that is read.
        takers: Who takes what comes, the first that wants it.
        books: What all of them work on. With them nobody works in silence while the
            books stay as they were, but now and then: the clock goes on.
    """
    _settle_collector()
    rested: int | None = None
    silent = 0
    for arrivals in desk.read(follow=True, idle_s=IDLE_S, gather_s=GATHER_S):
        give_out(arrivals, takers)
        # Read before we work: what others write meanwhile is seen the next time.
        version = None if books is None else books.version()
        silent = 0 if arrivals else silent + 1
        if arrivals or version is None or version != rested or silent >= SILENT_MAX:
            rested, silent = (version, 0) if work(takers) else (None, 0)
        yield arrivals
