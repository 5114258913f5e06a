"""What the guard remembers of callers: counted, and in order."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.domain.audit import RecordEnd, RefusedCall
from counterfoil.domain.posts import Post
from counterfoil.rpc.sightings import Sightings

MANAGER = "urn:counterfoil:420000-011:person:manager"
SYSTEM = "urn:counterfoil:420000-011:system:1"


@dataclass
class Book:
    """Records nothing, and notes what the officer was told."""

    was_told: bool = False

    async def refused(self, *call: str | bytes) -> None:
        raise AssertionError(call)

    def refusals(self) -> list[RefusedCall]:
        return []

    def end(self) -> RecordEnd:
        return RecordEnd(entries=3, digest=b"d" * 32)

    def told(self) -> None:
        self.was_told = True


def sightings() -> Sightings:
    """Return some whose time goes on by one each time that it is asked."""
    times = iter(range(1, 10_000))
    return Sightings(
        now_us=lambda: next(times),
        holders=lambda: {MANAGER: frozenset({Post.SYSTEM_MANAGER})},
        book=Book(),
    )


def test_holders_are_told_with_those_who_called() -> None:
    seen = sightings()
    seen.called(SYSTEM)
    seen.called(SYSTEM)

    manager, system = seen.callers()
    assert (manager.identity, manager.count, manager.last_us) == (MANAGER, 0, 0)
    assert manager.posts == {Post.SYSTEM_MANAGER}
    # Who lost the post is still told, without it.
    assert (system.count, system.last_us, system.posts) == (2, 2, frozenset())


def test_a_stream_is_told_until_it_is_closed() -> None:
    seen = sightings()
    seen.opened(7, SYSTEM, b"s", "/Watch")
    seen.opened(8, MANAGER, b"c", "/Watch")
    assert [one.identity for one in seen.streams()] == [SYSTEM, MANAGER]

    seen.closed(7)
    seen.closed(7)

    assert [one.identity for one in seen.streams()] == [MANAGER]


def test_who_is_told_of_the_record_is_noted_as_told() -> None:
    seen = sightings()

    assert seen.record_end().entries == 3

    assert isinstance(seen.book, Book)
    assert seen.book.was_told
