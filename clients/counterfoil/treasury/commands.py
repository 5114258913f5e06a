"""What the commands of `counterfoil-treasury` do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from counterfoil.business.banks import banks_of
from counterfoil.business.days import clock_of, day_of, read_day
from counterfoil.business.program import DONE, REFUSED, Stop, setting, tell
from counterfoil.business.settlements import (
    Terms,
    agree,
    agree_on_statement,
    half,
    unsound,
)
from counterfoil.business.turns import turns
from counterfoil.business.working_days import WorkingDays
from counterfoil.office import Reference, Station, read_settings
from counterfoil.treasury import alerts, issuing, settlements
from counterfoil.treasury.accounts import figures
from counterfoil.treasury.books import SETTLED, Books
from counterfoil.treasury.corrections import Right, correct
from counterfoil.treasury.incomes import Entered, enter, invented, read_income
from counterfoil.treasury.kinds import OUR_NAME, Office
from counterfoil.treasury.overdue import Overdue
from counterfoil.treasury.recompute import recompute
from counterfoil.treasury.system import System

_COUNT: Final = 20
"""Entries of income that the simulator makes."""
_LEVEL: Final = "2"
"""The province's."""


def run(options: argparse.Namespace) -> int:
    """Take, act and answer until SIGTERM or Ctrl-C, and nothing is left to do."""
    stop = Stop()
    with _opened(options) as system:
        takers = system.takers()
        for arrivals in turns(system.desk, takers, system.books):
            if arrivals or not stop.asked:
                continue
            if all(taker.is_at_rest() for taker in takers):
                break
    return DONE


def enter_income(options: argparse.Namespace) -> int:
    """Book income: one entry, those of a file, or invented ones."""
    station, tables = read_settings(options.config)
    today = day_of(_clock(options)())
    with _books(station, tables) as books, books.writing() as session:
        new = enter(session, _entries(options, today), today)
        booked = [(one.number, one.reason) for one in new]
    tell("income", len(booked))
    for number, reason in booked:
        if reason:
            _warn(f"{number}: {reason}")
    return DONE


def correct_income(options: argparse.Namespace) -> int:
    """Take an entry of income back, and enter it rightly."""
    station, tables = read_settings(options.config)
    today = day_of(_clock(options)())
    right = Right(
        level=options.level, subject=options.subject, amount_fen=options.amount
    )
    with _books(station, tables) as books, books.writing() as session:
        made = correct(
            session,
            options.number,
            None if right == Right() else right,
            options.reason,
            today,
        )
        numbers = [one.number for one in made]
    for number in numbers:
        print(number)
    return DONE


def report_day(options: argparse.Namespace) -> int:
    """Close a day and send its reports."""
    with _opened(options) as system:
        return _refused(system.report(options.day))


def state(options: argparse.Namespace) -> int:
    """Send the statements of a month, or the checks of a day."""
    with _opened(options) as system:
        if options.month is not None:
            return _refused(system.state_month(options.month))
        return _refused(system.check_day(options.day))


def show_alerts(options: argparse.Namespace) -> int:
    """Show what was noted today, and what is late; no gateway is needed."""
    station, tables = read_settings(options.config)
    with _books(station, tables) as books, books.reading() as session:
        today = day_of(_clock(options)())
        overdue = Overdue(
            office_of(station.party, tables),
            WorkingDays.configured(options.config, tables),
        )
        found = [
            *alerts.of_day(session, today),
            *overdue.told(session, today),
            *half(session),
        ]
    for one in found:
        print(one)
    return REFUSED if found else DONE


def settle(options: argparse.Namespace) -> int:
    """Sign what was agreed about a receipt of ours that differs; two persons do."""
    station, tables = read_settings(options.config)
    person = station.person(options.person)
    today = day_of(_clock(options)())
    with _books(station, tables) as books, books.writing() as session:
        statement = settlements.differing(session, options.number)
        if statement is None:
            one = settlements.receipted(session, options.number, options.holds)
            agreed = agree(session, _terms(options, one.reference), person, today)
        else:
            about = issuing.last(session, statement).reference
            agreed = agree_on_statement(session, _terms(options, about), person, today)
            statement.result = SETTLED if agreed else statement.result
    tell("settled" if agreed else "signed", 1)
    return DONE


def _terms(options: argparse.Namespace, about: Reference) -> Terms:
    return Terms(about=about, holds=options.holds, reason=options.reason)


def show_books(options: argparse.Namespace) -> int:
    """Show the figures; with `--recompute`, compare the books with the vault."""
    station, tables = read_settings(options.config)
    office = office_of(station.party, tables)
    with _books(station, tables) as books:
        with books.reading() as session:
            told = asdict(figures(session))
            changed = list(unsound(session))
        if options.json:
            print(json.dumps(told))
        else:
            print(" ".join(f"{name}={value}" for name, value in told.items()))
        if not options.recompute:
            return DONE
        with station.desk("system") as desk:
            return _refused([*changed, *recompute(desk, books, office)])


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
            name=own.get("name", OUR_NAME),
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
            warn=_warn,
            calendar=WorkingDays.configured(options.config, tables),
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


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _clock(options: argparse.Namespace) -> Callable[[], datetime]:
    return clock_of(read_day(options.today) if options.today else None)


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
        _warn(one)
    return REFUSED if told else DONE
