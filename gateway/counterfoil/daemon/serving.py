"""`counterfoil init` and `counterfoil serve`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import signal
import sys
from contextlib import closing
from pathlib import Path

from google.protobuf.internal import api_implementation

from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.collector import settle
from counterfoil.daemon.config import (
    Configuration,
    ConfigurationRefused,
    load_configuration,
)
from counterfoil.daemon.founding import found_register
from counterfoil.daemon.gateway import Gateway
from counterfoil.daemon.keys import (
    HeadSigners,
    load_head_signers,
    load_head_verifiers,
    load_seals,
)
from counterfoil.daemon.lines import require_lines
from counterfoil.daemon.log import set_up_logs
from counterfoil.daemon.program_watch import require_program
from counterfoil.daemon.stores import (
    heads_directory,
    open_heads,
    open_ledger,
    open_vault,
    open_workbench,
    require_vault,
    vault_directory,
)
from counterfoil.daemon.tls import TlsKeeper
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.daemon.vault_commands import print_keys

log = logging.getLogger("counterfoil.daemon")


def initialise(arguments: argparse.Namespace) -> int:
    """Check everything a gateway needs and make its empty stores.

    Raises:
        ConfigurationRefused: Something cannot be used, or there are stores already.
    """
    configuration = load_configuration(Path(arguments.config))
    signers = initialise_stores(configuration)
    print_keys(configuration, signers)
    sys.stderr.write(
        f"counterfoil: {configuration.directory} is ready. Give the log keys above "
        "to your peers, then run `counterfoil serve`.\n"
    )
    return 0


def initialise_stores(configuration: Configuration) -> HeadSigners:
    """Check every key, then make vault, head store, ledger and workbench.

    Returns:
        What signs the new log's checkpoints.

    Raises:
        ConfigurationRefused: Something cannot be used, or there are stores already.
        Unavailable: A database does not answer.
        OSError: A directory or file cannot be made.
    """
    signers = check_keys(configuration)
    directories = vault_directory(configuration), heads_directory(configuration)
    for directory in directories:
        if directory.exists():
            msg = f"{directory} exists already; nothing was changed"
            raise ConfigurationRefused(msg)
    configuration.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = SystemClock()
    # First what may be there already: if it fails, `init` can be run again.
    open_ledger(configuration).database.close_now()
    open_workbench(configuration, clock).database.close_now()
    try:
        _make_vault(configuration, clock, signers)
    except BaseException:
        for directory in directories:
            shutil.rmtree(directory, ignore_errors=True)
        raise
    return signers


def _make_vault(
    configuration: Configuration, clock: SystemClock, signers: HeadSigners
) -> None:
    with (
        closing(open_heads(configuration)) as heads,
        closing(open_vault(configuration, heads, clock, signers)) as vault,
    ):
        if configuration.register.founding:
            found_register(configuration, vault, clock)
        require_lines(configuration, vault.register)
        for tree in vault.trees:
            vault.checkpoint(tree)


def check_keys(configuration: Configuration) -> HeadSigners:
    """Load every key and certificate once, so that a fault shows at once.

    Raises:
        ConfigurationRefused: One cannot be used.
    """
    TrustKeeper(configuration, SystemClock().now_us)
    TlsKeeper(configuration)
    load_seals(configuration)
    for peer in configuration.peer:
        load_head_verifiers(peer)
    return load_head_signers(configuration)


def serve(arguments: argparse.Namespace) -> int:
    """Run the gateway until it is told to stop.

    Raises:
        ConfigurationRefused: The gateway cannot start.
        VaultLocked: Another gateway has the vault open.
    """
    configuration = load_configuration(Path(arguments.config))
    set_up_logs(configuration.gateway.log_level)
    if api_implementation.Type() != "upb":
        msg = "the protobuf package runs without its native core; install its wheel"
        raise ConfigurationRefused(msg)
    require_vault(configuration)
    require_program(configuration)
    return asyncio.run(_serve(configuration))


async def _serve(configuration: Configuration) -> int:
    gateway = Gateway(configuration)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await gateway.start()
    loop.add_signal_handler(signal.SIGHUP, gateway.reload)
    try:
        settle()
        # A service manager takes `ready` for healthy; a vault that may not write is
        # not.
        sys.stdout.write("ready\n" if not gateway.stopped_reason else "read-only\n")
        sys.stdout.flush()
        await told.wait()
    finally:
        log.info("stopping")
        await gateway.stop()
    return 0
