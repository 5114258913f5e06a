"""Registrations in the vault: in force with their leaf, judged with the vouchers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import (
    EnterRegistration,
    Outcome,
    PeerAnswer,
    Recorded,
    Send,
)
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import CounterfoilError, PartyUnknown, VaultCorrupt
from counterfoil.domain.register_refusals import (
    AgreementMissing,
    AgreementSuspended,
    CertificateLost,
    CertificateNotActive,
    FilingMissing,
    OutsideFiling,
    SignersRefused,
)
from counterfoil.domain.registration import (
    AgreedWay,
    Agreement,
    AgreementChange,
    Change,
    Filing,
    Founding,
    LossNotice,
    Matter,
    PostAssignment,
    Registration,
)
from counterfoil.domain.standing import Act, Standing
from counterfoil.vault.findings import Fault
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.registering import registered as rebuilt
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    ORIGIN,
    SAID,
    SMALL,
    UNFOUNDED,
    Bench,
    StepClock,
    open_vault,
    read_registration,
    recorded,
    registered,
    step,
    voucher,
)

SEAL, LOST = b"s" * 32, b"l" * 32
K = DocumentKind


def person(name: str, party: str = FINANCE) -> Identity:
    return Identity(party=party, use=Use.PERSON, name=name)


def institution(party: str) -> Identity:
    return Identity(party=party, use=Use.INSTITUTION, name="1")


MANAGER, SUPERVISOR, THEIRS = person("m"), person("s"), person("s", BANK)


def paper(
    matter: Matter,
    *signers: Identity,
    by: str = FINANCE,
    number: str = "",
    told: tuple[str, ...] = (),
) -> Document:
    said = Registration(
        by=by,
        number=number or f"{len(SAID)}",
        told=told,
        explanation="",
        matter=matter,
        signers=signers,
        digest=b"",
    )
    return registered(said)


def founding() -> Document:
    matter = Founding(
        supervisor=SUPERVISOR, system_manager=MANAGER, certificates=(SEAL,)
    )
    return paper(matter, MANAGER, SUPERVISOR)


def agreement(by: str = FINANCE) -> Document:
    matter = Agreement(
        parties=(FINANCE, BANK),
        ways=(
            AgreedWay(issuer=FINANCE, types=frozenset({5201})),
            AgreedWay(issuer=BANK, types=frozenset({5201})),
        ),
        valid_from="20250101",
        valid_until="20991231",
    )
    return paper(matter, SUPERVISOR, THEIRS, by=by)


def suspension(of: Document, *, by: str = FINANCE) -> Document:
    matter = AgreementChange(agreement=of.digest, change=Change.SUSPEND)
    return paper(matter, SUPERVISOR if by == FINANCE else THEIRS, by=by)


def enter(bench: Bench, *documents: Document) -> list[Outcome]:
    return [
        bench.one(EnterRegistration(document=document, lanes=LANES))
        for document in documents
    ]


def refusal(outcome: Outcome) -> type[CounterfoilError]:
    assert isinstance(outcome, CounterfoilError)
    return type(outcome)


@pytest.fixture
def founded(bench: Bench) -> Bench:
    (outcome,) = enter(bench, founding())
    assert isinstance(outcome, Recorded)
    return bench


@pytest.mark.clause("hubei-36")
def test_a_registration_is_a_leaf_and_in_force_with_it(bench: Bench) -> None:
    assert not bench.vault.register.is_founded
    document = founding()

    (outcome,) = enter(bench, document)

    assert recorded(outcome).leaf == 0
    leaf = bench.vault.leaf(0)
    assert (leaf.act, leaf.kind) == (Act.REGISTER, K.REGISTRATION)
    assert leaf.subject == leaf.document == document.digest
    assert bench.vault.document(0) == document.sealed
    assert bench.vault.register.posts_of(SUPERVISOR) == {Post.SUPERVISOR}
    (row,) = bench.vault.registrations(after=-1, limit=10)
    assert (row.index, row.sealed, row.leaf) == (0, document.sealed, leaf)


def test_the_same_registration_again_is_known(founded: Bench) -> None:
    (sealed,) = (row.sealed for row in founded.vault.registrations(after=-1, limit=9))
    before = founded.unchanged()

    (again,) = enter(founded, registered(SAID[sealed]))

    assert recorded(again).leaf == 0
    assert not recorded(again).new
    assert founded.unchanged() == before


@pytest.mark.refusal("SIGNERS_REFUSED")
@pytest.mark.clause("hubei-36")
def test_a_refused_registration_leaves_no_trace(founded: Bench) -> None:
    before, register = founded.unchanged(), founded.vault.register
    wanted = PostAssignment(holder=person("x"), post=Post.SECURITY_OFFICER)

    (outcome,) = enter(founded, paper(wanted, SUPERVISOR, MANAGER))

    assert refusal(outcome) is SignersRefused
    assert founded.unchanged() == before
    assert founded.vault.register is register


@pytest.mark.refusal("PARTY_UNKNOWN")
def test_whoever_is_to_be_told_must_be_reachable(founded: Bench) -> None:
    before = founded.unchanged()
    lost = LossNotice(certificate=LOST, holder=institution(FINANCE))
    told = paper(lost, SUPERVISOR, told=("330000009",))

    (outcome,) = enter(founded, told)

    assert refusal(outcome) is PartyUnknown
    assert founded.unchanged() == before


@pytest.mark.clause("hubei-14")
def test_a_loss_notice_goes_to_whom_it_tells_and_its_arrival_is_proved(
    founded: Bench,
) -> None:
    lost = LossNotice(certificate=LOST, holder=institution(FINANCE))
    notice = paper(lost, SUPERVISOR, told=(BANK,))

    (outcome,) = enter(founded, notice)

    (item,) = founded.vault.lane(BANK, after=-1, limit=10)
    assert (item.sequence, item.sealed) == (recorded(outcome).leaf, notice.sealed)
    answer = PeerAnswer(sequence=item.sequence, leaf=7)
    (delivered,) = founded.deliver(answer).outcomes
    assert founded.vault.leaf(recorded(delivered).leaf).act is Act.DELIVER
    assert founded.vault.lane(BANK, after=-1, limit=10) == []
    (again,) = founded.deliver(answer).outcomes
    assert not recorded(again).new
    assert sound(founded)


@pytest.mark.clause("hubei-14")
def test_a_loss_notice_goes_to_a_thousand_peers_of_the_longest_codes(
    founded: Bench,
) -> None:
    peers = tuple(f"77777{n:04}-{'z' * 21}" for n in range(1024))
    lost = LossNotice(certificate=LOST, holder=institution(FINANCE))
    notice = paper(lost, SUPERVISOR, told=peers)

    outcome = founded.one(
        EnterRegistration(document=notice, lanes={peer: peer for peer in peers})
    )

    for peer in peers:
        (item,) = founded.vault.lane(peer, after=-1, limit=10)
        assert (item.sequence, item.sealed) == (recorded(outcome).leaf, notice.sealed)
    assert sound(founded)


def test_a_peer_may_refuse_a_registration(founded: Bench) -> None:
    lost = LossNotice(certificate=LOST, holder=institution(FINANCE))
    enter(founded, paper(lost, SUPERVISOR, told=(BANK,)))
    (item,) = founded.vault.lane(BANK, after=-1, limit=10)

    later = PeerAnswer(
        sequence=item.sequence, leaf=None, reason="VAULT_FULL", retryable=True
    )
    founded.deliver(later, evidence=b"")
    assert len(founded.vault.lane(BANK, after=-1, limit=10)) == 1
    never = PeerAnswer(sequence=item.sequence, leaf=None, reason="MATTER_FOREIGN")
    founded.deliver(never, evidence=b"")

    assert founded.vault.lane(BANK, after=-1, limit=10) == []
    assert sound(founded)


def test_a_peers_registration_arrives_once(founded: Bench) -> None:
    lost = LossNotice(certificate=LOST, holder=institution(BANK))
    notice = paper(lost, THEIRS, by=BANK, told=(FINANCE,))

    committed = founded.arrive(notice)
    again = founded.arrive(notice)

    (first,), (second,) = committed.outcomes, again.outcomes
    assert recorded(first).standing is Standing.ARRIVED
    assert (committed.first_leaf, committed.new_count) == (1, 1)
    assert recorded(second).leaf == recorded(first).leaf
    assert (again.new_count, recorded(second).new) == (0, False)
    assert founded.vault.register.voided[LOST].by == BANK
    # It is for the gateway, not for a business system's list.
    assert founded.vault.waiting(FINANCE, after=-1, limit=10) == []
    assert sound(founded)


# --- what it means for vouchers ---------------------------------------------------


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("AGREEMENT_MISSING")
def test_without_an_agreement_nothing_enters_and_nothing_arrives(
    founded: Bench,
) -> None:
    before = founded.unchanged()

    assert refusal(founded.enter(voucher(to=(BANK,)))) is AgreementMissing
    theirs = founded.arrive(voucher(issuer=BANK, to=(FINANCE,)))
    assert refusal(theirs.outcomes[0]) is AgreementMissing

    assert founded.unchanged() == before


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("AGREEMENT_SUSPENDED")
def test_a_suspended_agreement_stops_sending_and_arriving(founded: Bench) -> None:
    agreed = agreement()
    enter(founded, agreed)
    waiting = voucher("1", to=(BANK,))
    assert isinstance(founded.enter(waiting), Recorded)
    sent = voucher("2", to=(BANK,))
    assert isinstance(founded.enter(sent, send=True), Recorded)
    theirs = voucher("1", issuer=BANK, to=(FINANCE,))
    founded.arrive(theirs)

    enter(founded, suspension(agreed))

    send = Send(key=waiting.key, digest=waiting.digest, lanes=LANES)
    assert refusal(founded.one(send)) is AgreementSuspended
    assert refusal(founded.enter(voucher("3", to=(BANK,)))) is AgreementSuspended
    later = founded.arrive(voucher("2", issuer=BANK, to=(FINANCE,)))
    assert refusal(later.outcomes[0]) is AgreementSuspended
    # What was exchanged before is brought to its end.
    (known,) = founded.arrive(theirs).outcomes
    assert not recorded(known).new
    accepted = step(K.ACCEPTANCE, theirs, by=FINANCE)
    assert isinstance(founded.enter(accepted), Recorded)
    (receipt,) = founded.arrive(step(K.RECEIPT, sent)).outcomes
    assert isinstance(receipt, Recorded)
    assert sound(founded)


@pytest.mark.clause("hubei-6")
def test_what_a_batch_registers_holds_for_what_follows_in_it(founded: Bench) -> None:
    agreed = agreement(by=BANK)
    first, second = (voucher(n, issuer=BANK, to=(FINANCE,)) for n in ("1", "2"))

    committed = founded.arrive(first, agreed, second, suspension(agreed, by=BANK))

    assert [isinstance(one, Recorded) for one in committed.outcomes] == [
        False,
        True,
        True,
        True,
    ]
    assert committed.new_count == 3


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
def test_a_lost_certificate_seals_nothing_that_arrives_later(founded: Bench) -> None:
    enter(founded, agreement())
    theirs = voucher("1", issuer=BANK, to=(FINANCE,))
    before = replace(theirs, signers=(LOST,))
    founded.arrive(before)
    ours = voucher("1", to=(BANK,))
    founded.enter(ours, send=True)
    lost = LossNotice(certificate=LOST, holder=institution(BANK))

    founded.arrive(paper(lost, THEIRS, by=BANK))

    held = founded.unchanged()
    late = replace(voucher("2", issuer=BANK, to=(FINANCE,)), signers=(SEAL, LOST))
    receipt = replace(step(K.RECEIPT, ours), signers=(LOST,))
    copy = replace(
        step(K.RECEIPT, voucher("9", issuer="330000009"), by=BANK),
        recipients=(FINANCE,),
        encloses=True,
        signers=(LOST,),
    )
    registration = replace(
        paper(LossNotice(certificate=SEAL, holder=institution(BANK)), THEIRS, by=BANK),
        signers=(LOST,),
    )
    for document in (late, receipt, copy, registration):
        (outcome,) = founded.arrive(document).outcomes
        assert refusal(outcome) is CertificateLost
    assert founded.unchanged() == held
    # What it sealed before stays what it was.
    (known,) = founded.arrive(before).outcomes
    assert not recorded(known).new


@pytest.mark.clause("hubei-13", "hubei-14")
@pytest.mark.refusal("CERTIFICATE_NOT_ACTIVE", "CERTIFICATE_LOST")
def test_only_a_certificate_in_use_seals_what_is_ours(founded: Bench) -> None:
    enter(founded, agreement())
    ours = replace(voucher(to=(BANK,)), signers=(SEAL,))
    unknown = replace(voucher("2", to=(BANK,)), signers=(LOST,))
    theirs = voucher("1", issuer=BANK, to=(FINANCE,))
    founded.arrive(theirs)

    assert isinstance(founded.enter(ours), Recorded)
    assert refusal(founded.enter(unknown)) is CertificateNotActive
    lost = LossNotice(certificate=SEAL, holder=institution(FINANCE))
    enter(founded, paper(lost, SUPERVISOR))
    accepted = replace(step(K.ACCEPTANCE, theirs, by=FINANCE), signers=(SEAL,))
    assert refusal(founded.enter(accepted)) is CertificateLost


def filed(party: str, *signers: Identity, amount_max_fen: int = 0) -> Document:
    matter = Filing(
        holder=institution(party),
        types=frozenset({5201}),
        amount_max_fen=amount_max_fen,
        positions=frozenset({"gz", "zqz"}),
        valid_from="20250101",
        valid_until="20991231",
    )
    return paper(matter, *signers, by=party)


@pytest.mark.clause("hubei-15b")
@pytest.mark.refusal("FILING_MISSING", "OUTSIDE_FILING")
def test_a_seal_outside_its_filing_neither_enters_nor_arrives(founded: Bench) -> None:
    officer = person("o")
    assign = PostAssignment(holder=officer, post=Post.SECURITY_OFFICER)
    enter(founded, agreement(), paper(assign, MANAGER, SUPERVISOR))
    ours, theirs = institution(FINANCE).to_urn(), institution(BANK).to_urn()
    out = replace(voucher("1", to=(BANK,)), sealings=(("gz", ours),))
    come = replace(voucher("1", issuer=BANK, to=(FINANCE,)), sealings=(("gz", theirs),))
    before = founded.unchanged()
    assert refusal(founded.enter(out)) is FilingMissing
    assert refusal(founded.arrive(come).outcomes[0]) is FilingMissing
    assert founded.unchanged() == before

    enter(founded, filed(FINANCE, officer, SUPERVISOR))
    small = filed(BANK, THEIRS, person("o", BANK), amount_max_fen=9_999)
    founded.arrive(small)

    assert isinstance(founded.enter(out, send=True), Recorded)
    assert refusal(founded.arrive(come).outcomes[0]) is OutsideFiling
    receipt = replace(step(K.RECEIPT, out), sealings=(("zqz", theirs),))
    assert refusal(founded.arrive(receipt).outcomes[0]) is OutsideFiling
    founded.arrive(filed(BANK, THEIRS, person("o", BANK), amount_max_fen=10_000))
    assert isinstance(founded.arrive(come).outcomes[0], Recorded)
    elsewhere = replace(step(K.ACCEPTANCE, come, by=FINANCE), sealings=(("x", ours),))
    assert refusal(founded.enter(elsewhere)) is OutsideFiling
    assert isinstance(founded.arrive(receipt).outcomes[0], Recorded)


# --- what is kept -----------------------------------------------------------------


def sound(bench: Bench) -> bool:
    with bench.vault._engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN)
    assert report.findings == []
    return True


def test_the_register_is_the_same_after_a_restart(tmp_path: Path) -> None:
    heads = MemoryHeads()
    first = Bench(open_vault(LmdbEngine(tmp_path / "vault", SMALL), heads))
    enter(first, founding(), agreement())
    lost = LossNotice(certificate=LOST, holder=institution(BANK))
    first.arrive(paper(lost, THEIRS, by=BANK))
    before = first.vault.register
    first.vault.close()

    second = Bench(open_vault(LmdbEngine(tmp_path / "vault", SMALL), heads))

    assert second.vault.register == before
    assert before.voided
    assert before.agreements
    assert refusal(second.enter(voucher(to=("330000003",)))) is AgreementMissing
    second.vault.close()


@pytest.mark.refusal("VAULT_CORRUPT")
def test_a_register_that_does_not_follow_from_its_log_is_not_opened(
    bench: Bench,
) -> None:
    enter(bench, founding(), agreement())
    with bench.vault._engine.reading() as reading:
        assert rebuilt(reading, UNFOUNDED, read_registration) == bench.vault.register

        def forged(sealed: bytes, find: object, listed: object) -> Registration:
            del find, listed
            return replace(SAID[sealed], signers=(SUPERVISOR, MANAGER))

        with pytest.raises(VaultCorrupt, match="does not hold"):
            rebuilt(reading, UNFOUNDED, forged)


def test_verify_judges_registrations_again_by_those_before(founded: Bench) -> None:
    enter(founded, agreement())

    def judge(sealed: bytes, leaf: Leaf, names: object) -> Document:
        del leaf, names
        said = SAID[sealed]
        if isinstance(said.matter, Agreement):
            said = replace(said, signers=(THEIRS, SUPERVISOR))
        return replace(registered(said), registration=said)

    with founded.vault._engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, judge=judge, register=UNFOUNDED)

    assert [(one.fault, one.index, one.detail) for one in report.findings] == [
        (Fault.REGISTRATION_REFUSED, 1, "SIGNERS_REFUSED")
    ]


def test_registrations_are_listed_page_by_page(founded: Bench) -> None:
    enter(founded, agreement())
    founded.enter(voucher(to=(BANK,)))
    enter(founded, agreement())

    first = founded.vault.registrations(after=-1, limit=2)
    rest = founded.vault.registrations(after=first[-1].index, limit=2)

    assert [row.index for row in (*first, *rest)] == [0, 1, 3]


def test_the_ledger_is_told_of_an_act_that_moves_no_voucher(founded: Bench) -> None:
    (record,) = founded.vault.records(0, 10)

    assert record.leaf.kind is K.REGISTRATION
    assert (record.changes, record.key.type_code) == ((), 0)


@pytest.mark.parametrize("what", ["missing", "stray"])
def test_verify_finds_an_index_of_registrations_that_was_changed(
    tmp_path: Path, what: str
) -> None:
    with LmdbEngine(tmp_path / "vault", SMALL) as engine:
        bench = Bench(open_vault(engine))
        document = founding()
        enter(bench, document)
        txn, tables = engine.begin()
        with txn:
            if what == "missing":
                txn.delete(document.digest, db=tables.registrations)
            else:
                record = txn.get(document.digest, db=tables.registrations)
                assert record is not None
                txn.put(b"?" * 32, record, db=tables.registrations)
        with engine.reading() as reading:
            report = verify_vault(reading, origin=ORIGIN)
        bench.vault.close()

    expected = {
        "missing": Fault.REGISTRATION_MISSING,
        "stray": Fault.REGISTRATION_STRAY,
    }
    assert [one.fault for one in report.findings] == [expected[what]]


async def test_whoever_waits_is_told_what_stands_registered(tmp_path: Path) -> None:
    vault = open_vault(LmdbEngine(tmp_path / "vault", SMALL), clock=StepClock())
    known = vault.register
    await vault.perform([EnterRegistration(document=founding(), lanes=LANES)])

    now = await vault.register_changed(known)

    assert now is vault.register
    assert now.is_founded
    vault.close()
