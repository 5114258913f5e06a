"""How often the day looks: looking takes a small share of the time, and no more."""

from __future__ import annotations

import pytest

from counterfoil.day.pace import SHARE, Pace


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_look_is_due_at_once() -> None:
    assert Pace(Clock()).is_due()


@pytest.mark.parametrize(
    ("takes_s", "waits_s"), [(0.0, 0.05), (0.001, 0.05), (0.1, 2), (2, 5)]
)
def test_the_longer_a_look_takes_the_later_is_the_next(
    takes_s: float, waits_s: float
) -> None:
    clock = Clock()
    pace = Pace(clock)

    with pace.looking():
        clock.now_s += takes_s
    clock.now_s += waits_s - 0.001
    assert not pace.is_due()

    clock.now_s += 0.002
    assert pace.is_due()


def test_looking_whenever_it_is_due_takes_the_share_of_the_time_and_no_more() -> None:
    clock = Clock()
    pace = Pace(clock)
    looks = 0
    while clock.now_s < 200:
        if pace.is_due():
            looks += 1
            with pace.looking():
                clock.now_s += 0.1
        clock.now_s += 0.01

    assert looks * 0.1 <= 1.05 * SHARE * 100
