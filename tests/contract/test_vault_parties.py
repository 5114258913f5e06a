"""Parties in the vault: who was dismissed exchanges nothing new, and ends the old."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.domain.catalogue import DocumentKind, PartyKind
from counterfoil.domain.deeds import Recorded, Send
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.posts import Post
from counterfoil.domain.register_refusals import PartiesRemain, PartyDismissed
from counterfoil.domain.registration import (
    Matter,
    PartyAdmission,
    PartyDismissal,
    PeerConnection,
    PeerDisconnection,
    PostAssignment,
)
from counterfoil.domain.registry import Party
from counterfoil.domain.standing import Act
from counterfoil.vault.findings import Fault
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.lmdb_engine import LmdbEngine
from counterfoil.vault.verify import verify_vault
from tests.contract.test_vault_registrations import (
    MANAGER,
    SUPERVISOR,
    agreement,
    enter,
    founding,
    paper,
    person,
    refusal,
    sound,
)
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    ORIGIN,
    SAID,
    SMALL,
    TREASURY,
    UNFOUNDED,
    Bench,
    open_vault,
    recorded,
    registered,
    step,
    voucher,
)

OFFICER = person("o")
K = DocumentKind


def signed(matter: Matter) -> Document:
    """Return a registration by the two whom it needs."""
    is_party = isinstance(matter, PartyAdmission | PartyDismissal)
    return paper(matter, MANAGER, SUPERVISOR if is_party else OFFICER)


def party(code: str, name: str = "银行") -> Party:
    return Party(code=code, name=name, kind=PartyKind.AGENT_BANK, carrier=code)


def admission(code: str = BANK, name: str = "银行") -> Document:
    return signed(PartyAdmission(party=party(code, name)))


def dismissal(code: str = BANK) -> Document:
    return signed(PartyDismissal(party=code))


def connection(*heads: str) -> Document:
    matter = PeerConnection(
        party=BANK, addresses=("bank:1",), heads=heads or ("key",), server_name="bank"
    )
    return signed(matter)


def opening() -> list[Document]:
    """Return what a register with a security officer begins with."""
    post = PostAssignment(holder=OFFICER, post=Post.SECURITY_OFFICER)
    return [founding(), paper(post, MANAGER, SUPERVISOR)]


@pytest.fixture
def founded(bench: Bench) -> Bench:
    for outcome in enter(bench, *opening(), agreement(), admission(), connection()):
        assert isinstance(outcome, Recorded)
    return bench


@pytest.mark.clause("hubei-36")
def test_who_takes_part_is_a_leaf_and_in_force_with_it(founded: Bench) -> None:
    leaves = [founded.vault.leaf(at) for at in range(founded.vault.size())]

    assert [leaf.act for leaf in leaves] == [Act.REGISTER] * 5
    register = founded.vault.register
    assert register.parties[BANK].entry == leaves[3].document
    assert register.peers[BANK].entry == leaves[4].document
    assert register.peers[BANK].peer.heads == ("key",)
    assert sound(founded)


@pytest.mark.refusal("PARTY_DISMISSED")
def test_a_dismissed_party_gets_and_brings_no_voucher(founded: Bench) -> None:
    waiting = voucher("1")
    assert isinstance(founded.enter(waiting), Recorded)

    (gone,) = enter(founded, dismissal())

    assert isinstance(gone, Recorded)
    before = founded.unchanged()
    assert refusal(founded.enter(voucher("2"))) is PartyDismissed
    send = Send(key=waiting.key, digest=waiting.digest, lanes=LANES)
    assert refusal(founded.one(send)) is PartyDismissed
    (theirs,) = founded.arrive(voucher("1", issuer=BANK, to=(FINANCE,))).outcomes
    assert refusal(theirs) is PartyDismissed
    assert founded.unchanged() == before


def test_what_was_exchanged_with_a_dismissed_party_is_brought_to_its_end(
    founded: Bench,
) -> None:
    sent = voucher("1")
    assert isinstance(founded.enter(sent, send=True), Recorded)
    theirs = voucher("1", issuer=BANK, to=(FINANCE,))
    founded.arrive(theirs)

    enter(founded, dismissal())

    # A broken line brings the same again: it is known, as it was.
    (known,) = founded.arrive(theirs).outcomes
    assert not recorded(known).new
    accepted = step(K.ACCEPTANCE, theirs, by=FINANCE)
    assert isinstance(founded.enter(accepted), Recorded)
    lane = founded.vault.lane(BANK, after=-1, limit=10)
    assert [item.sealed for item in lane] == [sent.sealed, accepted.sealed]
    (receipt,) = founded.arrive(step(K.RECEIPT, sent)).outcomes
    assert isinstance(receipt, Recorded)
    assert sound(founded)


def test_what_a_batch_registers_holds_for_the_vouchers_behind_it(
    founded: Bench,
) -> None:
    enter(founded, dismissal())
    assert refusal(founded.enter(voucher())) is PartyDismissed

    enter(founded, admission())

    assert isinstance(founded.enter(voucher()), Recorded)


@pytest.mark.refusal("PARTIES_REMAIN")
def test_a_refused_disconnection_leaves_no_trace(founded: Bench) -> None:
    before, register = founded.unchanged(), founded.vault.register

    (outcome,) = enter(founded, signed(PeerDisconnection(party=BANK)))

    assert refusal(outcome) is PartiesRemain
    assert founded.unchanged() == before
    assert founded.vault.register is register


def test_parties_and_peers_are_the_same_after_a_restart(tmp_path: Path) -> None:
    heads = MemoryHeads()
    bench = Bench(open_vault(LmdbEngine(tmp_path, SMALL), heads))
    enter(
        bench,
        *opening(),
        *(admission(), connection(), connection("other"), admission(TREASURY)),
        *(dismissal(TREASURY), admission(name="另一名称")),
    )
    register = bench.vault.register
    bench.vault.close()

    again = open_vault(LmdbEngine(tmp_path, SMALL), heads)

    assert again.register == register
    assert again.register.peers[BANK].peer.heads == ("other",)
    assert again.register.is_dismissed(TREASURY)
    assert again.register.parties[BANK].party.name == "另一名称"
    again.close()


@pytest.mark.clause("hubei-36")
def test_verify_judges_again_who_said_how_a_peer_is_believed(founded: Bench) -> None:
    def judge(sealed: bytes, leaf: Leaf, names: object) -> Document:
        del leaf, names
        said = SAID[sealed]
        if isinstance(said.matter, PeerConnection):
            said = replace(said, signers=(MANAGER, SUPERVISOR))
        return replace(registered(said), registration=said)

    with founded.vault._engine.reading() as reading:
        report = verify_vault(reading, origin=ORIGIN, judge=judge, register=UNFOUNDED)

    assert [(one.fault, one.index, one.detail) for one in report.findings] == [
        (Fault.REGISTRATION_REFUSED, 4, "SIGNERS_REFUSED")
    ]
