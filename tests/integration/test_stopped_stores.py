"""`vault verify` and `ledger rebuild` on the stores of a gateway that was stopped."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.office import Standing
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.records import INDEX
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import reaches, submit
from tests.integration.papers import notice

VOUCHERS = 4
LEAVES = 2 * VOUCHERS


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """Return two gateways that are stopped; the bank's log has two acts each."""
    town = Town(
        directory=tmp_path_factory.mktemp("filled"),
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.3"},
        founded=False,  # so that the log begins with the first voucher
    )
    town.initialise()

    async def fill() -> None:
        async with running(town, FINANCE, BANK), town.desk(BANK) as desk:
            for number in range(1, VOUCHERS + 1):
                done = await submit(desk, notice(number, BANK, UNIT))
                await reaches(desk, done, Standing.ARRIVED)

    asyncio.run(fill())
    return town


@dataclass(frozen=True, slots=True)
class Stopped:
    """A gateway's stores, and the commands that work on them."""

    town: Town
    state: Path

    def verify(self, *more: str) -> int:
        file = str(self.town.file(BANK))
        return cli.main(["vault", "verify", *more, "--config", file])

    def rebuild(self) -> int:
        file = str(self.town.file(BANK))
        return cli.main(["ledger", "rebuild", "--config", file])

    def change(self, *statements: str) -> None:
        """Change the ledger without our code."""
        with closing(sqlite3.connect(self.state / "ledger.sqlite")) as ledger, ledger:
            for statement in statements:
                ledger.execute(statement)

    def put_back(self, leaf: int) -> None:
        """Let the ledger be as it was before a leaf that began a voucher."""
        self.change(
            *(
                f"DELETE FROM {table} WHERE {column} >= {leaf}"  # noqa: S608 -- ours
                for table, column in (
                    ("ledger_act", '"index"'),
                    ("ledger_voucher", "id"),
                    ("ledger_standing", "voucher"),
                )
            )
        )

    def ledger(self) -> list[str]:
        """Return all that the ledger says, as statements."""
        with closing(sqlite3.connect(self.state / "ledger.sqlite")) as ledger:
            return list(ledger.iterdump())

    def files(self) -> dict[str, bytes]:
        """Return every file but those that an opening may write anew."""
        return {
            str(path.relative_to(self.state)): path.read_bytes()
            for path in self.state.rglob("*")
            if path.is_file() and path.name not in {"heads", "vault.lmdb-lock"}
        }


@pytest.fixture
def bank(filled: Town, tmp_path: Path) -> Iterator[Stopped]:
    """Return the bank's stores; what is done to them is undone."""
    state, kept = filled.state(BANK), tmp_path / "kept"
    shutil.copytree(state, kept)
    yield Stopped(filled, state)
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(kept, state)


def told(capsys: pytest.CaptureFixture[str]) -> set[tuple[str, int, str]]:
    return {
        (found["fault"], found["leaf"], found["detail"])
        for found in map(json.loads, capsys.readouterr().out.splitlines())
    }


TAMPERED = {
    "another digest": (
        "UPDATE ledger_voucher SET digest = zeroblob(32) WHERE id = 2",
        {
            ("LEDGER_CHANGED", 2, "voucher is another"),
        },
    ),
    "another amount": (
        "UPDATE ledger_voucher SET amount_fen = amount_fen + 1 WHERE id = 2",
        {("LEDGER_CHANGED", 2, "voucher is another")},
    ),
    "another issuer, for searches": (
        "UPDATE ledger_standing SET issuer = recipient WHERE voucher = 2",
        {("LEDGER_CHANGED", -1, "standing of voucher 2 is not in the log")},
    ),
    "another time": (
        "UPDATE ledger_standing SET changed_us = 1 WHERE voucher = 2",
        {("LEDGER_CHANGED", -1, "standing of voucher 2 is not in the log")},
    ),
    "a standing that is none": (
        "UPDATE ledger_standing SET standing = 99 WHERE voucher = 2",
        {("LEDGER_CHANGED", -1, "standing of voucher 2 is not in the log")},
    ),
    "an act gone in the middle": (
        'DELETE FROM ledger_act WHERE "index" = 2',
        {("LEDGER_CHANGED", 2, "act is missing")},
    ),
    "an act of another voucher": (
        'UPDATE ledger_act SET voucher = 0 WHERE "index" = 2',
        {("LEDGER_CHANGED", 2, "act is another")},
    ),
    "a voucher gone in the middle": (
        "DELETE FROM ledger_voucher WHERE id = 2",
        {
            ("LEDGER_CHANGED", 2, "voucher is missing"),
            ("LEDGER_CHANGED", -1, "standing of voucher 2 is not in the log"),
        },
    ),
    "a voucher in a row of its own choice": (
        "UPDATE ledger_voucher SET id = 3 WHERE id = 2",
        {
            ("LEDGER_CHANGED", 2, "voucher is missing"),
            ("LEDGER_CHANGED", 3, "voucher is not in the log"),
            ("LEDGER_CHANGED", -1, "standing of voucher 2 is not in the log"),
        },
    ),
    "a row below the first": (
        'UPDATE ledger_act SET "index" = -1 WHERE "index" = 2',
        {
            ("LEDGER_CHANGED", 2, "act is missing"),
            ("LEDGER_CHANGED", -1, "act -1 is not in the log"),
        },
    ),
    "values of another kind": (
        "UPDATE ledger_voucher SET digest = 'text', fiscal_year = 'text' WHERE id = 2",
        {("LEDGER_CHANGED", 2, "voucher is another")},
    ),
    "a recipient of another kind": (
        "UPDATE ledger_standing SET recipient = x'00', leaf = 'text' WHERE voucher = 2",
        {("LEDGER_CHANGED", -1, "standing of voucher 2 is not in the log")},
    ),
    "a table gone": (
        "DROP TABLE ledger_standing",
        {("LEDGER_UNREADABLE", -1, "no such table: ledger_standing")},
    ),
}
"""Statements, and what is found at which leaf when the ledger is at leaf 4."""


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=TAMPERED)
@pytest.mark.parametrize("taken", [4, LEAVES])
def test_a_ledger_that_was_tampered_with_is_told_and_left_as_it_is(
    bank: Stopped,
    capsys: pytest.CaptureFixture[str],
    tampered: tuple[str, set[tuple[str, int, str]]],
    taken: int,
) -> None:
    statement, expected = tampered
    bank.put_back(taken)
    bank.change(statement)
    before = bank.ledger()

    assert bank.verify("--json") == cli.REFUSED

    assert told(capsys) == expected
    assert bank.ledger() == before


def test_rows_that_stand_where_the_next_ones_come_are_told(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    bank.put_back(4)
    bank.change(
        "INSERT INTO ledger_voucher SELECT 4, zeroblob(32), issuer, adm_div, "
        "fiscal_year, type_code, number, issue, role, amount_fen, count "
        "FROM ledger_voucher WHERE id = 0"
    )

    assert bank.verify("--json") == cli.REFUSED

    assert told(capsys) == {("LEDGER_CHANGED", -1, "voucher 4 is not in the log")}


def test_a_ledger_made_again_is_what_it_was(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    good = bank.ledger()
    bank.put_back(4)
    bank.change(TAMPERED["another digest"][0])
    assert bank.verify() == cli.REFUSED
    captured = capsys.readouterr()
    assert "the ledger is at leaf 4 of 8 and contradicts the log" in captured.err
    assert "台账与日志不符" in captured.err
    assert "LEDGER_CHANGED at leaf 2 " in captured.out
    assert "台账与日志不符" in captured.out

    assert bank.rebuild() == cli.DONE

    assert bank.ledger() == good
    assert bank.verify() == cli.DONE


def test_a_ledger_of_another_log_is_told(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    bank.change(f'UPDATE ledger_act SET "index" = 99 WHERE "index" = {LEAVES - 1}')  # noqa: S608 -- ours

    assert bank.verify("--json") == cli.REFUSED

    detail = f"it is at leaf 100 of a log of {LEAVES} leaves"
    assert ("LEDGER_CHANGED", -1, detail) in told(capsys)


def test_a_vault_that_is_damaged_is_told_beside_a_ledger_that_is_behind(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    bank.put_back(3)
    with LmdbEngine(bank.state / "vault") as engine:
        txn, tables = engine.begin()
        with txn:
            assert txn.delete(INDEX.pack(7), db=tables.log)

    assert bank.verify("--json") == cli.REFUSED

    assert ("LEAF_MISSING", 7) in {found[:2] for found in told(capsys)}


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_ledger_is_not_dropped_while_the_vault_cannot_tell_it_anew(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    with LmdbEngine(bank.state / "vault") as engine:
        txn, tables = engine.begin()
        with txn:
            assert txn.delete(INDEX.pack(7), db=tables.log)
    before = bank.ledger()

    assert bank.rebuild() == cli.REFUSED

    assert "VAULT_CORRUPT: " in capsys.readouterr().err
    assert bank.ledger() == before


def spoiled(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda state: (state / file).write_bytes(content)


def directory(file: str) -> Callable[[Path], None]:
    def put(state: Path) -> None:
        (state / file).unlink()
        (state / file).mkdir()

    return put


REFUSED = {
    "no vault": (
        lambda state: shutil.rmtree(state / "vault"),
        cli.USAGE,
        "has no vault; run `counterfoil init` first",
    ),
    "no state at all": (
        shutil.rmtree,
        cli.USAGE,
        "has no vault; run `counterfoil init` first",
    ),
    "an empty vault": (spoiled("vault/vault.lmdb", b""), cli.REFUSED, "VAULT_CORRUPT"),
    "no vault in its file": (
        spoiled("vault/vault.lmdb", b"something else" * 1000),
        cli.REFUSED,
        "VAULT_CORRUPT",
    ),
    "a directory for the vault": (
        directory("vault/vault.lmdb"),
        cli.REFUSED,
        "Is a directory",
    ),
    "a directory for the lock": (
        directory("vault/owner.lock"),
        cli.REFUSED,
        "Is a directory",
    ),
    "no ledger in its file": (
        spoiled("ledger.sqlite", b"something else" * 1000),
        cli.UNREACHABLE,
        "LEDGER_UNAVAILABLE: file is not a database (台账暂时不可用)",
    ),
    "a directory for the ledger": (
        directory("ledger.sqlite"),
        cli.UNREACHABLE,
        "LEDGER_UNAVAILABLE: unable to open database file",
    ),
    "open to others": (
        lambda state: state.chmod(0o755),
        cli.USAGE,
        "[ledger]: others may enter",
    ),
}


COMMANDS = [Stopped.verify, Stopped.rebuild]


@pytest.mark.refusal("LEDGER_UNAVAILABLE")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_stores_that_cannot_be_used_are_refused_in_one_line_and_left_as_they_are(
    bank: Stopped,
    capsys: pytest.CaptureFixture[str],
    command: Callable[[Stopped], int],
    case: tuple[Callable[[Path], object], int, str],
) -> None:
    spoil, status, says = case
    spoil(bank.state)
    before = bank.files()

    assert command(bank) == status

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("counterfoil: ")
    assert captured.err.count("\n") == 1
    assert says in captured.err
    assert bank.files() == before


@pytest.mark.refusal("HEAD_FORKED")
def test_a_damaged_head_store_is_refused_and_left_as_it_is(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = bank.state / "heads" / "heads"
    heads.write_bytes(b"something else")

    assert bank.verify() == cli.REFUSED

    assert "HEAD_FORKED: the head store is damaged" in capsys.readouterr().err
    assert heads.read_bytes() == b"something else"


def test_a_head_store_that_is_gone_is_told_and_not_made(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(bank.state / "heads")

    assert bank.verify("--json") == cli.REFUSED

    assert {fault for fault, _, _ in told(capsys)} == {"HEAD_UNKNOWN"}
    assert not (bank.state / "heads").exists()


async def test_stores_that_a_gateway_holds_are_refused(
    bank: Stopped, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(bank.town, BANK):
        for command in COMMANDS:
            capsys.readouterr()
            assert await asyncio.to_thread(command, bank) == cli.REFUSED
            [said] = [
                line
                for line in capsys.readouterr().err.splitlines()
                if line.startswith("counterfoil: ")
            ]
            assert "open. Is a gateway running on it? (目录正被使用)" in said


@pytest.mark.refusal("LEDGER_UNAVAILABLE")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_ledger_whose_server_does_not_answer_is_unreachable(
    bank: Stopped,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[[Stopped], int],
) -> None:
    file = bank.town.file(BANK)
    text = file.read_text("utf-8")
    section = '[ledger]\nurl = "postgresql://nobody@127.0.0.1:1/none"\n'
    other = file.with_name("unreachable.toml")
    other.write_text(f"{text}{section}", "utf-8")
    monkeypatch.setattr(Town, "file", lambda *_: other)

    assert command(bank) == cli.UNREACHABLE

    said = capsys.readouterr().err
    assert said.startswith("counterfoil: LEDGER_UNAVAILABLE: connection failed")
    assert "(台账暂时不可用)" in said
    assert said.count("\n") == 1
