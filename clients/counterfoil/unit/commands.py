"""What the commands of `counterfoil-unit` do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.books import SqlBooks
from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.days import CHINA, clock_of, day_of
from counterfoil.business.money import to_yuan
from counterfoil.business.program import DONE, REFUSED, Stop, setting, tell
from counterfoil.business.turns import Taker, turns
from counterfoil.business.working_days import WorkingDays, YearUnknown
from counterfoil.office import DeskRefused, Reason, Station, read_settings
from counterfoil.unit import allotments, requests
from counterfoil.unit.alerts import alerts
from counterfoil.unit.figures import figures
from counterfoil.unit.kinds import DealMode, Office
from counterfoil.unit.paper import paper_of
from counterfoil.unit.settings import office_of
from counterfoil.unit.simulator import Simulator
from counterfoil.unit.system import Unit, books_at
from counterfoil.unit.tables import Request
from counterfoil.unit.wishes import Item, Wish, corrected

_REVIEWERS: Final = ("first_reviewer", "second_reviewer")
_PURPOSE: Final = "业务支出"


def run(options: argparse.Namespace) -> int:
    """Issue, book and answer until SIGTERM or Ctrl-C, and nothing is left to do."""
    station, tables = read_settings(options.config)
    calendar = WorkingDays.configured(options.config, tables)
    clock = clock_of(options.today)
    stop = Stop()
    with ExitStack() as stack:
        books = stack.enter_context(closing(_books(tables)))
        desk = stack.enter_context(station.desk("system"))
        unit = Unit(
            office=office_of(station.party, tables),
            desk=desk,
            clerks=Clerks(desk, _reviewers(station, stack), clock),
            books=books,
            clock=clock,
            tell=tell,
        )
        takers = (*_simulators(options, unit), *unit.takers())
        said: set[str] = set()
        looked: tuple[int | None, str] = (None, "")
        for arrivals in turns(desk, takers, books):
            if arrivals:
                continue
            # The same books say the same on the same day.
            looking = books.version(), day_of(clock())
            if looking[0] is None or looking != looked:
                looked = looking
                for text in sorted(_alerts(books, calendar, clock()) - said):
                    print(text, file=sys.stderr, flush=True)
                    said.add(text)
            if stop.asked and all(taker.is_at_rest() for taker in takers):
                break
    return DONE


def allot(options: argparse.Namespace) -> int:
    """Enter what a plan allots to us, once."""
    text, year = options.plan.read_text(encoding="utf-8"), int(_today(options)[:4])
    with _at_work(options) as (office, session):
        grants = allotments.read_plan(text, office.code, year)
        new = allotments.enter(session, grants)
    tell("allotted", new)
    return DONE


def ask(options: argparse.Namespace) -> int:
    """Apply to finance for a direct payment, or order an authorised one."""
    item = Item(
        function=options.function,
        amount_fen=options.amount,
        payee_account=options.payee_account,
        payee_name=options.payee_name,
        payee_bank=options.payee_bank,
        purpose=options.purpose or _PURPOSE,
    )
    mode = None
    if options.command == "pay":
        mode = options.mode or DealMode.SELF_SERVICE
    with _at_work(options) as (office, session):
        wish = Wish(items=[item], mode=mode)
        number = requests.enter(session, office, wish, _today(options)).number
    print(number)
    return DONE


def withdraw(options: argparse.Namespace) -> int:
    """Take back a request that is not on its way out yet."""
    with _at_work(options) as (_, session):
        requests.withdraw(session, options.number, options.reason)
    tell("withdrawn", 1)
    return DONE


def reissue(options: argparse.Namespace) -> int:
    """Ask again under the number of a request that was given back."""
    with _at_work(options) as (office, session):
        asked, _ = requests.find(session, options.number)
        items = corrected(
            asked,
            account=options.payee_account or "",
            amount_fen=options.amount or 0,
        )
        again = requests.reissue(
            session, office, options.number, items, _today(options)
        )
        issue = again.issue
    print(options.number, issue)
    return DONE


def ask_return(options: argparse.Namespace) -> int:
    """Ask finance or the bank to return a request; their answer comes to `run`."""
    station, tables = read_settings(options.config)
    with closing(_books(tables)) as books, books.reading() as session:
        _, entry = requests.sent(session, options.number)
        reference = entry.reference
    with station.desk("system") as desk:
        [outcome] = desk.request_return([Reason(reference, options.reason)])
    if isinstance(outcome, DeskRefused):
        raise outcome
    tell("asked", 1)
    return DONE


def show_paper(options: argparse.Namespace) -> int:
    """Show what the paper of a payment at the counter says."""
    station, tables = read_settings(options.config)
    office = office_of(station.party, tables)
    with closing(_books(tables)) as books, books.reading() as session:
        asked, entry = requests.find(session, options.number)
        for line in paper_of(asked, entry, office):
            print(line)
    return DONE


def show_alerts(options: argparse.Namespace) -> int:
    """List what is late, or a person has to look at; exit status 1 if anything is."""
    _, tables = read_settings(options.config)
    calendar = WorkingDays.configured(options.config, tables)
    today = clock_of(options.today)().astimezone(CHINA).date()
    with closing(_books(tables)) as books, books.reading() as session:
        found = list(alerts(session, calendar, today))
    for text in found:
        print(text)
    return REFUSED if found else DONE


def show_books(options: argparse.Namespace) -> int:
    """Show the figures; with `--requests`, every request too."""
    _, tables = read_settings(options.config)
    with closing(_books(tables)) as books, books.reading() as session:
        told: dict[str, Any] = asdict(figures(session))
        listed = _listed(session) if options.requests else []
    if options.json:
        print(json.dumps(told | ({"requests": listed} if options.requests else {})))
        return DONE
    print(" ".join(f"{name}={value}" for name, value in told.items()))
    for one in listed:
        print(*(str(value) for value in one.values()))
    return DONE


def _listed(session: Session) -> list[dict[str, object]]:
    return [
        {
            "number": asked.number,
            "issue": asked.issue,
            "mode": asked.mode.chinese if asked.mode else asked.way.chinese,
            "yuan": to_yuan(asked.amount_fen),
            "state": entry.state.value,
            "note": asked.note or entry.note,
        }
        for asked, entry in (
            requests.find(session, number)
            for number in session.scalars(select(Request.number).order_by(Request.id))
        )
    ]


def _simulators(options: argparse.Namespace, unit: Unit) -> list[Taker]:
    if options.seed is None:
        return []
    return [
        Simulator(
            office=unit.office,
            books=unit.books,
            clock=unit.clock,
            tell=unit.tell,
            seed=options.seed,
            count=options.payments or 0,
            counter_share=options.counter_share or 0.0,
        )
    ]


def _reviewers(station: Station, stack: ExitStack) -> list[Reviewer]:
    return [
        Reviewer(stack.enter_context(station.desk(name)), station.person(name))
        for name in _REVIEWERS
    ]


@contextmanager
def _at_work(options: argparse.Namespace) -> Iterator[tuple[Office, Session]]:
    """Open one transaction in the books; a running system issues what it plans."""
    station, tables = read_settings(options.config)
    office = office_of(station.party, tables)
    with closing(_books(tables)) as books, books.writing() as session:
        yield office, session


def _books(tables: Mapping[str, Any]) -> SqlBooks:
    return books_at(setting(tables, "books", "url"))


def _alerts(books: SqlBooks, calendar: WorkingDays, now: datetime) -> set[str]:
    """Return what a person has to look at; a calendar that ends is one of it."""
    with books.reading() as session:
        try:
            return set(alerts(session, calendar, now.astimezone(CHINA).date()))
        except YearUnknown as unknown:
            return {str(unknown)}


def _today(options: argparse.Namespace) -> str:
    return day_of(clock_of(options.today)())
