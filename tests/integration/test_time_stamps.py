"""A gateway whose log is stamped by an authority, and one that goes on without."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.selftest import checks
from counterfoil.daemon.selftest_report import Level
from counterfoil.daemon.time_stamping import book_of
from counterfoil.office import Standing
from counterfoil.seal.timestamp_reading import question_for
from counterfoil.tlog.proof_file import ProofFile
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import reaches, submit, until
from tests.integration.papers import notice
from tests.time_stampers import TimeStamper, stamping, valid_now


@dataclass(frozen=True)
class Stamped:
    """A town whose bank has its log stamped."""

    town: Town
    stamper: TimeStamper

    def inquiry(self, digest: bytes, *more: str) -> list[str]:
        folder = self.town.pki / BANK
        options = {
            "address": f"127.0.0.1:{self.town.ports[BANK]}",
            "certificate": str(folder / "system-1.pem"),
            "key": f"file:{folder / 'system-1.key'}",
            "passphrase": f"file:{folder / 'system-1.pass'}",
            "authorities": str(self.town.pki / "authorities.pem"),
        }
        connection = [word for name in options for word in (f"--{name}", options[name])]
        return ["inquire", digest.hex(), *more, *connection]

    async def stamped_to(self, size: int) -> None:
        """Wait until the log is stamped up to a size."""
        book = book_of(self.town.configuration(BANK))

        async def newest() -> int:
            head = await asyncio.to_thread(book.newest)
            return head.size if head is not None else 0

        await until(newest, lambda found: found >= size)


@pytest.fixture
def stamped(tmp_path: Path) -> Iterator[Stamped]:
    town = Town(directory=tmp_path / "town")
    with stamping(TimeStamper.new(valid_now())) as stamper:
        (town.pki / "stamps.pem").write_bytes(stamper.pem)
        with town.file(BANK).open("a") as file:
            file.write(
                f'[timestamp]\naddresses = ["{stamper.url}"]\n'
                'authorities = "pki/stamps.pem"\n'
                "every_s = 0.1\nretry_s = 0.1\nanswer_s_max = 5\nalert_s = 0.5\n"
            )
        town.initialise()
        yield Stamped(town, stamper)


async def test_a_stamped_voucher_is_shown_and_exported_with_its_time(
    stamped: Stamped, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = stamped.town
    async with running(town) as gateways, town.desk(BANK) as desk:
        done = await submit(desk, notice(1, BANK, UNIT))
        await reaches(desk, done, Standing.ARRIVED)
        await stamped.stamped_to(gateways[BANK]._vault.size())
        target = tmp_path / "export"

        command = stamped.inquiry(done.digest, "--export", str(target))
        assert await asyncio.to_thread(cli.main, command) == 0

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    acts = {row[1] for row in rows if row[0] == "act"}
    told = [row for row in rows if row[0] == "stamped"]
    assert {act for row in told for act in row[3].split()[1:]} == acts
    assert len(acts) == 2
    files = {file.name for file in (target / "timestamps").iterdir()}
    assert {name[4:14] for name in files if name.startswith("act-")} == {
        f"{int(act):010}" for act in acts
    }
    heads = {name for name in files if name.endswith(".checkpoint")}
    assert files >= {name.replace(".checkpoint", ".tsr") for name in heads}
    for name in files:
        if name.startswith("act-"):
            file = ProofFile.from_bytes((target / "timestamps" / name).read_bytes())
            checkpoints = [(target / "timestamps" / one).read_bytes() for one in heads]
            assert file.checkpoint in checkpoints


async def test_a_silent_authority_stops_no_business_and_all_is_stamped_later(
    stamped: Stamped, capsys: pytest.CaptureFixture[str]
) -> None:
    town, stamper = stamped.town, stamped.stamper
    config = ["--config", str(town.file(BANK))]
    stamper.twist = lambda _: None
    async with running(town) as gateways, town.desk(BANK) as desk:
        first = await submit(desk, notice(1, BANK, UNIT))
        await reaches(desk, first, Standing.ARRIVED)

        async def status() -> int:
            return await asyncio.to_thread(cli.main, ["status", *config])

        await until(status, lambda exit_status: exit_status == 1)
        capsys.readouterr()
        await status()
        told = capsys.readouterr().out
        assert "alert\tTIMESTAMP_SILENT\tsince 20" in told
        assert "silent_since=20" in told
        assert "leaves_waiting=" in told

        second = await submit(desk, notice(2, BANK, UNIT))
        await reaches(desk, second, Standing.ARRIVED)
        size = gateways[BANK]._vault.size()
        assert await asyncio.to_thread(book_of(town.configuration(BANK)).newest) is None

        stamper.twist = lambda body: body
        await stamped.stamped_to(size)
        await until(status, lambda exit_status: exit_status == 0)
        # One question for all that had waited, and nothing is asked for twice.
        capsys.readouterr()
        for done in (first, second):
            command = stamped.inquiry(done.digest)
            assert await asyncio.to_thread(cli.main, command) == 0
        rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        assert len({tuple(row[1:3]) for row in rows if row[0] == "stamped"}) <= 2
        assert sum(len(row[3].split()) - 1 for row in rows if row[0] == "stamped") == 4


async def test_the_self_test_tells_of_stamps_and_silence(stamped: Stamped) -> None:
    town = stamped.town
    configuration = town.configuration(BANK)
    now_us = int(valid_now().start.timestamp() + 86_400) * 1_000_000

    def told() -> dict[str, tuple[Level, str]]:
        found = checks(configuration, now_us)
        return {
            one.about: (one.level, one.detail)
            for name, one in found
            if name == "timestamps"
        }

    before = await asyncio.to_thread(told)
    assert before["last stamp"][0] is Level.WARNING
    assert sum(level is Level.OK for level, _ in before.values()) == 2  # certificates
    async with running(town, BANK) as gateways:
        await stamped.stamped_to(gateways[BANK]._vault.size())
    after = await asyncio.to_thread(told)
    assert after["last stamp"][0] is Level.OK
    assert "authorities" not in after

    stamped.stamper.status = 500
    async with running(town, BANK, FINANCE), town.desk(BANK) as desk:
        await submit(desk, notice(1, BANK, UNIT))
        watch = town.state(BANK) / "watch.json"

        async def since() -> str:
            noted = json.loads(watch.read_text())["watches"]["timestamp"]
            return str(noted["silent_since"])

        await until(since, bool)
        silent = await asyncio.to_thread(told)
    level, detail = silent["authorities"]
    assert level is Level.WARNING
    assert "silent since" in detail
    assert "status 500" in detail


async def test_without_the_table_nobody_asks_and_nothing_is_made(
    stamped: Stamped, capsys: pytest.CaptureFixture[str]
) -> None:
    town = stamped.town
    async with running(town) as gateways, town.desk(BANK) as desk:
        done = await submit(desk, notice(1, BANK, UNIT))
        await reaches(desk, done, Standing.ARRIVED)
        await stamped.stamped_to(gateways[BANK]._vault.size())
        # The unit's voucher arrived at finance's gateway, which asks nobody.
        named = {task.get_name() for task in gateways[FINANCE]._tasks}
        assert "time stamps" not in named
        assert "time stamps" in {task.get_name() for task in gateways[BANK]._tasks}
    assert not book_of(town.configuration(FINANCE)).file.exists()
    status = ["status", "--config", str(town.file(FINANCE))]
    assert await asyncio.to_thread(cli.main, status) == 0
    assert "timestamp" not in capsys.readouterr().out


async def test_what_was_configured_is_looked_at_before_anything_runs(
    stamped: Stamped,
) -> None:
    town = stamped.town
    (town.pki / "stamps.pem").write_bytes(b"nothing")

    with pytest.raises(ConfigurationRefused, match=r"timestamp\.authorities"):
        async with running(town, BANK):
            pytest.fail("it runs")


async def test_an_alert_ends_when_nobody_is_asked_any_more(stamped: Stamped) -> None:
    town = stamped.town
    stamped.stamper.status = 500
    config = ["--config", str(town.file(BANK))]

    async def status() -> int:
        return await asyncio.to_thread(cli.main, ["status", *config])

    async with running(town, BANK):
        await until(status, lambda exit_status: exit_status == 1)

    text = town.file(BANK).read_text()
    town.file(BANK).write_text(text[: text.index("[timestamp]")])
    async with running(town, BANK):
        assert await status() == 0


async def test_a_verified_vault_leads_to_every_head_that_was_stamped(
    stamped: Stamped, capsys: pytest.CaptureFixture[str]
) -> None:
    town, book = stamped.town, book_of(stamped.town.configuration(BANK))
    async with running(town, BANK) as gateways:
        await stamped.stamped_to(gateways[BANK]._vault.size())
    verify = ["vault", "verify", "--config", str(town.file(BANK))]
    assert await asyncio.to_thread(cli.main, verify) == 0
    newest = book.newest()
    assert newest is not None

    # What another log of this name, as long as ours less one leaf, would have shown.
    size = newest.size - 1
    root = b64encode(bytes(32)).decode()
    other = f"{BANK}/log\n{size}\n{root}\n\n— {BANK}/log AAAAAAA=\n".encode()
    question = question_for(sha256(other).digest(), nonce=1)
    answer = stamped.stamper.answer(question)
    book.keep(replace(newest, size=size, checkpoint=other, response=answer))
    capsys.readouterr()
    assert await asyncio.to_thread(cli.main, verify) == 1
    told = capsys.readouterr()
    assert "HEAD_CONTRADICTED" in told.out
    assert "by a time stamp" in told.out

    book.file.write_bytes(b"no database at all, but long enough to look at it")
    assert await asyncio.to_thread(cli.main, verify) == 0
    assert "时间戳" in capsys.readouterr().err
