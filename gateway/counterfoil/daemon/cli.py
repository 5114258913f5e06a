"""The `counterfoil` command: nouns, then verbs.

Machine output goes to standard output, prose to standard error. Exit status: 0
done, 1 refused or a fault was found, 2 usage or configuration, 3 unreachable, 130
interrupted, 141 whoever read the output went away. Every option has an environment
twin, `COUNTERFOIL_` and its name.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Final

from counterfoil.daemon import (
    catalogue_command,
    desk_commands,
    inquire_command,
    program_command,
    register_command,
    selftest,
    status_command,
    vault_commands,
)
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.register_matters import MATTERS, OPTIONS
from counterfoil.daemon.serving import initialise, serve
from counterfoil.domain.refusals import CounterfoilError, Unavailable
from counterfoil.office import KeyAway
from counterfoil.vault.locking import VaultLocked

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130
"""As a shell says of what SIGINT ended."""
UNREAD: Final = 141
"""As a shell says of what SIGPIPE ended."""

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    _prepare_output()
    parsed = parser().parse_args(arguments)
    command: Command = parsed.command
    try:
        status = command(parsed)
        sys.stdout.flush()
    except _ENDS as error:
        status, text = _end(error)
        if text:
            _say(text)
        if isinstance(error, OSError) and error.filename is None:
            _give_up_output()
    return status


_ENDS: Final = (
    *(ConfigurationRefused, VaultLocked, CounterfoilError, KeyAway),
    *(OSError, KeyboardInterrupt),
)
"""What ends a command without being a defect."""


def _end(error: BaseException) -> tuple[int, str]:
    """Return the exit status that a command ends with, and what is said about it."""
    match error:
        case KeyboardInterrupt():
            end = INTERRUPTED, "interrupted (已中断)"
        case BrokenPipeError():
            end = UNREAD, ""
        case OSError():
            where = error.filename or "output"
            end = REFUSED, f"{where}: {error.strerror or error} (文件无法读写)"
        case ConfigurationRefused():
            end = USAGE, f"configuration: {error} (配置不可用)"
        case KeyAway():
            end = UNREACHABLE, f"{error} (签名密钥介质暂时无法使用)"
        case CounterfoilError():
            status = UNREACHABLE if isinstance(error, Unavailable) else REFUSED
            end = status, f"{error.reason}: {error} ({error.zh})"
        case _:
            end = REFUSED, f"{error}. Is a gateway running on it? (目录正被使用)"
    return end


def _prepare_output() -> None:
    """See to it that whatever is printed can be printed, or goes nowhere."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Else the next file that is opened, the vault perhaps, would take its
            # place, and what a library prints would go there.
            os.open(os.devnull, os.O_RDWR)
    # Python has no stream for what was closed.
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show Chinese gets it escaped.
            stream.reconfigure(errors="backslashreplace")


def _say(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"counterfoil: {text}\n")


def _give_up_output() -> None:
    """Let what is still to be printed go nowhere: at its end Python tries again."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    top = argparse.ArgumentParser(
        prog="counterfoil",
        description="Gateway of one institution and its electronic voucher vault.",
    )
    nouns = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_running(nouns)
    _add_desk(nouns)
    _add_register(nouns)
    _add_stores(nouns)
    _add_program(nouns)
    return top


_Nouns = argparse._SubParsersAction  # noqa: SLF001 -- argparse gives it no public name


def _add_running(nouns: _Nouns[argparse.ArgumentParser]) -> None:
    init = nouns.add_parser(
        "init",
        help="check the configuration and make the empty stores",
        description="Checks the configuration, its keys and certificates, and makes "
        "vault, head store, ledger and workbench. Refuses to touch existing ones.",
    )
    _config(init)
    init.set_defaults(command=initialise)
    run = nouns.add_parser(
        "serve",
        help="run the gateway until SIGTERM or SIGINT",
        description="Runs the gateway. Prints `ready` on standard output when it "
        "serves; logs go to standard error as JSON lines.",
    )
    _config(run)
    run.set_defaults(command=serve)
    status = nouns.add_parser(
        "status",
        help="show what the watches of a gateway found, running or not",
        description="Prints how far the check of the vault and that of the program "
        "files came, and every open alert. Reads the state directory only. Exit "
        "status 1 if an alert is open.",
    )
    _config(status)
    _flag(status, "json", "one JSON object")
    status.set_defaults(command=status_command.show_status)
    test = nouns.add_parser(
        "selftest",
        help="test the security measures: certificates, files, clock, peers …",
        description="Tests certificates (a warning from 60 days before expiry), "
        "revocation lists, posts, permissions, disk, program files, open alerts, head "
        "store, clock, ledger and peers, beside a running gateway or without one. "
        "One line a check: level, test, about what, detail. Exit status 1 if one is "
        "a fault.",
    )
    _config(test)
    _flag(test, "json", "one JSON object a line")
    test.set_defaults(command=selftest.selftest)
    keys = nouns.add_parser(
        "keys",
        help="show where this gateway's keys are, and check them",
        description="Prints where each key lives and whether it can be used, having "
        "opened it and held it against its certificate; certificates with identity and "
        "validity; and the log's verifier keys that peers put into `heads`. Shows no "
        "secret. A key in a token is logged in to once.",
    )
    _config(keys)
    keys.set_defaults(command=vault_commands.show_keys)
    catalogue = nouns.add_parser(
        "catalogue",
        help="list the kinds of voucher that this release carries",
        description="Prints one kind of voucher a line: code, code in national "
        "documents, name, who sends it to whom, what answers it, its seals in order, "
        "how long it is kept. Needs no configuration and no gateway.",
    )
    _option(catalogue, "type", "only this one", metavar="CODE", required=False)
    catalogue.set_defaults(command=catalogue_command.show_catalogue)


def _add_desk(nouns: _Nouns[argparse.ArgumentParser]) -> None:
    peers = nouns.add_parser(
        "peers",
        help="show the lanes of a running gateway",
        description="Asks a running gateway for its peers and their lanes.",
    )
    _connection(peers)
    peers.set_defaults(command=desk_commands.show_peers)
    inquire = nouns.add_parser(
        "inquire",
        help="show one voucher's whole way with its evidence",
        description="Asks a running gateway for the whole way of one voucher: every "
        "act with its place in the log, checked against the signed checkpoint.",
    )
    inquire.add_argument(
        "voucher",
        help="digest in hex, or issuer/division/year/type/number[#issue]",
    )
    _option(
        inquire,
        "export",
        "also write all that a third party needs to judge it",
        metavar="DIRECTORY",
        required=False,
    )
    _connection(inquire)
    inquire.set_defaults(command=inquire_command.inquire)
    search = nouns.add_parser(
        "search",
        help="find vouchers in a running gateway's ledger",
        description="Prints one voucher and recipient a line, last changed first.",
    )
    _option(
        search,
        "standing",
        "only these, e.g. sent,arrived",
        metavar="STANDING,...",
        required=False,
    )
    _option(search, "type", "only these, e.g. 5201", metavar="CODE,...", required=False)
    _option(
        search,
        "number",
        "only numbers that begin so",
        metavar="PREFIX",
        required=False,
    )
    _option(search, "limit", "at most so many lines", metavar="N", default="50")
    _connection(search)
    search.set_defaults(command=desk_commands.search)


def _add_register(nouns: _Nouns[argparse.ArgumentParser]) -> None:
    register = nouns.add_parser(
        "register", help="posts, agreements, filings, losses: see and change them"
    )
    verbs = register.add_subparsers(title="verbs", required=True, metavar="VERB")
    show = verbs.add_parser(
        "show",
        help="show what stands registered",
        description="Prints who holds which post, agreements, filings, and which "
        "certificates are void or in use, one a line.",
    )
    _connection(show)
    show.set_defaults(command=register_command.show)
    listing = verbs.add_parser(
        "list",
        help="list all registrations in the order of the log",
        description="Prints leaf, time, matter, party, number and digest of each.",
    )
    _flag(listing, "json", "what each says, as JSON lines")
    _connection(listing)
    listing.set_defaults(command=register_command.show_list)
    _add_signing(verbs)
    submit = verbs.add_parser(
        "submit",
        help="hand a file's registrations in to a running gateway",
        description="Prints of each whether it is registered now or was known, its "
        "leaf and digest. Exit status 1 if one was refused.",
    )
    submit.add_argument("file", help="what `propose` and `sign` wrote")
    _connection(submit)
    submit.set_defaults(command=register_command.submit)


def _add_signing(verbs: _Nouns[argparse.ArgumentParser]) -> None:
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
    _option(propose, "by", "the party that registers it", metavar="CODE")
    _option(propose, "number", "its number, used once", metavar="NUMBER")
    _option(propose, "output", "where to write it", metavar="FILE")
    _option(propose, "told", "parties to tell", metavar="CODE,…", required=False)
    _option(propose, "explanation", "why", metavar="TEXT", required=False)
    for name, (metavar, text) in OPTIONS.items():
        _option(propose, name, text, metavar=metavar, required=False)
    _person(propose)
    propose.set_defaults(command=register_command.propose)
    sign = verbs.add_parser(
        "sign",
        help="put the second signature on a file's registrations (审批)",
        description="Prints what each registration of a file is about and signs it "
        "with a person's own key. No gateway is needed.",
    )
    sign.add_argument("file", help="what `propose` wrote; it is changed")
    _person(sign)
    sign.set_defaults(command=register_command.sign)
    join = verbs.add_parser(
        "join",
        help="put several files into one, e.g. what a register begins with",
        description="Puts the registrations of several files into one, in order.",
    )
    join.add_argument("files", nargs="+", help="what `propose` and `sign` wrote")
    _option(join, "output", "where to write it", metavar="FILE")
    join.set_defaults(command=register_command.join)


def _add_stores(nouns: _Nouns[argparse.ArgumentParser]) -> None:
    vault = nouns.add_parser("vault", help="work on a vault that is not in use")
    verbs = vault.add_subparsers(title="verbs", required=True, metavar="VERB")
    verify = verbs.add_parser(
        "verify",
        help="prove the whole vault, its indexes, its ledger and its head store",
        description="Re-hashes every document, proves the root again, judges seals "
        "at their logged times, replays states, and compares every index, the ledger "
        "and the head store. A ledger that is only behind catches up first. Exit "
        "status 1 if anything is wrong.",
    )
    _config(verify)
    _flag(verify, "json", "findings as JSON lines")
    verify.set_defaults(command=vault_commands.verify)
    ledger = nouns.add_parser("ledger", help="work on the ledger")
    verbs = ledger.add_subparsers(title="verbs", required=True, metavar="VERB")
    rebuild = verbs.add_parser(
        "rebuild",
        help="drop the ledger and make it again from the vault",
        description="Drops the ledger's tables and follows the log from its start.",
    )
    _config(rebuild)
    rebuild.set_defaults(command=vault_commands.rebuild_ledger)


def _add_program(nouns: _Nouns[argparse.ArgumentParser]) -> None:
    program = nouns.add_parser("program", help="work on the installed program")
    verbs = program.add_subparsers(title="verbs", required=True, metavar="VERB")
    sign = verbs.add_parser(
        "sign",
        help="write the signed list of the installed program files",
        description="Writes the SHA-256 and the path of every file of the installed "
        "program, signed, for `program.list`. Prints the verifier key for "
        "`program.keys`. Whoever runs gateways should not hold the key.",
    )
    _option(sign, "key", "an Ed25519 key, e.g. file:/path", metavar="URI")
    _option(
        sign,
        "passphrase",
        "file:PATH, fd:N, credential:NAME or none",
        metavar="SECRET",
        default="none",
    )
    _option(sign, "name", "whose key it is, e.g. 420000-011/program", metavar="NAME")
    _option(sign, "list", "where to write", metavar="FILE", default="program.list")
    sign.set_defaults(command=program_command.sign_program)


def _option(  # noqa: PLR0913 -- an option has that many parts
    to: argparse.ArgumentParser,
    name: str,
    text: str,
    *,
    metavar: str,
    default: str = "",
    required: bool = True,
) -> None:
    """Add an option with its environment twin; one with a default is not required."""
    twin = _twin(name)
    value = os.environ.get(twin, default)
    to.add_argument(
        f"--{name}",
        default=value or None,
        required=required and not value,
        metavar=metavar,
        help=f"{text} [{twin}]",
    )


def _flag(to: argparse.ArgumentParser, name: str, text: str) -> None:
    """Add an option without a value; its environment twin is set to 1."""
    twin = _twin(name)
    to.add_argument(
        f"--{name}",
        action="store_true",
        default=os.environ.get(twin) == "1",
        help=f"{text} [{twin}=1]",
    )


def _twin(name: str) -> str:
    return f"COUNTERFOIL_{name.upper().replace('-', '_')}"


def _config(to: argparse.ArgumentParser) -> None:
    _option(
        to,
        "config",
        "the gateway's configuration",
        metavar="FILE",
        default="gateway.toml",
    )


def _person(to: argparse.ArgumentParser) -> None:
    _option(to, "certificate", "the caller's certificate, PEM", metavar="FILE")
    _option(
        to,
        "key",
        "the caller's key, file:PATH or in a token pkcs11:... (RFC 7512)",
        metavar="URI",
    )
    _option(
        to,
        "passphrase",
        "its passphrase or PIN: file:PATH, fd:N, credential:NAME or none",
        metavar="SECRET",
        default="none",
    )


def _connection(to: argparse.ArgumentParser) -> None:
    _option(to, "address", "the gateway's host:port", metavar="HOST:PORT")
    _person(to)
    _option(to, "authorities", "trusted roots, PEM", metavar="FILE")
