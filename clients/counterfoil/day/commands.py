"""Commands that people give to the business systems while these run.

A command is called in this process, not started as one: a Python program takes half a
second to start, and the day gives many. It does the same, for all that it knows of the
running system is the system's books.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from counterfoil.bank import cli as bank
from counterfoil.business.days import written
from counterfoil.business.program import DONE
from counterfoil.day.cast import Institution
from counterfoil.day.programs import DayFailed
from counterfoil.day.stage import Stage
from counterfoil.finance import cli as finance
from counterfoil.treasury import cli as treasury
from counterfoil.unit import cli as unit

MAINS: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "finance": finance.main,
    "treasury": treasury.main,
    "agent-bank": bank.main,
    "special-account-bank": bank.main,
    "budget-unit": unit.main,
}
"""The command of each kind of institution's system."""
_NAMES: Final = ("FINANCE", "TREASURY", "BANK", "UNIT")
"""As the environment twins of their options begin."""


@contextlib.contextmanager
def living(day: date) -> Iterator[None]:
    """Let every system that is called or started meanwhile live a day."""
    twins = [f"COUNTERFOIL_{name}_TODAY" for name in _NAMES]
    os.environ.update(dict.fromkeys(twins, written(day)))
    try:
        yield
    finally:
        for twin in twins:
            del os.environ[twin]


class CommandRefused(DayFailed):
    """A system would not do what it was told; the text says which and why."""


class Answer(NamedTuple):
    """What a command ended with, printed, and said on its standard error."""

    status: int
    output: str
    errors: str


def call(stage: Stage, one: Institution, arguments: Sequence[str]) -> str:
    """Give a command to a party's system; return what it printed.

    Raises:
        CommandRefused: It was.
    """
    answered = answer(stage, one, arguments)
    if answered.status != DONE:
        what = f"{one.system}: {' '.join(arguments)} ended with {answered.status}"
        raise CommandRefused(f"{what}:\n{answered.errors}")
    return answered.output


def answer(stage: Stage, one: Institution, arguments: Sequence[str]) -> Answer:
    """Give a command to a party's system; return what came of it."""
    config = stage.system(one.code)
    command, *options = arguments
    output, errors = io.StringIO(), io.StringIO()
    with (
        # A system's paths are relative to its own folder.
        contextlib.chdir(config.parent),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        status = MAINS[one.kind]([command, "--config", config.name, *options])
    return Answer(status, output.getvalue(), errors.getvalue())
