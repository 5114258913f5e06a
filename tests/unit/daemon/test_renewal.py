"""What is read again reaches everybody, whatever else cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.renewal import Renewal
from counterfoil.domain.refusals import CounterfoilError, VaultStopped


@dataclass
class Stage:
    """Everything that a renewal reaches, noting what is asked of it.

    Attributes:
        trusted: What reading the lists comes to: changed or not, or a fault.
        shown: The same of our own certificate.
        vault_refuses: Whether the vault takes no certificate.
        cut: How many streams lose their caller.
        asked: What was asked, in order.
    """

    trusted: bool | ConfigurationRefused = False
    shown: bool | ConfigurationRefused = False
    vault_refuses: CounterfoilError | None = None
    cut: int = 0
    asked: list[str] = field(default_factory=list)

    def renewal(self) -> Renewal:
        parts: dict[str, Any] = {
            "trust": SimpleNamespace(
                renew=lambda: self._read(self.trusted),
                material=SimpleNamespace(authorities=(b"an authority",)),
            ),
            "tls": SimpleNamespace(renew=lambda: self._read(self.shown)),
            "works": SimpleNamespace(retrust=self._retrust),
            "guard": SimpleNamespace(cut_revoked=self._cut_revoked),
            "vault": SimpleNamespace(keep_certificates=self._keep),
        }
        return Renewal(**parts, every_s=1.0)

    @staticmethod
    def _read(outcome: bool | ConfigurationRefused) -> bool:  # noqa: FBT001
        if isinstance(outcome, ConfigurationRefused):
            raise outcome
        return outcome

    async def _retrust(self, _: object) -> None:
        self.asked.append("works")

    async def _keep(self, certificates: Iterable[bytes]) -> None:
        assert list(certificates) == [b"an authority"]
        self.asked.append("vault")
        if self.vault_refuses is not None:
            raise self.vault_refuses

    def _cut_revoked(self) -> int:
        self.asked.append("guard")
        return self.cut


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "counterfoil.daemon")
    return caplog


async def test_what_has_changed_reaches_workers_vault_and_streams(
    told: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(trusted=True, cut=2)

    await stage.renewal().renew()

    assert stage.asked == ["works", "vault", "guard"]
    assert [(r.getMessage(), vars(r)["count"]) for r in told.records] == [
        ("trust renewed", 2)
    ]


async def test_without_a_change_certificates_are_looked_at_all_the_same(
    told: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()

    await stage.renewal().renew()

    # One may have expired since.
    assert stage.asked == ["guard"]
    assert told.records == []


async def test_a_bad_certificate_of_ours_keeps_no_revocation_out(
    told: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(trusted=True, shown=ConfigurationRefused("another key"))

    await stage.renewal().renew()

    assert stage.asked == ["works", "vault", "guard"]
    assert [record.getMessage() for record in told.records] == [
        "trust not renewed",
        "trust renewed",
    ]
    assert vars(told.records[0])["detail"] == "another key"


async def test_a_bad_list_keeps_no_certificate_of_ours_out(
    told: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(trusted=ConfigurationRefused("no list"), shown=True)

    await stage.renewal().renew()

    assert stage.asked == ["guard"]
    assert [record.getMessage() for record in told.records] == [
        "trust not renewed",
        "trust renewed",
    ]


async def test_a_vault_that_has_stopped_keeps_no_revocation_out(
    told: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(trusted=True, vault_refuses=VaultStopped("a commit failed"))

    await stage.renewal().renew()

    assert stage.asked == ["works", "vault", "guard"]
    assert told.records[0].getMessage() == "authorities not kept"
    assert vars(told.records[0])["reason"] == "VAULT_STOPPED"
