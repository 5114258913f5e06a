"""Telling a person at a terminal, or a file, what happens."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

_PLAIN_EVERY_S: Final = 5.0
_LIVE_EVERY_S: Final = 0.1
_WIDE: Final = ("W", "F")


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

    def table(
        self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]
    ) -> None:
        """Print a table; its first column is text, the others are numbers."""
        self.say(title)
        every = [heads, *rows]
        widths = [
            max(width_of(row[column]) for row in every) for column in range(len(heads))
        ]
        for row in every:
            first, *rest = zip(row, widths, strict=True)
            cells = [_padded(*first)]
            cells += [" " * (width - width_of(cell)) + cell for cell, width in rest]
            self.stream.write(f"    {'  '.join(cells).rstrip()}\n")
        self.stream.flush()

    def _stamp(self) -> str:
        return f"[{time.monotonic() - self._started_s:6.1f} s]"

    def _clear(self) -> None:
        if self._width:
            self.stream.write(f"\r{' ' * self._width}\r")
            self._width = 0


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes; Chinese takes two each."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in _WIDE else 1 for letter in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))
