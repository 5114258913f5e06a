"""What the entries of the record of refused calls come to, one after the other.

| entry     | says                                                                     |
|-----------|--------------------------------------------------------------------------|
| (first)   | `format`, `entries` and `end` that it goes on from, and what it sums up  |
| `refused` | calls that were refused: who, by which certificate, method, reason, how  |
|           | often, first and last time in microseconds since the epoch               |
| `binding` | a leaf is about to name the end after so many entries: it is at `leaf`   |
|           | or later                                                                 |
| `bound`   | a leaf of the log names the end after so many entries                    |
| `broken`  | it was found removed or changed: when, and how; which leaf of the log    |
|           | says so and which end that names, if one does                            |
| `told`    | the security officer was told of that                                    |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from counterfoil.domain.audit import RefusedCall
from counterfoil.domain.refusal_rows import RefusedRows
from counterfoil.vault.refusal_chain import Chain, End, Entry, RecordChanged

BREAKS_MAX: Final = 16
"""Breaks that a new file is told of; the older ones are in leaves and alerts only."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A leaf of the log that names an end of the record.

    Attributes:
        leaf: Its log index.
        end: The end that it names.
    """

    leaf: int
    end: End


@dataclass(slots=True)
class Break:
    """The record was found removed or changed.

    Attributes:
        time_us: When, microseconds since the epoch.
        detail: How, for people.
        is_told: Whether the security officer was told.
    """

    time_us: int
    detail: str
    is_told: bool = False


@dataclass(slots=True, kw_only=True)
class RefusalState:
    """What the record says at one end.

    Attributes:
        rows: The refused calls.
        bound: The leaf that names an end of it last; None if none.
        binding: The end that a leaf was about to name, and the first that it could
            be; None once that is settled.
        breaks: When it was found broken.
        excused: Leaves of the log that were told as breaks, the newest.
        is_bound: Whether that leaf names all that is to be told.
    """

    rows: RefusedRows
    bound: Bound | None = None
    binding: Bound | None = None
    breaks: list[Break] = field(default_factory=list)
    excused: list[int] = field(default_factory=list)
    is_bound: bool = True

    def take(self, entry: Entry) -> None:
        """Take in the next entry.

        Raises:
            RecordChanged: It is none that the record knows.
        """
        try:
            self._take(entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordChanged("an entry is none that a record has") from error

    def _take(self, entry: Entry) -> None:
        self.is_bound = "bound" in entry
        if "format" in entry:
            self._begin(entry)
        elif "refused" in entry:
            self.rows.add(_call(entry["refused"]))
        elif "binding" in entry:
            self.binding = _bound(entry["binding"])
        elif "bound" in entry:
            self.bound, self.binding = _bound(entry["bound"]), None
        elif "broken" in entry:
            self._break(entry["broken"])
        elif "told" in entry:
            for one in self.breaks:
                one.is_told = True
        else:
            raise ValueError("no such entry")

    def _break(self, broken: dict[str, Any]) -> None:
        self.breaks.append(Break(int(broken["time_us"]), str(broken["detail"])))
        del self.breaks[:-BREAKS_MAX]
        if "leaf" not in broken:
            return
        found = _bound(broken)
        self.excused.append(found.leaf)
        del self.excused[:-BREAKS_MAX]
        if self.bound is None or found.leaf > self.bound.leaf:
            # The next leaf goes on from what the log has, so that it is told once.
            self.bound = found

    def _begin(self, entry: Entry) -> None:
        """Take in what the first entry of a file sums up."""
        self.rows.add_all(_call(row) for row in entry["rows"])
        self.rows.next_place = max(self.rows.next_place, int(entry["next_place"]))
        self.bound, self.binding = (
            None if entry[name] is None else _bound(entry[name])
            for name in ("bound", "binding")
        )
        self.breaks = [
            Break(int(one["time_us"]), str(one["detail"]), bool(one["is_told"]))
            for one in entry["breaks"]
        ]
        self.excused = [int(leaf) for leaf in entry["excused"]]
        # Where nothing is summed up, nothing is to be told.
        self.is_bound = not (len(self.rows) or self.breaks)

    def summary(self) -> Entry:
        """Return what the first entry of a file sums up."""
        return {
            "rows": [stated(call) for call in self.rows],
            "next_place": self.rows.next_place,
            "bound": None if self.bound is None else _stated(self.bound),
            "binding": None if self.binding is None else _stated(self.binding),
            "breaks": [
                {"time_us": one.time_us, "detail": one.detail, "is_told": one.is_told}
                for one in self.breaks
            ],
            "excused": self.excused,
        }

    def untold(self) -> list[Break]:
        """Return the breaks of which the security officer was not told."""
        return [one for one in self.breaks if not one.is_told]


def state_of(chain: Chain, rows_max: int) -> RefusalState:
    """Return what the entries of a file come to.

    Raises:
        RecordChanged: One is none that the record knows.
    """
    state = RefusalState(rows=RefusedRows(rows_max=rows_max))
    for entry in chain.entries:
        state.take(entry)
    return state


def refused_entries(calls: Iterable[RefusedCall]) -> list[Entry]:
    """Return the entries that say that calls were refused."""
    return [{"refused": stated(call)} for call in calls]


def bound_entry(bound: Bound) -> Entry:
    """Return the entry that says which leaf names an end."""
    return {"bound": _stated(bound)}


def binding_entry(bound: Bound) -> Entry:
    """Return the entry that says that a leaf is about to name an end.

    Args:
        bound: The end, and the first leaf that it could be.
    """
    return {"binding": _stated(bound)}


def broken_entry(time_us: int, detail: str, found: Bound | None = None) -> Entry:
    """Return the entry that says that the record was found broken.

    Args:
        time_us: When, microseconds since the epoch.
        detail: How.
        found: The leaf of the log that says so, if one does.
    """
    named = {} if found is None else _stated(found)
    return {"broken": {"time_us": time_us, "detail": detail, **named}}


def told_entry(time_us: int) -> Entry:
    """Return the entry that says that the security officer was told."""
    return {"told": {"time_us": time_us}}


def stated(call: RefusedCall) -> dict[str, Any]:
    """Return refused calls as an entry states them."""
    return {
        "identity": call.identity,
        "certificate": call.certificate.hex(),
        "method": call.method,
        "reason": call.reason,
        "count": call.count,
        "first_us": call.first_us,
        "last_us": call.last_us,
        **({"place": call.place} if call.place else {}),
    }


def _call(row: dict[str, Any]) -> RefusedCall:
    return RefusedCall(
        identity=str(row["identity"]),
        certificate=bytes.fromhex(row["certificate"]),
        method=str(row["method"]),
        reason=str(row["reason"]),
        count=int(row["count"]),
        first_us=int(row["first_us"]),
        last_us=int(row["last_us"]),
        place=int(row.get("place", 0)),
    )


def _stated(bound: Bound) -> dict[str, Any]:
    end = bound.end
    return {"leaf": bound.leaf, "entries": end.entries, "end": end.digest.hex()}


def _bound(stated: dict[str, Any]) -> Bound:
    end = End(int(stated["entries"]), bytes.fromhex(stated["end"]))
    return Bound(int(stated["leaf"]), end)
