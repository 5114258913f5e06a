"""What is nearly full is told before it is full, and once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from counterfoil.daemon.alerts import AlertCode, Alerts, read_watch_file
from counterfoil.daemon.room_watch import FREE_BYTES_MIN, RoomWatch
from counterfoil.daemon.stores import vault_directory
from counterfoil.vault.lmdb_engine import VAULT_FILE
from tests.houses import FINANCE, Town, running
from tests.integration.desks import until

CODE = AlertCode.ROOM_SHORT


@dataclass
class Disk:
    """What the system says of a disk."""

    f_bavail: int
    f_frsize: int = 4096


@pytest.fixture
def watch(tmp_path: Path) -> RoomWatch:
    limits = "vault_bytes_max = 1_048_576"
    town = Town(
        directory=tmp_path / "town", carriers=(FINANCE,), settings={"limits": limits}
    )
    configuration = town.configuration(FINANCE)
    vault_directory(configuration).mkdir(parents=True)
    return RoomWatch(configuration, Alerts(configuration.directory / "watch.json"))


def fill(watch: RoomWatch, size: int) -> None:
    """Let the vault have a file of this size."""
    os.truncate(_file(watch), size)


def _file(watch: RoomWatch) -> Path:
    file = vault_directory(watch.configuration) / VAULT_FILE
    file.touch()
    return file


def test_a_vault_that_is_nearly_full_is_told_once_and_until_it_has_room(
    watch: RoomWatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill(watch, 943_718)  # nine tenths
    watch.check()
    assert watch.alerts.about(CODE) == []

    fill(watch, 943_719)
    for _ in range(3):
        watch.check()

    assert watch.alerts.about(CODE) == ["vault file"]
    told = [one for one in caplog.records if getattr(one, "alert", "") == CODE.name]
    assert len(told) == 1
    assert "of 1 MiB of limits.vault_bytes_max" in getattr(told[0], "detail", "")
    kept, _ = read_watch_file(watch.alerts.file)
    assert list(kept) == ["ROOM_SHORT vault file"]
    fill(watch, 0)
    watch.check()
    assert watch.alerts.about(CODE) == []
    assert read_watch_file(watch.alerts.file)[0] == {}


def test_a_disk_that_is_nearly_full_is_told(
    watch: RoomWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_told_with(pages: int) -> bool:
        monkeypatch.setattr(os, "statvfs", lambda _: Disk(pages))
        watch.check()
        return watch.alerts.about(CODE) == ["free space"]

    assert not is_told_with(FREE_BYTES_MIN // 4096)
    assert is_told_with(FREE_BYTES_MIN // 4096 - 1)
    assert not is_told_with(FREE_BYTES_MIN // 4096)


def test_what_cannot_be_noted_is_told_all_the_same(
    watch: RoomWatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill(watch, 1_048_576)
    watch.alerts.file = watch.configuration.directory / "none" / "watch.json"

    watch.check()

    assert watch.alerts.about(CODE) == ["vault file"]
    assert "notes of watches not kept" in caplog.messages


@pytest.mark.slow
async def test_a_gateway_looks_from_its_start_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(directory=tmp_path / "town", carriers=(FINANCE,))
    town.initialise()
    monkeypatch.setattr(os, "statvfs", lambda _: Disk(FREE_BYTES_MIN // 8192))

    async with running(town) as gateways:

        async def told() -> list[str]:
            return gateways[FINANCE]._alerts.about(CODE)

        await until(told, lambda about: about == ["free space"])
