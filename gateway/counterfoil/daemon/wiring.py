"""Puts use cases on their ports, and services on their use cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from counterfoil.app.acts import PerformActs
from counterfoil.app.audit import AnswerAudit
from counterfoil.app.audit_rows import FindRows
from counterfoil.app.cancel_seals import CancelSeals
from counterfoil.app.inquire import InquireVoucher
from counterfoil.app.national import WriteNational
from counterfoil.app.ports import Clock, Follower, Ledger, Workbench
from counterfoil.app.progress import TellProgress
from counterfoil.app.prove import ProveLog
from counterfoil.app.read import ReadArrivals, WatchVouchers
from counterfoil.app.receipts import IssueReceipts
from counterfoil.app.receive import ReceiveDocuments
from counterfoil.app.register import EnterRegistrations
from counterfoil.app.review import ReviewDrafts
from counterfoil.app.seal_drafts import SealDrafts
from counterfoil.app.sealed import GiveSealed
from counterfoil.app.search import SearchVouchers
from counterfoil.app.send import SendVouchers
from counterfoil.app.steps import TakeSteps
from counterfoil.app.submit import SubmitVouchers
from counterfoil.app.works import Certificates, Works
from counterfoil.app.write import WriteDrafts
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.time_stamping import book_of
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.domain.registry import Registry
from counterfoil.rpc.audit import AuditServicer
from counterfoil.rpc.desk import DeskServicer
from counterfoil.rpc.draining import Draining
from counterfoil.rpc.exchange import ExchangeServicer
from counterfoil.rpc.limits import Limits
from counterfoil.rpc.registry import RegistryServicer
from counterfoil.rpc.services import Services
from counterfoil.rpc.sightings import Sightings
from counterfoil.rpc.views import LaneView, certificate_views, peer_views
from counterfoil.vault.vault import EngineVault
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.registrations import matter_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """The parts of one gateway, opened, and what is made of them.

    Attributes:
        configuration: What the gateway was started with.
        registry: The parties.
        receive: Takes in what peers deliver, and what arrives where it was sent.
        prove: Proves what the log holds.
        vault: The vault.
        workbench: Drafts.
        ledger: What is searched.
        follower: Keeps the ledger up with the vault.
        works: Where batches are checked and sealed.
        trust: Judges callers.
        own: Returns the certificates that this gateway shows and seals with.
        certificates: Finds the certificates that seals name.
        clock: Our clock.
        draining: Whether the gateway is about to stop.
        lanes: Return how it stands with the ways to peers.
        sightings: What was seen of callers.
        settle: Returns once callers and seals are judged by what is registered now.
    """

    configuration: Configuration
    registry: Registry
    receive: ReceiveDocuments
    prove: ProveLog
    vault: EngineVault
    workbench: Workbench
    ledger: Ledger
    follower: Follower
    works: Works
    trust: TrustKeeper
    own: Callable[[], list[bytes]]
    certificates: Certificates
    clock: Clock
    draining: Draining
    lanes: Callable[[], Iterable[LaneView]]
    sightings: Sightings
    settle: Callable[[], Awaitable[None]]

    def services(self) -> Services:
        """Return all that the gateway serves."""
        limits = self.configuration.limits
        bounds = Limits(
            batch_documents_max=limits.batch_documents_max,
            batch_bytes_max=limits.batch_bytes_max,
            document_bytes_max=limits.document_bytes_max,
        )
        return Services(
            desk=self._desk(bounds, limits.window_batches),
            exchange=ExchangeServicer(
                receive=self.receive,
                tell=TellProgress(vault=self.vault, registry=self.registry),
                prove=self.prove,
                vault=self.vault,
                limits=bounds.of_contract(),
                draining=self.draining,
                window_batches=limits.window_batches,
            ),
            registry=RegistryServicer(
                vault=self.vault,
                enter=self._enter(),
                kept=self.certificates,
                peers=lambda: peer_views(self.lanes(), self.vault.lane_lengths()),
                certificates=lambda party: certificate_views(
                    self.own(),
                    self.trust.judge_caller,
                    party,
                    self.vault.register.name_of,
                ),
            ),
            audit=AuditServicer(
                answer=AnswerAudit(
                    enter=self._enter(),
                    clock=self.clock,
                    rows=FindRows(
                        vault=self.vault,
                        sightings=self.sightings,
                        matter_of=matter_of,
                    ),
                ),
                kept=self.certificates,
            ),
        )

    def _enter(self) -> EnterRegistrations:
        return EnterRegistrations(
            vault=self.vault,
            works=self.works,
            registry=self.registry,
            clock=self.clock,
            settle=self.settle,
        )

    def _national(self) -> WriteNational:
        return WriteNational(
            vault=self.vault,
            ledger=self.ledger,
            follower=self.follower,
            works=self.works,
            registry=self.registry,
        )

    def _inquire(self) -> InquireVoucher:
        return InquireVoucher(
            vault=self.vault,
            ledger=self.ledger,
            follower=self.follower,
            time_stamps=book_of(self.configuration),
        )

    def _cancel_seals(self) -> CancelSeals:
        return CancelSeals(
            vault=self.vault,
            workbench=self.workbench,
            works=self.works,
            certificates=self.certificates,
            catalogue=CATALOGUE,
        )

    def _desk(self, limits: Limits, window_batches: int) -> DeskServicer:
        vault, works, workbench = self.vault, self.works, self.workbench
        registry, clock, certificates = self.registry, self.clock, self.certificates
        ledger, follower = self.ledger, self.follower
        return DeskServicer(
            write=WriteDrafts(
                vault=vault,
                workbench=workbench,
                works=works,
                registry=registry,
                catalogue=CATALOGUE,
                clock=clock,
            ),
            review=ReviewDrafts(
                vault=vault,
                workbench=workbench,
                works=works,
                certificates=certificates,
                catalogue=CATALOGUE,
                clock=clock,
            ),
            seal=SealDrafts(
                vault=vault,
                workbench=workbench,
                works=works,
                certificates=certificates,
                registry=registry,
                clock=clock,
                judge_reviewer=self.trust.judge_reviewer,
            ),
            cancel_seals=self._cancel_seals(),
            send=SendVouchers(vault=vault, registry=registry),
            submit=SubmitVouchers(
                vault=vault,
                works=works,
                registry=registry,
                catalogue=CATALOGUE,
                clock=clock,
            ),
            read=ReadArrivals(vault=vault),
            steps=TakeSteps(vault=vault, works=works, registry=registry, clock=clock),
            acts=PerformActs(vault=vault),
            receipts=IssueReceipts(
                vault=vault,
                works=works,
                registry=registry,
                catalogue=CATALOGUE,
                clock=clock,
            ),
            sealed=GiveSealed(vault=vault),
            national=self._national(),
            inquire=self._inquire(),
            search=SearchVouchers(vault=vault, ledger=ledger, follower=follower),
            watch=WatchVouchers(vault=vault),
            certificates=certificates,
            limits=limits,
            draining=self.draining,
            window_batches=window_batches,
        )
