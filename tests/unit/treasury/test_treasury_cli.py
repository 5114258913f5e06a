from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from counterfoil.business.program import REFUSED
from counterfoil.business.tables import OutboxEntry, OutboxState
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.standing import Standing
from counterfoil.office import Form
from counterfoil.treasury.books import DIFFERS, SETTLED, Income, Posting
from counterfoil.treasury.cli import main
from counterfoil.treasury.commands import office_of
from tests.unit.treasury.papers import (
    ACCOUNT,
    BANK,
    BANK_CODE,
    BANK_NO,
    OFFICE,
    TREASURY,
    application,
    appropriation,
    came,
    order,
)
from tests.unit.treasury.replies import reply
from tests.unit.treasury.test_treasury_statements import booked, live_in_march
from tests.unit.treasury.treasury_desk import OPENING_FEN, Treasury

TABLES = {
    "treasury": {
        "finance": OFFICE.finance,
        "adm_div": OFFICE.adm_div,
        "tre_code": OFFICE.tre_code,
        "fin_org_code": OFFICE.fin_org_code,
        "account": ACCOUNT,
    },
    "bank": [
        {"number": one.number, "party": one.party, "code": one.code}
        for one in OFFICE.banks.values()
    ],
}


@pytest.fixture
def config(treasury: Treasury, ca: DevelopmentCa, tmp_path: Path) -> Path:
    stem = os.path.relpath(ca.credential(TREASURY, "system", "1").stem, tmp_path)
    own = "\n".join(f'{name} = "{text}"' for name, text in TABLES["treasury"].items())  # type: ignore[attr-defined]
    text = f"""
[office]
party = "{TREASURY}"
address = "{treasury.address}"
authorities = "{os.path.relpath(ca.directory / "root.pem", tmp_path)}"
[office.caller.system]
certificate = "{stem}.pem"
key = "file:{stem}.key"
passphrase = "file:{stem}.pass"
[books]
url = "{treasury.url}"
[treasury]
{own}
opening_fen = {OPENING_FEN}
[[bank]]
number = "{BANK_NO}"
party = "420000-102"
code = "{BANK_CODE}"
"""
    file = tmp_path / "treasury.toml"
    file.write_text(text)
    return file


@pytest.mark.clause("hubei-29.1", "hubei-34", "hubei-36")
@pytest.mark.parametrize("type_code", [3511, 4005])
def test_a_statement_that_differs_is_settled_by_two_persons(
    treasury: Treasury, config: Path, ca: DevelopmentCa, type_code: int
) -> None:
    """One is answered by a reply of its own kind (5511), the other by a receipt."""
    with config.open("a") as file:
        for name in ("first", "second"):
            stem = os.path.relpath(
                ca.credential(TREASURY, "person", name).stem, config.parent
            )
            file.write(f"""
[office.caller.{name}_reviewer]
certificate = "{stem}.pem"
key = "file:{stem}.key"
passphrase = "file:{stem}.pass"
""")
    live_in_march(treasury)
    treasury.system().state_month("202603")
    statement = treasury.stated(type_code)[0]
    if type_code == 3511:
        treasury.run_all(reply(statement, {"1": "财政账为2.99元"}))
    else:
        form = Form({"x_check_result": "1", "x_check_reason": "少一笔"})
        treasury.desk.answer(statement, form, by=BANK)
        treasury.run_all()
    assert booked(treasury, statement).result == DIFFERS
    number = statement.key.number

    def settle(person: str, holds: str = "voucher") -> int:
        words = ["--holds", holds, "--reason", "财政漏记，将补记", "--person", person]
        return main(["settle", number, "--config", str(config), *words])

    assert settle("first_reviewer", "nothing") == REFUSED
    assert settle("first_reviewer") == 0
    assert settle("first_reviewer") == REFUSED
    assert booked(treasury, statement).result == DIFFERS
    assert settle("second_reviewer") == 0

    assert booked(treasury, statement).result == SETTLED
    assert settle("second_reviewer") == REFUSED
    with treasury.books.reading() as session:
        states = select(OutboxEntry.state).where(OutboxEntry.number == number)
        assert OutboxState.DIFFERS not in session.scalars(states).all()
    told = main(["books", "--config", str(config), "--json", "--recompute"])
    assert told == 0


def test_the_office_is_what_the_configuration_says() -> None:
    assert office_of(TREASURY, TABLES) == OFFICE


@pytest.mark.parametrize("key", sorted(TABLES["treasury"]))  # type: ignore[type-var]
def test_a_key_that_is_missing_is_named(key: str) -> None:
    own = {name: text for name, text in TABLES["treasury"].items() if name != key}  # type: ignore[attr-defined]

    with pytest.raises(ValueError, match=f"{key} is missing"):
        office_of(TREASURY, {"treasury": own})


def test_a_configuration_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["books", "--config", str(tmp_path / "none.toml")]) == REFUSED
    assert "none.toml" in capsys.readouterr().err


def test_the_books_are_shown_for_a_program_and_for_people(
    treasury: Treasury,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    treasury.run(appropriation("B1"), order("Q1", "S1"))

    assert main(["books", "--config", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["receipted"], told["waiting"]) == (1, 1)
    assert told["balance_fen"] == OPENING_FEN - 350
    monkeypatch.setenv("COUNTERFOIL_TREASURY_CONFIG", str(config))
    assert main(["books"]) == 0
    assert f"balance_fen={OPENING_FEN - 350}" in capsys.readouterr().out


def test_recomputing_tells_by_the_exit_status_whether_the_books_are_right(
    treasury: Treasury, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    treasury.run(appropriation("B1"))
    arguments = ["books", "--config", str(config), "--recompute"]

    assert main(arguments) == 0
    with treasury.books.writing() as session:
        session.get_one(Posting, 1).amount_fen -= 1

    assert main(arguments) == REFUSED
    assert "B1" in capsys.readouterr().err


def stops_once_booked(
    treasury: Treasury, digest: bytes, stop: Callable[[], None]
) -> None:
    for _ in range(200):
        if treasury.desk.standings[digest] is Standing.RECEIPTED:
            break
        threading.Event().wait(0.05)
    stop()


def test_books_that_have_no_place_are_told(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace("[books]", "[shelf]"))

    assert main(["books", "--config", str(config)]) == REFUSED
    assert "books.url is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["report", "--day", "20260231"], "--day"),
        (["report"], "--day"),
        (["income"], "either --number"),
        (["income", "--seed", "1", "--file", "x.csv"], "either --number"),
        (["income", "--subject", "1010101", "--amount", "1.00"], "either --number"),
        (["income", "--amount", "1"], "--amount"),
        (["statements"], "either --month or --day"),
        (["statements", "--month", "202603", "--day", "20260301"], "either --month"),
        (["statements", "--month", "202613"], "--month"),
        (["alerts", "--today", "20260231"], "--today"),
    ],
)
def test_what_a_command_cannot_make_sense_of_is_a_mistake_of_usage(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    named: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--config", str(config)])

    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def test_income_is_entered_by_hand_from_a_file_and_by_the_simulator(
    treasury: Treasury, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "income.csv"
    file.write_text("number,day,level,subject,amount\nF1,20260301,2,1010101,12.50\n")
    enter = ["income", "--config", str(config), "--today", "20260302"]
    by_hand = ["--number", "H1", "--subject", "1010601", "--amount", "3.05"]

    assert main([*enter, *by_hand]) == 0
    assert main([*enter, "--file", str(file)]) == 0
    assert main([*enter, "--seed", "7", "--count", "3", "--day", "20260301"]) == 0
    assert main([*enter, "--file", str(file)]) == 0  # again: nothing new

    assert capsys.readouterr().out.split("\n")[:4] == [
        "income 1",
        "income 1",
        "income 3",
        "income 0",
    ]
    with treasury.books.reading() as session:
        booked = {one.number: one for one in session.scalars(select(Income))}
    assert (booked["F1"].amount_fen, booked["F1"].day) == (1250, "20260301")
    assert (booked["H1"].amount_fen, booked["H1"].day) == (305, "20260302")
    assert booked["H1"].level == "2"
    assert len(booked) == 5


def test_a_day_is_reported_and_what_comes_after_is_told(
    treasury: Treasury, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ["--config", str(config), "--today", "20260301"]
    entry = ["income", *on, "--subject", "1010101", "--amount", "1.00"]
    assert main([*entry, "--number", "A1"]) == 0

    assert main(["report", *on, "--day", "20260301"]) == 0
    assert main([*entry, "--number", "A2"]) == 0

    captured = capsys.readouterr()
    assert "reported 2" in captured.out
    assert "A2: 20260301日报已生成，记入20260302" in captured.err
    assert [one.WhichOneof("form") for one in treasury.desk.submitted] == [
        "balance_report",
        "revenue_report",
    ]


def test_a_day_that_has_not_come_is_not_reported(
    treasury: Treasury, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ["--config", str(config), "--today", "20260301"]

    assert main(["report", *on, "--day", "20260302"]) == REFUSED

    assert "20260302 cannot be reported on 20260301" in capsys.readouterr().err
    assert treasury.desk.submitted == []


@pytest.mark.usefixtures("signals")
def test_it_runs_until_it_is_asked_to_stop(
    treasury: Treasury, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [digest] = treasury.arrive(appropriation("B1"))
    stopping = threading.Thread(
        target=stops_once_booked,
        args=(treasury, digest, lambda: signal.raise_signal(signal.SIGTERM)),
    )
    stopping.start()
    try:
        status = main(["run", "--config", str(config), "--today", "20260301"])
    finally:
        stopping.join()

    assert status == 0
    assert "booked 1" in capsys.readouterr().out
    assert treasury.receipt(digest).appropriation.rows[0].x_pay_date == "20260301"


def test_a_month_is_stated_and_what_is_late_is_shown(
    treasury: Treasury, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    treasury.live_on("20260331")
    treasury.enter(came("A1", 300, "20260331"))
    on = ["--config", str(config), "--today"]

    assert main(["alerts", *on, "20260402"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["alerts", *on, "20260403"]) == REFUSED
    assert "收入报表对账SR202603应于20260402前发送" in capsys.readouterr().out
    assert main(["statements", *on, "20260402", "--month", "202603"]) == 0
    assert "reported 3" in capsys.readouterr().out
    assert main(["alerts", *on, "20260403"]) == 0
    assert main(["alerts", *on, "20260408"]) == REFUSED
    assert "尚未答复" in capsys.readouterr().out


def test_a_file_of_working_days_moves_the_deadline(
    treasury: Treasury, config: Path, tmp_path: Path
) -> None:
    treasury.live_on("20260331")
    treasury.enter(came("A1", 300, "20260331"))
    (tmp_path / "days.toml").write_text("off = [2026-04-02]\n")
    config.write_text(f'{config.read_text()}\n[calendar]\ndays = "days.toml"\n')

    assert main(["alerts", "--config", str(config), "--today", "20260403"]) == 0


def test_a_day_is_checked(
    treasury: Treasury, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    treasury.run(appropriation("B1"))
    on = ["--config", str(config), "--today", "20260301"]

    assert main(["statements", *on, "--day", "20260301"]) == 0

    assert "reported 6" in capsys.readouterr().out
    assert {one.WhichOneof("form") for one in treasury.desk.submitted} == {
        "finance_check",
        "bank_check",
    }


def test_clearing_beyond_the_quota_is_shown_on_its_day(
    treasury: Treasury, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    treasury.run(application("S1"), order("Q1", "S1"))
    alerts = ["alerts", "--config", str(config), "--today"]

    assert main([*alerts, "20260301"]) == REFUSED
    assert "凭证Q1未予办理：直接支付额度不足" in capsys.readouterr().out
    assert main([*alerts, "20260302"]) == 0
