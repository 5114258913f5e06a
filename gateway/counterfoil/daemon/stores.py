"""Opening the durable state of a gateway: vault, heads, ledger, workbench."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from counterfoil.app.ports import Clock
from counterfoil.daemon.beginnings import beginning
from counterfoil.daemon.config import (
    Configuration,
    ConfigurationRefused,
    DatabaseSection,
)
from counterfoil.daemon.keys import HeadSigners, secret_text
from counterfoil.domain.party import origin_of
from counterfoil.domain.refusals import CounterfoilError, HeadForked, PeerForked
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.sql.errors import DatabaseRefused
from counterfoil.tlog.checkpoint import Checkpoint, sign_checkpoint
from counterfoil.tlog.errors import HeadConflict
from counterfoil.tlog.merkle import TreeHead
from counterfoil.tlog.note import NoteSigner
from counterfoil.vault.heads import FileHeads, HeadStore, KnownHead, MemoryHeads
from counterfoil.vault.lmdb_engine import VAULT_FILE, LmdbEngine, LmdbLimits
from counterfoil.vault.registering import stored_registrations
from counterfoil.vault.signing import SignHead
from counterfoil.vault.vault import EngineVault
from counterfoil.vault.writer import WriterLimits
from counterfoil.wire.registrations import stored_registration
from counterfoil.workbench.workbench import SqlWorkbench


def vault_directory(configuration: Configuration) -> Path:
    """Return where the vault is."""
    return configuration.directory / "vault"


def heads_directory(configuration: Configuration) -> Path:
    """Return where the signed heads are remembered; never part of a backup."""
    return configuration.directory / "heads"


def require_vault(configuration: Configuration) -> None:
    """Check that there is a vault: whatever opens one would make it.

    Raises:
        ConfigurationRefused: There is none.
    """
    if not (vault_directory(configuration) / VAULT_FILE).exists():
        msg = f"{configuration.directory} has no vault; run `counterfoil init` first"
        raise ConfigurationRefused(msg)


def open_vault_to_read(configuration: Configuration) -> LmdbEngine:
    """Open the vault, which there must be, for reading only.

    Raises:
        VaultLocked: Another process has it open.
        VaultCorrupt: It is no vault, or not whole.
        OSError: Its file cannot be opened.
    """
    return LmdbEngine(vault_directory(configuration), read_only=True)


def open_heads_to_read(configuration: Configuration) -> HeadStore:
    """Open the store of signed heads; an empty one in its place if it is not there.

    Raises:
        VaultLocked: Another process has it open.
        HeadForked: It is damaged.
    """
    if not heads_directory(configuration).exists():
        return MemoryHeads()
    return open_heads(configuration)


def open_vault(
    configuration: Configuration,
    heads: HeadStore,
    clock: Clock,
    signers: HeadSigners,
) -> EngineVault:
    """Open the vault for writing.

    Raises:
        VaultLocked: Another process has it open.
        TreesDiffer: It was made with other trees than there are keys for.
        VaultCorrupt: A registration of its log is damaged.
    """
    engine = LmdbEngine(
        vault_directory(configuration),
        LmdbLimits(map_bytes_max=configuration.limits.vault_bytes_max),
        sm3_tree=signers.sm3 is not None,
    )
    try:
        with engine.reading() as reading:
            register = beginning(configuration, stored_registrations(reading))
        return EngineVault(
            engine,
            heads,
            origin=origin_of(configuration.gateway.party),
            sign=_sign_with(signers.of_log()),
            sign_sm3=_sign_with(signers.of_sm3()) if signers.sm3 else None,
            clock=clock,
            register=register,
            read_registration=stored_registration,
            limits=WriterLimits(waiting_max=configuration.limits.queue_calls_max),
        )
    except CounterfoilError:
        engine.close()
        raise


def _sign_with(signers: Sequence[NoteSigner]) -> SignHead:
    def sign(checkpoint: Checkpoint, time_s: int) -> bytes:
        return sign_checkpoint(checkpoint, signers, time_s)

    return sign


def open_heads(configuration: Configuration) -> FileHeads:
    """Open the store of signed heads.

    Raises:
        VaultLocked: Another process has it open.
        HeadForked: It is damaged.
    """
    return FileHeads(heads_directory(configuration))


def _database(
    configuration: Configuration, section: DatabaseSection, name: str
) -> tuple[str, Callable[[], str] | None]:
    url = section.url or f"sqlite:///{configuration.directory / name}.sqlite"
    scheme, separator, rest = url.partition(":///")
    if scheme == "sqlite" and separator:
        url = f"sqlite:///{configuration.path(rest)}"
    password = None
    if section.password:
        password = partial(secret_text, configuration, section.password)
    return url, password


def open_ledger(configuration: Configuration, *, rebuild: bool = False) -> SqlLedger:
    """Open the ledger, or make it anew from nothing.

    Raises:
        ConfigurationRefused: The URL or the file is refused.
        LedgerUnavailable: The database does not answer, or is none.
    """
    url, password = _database(configuration, configuration.ledger, "ledger")
    try:
        return SqlLedger.open(url, password=password, rebuild=rebuild)
    except DatabaseRefused as error:
        msg = f"[ledger]: {error}"
        raise ConfigurationRefused(msg) from error


def open_workbench(configuration: Configuration, clock: Clock) -> SqlWorkbench:
    """Open the workbench.

    Raises:
        ConfigurationRefused: The URL or the file is refused.
        WorkbenchUnavailable: The database does not answer, or is none.
    """
    url, password = _database(configuration, configuration.workbench, "workbench")
    try:
        return SqlWorkbench.open(url, clock=clock, password=password)
    except DatabaseRefused as error:
        msg = f"[workbench]: {error}"
        raise ConfigurationRefused(msg) from error


@dataclass(frozen=True, slots=True)
class PeerHeadBook:
    """Remembers peers' heads in the head store; implements `PeerHeads`."""

    heads: HeadStore

    def newest(self, origin: str) -> TreeHead | None:
        """Return the newest head seen of a log; None if there is none."""
        known = self.heads.newest(origin)
        return None if known is None else known.head

    def see(self, origin: str, head: TreeHead, checkpoint: bytes) -> None:
        """Record a head that a peer signed, unless a larger one is known.

        Raises:
            PeerForked: It signed another root for a size seen before.
        """
        newest = self.heads.newest(origin)
        if newest is not None and head.size < newest.head.size:
            return
        known = KnownHead(origin=origin, head=head, note=checkpoint)
        try:
            self.heads.replace(newest.head.size if newest else None, known)
        except (HeadForked, HeadConflict) as error:
            raise PeerForked(
                f"{origin} signed two heads of size {head.size}", origin=origin
            ) from error
