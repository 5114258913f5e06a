"""The command line of `counterfoil register`."""

from __future__ import annotations

import argparse
from typing import TypeAlias

from counterfoil.daemon import loss_command, register_command, register_show
from counterfoil.daemon.options import (
    add_connection,
    add_flag,
    add_option,
    add_person,
)
from counterfoil.daemon.register_matters import MATTERS, OPTIONS

Nouns: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 -- argparse gives it no public name


def add_register(nouns: Nouns) -> None:
    """Add `register` and its verbs."""
    register = nouns.add_parser(
        "register", help="parties, peers, posts, agreements …: see and change them"
    )
    verbs = register.add_subparsers(title="verbs", required=True, metavar="VERB")
    show = verbs.add_parser(
        "show",
        help="show what stands registered",
        description="Prints who holds which post, agreements, filings, whose "
        "certificates are that bear no name, which are void or in use, where that is "
        "demanded, and registered parties, peers and their keys, one a line.",
    )
    add_connection(show)
    show.set_defaults(command=register_show.show)
    listing = verbs.add_parser(
        "list",
        help="list all registrations in the order of the log",
        description="Prints leaf, time, matter, party, number and digest of each.",
    )
    add_flag(listing, "json", "what each says, as JSON lines")
    add_connection(listing)
    listing.set_defaults(command=register_show.show_list)
    _add_lose(verbs)
    _add_signing(verbs)
    submit = verbs.add_parser(
        "submit",
        help="hand a file's registrations in to a running gateway",
        description="Prints of each whether it is registered now or was known, its "
        "leaf and digest. Exit status 1 if one was refused.",
    )
    submit.add_argument("file", help="what `propose` and `sign` wrote")
    add_connection(submit)
    submit.set_defaults(command=register_command.submit)


def _add_lose(verbs: Nouns) -> None:
    lose = verbs.add_parser(
        "lose",
        help="make a lost key worthless here at once and tell every peer (挂失)",
        description="Signs a loss notice with a person's own key, hands it in, and "
        "has it told to every peer. One person of the party is enough. Exit status 1 "
        "if it was refused. The signature is by the certificate that calls; whoever "
        "signs by another uses `propose lose` and `submit`.",
    )
    add_option(lose, "by", "the party that gives notice", metavar="CODE")
    add_option(lose, "of", "the lost certificate, PEM", metavar="FILE")
    text = "its number, used once; default: one made from certificate and told"
    add_option(lose, "number", text, metavar="NUMBER", required=False)
    text = "parties to tell; default: every gateway that this one knows"
    add_option(lose, "told", text, metavar="CODE,…", required=False)
    add_option(lose, "explanation", "why", metavar="TEXT", required=False)
    add_connection(lose)
    lose.set_defaults(command=loss_command.lose, matter="lose")


def _add_signing(verbs: Nouns) -> None:
    propose = verbs.add_parser(
        "propose",
        help="make a registration and sign it first (提请)",
        description="Makes a registration, signs it with a person's own key and "
        "writes it to a file. Whose signatures a matter needs stands in the contract; "
        "the gateway refuses it without. No gateway is needed.",
    )
    propose.add_argument(
        "matter", choices=MATTERS, metavar="MATTER", help=", ".join(MATTERS)
    )
    add_option(propose, "by", "the party that registers it", metavar="CODE")
    add_option(propose, "number", "its number, used once", metavar="NUMBER")
    add_option(propose, "output", "where to write it", metavar="FILE")
    text = "parties to tell, or none; needed by what concerns another party"
    add_option(propose, "told", text, metavar="CODE,…", required=False)
    add_option(propose, "explanation", "why", metavar="TEXT", required=False)
    for name, (metavar, text) in OPTIONS.items():
        add_option(propose, name, text, metavar=metavar, required=False)
    add_person(propose)
    propose.set_defaults(command=register_command.propose)
    sign = verbs.add_parser(
        "sign",
        help="put the second signature on a file's registrations (审批)",
        description="Prints what each registration of a file is about and signs it "
        "with a person's own key. No gateway is needed.",
    )
    sign.add_argument("file", help="what `propose` wrote; it is changed")
    add_person(sign)
    sign.set_defaults(command=register_command.sign)
    join = verbs.add_parser(
        "join",
        help="put several files into one, e.g. what a register begins with",
        description="Puts the registrations of several files into one, in order.",
    )
    join.add_argument("files", nargs="+", help="what `propose` and `sign` wrote")
    add_option(join, "output", "where to write it", metavar="FILE")
    join.set_defaults(command=register_command.join)
