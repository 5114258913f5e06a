"""A voucher's own date against the clock."""

from __future__ import annotations

from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.rules import dates
from counterfoil.domain.violation import Violation
from counterfoil.wire.documents import Facts


def check_day(facts: Facts, at_us: int) -> None:
    """Check that a voucher is not dated in the future.

    Args:
        facts: What a payload says; one that is no voucher has no date of its own.
        at_us: Now, by our own clock.

    Raises:
        FormRefused: It is.
    """
    if not dates.has_come(facts.day, at_us):
        raise FormRefused(
            "the voucher is dated in the future",
            [
                Violation(
                    path="vou_date",
                    rule="date.future",
                    text="later than tomorrow",
                    text_zh="凭证日期晚于明日",
                )
            ],
        )
