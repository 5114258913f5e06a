"""How often it is looked whether a phase is over: looking costs, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

SHARE: Final = 0.05
"""Share of the time that looking may take."""
LEAST_S: Final = 0.05
MOST_S: Final = 5.0
"""How long it is waited between two looks: not less, not more."""


@dataclass(slots=True)
class Pace:
    """Says when to look again: the longer it takes, the more seldom.

    Attributes:
        clock: Seconds that only go on.
    """

    clock: Callable[[], float] = time.monotonic
    _again_s: float = 0.0

    def is_due(self) -> bool:
        """Tell whether it is time to look."""
        return self.clock() >= self._again_s

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look, and see how long that takes."""
        started_s = self.clock()
        yield
        ended_s = self.clock()
        self._again_s = ended_s + min(
            MOST_S, max(LEAST_S, (ended_s - started_s) / SHARE)
        )
