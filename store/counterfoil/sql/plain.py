"""Statements as text that a driver takes with plain tuples.

They are written with SQLAlchemy like all others and compiled once per kind of database;
only its work per value is left out, which costs more than SQLite's (docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy import BindParameter, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import CompilerElement

AboutValues: TypeAlias = Callable[[Sequence[BindParameter[Any]]], CompilerElement]
"""Makes a statement about a list of values, from one parameter for each."""

V = TypeVar("V")

VALUES_MAX: Final = 500
"""Different values in one list; older SQLite libraries take 999 parameters."""

LENGTHS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, VALUES_MAX)
"""How long the lists of `lists_of` are. A text for every length from 1 to 500 was some
100 KB with what SQLAlchemy made for it, and the driver could not keep them all prepared
(docs/adr/0017, "Memory")."""

_TEXTS_MAX: Final = 256
"""Texts kept: less than 100 for each kind of database, some KB each."""


@lru_cache(_TEXTS_MAX)
def text_of(statement: CompilerElement, dialect: Dialect, *order: str) -> str:
    """Return the text of a statement that is made once.

    Args:
        statement: The statement.
        dialect: What the database speaks.
        order: Names of its parameters, in the order in which a tuple brings them.
    """
    return _compiled(statement, dialect, order)


@lru_cache(_TEXTS_MAX)
def text_about(make: AboutValues, count: int, dialect: Dialect, *order: str) -> str:
    """Return the text of a statement about one of the lists of `lists_of`.

    Args:
        make: Makes it; made once itself.
        count: How long the list is that a tuple brings, behind its other parameters.
        dialect: What the database speaks.
        order: Names of the other parameters, in order.
    """
    assert count in LENGTHS, f"a text for {count} values would be kept for good"
    names = [f"value_{number}" for number in range(count)]
    # Not by `text_of`: it would keep the statement, which is much more than its text.
    return _compiled(
        make([bindparam(name) for name in names]), dialect, (*order, *names)
    )


def lists_of(values: Iterable[V]) -> Iterator[tuple[V, ...]]:
    """Yield values in lists of few lengths, which a text looks for with `IN`.

    Each value is in one list. The last value of a list is repeated until the list is as
    long as one of `LENGTHS`: what is looked for twice is found once.
    """
    waiting = iter(dict.fromkeys(values))
    while some := tuple(islice(waiting, VALUES_MAX)):
        length = next(length for length in LENGTHS if length >= len(some))
        yield some + some[-1:] * (length - len(some))


def _compiled(
    statement: CompilerElement, dialect: Dialect, order: tuple[str, ...]
) -> str:
    compiled = statement.compile(dialect=dialect)
    names = tuple(getattr(compiled, "positiontup", None) or ())
    assert names == order, f"the order is {names}"
    return str(compiled)
