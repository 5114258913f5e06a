"""A person may seal by another certificate than the one of the call, the own alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from counterfoil.devca.certificates import Validity
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.draft_seals import DraftSeals
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.refusals import CounterfoilError, SealForged
from counterfoil.seal.sign import Sealer, SealOrder
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.seals import seal_from_bytes, seal_to_bytes
from tests.unit.app.house import House
from tests.unit.app.papers import BANK, FINANCE, direct_payment
from tests.unit.seal.makers import NOW, NOW_US

_HOUR = timedelta(hours=1)


def sealed_by(sealer: Sealer, row: DraftRow) -> bytes:
    position = CATALOGUE.row(row.key.type_code).plan.positions[len(row.seals)]
    order = SealOrder(
        document_kind=DocumentKind.VOUCHER,
        payload_digest=row.digest,
        position=position.id,
        purpose=position.purpose,
        beneath=tuple(seal_from_bytes(seal) for seal in row.seals),
    )
    return seal_to_bytes(sealer.seal(order, stated_time_us=NOW_US))


async def reviewed(
    house: House, row: DraftRow, sealer: Sealer, *shown: bytes, caller: str = "first"
) -> DraftSeals | CounterfoilError:
    (outcome,) = await house.review(
        [(row.digest, sealed_by(sealer, row))],
        caller=house.caller(caller),
        certificates=shown,
    )
    return outcome


@pytest.mark.clause("hubei-11", "hubei-19a")
async def test_another_certificate_of_the_same_person_seals(finance: House) -> None:
    card = finance.keys.pki.sealer("person", "first", party=FINANCE)
    other = finance.keys.pki.sealer("person", "first", party=FINANCE)
    row = await finance.written(direct_payment())

    outcome = await reviewed(finance, row, card, card.certificate, other.certificate)

    assert isinstance(outcome, DraftSeals)
    assert len(outcome.seals) == 1
    # What is stored can be judged; what nobody sealed by takes no room.
    assert finance.vault.certificate(card.certificate_digest) == card.certificate
    assert finance.vault.certificate(other.certificate_digest) is None
    called = finance.caller("first").certificate_digest
    assert finance.vault.certificate(called) is None
    # The second reviewer's seal stands on it, and the institution's on both.
    (row_after,) = await finance.workbench.get(FINANCE, [row.digest])
    assert row_after is not None
    again = await finance.reviewed(row_after, "second")
    (entered,) = await finance.seal([again.digest], send=True, caller=finance.caller())
    assert not isinstance(entered[1], CounterfoilError)


@pytest.mark.clause("hubei-11", "hubei-19a")
@pytest.mark.refusal("SEAL_FORGED", "SIGNER_UNLISTED")
@pytest.mark.parametrize(
    ("whose", "reason", "check"),
    [
        ("another person", "SEAL_FORGED", "caller"),
        ("another party", "SEAL_FORGED", "caller"),
        ("the institution", "SEAL_FORGED", "caller"),
        ("expired", "SEAL_FORGED", "6"),
        ("a stranger's root", "SEAL_FORGED", "6"),
        ("not shown", "SEAL_FORGED", "6"),
        ("bears no name", "SIGNER_UNLISTED", None),
    ],
)
async def test_nobody_seals_by_what_is_not_the_callers(
    finance: House, whose: str, reason: str, check: str | None
) -> None:
    pki = finance.keys.pki
    card = {
        "another person": lambda: pki.sealer("person", "second", party=FINANCE),
        "another party": lambda: pki.sealer("person", "first", party=BANK),
        "the institution": lambda: pki.sealer("institution", "first", party=FINANCE),
        "expired": lambda: pki.sealer(
            "person",
            "first",
            party=FINANCE,
            validity=Validity(NOW - 2 * _HOUR, NOW - _HOUR),
        ),
        "a stranger's root": lambda: (
            type(pki).new("stranger").sealer("person", "first", party=FINANCE)
        ),
        "not shown": lambda: pki.sealer("person", "first", party=FINANCE),
        "bears no name": lambda: pki.sealer(
            "person", "first", party=FINANCE, identity=None
        ),
    }[whose]()
    row = await finance.written(direct_payment())
    shown = () if whose == "not shown" else (card.certificate,)

    outcome = await reviewed(finance, row, card, *shown)

    assert isinstance(outcome, CounterfoilError)
    assert outcome.reason == reason
    assert outcome.facts.get("check") == check
    assert await finance.workbench.get(FINANCE, [row.digest]) == [row]
    assert finance.vault.certificate(card.certificate_digest) is None


@pytest.mark.refusal("SEAL_FORGED")
async def test_the_caller_brings_no_seal_of_the_other_reviewer(finance: House) -> None:
    row = await finance.reviewed(await finance.written(direct_payment()), "first")
    second = finance.keys.sealers[FINANCE, "second"]
    # The first one, who holds both posts here, hands in what the second has sealed.
    both = finance.caller("first").posts | finance.caller("second").posts
    caller = finance.caller("first")
    (outcome,) = await finance.review(
        [(row.digest, sealed_by(second, row))],
        caller=type(caller)(
            identity=caller.identity,
            posts=both,
            certificate=caller.certificate,
            certificate_digest=caller.certificate_digest,
        ),
        certificates=[second.certificate],
    )

    assert isinstance(outcome, SealForged)
    assert outcome.facts["check"] == "caller"
