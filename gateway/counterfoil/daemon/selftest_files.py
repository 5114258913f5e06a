"""Self-tests of what lies on this machine: certificates, lists, files, disk."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from counterfoil.daemon.alerts import FILE, AlertCode, read_watch_file, told_of
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.parties import posts_of
from counterfoil.daemon.program_list import ProgramListRefused
from counterfoil.daemon.program_watch import check_program, shortened
from counterfoil.daemon.selftest_report import Check, Level
from counterfoil.daemon.stores import vault_directory
from counterfoil.daemon.trust import TrustKeeper, own_certificates
from counterfoil.domain.posts import Post, are_compatible
from counterfoil.seal.certificates import (
    CertificateError,
    certificate_bag,
    certificate_digest,
)
from counterfoil.vault.lmdb_engine import VAULT_FILE

EXPIRY_DAYS: Final = 60
"""Days before its expiry from which a certificate is warned of (hubei-13)."""

FREE_BYTES_MIN: Final = 268_435_456
"""Free space below which the vault writes no more; as `LmdbLimits` keeps in reserve."""

FREE_SHARE: Final = 0.1
"""Share of the disk that should be free."""

WRITE_S: Final = 0.1
"""A synchronous write of a disk that is well takes less, in seconds."""

_WARNED: Final = {AlertCode.CERTIFICATE_EXPIRING.name}
"""Alerts of what is not a fault yet."""

_DAY_US: Final = 86_400_000_000
_REVIEWERS: Final = {Post.FIRST_REVIEWER, Post.SECOND_REVIEWER}


def check_certificates(configuration: Configuration, now_us: int) -> Iterator[Check]:
    """Judge our certificates and authorities now, and say how long they last."""
    trust = TrustKeeper(configuration, SystemClock().now_us)
    own = own_certificates(configuration, trust.material)
    for der in own[: len(own) - len(trust.material.authorities)]:
        certificate = x509.load_der_x509_certificate(der)
        try:
            found = trust.store.look_up(
                certificate_digest(der), at_us=now_us, bag=certificate_bag([der])
            )
        except CertificateError as error:
            yield Check(Level.FAULT, _subject(certificate), str(error))
            continue
        # One that bears no name is the directory's to name, which stands in the log.
        is_named = not found.is_nameless
        about = found.identity.to_urn() if is_named else _subject(certificate)
        if found.is_undetermined:
            yield Check(Level.FAULT, about, "no revocation list")
        else:
            yield lasting(certificate, about, now_us)
    roots = [anchor.certificate for anchor in trust.material.anchors]
    for der in [*roots, *trust.material.authorities]:
        certificate = x509.load_der_x509_certificate(der)
        yield lasting(certificate, _subject(certificate), now_us)


def lasting(certificate: x509.Certificate, about: str, now_us: int) -> Check:
    """Say until when a certificate is valid, and warn in good time."""
    until = certificate.not_valid_after_utc
    days = int((_us(until) - now_us) // _DAY_US)
    detail = f"until {until:%Y-%m-%d}, {days} days"
    if days < 0:
        return Check(Level.FAULT, about, f"{detail}: expired (已过期)")
    level = Level.WARNING if days < EXPIRY_DAYS else Level.OK
    return Check(level, about, detail)


def check_posts(configuration: Configuration, _: int) -> Iterator[Check]:
    """Look for posts that one identity must not have together, and for empty ones.

    The register refuses what must not be together; of it there is nothing to look for.
    """
    if configuration.register.founding:
        yield Check(Level.OK, "register", "posts stand in the log (登记簿)")
        return
    told = "not founded: posts are lines of the configuration (登记簿尚未建立)"
    yield Check(Level.WARNING, "register", told)
    posts = posts_of(configuration)
    for identity, held in sorted(posts.items()):
        names = ", ".join(sorted(post.value for post in held))
        if not are_compatible(held):
            yield Check(
                Level.FAULT, identity, f"incompatible posts (岗位不相容): {names}"
            )
        else:
            yield Check(Level.OK, identity, names)
    filled = set().union(*posts.values()) if posts else set()
    for post in sorted(_REVIEWERS - filled, key=lambda one: one.value):
        yield Check(Level.WARNING, post.value, "nobody has this post (岗位空缺)")


def check_permissions(configuration: Configuration, _: int) -> Iterator[Check]:
    """Look who else may read secrets, or change what the gateway goes by."""
    directory = configuration.directory
    private = [directory, directory / "vault", directory / "heads"]
    private += sorted(directory.glob("*.sqlite")) + _secrets(configuration)
    private += sorted(directory.glob("refusals.*"))
    for path in private:
        yield _mode(path, 0o077, "others may enter or read")
    trusted = [configuration.tls.certificate, configuration.trust.authorities]
    trusted += [configuration.seal.certificate, *configuration.trust.revocation_lists]
    for path in [configuration.base, *(configuration.path(name) for name in trusted)]:
        yield _mode(path, 0o022, "others may change it")


def _secrets(configuration: Configuration) -> list[Path]:
    """Return the files of keys and passphrases, each once."""
    head, seal = configuration.head, configuration.seal
    named = [configuration.tls.key, configuration.tls.passphrase]
    named += [head.ed25519, head.mldsa44, seal.key, seal.passphrase]
    named += [head.ed25519_passphrase, head.mldsa44_passphrase]
    for hosted in configuration.hosted:
        named += [hosted.key, hosted.passphrase]
    files = [one.removeprefix("file:") for one in named if one.startswith("file:")]
    return [configuration.path(file) for file in dict.fromkeys(files)]


def _mode(path: Path, forbidden: int, what: str) -> Check:
    try:
        status = path.stat()
    except OSError as error:
        return Check(Level.FAULT, str(path), error.strerror or str(error))
    mode = stat.S_IMODE(status.st_mode)
    if mode & forbidden:
        return Check(Level.FAULT, str(path), f"{what} (权限过宽): {mode:04o}")
    if status.st_uid not in {0, os.geteuid()}:
        return Check(Level.FAULT, str(path), f"it is user {status.st_uid}'s (属主不符)")
    return Check(Level.OK, str(path), f"{mode:04o}")


def check_disk(configuration: Configuration, _: int) -> Iterator[Check]:
    """Look at free space, and whether a synchronous write comes back in time."""
    directory = configuration.directory
    disk = os.statvfs(directory)
    free, whole = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    level = Level.WARNING if free < whole * FREE_SHARE else Level.OK
    level = Level.FAULT if free < FREE_BYTES_MIN else level
    yield Check(level, "free space", f"{free >> 20} of {whole >> 20} MiB")
    yield from check_vault_room(configuration)
    took_s = _synchronous_write(directory)
    level = Level.WARNING if took_s > WRITE_S else Level.OK
    yield Check(level, "synchronous write", f"{took_s * 1000:.1f} ms")


def check_vault_room(configuration: Configuration) -> Iterator[Check]:
    """Say how near the vault's file is to the limit beyond which nothing is stored."""
    file = vault_directory(configuration) / VAULT_FILE
    if not file.exists():
        return
    size, most = file.stat().st_size, configuration.limits.vault_bytes_max
    is_near = size > most * (1 - FREE_SHARE)
    told = f"{size >> 20} of {most >> 20} MiB of limits.vault_bytes_max"
    yield Check(Level.WARNING if is_near else Level.OK, "vault file", told)


def _synchronous_write(directory: Path) -> float:
    """Return how long a page takes to the disk, in seconds; leaves no file."""
    file = directory / "selftest.tmp"
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        began = time.monotonic()
        os.write(opened, bytes(4096))
        os.fdatasync(opened)
        return time.monotonic() - began
    finally:
        os.close(opened)
        file.unlink()


def check_program_list(configuration: Configuration, _: int) -> Iterator[Check]:
    """Compare the installed files with the signed list."""
    try:
        differences = check_program(configuration)
    except ProgramListRefused as error:
        yield Check(Level.FAULT, "program.list", str(error))
        return
    if differences is None:
        yield Check(Level.WARNING, "program.list", "unchecked: none is configured")
    elif differences:
        yield Check(Level.FAULT, "program.list", shortened(differences))
    else:
        yield Check(Level.OK, "program.list", "every file is the one that was signed")


def check_alerts(configuration: Configuration, _: int) -> Iterable[Check]:
    """Repeat the open alerts, and say when the vault was last looked through."""
    alerts, watches = read_watch_file(configuration.directory / FILE)
    found = [
        Check(
            Level.WARNING if one["code"] in _WARNED else Level.FAULT,
            one["code"],
            told_of(one),
        )
        for one in alerts.values()
    ]
    last = watches.get("scrub", {}).get("last_pass", "")
    level = Level.OK if last else Level.WARNING
    return [*found, Check(level, "last scrub", last or "no pass is over yet")]


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _us(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp()) * 1_000_000
