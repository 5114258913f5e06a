"""Every reason for which the gateway refuses, wherever its class stands."""

from __future__ import annotations

from typing import Final

from counterfoil.domain import (
    earlier_refusals,
    naming_refusals,
    refusals,
    register_refusals,
)
from counterfoil.domain.refusals import CounterfoilError

MODULES: Final = (refusals, naming_refusals, register_refusals, earlier_refusals)
"""Modules of the domain that state reasons; stores have some of their own."""


def all_reasons() -> dict[str, type[CounterfoilError]]:
    """Return every concrete refusal that is loaded, by its reason."""
    found: dict[str, type[CounterfoilError]] = {}
    waiting: list[type[CounterfoilError]] = [CounterfoilError]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if "reason" in vars(kind):
            assert kind.reason not in found, f"two classes say {kind.reason}"
            found[kind.reason] = kind
    return found
