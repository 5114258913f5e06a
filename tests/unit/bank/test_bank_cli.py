"""The command `counterfoil-bank`."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, time
from pathlib import Path

import pytest

from counterfoil.bank.cli import main
from counterfoil.bank.commands import core_plan
from counterfoil.bank.core import Fate
from counterfoil.bank.kinds import office_of
from counterfoil.bank.watch import Watch
from counterfoil.business.days import CHINA
from counterfoil.business.program import DONE, REFUSED
from counterfoil.business.working_days import WorkingDays
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.office import read_settings
from tests.unit.bank.bank_house import NOON, BankHouse
from tests.unit.bank.papers import (
    AGENCY,
    BANK,
    BANK_NO,
    OFFICE,
    TREASURY,
    UNIT,
    authorised_payment,
    direct_payment,
    special_payment,
)
from tests.unit.office.loopback import PARTY


@pytest.fixture
def config(ca: DevelopmentCa, tmp_path: Path) -> Path:
    stem = os.path.relpath(ca.credential(BANK, "system", "1").stem, tmp_path)
    file = tmp_path / "bank.toml"
    file.write_text(f"""
[office]
party = "{BANK}"
address = "127.0.0.1:1"
authorities = "{os.path.relpath(ca.directory / "root.pem", tmp_path)}"
[office.caller.system]
certificate = "{stem}.pem"
key = "file:{stem}.key"
passphrase = "file:{stem}.pass"
[books]
url = "sqlite:///{tmp_path / "books.sqlite"}"
[core]
url = "sqlite:///{tmp_path / "core.sqlite"}"
[bank]
number = "{BANK_NO}"
code = "102"
account = "10200001"
account_name = "代理银行"
[treasury]
party = "{TREASURY}"
code = "4200000000"
account = "42000000001"
account_name = "国库单一账户"
[finance]
party = "{PARTY}"
code = "420000000"
[units]
"{AGENCY}" = "{UNIT}"
[calendar]
days = "working_days.toml"
""")
    (tmp_path / "working_days.toml").write_text("off = [2026-04-02]")
    return file


def test_empty_books_say_zero(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["books", "--config", str(config), "--issuer", PARTY]

    assert main([*arguments, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures.values()) == {0}

    assert main(arguments) == 0
    assert "receipted=0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("table", "told"),
    [("books", "books.url is missing"), ("core", "core.url is missing")],
)
@pytest.mark.usefixtures("signals")
def test_a_table_that_is_not_there_is_told(
    table: str, told: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace(f"[{table}]", "[shelf]"))

    assert main(["run", "--config", str(config)]) == REFUSED
    assert told in capsys.readouterr().err


def test_a_core_goes_wrong_as_its_table_says() -> None:
    plan = core_plan({"seed": 7, "refused": 0.5, "fates": {"A1": "refused"}})

    assert (plan.seed, plan.refused, plan.lost_before) == (7, 0.5, 0.0)
    assert plan.fates == {"A1": Fate.REFUSED}


def call(config: Path, *arguments: str) -> int:
    return main([arguments[0], "--config", str(config), *arguments[1:]])


def test_the_configuration_tells_who_we_are(config: Path) -> None:
    _, tables = read_settings(config)

    assert office_of(BANK, tables) == OFFICE
    assert office_of(BANK, {}) is None


@pytest.mark.parametrize(
    ("line", "told"),
    [('code = "420000000"', "code is missing"), ("[treasury]", "treasury is missing")],
)
def test_a_key_that_is_not_there_is_told(
    line: str, told: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = "[shelf]" if line.startswith("[") else ""
    config.write_text(config.read_text().replace(line, other))

    assert call(config, "clear") == REFUSED
    assert told in capsys.readouterr().err


def test_a_bank_that_only_pays_does_not_clear(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace("[bank]", "[shelf]"))

    assert call(config, "clear") == REFUSED
    assert "only pays" in capsys.readouterr().err


def test_a_day_goes_by_commands(
    config: Path, house: BankHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    [digest, _] = house.pay(
        authorised_payment("U1", counter=True), direct_payment("D1")
    )
    code = digest.hex()[:8]

    assert call(config, "counter", "--number", "U1", "--check-code", "0" * 8) == REFUSED
    assert "校验码与电子凭证不符" in capsys.readouterr().err
    assert call(config, "counter", "--number", "U1", "--check-code", code) == DONE
    assert call(config, "counter", "--number", "U9", "--check-code", code) == DONE
    assert capsys.readouterr().out == "met 1\nwaiting 1\n"
    house.turn()

    assert call(config, "clear", "--today", "20260301") == DONE
    assert capsys.readouterr().out == "applied 2\napplied-refunds 0\n"
    house.turn()
    house.clear("SQ202603011101")

    row = ("--payment", "D1", "--row", "D1-0")
    much = (*row, "--amount", "1.01", "--reason", "账号有误")
    assert call(config, "refund", *much) == REFUSED
    assert "超过" in capsys.readouterr().err
    enough = (*row, "--amount", "0.40", "--reason", "账号有误")
    assert call(config, "refund", *enough) == DONE
    assert capsys.readouterr().out == "matched TK00000001\n"
    assert call(config, "refund", *row) == REFUSED
    assert "--again" in capsys.readouterr().err
    house.turn()
    house.answer("TP00000001-1", {"x_check_result": "1", "x_check_reason": "非本单位"})
    assert call(config, "refund", *row, "--again", "TK00000001") == DONE
    assert call(config, "simulate", "--refunds", "1", "--seed", "3") == DONE
    assert capsys.readouterr().out == "matched TK00000001\ncame-back 1\n"


def test_books_are_told_for_each_issuer_and_together(
    config: Path, house: BankHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    house.pay(direct_payment("D1"), authorised_payment("U1"))

    assert call(config, "books", "--json") == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["paid"], told["paid_fen"], told["cleared_fen"]) == (2, 700, 0)
    assert {name: one["paid_fen"] for name, one in told["issuers"].items()} == {
        PARTY: 350,
        UNIT: 350,
    }
    assert call(config, "books") == DONE
    assert f"{UNIT} paid=1 paid_fen=350" in capsys.readouterr().out


def test_books_tell_what_a_special_account_holds(
    config: Path, house: BankHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    with config.open("a") as file:
        file.write('[accounts]\n"42000000099" = 1000\n"42000000098" = 7\n')
    house.pay(special_payment("Z1"), direct_payment("D1"))

    assert call(config, "books", "--json") == DONE
    told = json.loads(capsys.readouterr().out)
    assert told["accounts"] == {"42000000099": 650, "42000000098": 7}
    assert (told["special"], told["special_fen"], told["paid_fen"]) == (1, 350, 350)

    assert call(config, "books") == DONE
    assert "42000000099 balance_fen=650\n" in capsys.readouterr().out


def test_statements_are_made_and_what_is_late_is_listed(
    config: Path, house: BankHouse, capsys: pytest.CaptureFixture[str]
) -> None:
    house.pay(direct_payment("D1"))

    # The second is off, says the file: the second working day is the third.
    assert call(config, "alerts", "--today", "20260403") == DONE
    assert call(config, "alerts", "--today", "20260407") == REFUSED
    assert capsys.readouterr().out == "对账单DZ202603-101001未按期发送\n"

    month = ("statements", "--month", "202603", "--today", "20260401")
    assert call(config, *month) == DONE
    assert call(config, *month) == DONE
    assert capsys.readouterr().out == "stated 1\nstated 0\n"
    house.now = NOON.replace(month=4)
    house.turn()
    assert call(config, "alerts", "--today", "20260407") == DONE


def test_what_is_late_is_told_once_a_day(house: BankHouse) -> None:
    house.pay(direct_payment("D1"))
    days = [date(2026, 4, 3), date(2026, 4, 3), date(2026, 4, 4), date(2099, 1, 1)]
    clock = iter([datetime.combine(day, time(12), CHINA) for day in days])
    told: list[str] = []
    watch = Watch(
        house.journal, OFFICE, WorkingDays(), lambda: next(clock), told.append
    )

    for _ in days:
        watch.look()

    first, second, third = told
    assert first == second == "对账单DZ202603-101001未按期发送"
    assert "2027" in third
    only_pays = Watch(house.journal, None, WorkingDays(), lambda: NOON, told.append)
    only_pays.look()
    assert len(told) == 3
