"""The sections of the configuration that are about watching ourselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubSection:
    """`[scrub]`: how fast the vault is looked through, again and again."""

    items_per_s: float = 200.0
    pause_s: float = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSection:
    """`[program]`: the signed list of program files, and whose signatures count."""

    list: str = ""
    keys: tuple[str, ...] = ()
    check_s: float = 3_600.0
