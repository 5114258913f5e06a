"""Values that are made in bulk are the same values."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import pytest

from counterfoil.domain.value import maker, value


@value
class Point:
    """A value whose fields have the names that a careless maker would use itself."""

    new: int
    cls: int
    self: int = 3
    text: str = field(default="here", compare=False)


@value
class Bag:
    """A value that makes something of its own."""

    items: list[int] = field(default_factory=list)


make_point = maker(Point)


@pytest.mark.parametrize(
    "fields",
    [
        {"new": 1, "cls": 2},
        {"new": 1, "cls": 2, "self": 4},
        {"text": "there", "cls": 2, "new": 1},
    ],
)
def test_what_a_maker_makes_is_what_the_class_makes(fields: dict[str, Any]) -> None:
    made, called = make_point(**fields), Point(**fields)

    assert type(made) is Point
    assert made == called
    assert hash(made) == hash(called)
    assert repr(made) == repr(called)


@pytest.mark.parametrize("fields", [{"new": 1}, {"new": 1, "cls": 2, "other": 3}])
def test_a_maker_takes_the_fields_and_no_others(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"missing|unexpected"):
        make_point(**fields)


def test_a_maker_takes_fields_by_name_only() -> None:
    positional: Any = make_point
    with pytest.raises(TypeError, match="positional"):
        positional(1, 2)


def test_no_maker_is_made_for_what_would_be_shared() -> None:
    with pytest.raises(AssertionError, match="share"):
        maker(Bag)
