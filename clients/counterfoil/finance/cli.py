"""The command `counterfoil-finance`."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from counterfoil.business.clerks import Clerks, Reviewer
from counterfoil.business.money import to_yuan
from counterfoil.business.program import DONE, IDLE_S, add_path, end_of, setting, tell
from counterfoil.finance.answers import Incoming
from counterfoil.finance.books import OPEN, Books
from counterfoil.finance.flows import Outgoing, Wishes
from counterfoil.office import Patience, read_settings

PATIENCE: Final = Patience()
"""Long enough for a gateway that is started again."""
_REVIEWERS: Final = ("first_reviewer", "second_reviewer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the finance system.

    Returns:
        Exit status: 0 done, 1 refused, 2 usage, 3 gateway unreachable.
    """
    options = _parser().parse_args(arguments)
    command = _show_books if options.command == "books" else _run
    return end_of(lambda: command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-finance",
        description="A reference business system of a finance department or unit.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="issue the files of a folder, book answers")
    add_path(run, "finance", "config", "the system's configuration")
    add_path(run, "finance", "folder", "national XML files")
    add_path(run, "finance", "corrections", "corrected files, if any")
    run.add_argument(
        "--discard",
        action="append",
        default=[],
        metavar="NUMBER",
        help="before sending",
    )
    run.add_argument(
        "--correct",
        action="append",
        default=[],
        metavar="NUMBER",
        help="before sending",
    )
    run.add_argument(
        "--notices", type=int, default=0, help="entry notices to wait for at the end"
    )
    books = commands.add_parser("books", help="show what the books say")
    add_path(books, "finance", "config", "the system's configuration")
    books.add_argument("--json", action="store_true", help="for a program")
    return parser


def _run(options: argparse.Namespace) -> int:
    """Issue everything and stay until everything has come to an end."""
    station, tables = read_settings(options.config)
    patience = PATIENCE
    with ExitStack() as stack:
        books = Books(setting(tables, "books", "url"))
        stack.callback(books.close)
        system = stack.enter_context(station.desk("system", patience))
        reviewers = [
            Reviewer(
                stack.enter_context(station.desk(name, patience)), station.person(name)
            )
            for name in _REVIEWERS
        ]
        outgoing = Outgoing(
            clerks=Clerks(system, reviewers, lambda: datetime.now(UTC)),
            system=system,
            books=books,
            banks=setting(tables, "banks"),
            folder=options.folder,
            corrections=options.corrections,
            tell=tell,
            wishes=Wishes(
                discard=frozenset(options.discard), correct=frozenset(options.correct)
            ),
        )
        incoming = Incoming(system, books, outgoing.reissue, tell)
        issuing = _Issuing(outgoing)
        issuing.start()
        for arrivals in system.read(follow=True, idle_s=IDLE_S):
            if arrivals:
                incoming.take(arrivals)
            elif issuing.is_over() and _is_settled(books, options.notices):
                break
        for refused in books.refused():
            print(f"{refused.file}: {refused.explanation}", file=sys.stderr)
    return DONE


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


def _show_books(options: argparse.Namespace) -> int:
    _, tables = read_settings(options.config)
    recipients = sorted(set(setting(tables, "banks").values()))
    with closing(Books(setting(tables, "books", "url"))) as books:
        figures = {one: asdict(books.figures(one)) for one in recipients}
    if options.json:
        print(json.dumps(figures))
        return DONE
    for recipient, figure in figures.items():
        counts = " ".join(
            f"{name}={figure[name]}" for name in figure if "fen" not in name
        )
        print(f"{recipient} {counts} {to_yuan(figure['receipted_fen'])}")
    return DONE
