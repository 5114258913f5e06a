"""The command line of `counterfoil audit`."""

from __future__ import annotations

import argparse
from typing import Final

from counterfoil.daemon import audit_command
from counterfoil.daemon.options import add_connection, add_option
from counterfoil.daemon.register_parser import Nouns
from counterfoil.office.matters import SUBJECTS

_OPTIONS: Final = (
    ("from", "TIME", "only from this instant on (acts, registrations, refusals)"),
    ("until", "TIME", "only before this instant (acts, registrations, refusals)"),
    ("acts", "ACT,…", "only these, e.g. withdraw (acts)"),
    ("kinds", "KIND,…", "only documents of these kinds, e.g. return (acts)"),
    ("party", "CODE", "only of this party"),
    ("matters", "MATTER,…", "only these, e.g. loss-notice (registrations)"),
)


def add_audit(nouns: Nouns) -> None:
    """Add `audit` and its verbs."""
    audit = nouns.add_parser(
        "audit", help="the security officer's checks: ask, and note what was found"
    )
    verbs = audit.add_subparsers(title="verbs", required=True, metavar="VERB")
    ask = verbs.add_parser(
        "ask",
        help="sign a check, have it recorded, and print the answer",
        description="Signs the question with the security officer's own key. A running "
        "gateway takes it into its log and then prints, one a line, what is asked: "
        "acts of the log, registrations, refused calls, callers with their posts, open "
        "streams. Nothing is answered that is not recorded.",
    )
    ask.add_argument(
        "subject", choices=SUBJECTS, metavar="SUBJECT", help=", ".join(SUBJECTS)
    )
    _check(ask, "what is looked at, for people")
    for name, metavar, text in _OPTIONS:
        add_option(ask, name, text, metavar=metavar, required=False)
    ask.set_defaults(command=audit_command.ask)
    note = verbs.add_parser(
        "note",
        help="sign and record what was found",
        description="Signs what was found with the security officer's own key and "
        "hands it in to a running gateway. Prints its leaf and digest.",
    )
    _check(note, "what was looked at, e.g. the digest of the check that asked")
    add_option(note, "finding", "what was found", metavar="TEXT")
    note.set_defaults(command=audit_command.note)


def _check(to: argparse.ArgumentParser, about: str) -> None:
    """Add what every check says, and the connection that it goes by."""
    add_option(to, "by", "the gateway's own party", metavar="CODE")
    add_option(to, "number", "number of the check, used once", metavar="NUMBER")
    add_option(to, "about", about, metavar="TEXT")
    add_connection(to)
