"""What is late, or waits for a person: every system's `alerts`, against what is meant.

A day in which something should be late, and no system tells it, is as wrong as one in
which something is late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from counterfoil.business.program import DONE, REFUSED
from counterfoil.day.cast import PARTIES
from counterfoil.day.commands import answer
from counterfoil.day.phases import Late
from counterfoil.day.programs import DayFailed
from counterfoil.day.stage import Stage

Alarms = Mapping[str, Sequence[str]]
"""What the alerts of each party's system tell, line by line."""
_STATUS: Final = {True: REFUSED, False: DONE}
"""How `alerts` ends, by whether it told anything."""


def alarms_of(stage: Stage) -> Alarms:
    """Ask every system what is late; the caller says for which day (`living`).

    Raises:
        DayFailed: A system could not tell.
    """
    told: dict[str, list[str]] = {}
    for one in PARTIES:
        answered = answer(stage, one, ("alerts",))
        lines = answered.output.splitlines()
        if answered.status != _STATUS[bool(lines)]:
            what = f"alerts of {one.system} ended with {answered.status}"
            raise DayFailed(f"{what}:\n{answered.errors}")
        told[one.code] = lines
    return told


def unmeant(told: Alarms, late: Sequence[Late]) -> Iterator[str]:
    """Yield what is told and not meant, and what is meant and not told.

    Args:
        told: What all systems tell.
        late: What is meant to be late; each may be told by more lines than one.
    """
    for party, lines in told.items():
        for line in lines:
            if not any(_is_about(line, party, one) for one in late):
                yield f"alerts of {party}: {line}"
    for one in late:
        lines = told.get(one.whose.code, ())
        if not any(_is_about(line, one.whose.code, one) for line in lines):
            yield f"alerts of {one.whose.code} do not tell: {' '.join(one.words)}"


def _is_about(line: str, party: str, late: Late) -> bool:
    return party == late.whose.code and all(word in line for word in late.words)
