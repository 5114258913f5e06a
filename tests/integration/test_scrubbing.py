"""What is changed in a vault while its gateway serves is found, told, and kept."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import lmdb
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from counterfoil.daemon import cli
from counterfoil.daemon.alerts import FILE, AlertCode
from counterfoil.daemon.gateway import Gateway
from counterfoil.office import Standing
from counterfoil.rpc.services import VAULT_HEALTH
from counterfoil.vault.engine import Reading
from counterfoil.vault.packing import unpack_row
from counterfoil.vault.records import INDEX, Title, book_key
from counterfoil.vault.vault import EngineVault
from tests.houses import BANK, UNIT, Town, running
from tests.integration.desks import reaches, submit, until
from tests.integration.papers import notice

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def scrubbed(town: Town) -> AsyncIterator[Gateway]:
    """Run the bank's gateway, which scrubs fast, with a few vouchers that arrived."""
    with town.file(BANK).open("a") as file:
        file.write("[scrub]\nitems_per_s = 10_000\npause_s = 0.05\n")
    async with running(town) as gateways:
        async with town.desk(BANK) as desk:
            for number in range(3):
                done = await submit(desk, notice(number, BANK, UNIT))
                await reaches(desk, done, Standing.ARRIVED)
        yield gateways[BANK]


def table(gateway: Gateway, name: str) -> tuple[lmdb.Environment, lmdb.Database]:
    engine = gateway._vault._engine
    return engine._env, getattr(engine._tables, name)  # type: ignore[attr-defined]


def flip(gateway: Gateway, name: str, key: bytes, place: int) -> None:
    """Change one bit of what stands under a key, under the gateway's feet."""
    env, database = table(gateway, name)
    with env.begin(write=True) as transaction:
        content = bytearray(transaction.get(key, b"", db=database))
        content[place] ^= 0x04
        transaction.put(key, bytes(content), db=database)


def first_voucher(gateway: Gateway) -> tuple[int, Title]:
    """Return where the first voucher was opened, behind what is registered."""
    with gateway._vault.reading() as reading:
        for index in range(reading.size()):
            row = reading.row(index)
            if row is not None and row.title is not None:
                return index, row.title
    pytest.fail("there is no voucher")


def flip_document(gateway: Gateway) -> None:
    flip(gateway, "documents", INDEX.pack(first_voucher(gateway)[0]), 100)


def flip_leaf(gateway: Gateway) -> None:
    env, database = table(gateway, "log")
    with env.begin() as transaction:
        record = transaction.get(INDEX.pack(1), b"", db=database)
    place = record.index(unpack_row(1, record).leaf[11:43])
    flip(gateway, "log", INDEX.pack(1), place)


def flip_tile(gateway: Gateway) -> None:
    flip(gateway, "tiles", b"\0" + INDEX.pack(0), 40)


def flip_index(gateway: Gateway) -> None:
    _, title = first_voucher(gateway)
    flip(gateway, "keys", book_key(title.key, title.role), -6)


def lose_index(gateway: Gateway) -> None:
    env, database = table(gateway, "keys")
    with gateway._vault.reading() as reading:
        (key, _) = next(reading.all_entries())
    with env.begin(write=True) as transaction:
        assert transaction.delete(key, db=database)


async def health(town: Town, name: str) -> int:
    async with town.channel(BANK) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        return int(answer.status)


async def passes(gateway: Gateway, count: int) -> None:
    """Wait until so many more passes are over."""
    scrub = gateway._scrubbing.scrub
    wanted = scrub.place.passes + count

    async def tell() -> int:
        return scrub.place.passes

    await until(tell, lambda done: done >= wanted)


async def test_a_vault_that_nobody_touched_raises_no_alert(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with scrubbed(town) as gateway:
        await passes(gateway, 3)

        assert gateway._alerts.about(AlertCode.VAULT_DAMAGED) == []
        assert await health(town, VAULT_HEALTH) == SERVING
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


@pytest.mark.clause("hubei-37a1", "hubei-37a2", "wuhai-4b")
@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (flip_document, "DOCUMENT_CHANGED"),
        (flip_leaf, "LEAF_CHANGED"),
        (flip_tile, "LEAF_CHANGED"),
        (flip_index, "ENTRY_CHANGED"),
        (lose_index, "ENTRY_MISSING"),
    ],
)
async def test_what_is_changed_while_it_serves_is_told(
    town: Town,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    damage: object,
    fault: str,
) -> None:
    assert callable(damage)
    async with scrubbed(town) as gateway:
        await passes(gateway, 1)
        assert await health(town, VAULT_HEALTH) == SERVING

        damage(gateway)

        await until(lambda: health(town, VAULT_HEALTH), lambda one: one == NOT_SERVING)
        # What is not damaged is still served.
        assert await health(town, "") == SERVING
        await passes(gateway, 2)
    told = [one for one in caplog.records if getattr(one, "alert", "")]
    assert {one.alert for one in told} == {"VAULT_DAMAGED"}  # type: ignore[attr-defined]
    assert all(one.levelno == logging.ERROR for one in told)
    details = [one.detail for one in told]  # type: ignore[attr-defined]
    assert any(detail.startswith(f"{fault}/") for detail in details)
    assert len(set(details)) == len(details), "each is told once, not every pass"
    status = await asyncio.to_thread(
        cli.main, ["status", "--config", str(town.file(BANK))]
    )
    out = capsys.readouterr().out
    assert status == cli.REFUSED
    assert f"alert\tVAULT_DAMAGED\t{fault} " in out
    assert "watch\tscrub\tstage=" in out


async def test_a_restart_remembers_and_a_repair_is_over(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with scrubbed(town) as gateway:
        flip_document(gateway)
        await until(lambda: health(town, VAULT_HEALTH), lambda one: one == NOT_SERVING)
        passed = gateway._scrubbing.scrub.place.passes
    caplog.clear()

    async with running(town, BANK) as gateways:
        assert await health(town, VAULT_HEALTH) == NOT_SERVING
        assert gateways[BANK]._scrubbing.scrub.place.passes >= passed
        flip_document(gateways[BANK])  # the same bit once more
        await until(lambda: health(town, VAULT_HEALTH), lambda one: one == SERVING)

    assert "an alert is over" in [one.message for one in caplog.records]
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_it_goes_on_where_it_stopped(town: Town) -> None:
    file = town.state(BANK) / FILE
    async with scrubbed(town) as gateway:
        await passes(gateway, 1)
    noted = json.loads(file.read_text())
    noted["watches"]["scrub"] |= {"stage": "log", "leaf": 2, "passes": 41}
    file.write_text(json.dumps(noted))
    town.rewrite(BANK, "items_per_s = 10_000", "items_per_s = 0.001")

    async with running(town, BANK) as gateways:
        place = gateways[BANK]._scrubbing.scrub.place
        await until(lambda: _leaf(gateways[BANK]), lambda leaf: leaf == 3)

        assert (place.stage, place.passes) == ("log", 41)
    noted = json.loads(file.read_text())
    assert noted["watches"]["scrub"]["leaf"] <= 3


async def _leaf(gateway: Gateway) -> int:
    return gateway._scrubbing.scrub.place.leaf


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"alerts": [1], "watches": 2}'])
async def test_a_file_that_is_none_is_forgotten(town: Town, content: str) -> None:
    (town.state(BANK) / FILE).write_text(content)

    async with scrubbed(town) as gateway:
        await passes(gateway, 1)

        assert await health(town, VAULT_HEALTH) == SERVING


async def test_a_scrub_that_fails_is_told_and_tries_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the disk does not answer")

    async with scrubbed(town) as gateway:
        alerts = gateway._alerts

        async def told() -> list[str]:
            return alerts.about(AlertCode.SCRUB_FAILED)

        with monkeypatch.context() as broken:
            broken.setattr(gateway._scrubbing.scrub.__class__, "slice", fail)
            await until(told, lambda about: about == ["scrub"])
        await until(told, lambda about: about == [])


async def test_a_reading_is_short_and_in_its_own_thread(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[tuple[str, float]] = []
    whole = EngineVault.reading

    @contextmanager
    def timed(self: EngineVault) -> Iterator[Reading]:
        began = time.thread_time()
        with whole(self) as reading:
            yield reading
        readings.append((threading.current_thread().name, time.thread_time() - began))

    monkeypatch.setattr(EngineVault, "reading", timed)
    async with scrubbed(town) as gateway:
        await passes(gateway, 2)

    assert readings
    assert {name.split("_")[0] for name, _ in readings} == {"scrub"}
    assert max(took for _, took in readings) < 1.0


def test_nothing_looked_yet(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--config", str(town.file(BANK))]) == cli.DONE

    told = capsys.readouterr()
    assert told.out == ""
    assert "no watch has looked yet" in told.err


def test_status_as_json(
    town: Town, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    del tmp_path
    alert = {"code": "VAULT_DAMAGED", "about": "x", "detail": "y"}
    state = {"alerts": [alert], "watches": {"scrub": {"leaf": 7}}}
    (town.state(BANK) / FILE).write_text(json.dumps(state))

    status = cli.main(["status", "--json", "--config", str(town.file(BANK))])

    assert status == cli.REFUSED
    told = json.loads(capsys.readouterr().out)
    assert told == {"alerts": [alert], "watches": {"scrub": {"leaf": 7}}}
