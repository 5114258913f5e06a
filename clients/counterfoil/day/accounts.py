"""What every business system's books tell, asked as anybody may ask: `books --json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from counterfoil.day.balance import Accounts
from counterfoil.day.cast import PARTIES
from counterfoil.day.commands import call
from counterfoil.day.stage import Stage


def accounts_of(stage: Stage) -> Accounts:
    """Return what the books of every party tell."""
    return {
        one.code: dict(flat(json.loads(call(stage, one, ("books", "--json")))))
        for one in PARTIES
    }


def flat(told: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, int]]:
    """Yield every number, under the names of the tables that it stands in."""
    for name, value in told.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
