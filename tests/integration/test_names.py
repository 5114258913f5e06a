"""Vouchers that name others, between gateways; and the stores that it leaves behind."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.office import DeskRefused, Voucher
from counterfoil.office.errors import Conflict, OutOfTurn
from counterfoil.vault.lmdb_engine import LmdbEngine
from tests.houses import BANK, FINANCE, TREASURY, UNIT, Town, running
from tests.integration.desks import review, write
from tests.integration.kinds import draft, travel

CARRIERS = (FINANCE, TREASURY, BANK)
ORDER, REFUND, MATCH = 105301, 2302, 102207


def naming(code: int, issuer: str, to: str, named: str) -> Voucher:
    """Return a voucher of a number of its own that names the voucher `named`."""
    wanted = draft(code, issuer, to, number=f"{code}-for-{named}")
    number = {"ori_voucher_no": named}
    if code == REFUND:
        rows = tuple({**row, **number} for row in wanted.form.rows)
        return replace(wanted, form=replace(wanted.form, rows=rows))
    fields = {**wanted.form.fields, **number}
    return replace(wanted, form=replace(wanted.form, fields=fields))


async def refusal(town: Town, voucher: Voucher) -> DeskRefused:
    """Return why a voucher that is written and reviewed is not sealed."""
    issuer = voucher.key.issuer
    async with town.desk(issuer) as desk:
        issued = await write(desk, voucher)
        await review(town, issued, issuer)
        (outcome,) = await desk.seal([issued.reference.digest], send=True)
    assert isinstance(outcome, DeskRefused)
    return outcome


async def live(town: Town) -> None:
    """Let orders, refunds and matches take their ways, and wrong ones be refused."""
    async with running(town):
        # What each of them names has an `n` before its own number.
        for code, issuer, to in (
            (ORDER, FINANCE, TREASURY),
            (REFUND, BANK, TREASURY),
            (MATCH, BANK, UNIT),
        ):
            wanted = draft(code, issuer, to, number=str(code))
            await travel(town, wanted, issuer, to)

        taken, exceeded, missing = [
            await refusal(town, wrong)
            for wrong in (
                naming(ORDER, FINANCE, TREASURY, f"n{ORDER}"),
                naming(REFUND, BANK, TREASURY, f"n{REFUND}"),
                naming(ORDER, FINANCE, TREASURY, "nowhere"),
            )
        ]

    assert [one.reason for one in (taken, exceeded, missing)] == [
        "REFERENCE_TAKEN",
        "REFERENCE_EXCEEDED",
        "REFERENCE_MISSING",
    ]
    assert isinstance(taken, Conflict)
    assert isinstance(missing, OutOfTurn)
    fields = [one.violations[0].field for one in (taken, exceeded, missing)]
    assert fields == ["ori_voucher_no", "rows[0].ori_voucher_no", "ori_voucher_no"]
    assert exceeded.violations[0].text_zh == "所引用的凭证累计金额已超过原额"


@pytest.mark.clause("hubei-27.4", "hubei-27.5")
@pytest.mark.refusal("REFERENCE_TAKEN", "REFERENCE_EXCEEDED", "REFERENCE_MISSING")
def test_what_names_another_is_held_to_it_and_every_vault_proves_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = Town(
        directory=tmp_path / "town",
        carriers=CARRIERS,
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
    )
    town.initialise()
    asyncio.run(live(town))
    capsys.readouterr()

    def found(party: str) -> list[str]:
        """Verify a vault, and return what is wrong with it."""
        file = str(town.file(party))
        status = cli.main(["vault", "verify", "--json", "--config", file])
        told = capsys.readouterr().out.splitlines()
        faults = [str(json.loads(one)["fault"]) for one in told]
        assert (status == cli.DONE) is (faults == [])
        return faults

    assert [found(party) for party in CARRIERS] == [[], [], []]

    with LmdbEngine(town.state(BANK) / "vault") as engine:
        with engine.reading() as reading:
            lost, _ = next(reading.all_references())
        txn, tables = engine.begin()
        with txn:
            txn.delete(lost, db=tables.references)

    assert found(BANK) == ["REFERENCE_MISSING"]
