"""An institution inside a test: real vault, workbench, works, ledger; no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from counterfoil.app.acts import PerformActs
from counterfoil.app.cancel_seals import CancelSeals
from counterfoil.app.deliver import RecordDelivery
from counterfoil.app.inquire import InquireVoucher
from counterfoil.app.national import WriteNational
from counterfoil.app.peer_answers import LeafProof, PeerOutcome, PeerResponse
from counterfoil.app.ports import LaneItem
from counterfoil.app.progress import TellProgress
from counterfoil.app.prove import ProveLog
from counterfoil.app.read import ReadArrivals, WatchVouchers
from counterfoil.app.receipts import IssueReceipts, ReceiptDraft
from counterfoil.app.receive import ReceiveDocuments
from counterfoil.app.review import ReviewDrafts
from counterfoil.app.seal_drafts import SealDrafts
from counterfoil.app.sealed import GiveSealed
from counterfoil.app.search import SearchVouchers
from counterfoil.app.send import SendVouchers
from counterfoil.app.steps import Step, TakeSteps
from counterfoil.app.submit import SubmitVouchers
from counterfoil.app.write import WriteDrafts
from counterfoil.daemon.beginnings import empty_register
from counterfoil.daemon.stores import PeerHeadBook
from counterfoil.domain.catalogue import Catalogue, DocumentKind, PartyKind
from counterfoil.domain.deeds import Committed, Outcome, Recorded
from counterfoil.domain.drafts import DraftRow
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import CounterfoilError, Unavailable
from counterfoil.domain.registry import Caller, Party, Registry
from counterfoil.domain.standing import Standing
from counterfoil.domain.voucher import VoucherKey
from counterfoil.ledger.follower import LedgerFollower
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.seal.certificates import load_certificate
from counterfoil.seal.head_keys import head_signers
from counterfoil.seal.sign import Sealer, SealOrder
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustMaterial
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.tlog.checkpoint import Checkpoint, sign_checkpoint
from counterfoil.tlog.ed25519 import Ed25519Signer
from counterfoil.tlog.ml_dsa import MlDsa44Signer
from counterfoil.tlog.note import NoteVerifier
from counterfoil.tlog.verifiers import verifier_of
from counterfoil.vault.heads import MemoryHeads
from counterfoil.vault.memory_engine import MemoryEngine
from counterfoil.vault.vault import EngineVault
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.certificates import KeptCertificates
from counterfoil.wire.keys import key_from_message
from counterfoil.wire.registrations import stored_registration
from counterfoil.wire.seals import seal_from_bytes, seal_to_bytes
from counterfoil.wire.workshop import Workshop
from counterfoil.workbench.workbench import SqlWorkbench
from tests.doubles import InProcessWorks, SetClock, kept
from tests.unit.app.papers import BANK, FINANCE, OTHER_BANK, UNIT, draft_of
from tests.unit.seal.makers import HOUR, NOW, NOW_US, Pki

T = TypeVar("T")

CARRIERS = {FINANCE: FINANCE, BANK: BANK, OTHER_BANK: OTHER_BANK, UNIT: FINANCE}
KINDS = {
    FINANCE: PartyKind.FINANCE,
    BANK: PartyKind.AGENT_BANK,
    OTHER_BANK: PartyKind.AGENT_BANK,
    UNIT: PartyKind.BUDGET_UNIT,
}
PARTIES = {
    code: Party(code=code, name="机构", kind=KINDS[code], carrier=carrier)
    for code, carrier in CARRIERS.items()
}
POSTS = {
    "first": Post.FIRST_REVIEWER,
    "second": Post.SECOND_REVIEWER,
    "system": Post.BUSINESS_SYSTEM,
}
RETRY_S = 2.0
SEVERAL = Catalogue(
    {code: replace(row, recipients_max=8) for code, row in CATALOGUE.rows.items()},
    CATALOGUE.default_plans,
)
"""The catalogue as if every type could go to several recipients at once."""


@dataclass(frozen=True)
class Keys:
    """Everybody's keys, made once: a development CA in memory.

    Attributes:
        pki: The CA.
        sealers: Seals by party and name: `1` is the institution's, others persons'.
        heads: The keys of each gateway's log.
    """

    pki: Pki
    sealers: Mapping[tuple[str, str], Sealer]
    heads: Mapping[str, tuple[Ed25519Signer, MlDsa44Signer]]

    @classmethod
    def new(cls) -> Keys:
        pki = Pki.new("app")
        sealers = {
            (party, name): pki.sealer(use, name, party=party)
            for party in CARRIERS
            for use, name in (
                ("institution", "1"),
                ("person", "first"),
                ("person", "second"),
            )
        }
        heads = {
            party: head_signers(
                f"{party}/log",
                Ed25519PrivateKey.generate(),
                MLDSA44PrivateKey.generate(),
            )
            for party in set(CARRIERS.values())
        }
        return cls(pki, sealers, heads)

    @property
    def material(self) -> TrustMaterial:
        return self.pki.material()

    def verifiers(self, party: str) -> tuple[NoteVerifier, ...]:
        return tuple(verifier_of(signer.key) for signer in self.heads[party])


@dataclass(kw_only=True)
class House:
    """One gateway's use cases on real stores, and short words for what tests do."""

    party: str
    keys: Keys
    clock: SetClock
    vault: EngineVault
    heads: MemoryHeads
    workbench: SqlWorkbench
    ledger: SqlLedger
    follower: LedgerFollower
    works: InProcessWorks
    registry: Registry
    catalogue: Catalogue = CATALOGUE
    certificates: KeptCertificates = field(init=False)

    def __post_init__(self) -> None:
        self.certificates = KeptCertificates(
            find=self.vault.certificate,
            authorities=lambda: self.keys.material.authorities,
            lists=lambda: self.keys.material.crls,
        )

    # --- use cases -----------------------------------------------------------------

    @property
    def write(self) -> WriteDrafts:
        return WriteDrafts(
            vault=self.vault,
            workbench=self.workbench,
            works=self.works,
            registry=self.registry,
            catalogue=self.catalogue,
            clock=self.clock,
        )

    @property
    def review(self) -> ReviewDrafts:
        return ReviewDrafts(
            vault=self.vault,
            workbench=self.workbench,
            works=self.works,
            certificates=self.certificates,
            catalogue=self.catalogue,
            clock=self.clock,
        )

    @property
    def seal(self) -> SealDrafts:
        return SealDrafts(
            vault=self.vault,
            workbench=self.workbench,
            works=self.works,
            certificates=self.certificates,
            registry=self.registry,
            clock=self.clock,
        )

    @property
    def submit(self) -> SubmitVouchers:
        return SubmitVouchers(
            vault=self.vault,
            works=self.works,
            registry=self.registry,
            catalogue=self.catalogue,
            clock=self.clock,
        )

    @property
    def send(self) -> SendVouchers:
        return SendVouchers(vault=self.vault, registry=self.registry)

    @property
    def cancel(self) -> CancelSeals:
        return CancelSeals(
            vault=self.vault,
            workbench=self.workbench,
            works=self.works,
            certificates=self.certificates,
            catalogue=self.catalogue,
        )

    @property
    def receive(self) -> ReceiveDocuments:
        return ReceiveDocuments(
            vault=self.vault,
            works=self.works,
            registry=self.registry,
            catalogue=self.catalogue,
            clock=self.clock,
        )

    @property
    def steps(self) -> TakeSteps:
        return TakeSteps(
            vault=self.vault,
            works=self.works,
            registry=self.registry,
            clock=self.clock,
        )

    @property
    def acts(self) -> PerformActs:
        return PerformActs(vault=self.vault)

    @property
    def receipts(self) -> IssueReceipts:
        return IssueReceipts(
            vault=self.vault,
            works=self.works,
            registry=self.registry,
            catalogue=self.catalogue,
            clock=self.clock,
        )

    @property
    def inquire(self) -> InquireVoucher:
        return InquireVoucher(
            vault=self.vault, ledger=self.ledger, follower=self.follower
        )

    @property
    def given_again(self) -> GiveSealed:
        return GiveSealed(vault=self.vault)

    @property
    def national(self) -> WriteNational:
        return WriteNational(
            vault=self.vault,
            ledger=self.ledger,
            follower=self.follower,
            works=self.works,
            registry=self.registry,
        )

    @property
    def search(self) -> SearchVouchers:
        return SearchVouchers(
            vault=self.vault, ledger=self.ledger, follower=self.follower
        )

    @property
    def tell(self) -> TellProgress:
        return TellProgress(vault=self.vault, registry=self.registry)

    @property
    def prove(self) -> ProveLog:
        return ProveLog(vault=self.vault, registry=self.registry)

    @property
    def read(self) -> ReadArrivals:
        return ReadArrivals(vault=self.vault)

    @property
    def watch(self) -> WatchVouchers:
        return WatchVouchers(vault=self.vault)

    def record(self, carrier: str) -> RecordDelivery:
        return RecordDelivery(
            vault=self.vault,
            heads=PeerHeadBook(self.heads),
            carrier=carrier,
            origin=f"{carrier}/log",
            verifiers=self.keys.verifiers(carrier),
            retry_s=RETRY_S,
        )

    # --- people --------------------------------------------------------------------

    def caller(self, name: str = "system", party: str = "") -> Caller:
        """Return a caller at this desk: `first`, `second` or the business system."""
        # A system calls with a certificate of its own; that it is the seal's here
        # changes nothing, since nobody looks at it.
        key = (party or self.party, "1" if name == "system" else name)
        sealer = self.keys.sealers[key]
        return Caller(
            identity=sealer.identity,
            posts=frozenset({POSTS[name]}),
            certificate=sealer.certificate,
            certificate_digest=sealer.certificate_digest,
        )

    def personal_seal(self, row: DraftRow, name: str, *, seat: int = -1) -> bytes:
        """Return a person's seal for the next position of a draft, or for `seat`."""
        plan = CATALOGUE.row(row.key.type_code).plan
        position = plan.positions[seat if seat >= 0 else len(row.seals)]
        sealer = self.keys.sealers[row.party, name]
        return seal_to_bytes(
            sealer.seal(
                SealOrder(
                    document_kind=DocumentKind.VOUCHER,
                    payload_digest=row.digest,
                    position=position.id,
                    purpose=position.purpose,
                    beneath=tuple(seal_from_bytes(seal) for seal in row.seals),
                ),
                stated_time_us=self.clock.us,
            )
        )

    # --- what happens in most tests ------------------------------------------------

    async def written(self, voucher: voucher_pb2.Voucher, party: str = "") -> DraftRow:
        """Write a draft."""
        (row,) = await self.write([draft_of(voucher)], caller=self.caller(party=party))
        return fine(row)

    async def reviewed(self, row: DraftRow, *names: str, party: str = "") -> DraftRow:
        """Let persons seal a draft."""
        for name in names or ("first", "second"):
            (sealed,) = await self.review(
                [(row.digest, self.personal_seal(row, name))],
                caller=self.caller(name, party),
            )
            row = replace(row, seals=fine(sealed).seals)
        return row

    async def sealed(
        self, voucher: voucher_pb2.Voucher, *, send: bool = False, party: str = ""
    ) -> DraftRow:
        """Write, review and seal a voucher."""
        row = await self.written(voucher, party)
        row = await self.reviewed(row, party=party)
        ((_, outcome),) = await self.seal(
            [row.digest], send=send, caller=self.caller(party=party)
        )
        fine(outcome)
        return row

    async def sent(self, voucher: voucher_pb2.Voucher, party: str = "") -> DraftRow:
        """Write, review, seal and send a voucher."""
        return await self.sealed(voucher, send=True, party=party)

    async def step(
        self,
        kind: DocumentKind,
        row: DraftRow,
        explanation: str = "原因",
        *,
        party: str = "",
    ) -> Recorded:
        """Take one step about a voucher."""
        (outcome,) = await self.steps(
            kind,
            [Step(key=row.key, digest=row.digest, explanation=explanation)],
            caller=self.caller(party=party),
        )
        return fine(outcome)

    def standing(self, key: VoucherKey, recipient: str = "") -> Standing:
        """Return where a voucher stands."""
        entry = kept(self.vault, key)
        assert entry is not None
        (passage,) = [
            each
            for each in entry.passages
            if not recipient or each.recipient == recipient
        ]
        return passage.standing

    async def state(self, *rows: DraftRow) -> tuple[object, ...]:
        """Return everything that a refusal must leave as it is."""
        return (
            self.vault.size(),
            self.vault.lane_lengths(),
            [kept(self.vault, row.key) for row in rows],
            [
                await self.workbench.get(party, [row.digest for row in rows])
                for party in sorted(self.registry.hosted)
            ],
            [
                [
                    one.leaf_index
                    for one in self.vault.waiting(party, after=-1, limit=99)
                ]
                for party in sorted(self.registry.hosted)
            ],
        )


def fine(outcome: T | CounterfoilError) -> T:
    """Return what was not refused, or raise the refusal."""
    if isinstance(outcome, CounterfoilError):
        raise outcome
    return outcome


def filled_in(
    row: DraftRow, receipt: bytes, *copies: str, digest: bytes = b""
) -> ReceiptDraft:
    """Return a receipt of a voucher as a business system hands it over."""
    return ReceiptDraft(
        key=row.key, digest=digest or row.digest, receipt=receipt, copies=copies
    )


def reasons(outcomes: Iterable[object]) -> list[str]:
    """Return the reason of each refusal, and an empty text for what was done."""
    return [one.reason if isinstance(one, CounterfoilError) else "" for one in outcomes]


def name_of(voucher: voucher_pb2.Voucher) -> tuple[VoucherKey, bytes]:
    """Return a voucher's key and the digest of its bytes."""
    payload = voucher.SerializeToString(deterministic=True)
    return key_from_message(voucher.key), sha256(payload).digest()


async def recorded(
    delivery: RecordDelivery,
    batch: Sequence[LaneItem],
    response: PeerResponse,
    *,
    now_us: int,
) -> Committed:
    """Check a peer's answers and put them on record, as a lane does."""
    return await delivery.record(delivery.check(batch, response, now_us=now_us))


async def carried(
    sender: House, recipient: House
) -> tuple[list[LaneItem], Committed, PeerResponse]:
    """Let the recipient take everything in the lane; the answer is not recorded."""
    batch = sender.vault.lane(recipient.party, after=-1, limit=99)
    known = [
        certificate
        for item in batch
        for certificate in sender.certificates.of_document(item.sealed)
    ]
    committed = await recipient.receive(
        [item.sealed for item in batch], known, carrier=sender.party
    )
    return batch, committed, response_of(committed, sender, recipient)


def response_of(committed: Committed, sender: House, recipient: House) -> PeerResponse:
    """Return the answer that travels back, with the proofs that the sender asks for."""

    def each(outcome: Outcome) -> PeerOutcome:
        if isinstance(outcome, CounterfoilError):
            again = isinstance(outcome, Unavailable)
            size = int(outcome.facts.get("tree_size", 0))
            return PeerOutcome(
                reason=outcome.reason, retryable=again, earlier_size=size
            )
        if outcome.new:
            return PeerOutcome()
        proof = leaf_proof(sender, recipient, outcome.leaf)
        return PeerOutcome(known_leaf=outcome.leaf, proof=proof)

    return PeerResponse(
        checkpoint=committed.checkpoint,
        arrival_time_us=committed.time_us,
        first_leaf=committed.first_leaf,
        range_proof=committed.range_proof,
        outcomes=tuple(each(outcome) for outcome in committed.outcomes),
    )


def leaf_proof(asker: House, owner: House, index: int) -> LeafProof:
    """Return the proof of a leaf in the newest head of its owner."""
    proof = owner.prove.leaf(index, size=0, carrier=asker.party)
    assert proof.leaf is not None
    return LeafProof(
        leaf=proof.leaf.to_bytes(), hashes=proof.hashes, checkpoint=proof.checkpoint
    )


async def delivered(sender: House, recipient: House) -> Sequence[Outcome]:
    """Deliver everything in the lane and record the proof; return the outcomes."""
    batch, committed, response = await carried(sender, recipient)
    assert batch, "nothing waits in the lane"
    await recorded(
        sender.record(recipient.party), batch, response, now_us=sender.clock.us
    )
    return committed.outcomes


@asynccontextmanager
async def open_house(party: str, keys: Keys, directory: Path) -> AsyncIterator[House]:
    """Open a house; its ledger follows its vault until the end.

    Only finance's log has an SM3 tree.
    """
    clock = SetClock(NOW_US)
    signers = keys.heads[party]

    def sign(checkpoint: Checkpoint, time_s: int) -> bytes:
        return sign_checkpoint(checkpoint, signers, time_s)

    heads = MemoryHeads()
    registry = Registry(home=party, parties=PARTIES)
    vault = EngineVault(
        MemoryEngine(sm3_tree=party == FINANCE),
        heads,
        origin=f"{party}/log",
        sign=sign,
        sign_sm3=sign if party == FINANCE else None,
        clock=clock,
        register=empty_register(registry),
        read_registration=stored_registration,
    )
    place = directory / party
    workbench = SqlWorkbench.open(f"sqlite:///{place}/bench/w.sqlite", clock=clock)
    ledger = SqlLedger.open(f"sqlite:///{place}/ledger/l.sqlite")
    follower = LedgerFollower(vault, ledger)
    following = asyncio.create_task(follower.run())
    workshop = Workshop(
        trust=TrustStore(keys.material),
        sealers={code: keys.sealers[code, "1"] for code in registry.hosted},
    )
    await vault.keep_certificates(
        keys.sealers[code, "1"].certificate for code in sorted(registry.hosted)
    )
    try:
        yield House(
            party=party,
            keys=keys,
            clock=clock,
            vault=vault,
            heads=heads,
            workbench=workbench,
            ledger=ledger,
            follower=follower,
            works=InProcessWorks(workshop),
            registry=registry,
        )
    finally:
        follower.stop()
        await following
        await workbench.close()
        await ledger.close()
        vault.close()


def revoke(house: House, party: str, name: str = "1") -> None:
    """Let a house know that a seal counts no more since an hour ago.

    Args:
        house: Who learns of it.
        party: Whose seal.
        name: A person's; `1`: the institution's.
    """
    sealer = house.keys.sealers[party, name]
    serial = load_certificate(sealer.certificate).serial_number
    pki = replace(house.keys.pki, revoked={serial: NOW - HOUR})
    workshop = replace(house.works.workshop, trust=TrustStore(pki.material()))
    house.works = InProcessWorks(workshop)
