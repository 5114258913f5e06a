"""What a self-test says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How it is."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """In order still, and somebody must do something soon."""
    FAULT = "fault"
    """Not as it must be."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        level: How it is.
        about: Which thing.
        detail: What was found; no secret.
    """

    level: Level
    about: str
    detail: str
