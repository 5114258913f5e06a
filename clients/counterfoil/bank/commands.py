"""What the commands of `counterfoil-bank` do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy.orm import Session

from counterfoil.bank import settlements
from counterfoil.bank.accounts import Totals, balance_fen, totals
from counterfoil.bank.alerts import alerts as late
from counterfoil.bank.core import CorePlan, Fate, SimulatedCore
from counterfoil.bank.counter import enter
from counterfoil.bank.journal import Journal
from counterfoil.bank.kinds import Office, office_of
from counterfoil.bank.recompute import recompute
from counterfoil.bank.refunds import Match, came_back, match_again
from counterfoil.bank.simulator import invent_refunds
from counterfoil.bank.statements import plan_statements
from counterfoil.bank.system import System, tell_applied
from counterfoil.bank.watch import Watch
from counterfoil.business.clerks import Reviewer
from counterfoil.business.days import clock_of, day_of, read_day
from counterfoil.business.program import DONE, REFUSED, Stop, setting, tell
from counterfoil.business.settlements import (
    Terms,
    agree,
    agree_on_statement,
    differing_statement,
)
from counterfoil.business.working_days import WorkingDays
from counterfoil.office import Station, read_settings

_REVIEWERS: Final = ("first_reviewer", "second_reviewer")


def run(options: argparse.Namespace) -> int:
    """Take, pay, clear and answer until SIGTERM, and nothing is left to do."""
    station, tables = read_settings(options.config)
    stop = Stop()
    with ExitStack() as stack:
        journal = stack.enter_context(closing(_journal(tables)))
        core = SimulatedCore(setting(tables, "core", "url"), core_plan(tables["core"]))
        stack.callback(core.close)
        office, clock = office_of(station.party, tables), clock_of(options.today)
        calendar = WorkingDays.configured(options.config, tables)
        watch = Watch(journal, office, calendar, clock, _warn)
        System(
            party=station.party,
            office=office,
            desk=stack.enter_context(station.desk("system")),
            reviewers=[] if office is None else _reviewers(station, stack),
            journal=journal,
            core=core,
            clock=clock,
            tell=tell,
        ).run(lambda: stop.asked, watch.look, clear=options.clear)
    return DONE


def clear(options: argparse.Namespace) -> int:
    """Apply for clearing of everything that is due."""
    station, tables = read_settings(options.config)
    with closing(_journal(tables)) as journal:
        tell_applied(journal, _office(station, tables), clock_of(options.today), tell)
    return DONE


def counter(options: argparse.Namespace) -> int:
    """Enter a paper voucher; tell whether it met its electronic one."""
    _, tables = read_settings(options.config)
    with closing(_journal(tables)) as journal, journal.writing() as session:
        met = enter(session, options.number, options.check_code, _day(options))
    tell("met" if met else "waiting", 1)
    return DONE


def refund(options: argparse.Namespace) -> int:
    """Enter money that came back, or match it again; tell its number."""
    match = Match(
        number=options.payment, row_id=options.row, type_code=options.type or 0
    )
    if not options.again and (options.amount is None or not options.reason):
        msg = "--amount and --reason are needed, unless --again"
        raise ValueError(msg)
    with _opened(options) as (office, session):
        if options.again:
            found = match_again(session, office, options.again, match, _day(options))
        else:
            came = (options.amount, options.reason)
            found = came_back(session, office, match, came, _day(options))
    print("matched", found.number)
    return DONE


def simulate(options: argparse.Namespace) -> int:
    """Have payees' banks give back some of what was paid."""
    with _opened(options) as (office, session):
        count = invent_refunds(
            session, office, options.refunds, options.seed or 0, _day(options)
        )
    tell("came-back", count)
    return DONE


def statements(options: argparse.Namespace) -> int:
    """Make the statements of a month for treasury and units; `run` sends them."""
    station, tables = read_settings(options.config)
    office = _office(station, tables)
    with closing(_journal(tables)) as journal:
        count = plan_statements(journal, office, options.month, _day(options))
    tell("stated", count)
    return DONE


def alerts(options: argparse.Namespace) -> int:
    """Tell what is late; exit status 1 if anything is."""
    station, tables = read_settings(options.config)
    calendar = WorkingDays.configured(options.config, tables)
    with closing(_journal(tables)) as journal, journal.reading() as session:
        today = read_day(_day(options))
        found = list(late(session, _office(station, tables), today, calendar))
    for text in found:
        print(text)
    return REFUSED if found else DONE


def settle(options: argparse.Namespace) -> int:
    """Sign what was agreed about a receipt that differs; two persons do."""
    station, _ = read_settings(options.config)
    person = station.person(options.person)
    with _opened(options) as (office, session):
        statement = differing_statement(session, options.number, settlements.STATEMENTS)
        entry = statement or settlements.differing(
            session, options.number, options.holds
        )
        terms = Terms(about=entry.reference, holds=options.holds, reason=options.reason)
        if statement is not None:
            agreed = agree_on_statement(session, terms, person, _day(options))
        elif agreed := agree(session, terms, person, _day(options)):
            settlements.settle(session, office, entry, options.holds, tell)
    tell("settled" if agreed else "signed", 1)
    return DONE


def books(options: argparse.Namespace) -> int:
    """Show what the books say, and with `--recompute` where the vault differs."""
    station, tables = read_settings(options.config)
    with closing(_journal(tables)) as journal:
        _print_books(journal, tables.get("accounts", {}), options)
        if not options.recompute:
            return DONE
        with station.desk("system") as desk:
            found = list(recompute(desk, journal, _office(station, tables)))
    for difference in found:
        print(difference, file=sys.stderr)
    return REFUSED if found else DONE


def _print_books(
    journal: Journal, openings: Mapping[str, int], options: argparse.Namespace
) -> None:
    """Print what came from one issuer; without one, what was done for each.

    Args:
        journal: Our books.
        openings: What special accounts held before the first voucher, in fen.
        options: Of the command line.
    """
    held: dict[str, int] = {}
    if options.issuer:
        told: dict[str, Any] = asdict(journal.figures(options.issuer))
        issuers = {options.issuer: told}
    else:
        with journal.reading() as session:
            found = totals(session)
            for account, fen in openings.items():
                held[account] = fen + balance_fen(session, account)
        issuers = {issuer: asdict(one) for issuer, one in found.items()}
        told = asdict(sum(found.values(), Totals()))
        told |= {"issuers": issuers, "accounts": held}
    if options.json:
        print(json.dumps(told))
        return
    for issuer, figures in issuers.items():
        print(issuer, *(f"{name}={value}" for name, value in figures.items()))
    for account, fen in held.items():
        print(account, f"balance_fen={fen}")


def core_plan(table: Mapping[str, Any]) -> CorePlan:
    """Return what goes wrong at the core, as the configuration's table says."""
    return CorePlan(
        seed=table.get("seed", 0),
        refused=table.get("refused", 0.0),
        lost_before=table.get("lost_before", 0.0),
        lost_after=table.get("lost_after", 0.0),
        fates={number: Fate(fate) for number, fate in table.get("fates", {}).items()},
    )


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _day(options: argparse.Namespace) -> str:
    return day_of(clock_of(options.today)())


@contextmanager
def _opened(options: argparse.Namespace) -> Iterator[tuple[Office, Session]]:
    """Open the books of a bank that clears, in one transaction."""
    station, tables = read_settings(options.config)
    with closing(_journal(tables)) as journal, journal.writing() as session:
        yield _office(station, tables), session


def _journal(tables: Mapping[str, Any]) -> Journal:
    return Journal(setting(tables, "books", "url"))


def _office(station: Station, tables: Mapping[str, Any]) -> Office:
    office = office_of(station.party, tables)
    if office is None:
        msg = "bank is missing: the configuration is of a bank that only pays"
        raise ValueError(msg)
    return office


def _reviewers(station: Station, stack: ExitStack) -> list[Reviewer]:
    return [
        Reviewer(stack.enter_context(station.desk(name)), station.person(name))
        for name in _REVIEWERS
    ]
