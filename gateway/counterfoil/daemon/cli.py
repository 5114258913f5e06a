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
    selftest,
    status_command,
    vault_commands,
)
from counterfoil.daemon.audit_parser import add_audit
from counterfoil.daemon.config import ConfigurationRefused, OptionRefused
from counterfoil.daemon.options import (
    add_config,
    add_connection,
    add_flag,
    add_option,
)
from counterfoil.daemon.refusal_text import refusal_text
from counterfoil.daemon.register_parser import add_register
from counterfoil.daemon.serving import initialise, serve
from counterfoil.domain.refusals import CounterfoilError, Unavailable
from counterfoil.office import KeyAway
from counterfoil.tlog.sm3 import Sm3Unavailable
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
    *(ConfigurationRefused, VaultLocked, CounterfoilError, KeyAway, Sm3Unavailable),
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
        case OptionRefused():
            end = USAGE, f"{error} (命令参数不可用)"
        case ConfigurationRefused():
            end = USAGE, f"configuration: {error} (配置不可用)"
        case Sm3Unavailable():
            end = USAGE, f"{error} (本机无法计算 SM3)"
        case KeyAway():
            end = UNREACHABLE, f"{error} (签名密钥介质暂时无法使用)"
        case CounterfoilError():
            status = UNREACHABLE if isinstance(error, Unavailable) else REFUSED
            end = status, refusal_text(error)
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
    add_register(nouns)
    add_audit(nouns)
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
    add_config(init)
    init.set_defaults(command=initialise)
    run = nouns.add_parser(
        "serve",
        help="run the gateway until SIGTERM or SIGINT",
        description="Runs the gateway. Prints `ready` on standard output when it "
        "serves; logs go to standard error as JSON lines.",
    )
    add_config(run)
    run.set_defaults(command=serve)
    status = nouns.add_parser(
        "status",
        help="show what the watches of a gateway found, running or not",
        description="Prints how far the check of the vault and that of the program "
        "files came, how far the log is stamped with the time, and every open alert. "
        "Reads the state directory only. Exit status 1 if an alert is open.",
    )
    add_config(status)
    add_flag(status, "json", "one JSON object")
    status.set_defaults(command=status_command.show_status)
    test = nouns.add_parser(
        "selftest",
        help="test the security measures: certificates, files, clock, peers …",
        description="Tests certificates (a warning from 60 days before expiry), "
        "revocation lists and answers, time stamps, posts, permissions, disk, program "
        "files, open alerts, head store, record of refused calls, clock, ledger and "
        "peers, beside a running gateway or without one. One line a check: level, "
        "test, about what, detail. Exit status 1 if one is a fault.",
    )
    add_config(test)
    add_flag(test, "json", "one JSON object a line")
    test.set_defaults(command=selftest.selftest)
    keys = nouns.add_parser(
        "keys",
        help="show where this gateway's keys are, and check them",
        description="Prints where each key lives and whether it can be used, having "
        "opened it and held it against its certificate; certificates with identity and "
        "validity; and the log's verifier keys that peers put into `heads`. Shows no "
        "secret. A key in a token is logged in to once.",
    )
    add_config(keys)
    keys.set_defaults(command=vault_commands.show_keys)
    catalogue = nouns.add_parser(
        "catalogue",
        help="list the kinds of voucher that this release carries",
        description="Prints one kind of voucher a line: code, code in national "
        "documents, name, who sends it to whom, what answers it, its seals in order, "
        "how long it is kept. Needs no configuration and no gateway.",
    )
    add_option(catalogue, "type", "only this one", metavar="CODE", required=False)
    catalogue.set_defaults(command=catalogue_command.show_catalogue)


def _add_desk(nouns: _Nouns[argparse.ArgumentParser]) -> None:
    peers = nouns.add_parser(
        "peers",
        help="show the lanes of a running gateway",
        description="Asks a running gateway for its peers and their lanes.",
    )
    add_connection(peers)
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
    add_option(
        inquire,
        "export",
        "also write all that a third party needs to judge it",
        metavar="DIRECTORY",
        required=False,
    )
    add_connection(inquire)
    inquire.set_defaults(command=inquire_command.inquire)
    search = nouns.add_parser(
        "search",
        help="find vouchers in a running gateway's ledger",
        description="Prints one voucher and recipient a line, last changed first.",
    )
    add_option(
        search,
        "standing",
        "only these, e.g. sent,arrived",
        metavar="STANDING,...",
        required=False,
    )
    add_option(
        search, "type", "only these, e.g. 5201", metavar="CODE,...", required=False
    )
    add_option(
        search,
        "number",
        "only numbers that begin so",
        metavar="PREFIX",
        required=False,
    )
    add_option(search, "limit", "at most so many lines", metavar="N", default="50")
    add_connection(search)
    search.set_defaults(command=desk_commands.search)


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
    add_config(verify)
    add_flag(verify, "json", "findings as JSON lines")
    verify.set_defaults(command=vault_commands.verify)
    ledger = nouns.add_parser("ledger", help="work on the ledger")
    verbs = ledger.add_subparsers(title="verbs", required=True, metavar="VERB")
    rebuild = verbs.add_parser(
        "rebuild",
        help="drop the ledger and make it again from the vault",
        description="Drops the ledger's tables and follows the log from its start.",
    )
    add_config(rebuild)
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
    add_option(sign, "key", "an Ed25519 key, e.g. file:/path", metavar="URI")
    add_option(
        sign,
        "passphrase",
        "file:PATH, fd:N, credential:NAME or none",
        metavar="SECRET",
        default="none",
    )
    add_option(sign, "name", "whose key it is, e.g. 420000-011/program", metavar="NAME")
    add_option(sign, "list", "where to write", metavar="FILE", default="program.list")
    sign.set_defaults(command=program_command.sign_program)
