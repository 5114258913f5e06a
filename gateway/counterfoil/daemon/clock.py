"""The one place where the product reads the time."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's clock; implements `counterfoil.app.ports.Clock`."""

    def now_us(self) -> int:
        """Return the instant, microseconds since 1970-01-01T00:00Z."""
        return time.time_ns() // 1_000
