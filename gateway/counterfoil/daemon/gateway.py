"""The composition root: puts a gateway together, runs it, takes it down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import grpc

from counterfoil.app.prove import ProveLog
from counterfoil.app.receive import ReceiveDocuments
from counterfoil.daemon.alerts import AlertCode, Alerts
from counterfoil.daemon.asking import AskResponders, asking_of
from counterfoil.daemon.beginnings import registry_of, renew
from counterfoil.daemon.clock import SystemClock
from counterfoil.daemon.config import Configuration, ConfigurationRefused
from counterfoil.daemon.keys import (
    HeadSigners,
    load_head_signers,
    load_seals,
    own_head_verifiers,
    tell_nameless,
)
from counterfoil.daemon.lane_keeper import LaneKeeper
from counterfoil.daemon.lane_making import LaneMaking
from counterfoil.daemon.lanes import Lane
from counterfoil.daemon.lines import require_lines
from counterfoil.daemon.loopback import LoopbackLink
from counterfoil.daemon.parties import caller_judge, caller_posts
from counterfoil.daemon.refusal_record import record_of
from counterfoil.daemon.refusals import RefusalRecord
from counterfoil.daemon.reloading import Reloading
from counterfoil.daemon.renewal import Renewal
from counterfoil.daemon.scrubbing import Scrubbing
from counterfoil.daemon.stores import (
    open_heads,
    open_ledger,
    open_vault,
    open_workbench,
)
from counterfoil.daemon.tasks import ended, report_death
from counterfoil.daemon.time_stamping import TimeStamping, time_stamping_of
from counterfoil.daemon.tls import TlsKeeper
from counterfoil.daemon.trust import TrustKeeper
from counterfoil.daemon.watches import watches
from counterfoil.daemon.wiring import Wiring
from counterfoil.daemon.worker import SealMaterial
from counterfoil.daemon.works import ProcessWorks
from counterfoil.domain.party import origin_of
from counterfoil.domain.registry import Registry
from counterfoil.ledger.follower import FollowerStopped, LedgerFollower
from counterfoil.ledger.ledger import SqlLedger
from counterfoil.rpc.callers import CallerGate
from counterfoil.rpc.draining import Draining
from counterfoil.rpc.guard import Guard
from counterfoil.rpc.services import Services
from counterfoil.rpc.sightings import Sightings
from counterfoil.vault.heads import FileHeads
from counterfoil.vault.scrub import Scrub
from counterfoil.vault.vault import EngineVault
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.certificates import KeptCertificates
from counterfoil.workbench.workbench import SqlWorkbench

log = logging.getLogger("counterfoil.daemon")


@dataclass(slots=True)
class Gateway:
    """One running gateway.

    Attributes:
        configuration: What it was started with.
    """

    configuration: Configuration
    clock: SystemClock = field(default_factory=SystemClock)
    _alerts: Alerts = field(init=False)
    _record: RefusalRecord = field(init=False)
    _scrubbing: Scrubbing = field(init=False)
    _heads: FileHeads = field(init=False)
    _vault: EngineVault = field(init=False)
    _ledger: SqlLedger = field(init=False)
    _workbench: SqlWorkbench = field(init=False)
    _works: ProcessWorks = field(init=False)
    _trust: TrustKeeper = field(init=False)
    _ask: AskResponders = field(init=False)
    _registry: Registry = field(init=False)
    _lanes: LaneKeeper = field(init=False)
    _reloading: Reloading = field(init=False)
    _tls: TlsKeeper = field(init=False)
    _guard: Guard = field(init=False)
    _follower: LedgerFollower = field(init=False)
    _following: asyncio.Task[None] = field(init=False)
    _server: grpc.aio.Server = field(init=False)
    _services: Services = field(init=False)
    _settling: asyncio.Lock = field(default_factory=asyncio.Lock)
    _health_due: asyncio.Event = field(default_factory=asyncio.Event)
    _draining: Draining = field(default_factory=Draining)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """Open the stores, start the works and the lanes, and listen.

        Raises:
            ConfigurationRefused: Something the configuration names cannot be used,
                or the address is taken.
            VaultLocked: Another gateway has the vault open.
        """
        try:
            await self._open()
        except BaseException:
            await self._opened.aclose()
            raise
        log.info("serving", extra={"address": self.configuration.gateway.listen})

    async def _open(self) -> None:
        """Open everything; what was opened is closed in the reverse order."""
        configuration = self.configuration
        self._alerts = Alerts.load(configuration.directory)
        self._trust = TrustKeeper(
            configuration, self.clock.now_us, lambda one: self._ask.want([one])
        )
        self._ask = asking_of(
            configuration,
            self._trust,
            lambda: self._renewal().renew(),
            self.clock,
            self._alerts,
        )
        self._tls = TlsKeeper(configuration)
        seals, signers = load_seals(configuration), load_head_signers(configuration)
        self._heads = open_heads(configuration)
        self._opened.callback(self._heads.close)
        self._vault = open_vault(configuration, self._heads, self.clock, signers)
        self._opened.callback(self._vault.close)
        if not self._vault.register.is_founded:
            log.warning("the register is not founded; [[caller]] says who may call")
        stamps = time_stamping_of(configuration, self._vault, self._alerts, self.clock)
        self._trust.relist(self._vault.register.names())
        tell_nameless(seals, self._trust.store)
        require_lines(configuration, self._vault.register)
        self._registry = registry = registry_of(self._vault.register)
        self._record = record_of(
            configuration, self._vault, self._heads, self._alerts, self.clock
        )
        self._opened.push_async_callback(self._record.close)
        self._scrubbing = self._scrub(registry)
        self._opened.push_async_callback(self._scrubbing.close)
        # The ledger can catch up at the next start; the vault has it all.
        self._ledger = open_ledger(configuration)
        self._opened.push_async_callback(self._ledger.close)
        self._workbench = open_workbench(configuration, self.clock)
        self._opened.push_async_callback(self._workbench.close)
        self._works = self._make_works(seals)
        self._opened.push_async_callback(self._works.close)
        await self._works.warm_up()
        await self._vault.keep_certificates(
            [seal.certificate for seal in seals]
            + list(self._trust.material.authorities)
        )
        self._follower = LedgerFollower(self._vault, self._ledger)
        prove = ProveLog(vault=self._vault, registry=registry)
        receive = ReceiveDocuments(
            vault=self._vault,
            works=self._works,
            registry=registry,
            catalogue=CATALOGUE,
            clock=self.clock,
            settle=self._go_by_register,
        )
        self._lanes = self._keep_lanes(receive, prove, signers)
        await self._listen(registry, receive, prove)
        self._begin(stamps)
        await self._go_by_register()

    def _begin(self, stamping: TimeStamping | None) -> None:
        """Begin what goes on beside the calls."""
        self._following = self._spawn(self._follower.run(), "ledger")
        self._spawn(self._renewal().run(), "trust")
        if self.configuration.trust.ocsp:
            self._spawn(self._ask.run(), "responders")
        self._spawn(self._watch_vault(), "vault")
        self._spawn(self._watch_register(), "register")
        self._spawn(self._tell_health(), "health")
        self._spawn(self._record.run(), "refusals")
        self._spawn(self._scrubbing.run(), "scrub")
        if stamping is not None:
            self._spawn(stamping.run(), "time stamps")
        self._spawn(self._reloading.run(), "reloading")
        goes_by = self._reloading.goes_by
        for name, watch in watches(goes_by, self._vault, self._alerts, self.clock):
            self._spawn(watch, name)

    @property
    def lanes(self) -> list[Lane]:
        """The ways to peers, and to ourselves."""
        return list(self._lanes.lanes.values())

    def reload(self) -> None:
        """Read seals and the key of our connections again; the log says what came."""
        self._reloading.want()

    @property
    def stopped_reason(self) -> str:
        """Why the vault does not write; empty while it does."""
        return self._vault.stopped_reason

    async def stop(self) -> None:
        """Take no more calls, finish those under way, and close everything."""
        await self._services.leave()
        self._draining.begin()
        await self._server.stop(self.configuration.limits.drain_s_max)
        await ended(task for task in self._tasks if task is not self._following)
        # It can catch up at the next start, but what is still should agree.
        with suppress(FollowerStopped, TimeoutError):
            async with asyncio.timeout(self.configuration.limits.drain_s_max):
                await self._follower.caught_up(self._vault.size())
        await ended([self._following])
        await self._opened.aclose()
        log.info("stopped")

    def _make_works(self, seals: Sequence[SealMaterial]) -> ProcessWorks:
        return ProcessWorks(
            self._trust.material,
            seals,
            workers=self.configuration.seal.workers,
            in_batches=self.configuration.seal.batch,
            document_bytes_max=self.configuration.limits.document_bytes_max,
            changed=self._health_due.set,
            unknown=self._ask.want,
        )

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(report_death)
        self._tasks.append(task)
        return task

    def _keep_lanes(
        self, receive: ReceiveDocuments, prove: ProveLog, signers: HeadSigners
    ) -> LaneKeeper:
        making = LaneMaking(
            configuration=self.configuration,
            vault=self._vault,
            heads=self._heads,
            certificates=self._certificates(),
            credentials=self._tls.channel,
            clock=self.clock,
        )
        return LaneKeeper(
            making=making,
            vault=self._vault,
            home=LoopbackLink(receive=receive, prove=prove),
            home_verifiers=own_head_verifiers(signers),
            spawn=self._spawn,
        )

    def _renewal(self) -> Renewal:
        return Renewal(
            trust=self._trust,
            tls=self._tls,
            works=self._works,
            guard=self._guard,
            vault=self._vault,
            every_s=self.configuration.trust.reload_s,
        )

    def _scrub(self, registry: Registry) -> Scrubbing:
        return Scrubbing(
            vault=self._vault,
            scrub=Scrub(
                origin=origin_of(self.configuration.gateway.party),
                heads=self._heads,
                parties=sorted(registry.hosted),
                saw_binding=self._record.saw_binding,
            ),
            alerts=self._alerts,
            settings=self.configuration.scrub,
            changed=self._health_due.set,
        )

    def _certificates(self) -> KeptCertificates:
        return KeptCertificates(
            find=self._vault.certificate,
            authorities=lambda: self._trust.material.authorities,
            lists=lambda: self._trust.material.crls,
            answers=self._ask.answers,
            listed=self._vault.name_of,
        )

    async def _listen(
        self, registry: Registry, receive: ReceiveDocuments, prove: ProveLog
    ) -> None:
        configuration, limits = self.configuration, self.configuration.limits
        sightings = Sightings(
            now_us=self.clock.now_us,
            holders=lambda: self._vault.register.holders,
            book=self._record,
        )
        self._guard = Guard(
            gate=CallerGate(
                registry=registry,
                posts=caller_posts(configuration, lambda: self._vault.register),
                judge=caller_judge(self._trust, self._vault),
            ),
            streams_max=configuration.limits.streams_max,
            sightings=sightings,
            listed=self._vault.name_of,
        )
        renewal = self._renewal()
        self._reloading = Reloading(configuration=configuration, renewal=renewal)
        self._server = grpc.aio.server(
            interceptors=[self._guard],
            options=[
                # Two servers on one port must not share it in silence.
                ("grpc.so_reuseport", 0),
                # Peers and business systems ping idle streams every 20 seconds;
                # by default gRPC takes that for an attack and hangs up.
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.max_receive_message_length", limits.message_bytes_max),
            ],
        )
        self._services = Wiring(
            configuration=configuration,
            registry=registry,
            receive=receive,
            prove=prove,
            vault=self._vault,
            workbench=self._workbench,
            ledger=self._ledger,
            follower=self._follower,
            works=self._works,
            trust=self._trust,
            own=self._reloading.own_certificates,
            certificates=self._certificates(),
            clock=self.clock,
            draining=self._draining,
            lanes=self._lanes.views,
            sightings=sightings,
            settle=self._go_by_register,
        ).services()
        self._services.add_to(self._server)
        try:
            self._server.add_secure_port(configuration.gateway.listen, self._tls.server)
        except RuntimeError as error:
            msg = f"gateway.listen: {configuration.gateway.listen} cannot be bound"
            raise ConfigurationRefused(msg) from error
        await self._server.start()
        await self._report_health()

    async def _watch_vault(self) -> None:
        """Tell when the vault does not write any more."""
        await self._vault.stopped()
        log.error("vault stopped", extra={"reason": self._vault.stopped_reason})
        self._health_due.set()

    async def _go_by_register(self) -> None:
        """Let callers, seals, parties and peers be those that stand registered now."""
        async with self._settling:
            register = self._vault.register
            if self._trust.relist(register.names()):
                await self._works.relist(self._trust.material)
            renew(self._registry, register)
            self._scrubbing.scrub.parties = sorted(self._registry.hosted)
            await self._lanes.go_by(register)

    async def _watch_register(self) -> None:
        """Cut the streams of callers whom a registration took their right."""
        known = self._vault.register
        while True:
            known = await self._vault.register_changed(known)
            await self._go_by_register()
            log.info("register changed", extra={"count": self._guard.cut_revoked()})

    async def _tell_health(self) -> None:
        """Tell health watchers whenever it may have changed."""
        while True:
            await self._health_due.wait()
            self._health_due.clear()
            await self._report_health()

    async def _report_health(self) -> None:
        """Say NOT_SERVING while the vault does not write or no worker works.

        Of the vault by itself, while something in it is known to be damaged.
        """
        serving = not self.stopped_reason and self._works.is_ready
        whole = not self._alerts.about(AlertCode.VAULT_DAMAGED)
        await self._services.report(serving=serving, whole=whole)
