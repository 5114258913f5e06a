"""Values: what they share with frozen dataclasses, and what they do without."""

from __future__ import annotations

from dataclasses import field, replace

import pytest

from counterfoil.domain.value import value


@value
class _Place:
    """Something with a part that takes no part in comparing."""

    name: str
    number: int = 1
    seen: tuple[str, ...] = field(default=(), compare=False)


def test_values_are_equal_and_hashed_by_content() -> None:
    first, second = _Place(name="a"), _Place(name="a", seen=("b",))
    assert first == second
    assert {first: 1}[second] == 1
    assert first != _Place(name="a", number=2)


def test_values_take_fields_by_keyword_only() -> None:
    with pytest.raises(TypeError):
        _Place("a")  # type: ignore[call-arg]


def test_values_take_no_other_fields() -> None:
    with pytest.raises(AttributeError):
        _Place(name="a").other = 1  # type: ignore[attr-defined]


def test_a_changed_copy_leaves_the_value_alone() -> None:
    place = _Place(name="a")
    assert replace(place, number=2) == _Place(name="a", number=2)
    assert place.number == 1
