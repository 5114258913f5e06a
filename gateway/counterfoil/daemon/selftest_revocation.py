"""Self-tests of how revocation is known: by lists, by answers where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from cryptography import x509

from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.selftest_report import Check, Level
from counterfoil.daemon.trust import TrustKeeper, own_certificates
from counterfoil.seal.certificates import certificate_digest
from counterfoil.seal.chains import datetime_of, us_of

_HOUR_US: Final = 3_600_000_000


def check_revocation(configuration: Configuration, now_us: int) -> Iterator[Check]:
    """Say how old what is known of revocation is, and when the next is due."""
    trust = TrustKeeper(configuration, SystemClock().now_us)
    listed = set()
    for der in trust.material.crls:
        crl = x509.load_der_x509_crl(der)
        listed.add(crl.issuer)
        due = crl.next_update_utc
        due_us = None if due is None else us_of(due)
        about = crl.issuer.rfc4514_string()
        yield _aged(about, us_of(crl.last_update_utc), due_us, now_us)
    if not configuration.trust.ocsp:
        return
    unlisted = _unlisted(configuration, trust, listed)
    for digest, certificate in unlisted.items():
        about = f"answer about {certificate.subject.rfc4514_string()}"
        answer = trust.answers.find(digest)
        if answer is None:
            told = "none is kept, and its authority has no list (无应答也无吊销列表)"
            yield Check(Level.FAULT, about, told)
        else:
            yield _aged(about, answer.this_update_us, answer.next_update_us, now_us)
    if unlisted:
        yield _of_others(trust, unlisted.keys(), now_us)


def _unlisted(
    configuration: Configuration, trust: TrustKeeper, listed: set[x509.Name]
) -> dict[bytes, x509.Certificate]:
    """Return our certificates, and authorities, whose issuers have no list here."""
    found = {}
    for der in own_certificates(configuration, trust.material):
        certificate = x509.load_der_x509_certificate(der)
        if certificate.issuer not in listed:
            found[certificate_digest(der)] = certificate
    return found


def _of_others(trust: TrustKeeper, own: AbstractSet[bytes], now_us: int) -> Check:
    """Sum up the answers about others; who is not needed any more may be overdue."""
    others = trust.answers.others(own)
    about = "answers about others"
    if not others:
        return Check(Level.OK, about, "none is kept (未保存)")
    oldest_us = min(answer.this_update_us for answer in others)
    overdue = sum(answer.next_update_us < now_us for answer in others)
    hours = (now_us - oldest_us) // _HOUR_US
    told = f"{len(others)} kept, the oldest {hours} hours old, {overdue} overdue"
    return Check(Level.OK, about, told)


def _aged(about: str, since_us: int, due_us: int | None, now_us: int) -> Check:
    hours = (now_us - since_us) // _HOUR_US
    detail = f"{hours} hours old"
    if due_us is None or due_us < now_us:
        return Check(Level.FAULT, about, f"{detail}, the next is overdue (已逾期)")
    is_late = (now_us - since_us) * 5 > (due_us - since_us) * 4
    level = Level.WARNING if is_late else Level.OK
    due = datetime_of(due_us)
    return Check(level, about, f"{detail}, the next due {due:%Y-%m-%d %H:%M}")
