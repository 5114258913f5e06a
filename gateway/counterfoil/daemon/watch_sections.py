"""The sections of the configuration that are about watching ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalsSection:
    """`[refusals]`: the record of refused calls, its bounds and its binding."""

    rows_max: int = 1_000
    file_bytes_max: int = 4_194_304
    summary_s: float = 10.0
    bind_s: float = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondersSection:
    """`[responders]`: after how long the silence of an OCSP responder is told."""

    silence_s: float = 3_600.0


_ROW_BYTES: Final = 4_096
"""What a file must have room for, for each row: the file and the next one beside it."""


def check_refusals(section: RefusalsSection) -> None:
    """Check what one key says about another.

    Raises:
        ValueError: They contradict each other; the text begins with the key.
    """
    least = section.rows_max * _ROW_BYTES
    if section.file_bytes_max < least:
        msg = f"refusals.file_bytes_max: {section.rows_max} rows need {least} bytes"
        raise ValueError(msg)
