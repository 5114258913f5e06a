"""Telling a person at a terminal, or a file, what happens."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TextIO

from counterfoil.business.money import to_yuan
from counterfoil.day.figures import NAMES, Figures

_PLAIN_EVERY_S: Final = 5.0
_LIVE_EVERY_S: Final = 0.1
_NUMBERS: Final = tuple(name for name in NAMES if not name.endswith("_fen"))


@dataclass(slots=True)
class Screen:
    """Prints lines, and progress: in place on a terminal, else now and then.

    Attributes:
        stream: Where to.
    """

    stream: TextIO
    _started_s: float = field(default_factory=time.monotonic)
    _told_s: float = 0.0
    _width: int = 0

    def say(self, text: str) -> None:
        """Print a line."""
        self._clear()
        self.stream.write(f"{self._stamp()} {text}\n")
        self.stream.flush()

    def progress(self, counts: Mapping[str, int]) -> None:
        """Show how far the day is."""
        live = self.stream.isatty()
        now_s = time.monotonic()
        if now_s - self._told_s < (_LIVE_EVERY_S if live else _PLAIN_EVERY_S):
            return
        self._told_s = now_s
        text = "  ".join(f"{name} {count}" for name, count in counts.items())
        if not live:
            self.say(text)
            return
        self._clear()
        line = f"{self._stamp()} {text}"
        self.stream.write(line)
        self.stream.flush()
        self._width = len(line)

    def table(self, title: str, sources: Mapping[str, Figures]) -> None:
        """Show what each source tells of one pair."""
        self.say(title)
        heads = (*_NUMBERS, "sent yuan", "receipted yuan")
        rows = [("", *heads)]
        rows += [(source, *_cells(figures)) for source, figures in sources.items()]
        widths = [
            max(len(row[column]) for row in rows) for column in range(len(rows[0]))
        ]
        for row in rows:
            first, *rest = (
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            self.stream.write(f"    {first}  {'  '.join(rest)}\n")
        self.stream.flush()

    def _stamp(self) -> str:
        return f"[{time.monotonic() - self._started_s:6.1f} s]"

    def _clear(self) -> None:
        if self._width:
            self.stream.write(f"\r{' ' * self._width}\r")
            self._width = 0


def _cells(figures: Figures) -> list[str]:
    counts = [getattr(figures, name) for name in _NUMBERS]
    return [
        *("–" if count is None else f"{count:,}" for count in counts),
        to_yuan(figures.sent_fen),
        to_yuan(figures.receipted_fen),
    ]
