"""Counts refused calls between two writings of their record, bounded by caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from counterfoil.domain.audit import RefusedCall
from counterfoil.domain.refusal_rows import RefusalKey, summed_key

PROMPT_MAX: Final = 16
"""Rows of one caller that are written at once in an interval; more are summed up by
reason, and written as sums."""

_IDENTITY_MAX: Final = 256
"""Characters of an identity that are kept; what has no URN may be long."""


@dataclass(slots=True, kw_only=True)
class RefusalCounts:
    """What was refused and is not written yet; owned by the event loop.

    Attributes:
        now_us: Our clock.
    """

    now_us: Callable[[], int]
    _pending: dict[RefusalKey, RefusedCall] = field(default_factory=dict)
    _taken: dict[RefusalKey, RefusedCall] = field(default_factory=dict)
    _wanted: set[RefusalKey] = field(default_factory=set)
    _written: set[RefusalKey] = field(default_factory=set)
    _prompt: Counter[str] = field(default_factory=Counter)

    def count(
        self, identity: str, certificate: bytes, method: str, reason: str
    ) -> RefusalKey:
        """Count a call that was refused; return the row in which it is counted."""
        key = identity[:_IDENTITY_MAX], certificate, method, reason
        is_new = key not in self._written and key not in self._wanted
        if is_new and self._prompt[key[0]] >= PROMPT_MAX:
            key = summed_key(key)
        now_us = self.now_us()
        call = RefusedCall(
            identity=key[0],
            certificate=key[1],
            method=key[2],
            reason=reason,
            count=1,
            first_us=now_us,
            last_us=now_us,
        )
        before = self._pending.get(key)
        self._pending[key] = call if before is None else _sum(before, call)
        return key

    def is_written(self, key: RefusalKey) -> bool:
        """Tell whether a row was written in this interval: then its sum can wait."""
        return key in self._written

    def want(self, key: RefusalKey) -> None:
        """Let a row be written at once."""
        if key not in self._wanted:
            self._wanted.add(key)
            self._prompt[key[0]] += 1

    def wanted(self) -> set[RefusalKey]:
        """Return which rows are to be written at once; they are asked for once."""
        wanted, self._wanted = self._wanted, set()
        return wanted

    def all_keys(self) -> set[RefusalKey]:
        """Return all rows that have something to be written."""
        return set(self._pending)

    def take(self, keys: Iterable[RefusalKey]) -> list[RefusedCall]:
        """Take what is to be written under some keys; then call `settle`."""
        for key in keys:
            if key in self._pending:
                self._taken[key] = self._pending.pop(key)
        return list(self._taken.values())

    def settle(self, *, is_written: bool) -> None:
        """Let go of what was taken if it is written; else count it again."""
        taken, self._taken = self._taken, {}
        if is_written:
            self._written.update(taken)
            return
        for key, call in taken.items():
            later = self._pending.get(key)
            self._pending[key] = call if later is None else _sum(call, later)

    def unwritten(self) -> list[RefusedCall]:
        """Return what is counted and not written yet."""
        return [*self._taken.values(), *self._pending.values()]

    def begin_interval(self) -> None:
        """Begin the next interval: each row is written at once again, once."""
        self._written.clear()
        self._prompt.clear()


def _sum(before: RefusedCall, later: RefusedCall) -> RefusedCall:
    count = before.count + later.count
    return replace(later, count=count, first_us=before.first_us)
