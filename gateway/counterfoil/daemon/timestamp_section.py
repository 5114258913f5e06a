"""`[timestamp]` of the configuration: who stamps our log's heads with the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from counterfoil.daemon.responder_address import check_responder
from counterfoil.seal.time_stamps import is_available
from counterfoil.seal.timestamp_reading import oid_content

ADDRESSES_MAX: Final = 8
"""Most authorities: all are tried before anybody waits."""

_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampSection:
    """`[timestamp]`: who stamps; `docs/gateway.toml` explains each key."""

    addresses: tuple[str, ...] = ()
    authorities: str = ""
    revocation_lists: tuple[str, ...] = ()
    policy: str = ""
    every_s: float = 600.0
    retry_s: float = 60.0
    answer_s_max: float = 10.0
    accuracy_s_max: float = 60.0
    clock_s_max: float = 60.0
    alert_s: float = 900.0

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is asked for time stamps."""
        return bool(self.addresses)

    @property
    def accuracy_us_max(self) -> int:
        """The greatest accuracy that a time stamp may state."""
        return int(self.accuracy_s_max * _SECOND_US)

    @property
    def clock_us_max(self) -> int:
        """How far a time stamp and our clock may be apart."""
        return int(self.clock_s_max * _SECOND_US)


def check_timestamp(section: TimestampSection) -> None:
    """Check what one key says about another, and that time stamps can be judged here.

    Raises:
        ValueError: They contradict each other, or a package is missing; the text begins
            with `timestamp.` and the key.
    """
    try:
        _check(section)
    except ValueError as error:
        msg = f"timestamp.{error}"
        raise ValueError(msg) from error


def _check(section: TimestampSection) -> None:
    if len(section.addresses) > ADDRESSES_MAX:
        msg = f"addresses: at most {ADDRESSES_MAX}"
        raise ValueError(msg)
    for address in section.addresses:
        try:
            check_responder(address)
        except ValueError as error:
            msg = f"addresses: {error}"
            raise ValueError(msg) from error
    if section.is_wanted and not section.authorities:
        raise ValueError("authorities: name the file of the roots that are trusted")
    named = section.authorities or section.revocation_lists or section.policy
    if named and not section.is_wanted:
        raise ValueError("addresses: without one, nothing else here has a meaning")
    if section.policy:
        try:
            oid_content(section.policy)
        except ValueError as error:
            msg = f"policy: {error}: {section.policy}"
            raise ValueError(msg) from error
    if section.is_wanted and not is_available():
        raise ValueError(
            "addresses: for time stamps the package rfc3161-client is needed; install "
            "counterfoil[timestamp], or leave the table out (缺少时间戳软件包)"
        )
