"""What a void certificate sealed is found in the vault, however it came to be there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.deeds import EnterRegistration, Witness
from counterfoil.domain.document import Document
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.register_refusals import CertificateLost, FilingMissing
from counterfoil.domain.registration import (
    AgreedWay,
    Agreement,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    CertificateDemand,
    Filing,
    FilingWithdrawal,
    Founding,
    LossNotice,
    Matter,
    PostAssignment,
    Registration,
    Revocation,
)
from counterfoil.domain.standing import Act
from counterfoil.domain.witnessing import Earlier, EarlierProof
from counterfoil.tlog.merkle import leaf_hash
from counterfoil.vault import arrival, entering
from counterfoil.vault.findings import Fault
from counterfoil.vault.verify import verify_vault
from tests.contract.vaults import (
    BANK,
    FINANCE,
    LANES,
    ORIGIN,
    SAID,
    UNFOUNDED,
    Bench,
    peer_checkpoint,
    recorded,
    registered,
    step,
    voucher,
)

SEAL, CARD, THEIR_SEAL, STRAY = b"s" * 32, b"c" * 32, b"t" * 32, b"?" * 32
K = DocumentKind


def person(name: str, party: str = FINANCE) -> Identity:
    return Identity(party=party, use=Use.PERSON, name=name)


def institution(party: str) -> Identity:
    return Identity(party=party, use=Use.INSTITUTION, name="1")


MANAGER, SUPERVISOR, OFFICER = person("m"), person("s"), person("o")
REVIEWER, THEIRS, THEIR_OFFICER = person("r"), person("s", BANK), person("o", BANK)
OTHER_SEAL = Identity(party=BANK, use=Use.INSTITUTION, name="2")
KEYS = {MANAGER: b"m" * 32, SUPERVISOR: b"p" * 32, OFFICER: b"f" * 32}


@dataclass
class House:
    """A vault, and what its documents state when they are judged again."""

    bench: Bench
    stated: dict[bytes, Document]

    def register(
        self, matter: Matter, *signers: Identity, by: str = FINANCE, lost: bytes = b""
    ) -> Document:
        """Take in a registration."""
        said = Registration(
            by=by,
            number=f"p{len(SAID)}",
            told=(),
            explanation="",
            matter=matter,
            signers=signers,
            digest=b"",
        )
        keys = (lost,) if lost else tuple(KEYS.get(who, b"") for who in signers)
        document = registered(said, signers=keys)
        self.stated[document.sealed] = document
        if by == FINANCE:
            deed = EnterRegistration(document=document, lanes=LANES)
            recorded(self.bench.one(deed))
        else:
            recorded(self.bench.arrive(document).outcomes[0])
        return document

    def enter(
        self, document: Document, *, persons: tuple[bytes, ...] = (), send: bool = False
    ) -> int:
        """Enter a document of ours; return its leaf."""
        self.stated[document.sealed] = replace(
            document, signers=(*persons, *document.signers)
        )
        entered = replace(document, beneath=persons)
        return recorded(self.bench.enter(entered, send=send)).leaf

    def arrive(self, document: Document) -> int:
        """Let one of the bank's arrive; return its leaf."""
        self.stated[document.sealed] = document
        return recorded(self.bench.arrive(document).outcomes[0]).leaf

    def found(self) -> list[tuple[Fault, int, str]]:
        """Return what a verification finds."""

        def judge(sealed: bytes, leaf: Leaf, names: object) -> Document:
            del leaf, names
            return self.stated[sealed]

        with self.bench.vault._engine.reading() as reading:
            report = verify_vault(
                reading, origin=ORIGIN, judge=judge, register=UNFOUNDED
            )
        return [(one.fault, one.index, one.detail) for one in report.findings]

    def put_to_use(self, holder: Identity, certificate: bytes) -> None:
        """Apply for a certificate, approve and activate it."""
        application = self.register(
            CertificateApplication(holder=holder, public_key=certificate), MANAGER
        ).digest
        self.register(CertificateApproval(application=application), OFFICER)
        active = CertificateActivation(
            application=application,
            certificate=certificate,
            public_key=certificate,
            holder=holder,
            valid_until_us=2**62,
        )
        self.register(active, MANAGER)


def filing(holder: Identity, amount_max_fen: int = 0) -> Filing:
    return Filing(
        holder=holder,
        types=frozenset(),
        amount_max_fen=amount_max_fen,
        positions=frozenset(),
        valid_from="20250101",
        valid_until="20991231",
    )


@pytest.fixture
def house(bench: Bench) -> House:
    house = House(bench, {})
    founding = Founding(
        supervisor=SUPERVISOR, system_manager=MANAGER, certificates=(SEAL,)
    )
    house.register(founding, MANAGER, SUPERVISOR)
    agreed = Agreement(
        parties=(FINANCE, BANK),
        ways=tuple(
            AgreedWay(issuer=issuer, types=frozenset({5201}))
            for issuer in (FINANCE, BANK)
        ),
        valid_from="20250101",
        valid_until="20991231",
    )
    house.register(agreed, SUPERVISOR, THEIRS)
    officer = PostAssignment(holder=OFFICER, post=Post.SECURITY_OFFICER)
    house.register(officer, MANAGER, SUPERVISOR)
    for holder in (institution(FINANCE), REVIEWER):
        house.register(filing(holder), OFFICER, SUPERVISOR)
    their = filing(institution(BANK), 10_000)
    house.register(their, THEIRS, THEIR_OFFICER, by=BANK)
    return house


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let documents be written without asking what stands registered."""

    def ask_nothing(*_: object) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(arrival, "require_good_seals", ask_nothing)
        patch.setattr(entering, "require_own_seals", ask_nothing)
        yield


def ours(number: str = "1", *, seal: bytes = SEAL) -> Document:
    """Return a voucher of ours that a person has reviewed."""
    sealings = (("cs", REVIEWER.to_urn()), ("gz", institution(FINANCE).to_urn()))
    return replace(voucher(number, to=(BANK,)), signers=(seal,), sealings=sealings)


def theirs(number: str = "1", seal: bytes = THEIR_SEAL) -> Document:
    """Return a voucher of the bank's."""
    sealings = (("gz", institution(BANK).to_urn()),)
    document = voucher(number, issuer=BANK, to=(FINANCE,))
    return replace(document, signers=(seal,), sealings=sealings)


@pytest.mark.clause("hubei-14")
@pytest.mark.usefixtures("careless")
def test_what_a_lost_certificate_sealed_is_found_where_it_arrived(house: House) -> None:
    house.arrive(theirs("1"))
    house.register(
        LossNotice(certificate=THEIR_SEAL, holder=institution(BANK)), THEIRS, by=BANK
    )

    late = house.arrive(theirs("2"))
    house.arrive(theirs("3", seal=STRAY))
    about = ours()
    house.enter(about, persons=(CARD,), send=True)
    receipt = replace(step(K.RECEIPT, about), signers=(STRAY, THEIR_SEAL))
    with_enclosure = house.arrive(receipt)

    # What had come before the notice, and what another certificate sealed, is good.
    assert house.found() == [
        (Fault.SIGNER_REFUSED, late, "CERTIFICATE_LOST"),
        (Fault.SIGNER_REFUSED, with_enclosure, "CERTIFICATE_LOST"),
    ]


@pytest.mark.clause("hubei-13", "hubei-14")
@pytest.mark.usefixtures("careless")
def test_what_void_certificates_sealed_of_ours_is_found_where_it_entered(
    house: House,
) -> None:
    house.enter(ours("1"), persons=(CARD,))
    unused = house.enter(ours("2", seal=STRAY), persons=(CARD,))
    revoked = Revocation(certificate=CARD, holder=REVIEWER)
    house.register(revoked, OFFICER, SUPERVISOR)
    reviewed = house.enter(ours("3"), persons=(CARD,))
    house.register(
        LossNotice(certificate=SEAL, holder=institution(FINANCE)), SUPERVISOR
    )
    sealed = house.enter(ours("4"), persons=(b"d" * 32,))

    assert house.found() == [
        (Fault.SIGNER_REFUSED, unused, "CERTIFICATE_NOT_ACTIVE"),
        (Fault.SIGNER_REFUSED, reviewed, "CERTIFICATE_LOST"),
        (Fault.SIGNER_REFUSED, sealed, "CERTIFICATE_LOST"),
    ]


@pytest.mark.clause("hubei-13")
@pytest.mark.usefixtures("careless")
def test_a_review_by_a_card_that_was_not_put_to_use_is_found(house: House) -> None:
    for holder, key in KEYS.items():
        house.put_to_use(holder, key)
    house.enter(ours("1"), persons=(CARD,))
    house.register(CertificateDemand(party=FINANCE), OFFICER, SUPERVISOR)
    early = house.enter(ours("2"), persons=(CARD,))
    house.put_to_use(REVIEWER, CARD)
    house.enter(ours("3"), persons=(CARD,))

    assert house.found() == [(Fault.SIGNER_REFUSED, early, "CERTIFICATE_NOT_ACTIVE")]


@pytest.mark.clause("hubei-15b")
@pytest.mark.usefixtures("careless")
def test_a_seal_outside_its_filing_is_found(house: House) -> None:
    house.arrive(theirs("1"))
    large = house.arrive(replace(theirs("2"), amount_fen=10_001))

    assert house.found() == [(Fault.SIGNER_REFUSED, large, "OUTSIDE_FILING")]


def skip_void(register: object, signers: object) -> None:
    """Stand in for a program that does not ask what is void."""


@pytest.mark.clause("hubei-14")
def test_a_registration_that_a_lost_card_signed_is_found(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.register(LossNotice(certificate=CARD, holder=THEIRS), THEIRS, by=BANK)
    lost = LossNotice(certificate=STRAY, holder=institution(BANK))
    size = house.bench.vault.size()
    with monkeypatch.context() as patch:
        patch.setattr(type(house.bench.vault.register), "require_not_void", skip_void)
        house.register(lost, THEIRS, by=BANK, lost=CARD)

    assert house.found() == [(Fault.REGISTRATION_REFUSED, size, "CERTIFICATE_LOST")]


@pytest.mark.parametrize("write", [ours, theirs])
def test_without_a_founded_register_or_a_judge_nothing_is_asked(
    bench: Bench, write: Callable[[], Document]
) -> None:
    house, document = House(bench, {}), write()
    take = house.enter if document.by == FINANCE else house.arrive

    take(document)

    assert house.found() == []


# --- what came late ---------------------------------------------------------------


def entered(document: Document) -> bytes:
    """Return the leaf by which a document entered the bank's log."""
    return Leaf(
        act=Act.ENTER,
        kind=document.kind,
        time_us=1,
        subject=document.subject,
        document=document.digest,
        version=document.version,
        by=BANK,
    ).to_bytes()


def witnessed(house: House, document: Document) -> Document:
    """Witness a log of the bank's that holds one document; return it with the proof."""
    root = leaf_hash(entered(document))
    seen = Witness(carrier=BANK, root=root, note=peer_checkpoint(root, 1))
    head = recorded(house.bench.one(seen))
    proof = EarlierProof(witness=head.leaf, index=0, leaf=entered(document), hashes=())
    earlier = Earlier(time_us=head.time_us, proof=proof.to_bytes())
    return replace(document, earlier=earlier)


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
def test_what_was_witnessed_before_a_notice_arrives_after_it(house: House) -> None:
    late = witnessed(house, theirs("1"))
    assert late.earlier is not None
    lost = LossNotice(certificate=THEIR_SEAL, holder=institution(BANK))
    house.register(lost, THEIRS, by=BANK)
    notice_us = house.bench.vault.register.voided[THEIR_SEAL].time_us
    before = house.bench.unchanged()

    for time_us in (notice_us, notice_us + 1):
        younger = replace(late, earlier=replace(late.earlier, time_us=time_us))
        (refused,) = house.bench.arrive(younger).outcomes
        assert isinstance(refused, CertificateLost)
    (refused,) = house.bench.arrive(theirs("1")).outcomes
    assert isinstance(refused, CertificateLost)
    assert house.bench.unchanged() == before

    house.arrive(late)
    assert house.found() == []


@pytest.mark.clause("hubei-14")
@pytest.mark.usefixtures("careless")
def test_what_was_witnessed_after_a_notice_is_found(house: House) -> None:
    lost = LossNotice(certificate=THEIR_SEAL, holder=institution(BANK))
    house.register(lost, THEIRS, by=BANK)

    late = house.arrive(witnessed(house, theirs("1")))

    assert house.found() == [(Fault.SIGNER_REFUSED, late, "CERTIFICATE_LOST")]


@pytest.mark.clause("hubei-15b")
@pytest.mark.refusal("FILING_MISSING")
def test_a_filing_counts_as_of_then_if_nobody_withdrew_it(house: House) -> None:
    first, second = theirs("1"), theirs("2")
    other = replace(second, sealings=(("gz", OTHER_SEAL.to_urn()),))
    short = replace(filing(OTHER_SEAL), valid_until="20260101")
    filed = house.register(short, THEIRS, THEIR_OFFICER, by=BANK)
    late = witnessed(house, other)
    house.bench.clock.now += 5 * 24 * 3600 * 1_000_000  # it has ended

    (refused,) = house.bench.arrive(other).outcomes
    assert isinstance(refused, FilingMissing)
    withdrawn = FilingWithdrawal(filing=filed.digest)
    house.arrive(first)
    house.arrive(late)
    assert house.found() == []
    third = replace(theirs("3"), sealings=other.sealings, earlier=late.earlier)
    house.register(withdrawn, THEIRS, THEIR_OFFICER, by=BANK)
    (refused,) = house.bench.arrive(third).outcomes
    assert isinstance(refused, FilingMissing)
