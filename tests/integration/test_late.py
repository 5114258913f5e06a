"""What comes after its certificates' end, between two gateways."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.domain.standing import Act, Role
from counterfoil.domain.witnessing import EarlierProof
from counterfoil.office import Standing
from tests.houses import BANK, FINANCE, Town
from tests.integration.desks import accept_at, done, issue, reaches
from tests.integration.late import connection, opened, town_of, witnesses
from tests.integration.papers import Papers
from tests.integration.test_register import becomes, registers


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return town_of(tmp_path)


async def verified(town: Town, party: str) -> int:
    """Return the exit status of a verification of a vault that is not in use."""
    arguments = ["vault", "verify", "--config", str(town.file(party))]
    return await asyncio.to_thread(cli.main, arguments)


@pytest.mark.clause("hubei-13", "hubei-11")
async def test_a_voucher_held_back_past_its_certificates_end_is_taken_with_proof(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(town, FINANCE) as finance:
        async with opened(town, BANK) as bank:
            issued = await issue(town, Papers().direct_payment(), send=False)
            await witnesses(bank, finance)
        # The bank is away; when it comes back, the certificate has ended for it.
        async with town.desk(FINANCE) as desk:
            (outcome,) = await desk.send([issued.reference])
            assert done(outcome).standing is Standing.SENT
            async with opened(town, BANK, days=2) as bank, town.desk(BANK) as theirs:
                assert await accept_at(theirs, issued.reference) == issued.voucher
                await reaches(desk, issued.reference, Standing.ACCEPTED)
                export = tmp_path / "export"
                options = [*connection(town, BANK), "--export", str(export)]
                inquire = ["inquire", issued.reference.digest.hex(), *options]
                assert await asyncio.to_thread(cli.main, inquire) == cli.DONE
                way = await theirs.inquire(issued.reference.digest)
                (arrival,) = [
                    act.leaf_index for act in way.acts if act.act == "ARRIVE VOUCHER"
                ]
                kept = EarlierProof.from_bytes(bank._vault.earlier_proof(arrival))
                assert bank._vault.leaf(kept.witness).act is Act.WITNESS
    told = capsys.readouterr().out
    (line,) = [one for one in told.splitlines() if one.startswith("earlier")]
    assert f"in {FINANCE}/log" in line
    assert f"witnessed as leaf {kept.witness}" in line
    names = {file.name for file in (export / "log").glob("[ew]*")}
    assert names == {
        f"earlier-{arrival:010}.tlog-proof",
        f"witness-{arrival:010}.tlog-proof",
    }
    assert await verified(town, BANK) == cli.DONE
    assert await verified(town, FINANCE) == cli.DONE


@pytest.mark.clause("hubei-14")
async def test_a_voucher_sealed_before_a_loss_notice_is_taken_and_one_after_is_not(
    town: Town, tmp_path: Path
) -> None:
    papers = Papers()
    async with opened(town, FINANCE) as finance, town.desk(FINANCE) as desk:
        async with opened(town, BANK) as bank:
            before = await issue(town, papers.direct_payment(), send=False)
            await witnesses(bank, finance)
        # What is sealed from now on is younger than the head that was witnessed.
        town.rewrite(BANK, "witness_s = 0.1", "witness_s = 3600")
        after = await issue(town, papers.direct_payment(), send=False)
        async with opened(town, BANK) as bank, town.desk(BANK) as theirs:
            card = town.ca.credential(FINANCE, "person", "second").chain_file
            lost = ("--of", str(card), "--told", BANK)
            told = await registers(town, tmp_path / "lost", "lose", "first", "", *lost)
            assert told == cli.DONE
            await becomes(bank, lambda register: bool(register.voided))

            await desk.send([before.reference, after.reference])

            assert await accept_at(theirs, before.reference) == before.voucher
            await reaches(desk, after.reference, Standing.REFUSED)
            key = finance._vault.key_of(after.reference.digest)
            assert key is not None
            entry = finance._vault.entry(key, Role.ISSUER)
            assert entry is not None
            assert entry.passages[0].refused_reason == "EARLIER_PROOF_REFUSED"
    assert await verified(town, BANK) == cli.DONE
