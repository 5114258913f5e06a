"""Whether a personal seal may still rest on a certificate when it is sealed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.domain.refusals import SealForged, SealUndetermined
from counterfoil.seal.certificates import load_pem_chain
from tests.houses import FINANCE, Town

DAY_US = 86_400_000_000


@dataclass
class Later:
    """A clock that goes some days ahead."""

    days: int = 0

    def now_us(self) -> int:
        return SystemClock().now_us() + self.days * DAY_US


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
