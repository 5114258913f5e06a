"""Whose time stamps count: read from the files that the configuration names."""

from __future__ import annotations

from cryptography import x509

from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.trust import read_file, read_revocation_list
from counterfoil.seal.certificates import CertificateRefused, load_pem_chain
from counterfoil.seal.time_stamps import TimeStampTrust


def read_timestamp_trust(configuration: Configuration) -> TimeStampTrust:
    """Read the roots and authorities of time-stamping authorities, and their lists.

    A self-signed certificate of the file is a root, every other one an authority.

    Raises:
        ConfigurationRefused: A file is missing or cannot be read.
    """
    section = configuration.timestamp
    pem = read_file(configuration, section.authorities)
    try:
        chain = load_pem_chain(pem)
    except CertificateRefused as error:
        msg = f"timestamp.authorities: {error}"
        raise ConfigurationRefused(msg) from error
    certificates = [x509.load_der_x509_certificate(der) for der in chain]
    roots = [one for one in certificates if one.issuer == one.subject]
    if not roots:
        msg = "timestamp.authorities: none of the certificates is self-signed"
        raise ConfigurationRefused(msg)
    return TimeStampTrust(
        roots=tuple(roots),
        authorities=tuple(one for one in certificates if one not in roots),
        lists=tuple(
            read_revocation_list(configuration, name)
            for name in section.revocation_lists
        ),
        policy=section.policy,
        accuracy_us_max=section.accuracy_us_max,
        clock_us_max=section.clock_us_max,
    )
