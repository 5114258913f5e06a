"""Values: dataclasses that nobody changes, made as fast as those that anybody may.

Python enforces `frozen` at run time by setting every field through a call of its own,
which makes a value of eight fields take two and a half times as long to make. A voucher
is some thirty values on its way through a gateway, so for these the type checker alone
enforces it: an assignment to a field of a value does not pass `make types`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(
    kw_only_default=True, frozen_default=True, field_specifiers=(field,)
)
def value(cls: type[T]) -> type[T]:
    """Make a class of values: fields by keyword, slots, equal and hashed by content."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
