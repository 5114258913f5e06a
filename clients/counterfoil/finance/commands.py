"""What people do beside the running system: they write in its books, it issues."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from counterfoil.business.days import clock_of, day_of, read_day
from counterfoil.business.program import DONE, REFUSED, setting, tell
from counterfoil.business.settlements import (
    Terms,
    agree,
    agree_on_statement,
    differing_statement,
)
from counterfoil.business.working_days import WorkingDays
from counterfoil.finance import (
    budget,
    orders,
    plans,
    remedies,
    settlements,
    simulator,
)
from counterfoil.finance.alerts import Watch
from counterfoil.finance.books import Books
from counterfoil.finance.kinds import APPROPRIATION, SPECIAL_PAYMENT, Office, office_of
from counterfoil.finance.lists import plan_list, unlisted
from counterfoil.finance.statements import Month, plan_statements
from counterfoil.office import (
    DeskRefused,
    Person,
    Reason,
    Reference,
    Station,
    read_settings,
)


@contextmanager
def opened(config: Path) -> Iterator[tuple[Office | None, Books, Mapping[str, Any]]]:
    """Open the books that a configuration names, and return who we are.

    We are no office without a table `[finance]`: a unit with a folder.

    Raises:
        ValueError: The configuration does not say what it should.
    """
    station, tables = read_settings(config)
    office = office_of(station.party, tables) if "finance" in tables else None
    with closing(Books(setting(tables, "books", "url"))) as books:
        yield office, books, tables


@contextmanager
def at_work(config: Path) -> Iterator[tuple[Office, Books]]:
    """Open the books of a finance department.

    Raises:
        ValueError: It is none, or the configuration does not say what it should.
    """
    with opened(config) as (office, books, _):
        if office is None:
            msg = "finance is missing"
            raise ValueError(msg)
        yield office, books


def clock(options: argparse.Namespace) -> Callable[[], datetime]:
    """Return the clock: a rehearsal may live another day than today."""
    return clock_of(read_day(options.today) if options.today else None)


def today(options: argparse.Namespace) -> str:
    """Return the day in China, `yyyymmdd`."""
    return day_of(clock(options)())


def allot(options: argparse.Namespace) -> int:
    """Enter a plan of allotments; the running system issues its quota notices."""
    plan = plans.read_plan(options.plan)
    with at_work(options.config) as (office, books), books.writing() as session:
        notices = budget.enter(session, office, plan, today(options))
    tell("allotted", len(plan.grants))
    tell("planned", len(notices))
    return DONE


def appropriate(options: argparse.Namespace) -> int:
    """Enter an appropriation, to be paid by the treasury."""
    return _order(options, APPROPRIATION)


def special(options: argparse.Namespace) -> int:
    """Enter a payment out of the special account."""
    return _order(options, SPECIAL_PAYMENT)


def _order(options: argparse.Namespace, type_code: int) -> int:
    order = orders.read_order(options.order)
    with at_work(options.config) as (office, books), books.writing() as session:
        voucher = orders.enter(session, office, type_code, order, today(options))
    print(voucher.key.number)
    return DONE


def simulate(options: argparse.Namespace) -> int:
    """Enter invented allotments and orders; the same again for the same seed."""
    places = range(1, (options.count or 0) + 1)
    with at_work(options.config) as (office, books), books.writing() as session:
        entered = simulator.enter(session, office, options.seed, places, today(options))
    tell("entered", entered)
    return DONE


def lists(options: argparse.Namespace) -> int:
    """Make the lists of a day, also of one that came back; tell what hinders one."""
    day = options.day or today(options)
    hindrances: list[str] = []
    with at_work(options.config) as (office, books), books.writing() as session:
        found = unlisted(session, day, day)
        for listing in found:
            if listing.hindrances:
                hindrances += listing.hindrances
            else:
                plan_list(session, office, listing, today(options))
        made = sum(not listing.hindrances for listing in found)
    tell("listed", made)
    for hindrance in hindrances:
        print(hindrance, file=sys.stderr)
    return REFUSED if hindrances else DONE


def statements(options: argparse.Namespace) -> int:
    """State to the banks what we ordered them to pay in a month."""
    month = Month.named(options.month)
    with at_work(options.config) as (office, books), books.writing() as session:
        planned = plan_statements(session, office, month, today(options))
    tell("planned", planned)
    return DONE


def alerts(options: argparse.Namespace) -> int:
    """Print what a person has to look at; exit status 1 if there is anything."""
    with opened(options.config) as (office, books, tables):
        if office is None:
            msg = "finance is missing"
            raise ValueError(msg)
        watch = Watch(office, WorkingDays.configured(options.config, tables))
        with books.reading() as session:
            found = list(watch.alerts(session, today(options)))
    for alert in found:
        print(alert)
    return REFUSED if found else DONE


def ask_return(options: argparse.Namespace) -> int:
    """Ask the recipient to return a voucher of ours (要求退回)."""
    station, _ = read_settings(options.config)
    with at_work(options.config) as (office, books), books.reading() as session:
        reference = remedies.sent_as(session, office, options.number)
    with station.desk("system") as desk:
        [outcome] = desk.request_return([Reason(reference, options.reason)])
    if isinstance(outcome, DeskRefused):
        raise outcome
    tell("asked", 1)
    return DONE


def withdraw(options: argparse.Namespace) -> int:
    """Take back a voucher that is not on its way out yet."""
    with at_work(options.config) as (_, books), books.writing() as session:
        remedies.withdraw_unsent(session, options.number, options.reason)
    tell("withdrawn", 1)
    return DONE


def reissue(options: argparse.Namespace) -> int:
    """Make a voucher that came back again, under the next issue of its number."""
    corrected = orders.read_order(options.order) if options.order else None
    with at_work(options.config) as (office, books), books.writing() as session:
        remedies.issue_again(session, office, options.number, corrected)
    tell("planned", 1)
    return DONE


def correct(options: argparse.Namespace) -> int:
    """Make the voucher that takes a quota notice back, and names it."""
    with at_work(options.config) as (office, books), books.writing() as session:
        made = remedies.correct(session, office, options.number, today(options))
    for voucher in made:
        print(voucher.key.number)
    return DONE


def settle(options: argparse.Namespace) -> int:
    """Sign what people agreed about a receipt that differs; two persons do."""
    station, _ = read_settings(options.config)
    person = station.person(options.person)
    with at_work(options.config) as (office, books):
        agreed = _settle_statement(options, books, person)
        if agreed is None:
            agreed = _settle_receipt(options, station, office, books, person)
    tell("settled" if agreed else "signed", 1)
    return DONE


def _settle_statement(
    options: argparse.Namespace, books: Books, person: Person
) -> bool | None:
    """Sign what was found about a statement of ours; None if the number is of none."""
    kinds = settlements.STATEMENTS
    with books.writing() as session:
        statement = differing_statement(session, options.number, kinds)
        if statement is None:
            return None
        terms = _terms(options, statement.reference)
        return agree_on_statement(session, terms, person, today(options))


def _settle_receipt(
    options: argparse.Namespace,
    station: Station,
    office: Office,
    books: Books,
    person: Person,
) -> bool:
    """Sign what holds of an order whose receipt differs; book it once two have."""
    with books.reading() as session:
        digest = settlements.differing(session, options.number).digest
    with station.desk("system") as desk:
        papers = settlements.papers_of(desk, digest)
    settlements.done(papers, options.holds)  # before anybody signs it
    terms = _terms(options, Reference(papers.voucher.key, digest))
    with books.writing() as session:
        agreed = agree(session, terms, person, today(options))
        if agreed:
            one = settlements.differing(session, options.number)
            settlements.settle(session, office, one, papers, options.holds)
    return agreed


def _terms(options: argparse.Namespace, about: Reference) -> Terms:
    return Terms(about=about, holds=options.holds, reason=options.reason)
