"""What people do at the command line, beside the running system."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.business.program import DONE, REFUSED
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.finance import commands
from counterfoil.finance.cli import main
from counterfoil.finance.kinds import (
    AGENCY_STATEMENT,
    APPROPRIATION,
    APPROPRIATION_LIST,
    AUTHORISED_QUOTA,
    DIRECT_QUOTA,
    PAYMENT,
    SPECIAL_PAYMENT,
    office_of,
)
from counterfoil.finance.settlements import unlike_vault
from counterfoil.office import Form, Receipt
from tests.unit.finance.finance_desk import House
from tests.unit.finance.papers import (
    BANK,
    DAY,
    FINANCE,
    OFFICE,
    application,
)
from tests.unit.finance.station import station
from tests.unit.finance.test_finance_orders import ORDER, TEXT

PLAN = """
number = "YK1"
[[allotment]]
unit = "101001"
function = "2010101"
way = "11"
amount = "5.00"
"""
TABLES = """
[finance]
treasury = "420000-001"
adm_div = "420000"
tre_code = "4200000000"
fin_org_code = "420000000"
account = "42000000001"
account_name = "国库单一账户"
opening_fen = 100000
[special]
opening_fen = 5000
number = "42000000301"
name = "财政专户"
bank = "301521000000"
[calendar]
days = "days.toml"
[[bank]]
number = "102521000000"
party = "420000-102"
code = "102"
[[bank]]
number = "103521000000"
party = "420000-103"
code = "103"
[[bank]]
number = "301521000000"
party = "420000-301"
code = "301"
[[unit]]
code = "101001"
party = "420000-101001"
name = "省教育厅机关"
top = "101"
bank = "102521000000"
[[unit]]
code = "102001"
party = "420000-102001"
name = "省卫生厅机关"
top = "102"
bank = "103521000000"
"""


@pytest.fixture
def config(
    house: House, ca: DevelopmentCa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    lines = station(ca, tmp_path, house.address)
    lines += ["[books]", f'url = "{house.url}"', TABLES]
    file = tmp_path / "system.toml"
    file.write_text("\n".join(lines))
    (tmp_path / "days.toml").write_text("years = [2026]\n")
    monkeypatch.setenv("COUNTERFOIL_FINANCE_CONFIG", str(file))
    monkeypatch.setenv("COUNTERFOIL_FINANCE_TODAY", house.day)
    return file


def written(folder: Path, text: str) -> str:
    file = folder / "input.toml"
    file.write_text(text)
    return str(file)


def test_the_configuration_says_who_we_are(config: Path) -> None:
    with commands.at_work(config) as (office, _):
        assert office == OFFICE


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('adm_div = "420000"', "", "adm_div is missing"),
        ('top = "101"', "", "top"),
        ('bank = "301521000000"', 'bank = "1"', "not among"),
    ],
)
def test_a_configuration_that_is_wrong_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    config.write_text(config.read_text().replace(old, new, 1))

    assert main(["books"]) == REFUSED
    assert told in capsys.readouterr().err


def test_the_tables_may_have_no_special_account() -> None:
    tables = {
        "finance": {
            "treasury": "t",
            "adm_div": "420000",
            "tre_code": "1",
            "fin_org_code": "2",
            "account": "3",
            "account_name": "国库单一账户",
        }
    }

    assert office_of(FINANCE, tables).special is None


def test_a_plan_is_entered_and_its_notice_is_issued_by_the_running_system(
    house: House, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, PLAN)

    assert main(["allot", "--plan", file]) == DONE
    assert main(["allot", "--plan", file]) == REFUSED

    assert "已录入" in capsys.readouterr().err
    house.turn()
    assert house.left() == 500
    assert house.desk.issued.standing("ZE2026000001") == "SENT"


@pytest.mark.parametrize(
    ("verb", "kind", "number"),
    [
        ("appropriate", APPROPRIATION, "SBBK1"),
        ("special", SPECIAL_PAYMENT, "ZHBK1"),
    ],
)
def test_an_order_is_entered(
    house: House, config: Path, verb: str, kind: int, number: str
) -> None:
    assert main([verb, "--order", written(config.parent, TEXT)]) == DONE

    assert [one.key.number for one in house.issued(kind)] == [number]


def test_the_list_of_a_day_is_made_before_the_day_is_over(
    house: House, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION)

    assert main(["lists", "--day", DAY]) == DONE

    assert capsys.readouterr().out == "listed 1\n"
    assert len(house.issued(APPROPRIATION_LIST)) == 1


def test_what_hinders_a_list_is_told(
    house: House, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION, short_fen=1)

    assert main(["lists"]) == REFUSED

    assert "回单不符" in capsys.readouterr().err
    assert house.issued(APPROPRIATION_LIST) == []


def test_a_list_that_came_back_is_made_again_with_what_there_is_then(
    house: House, config: Path
) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION)
    main(["lists"])
    house.turn()
    house.given_back(APPROPRIATION_LIST, kind=DocumentKind.REJECTION)

    assert main(["lists"]) == DONE

    _, again = house.issued(APPROPRIATION_LIST)
    assert again.key.issue == 2
    assert again.replaces == house.entries(APPROPRIATION_LIST)[0].digest


def test_a_second_list_of_a_day_is_not_made(
    house: House, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION)
    main(["lists"])
    house.order(APPROPRIATION, replace(ORDER, number="BK2"))
    house.answered(APPROPRIATION, 1)

    assert main(["lists"]) == REFUSED

    assert "已发出" in capsys.readouterr().err
    assert len(house.issued(APPROPRIATION_LIST)) == 1


def test_a_day_that_is_none_is_a_mistake(config: Path) -> None:
    with pytest.raises(SystemExit):
        main(["lists", "--day", "20260230"])


def test_a_month_is_stated(
    house: House,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    monkeypatch.setenv("COUNTERFOIL_FINANCE_TODAY", "20260401")

    assert main(["statements", "--month", "202603"]) == DONE
    assert main(["statements", "--month", "202603"]) == DONE

    assert capsys.readouterr().out == "planned 1\nplanned 0\n"
    assert len(house.issued(AGENCY_STATEMENT)) == 1
    assert main(["statements", "--month", "202604"]) == REFUSED


@pytest.mark.clause("hubei-29.2", "hubei-34", "hubei-36")
def test_a_statement_that_differs_is_settled_by_two_persons(
    house: House,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)
    monkeypatch.setenv("COUNTERFOIL_FINANCE_TODAY", "20260401")
    assert main(["statements", "--month", "202603"]) == DONE
    house.turn()
    [entry] = house.entries(AGENCY_STATEMENT)
    form = Form({"x_check_result": "1", "x_check_reason": "多列一笔"})
    house.desk.receipt(Receipt(voucher=entry.reference, by=BANK, form=form))
    house.turn()

    def settle(person: str, holds: str = "receipt") -> int:
        words = ["--holds", holds, "--reason", "重复列报", "--person", person]
        return main(["settle", entry.number, *words])

    def alerts() -> str:
        capsys.readouterr()
        main(["alerts"])
        return capsys.readouterr().out

    assert f"{entry.number}回单不符" in alerts()
    assert settle("first_reviewer", "nothing") == REFUSED
    assert settle("first_reviewer") == DONE
    assert f"{entry.number}回单不符" in alerts()
    assert settle("second_reviewer", "voucher") == REFUSED
    assert settle("second_reviewer") == DONE
    assert entry.number not in alerts()
    assert settle("second_reviewer") == REFUSED
    assert list(unlike_vault(house.client, house.books, {})) == []


def test_alerts_are_printed_and_told_by_the_exit_status(
    house: House, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alerts"]) == DONE
    house.order(APPROPRIATION, ORDER)
    house.answered(APPROPRIATION, short_fen=1)

    assert main(["alerts", "--today", "20260302"]) == REFUSED

    assert capsys.readouterr().out.splitlines() == [
        "凭证SBBK1回单不符：回单明细金额与凭证不符",
        "20260301清单未生成：凭证SBBK1回单不符：回单明细金额与凭证不符",
    ]


@pytest.mark.clause("hubei-32b")
def test_a_return_is_asked_for(house: House, config: Path) -> None:
    house.order(APPROPRIATION, ORDER)
    digest = house.entries(APPROPRIATION)[0].digest

    assert main(["ask-return", "SBBK1", "--reason", "收款人有误"]) == DONE

    assert house.desk.returns_asked == {digest: "收款人有误"}


def test_a_voucher_is_withdrawn_reissued_and_corrected(
    house: House, config: Path, tmp_path: Path
) -> None:
    order = written(tmp_path, TEXT)
    main(["special", "--order", order])
    assert main(["withdraw", "ZHBK1", "--reason", "重复"]) == DONE
    house.order(APPROPRIATION, ORDER)
    house.given_back(APPROPRIATION)
    assert main(["reissue", "SBBK1", "--order", order]) == DONE
    house.allot()
    house.turn()
    assert main(["correct", "ZE2026000001"]) == DONE

    assert [one.key.issue for one in house.issued(APPROPRIATION)] == [1, 2]
    assert len(house.issued(DIRECT_QUOTA)) == 2
    assert house.left() == 0


def test_what_is_invented_is_the_same_for_the_same_seed(
    house: House, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "--seed", "7", "--count", "8"]) == DONE
    before = house.issued(APPROPRIATION)
    assert main(["simulate", "--seed", "7", "--count", "9"]) == DONE

    assert capsys.readouterr().out == "entered 9\nentered 1\n"
    assert house.issued(APPROPRIATION)[: len(before)] == before
    assert len(house.issued(SPECIAL_PAYMENT)) == 2
    assert len(house.issued(AUTHORISED_QUOTA)) == 2
    house.turn()
    assert house.told["sent"] == 4 + 9


def test_the_books_are_told_for_a_program_and_for_people(
    house: House, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house.allot()
    house.run(application("SQ1"))
    house.answered(PAYMENT)

    assert main(["books", "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["expenditure_fen"], told["balance_fen"]) == (350, 100_000)
    assert told["banks"] == {}
    assert main(["books"]) == DONE

    assert "expenditure_fen=350" in capsys.readouterr().out
