"""The command `counterfoil-finance`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.finance.answers import Incoming
from counterfoil.finance.books import OPEN, Books
from counterfoil.finance.clerks import Clerks, Reviewer
from counterfoil.finance.files import to_yuan
from counterfoil.finance.flows import Outgoing, Wishes
from counterfoil.office import (
    DeskRefused,
    OfficeError,
    Patience,
    Unreachable,
    read_settings,
)

DONE: Final = 0
REFUSED: Final = 1
UNREACHABLE: Final = 3
PATIENCE: Final = Patience()
"""Long enough for a gateway that is started again."""
_IDLE_S: Final = 0.2
_REVIEWERS: Final = ("first_reviewer", "second_reviewer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the finance system.

    Returns:
        Exit status: 0 done, 1 refused, 2 usage, 3 gateway unreachable.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "books":
            return _show_books(options)
        return _run(options)
    except Unreachable as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    except DeskRefused as refusal:
        print(f"{refusal.reason}: {refusal.explanation()}", file=sys.stderr)
        return REFUSED
    except (OfficeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="counterfoil-finance",
        description="A reference business system of a finance department or unit.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="issue the files of a folder, book answers")
    _path(run, "config", "the system's configuration")
    _path(run, "folder", "national XML files")
    _path(run, "corrections", "corrected files, if any")
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
    _path(books, "config", "the system's configuration")
    books.add_argument("--json", action="store_true", help="for a program")
    return parser


def _path(to: argparse.ArgumentParser, name: str, text: str) -> None:
    """Add a path with its environment twin."""
    twin = f"COUNTERFOIL_FINANCE_{name.upper()}"
    value = os.environ.get(twin)
    to.add_argument(
        f"--{name}",
        type=Path,
        default=value,
        required=value is None,
        metavar="PATH",
        help=f"{text} [{twin}]",
    )


def tell(what: str, count: int) -> None:
    """Print one line of progress for a person or a program: `sent 64`."""
    print(what, count, flush=True)


def _run(options: argparse.Namespace) -> int:
    """Issue everything and stay until everything has come to an end."""
    station, tables = read_settings(options.config)
    patience = PATIENCE
    with ExitStack() as stack:
        books = Books(tables["books"]["url"])
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
            banks=tables["banks"],
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
        for arrivals in system.read(follow=True, idle_s=_IDLE_S):
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
    books = Books(tables["books"]["url"])
    recipients = sorted(set(tables["banks"].values()))
    figures = {recipient: asdict(books.figures(recipient)) for recipient in recipients}
    if options.json:
        print(json.dumps(figures))
        return DONE
    for recipient, figure in figures.items():
        counts = " ".join(
            f"{name}={figure[name]}" for name in figure if "fen" not in name
        )
        print(f"{recipient} {counts} {to_yuan(figure['receipted_fen'])}")
    return DONE
