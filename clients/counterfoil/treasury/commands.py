"""What the commands of `counterfoil-treasury` do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from counterfoil.business.banks import banks_of
from counterfoil.business.days import CHINA, read_day
from counterfoil.business.program import DONE, REFUSED, Stop, setting, tell
from counterfoil.business.turns import turns
from counterfoil.office import Station, read_settings
from counterfoil.treasury.accounts import figures
from counterfoil.treasury.books import Books
from counterfoil.treasury.incomes import Entered, enter, invented, read_income
from counterfoil.treasury.kinds import Office
from counterfoil.treasury.recompute import recompute
from counterfoil.treasury.system import System

_COUNT: Final = 20
"""Entries of income that the simulator makes."""
_LEVEL: Final = "2"
"""The province's."""
_NOON_H: Final = 12


def run(options: argparse.Namespace) -> int:
    """Take, act and answer until SIGTERM or Ctrl-C, and nothing is left to do."""
    stop = Stop()
    with _opened(options) as system:
        takers = system.takers()
        for arrivals in turns(system.desk, takers):
            at_rest = all(taker.is_at_rest() for taker in takers)
            if stop.asked and not arrivals and at_rest:
                break
    return DONE


def enter_income(options: argparse.Namespace) -> int:
    """Book income: one entry, those of a file, or invented ones."""
    station, tables = read_settings(options.config)
    today = f"{_clock(options)().astimezone(CHINA):%Y%m%d}"
    with _books(station, tables) as books, books.writing() as session:
        new = enter(session, _entries(options, today), today)
        booked = [(one.number, one.reason) for one in new]
    tell("income", len(booked))
    for number, reason in booked:
        if reason:
            print(f"{number}: {reason}", file=sys.stderr)
    return DONE


def report_day(options: argparse.Namespace) -> int:
    """Close a day and send its reports."""
    with _opened(options) as system:
        return _refused(system.report(options.day))


def show_books(options: argparse.Namespace) -> int:
    """Show the figures; with `--recompute`, compare the books with the vault."""
    station, tables = read_settings(options.config)
    office = office_of(station.party, tables)
    with _books(station, tables) as books:
        with books.reading() as session:
            told = asdict(figures(session))
        if options.json:
            print(json.dumps(told))
        else:
            print(" ".join(f"{name}={value}" for name, value in told.items()))
        if not options.recompute:
            return DONE
        with station.desk("system") as desk:
            return _refused(recompute(desk, books, office))


def office_of(party: str, tables: Mapping[str, Any]) -> Office:
    """Return who we are, as the tables `[treasury]` and `[[bank]]` say.

    Args:
        party: Our party code.
        tables: The configuration's tables.

    Raises:
        ValueError: A key is missing.
    """
    try:
        own = tables["treasury"]
        return Office(
            party=party,
            finance=own["finance"],
            adm_div=own["adm_div"],
            tre_code=own["tre_code"],
            fin_org_code=own["fin_org_code"],
            account=own["account"],
            banks=banks_of(tables),
        )
    except KeyError as error:
        msg = f"{error.args[0]} is missing"
        raise ValueError(msg) from error


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[System]:
    """Open the books and the desk."""
    station, tables = read_settings(options.config)
    with _books(station, tables) as books, station.desk("system") as desk:
        yield System(
            office=office_of(station.party, tables),
            desk=desk,
            books=books,
            clock=_clock(options),
            tell=tell,
        )


@contextmanager
def _books(station: Station, tables: Mapping[str, Any]) -> Iterator[Books]:
    office = office_of(station.party, tables)
    url = setting(tables, "books", "url")
    books = Books(url, office.account, tables["treasury"].get("opening_fen", 0))
    try:
        yield books
    finally:
        books.close()


def _clock(options: argparse.Namespace) -> Callable[[], datetime]:
    """Return the clock: a rehearsal may live another day than today."""
    if options.today is None:
        return lambda: datetime.now(UTC)
    day = read_day(options.today)
    noon = datetime(day.year, day.month, day.day, _NOON_H, tzinfo=CHINA)
    return lambda: noon


def _entries(options: argparse.Namespace, today: str) -> list[Entered]:
    day = options.day or today
    if options.file is not None:
        return read_income(options.file.read_text(encoding="utf-8"))
    if options.seed is not None:
        return invented(options.seed, day, options.count or _COUNT)
    return [
        Entered(
            number=options.number,
            day=day,
            level=options.level or _LEVEL,
            subject=options.subject,
            amount_fen=options.amount,
        )
    ]


def _refused(found: Iterable[str]) -> int:
    """Say on stderr what was found; return the exit status."""
    told = list(found)
    for one in told:
        print(one, file=sys.stderr)
    return REFUSED if told else DONE
