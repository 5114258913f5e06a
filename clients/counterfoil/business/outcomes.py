"""What the gateway's answers mean for a system that may ask twice."""

from __future__ import annotations

from counterfoil.office import DeskRefused, Outcome


def begun_before(outcome: Outcome) -> bool:
    """Tell whether `begin_acting` was refused because the act has begun already.

    To a system whose books know that nothing was done yet, that is as good as done:
    only the answer to its first asking was lost.
    """
    return isinstance(outcome, DeskRefused) and outcome.facts.get("state") == "ACTING"
