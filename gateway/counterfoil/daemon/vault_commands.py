"""`counterfoil keys`, `vault verify` and `ledger rebuild`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Final

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
from counterfoil.rpc.views import certificate_views
from counterfoil.vault.findings import Finding, Report
from counterfoil.vault.lmdb_engine import LmdbEngine
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
        rows = [row async for row in ledger.rows_for_verify()]
        with (
            LmdbEngine(vault_directory(configuration), read_only=True) as engine,
            engine.reading() as reading,
        ):
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
        index, size = 0, vault.size()
        while index < size:
            records = vault.records(index, _RECORDS_AT_ONCE)
            await ledger.follow(records)
            index = records[-1].index + 1
        return size
    finally:
        await ledger.close()
        vault.close()
        heads.close()
