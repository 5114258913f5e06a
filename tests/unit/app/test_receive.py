"""A peer's batch arrives: what is checked, in which order, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.standing import Standing
from counterfoil.seal.chains import SKEW_US
from counterfoil.sealed.v1 import sealed_pb2
from tests.doubles import kept as kept_entry
from tests.unit.app.house import House, carried, delivered, fine, reasons, revoke
from tests.unit.app.papers import BANK, FINANCE, OTHER_BANK, direct_payment


async def lane_of(house: House, carrier: str) -> tuple[list[bytes], list[bytes]]:
    """Return what waits for a peer: documents and certificates."""
    documents = [item.sealed for item in house.vault.lane(carrier, after=-1, limit=99)]
    known = [
        certificate
        for sealed in documents
        for certificate in house.certificates.of_document(sealed)
    ]
    return documents, known


async def test_a_batch_needs_the_certificates_that_its_documents_need(
    finance: House,
) -> None:
    for number in "12":
        await finance.sent(direct_payment(number))
    documents, needed = await lane_of(finance, BANK)

    found = finance.certificates.of_batch([*documents, b"\xff"])

    assert sorted(found) == sorted(set(needed))
    assert found[0] in finance.keys.material.authorities


@pytest.mark.clause("hubei-19b")
async def test_a_batch_is_answered_document_by_document(
    finance: House, bank: House
) -> None:
    for number in "123":
        await finance.sent(direct_payment(number))
    documents, certificates = await lane_of(finance, BANK)
    tampered = sealed_pb2.Sealed.FromString(documents[1])
    tampered.payload += b"\x12\x0a420000-103"
    documents[1] = tampered.SerializeToString()

    committed = await bank.receive([*documents, b"\xff"], certificates, carrier=FINANCE)

    assert reasons(committed.outcomes) == ["", "SEAL_FORGED", "", "MALFORMED_PAYLOAD"]
    assert (committed.first_leaf, committed.new_count) == (0, 2)
    assert [fine(committed.outcomes[at]).leaf for at in (0, 2)] == [0, 1]
    assert len(bank.vault.waiting(BANK, after=-1, limit=9)) == 2


async def test_a_batch_that_comes_twice_is_known_the_second_time(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    _, first, _ = await carried(finance, bank)
    before = await bank.state(row)

    _, again, response = await carried(finance, bank)

    assert [fine(one).leaf for one in again.outcomes] == [
        fine(one).leaf for one in first.outcomes
    ]
    assert again.new_count == 0
    assert response.outcomes[0].known_leaf == fine(first.outcomes[0]).leaf
    assert await bank.state(row) == before


@pytest.mark.clause("hubei-11")
async def test_what_arrived_before_a_revocation_is_known_after_it(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment("1"))
    discarded = await finance.sent(direct_payment("2"))
    await carried(finance, bank)
    await finance.step(DocumentKind.RETURN_REQUEST, discarded)
    _, first, _ = await carried(finance, bank)
    await finance.sent(direct_payment("3"))
    revoke(bank, FINANCE)
    before = await bank.state(row)

    # The line broke before the answers: the same bytes again, and a new voucher.
    batch, again, response = await carried(finance, bank)

    assert reasons(again.outcomes).count("SEAL_FORGED") == 1
    known = [one for one in again.outcomes if not reasons([one])[0]]
    assert [fine(one).leaf for one in known] == [
        fine(one).leaf for one in first.outcomes
    ]
    assert len(known) == len(batch) - 1 == 3
    assert again.new_count == 0
    assert {one.known_leaf for one in response.outcomes} == {None, 0, 1, 2}
    assert await bank.state(row) == before


@pytest.mark.refusal("SEAL_FORGED")
async def test_other_seals_on_a_known_voucher_are_judged(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment())
    documents, certificates = await lane_of(finance, BANK)
    await bank.receive(documents, certificates, carrier=FINANCE)
    revoke(bank, FINANCE)
    changed = sealed_pb2.Sealed.FromString(documents[0])
    changed.seals[-1].signature = changed.seals[-1].signature[::-1]

    committed = await bank.receive(
        [changed.SerializeToString(), documents[0], b"\xff"],
        certificates,
        carrier=FINANCE,
    )

    assert reasons(committed.outcomes) == ["SEAL_FORGED", "", "MALFORMED_PAYLOAD"]


async def test_only_the_certificates_that_are_needed_take_room(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment("1"))
    documents, certificates = await lane_of(finance, BANK)
    signers = finance.certificates.signers(documents[0])
    unneeded = [b"no certificate at all", *bank.keys.material.authorities]

    await bank.receive([b"\xff"], [*certificates, *unneeded], carrier=FINANCE)
    assert kept(bank, signers) == []

    await bank.receive(documents, [*certificates, *unneeded], carrier=FINANCE)
    assert kept(bank, signers) == signers
    assert kept(bank, unneeded[:1]) == []


def kept(house: House, certificates: list[bytes]) -> list[bytes]:
    """Return those certificates that the vault keeps."""
    digests = [sha256(der).digest() for der in certificates]
    return [der for one in digests if (der := house.vault.certificate(one)) is not None]


@pytest.mark.refusal("NOT_THE_ISSUER")
async def test_nobody_delivers_what_another_issued(finance: House, bank: House) -> None:
    row = await finance.sent(direct_payment())
    before = await bank.state(row)
    documents, certificates = await lane_of(finance, BANK)

    committed = await bank.receive(documents, certificates, carrier=OTHER_BANK)

    assert reasons(committed.outcomes) == ["NOT_THE_ISSUER"]
    assert await bank.state(row) == before


@pytest.mark.refusal("NOT_A_RECIPIENT")
async def test_what_is_for_another_bank_is_not_kept(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment(to=(OTHER_BANK,)))
    before = await bank.state(row)
    documents, certificates = await lane_of(finance, OTHER_BANK)

    committed = await bank.receive(documents, certificates, carrier=FINANCE)

    assert reasons(committed.outcomes) == ["NOT_A_RECIPIENT"]
    assert await bank.state(row) == before


@pytest.mark.clause("hubei-3")
@pytest.mark.refusal("DIRECTION_REFUSED")
async def test_a_recipient_checks_the_direction_by_its_own_catalogue(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    kind = bank.registry.parties[finance.registry.home]
    bank.registry = replace(
        bank.registry,
        parties={
            **bank.registry.parties,
            FINANCE: replace(kind, kind=bank.registry.parties[BANK].kind),
        },
    )
    before = await bank.state(row)

    _, committed, _ = await carried(finance, bank)

    assert reasons(committed.outcomes) == ["DIRECTION_REFUSED"]
    assert await bank.state(row) == before


@pytest.mark.clause("hubei-19b")
async def test_a_refused_voucher_is_held_and_its_issuer_told(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    parties = dict(bank.registry.parties)
    del parties[FINANCE]
    bank.registry = replace(bank.registry, parties=parties)

    outcomes = await delivered(finance, bank)

    assert reasons(outcomes) == ["NOT_THE_ISSUER"]
    entry = kept_entry(finance.vault, row.key)
    assert entry is not None
    assert entry.passages[0].standing is Standing.REFUSED
    assert entry.passages[0].refused_reason == "NOT_THE_ISSUER"
    assert finance.vault.lane_lengths() == {}


async def test_a_seal_is_judged_at_our_clock_and_not_at_the_stated_time(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    before = await bank.state(row)
    bank.clock.us += 400 * 24 * 3600 * 1_000_000  # the certificates have expired

    _, committed, _ = await carried(finance, bank)

    assert reasons(committed.outcomes) == ["SEAL_FORGED"]
    assert await bank.state(row) == before


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("SEAL_UNDETERMINED")
async def test_a_clock_that_was_set_back_revives_no_seal(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment("1"))
    known, certificates = await lane_of(finance, BANK)
    await bank.receive(known, certificates, carrier=FINANCE)
    await finance.sent(direct_payment("2"))
    documents, _ = await lane_of(finance, BANK)
    revoke(bank, FINANCE)  # an hour ago
    size, arrived_us = bank.vault.size(), bank.clock.us

    async def reasons_at(clock_us: int) -> list[str]:
        bank.clock.us = clock_us
        committed = await bank.receive(documents, certificates, carrier=FINANCE)
        return reasons(committed.outcomes)

    # What is known stays known, and nothing is refused for good by a wrong clock.
    back_us = arrived_us - 2 * 3600 * 1_000_000
    assert await reasons_at(back_us) == ["", "SEAL_UNDETERMINED"]
    assert await reasons_at(arrived_us - SKEW_US - 1) == ["", "SEAL_UNDETERMINED"]
    assert await reasons_at(arrived_us - SKEW_US) == ["", "SEAL_FORGED"]
    assert bank.vault.size() == size


async def test_a_log_that_is_ahead_of_the_clock_stops_no_business(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment("1"))
    bank.clock.us += 8 * 3600 * 1_000_000  # its clock stood by the time of China
    first, certificates = await lane_of(finance, BANK)
    await bank.receive(first, certificates, carrier=FINANCE)
    bank.clock.us -= 8 * 3600 * 1_000_000
    await finance.sent(direct_payment("2"))
    documents, _ = await lane_of(finance, BANK)

    committed = await bank.receive(documents, certificates, carrier=FINANCE)

    assert reasons(committed.outcomes) == ["", ""]


async def test_steps_need_no_direction_of_their_own(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment())
    await delivered(finance, bank)
    await bank.step(DocumentKind.REJECTION, row)

    (outcome,) = await delivered(bank, finance)

    assert fine(outcome).standing is Standing.REJECTED
