"""Documents that come after their certificates' end, and were sealed before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from counterfoil.app.earlier_proofs import shown_earlier
from counterfoil.app.peer_answers import GrowthProof
from counterfoil.app.witness_peer import WitnessPeer
from counterfoil.daemon.beginnings import empty_register
from counterfoil.devca.certificates import Validity
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import Arrive, Committed, Enter, Withdraw
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.refusals import CounterfoilError, LeafNotFound
from counterfoil.domain.registration import LossNotice, Registration, Revocation
from counterfoil.domain.standing import Act, Standing
from counterfoil.domain.witnessing import EarlierProof, Held, ShownProof
from counterfoil.seal.certificates import load_certificate
from counterfoil.seal.trust import TrustStore
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.vault.findings import Finding
from counterfoil.vault.verify import verify_vault
from counterfoil.wire.judge import SealJudge
from tests.contract.vaults import registered
from tests.doubles import InProcessWorks
from tests.unit.app.house import House, Keys, fine, reasons
from tests.unit.app.papers import BANK, FINANCE, OTHER_BANK, direct_payment
from tests.unit.seal.makers import DAY, HOUR, NOW, NOW_US

YEAR_US = 365 * 24 * 3600 * 1_000_000
HOUR_US = 3600 * 1_000_000
K = DocumentKind


def until(house: House, days: int) -> None:
    """Let time pass at a house, which gets new revocation lists all the time."""
    house.clock.us = NOW_US + days * 24 * HOUR_US
    trust(house)


def trust(house: House, revoked: Mapping[int, datetime] | None = None) -> None:
    """Let a house trust as of now."""
    now = NOW + timedelta(microseconds=house.clock.us - NOW_US)
    pki = replace(
        house.keys.pki,
        crl_validity=Validity(now - HOUR, now + DAY),
        revoked=dict(revoked or {}),
    )
    workshop = replace(house.works.workshop, trust=TrustStore(pki.material()))
    house.works = InProcessWorks(workshop)


def serial(house: House, name: str = "1") -> int:
    """Return the serial number of a certificate of finance's."""
    sealer = house.keys.sealers[FINANCE, name]
    return load_certificate(sealer.certificate).serial_number


async def witness(house: House, peer: House) -> bool:
    """Let a house witness the newest head of a peer's log."""
    house.clock.us += 1

    async def ask(size: int) -> GrowthProof:
        proof = peer.prove.consistency(size, size=0)
        return GrowthProof(
            hashes=proof.hashes,
            checkpoint=proof.checkpoint,
            settled_size=proof.settled_size,
        )

    witnessing = WitnessPeer(
        vault=house.vault, record=house.record(peer.party), every_s=0, since_us=0
    )
    return await witnessing(ask, now_us=house.clock.us)


@dataclass
class Line:
    """Carries what waits in a lane, with what the peer wants shown.

    Attributes:
        spoil: Changes what is shown.
    """

    sender: House
    recipient: House
    spoil: Callable[[ShownProof], ShownProof] = field(default=lambda shown: shown)

    async def carry(self, size: int = 0) -> Committed:
        """Carry everything; show that it had entered at a size, if one is given."""
        batch = self.sender.vault.lane(self.recipient.party, after=-1, limit=99)
        known = [
            certificate
            for item in batch
            for certificate in self.sender.certificates.of_document(item.sealed)
        ]
        shown = [
            shown_earlier(self.sender.vault, item, size=size, document=at, place=at)
            for at, item in enumerate(batch if size else ())
        ]
        return await self.recipient.receive(
            [item.sealed for item in batch],
            known,
            carrier=self.sender.party,
            shown={one.document: self.spoil(one) for one in shown},
        )


def due(committed: Committed) -> int:
    """Return the size by which the only document is to be shown."""
    (refusal,) = committed.outcomes
    assert isinstance(refusal, CounterfoilError)
    assert refusal.reason == "EARLIER_PROOF_DUE"
    assert [one.path for one in refusal.violations] == ["earlier_proofs"]
    return int(refusal.facts["tree_size"])


def found(house: House, keys: Keys) -> list[Finding]:
    """Return what a verification of a house's vault finds."""
    now = NOW + timedelta(microseconds=house.clock.us - NOW_US)
    pki = replace(keys.pki, crl_validity=Validity(now - HOUR, now + DAY))
    judge = SealJudge(trust=TrustStore(pki.material()), find=house.vault.certificate)
    with house.vault.reading() as reading:
        return verify_vault(
            reading,
            origin=f"{house.party}/log",
            judge=judge,
            register=empty_register(house.registry),
        ).findings


@pytest.fixture
async def sent(finance: House, bank: House) -> DraftRow:
    """Return a voucher that the bank does not have; it has witnessed finance's log."""
    row = await finance.sent(direct_payment("1"))
    await finance.sealed(direct_payment("9"))  # so that its leaf is not the whole log
    assert await witness(bank, finance)
    return row


# --- it is taken ------------------------------------------------------------------


@pytest.mark.clause("hubei-13", "hubei-11")
@pytest.mark.refusal("EARLIER_PROOF_DUE")
async def test_a_voucher_delayed_past_its_certificates_end_is_taken_with_proof(
    finance: House, bank: House, sent: DraftRow, keys: Keys
) -> None:
    witnessed = bank.vault.witnessed(FINANCE, bank.clock.us)
    assert witnessed is not None
    until(bank, 400)
    line, before = Line(finance, bank), await bank.state(sent)

    size = due(await line.carry())

    assert size == witnessed.size == finance.vault.size()
    assert await bank.state(sent) == before
    committed = await line.carry(size)
    arrived = fine(committed.outcomes[0])
    assert (arrived.new, arrived.standing) == (True, Standing.ARRIVED)
    assert (committed.first_leaf, committed.new_count) == (arrived.leaf, 1)
    kept = EarlierProof.from_bytes(bank.vault.earlier_proof(arrived.leaf))
    assert (kept.witness, kept.index) == (witnessed.leaf, 0)
    assert bank.vault.leaf(kept.witness).act is Act.WITNESS
    # It stands there as of now, and is judged as of then, also by who comes later.
    assert bank.vault.leaf(arrived.leaf).time_us == bank.clock.us
    assert found(bank, keys) == []
    (known,) = (await line.carry()).outcomes
    assert (fine(known).leaf, fine(known).new) == (arrived.leaf, False)


async def test_what_comes_in_time_is_judged_as_of_its_arrival(
    finance: House, bank: House, sent: DraftRow
) -> None:
    committed = await Line(finance, bank).carry(finance.vault.size())

    arrived = fine(committed.outcomes[0])
    assert bank.standing(sent.key) is Standing.ARRIVED
    assert bank.vault.earlier_proof(arrived.leaf) == b""


@pytest.mark.clause("hubei-13")
async def test_a_voucher_sealed_before_a_revocation_is_taken_with_proof(
    finance: House, bank: House, sent: DraftRow
) -> None:
    until(bank, 2)
    trust(bank, {serial(bank): NOW + DAY})
    line = Line(finance, bank)

    committed = await line.carry(due(await line.carry()))

    assert fine(committed.outcomes[0]).new
    assert bank.standing(sent.key) is Standing.ARRIVED


@pytest.mark.refusal("SEAL_FORGED")
async def test_a_certificate_revoked_before_the_head_was_witnessed_proves_nothing(
    finance: House, bank: House, sent: DraftRow
) -> None:
    until(bank, 2)
    # A list may say later that it was so before: whoever had the key could seal.
    trust(bank, {serial(bank, "first"): NOW - HOUR})
    before = await bank.state(sent)

    committed = await Line(finance, bank).carry(finance.vault.size())

    assert reasons(committed.outcomes) == ["SEAL_FORGED"]
    assert await bank.state(sent) == before


async def lose(
    house: House, name: str = "first", *, kind: type[LossNotice | Revocation]
) -> None:
    """Let a notice of finance's about a certificate arrive."""
    sealer = house.keys.sealers[FINANCE, name]
    matter = kind(certificate=sealer.certificate_digest, holder=sealer.identity)
    signers = [
        Identity(party=FINANCE, use=Use.PERSON, name=one)
        for one in ("supervisor", "officer")
    ]
    said = Registration(
        by=FINANCE,
        number=f"{kind.__name__} {name}",
        told=(BANK,),
        explanation="",
        matter=matter,
        signers=tuple(signers[:1] if kind is LossNotice else signers),
        digest=b"",
    )
    deed = Arrive(
        carrier=FINANCE, documents=(registered(said),), hosted=house.registry.hosted
    )
    house.clock.us += 1
    (committed,) = await house.vault.perform([deed])
    fine(committed.outcomes[0])


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("EARLIER_PROOF_DUE", "CERTIFICATE_LOST")
@pytest.mark.parametrize("kind", [LossNotice, Revocation])
async def test_a_voucher_sealed_before_a_loss_notice_is_taken_with_proof(
    finance: House, bank: House, sent: DraftRow, kind: type[LossNotice | Revocation]
) -> None:
    await finance.sent(direct_payment("2"))
    await lose(bank, kind=kind)
    # What the log of the issuer became after the notice says nothing about before.
    assert await witness(bank, finance)
    line, before = Line(finance, bank), await bank.state(sent)

    asked = await line.carry()

    assert reasons(asked.outcomes) == ["EARLIER_PROOF_DUE"] * 2
    assert await bank.state(sent) == before
    size = int(asked.outcomes[0].facts["tree_size"])  # type: ignore[union-attr]
    assert size < finance.vault.size()
    committed = await line.carry(size)
    assert reasons(committed.outcomes) == ["", "EARLIER_PROOF_REFUSED"]
    assert bank.standing(sent.key) is Standing.ARRIVED
    # Known from now on, whatever is lost.
    (again, _) = (await line.carry()).outcomes
    assert not fine(again).new


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
async def test_a_notice_before_any_head_was_witnessed_refuses_at_once(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment("1"))
    await lose(bank, kind=LossNotice)
    assert await witness(bank, finance)
    before = await bank.state(row)

    committed = await Line(finance, bank).carry(finance.vault.size())

    assert reasons(committed.outcomes) == ["CERTIFICATE_LOST"]
    assert await bank.state(row) == before


async def test_a_step_that_comes_late_is_taken_like_a_voucher(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment("1"))
    await Line(finance, bank).carry()
    await bank.step(K.REJECTION, row)
    assert await witness(finance, bank)
    until(finance, 400)
    line = Line(bank, finance)

    committed = await line.carry(due(await line.carry()))

    arrived = fine(committed.outcomes[0])
    assert arrived.standing is Standing.REJECTED
    assert finance.vault.earlier_proof(arrived.leaf)


# --- it is not taken --------------------------------------------------------------


@pytest.mark.refusal("SEAL_FORGED")
async def test_without_a_witnessed_head_it_is_refused_as_before(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment("1"))
    until(bank, 400)
    # Too late: that head is younger than the certificates' end.
    assert await witness(bank, finance)
    before = await bank.state(row)

    committed = await Line(finance, bank).carry(finance.vault.size())

    assert reasons(committed.outcomes) == ["SEAL_FORGED"]
    assert await bank.state(row) == before


@pytest.mark.refusal("SEAL_FORGED")
async def test_a_head_of_another_log_does_not_help(
    finance: House, bank: House, other_bank: House
) -> None:
    row = await finance.sent(direct_payment("1"))
    await finance.sent(direct_payment("2", to=(OTHER_BANK,)))
    await Line(finance, other_bank).carry()
    assert await witness(bank, other_bank)
    until(bank, 400)
    before = await bank.state(row)

    committed = await Line(finance, bank).carry(other_bank.vault.size())

    assert reasons(committed.outcomes) == ["SEAL_FORGED"]
    assert await bank.state(row) == before


@dataclass(frozen=True, slots=True)
class Since(InProcessWorks):
    """Works where certificates began at an instant."""

    from_us: int = 0

    async def held(
        self,
        documents: Sequence[bytes],
        certificates: Sequence[bytes],
        answers: Sequence[bytes] = (),
    ) -> list[Held | None]:
        """See `Works.held`."""
        found = self.workshop.held(documents, certificates, answers)
        return [one and replace(one, from_us=self.from_us) for one in found]


@pytest.mark.refusal("SEAL_FORGED", "EARLIER_PROOF_DUE")
async def test_a_head_from_before_the_certificates_began_is_not_asked_for(
    finance: House, bank: House, sent: DraftRow
) -> None:
    head = bank.vault.witnessed(FINANCE, bank.clock.us)
    assert head is not None
    until(bank, 400)

    for from_us, reason in (
        (head.time_us, "EARLIER_PROOF_DUE"),
        (head.time_us + 1, "SEAL_FORGED"),
    ):
        bank.works = Since(bank.works.workshop, from_us)
        committed = await Line(finance, bank).carry()
        assert reasons(committed.outcomes) == [reason]


@pytest.mark.refusal("EARLIER_PROOF_DUE")
async def test_the_newest_head_before_the_end_is_asked_for_and_no_other_counts(
    finance: House, bank: House, sent: DraftRow
) -> None:
    await finance.sent(direct_payment("2"))
    assert await witness(bank, finance)
    newest = finance.vault.size()
    until(bank, 400)
    await finance.sent(direct_payment("3"))
    assert await witness(bank, finance)
    before = await bank.state(sent)

    for size in (0, newest - 1, newest + 1, finance.vault.size()):
        asked = await Line(finance, bank).carry(size)
        refused = [one for one in asked.outcomes if isinstance(one, CounterfoilError)]
        assert {one.reason for one in refused} == {"EARLIER_PROOF_DUE"}
        assert {one.facts["tree_size"] for one in refused} == {str(newest)}

    assert await bank.state(sent) == before


def of_other_document(shown: ShownProof) -> ShownProof:
    version = bytes([shown.leaf[75] ^ 1]) + shown.leaf[76:]
    return replace(shown, leaf=shown.leaf[:75] + version)


def of_other_act(shown: ShownProof) -> ShownProof:
    return replace(shown, leaf=bytes([shown.leaf[0], Act.SEND, *shown.leaf[2:]]))


def of_later(shown: ShownProof) -> ShownProof:
    return replace(shown, index=shown.size, hashes=())


def of_no_leaf(shown: ShownProof) -> ShownProof:
    return replace(shown, leaf=shown.leaf[:-1])


def of_other_time(shown: ShownProof) -> ShownProof:
    return replace(
        shown, leaf=shown.leaf[:10] + bytes([shown.leaf[10] ^ 1]) + shown.leaf[11:]
    )


def of_other_place(shown: ShownProof) -> ShownProof:
    return replace(shown, index=shown.index ^ 1)


def without_hashes(shown: ShownProof) -> ShownProof:
    return replace(shown, hashes=())


def with_other_hashes(shown: ShownProof) -> ShownProof:
    return replace(shown, hashes=(bytes(32), *shown.hashes[1:]))


@pytest.mark.refusal("EARLIER_PROOF_REFUSED")
@pytest.mark.parametrize(
    ("spoil", "check", "path"),
    [
        (of_no_leaf, "1", "leaf"),
        (of_other_act, "2", "leaf"),
        (of_other_document, "3", "leaf"),
        (of_later, "4", "leaf_index"),
        (of_other_time, "5", "hashes"),
        (of_other_place, "5", "hashes"),
        (without_hashes, "5", "hashes"),
        (with_other_hashes, "5", "hashes"),
    ],
)
async def test_what_does_not_show_it_is_refused_and_changes_nothing(  # noqa: PLR0917
    finance: House,
    bank: House,
    sent: DraftRow,
    spoil: Callable[[ShownProof], ShownProof],
    check: str,
    path: str,
) -> None:
    until(bank, 400)
    before = await bank.state(sent)
    size = due(await Line(finance, bank).carry())

    committed = await Line(finance, bank, spoil).carry(size)

    (refusal,) = committed.outcomes
    assert isinstance(refusal, CounterfoilError)
    assert (refusal.reason, refusal.facts) == (
        "EARLIER_PROOF_REFUSED",
        {"check": check},
    )
    (violation,) = refusal.violations
    assert violation.path == f"earlier_proofs[0].{path}"
    assert violation.text_zh
    assert await bank.state(sent) == before
    # The right one is still taken: nobody remembers a wrong one.
    committed = await Line(finance, bank).carry(size)
    assert fine(committed.outcomes[0]).new


@pytest.mark.clause("hubei-11")
@pytest.mark.refusal("SEAL_FORGED")
async def test_forged_seals_stay_forged_however_early_they_entered(
    finance: House, bank: House
) -> None:
    row = await finance.sealed(direct_payment("1"))
    sealed = sealed_pb2.Sealed.FromString(finance.vault.document(0))
    sealed.seals[-1].signature = sealed.seals[-1].signature[::-1]
    (forged,) = await finance.works.reread([sealed.SerializeToString()])
    # Whoever has the issuer's log can enter anything.
    await finance.vault.perform(
        [
            Withdraw(key=row.key, digest=row.digest),
            Enter(document=fine(forged), lanes={BANK: BANK}, send=True),
        ]
    )
    assert await witness(bank, finance)
    until(bank, 400)
    line, before = Line(finance, bank), await bank.state(row)

    committed = await line.carry(due(await line.carry()))

    (refusal,) = committed.outcomes
    assert isinstance(refusal, CounterfoilError)
    assert (refusal.reason, refusal.facts["check"]) == ("SEAL_FORGED", "10")
    assert await bank.state(row) == before


async def test_of_what_enters_no_log_nobody_says_when_it_held(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment("1"))
    voucher = finance.vault.document(0)
    certificates = finance.certificates.of_document(voucher)
    registration = sealed_pb2.Sealed.FromString(voucher)
    registration.kind = int(K.REGISTRATION)  # type: ignore[assignment]

    others = [b"\xff", b"", registration.SerializeToString()]
    held = bank.works.workshop.held([voucher, *others], certificates)

    assert held[0] is not None
    assert len(held[0].signers) == 3
    assert held[1:] == [None, None, None]


# --- witnessing -------------------------------------------------------------------


async def test_a_head_is_witnessed_once_and_only_when_something_came(
    finance: House, bank: House
) -> None:
    assert not await witness(bank, finance)  # an empty log
    await finance.sent(direct_payment("1"))

    assert await witness(bank, finance)
    size = bank.vault.size()
    assert not await witness(bank, finance)
    # That finance witnessed us is nothing that anybody will have to prove.
    assert await witness(finance, bank)
    assert not await witness(bank, finance)
    assert bank.vault.size() == size
    await finance.sent(direct_payment("2"))
    assert await witness(bank, finance)

    head = bank.vault.witnessed(FINANCE, bank.clock.us)
    assert head is not None
    assert head.size == finance.vault.size()
    first = bank.vault.witnessed(FINANCE, head.time_us - 1)
    assert first is not None
    assert (first.size, first.leaf) == (1, 0)
    assert bank.vault.witnessed(FINANCE, first.time_us - 1) is None
    assert bank.vault.witnessed(OTHER_BANK, bank.clock.us) is None


async def test_a_peer_gets_the_proof_that_its_own_log_was_witnessed(
    finance: House, bank: House
) -> None:
    await finance.sent(direct_payment("1"))
    assert await witness(bank, finance)

    proof = bank.prove.leaf(0, size=0, carrier=FINANCE)

    assert proof.leaf is not None
    assert proof.leaf.act is Act.WITNESS
    with pytest.raises(LeafNotFound):
        bank.prove.leaf(0, size=0, carrier=OTHER_BANK)


@pytest.mark.parametrize(("passed_s", "due_s"), [(0, 60), (59, 1), (60, 0), (900, 0)])
async def test_heads_are_witnessed_as_far_apart_as_is_wanted(
    finance: House, bank: House, passed_s: int, due_s: int
) -> None:
    witnessing = WitnessPeer(
        vault=bank.vault,
        record=bank.record(FINANCE),
        every_s=60,
        since_us=bank.clock.us + 1,
    )
    first = witnessing.due_in_s(bank.clock.us + 1 + passed_s * 1_000_000)
    await finance.sent(direct_payment("1"))
    await witness(bank, finance)

    later = witnessing.due_in_s(bank.clock.us + passed_s * 1_000_000)

    assert (first, later) == (due_s, due_s)


async def test_a_document_of_ours_is_shown_in_the_tree_that_is_asked_for(
    finance: House, bank: House
) -> None:
    for number in "123":
        await finance.sent(direct_payment(number))
    items = finance.vault.lane(BANK, after=-1, limit=9)

    shown = shown_earlier(finance.vault, items[1], size=2, document=7, place=2)
    later = shown_earlier(finance.vault, items[2], size=2, document=0, place=0)
    never = shown_earlier(finance.vault, items[0], size=99, document=0, place=0)

    assert (shown.index, shown.document, shown.place) == (1, 7, 2)
    assert shown.leaf == items[1].leaf.to_bytes()
    assert shown.hashes == finance.vault.inclusion_proof(1, 2)
    assert (later.index, later.hashes) == (2, ())
    assert never.hashes == ()
