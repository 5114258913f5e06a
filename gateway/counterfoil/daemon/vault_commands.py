"""`counterfoil keys`, `vault verify` and `ledger rebuild`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from counterfoil.app.ports import FoundRow
from counterfoil.daemon.beginnings import beginning
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.config import (
    Configuration,
    ConfigurationRefused,
    load_configuration,
)
from counterfoil.daemon.key_report import KeyReport
from counterfoil.daemon.keys import HeadSigners
from counterfoil.daemon.ledger_check import acts_in_order, check_ledger, follow_to_end
from counterfoil.daemon.stores import (
    open_heads_to_read,
    open_ledger,
    open_vault_to_read,
    require_vault,
)
from counterfoil.daemon.time_stamping import book_of
from counterfoil.daemon.trust import TrustKeeper, own_certificates
from counterfoil.domain.party import origin_of
from counterfoil.rpc.views import certificate_views
from counterfoil.vault.engine import Reading
from counterfoil.vault.findings import Finding, Report
from counterfoil.vault.registering import stored_registrations
from counterfoil.vault.stamped_heads import check_stamped_heads
from counterfoil.vault.verify import verify_vault
from counterfoil.wire.judge import SealJudge


def show_keys(arguments: argparse.Namespace) -> int:
    """Print where each key is, certificates and the log's verifier keys.

    Raises:
        ConfigurationRefused: A key cannot be used; which, is printed before.
    """
    configuration = load_configuration(Path(arguments.config))
    report = KeyReport(configuration)
    faults = 0
    for place in report.places():
        faults += bool(place.fault)
        sys.stdout.write(f"{place}\n")
    if report.signers is not None:
        print_keys(configuration, report.signers)
    if faults:
        msg = f"{faults} of the keys above cannot be used"
        raise ConfigurationRefused(msg)
    return 0


def print_keys(configuration: Configuration, signers: HeadSigners) -> None:
    """Print certificates and the log's verifier keys, one a line."""
    trust = TrustKeeper(configuration, SystemClock().now_us)
    own = own_certificates(configuration, trust.material)
    for view in certificate_views(own, trust.judge_caller, ""):
        until = view.valid_until.ToJsonString()
        sys.stdout.write(f"certificate {view.digest.hex()} {view.identity} {until}\n")
    _print_heads("head", signers)
    if signers.next is not None:
        _print_heads("head-next", signers.next)


def _print_heads(word: str, signers: HeadSigners) -> None:
    for log_signer in signers.log:
        sys.stdout.write(f"{word} {log_signer.key.to_text()}\n")
    # Under another word: these are for experts, and not for peers' `heads`.
    for sm3_signer in signers.sm3 or ():
        sys.stdout.write(f"{word}-sm3 {sm3_signer.key.to_text()}\n")


def verify(arguments: argparse.Namespace) -> int:
    """Prove the whole vault and print what is wrong with it.

    Raises:
        VaultLocked: A gateway is running on it.
        ConfigurationRefused: Something the configuration names cannot be used.
        LedgerUnavailable: The ledger's database cannot be opened.
    """
    configuration = load_configuration(Path(arguments.config))
    report = _verify(configuration)
    for finding in report.findings:
        sys.stdout.write((_as_json(finding) if arguments.json else str(finding)) + "\n")
    second = f", by SM3 {report.sm3_root.hex()}" if report.sm3_root else ""
    sys.stderr.write(
        f"counterfoil: {report.size} leaves and {report.documents} documents "
        f"verified, root {report.root.hex()}{second}: "
        f"{report.findings_count or 'no'} findings\n"
    )
    return 0 if report.is_sound else 1


def _verify(configuration: Configuration) -> Report:
    """Verify vault, head store and ledger, none of which may be in use."""
    require_vault(configuration)
    trust = TrustKeeper(configuration, SystemClock().now_us)
    with (
        closing(open_heads_to_read(configuration)) as heads,
        open_vault_to_read(configuration) as engine,
        engine.reading() as reading,
    ):
        findings, rows = asyncio.run(_ledger_against(configuration, reading))
        judge = SealJudge(trust=trust.store, find=reading.certificate)
        # Not in the event loop: there an interrupt would wait until all is verified.
        report = verify_vault(
            reading,
            origin=origin_of(configuration.gateway.party),
            heads=heads,
            judge=judge,
            ledger=rows,
            register=beginning(configuration, stored_registrations(reading)),
        )
        _check_stamped(configuration, reading, report)
    for one in findings:
        report.add(one.fault, index=one.index, key=one.key, detail=one.detail)
    return report


def _check_stamped(
    configuration: Configuration, reading: Reading, report: Report
) -> None:
    """Compare the log with the heads that were stamped, if there are any."""
    origin = origin_of(configuration.gateway.party)
    said = ""
    try:
        with closing(book_of(configuration).all()) as heads:
            if worthless := check_stamped_heads(reading, origin, heads, report):
                said = f"{len(worthless)} are not of their heads (与树头不符)"
    except sqlite3.Error as error:
        said = f"not read (无法读取): {error}"
    if said:
        sys.stderr.write(f"counterfoil: time stamps (时间戳): {said}\n")


async def _ledger_against(
    configuration: Configuration, reading: Reading
) -> tuple[list[Finding], list[FoundRow] | None]:
    ledger = open_ledger(configuration)
    try:
        return await check_ledger(ledger, reading)
    finally:
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
        VaultCorrupt: The vault does not tell its whole log; the ledger is unchanged.
        ConfigurationRefused: Something the configuration names cannot be used.
        LedgerUnavailable: The ledger's database cannot be opened.
    """
    configuration = load_configuration(Path(arguments.config))
    size = _rebuild(configuration)
    sys.stderr.write(f"counterfoil: the ledger was made again from {size} leaves\n")
    return 0


def _rebuild(configuration: Configuration) -> int:
    require_vault(configuration)
    with open_vault_to_read(configuration) as engine, engine.reading() as reading:
        # All of the log is read once before the ledger is dropped: what the vault can
        # no longer tell, the old ledger may still know.
        for _ in acts_in_order(reading, reading.size()):
            pass
        asyncio.run(_follow_anew(configuration, reading))
        return reading.size()


async def _follow_anew(configuration: Configuration, reading: Reading) -> None:
    ledger = open_ledger(configuration, rebuild=True)
    try:
        await follow_to_end(ledger, reading)
    finally:
        await ledger.close()
