"""Refused calls, counted and bounded: who, by what, why, how often (拒绝记录).

The same refusal again is counted in its row. Where rows become too many, those of
whoever has most of them become one for each reason; what was counted is never lost,
only what method and certificate it was. So nobody drives another's out of sight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from counterfoil.domain.audit import RefusedCall

RefusalKey: TypeAlias = tuple[str, bytes, str, str]
"""Identity, certificate's digest, method, reason: what makes two refusals the same."""


def key_of_refusal(call: RefusedCall) -> RefusalKey:
    """Return what makes a refusal the same as another."""
    return call.identity, call.certificate, call.method, call.reason


def summed_key(key: RefusalKey) -> RefusalKey:
    """Return the key of the row that sums up all of a caller's for a reason."""
    identity, _, _, reason = key
    return identity, b"", "", reason


@dataclass(slots=True, kw_only=True)
class RefusedRows:
    """Rows of refused calls, the one that was not seen for longest first.

    Attributes:
        rows_max: Most rows; there may be more only if there are more reasons.
        next_place: The place of the next new row.
    """

    rows_max: int
    next_place: int = 1
    _rows: dict[RefusalKey, RefusedCall] = field(default_factory=dict)
    _of: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[RefusedCall]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def copy(self) -> RefusedRows:
        """Return the same rows, to be changed on their own."""
        return replace(self, _rows=dict(self._rows), _of=Counter(self._of))

    def add(self, call: RefusedCall) -> None:
        """Count calls that were refused in their row; a new one gets the next place."""
        self._put(call)
        while len(self._rows) > self.rows_max:
            folded = self._to_fold()
            if folded is None:
                return
            self._fold(folded)

    def add_all(self, calls: Iterable[RefusedCall]) -> None:
        """Count each of several."""
        for call in calls:
            self.add(call)

    def _put(self, call: RefusedCall) -> None:
        key = key_of_refusal(call)
        before = self._rows.pop(key, None)
        if before is not None:
            self._rows[key] = replace(
                call,
                count=before.count + call.count,
                first_us=min(before.first_us, call.first_us),
                last_us=max(before.last_us, call.last_us),
                place=before.place,
            )
            return
        self._of[call.identity] += 1
        self._rows[key] = replace(call, place=call.place or self.next_place)
        self.next_place = max(self.next_place, self._rows[key].place + 1)

    def _to_fold(self) -> RefusedCall | None:
        """Return the oldest row of whoever has most; first those not summed up yet."""
        names = [name for name, _ in self._of.most_common() if name]
        for name in [*names, ""]:
            calls = [call for call in self if call.identity == name]
            summed = [call for call in calls if _is_summed(call)]
            whole = [call for call in calls if not _is_summed(call)]
            if whole or (name and summed):
                return (whole or summed)[0]
        return None

    def _fold(self, call: RefusedCall) -> None:
        key = key_of_refusal(call)
        del self._rows[key]
        self._of[call.identity] -= 1
        summed = summed_key(key)
        # To sum up one row alone makes room for nobody.
        if summed == key or not self._of[call.identity]:
            summed = ("", b"", "", call.reason)
        self._of += Counter()  # lets go of whoever has none
        self._put(
            replace(call, identity=summed[0], certificate=b"", method="", place=0)
        )


def _is_summed(call: RefusedCall) -> bool:
    key = key_of_refusal(call)
    return key == summed_key(key)
