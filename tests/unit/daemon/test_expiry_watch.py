"""Certificates that stand in the register alone are warned of before they end."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from counterfoil.daemon.alerts import FILE, AlertCode, Alerts
from counterfoil.daemon.expiry_watch import ExpiryWatch
from counterfoil.domain.register import Register
from counterfoil.domain.register_states import Active, Listed
from counterfoil.vault.vault import EngineVault
from tests.doubles import SetClock
from tests.unit.domain.registrations import (
    BANK,
    CARRIERS,
    FINANCE,
    NOON_US,
    person,
    system,
)

DAY_US = 86_400_000_000
CODE = AlertCode.CERTIFICATE_EXPIRING


@dataclass
class Shelf:
    """A vault of which only the register counts."""

    register: Register
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def register_changed(self, known: Register) -> Register:
        while self.register is known:
            await self.changed.wait()
            self.changed.clear()
        return self.register


def register(
    active: Mapping[bytes, int], listed: Mapping[bytes, int] | None = None
) -> Register:
    """Return a register with certificates that end after so many days."""
    return Register(
        home=FINANCE,
        carriers=CARRIERS,
        active={
            card: Active(holder=person("li"), valid_until_us=NOON_US + days * DAY_US)
            for card, days in active.items()
        },
        directory={
            card: Listed(
                holder=system(),
                public_key=card,
                entry=card,
                valid_until_us=NOON_US + days * DAY_US,
            )
            for card, days in (listed or {}).items()
        },
    )


def watch(shelf: Shelf, place: Path) -> ExpiryWatch:
    vault = cast("EngineVault", shelf)
    return ExpiryWatch(vault, Alerts(place / FILE), SetClock(NOON_US))


@pytest.mark.clause("hubei-13")
def test_persons_and_systems_are_warned_of_sixty_days_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = register({b"a" * 32: 60, b"b" * 32: 61}, {b"c" * 32: 1, b"d" * 32: 400})
    watching = watch(Shelf(known), tmp_path)

    with caplog.at_level(logging.ERROR):
        watching.check()

    about = [f"{person('li').to_urn()} {'61' * 8}", f"{system().to_urn()} {'63' * 8}"]
    assert sorted(watching.alerts.about(CODE)) == sorted(about)
    assert [one.alert for one in caplog.records] == [CODE.name] * 2  # type: ignore[attr-defined]
    kept = json.loads((tmp_path / FILE).read_text())
    assert {one["detail"] for one in kept["alerts"]} == {
        f"{system().to_urn()}: until 2026-11-17",
        f"{person('li').to_urn()}: until 2027-01-15",
    }
    # Told once, however often it looks.
    caplog.clear()
    watching.check()
    assert not caplog.records


@pytest.mark.clause("hubei-13")
def test_the_warning_ends_with_the_certificate_and_stays_a_while_after_its_end(
    tmp_path: Path,
) -> None:
    shelf = Shelf(register({b"a" * 32: -29, b"b" * 32: -31, b"c" * 32: 5}))
    watching = watch(shelf, tmp_path)
    watching.check()
    assert len(watching.alerts.about(CODE)) == 2

    shelf.register = register({b"a" * 32: -29})
    watching.check()

    assert watching.alerts.about(CODE) == [f"{person('li').to_urn()} {'61' * 8}"]


def test_certificates_of_peers_are_not_ours_to_renew(tmp_path: Path) -> None:
    theirs = Listed(
        holder=person("x", BANK),
        public_key=b"k" * 32,
        entry=b"e" * 32,
        valid_until_us=NOON_US,
    )
    known = Register(home=FINANCE, carriers=CARRIERS, directory={b"x" * 32: theirs})
    watching = watch(Shelf(known), tmp_path)

    watching.check()

    assert watching.alerts.about(CODE) == []


async def test_it_looks_again_when_the_register_changes(tmp_path: Path) -> None:
    shelf = Shelf(register({}))
    watching = watch(shelf, tmp_path)
    running = asyncio.ensure_future(watching.run())

    async def warned(count: int) -> None:
        async with asyncio.timeout(10):
            while len(watching.alerts.about(CODE)) != count:  # noqa: ASYNC110 -- a thread
                await asyncio.sleep(0.01)

    await asyncio.sleep(0.05)
    shelf.register = register({b"a" * 32: 5})
    shelf.changed.set()
    await warned(1)
    shelf.register = register({})
    shelf.changed.set()
    await warned(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def test_a_disk_that_is_full_does_not_end_the_watch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> Any:  # noqa: ANN401 -- it never returns
        raise OSError(28, "no space left")

    watching = watch(Shelf(register({})), tmp_path)
    monkeypatch.setattr(Alerts, "save", full)

    watching.check()

    assert "notes of watches not kept" in caplog.messages
