from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from counterfoil.business.codes import PaymentWay
from counterfoil.business.program import DONE, REFUSED
from counterfoil.business.tables import OutboxState
from counterfoil.business.turns import WORK_MAX
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.unit import simulator
from counterfoil.unit.cli import main
from counterfoil.unit.kinds import DealMode
from counterfoil.unit.settings import office_of
from counterfoil.unit.tables import RequestState
from tests.unit.budget_unit.papers import (
    DAY,
    FUNCTION,
    LINE_FEN,
    OFFICE,
    UNIT,
    entry,
    statement,
)
from tests.unit.budget_unit.test_unit_notices import paid
from tests.unit.budget_unit.unit_house import UnitHouse

OWN = {
    "finance": OFFICE.finance,
    "adm_div": OFFICE.adm_div,
    "code": OFFICE.code,
    "name": OFFICE.name,
    "top": OFFICE.top,
    "bank": OFFICE.bank.number,
}
ACCOUNTS = {
    "account": asdict(OFFICE.accounts[PaymentWay.AUTHORISED]),
    "direct_account": asdict(OFFICE.accounts[PaymentWay.DIRECT]),
}
BANKS = [asdict(OFFICE.bank)]


def toml(table: dict[str, str]) -> str:
    return "\n".join(f'{name} = "{text}"' for name, text in table.items())


@pytest.fixture
def config(house: UnitHouse, ca: DevelopmentCa, tmp_path: Path) -> Path:
    callers = []
    for caller, use, name in (
        ("system", "system", "1"),
        ("first_reviewer", "person", "first"),
        ("second_reviewer", "person", "second"),
    ):
        stem = os.path.relpath(ca.credential(UNIT, use, name).stem, tmp_path)
        callers.append(f"[office.caller.{caller}]")
        callers.append(f'certificate = "{stem}.pem"\nkey = "file:{stem}.key"')
        callers.append(f'passphrase = "file:{stem}.pass"')
    text = f"""
[office]
party = "{UNIT}"
address = "{house.address}"
authorities = "{os.path.relpath(ca.directory / "root.pem", tmp_path)}"
{chr(10).join(callers)}
[books]
url = "{house.url}"
[unit]
{toml(OWN)}
[unit.account]
{toml(ACCOUNTS["account"])}
[unit.direct_account]
{toml(ACCOUNTS["direct_account"])}
[[bank]]
{toml(BANKS[0])}
"""
    file = tmp_path / "unit.toml"
    file.write_text(text)
    return file


@pytest.fixture
def command(config: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("COUNTERFOIL_UNIT_CONFIG", str(config))
    monkeypatch.setenv("COUNTERFOIL_UNIT_TODAY", DAY)
    return lambda *arguments: main(list(arguments))


ITEM = (
    *("--function", FUNCTION, "--amount", "40.00", "--payee-account", "622200001111"),
    *("--payee-name", "文华公司", "--payee-bank", "建设银行"),
)


def test_the_office_is_what_the_configuration_says() -> None:
    assert office_of(UNIT, {"unit": {**OWN, **ACCOUNTS}, "bank": BANKS}) == OFFICE


@pytest.mark.parametrize("key", sorted([*OWN, *ACCOUNTS]))
def test_a_key_that_is_missing_is_named(key: str) -> None:
    own = {name: one for name, one in {**OWN, **ACCOUNTS}.items() if name != key}

    with pytest.raises(ValueError, match=f"{key} is missing"):
        office_of(UNIT, {"unit": own, "bank": BANKS})


def test_a_bank_or_account_that_is_wrong_is_named() -> None:
    own = {**OWN, **ACCOUNTS}
    with pytest.raises(ValueError, match="'102521000000' is not among"):
        office_of(UNIT, {"unit": own})
    with pytest.raises(ValueError, match=r"an account of \[unit\] is wrong"):
        office_of(UNIT, {"unit": {**own, "account": {"iban": "1"}}, "bank": BANKS})


def test_an_application_and_a_payment_are_entered_and_wait_for_the_system(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("apply", *ITEM) == DONE
    assert command("pay", *ITEM, "--mode", "counter", "--purpose", "会议费") == DONE

    applied, paying = capsys.readouterr().out.split()
    assert (applied, paying) == (f"SQS101001{DAY}0001", f"SZF101001{DAY}0001")
    house.turn()
    form = house.sent(paying).authorised_payment
    assert form.fund_deal_mode_code == DealMode.COUNTER
    assert form.pay_summary_name == "会议费"
    assert house.sent(applied).payment_application.pay_amt_fen == LINE_FEN * 4 // 10


def test_what_the_allotment_does_not_allow_is_said_and_not_entered(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    over = [*ITEM[:3], "100.01", *ITEM[4:]]

    assert command("pay", *over) == REFUSED

    assert "用款计划不足" in capsys.readouterr().err
    assert house.figures().payments == 0


def test_a_plan_of_allotments_is_entered_once(
    house: UnitHouse,
    command: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = tmp_path / "plan.toml"
    line = '[[allotment]]\nway = "11"\nfunction = "2050205"\n'
    ours = f'{line}unit = "101001"\n'
    others = f'{line}unit = "102001"\namount = "7.00"\n'
    plan.write_text(f'number = "Y1"\n{ours}amount = "5.00"\n{others}')

    assert command("allot", "--plan", str(plan)) == DONE
    assert command("allot", "--plan", str(plan)) == DONE

    assert capsys.readouterr().out == "allotted 1\nallotted 0\n"
    assert house.left(PaymentWay.DIRECT) == LINE_FEN + 500
    plan.write_text(f'number = "Y2"\n{ours}')
    assert command("allot", "--plan", str(plan)) == REFUSED
    assert "amount is missing" in capsys.readouterr().err


def test_the_paper_shows_number_and_check_code_once_it_is_sealed(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    number, other = house.pay(mode=DealMode.COUNTER), house.pay()
    assert command("paper", number) == REFUSED
    assert "was not sealed yet" in capsys.readouterr().err
    house.turn()

    assert command("paper", number) == DONE

    told = capsys.readouterr().out
    digest = house.desk.issued.digest(number)
    assert f"凭证号 {number}\n校验码 {digest.hex()[:8].upper()}\n" in told
    assert "合计 40.00元" in told
    assert "622200001111" in told
    assert command("paper", other) == REFUSED
    assert "is not paid at the counter" in capsys.readouterr().err


def test_a_return_is_asked_for_at_the_desk_while_it_may_be(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    number = house.pay()
    assert command("ask-return", number, "--reason", "填错了") == REFUSED
    assert "no return can be asked for" in capsys.readouterr().err
    house.turn()

    assert command("ask-return", number, "--reason", "填错了") == DONE

    assert house.desk.returns_asked == {house.desk.issued.digest(number): "填错了"}
    house.bring(DocumentKind.RETURN, number, "应发送方要求退回：填错了")
    house.turn()
    assert house.request(number)[0] is RequestState.GIVEN_BACK
    assert command("ask-return", number, "--reason", "又") == REFUSED


def test_a_returned_payment_is_mended_and_issued_again(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    number = house.pay()
    house.turn()
    house.bring(DocumentKind.RETURN, number, "账号有误")
    house.turn()

    assert command("reissue", number, "--payee-account", "622200002222") == DONE

    assert capsys.readouterr().out == f"{number} 2\n"
    house.turn()
    form = house.sent(number, issue=2).authorised_payment
    assert (form.payee_acct_no, form.pay_amt_fen) == ("622200002222", 4_000)


def test_a_request_is_withdrawn_before_it_is_sent(
    house: UnitHouse, command: Callable[..., int]
) -> None:
    number = house.pay()

    assert command("withdraw", number, "--reason", "填错了") == DONE

    house.turn()
    assert house.outbox_state(number) is OutboxState.WITHDRAWN
    assert command("withdraw", number, "--reason", "填错了") == REFUSED


def test_the_books_are_shown_for_a_program_and_for_people(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    number = paid(house)

    assert command("books", "--json", "--requests") == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["paid"], told["paid_fen"], told["left_fen"]) == (1, 4_000, 16_000)
    assert told["requests"] == [
        {
            "number": number,
            "issue": 1,
            "mode": "自助柜面",
            "yuan": "40.00",
            "state": "sent",
            "note": "",
        }
    ]
    assert command("books", "--requests") == DONE
    shown = capsys.readouterr().out
    assert "paid_fen=4000" in shown
    assert f"{number} 1 自助柜面 40.00 sent" in shown


def test_alerts_are_listed_and_told_by_the_exit_status(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    paid(house)

    assert command("alerts") == DONE
    assert command("alerts", "--today", "2026-04-03") == REFUSED

    assert "月对账单应于20260402前发送" in capsys.readouterr().out


def test_a_calendar_of_ones_own_is_read(
    house: UnitHouse,
    config: Path,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    paid(house)
    config.write_text(config.read_text() + '[calendar]\ndays = "days.toml"\n')
    (config.parent / "days.toml").write_text("off = [2026-04-02]\n")

    assert command("alerts", "--today", "20260403") == DONE
    assert command("alerts", "--today", "20260407") == REFUSED
    assert "月对账单应于20260403前发送" in capsys.readouterr().out


def test_a_mode_or_amount_that_is_none_is_a_mistake_of_usage(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (("--mode", "cash"), ("--amount", "1")):
        with pytest.raises(SystemExit) as ended:
            command("pay", *ITEM, *wrong)
        assert ended.value.code == 2
        assert wrong[0] in capsys.readouterr().err


@pytest.mark.usefixtures("signals")
def test_it_runs_until_it_is_asked_to_stop_and_everything_is_at_rest(
    house: UnitHouse,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = paid(house)
    digest = house.desk.arrive(statement("DZ1", (("8202", number, 4_000, DAY),)))
    # So few at a time that everything takes several turns.
    monkeypatch.setattr(simulator, "BATCH", 1)
    count = 2 * WORK_MAX + 1

    def stops_once_something_is_entered() -> None:
        for _ in range(400):
            figures = house.figures()
            if figures.applications + figures.payments > 1:
                break
            threading.Event().wait(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    stopping = threading.Thread(target=stops_once_something_is_entered)
    stopping.start()
    status = command(
        "run", "--seed", "7", "--payments", str(count), "--today", "20260408"
    )
    stopping.join()

    assert status == DONE
    assert house.receipt(digest).unit_statement.x_check_result == "0"
    told = capsys.readouterr()
    lines = [line.split() for line in told.out.splitlines()]
    for what in ("entered", "sent"):
        assert sum(int(line[1]) for line in lines if line[0] == what) == count
    assert told.err == ""


@pytest.mark.usefixtures("signals")
def test_what_is_late_is_said_once_while_it_runs(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    paid(house)
    stopping = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    stopping.start()

    assert command("run", "--today", "20260408") == DONE

    stopping.join()
    assert capsys.readouterr().err.count("尚未收到") == 1


@pytest.mark.usefixtures("signals")
def test_a_calendar_that_ends_stops_the_alerts_and_not_the_system(
    house: UnitHouse, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    number = house.pay()
    house.turn()
    last_day = "20981231"
    rows = house.rows_of(number)
    house.come(entry("RZ1", rows, original=("8202", number), day=last_day))

    assert command("alerts", "--today", "20990104") == REFUSED
    assert "the holidays of 2099 are not known" in capsys.readouterr().err
    stopping = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    stopping.start()
    assert command("run", "--today", "20990104") == DONE

    stopping.join()
    assert capsys.readouterr().err.count("the holidays of 2099 are not known") == 1
