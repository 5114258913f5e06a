"""`[trust]` of the configuration: whom we believe, and how revocation is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from counterfoil.daemon.responder_address import check_responder
from counterfoil.domain.party import is_party_code

HARD: Final = "hard"
SOFT: Final = "soft"

_SOFT_S_MAX: Final = 31 * 24 * 3600.0
"""Longest time that soft fail may last: longer, and revocation means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSection:
    """`[trust]`: whom we believe; `docs/gateway.toml` explains each key."""

    authorities: str
    revocation_lists: tuple[str, ...]
    speaks_for: tuple[str, ...] = ()
    reload_s: float = 30.0
    revocation: str = HARD
    soft_age_s_max: float = 0.0
    ocsp: bool = False
    ocsp_responder: str = ""
    ocsp_s_max: float = 5.0

    @property
    def soft_us(self) -> int:
        """For how long a list or answer is gone by at most; 0 for hard fail."""
        return int(self.soft_age_s_max * 1_000_000) if self.revocation == SOFT else 0


def limited_roots(section: TrustSection) -> list[tuple[str, frozenset[str]]]:
    """Return the files whose roots speak for some parties only, and for which.

    Raises:
        ValueError: A line is none, or names what is no party; it begins with the key.
    """
    limited = []
    for line in section.speaks_for:
        file, equals, codes = line.rpartition("=")
        parties = codes.split(",")
        if not (file and equals and all(map(is_party_code, parties))):
            msg = f"trust.speaks_for: FILE=CODE,CODE… is expected, not {line!r}"
            raise ValueError(msg)
        limited.append((file, frozenset(parties)))
    return limited


def check_trust(section: TrustSection) -> None:
    """Check what one key says about another.

    Raises:
        ValueError: They contradict each other; the text begins with the key.
    """
    if not section.revocation_lists and not section.ocsp:
        raise ValueError(
            "trust.revocation_lists: without a list, and without ocsp = true, nobody "
            "is believed; name the files"
        )
    limited_roots(section)
    if section.revocation not in {HARD, SOFT}:
        raise ValueError('trust.revocation: must be "hard" or "soft"')
    if not 0 <= section.soft_age_s_max < math.inf:
        raise ValueError("trust.soft_age_s_max: must be zero or greater, and finite")
    if section.revocation == SOFT and not 0 < section.soft_age_s_max <= _SOFT_S_MAX:
        raise ValueError(
            "trust.soft_age_s_max: soft fail needs an age, greater than zero and at "
            f"most {_SOFT_S_MAX:.0f} seconds"
        )
    if section.revocation == HARD and section.soft_age_s_max:
        raise ValueError('trust.soft_age_s_max: only with revocation = "soft"')
    if section.ocsp_responder:
        if not section.ocsp:
            raise ValueError("trust.ocsp_responder: only with ocsp = true")
        try:
            check_responder(section.ocsp_responder)
        except ValueError as error:
            msg = f"trust.ocsp_responder: {error}"
            raise ValueError(msg) from error
