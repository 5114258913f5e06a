"""Phases of the day as data: what is ordered, what must come, what must then hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from counterfoil.day.balance import Line
from counterfoil.day.cast import Institution
from counterfoil.day.stage import Stage


@dataclass(frozen=True, slots=True)
class Start:
    """A business system that is started, or ended and started again otherwise.

    Attributes:
        whose: The institution whose system it is.
        options: Options of its command `run`.
    """

    whose: Institution
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command that somebody gives to a business system while it runs.

    Attributes:
        whose: The institution whose system it is.
        arguments: The command and its options, without the configuration.
        is_refused: Whether the system must refuse it.
    """

    whose: Institution
    arguments: tuple[str, ...]
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Kill:
    """A gateway that is killed in the middle of the work.

    Attributes:
        whose: The institution whose gateway it is.
        teller: The institution by whose system one can tell where the middle is,
        what: by this word,
        count: told so often.
    """

    whose: Institution
    teller: Institution
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A number that an institution's books must have come to.

    Attributes:
        whose: The institution.
        names: What its books call the numbers that are added up.
        value: How much they have to be, no less and no more.
    """

    whose: Institution
    names: tuple[str, ...]
    value: int


@dataclass(frozen=True, slots=True)
class Late:
    """Something that is meant to be late: a system has to tell it.

    Attributes:
        whose: The institution whose system tells it.
        words: What the line has in it, all of them.
    """

    whose: Institution
    words: tuple[str, ...]


def nothing(_stage: Stage) -> Iterable[Command]:
    """Order nothing."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of the day.

    It is over when nobody has anything left to do, the books have come to what is
    expected, every line of the balance sheet that is named holds, and nothing is late
    but what is meant to be.

    Attributes:
        name: What it is called.
        source: The articles of the measures that it follows.
        day: The day that it is lived on.
        commands: What people order, in this order, before anything is started.
        starts: Which systems are started.
        looked_up: What people order by what the books show when the phase begins.
        kill: What goes wrong in the middle, if anything.
        expected: What the books must come to.
        lines: What must agree from here on.
        late: What the systems must tell as late on that day, and nothing else; None
            if nobody is asked.
    """

    name: str
    source: str
    day: date
    commands: tuple[Command, ...] = ()
    starts: tuple[Start, ...] = ()
    kill: Kill | None = None
    expected: tuple[Expected, ...] = ()
    lines: tuple[Line, ...] = ()
    late: tuple[Late, ...] | None = None
    looked_up: Callable[[Stage], Iterable[Command]] = nothing
