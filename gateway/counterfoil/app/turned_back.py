"""A clock that was set back, or whose log was written by one that was ahead.

No leaf has an earlier time than the one before it. What was judged by a clock that is
behind the log would stand there as of a time at which it may not hold: a certificate
that was revoked or has ended since would count again. So seals are judged as of the log
then. And because nobody knows which of the two is wrong, what does not hold waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from counterfoil.app.proved_log import ProvedLog
from counterfoil.domain.refusals import CounterfoilError, SealForged, SealUndetermined
from counterfoil.seal.chains import SKEW_US

_SECOND_US = 1_000_000
_Judged = TypeVar("_Judged")


def judged_as_of(now_us: int, log: ProvedLog) -> int:
    """Return the instant as of which seals are judged, microseconds since the epoch.

    Args:
        now_us: By our clock.
        log: Our log; the time of its newest leaf counts if that is later.
    """
    return max(now_us, log.time_us)


def unless_behind(
    judged: Sequence[_Judged | CounterfoilError], now_us: int, log: ProvedLog
) -> list[_Judged | CounterfoilError]:
    """Return what was judged; what is refused for its seals waits if a clock is wrong.

    Args:
        judged: As of `judged_as_of`.
        now_us: By our clock.
        log: Our log, whose newest leaf may be younger by the skew of clocks.
    """
    behind_us = log.time_us - now_us
    if behind_us <= SKEW_US:
        return list(judged)
    waits = SealUndetermined(
        "its seals do not hold as of our log, and the gateway's clock is behind that; "
        "one of the two is wrong",
        behind_s=str(behind_us // _SECOND_US),
    )
    return [waits if isinstance(one, SealForged) else one for one in judged]
