"""One small day, lived once; then a copy of it for every fault."""

from __future__ import annotations

import io
import shutil
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from counterfoil.day.cast import (
    ABC,
    FINANCE,
    GATEWAYS,
    HEALTH,
    TREASURY,
    Institution,
)
from counterfoil.day.cli import DIFFERS, DONE, conclude, live, main, plan_of
from counterfoil.day.faults import FAULTS
from counterfoil.day.final_check import balance
from counterfoil.day.plan import Plan
from counterfoil.day.screen import Screen
from counterfoil.day.stage import Stage

pytestmark = pytest.mark.timeout(600)

PLAN = Plan(vouchers=40, files=20, broken=12, seed=1, day=date(2026, 10, 31))


class Found(NamedTuple):
    """Where the final check must say that a fault is.

    Attributes:
        named: What the finding begins with, or has in it.
        vaults: Whose vaults have to be verified to find it.
    """

    named: str
    vaults: tuple[Institution, ...] = ()


FOUND = {
    "bit-flip": Found(f"vault of {ABC.code}", (ABC,)),
    "truncation": Found(f"vault of {ABC.code}", (ABC,)),
    "old-copy": Found(f"vault of {ABC.code}", (ABC,)),
    "swapped-state": Found(f"vault of {FINANCE.code}", (FINANCE,)),
    "missing-ledger-row": Found(f"{FINANCE.code} to {ABC.code}, 5"),
    "lost-receipt": Found("直接支付 direct payments"),
    "lost-list": Found(f"{FINANCE.code} to {TREASURY.code}, 555"),
    "changed-quota": Found("清算额度余额 quota left"),
    "special-fen": Found("专户支付 out of the special account"),
    "wrong-answer": Found("105521: disputed"),
    "unanswered": Found(f"alerts of {FINANCE.code}: 对账单DZ"),
}


class Lived(NamedTuple):
    """A day that is over, and what it told."""

    stage: Stage
    told: str


def lived_in(directory: Path) -> Lived:
    stream = io.StringIO()
    stage, _ = live(directory, PLAN, Screen(stream))
    return Lived(stage, stream.getvalue())


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return lived_in(tmp_path_factory.mktemp("lived") / "day")


def concluded(
    stage: Stage, plant: str | None, vaults: tuple[Institution, ...]
) -> tuple[int, str]:
    stream = io.StringIO()
    status = conclude(stage, plant, Screen(stream), vaults)
    return status, stream.getvalue()


@pytest.mark.slow
@pytest.mark.clause(
    "hubei-25",
    "hubei-26",
    "hubei-27.1",
    "hubei-27.2",
    "hubei-27.3",
    "hubei-27.4",
    "hubei-27.5",
    "hubei-28",
    "hubei-29.1",
    "wuhai-6b",
)
def test_a_day_with_a_killed_gateway_ends_with_every_number_equal(
    lived: Lived,
) -> None:
    status, told = concluded(lived.stage, None, GATEWAYS)

    assert status == DONE, told
    assert "every vault is whole and every number agrees" in told


@pytest.mark.slow
def test_the_day_tells_what_books_ledgers_and_vaults_count(lived: Lived) -> None:
    _, _, rest = lived.told.partition("vouchers carried")
    carried, _, _ = rest.partition("balance sheet")
    ways = [line for line in carried.splitlines() if " → " in line]

    assert f"killed the gateway of {ABC.code}" in lived.told
    assert len(ways) > 40
    assert all(line.endswith("  6") for line in ways)


@pytest.mark.slow
def test_the_day_prints_the_balance_sheet_and_what_each_stage_cost(
    lived: Lived,
) -> None:
    _, _, rest = lived.told.partition("balance sheet")
    sheet, _, costs = rest.partition("CPU by program and stage")

    assert sheet.count("yes") == len(balance(lived.stage))
    for program in ("gateway 420000-115001", "system 420000-101001", "seconds"):
        assert program in costs


@pytest.mark.slow
@pytest.mark.clause("hubei-18")
def test_the_day_shows_one_vouchers_whole_way_with_the_evidence_of_both_sides(
    lived: Lived,
) -> None:
    _, finances, banks = lived.told.split("the way of ")

    sealed = ("ENTER_AND_SEND VOUCHER", "DELIVER VOUCHER")
    for word in (*sealed, "ARRIVE RECEIPT", "CLOSE RECEIPT"):
        assert word in finances
    for word in ("ARRIVE VOUCHER", "ENTER RECEIPT", "DELIVER RECEIPT"):
        assert word in banks


@pytest.mark.slow
def test_broken_files_are_told_with_their_field_in_chinese(lived: Lived) -> None:
    refused = [line for line in lived.told.splitlines() if " refused " in line]

    assert len(refused) == PLAN.broken
    assert any("rows[0].payee_acct_no: 收款人账号" in line for line in refused)


@pytest.mark.slow
def test_a_wrong_check_code_is_refused_at_the_counter(lived: Lived) -> None:
    assert lived.told.count("校验码与电子凭证不符") == 4


@pytest.mark.slow
@pytest.mark.clause("hubei-29.3", "hubei-29.4")
def test_who_states_too_late_is_told_of_by_all_who_wait(lived: Lived) -> None:
    late = [line for line in lived.told.splitlines() if ", as meant: " in line]

    assert {line.partition("alerts of ")[2].partition(",")[0] for line in late} == {
        ABC.code,
        TREASURY.code,
        HEALTH.code,
    }


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_planted_fault_is_found_and_named(
    lived: Lived, tmp_path: Path, fault: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(lived.stage.directory, copy)

    status, told = concluded(Stage(copy), fault, FOUND[fault].vaults)

    assert status == DIFFERS
    found = [line for line in told.splitlines() if "DIFFERS: " in line]
    assert any(FOUND[fault].named in line for line in found), told


@pytest.mark.slow
def test_the_same_seed_gives_the_same_balance_sheet(
    lived: Lived, tmp_path: Path
) -> None:
    again = lived_in(tmp_path / "again")

    assert [str(one) for one in balance(again.stage)] == [
        str(one) for one in balance(lived.stage)
    ]


def test_fewer_vouchers_than_the_day_needs_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--vouchers", "3"])

    assert caught.value.code == 2
    assert "at least 40 vouchers" in capsys.readouterr().err


@pytest.mark.parametrize("files", [3, 39])
def test_files_leave_something_for_every_other_flow(files: int) -> None:
    with pytest.raises(ValueError, match="at least 10 and at most 20 can be files"):
        plan_of(40, files, 0, 1)


def test_half_of_the_vouchers_are_files_up_to_a_limit() -> None:
    assert plan_of(40, None, 0, 1).files == 20
    assert plan_of(100_000, None, 0, 1).files == 1_000


def test_the_day_is_the_last_of_a_month_whose_statements_are_due_by_now() -> None:
    plan = plan_of(40, None, 0, 1)

    assert plan.morning.day == 1
    assert plan.overdue <= date.today()  # noqa: DTZ011 -- whichever zone
