"""What a day cost: rates, and CPU for each payment by program and stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a day cost.

    Attributes:
        payments: Payments that were made: the vouchers that the day is about.
        vouchers: Vouchers of all kinds that were carried for them.
        seconds: How long each stage took.
        cpu_s: CPU seconds by program and stage.
        peak_bytes: Most memory of its own that a process of each program had.
    """

    payments: int
    vouchers: int
    seconds: Mapping[str, float]
    cpu_s: Mapping[tuple[str, str], float]
    peak_bytes: Mapping[str, int]

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages in their order."""
        return tuple(dict.fromkeys(stage for _, stage in self.cpu_s))

    @property
    def rate(self) -> float:
        """Payments a second, from the first stage's begin to the last one's end."""
        return self.payments / sum(self.seconds.values())

    @property
    def rate_of_all(self) -> float:
        """The same of vouchers of all kinds."""
        return self.vouchers / sum(self.seconds.values())

    def cpu_us(self, program: str = "", stage: str = "") -> float:
        """Return CPU microseconds for each payment, of a program or all together.

        In one stage, or in all of them.
        """
        used_s = (
            used
            for (who, when), used in self.cpu_s.items()
            if program in {"", who} and stage in {"", when}
        )
        return sum(used_s) / self.payments * 1e6
