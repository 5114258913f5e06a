"""The program `counterfoil-finance run`: all takers at one desk, turn after turn."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.program import Stop, setting, tell
from counterfoil.business.turns import Taker, turns
from counterfoil.business.working_days import WorkingDays
from counterfoil.finance import commands
from counterfoil.finance.answers import Incoming
from counterfoil.finance.books import OPEN, Books, RefusedFile
from counterfoil.finance.flows import Outgoing, Wishes
from counterfoil.finance.kinds import office_of
from counterfoil.finance.system import Alarm, Finance, registered
from counterfoil.office import Desk, Patience, Station, read_settings

PATIENCE: Final = Patience()
"""Long enough for a gateway that is started again."""
_REVIEWERS: Final = ("first_reviewer", "second_reviewer")


def run(options: argparse.Namespace, warn: Callable[[str], None]) -> list[RefusedFile]:
    """Take, issue and answer; end on SIGTERM, or with the folder if it is alone.

    Args:
        options: Of the command line.
        warn: Is told once of whatever a person has to look at.

    Returns:
        The files of the folder that the gateway would not take.
    """
    station, tables = read_settings(options.config)
    stop = Stop()
    with ExitStack() as stack:
        books = Books(setting(tables, "books", "url"))
        stack.callback(books.close)
        desk = stack.enter_context(station.desk("system", PATIENCE))
        clerks = Clerks(desk, _reviewers(station, stack), commands.clock(options))
        takers: list[Taker] = []
        is_alone = "finance" not in tables
        if not is_alone:
            finance = Finance(
                office=office_of(station.party, tables),
                desk=desk,
                clerks=clerks,
                books=books,
                clock=commands.clock(options),
                tell=tell,
                alarm=Alarm(WorkingDays.configured(options.config, tables), warn),
            )
            takers += finance.takers()
        folder = None
        if options.folder is not None:
            outgoing = _outgoing(options, tables, clerks, desk, books)
            receipted = _nothing if is_alone else registered
            # First: the outbox would take answers to the folder's orders as well.
            takers.insert(0, Incoming(desk, books, outgoing.reissue, tell, receipted))
            folder = _Issuing(outgoing)
            folder.start()
        for arrivals in turns(desk, takers, books):
            if arrivals or (folder is not None and not folder.is_over()):
                continue
            is_settled = is_alone and _is_settled(books, options.notices or 0)
            if is_settled or (stop.asked and all(one.is_at_rest() for one in takers)):
                break
        return books.refused()


def _reviewers(station: Station, stack: ExitStack) -> list[Reviewer]:
    return [
        Reviewer(
            stack.enter_context(station.desk(name, PATIENCE)), station.person(name)
        )
        for name in _REVIEWERS
    ]


def _outgoing(
    options: argparse.Namespace,
    tables: Mapping[str, Any],
    clerks: Clerks,
    desk: Desk,
    books: Books,
) -> Outgoing:
    folder: Path = options.folder
    return Outgoing(
        clerks=clerks,
        system=desk,
        books=books,
        banks=setting(tables, "banks"),
        folder=folder,
        corrections=options.corrections or folder,
        tell=tell,
        wishes=Wishes(
            discard=frozenset(options.discard), correct=frozenset(options.correct)
        ),
    )


def _nothing(*_receipt: object) -> None:
    """Do nothing about a receipt: a unit with a folder keeps no ledger."""


class _Issuing(threading.Thread):
    """Issues the folder while answers to its first vouchers are booked."""

    def __init__(self, outgoing: Outgoing) -> None:
        super().__init__(name="issuing", daemon=True)
        self._outgoing = outgoing
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Issue everything; a failure is kept for `is_over`."""
        try:
            self._outgoing.issue_folder()
        except BaseException as error:  # noqa: BLE001 -- raised in the other thread
            self._failure = error

    def is_over(self) -> bool:
        """Tell whether everything was issued; raise what stopped it."""
        if self._failure is not None:
            raise self._failure
        return not self.is_alive()


def _is_settled(books: Books, notices: int) -> bool:
    return not books.in_state(*OPEN) and len(books.notices()) >= notices
