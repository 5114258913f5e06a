"""A clock that was set back: no seal is judged until it has caught up with the log.

What was revoked or has ended since would count again, and the log could not say so: no
leaf has an earlier time than the one before it, so what was judged by the clock as it
is would stand there as of a time at which it does not hold.
"""

from __future__ import annotations

from counterfoil.app.proved_log import ProvedLog
from counterfoil.domain.refusals import SealUndetermined
from counterfoil.seal.chains import SKEW_US

_SECOND_US = 1_000_000


def turned_back(now_us: int, log: ProvedLog) -> SealUndetermined | None:
    """Return why no seal can be judged at an instant; None if it can.

    Args:
        now_us: By our clock, microseconds since the epoch.
        log: Our log, whose newest leaf may be younger by the skew of clocks.
    """
    behind_us = log.time_us - now_us
    if behind_us <= SKEW_US:
        return None
    return SealUndetermined(
        "the gateway's clock is behind its own log; it was set back, or was ahead then",
        behind_s=str(behind_us // _SECOND_US),
    )
