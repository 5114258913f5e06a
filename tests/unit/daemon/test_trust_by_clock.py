"""Whether a certificate that was good may still be relied on, and by which clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from counterfoil.app.ports import Vault
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.parties import caller_judge
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.domain.refusals import CallerRevoked, SealForged, SealUndetermined
from counterfoil.domain.register import Register
from counterfoil.seal.certificates import load_pem_chain
from tests.houses import FINANCE, Town

DAY_US = 86_400_000_000


@dataclass
class Later:
    """A clock that goes some days ahead, or behind."""

    days: float = 0

    def now_us(self) -> int:
        return SystemClock().now_us() + round(self.days * DAY_US)


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("SEAL_FORGED", "SEAL_UNDETERMINED")
def test_a_reviewers_certificate_counts_as_it_stands_now(tmp_path: Path) -> None:
    town, clock, unknown = Town(directory=tmp_path / "town"), Later(), list[bytes]()
    file = town.ca.credential(FINANCE, "person", "first").chain_file
    (reviewer, *_) = load_pem_chain(file.read_bytes())
    trust = TrustKeeper(town.configuration(FINANCE), clock.now_us, unknown.append)

    trust.judge_reviewer(reviewer)

    clock.days = 40  # the lists are for thirty
    with pytest.raises(SealUndetermined):
        trust.judge_reviewer(reviewer)
    assert unknown == [reviewer]
    clock.days = 40 * 365
    with pytest.raises(SealForged) as ended:
        trust.judge_reviewer(reviewer)
    assert ended.value.facts == {"check": "6"}
    clock.days = 0
    town.ca.revoke_file(file, at=datetime.now(UTC))
    assert trust.renew()
    with pytest.raises(SealForged) as revoked:
        trust.judge_reviewer(reviewer)
    assert revoked.value.facts == {"check": "7"}


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("CALLER_REVOKED")
def test_a_clock_that_was_set_back_lets_nobody_call_who_was_revoked(
    tmp_path: Path,
) -> None:
    town, clock = Town(directory=tmp_path / "town"), Later()
    files = [
        town.ca.credential(FINANCE, "person", name).chain_file
        for name in ("first", "second")
    ]
    first, second = (load_pem_chain(file.read_bytes())[0] for file in files)
    town.ca.revoke_file(files[0], at=datetime.now(UTC))
    trust = TrustKeeper(town.configuration(FINANCE), clock.now_us)
    register = Register(home=FINANCE, carriers={})
    log = SimpleNamespace(register=register, time_us=clock.now_us())
    judge = caller_judge(trust, cast("Vault", log))

    clock.days = -1 / 480  # three minutes

    with pytest.raises(CallerRevoked):
        judge(first)
    assert judge(second).name == "second"
    # A log that is years ahead shuts nobody out: its clock was wrong then.
    log.time_us += 40 * 365 * DAY_US
    assert judge(second).name == "second"
