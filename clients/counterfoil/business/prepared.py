"""Statements that run for every voucher: written once, compiled once, told plainly.

SQLAlchemy writes their text and knows how a column's values go in and come out. Only
what it does again at each call is left out, which takes several times as long as
SQLite's own work (docs/adr/0017, "Pace").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import CursorResult, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

Convert: TypeAlias = Callable[[Any], Any]
Statement: TypeAlias = Select[*tuple[Any, ...]] | UpdateBase
Values: TypeAlias = Mapping[str, Any]
"""Values of a statement's parameters, by name."""


LENGTHS: Final = (0, *[1 << power for power in range(10)])
"""How long a list is that a database is told, and above them the multiples of the last.
A text for every length was some 200 bytes for each of its values, and the driver could
not keep them all prepared (docs/adr/0017, "Memory")."""


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One parameter of a text, in its place."""

    name: str
    """By which the text names it."""
    fixed: object
    """What stands in the statement itself, ready for the driver."""
    brought: str = ""
    """By which the caller brings its value; empty if it stands in the statement."""
    convert: Convert = _as_it_is
    at: int | None = None
    """Its place in a list that the caller brings; None if it brings one value."""

    def of(self, values: Values) -> object:
        if not self.brought:
            return self.fixed
        value = values[self.brought]
        return self.convert(value if self.at is None else value[self.at])


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement in the words of one kind of database, for lists of one length."""

    text: str
    parameters: tuple[_Parameter, ...]
    is_positional: bool

    def told(self, values: Values) -> Any:  # noqa: ANN401 -- what a driver takes
        if self.is_positional:
            return tuple([one.of(values) for one in self.parameters])
        return {one.name: one.of(values) for one in self.parameters}


class _Compiled:
    """A statement compiled for one kind of database."""

    __slots__ = ("_compiled", "_lists", "_texts", "columns")

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler), "it is no definition of a table"
        self._compiled: Final = compiled
        self._lists: Final = [
            one.key for one in compiled.binds.values() if one.expanding
        ]
        self._texts: Final[dict[tuple[int, ...], _Text]] = {}
        columns = statement.selected_columns if isinstance(statement, Select) else ()
        self.columns: Final = [_out_of(column.type, dialect) for column in columns]

    def filled(self, values: Values) -> Values:
        """Return values whose lists have lengths that there are texts for.

        The last value of a list is repeated: what is looked for twice is found once.
        """
        if not self._lists:
            return values
        lists = {name: list(values[name]) for name in self._lists}
        for one in lists.values():
            one.extend(one[-1:] * (_length(len(one)) - len(one)))
        return {**values, **lists}

    def text(self, values: Values) -> _Text:
        lengths = tuple([len(values[name]) for name in self._lists])
        text = self._texts.get(lengths)
        if text is None:
            text = self._texts[lengths] = self._made(lengths)
        return text

    def read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            [convert(value) for convert, value in zip(self.columns, row, strict=True)]
        )

    def _made(self, lengths: tuple[int, ...]) -> _Text:
        compiled = self._compiled
        made: dict[str, _Parameter] = {}
        unknown: dict[str, Any] = {}
        counts = dict(zip(self._lists, lengths, strict=True))
        for name, bind in compiled.binds.items():
            convert = _into(bind.type, compiled.dialect)
            if not bind.required:
                made[name] = _Parameter(name, convert(bind.effective_value))
            elif not bind.expanding:
                made[name] = _Parameter(name, None, bind.key, convert)
                unknown[bind.key] = None
            else:
                unknown[bind.key] = [None] * counts[bind.key]
                for at in range(counts[bind.key]):
                    place = f"{name}_{at + 1}"
                    made[place] = _Parameter(place, None, bind.key, convert, at)
        state = compiled.construct_expanded_state(unknown)
        names = state.positiontup if compiled.positional else state.parameters
        return _Text(
            text=state.statement,
            parameters=tuple(made[name] for name in names or ()),
            is_positional=compiled.positional,
        )


class Prepared:
    """A statement that is compiled once for each kind of database.

    What a session holds and has not written yet is written before, as before any query
    of it. Rows are plain values: no object is made of them that the session follows.

    Args:
        statement: A query of columns, or a change; its parameters are `bindparam`s
            without values. A list (`expanding`) stands behind `IN`, and there is a
            text for each of a few lengths.
    """

    __slots__ = ("_compiled", "_statement")

    def __init__(self, statement: Statement) -> None:
        self._statement: Final = statement
        self._compiled: Final[dict[str, _Compiled]] = {}

    def scalar(self, session: Session, values: Values) -> Any:  # noqa: ANN401 -- any column's
        """Return the first value of the first row; None if there is no row."""
        row = self.row(session, values)
        return None if row is None else row[0]

    def row(self, session: Session, values: Values) -> tuple[Any, ...] | None:
        """Return the first row; None if there is none."""
        compiled, result = self._run(session, values)
        row = result.fetchone()
        result.close()
        return None if row is None else compiled.read(row)

    def rows(self, session: Session, values: Values) -> list[tuple[Any, ...]]:
        """Return all rows."""
        compiled, result = self._run(session, values)
        return [compiled.read(row) for row in result]

    def change(self, session: Session, values: Values) -> int:
        """Change what it says; return how many rows that were."""
        return self._run(session, values)[1].rowcount

    def told(self, dialect: Dialect, values: Values) -> tuple[str, Any]:
        """Return what a driver is told: the text, and the values as it takes them."""
        compiled = self._for(dialect)
        filled = compiled.filled(values)
        text = compiled.text(filled)
        return text.text, text.told(filled)

    def _run(
        self, session: Session, values: Values
    ) -> tuple[_Compiled, CursorResult[Any]]:
        session.flush()
        connection = session.connection()
        result = connection.exec_driver_sql(*self.told(connection.dialect, values))
        return self._for(connection.dialect), result

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(
                self._statement, dialect
            )
        return compiled


def _length(count: int) -> int:
    """Return how long a list is told that has so many values."""
    most = LENGTHS[-1]
    if count > most:
        return -(-count // most) * most
    return next(length for length in LENGTHS if length >= count)


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    return kind.dialect_impl(dialect).bind_processor(dialect) or _as_it_is


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    return kind.dialect_impl(dialect).result_processor(dialect, None) or _as_it_is
