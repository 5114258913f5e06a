"""Self-test of the record of refused calls, beside the gateway that writes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from counterfoil.daemon.config import Configuration
from counterfoil.daemon.refusal_opening import judge, record_origin, record_path
from counterfoil.daemon.selftest_report import Check, Level
from counterfoil.daemon.stores import heads_directory
from counterfoil.vault.heads import known_heads
from counterfoil.vault.refusal_chain import Chain, End
from counterfoil.vault.refusal_state import RefusalState

_TRIES: Final = 5
_APART_S: Final = 0.1
"""The gateway may be exchanging the file just now; it takes two steps."""


def check_refusals(configuration: Configuration, _: int) -> Iterator[Check]:
    """Follow the record's chain, and compare it with what the head store remembers."""
    chain, state, broken = _judged(configuration)
    about = record_origin(configuration)
    if broken:
        yield Check(Level.FAULT, about, broken)
    elif chain is None:
        yield Check(Level.WARNING, about, "there is no record yet (尚无拒绝记录)")
    else:
        bound = state.bound
        leaf = "not bound yet (尚未固化)" if bound is None else f"leaf {bound.leaf}"
        rows = f"{chain.end.entries} entries, {len(state.rows)} rows"
        yield Check(Level.OK, about, f"{rows}, bound into the log: {leaf}")


def _judged(configuration: Configuration) -> tuple[Chain | None, RefusalState, str]:
    """Judge the record until it holds, or does not for some tries."""
    path, rows_max = record_path(configuration), configuration.refusals.rows_max
    found = judge(path, _known(configuration), rows_max, None)
    for _ in range(_TRIES):
        if not found[2]:
            break
        time.sleep(_APART_S)
        found = judge(path, _known(configuration), rows_max, None)
    return found


def _known(configuration: Configuration) -> End | None:
    """Return how far the record went, as the head store has it.

    Raises:
        HeadForked: The head store is damaged.
    """
    directory = heads_directory(configuration)
    heads = known_heads(directory) if directory.exists() else {}
    known = heads.get(record_origin(configuration))
    return None if known is None else End(known.head.size, known.head.root)
