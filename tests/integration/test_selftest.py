"""The self-test: everything in order, and each thing that is not."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from counterfoil.daemon import cli
from counterfoil.daemon import selftest_files as files
from counterfoil.daemon import selftest_peers as peers
from counterfoil.daemon.alerts import FILE, AlertCode, Alerts
from counterfoil.daemon.config import (
    CallerSection,
    Configuration,
    RegisterSection,
)
from counterfoil.daemon.selftest import TESTS, checks
from counterfoil.daemon.selftest_peers import SKEW_S
from counterfoil.daemon.selftest_report import Check, Level
from counterfoil.daemon.watch_sections import ProgramSection
from counterfoil.office import Standing
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import issue, reaches, submit
from tests.integration.papers import Papers, notice

pytestmark = [
    pytest.mark.clause("hubei-40"),
    pytest.mark.asyncio(loop_scope="module"),
]

NOW_US = int(datetime.now(UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Two gateways that exchanged something; the bank's still runs."""
    town = Town(directory=tmp_path_factory.mktemp("selftest"))
    town.initialise()
    async with running(town, BANK):
        async with running(town, FINANCE), town.desk(BANK) as desk:
            done = await submit(desk, notice(1, BANK, UNIT))
            await reaches(desk, done, Standing.ARRIVED)
            issued = await issue(town, Papers().direct_payment())
            async with town.desk(FINANCE) as other:
                await reaches(other, issued.reference, Standing.ARRIVED)
        yield town


def names_in(directory: Path) -> list[str]:
    return [file.name for file in directory.iterdir()]


async def made(test: str, configuration: Configuration, now_us: int) -> list[Check]:
    """Make one test as the command does."""

    def make() -> list[Check]:
        kept = {test: TESTS[test]}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("counterfoil.daemon.selftest.TESTS", kept)
            return [check for _, check in checks(configuration, now_us)]

    return await asyncio.to_thread(make)


def levels(found: list[Check]) -> set[Level]:
    return {check.level for check in found}


async def run(*words: str) -> int:
    return await asyncio.to_thread(cli.main, list(words))


async def test_what_is_in_order_is_no_fault(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    # Finance's gateway is stopped, its peer runs.
    status = await run("selftest", "--config", str(town.file(FINANCE)))

    told = capsys.readouterr()
    lines = [line.split("\t") for line in told.out.splitlines()]
    assert [line for line in lines if line[0] == "fault"] == []
    assert status == cli.DONE
    assert {line[1] for line in lines} == set(TESTS)
    assert ["ok", "peers", BANK, f"answers at 127.0.0.1:{town.ports[BANK]}"] in lines
    warned = [line[1] for line in lines if line[0] == "warning"]
    assert [test for test in warned if test != "alerts"] == ["program"]
    assert "0 faults" in told.err


async def test_a_peer_that_is_away_is_a_fault_and_the_rest_is_told_as_json(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    # The bank's gateway runs meanwhile, and its peer does not.
    status = await run("selftest", "--json", "--config", str(town.file(BANK)))

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert status == cli.REFUSED
    faults = [row for row in rows if row["level"] == "fault"]
    assert [(row["test"], row["about"]) for row in faults] == [("peers", FINANCE)]
    assert "no address" in faults[0]["detail"]
    seen = [row for row in rows if row["test"] == "heads"]
    assert {row["about"] for row in seen} == {f"{BANK}/log", f"{FINANCE}/log"}


@pytest.mark.parametrize(
    ("days", "level"),
    [(0, Level.OK), (365 - 61, Level.OK), (365 - 59, Level.WARNING)],
)
async def test_certificates_are_warned_of_sixty_days_before(
    town: Town, days: int, level: Level
) -> None:
    configuration = town.configuration(FINANCE)
    der = town.ca.credential(FINANCE, "gateway").certificate
    until = int(der.not_valid_after_utc.timestamp()) * 1_000_000
    now_us = until - (365 - days) * DAY_US

    (check,) = [files.lasting(der, "x", now_us)]

    assert check.level is level
    assert f"{365 - days} days" in check.detail
    assert configuration.gateway.party == FINANCE


async def test_an_expired_certificate_is_a_fault(town: Town) -> None:
    late = NOW_US + 20 * 365 * DAY_US

    found = await made("certificates", town.configuration(FINANCE), late)

    assert levels(found) == {Level.FAULT}


async def test_a_revoked_certificate_is_a_fault(tmp_path: Path) -> None:
    town = Town(directory=tmp_path / "revoked")
    certificate = town.ca.credential(FINANCE, "institution").certificate
    now = datetime.now(UTC).replace(microsecond=0)
    town.ca.revoke(certificate, at=now - timedelta(hours=1))

    found = await made("certificates", town.configuration(FINANCE), NOW_US)

    faults = [check for check in found if check.level is Level.FAULT]
    assert [("institution" in check.about, check.detail) for check in faults] == [
        (True, "the certificate was revoked")
    ]


@pytest.mark.parametrize(
    ("days", "level"), [(0, Level.OK), (26, Level.WARNING), (31, Level.FAULT)]
)
async def test_the_age_of_revocation_lists(town: Town, days: int, level: Level) -> None:
    now_us = NOW_US + days * DAY_US
    found = await made("revocation", town.configuration(FINANCE), now_us)

    assert levels(found) == {level}
    assert len(found) == 2


@pytest.mark.parametrize(
    "posts",
    [
        ("security-officer", "second-reviewer"),
        ("system-manager", "business-system"),
        ("system-manager", "first-reviewer"),
        ("business-system", "second-reviewer"),
    ],
)
async def test_incompatible_posts_are_a_fault(
    town: Town, posts: tuple[str, ...]
) -> None:
    configuration = unfounded(town)
    identity = f"urn:counterfoil:{FINANCE}:person:both"
    caller = (*configuration.caller, CallerSection(identity=identity, posts=posts))

    found = await made("posts", replace(configuration, caller=caller), NOW_US)

    faults = [check for check in found if check.level is Level.FAULT]
    assert [check.about for check in faults] == [identity]


async def test_a_post_that_nobody_has_is_a_warning(town: Town) -> None:
    found = await made("posts", unfounded(town), NOW_US)

    assert [check.about for check in found] == [
        "register",
        "first-reviewer",
        "second-reviewer",
    ]
    assert levels(found) == {Level.WARNING}


async def test_of_posts_in_the_log_there_is_nothing_to_look_for(town: Town) -> None:
    (found,) = await made("posts", town.configuration(FINANCE), NOW_US)

    assert (found.about, found.level) == ("register", Level.OK)


def unfounded(town: Town) -> Configuration:
    """Return a configuration that says itself who calls, and names nobody."""
    configuration = town.configuration(FINANCE)
    return replace(configuration, register=RegisterSection(), caller=())


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("state-420000-011", 0o750),
        ("state-420000-011/vault", 0o755),
        ("state-420000-011/heads", 0o755),
        ("state-420000-011/ledger.sqlite", 0o640),
        ("pki/420000-011/gateway-1.key", 0o644),
        ("pki/420000-011/head-ed25519.pass", 0o604),
        ("pki/420000-101001/institution-1.key", 0o660),
        ("pki/authorities.pem", 0o666),
        ("pki/root.crl", 0o664),
        ("pki/420000-011/institution-1.pem", 0o622),
    ],
)
async def test_permissions_that_are_too_wide_are_a_fault(
    town: Town, path: str, mode: int
) -> None:
    file = town.directory / path
    before = file.stat().st_mode & 0o777
    file.chmod(mode)
    try:
        found = await made("permissions", town.configuration(FINANCE), NOW_US)
    finally:
        file.chmod(before)

    faults = [check.about for check in found if check.level is Level.FAULT]
    assert faults == [str(file)]


async def test_a_file_that_is_gone_is_a_fault(town: Town) -> None:
    configuration = town.configuration(FINANCE)
    gone = replace(configuration.seal, key="file:pki/nowhere.key")

    found = await made("permissions", replace(configuration, seal=gone), NOW_US)

    assert [check.level for check in found if "nowhere" in check.about] == [Level.FAULT]


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("FREE_BYTES_MIN", 1 << 62, Level.FAULT),
        ("FREE_SHARE", 1.1, Level.WARNING),
        ("WRITE_S", 0.0, Level.WARNING),
    ],
)
async def test_the_disk(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: float,
    level: Level,
) -> None:
    monkeypatch.setattr(files, name, value)

    found = await made("disk", town.configuration(FINANCE), NOW_US)

    assert level in levels(found)
    assert [check.about for check in found] == [
        *("free space", "vault file", "synchronous write"),
    ]
    assert not list(town.state(FINANCE).glob("selftest*"))


async def test_a_vault_that_is_near_its_limit_is_told(town: Town) -> None:
    configuration = town.configuration(FINANCE)
    size = (town.state(FINANCE) / "vault" / "vault.lmdb").stat().st_size

    for most, level in ((size * 2, Level.OK), (size, Level.WARNING)):
        limits = replace(configuration.limits, vault_bytes_max=most)
        found = await made("disk", replace(configuration, limits=limits), NOW_US)
        (told,) = [check for check in found if check.about == "vault file"]
        assert (told.level, "limits.vault_bytes_max" in told.detail) == (level, True)


async def test_a_disk_that_writes_nothing_is_a_fault(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fdatasync", fail)

    found = await made("disk", town.configuration(FINANCE), NOW_US)

    assert [(check.level, check.about) for check in found] == [(Level.FAULT, "disk")]


@pytest.mark.parametrize(
    ("ahead_s", "level"),
    [(-3600, Level.OK), (SKEW_S - 5, Level.OK), (SKEW_S + 30, Level.FAULT)],
)
async def test_a_clock_behind_the_peers_is_a_fault(
    town: Town, ahead_s: int, level: Level
) -> None:
    configuration = town.configuration(FINANCE)
    known = peers._heads(configuration)[f"{BANK}/log"]
    signed_s = peers._signed_s(known, configuration.peer[0])
    assert signed_s is not None

    now_us = (signed_s - ahead_s) * 1_000_000
    (check,) = await made("clock", configuration, now_us)

    assert check.level is level


async def test_heads_that_are_not_known_or_do_not_hold(town: Town) -> None:
    configuration = town.configuration(FINANCE)
    (peer,) = configuration.peer
    ours = replace(peer, heads=tuple(town.heads(FINANCE)))
    assert levels(await made("heads", configuration, NOW_US)) == {Level.OK}

    others = replace(configuration, peer=(replace(peer, party="420000-103"),))
    found = await made("heads", others, NOW_US)
    assert [check.level for check in found] == [Level.OK, Level.WARNING]

    (fault,) = await made("heads", replace(configuration, peer=(ours,)), NOW_US)
    assert fault.level is Level.FAULT


@pytest.mark.refusal("HEAD_FORKED")
async def test_a_head_store_that_is_gone_or_damaged(town: Town, tmp_path: Path) -> None:
    configuration = town.configuration(FINANCE)
    gateway = replace(configuration.gateway, directory=str(tmp_path))
    elsewhere = replace(configuration, gateway=gateway)
    for test in ("heads", "clock"):
        (gone,) = await made(test, elsewhere, NOW_US)
        assert gone.level is Level.FAULT
        assert "there is no head store" in gone.detail

    (tmp_path / "heads").mkdir()
    (tmp_path / "heads/heads").write_bytes(b"no heads")
    (damaged,) = await made("heads", elsewhere, NOW_US)
    assert (damaged.level, "damaged" in damaged.detail) == (Level.FAULT, True)


async def test_a_ledger_that_is_far_behind_is_a_warning(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = town.configuration(FINANCE)
    assert levels(await made("ledger", configuration, NOW_US)) == {Level.OK}
    monkeypatch.setattr("counterfoil.daemon.selftest_peers.BEHIND_MAX", -1)

    assert levels(await made("ledger", configuration, NOW_US)) == {Level.WARNING}


async def test_a_ledger_that_is_gone_is_a_fault_and_is_not_made(
    town: Town, tmp_path: Path
) -> None:
    configuration = town.configuration(FINANCE)
    shutil.copytree(town.state(FINANCE) / "heads", tmp_path / "heads")
    gateway = replace(configuration.gateway, directory=str(tmp_path))

    (check,) = await made("ledger", replace(configuration, gateway=gateway), NOW_US)

    assert check.level is Level.FAULT
    assert names_in(tmp_path) == ["heads"]


def program_list(town: Town, text: str) -> Configuration:
    file = town.directory / "program.list"
    file.write_text(text)
    section = ProgramSection(list=str(file), keys=(town.heads(FINANCE)[0],))
    return replace(town.configuration(FINANCE), program=section)


async def test_a_program_list_that_does_not_hold_is_a_fault(town: Town) -> None:
    (check,) = await made("program", program_list(town, "none"), NOW_US)

    assert check.level is Level.FAULT


@pytest.mark.parametrize(
    ("codes", "level"),
    [
        ([], Level.OK),
        ([AlertCode.VAULT_DAMAGED], Level.FAULT),
        # Nothing is wrong yet.
        ([AlertCode.CERTIFICATE_EXPIRING], Level.WARNING),
    ],
)
async def test_alerts_that_are_open_are_faults(
    town: Town, tmp_path: Path, codes: list[AlertCode], level: Level
) -> None:
    alerts = Alerts(tmp_path / FILE)
    alerts.note("scrub", {"last_pass": "2026-11-27T10:00:00+00:00"})
    for code in codes:
        alerts.open(code, "x", "y")
    alerts.save()
    gateway = replace(town.configuration(FINANCE).gateway, directory=str(tmp_path))

    found = await made(
        "alerts", replace(town.configuration(FINANCE), gateway=gateway), NOW_US
    )

    assert found[0].level is level
