"""What is no registration does not enter our register."""

from __future__ import annotations

import pytest

from counterfoil.app.register import EnterRegistrations
from counterfoil.domain.refusals import CounterfoilError, SealForged, SealUndetermined
from counterfoil.seal.chains import SKEW_US
from tests.unit.app.house import House, revoke
from tests.unit.app.papers import FINANCE, direct_payment


@pytest.mark.refusal("MALFORMED_PAYLOAD")
async def test_a_voucher_is_no_registration(finance: House) -> None:
    await finance.sealed(direct_payment())
    size = finance.vault.size()
    sealed = finance.vault.document(size - 1)
    enter = EnterRegistrations(
        vault=finance.vault,
        works=finance.works,
        registry=finance.registry,
        clock=finance.clock,
    )

    ((_, outcome),) = await enter([sealed], finance.certificates.of_document(sealed))

    assert isinstance(outcome, CounterfoilError)
    assert outcome.reason == "MALFORMED_PAYLOAD"
    assert outcome.facts == {"field": "kind"}
    assert finance.vault.size() == size


@pytest.mark.refusal("SEAL_UNDETERMINED")
async def test_what_does_not_hold_as_of_the_log_waits_while_the_clock_is_behind(
    finance: House,
) -> None:
    await finance.sealed(direct_payment())
    sealed = finance.vault.document(finance.vault.size() - 1)
    revoke(finance, FINANCE)
    enter = EnterRegistrations(
        vault=finance.vault,
        works=finance.works,
        registry=finance.registry,
        clock=finance.clock,
    )

    certificates = finance.certificates.of_document(sealed)
    ((_, now),) = await enter([sealed], certificates)
    assert isinstance(now, SealForged)
    finance.clock.us -= SKEW_US + 1_000_000
    ((digest, outcome),) = await enter([sealed], certificates)

    assert digest == b""
    assert isinstance(outcome, SealUndetermined)
    assert outcome.facts == {"behind_s": "61"}
