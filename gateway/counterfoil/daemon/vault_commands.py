"""`counterfoil keys`, `vault verify` and `ledger rebuild`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from counterfoil.app.ports import LogRecord
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.config import Configuration, load_configuration
from counterfoil.daemon.keys import HeadSigners, load_head_signers, origin_of
from counterfoil.daemon.stores import (
    open_heads,
    open_ledger,
    open_vault,
    vault_directory,
)
from counterfoil.daemon.trust import TrustKeeper, own_certificates
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.rpc.views import certificate_views
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Finding, Report
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.reading import records
from counterfoil.vault.recent import Recent
from counterfoil.vault.verify import verify_vault
from counterfoil.wire.judge import SealJudge

_RECORDS_AT_ONCE: Final = 1024


def show_keys(arguments: argparse.Namespace) -> int:
    """Print certificates and the log's verifier keys."""
    configuration = load_configuration(Path(arguments.config))
    print_keys(configuration, load_head_signers(configuration))
    return 0


def print_keys(configuration: Configuration, signers: HeadSigners) -> None:
    """Print certificates and the log's verifier keys, one a line."""
    trust = TrustKeeper(configuration, SystemClock().now_us)
    own = own_certificates(configuration, trust.material)
    for view in certificate_views(own, trust.judge_caller, ""):
        until = view.valid_until.ToJsonString()
        sys.stdout.write(f"certificate {view.digest.hex()} {view.identity} {until}\n")
    for signer in signers:
        sys.stdout.write(f"head {signer.key.to_text()}\n")


def verify(arguments: argparse.Namespace) -> int:
    """Prove the whole vault and print what is wrong with it.

    Raises:
        VaultLocked: A gateway is running on it.
        ConfigurationRefused: Something the configuration names cannot be used.
    """
    configuration = load_configuration(Path(arguments.config))
    report = asyncio.run(_verify(configuration))
    for finding in report.findings:
        sys.stdout.write((_as_json(finding) if arguments.json else str(finding)) + "\n")
    sys.stderr.write(
        f"counterfoil: {report.size} leaves and {report.documents} documents "
        f"verified, root {report.root.hex()}: "
        f"{report.findings_count or 'no'} findings\n"
    )
    return 0 if report.is_sound else 1


async def _verify(configuration: Configuration) -> Report:
    """Verify vault, head store and ledger, none of which may be in use."""
    trust = TrustKeeper(configuration, SystemClock().now_us)
    ledger = open_ledger(configuration)
    heads = open_heads(configuration)
    try:
        with (
            LmdbEngine(vault_directory(configuration), read_only=True) as engine,
            engine.reading() as reading,
        ):
            await _catch_up(ledger, reading)
            rows = [row async for row in ledger.rows_for_verify()]
            judge = SealJudge(trust=trust.store, find=reading.certificate)
            return verify_vault(
                reading,
                origin=origin_of(configuration.gateway.party),
                heads=heads,
                judge=judge,
                ledger=rows,
            )
    finally:
        heads.close()
        await ledger.close()


async def _catch_up(ledger: SqlLedger, reading: Reading) -> None:
    """Let the ledger take in what it had not when its gateway ended.

    It follows the log and may be behind; that is no fault. What it should have
    taken in and has not, is found afterwards.
    """
    first = await ledger.next_index()
    try:
        await _follow(ledger, partial(records, reading, Recent()), reading.size())
    except VaultCorrupt:
        # Told with its place by the verification that comes now.
        return
    if (behind := reading.size() - first) > 0:
        sys.stderr.write(f"counterfoil: the ledger took in {behind} leaves first\n")


async def _follow(
    ledger: SqlLedger, read: Callable[[int, int], list[LogRecord]], size: int
) -> None:
    """Let a ledger follow a log of `size` leaves from where it is to its end."""
    index = await ledger.next_index()
    while index < size:
        await ledger.follow(read(index, _RECORDS_AT_ONCE))
        index = await ledger.next_index()


def _as_json(finding: Finding) -> str:
    return json.dumps(
        {
            "fault": finding.fault.name,
            "text": finding.fault.en,
            "text_zh": finding.fault.zh,
            "leaf": finding.index,
            "about": finding.key,
            "detail": finding.detail,
        },
        ensure_ascii=False,
    )


def rebuild_ledger(arguments: argparse.Namespace) -> int:
    """Drop the ledger and make it again from the vault.

    Raises:
        VaultLocked: A gateway is running on it.
    """
    configuration = load_configuration(Path(arguments.config))
    size = asyncio.run(_rebuild(configuration))
    sys.stderr.write(f"counterfoil: the ledger was made again from {size} leaves\n")
    return 0


async def _rebuild(configuration: Configuration) -> int:
    heads = open_heads(configuration)
    vault = open_vault(
        configuration, heads, SystemClock(), load_head_signers(configuration)
    )
    ledger = open_ledger(configuration, rebuild=True)
    try:
        await _follow(ledger, vault.records, vault.size())
        return vault.size()
    finally:
        await ledger.close()
        vault.close()
        heads.close()
