"""Opening the record of refused calls: what was done to it meanwhile is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from counterfoil.daemon.refusal_opening import OpenedRecord, open_record, remember
from counterfoil.domain.audit import RefusedCall
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import LeafNotFound
from counterfoil.domain.standing import Act
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.refusal_chain import BEGINNING, End
from counterfoil.vault.refusal_file import put_in_place, successor_of, write_successor
from counterfoil.vault.refusal_state import (
    Bound,
    binding_entry,
    bound_entry,
    refused_entries,
)

ORIGIN = "420000-011/refusals"
NOW_US = 1_790_000_000_000_000

pytestmark = pytest.mark.clause("hubei-37a2", "hubei-37c")


def call(method: str) -> RefusedCall:
    return RefusedCall(
        identity="CN=x",
        certificate=b"c" * 32,
        method=method,
        reason="POST_REFUSED",
        count=1,
        first_us=1,
        last_us=1,
    )


@dataclass
class Room:
    """A state directory, its head store, and what its log says."""

    directory: Path
    heads: MemoryHeads = field(default_factory=MemoryHeads)
    leaves: dict[int, bytes] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.directory / "refusals.jsonl"

    def leaf(self, index: int) -> Leaf:
        if index not in self.leaves:
            raise LeafNotFound("no such leaf", leaf=str(index))
        end = self.leaves[index]
        return Leaf(
            act=Act.BIND,
            kind=DocumentKind.REGISTRATION,
            time_us=NOW_US,
            subject=bytes(32),
            document=end,
            version=end,
            by="420000-011",
        )

    def open(self, hint: int | None = None) -> OpenedRecord:
        return open_record(
            self.path,
            self.heads,
            ORIGIN,
            rows_max=100,
            leaf=self.leaf,
            size=max(self.leaves, default=-1) + 1,
            now_us=NOW_US,
            hint=hint,
        )

    def note(self, opened: OpenedRecord) -> None:
        """Let the head store remember how far a record went, and close it."""
        remember(self.heads, ORIGIN, opened.file.end)
        opened.file.close()


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A record that recorded three refusals and a binding after the second."""
    room = Room(tmp_path)
    opened = room.open()
    opened.file.append(refused_entries([call("/A"), call("/B")]))
    end = opened.file.end
    room.leaves[5] = end.digest
    opened.file.append([bound_entry(Bound(5, end)), *refused_entries([call("/C")])])
    room.note(opened)
    return room


def methods(opened: OpenedRecord) -> list[str]:
    return [row.method for row in opened.state.rows]


def breaks(opened: OpenedRecord) -> str:
    return "; ".join(one.detail for one in opened.state.untold())


def test_a_record_that_nobody_touched_goes_on(room: Room) -> None:
    opened = room.open()
    assert breaks(opened) == ""
    assert methods(opened) == ["/A", "/B", "/C"]
    assert opened.state.bound is not None
    assert opened.state.bound.leaf == 5
    # One was recorded since it was bound.
    assert not opened.state.is_bound
    # Killed: the head store knows less than the file, which is no fault.
    opened.file.append(refused_entries([call("/D")]))
    opened.file.close()
    again = room.open()
    assert (breaks(again), methods(again)[-1]) == ("", "/D")


def remove(room: Room) -> None:
    room.path.unlink()


def truncate(room: Room) -> None:
    lines = room.path.read_bytes().splitlines(keepends=True)
    room.path.write_bytes(b"".join(lines[:-1]))


def change(room: Room) -> None:
    content = room.path.read_bytes()
    room.path.write_bytes(content.replace(b"/C", b"/X"))


def empty(room: Room) -> None:
    room.path.write_bytes(b"")


def forge(room: Room) -> None:
    """Write a record that is whole in itself and goes on from what is remembered."""
    known = room.heads.newest(ORIGIN)
    assert known is not None
    other = Room(room.directory / "other")
    other.directory.mkdir()
    start = End(known.head.size, known.head.root)
    summary = other.open().state.summary()
    write_successor(room.path, start, summary)
    put_in_place(room.path)


@pytest.mark.parametrize(
    ("act", "kept", "says"),
    [
        (remove, [], "removed"),
        (truncate, ["/A", "/B"], "does not hold the 5 entries"),
        (change, ["/A", "/B"], "entry 5 is not"),
        (empty, [], "no entry"),
        (forge, [], "does not hold the 5 entries"),
    ],
)
def test_what_was_done_to_it_is_noticed_and_kept(
    room: Room, act: Callable[[Room], None], kept: list[str], says: str
) -> None:
    act(room)

    opened = room.open(hint=5)

    assert says in breaks(opened)
    assert methods(opened) == kept
    assert (room.directory / "refusals.damaged").exists() is (act is not remove)
    # It goes on where it was, and with the log, and says so again until that is told.
    assert opened.file.end.entries == 6
    assert opened.state.bound is not None
    assert opened.state.bound.end.digest == room.leaves[5]
    assert not opened.state.is_bound
    room.note(opened)
    again = room.open()
    assert breaks(again) == breaks(opened)
    assert len(again.state.breaks) == 1


def test_the_log_tells_of_a_record_and_a_head_store_that_were_both_rewritten(
    room: Room,
) -> None:
    room.leaves[5] = b"o" * 32
    assert "leaf 5 of the log names another end" in breaks(room.open())

    del room.leaves[5]
    room.path.unlink()
    opened = room.open(hint=5)
    assert opened.state.bound is None


def test_a_leaf_that_is_not_there_is_no_binding(room: Room) -> None:
    del room.leaves[5]

    assert "leaf 5, which names its end, cannot be read" in breaks(room.open())


def test_a_claim_that_the_chain_contradicts_is_none(room: Room) -> None:
    opened = room.open()
    other = End(3, b"x" * 32)
    room.leaves[8] = other.digest
    opened.file.append([bound_entry(Bound(8, other))])
    room.note(opened)

    assert "claims another end for leaf 8" in breaks(room.open())


# It is remembered first, then put in its place.
@pytest.mark.parametrize(
    ("is_remembered", "is_in_place"), [(False, False), (True, False), (True, True)]
)
def test_an_exchange_that_was_cut_off_loses_nothing(
    room: Room, *, is_remembered: bool, is_in_place: bool
) -> None:
    opened = room.open()
    end, _ = write_successor(room.path, opened.file.end, opened.state.summary())
    if is_remembered:
        remember(room.heads, ORIGIN, end)
    if is_in_place:
        put_in_place(room.path)
    opened.file.close()

    again = room.open()

    assert breaks(again) == ""
    assert methods(again) == ["/A", "/B", "/C"]
    assert again.file.end.entries == (6 if is_remembered else 5)
    assert not successor_of(room.path).exists()


def test_a_stranger_s_successor_is_not_taken(room: Room) -> None:
    other = Room(room.directory / "other")
    other.directory.mkdir()
    write_successor(room.path, BEGINNING, other.open().state.summary())

    again = room.open()

    assert (breaks(again), methods(again)) == ("", ["/A", "/B", "/C"])


@pytest.mark.parametrize("is_committed", [False, True])
def test_a_binding_that_nobody_heard_of_is_found_in_the_log(
    room: Room, *, is_committed: bool
) -> None:
    opened = room.open()
    end = opened.file.end
    opened.file.append([binding_entry(Bound(6, end))])
    opened.file.close()  # killed
    # Others wrote meanwhile.
    room.leaves |= dict.fromkeys(range(6, 9), b"o" * 32)
    if is_committed:
        room.leaves[9] = end.digest

    again = room.open()

    assert breaks(again) == ""
    assert again.state.bound is not None
    assert again.state.bound.leaf == (9 if is_committed else 5)
    room.note(again)
    assert breaks(room.open()) == ""
