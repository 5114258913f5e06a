"""What a benchmark reports, and what was promised."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value.

    Attributes:
        name: What was measured, e.g. `seal.single.rate`.
        value: How much.
        unit: Of what.
        goal: What was promised, e.g. 4500; None: only for information.
        at_most: Whether the goal is an upper bound.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; None without a goal."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def to_line(self) -> str:
        """Return one line of the table."""
        goal = ""
        if self.goal is not None:
            sign = "≤" if self.at_most else "≥"
            goal = f"{sign} {self.goal:g}  {'met' if self.met else 'MISSED'}"
        return f"{self.name:<44} {self.value:>12.2f} {self.unit:<12} {goal}"


def write_figures(figures: Iterable[Figure], file: Path) -> None:
    """Write figures as the list that `bench.json` holds."""
    rows = [
        {
            "name": figure.name,
            "value": round(figure.value, 3),
            "unit": figure.unit,
            "goal": figure.goal,
            "met": figure.met,
        }
        for figure in figures
    ]
    file.write_text(json.dumps(rows, indent=1) + "\n")
