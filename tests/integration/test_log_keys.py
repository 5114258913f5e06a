"""A gateway gets new log keys while its peers change over one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.keys import load_head_signers
from counterfoil.office import Standing
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.desks import accept_at, issue, reaches
from tests.integration.papers import Papers
from tests.integration.test_parties import (
    made,
    other_keys,
    route,
    takes_in,
    told,
)
from tests.integration.test_register import registers, run

PAIR = (("ed25519", "ed25519"), ("mldsa44", "ml-dsa-44"))


def lines(of: str) -> str:
    """Return what a section says of a pair of log keys."""
    return "\n".join(
        f'{key} = "file:pki/{of}/head-{name}.key"\n'
        f'{key}_passphrase = "file:pki/{of}/head-{name}.pass"'
        for key, name in PAIR
    )


async def exchanges(town: Town, papers: Papers) -> None:
    """Let a voucher go from finance to the bank and its acceptance come back."""
    issued = await issue(town, papers.direct_payment())
    async with town.desk(BANK) as bank, town.desk(FINANCE) as finance:
        await accept_at(bank, issued.reference)
        await reaches(finance, issued.reference, Standing.ACCEPTED)


@pytest.mark.slow
async def test_a_peer_changes_over_to_new_log_keys_when_it_likes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, papers = made(tmp_path), Papers()
    town.initialise()
    async with running(town, FINANCE) as gateways:
        async with running(town, BANK):
            await takes_in(town, tmp_path / "in")
            await exchanges(town, papers)

        # Both pairs sign: whoever believes the old ones goes on as before …
        town.rewrite(BANK, "[head]\n", f"[head_next]\n{lines(FINANCE)}\n[head]\n")
        assert await run("keys", "--config", str(town.file(BANK))) == cli.DONE
        said = capsys.readouterr().out.splitlines()
        assert [one for one in said if one.startswith("head")] == [
            *(f"head {key}" for key in town.heads(BANK)),
            *(f"head-next {key}" for key in other_keys(town)),
        ]
        async with running(town, BANK):
            await exchanges(town, papers)

            # … and believes the new ones from when its persons say so.
            new = route(town, BANK, heads=other_keys(town))
            file = tmp_path / "new"
            assert not await registers(
                town, file, "connect", "manager", "officer", *new
            )
            await exchanges(town, papers)

        town.rewrite(BANK, f"[head_next]\n{lines(FINANCE)}\n[head]\n", "[head]\n")
        town.rewrite(BANK, f"[head]\n{lines(BANK)}", f"[head]\n{lines(FINANCE)}")
        async with running(town, BANK):
            await exchanges(town, papers)

            # Nobody signs with the old ones any more.
            old, file = route(town, BANK), tmp_path / "old"
            assert not await registers(
                town, file, "connect", "manager", "officer", *old
            )
            await issue(town, papers.direct_payment())
            await told(gateways[FINANCE], "PEER_FORKED")
    for party in town.carriers:
        assert await run("vault", "verify", "--config", str(town.file(party))) == 0


@pytest.mark.parametrize(
    ("section", "says"),
    [
        (lines(FINANCE), "a key stands in [head] already"),
        (f'{lines(BANK)}\nsm2 = "file:x"', "[head_next]: "),
        (lines("nobody"), "[head_next]: cannot be opened"),
        ('ed25519 = "file:x"', "head_next.mldsa44: this key is required"),
    ],
)
def test_next_keys_that_do_not_fit_are_refused(
    tmp_path: Path, section: str, says: str
) -> None:
    town = made(tmp_path)
    town.rewrite(FINANCE, "[head]\n", f"[head_next]\n{section}\n[head]\n")

    with pytest.raises(ConfigurationRefused) as caught:
        load_head_signers(town.configuration(FINANCE))

    assert says in str(caught.value)
