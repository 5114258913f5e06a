"""Values: dataclasses that nobody changes, made as fast as those that anybody may.

Python enforces `frozen` at run time by setting every field through a call of its own,
which makes a value of eight fields take two and a half times as long to make. A voucher
is some thirty values on its way through a gateway, so for these the type checker alone
enforces it: an assignment to a field of a value does not pass `make types`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ParamSpec, TypeVar, dataclass_transform

T = TypeVar("T")
P = ParamSpec("P")


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(field,)
)
def value(cls: type[T]) -> type[T]:
    """Make a class of values: fields by keyword, slots, equal and hashed by content."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)


def maker(cls: Callable[P, T]) -> Callable[P, T]:
    """Return a function that makes values of `cls` as calling it does, only faster.

    To call a class by keyword, Python puts the keywords into a dictionary, looks for
    `__init__`, and takes the dictionary apart again; to call a function it does not,
    which takes half the time. Made once for a class of which every voucher has some.

    Args:
        cls: A class of values, or a dataclass that is not frozen and computes nothing
            when it is made.
    """
    known: dict[str, Any] = {"_cls": cls, "_new": object.__new__}
    parameters, lines = ["*"], ["_value = _new(_cls)"]
    for one in fields(cls):  # type: ignore[arg-type]  # a class
        assert one.default_factory is MISSING, "every value would share what it makes"
        default = ""
        if one.default is not MISSING:
            known[f"_default_{one.name}"] = one.default
            default = f"=_default_{one.name}"
        parameters.append(one.name + default)
        lines.append(f"_value.{one.name} = {one.name}")
    body = "\n    ".join([*lines, "return _value"])
    text = f"def make({', '.join(parameters)}):\n    {body}\n"
    exec(text, known)  # noqa: S102 -- as dataclasses do; of names in our own source
    made: Callable[P, T] = known["make"]
    return made
