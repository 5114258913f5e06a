"""Statements as text that a driver takes with plain tuples.

They are written with SQLAlchemy like all others and compiled once per kind of database;
only its work per value is left out, which costs more than SQLite's (docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import BindParameter, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import CompilerElement

AboutValues: TypeAlias = Callable[[Sequence[BindParameter[Any]]], CompilerElement]
"""Makes a statement about a list of values, from one parameter for each."""

_TEXTS_MAX: Final = 4096
"""Texts kept: a statement about a list has one for each length of it."""


@lru_cache(_TEXTS_MAX)
def text_of(statement: CompilerElement, dialect: Dialect, *order: str) -> str:
    """Return the text of a statement that is made once.

    Args:
        statement: The statement.
        dialect: What the database speaks.
        order: Names of its parameters, in the order in which a tuple brings them.
    """
    compiled = statement.compile(dialect=dialect)
    names = tuple(getattr(compiled, "positiontup", None) or ())
    assert names == order, f"the order is {names}"
    return str(compiled)


@lru_cache(_TEXTS_MAX)
def text_about(make: AboutValues, count: int, dialect: Dialect, *order: str) -> str:
    """Return the text of a statement about `count` values.

    Args:
        make: Makes it; made once itself.
        count: How many values a tuple brings, behind its other parameters.
        dialect: What the database speaks.
        order: Names of the other parameters, in order.
    """
    names = [f"value_{number}" for number in range(count)]
    return text_of(make([bindparam(name) for name in names]), dialect, *order, *names)
