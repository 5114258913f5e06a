"""Who was refused stands on record, over restarts and kills, and nobody hides it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.daemon.alerts import AlertCode
from counterfoil.daemon.gateway import Gateway
from counterfoil.daemon.selftest_refusals import check_refusals
from counterfoil.daemon.selftest_report import Level
from counterfoil.domain.standing import Act
from counterfoil.office import DeskRefused
from counterfoil.vault.refusal_chain import NAME
from tests.houses import FINANCE, Process, Town, running
from tests.integration.desks import until
from tests.integration.test_audit import ask
from tests.integration.test_register import run, urn

pytestmark = [pytest.mark.slow, pytest.mark.clause("hubei-37c")]

MANAGER = urn(FINANCE, "person", "manager")


async def try_to_seal(town: Town, times: int = 1, name: str = "manager") -> None:
    """Call as somebody who may not."""
    async with town.desk(FINANCE, "person", name) as desk:
        for _ in range(times):
            with pytest.raises(DeskRefused):
                await desk.seal([b"\0" * 32])


def configure(town: Town, text: str) -> None:
    """Add sections to the configuration of finance's gateway."""
    with town.file(FINANCE).open("a", encoding="utf-8") as file:
        file.write(text)


async def refusals(
    town: Town, number: str, capsys: pytest.CaptureFixture[str]
) -> tuple[dict[str, int], str]:
    """Return how often whom the officer sees refused, and what stands beside it."""
    capsys.readouterr()
    assert await run(*ask(town, "refusals", number)) == cli.DONE
    printed = capsys.readouterr()
    rows = [line.split("\t") for line in printed.out.splitlines()]
    return {
        row[4]: int(row[1]) for row in rows if row[5].endswith("/Seal")
    }, printed.err


async def test_a_restart_hides_nothing(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(town, FINANCE):
        await try_to_seal(town, 3)
        assert (await refusals(town, "1", capsys))[0] == {MANAGER: 3}

    async with running(town, FINANCE):
        found, beside = await refusals(town, "2", capsys)

    assert found == {MANAGER: 3}
    assert "record of " in beside
    assert "removed or changed" not in beside


@pytest.mark.parametrize("times", [1, 20])
async def test_what_was_answered_is_on_record_after_a_kill(
    town: Town, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Process(town=town, party=FINANCE)
    await asyncio.to_thread(gateway.start)
    await try_to_seal(town, times)
    gateway.kill()
    await asyncio.to_thread(gateway.start)
    try:
        found, beside = await refusals(town, "1", capsys)
    finally:
        gateway.kill()

    # That somebody was refused is there; of how often, what the interval counted goes.
    assert 1 <= found[MANAGER] <= times
    assert "removed or changed" not in beside


async def test_each_caller_s_first_refusal_is_there_after_a_kill(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["first", "second", "supervisor", "archivist", "manager"]
    gateway = Process(town=town, party=FINANCE)
    await asyncio.to_thread(gateway.start)
    await asyncio.gather(*(try_to_seal(town, 1, name) for name in names))
    gateway.kill()
    await asyncio.to_thread(gateway.start)
    try:
        found, _ = await refusals(town, "1", capsys)
    finally:
        gateway.kill()

    assert found.keys() == {urn(FINANCE, "person", name) for name in names}


async def _alerts(gateway: Gateway) -> list[str]:
    return gateway._alerts.about(AlertCode.REFUSALS_ALTERED)


@pytest.mark.clause("hubei-37a2", "hubei-40")
@pytest.mark.parametrize("act", ["remove", "change", "put back"])
async def test_whoever_touches_the_record_is_found_by_selftest_and_at_the_start(
    town: Town, act: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(town, "[refusals]\nsummary_s = 0.1\n")
    file = town.state(FINANCE) / NAME
    async with running(town, FINANCE):
        await try_to_seal(town)
        before = file.read_bytes()
        await try_to_seal(town, 1, "archivist")
    (check,) = check_refusals(town.configuration(FINANCE), 0)
    assert check.level is Level.OK

    if act == "remove":
        file.unlink()
    elif act == "change":
        file.write_bytes(file.read_bytes().replace(b"archivist", b"archivisd"))
    else:
        file.write_bytes(before)

    (check,) = check_refusals(town.configuration(FINANCE), 0)
    assert check.level is Level.FAULT
    async with running(town, FINANCE) as gateways:
        await until(lambda: _alerts(gateways[FINANCE]), bool)
        state = town.state(FINANCE) / "watch.json"
        await until(lambda: _codes(state), lambda codes: "REFUSALS_ALTERED" in codes)
        assert await run("status", "--config", str(town.file(FINANCE))) == 1
        # It is over when the officer was told.
        _, beside = await refusals(town, "1", capsys)
        assert "found removed or changed at" in beside
        await until(lambda: _alerts(gateways[FINANCE]), lambda open_: not open_)
    (check,) = check_refusals(town.configuration(FINANCE), 0)
    assert check.level is Level.OK


async def _codes(state: Path) -> list[str]:
    text = await asyncio.to_thread(state.read_text, "utf-8")
    return [alert["code"] for alert in json.loads(text)["alerts"]]


async def _bound(gateway: Gateway) -> int | None:
    return gateway._record.end().bound_leaf


@pytest.mark.clause("hubei-37a1", "hubei-37a2")
async def test_the_scrub_finds_a_record_that_was_begun_anew_with_its_head(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(
        town,
        "[refusals]\nsummary_s = 0.1\nbind_s = 0.1\n"
        "[scrub]\nitems_per_s = 10_000\npause_s = 0.1\n",
    )
    async with running(town, FINANCE) as gateways:
        await try_to_seal(town)
        leaf = await until(
            lambda: _bound(gateways[FINANCE]), lambda bound: bound is not None
        )
        assert leaf is not None
        assert gateways[FINANCE]._vault.leaf(leaf).act is Act.BIND
        # The scrub goes over it, and finds what it should be.
        await asyncio.sleep(1.0)
        assert gateways[FINANCE]._alerts.about(AlertCode.REFUSALS_ALTERED) == []
        assert gateways[FINANCE]._alerts.about(AlertCode.VAULT_DAMAGED) == []

    forget(town)
    async with running(town, FINANCE) as gateways:
        await until(lambda: _alerts(gateways[FINANCE]), bool)
        assert (await refusals(town, "1", capsys))[0] == {}
    assert await run("vault", "verify", "--config", str(town.file(FINANCE))) == 0


def forget(town: Town) -> None:
    """Remove the record and all notes of it, as whoever may write anywhere could."""
    state = town.state(FINANCE)
    for name in (NAME, "watch.json"):
        (state / name).unlink()
    heads = town.configuration(FINANCE).directory / "heads" / "heads"
    content, origin = heads.read_bytes(), f"{FINANCE}/refusals".encode()
    assert origin in content
    magic = b"counterfoil heads 1\n"
    kept, at = [magic], len(magic)
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        frame = content[at : at + 8 + length]
        if origin not in frame:
            kept.append(frame)
        at += len(frame)
    heads.write_bytes(b"".join(kept))
