"""What the guard remembers of callers: counted, bounded, and in order."""

from __future__ import annotations

from counterfoil.domain.posts import Post
from counterfoil.rpc.sightings import REFUSALS_MAX, Sightings

MANAGER = "urn:counterfoil:420000-011:person:manager"
SYSTEM = "urn:counterfoil:420000-011:system:1"
SEAL = "/counterfoil.desk.v1.DeskService/Seal"


def sightings() -> Sightings:
    """Return some whose time goes on by one each time that it is asked."""
    times = iter(range(1, 10_000))
    return Sightings(
        now_us=lambda: next(times),
        holders=lambda: {MANAGER: frozenset({Post.SYSTEM_MANAGER})},
    )


def test_the_same_refusal_again_is_counted_and_not_a_new_row() -> None:
    seen = sightings()
    for _ in range(3):
        seen.refused(MANAGER, b"c", SEAL, "POST_REFUSED")

    (row,) = seen.refusals()
    assert (row.count, row.first_us, row.last_us) == (3, 1, 3)


def test_who_calls_often_drives_nothing_out_of_sight() -> None:
    seen = sightings()
    seen.refused(SYSTEM, b"s", SEAL, "POST_REFUSED")
    for _ in range(2 * REFUSALS_MAX):
        seen.refused(MANAGER, b"c", SEAL, "POST_REFUSED")

    assert [row.identity for row in seen.refusals()] == [MANAGER, SYSTEM]


def test_the_refusal_that_was_not_seen_for_longest_goes_first() -> None:
    seen = sightings()
    for number in range(REFUSALS_MAX):
        seen.refused(MANAGER, b"c", f"/{number}", "POST_REFUSED")
    seen.refused(MANAGER, b"c", "/0", "POST_REFUSED")
    seen.refused(MANAGER, b"c", "/new", "POST_REFUSED")

    methods = [row.method for row in seen.refusals()]
    assert len(methods) == REFUSALS_MAX
    assert methods[:2] == ["/new", "/0"]
    assert "/1" not in methods


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
