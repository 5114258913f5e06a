"""Our services on one gRPC server: with health and reflection, named once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from counterfoil.keeping.v1 import audit_pb2, audit_pb2_grpc
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.rpc.audit import AuditServicer
from counterfoil.rpc.desk import DeskServicer
from counterfoil.rpc.exchange import ExchangeServicer
from counterfoil.rpc.registry import RegistryServicer
from counterfoil.rpc.uncut import uncut_handlers

SERVICES: Final = (
    desk_pb2.DESCRIPTOR.services_by_name["DeskService"].full_name,
    exchange_pb2.DESCRIPTOR.services_by_name["ExchangeService"].full_name,
    registry_pb2.DESCRIPTOR.services_by_name["RegistryService"].full_name,
    audit_pb2.DESCRIPTOR.services_by_name["AuditService"].full_name,
)
"""Every service of ours, as health and reflection name them."""

VAULT_HEALTH: Final = "counterfoil.vault"
"""What health calls the vault: NOT_SERVING as long as something in it is damaged.

No service with methods. What is not damaged is still served, so that one changed
document does not stop a treasury; whoever watches the vault asks for this name.
"""


@dataclass(slots=True, kw_only=True)
class Services:
    """All that a gateway serves.

    Attributes:
        desk: For our own systems and persons.
        exchange: For peers.
        registry: For both.
        audit: For the security officer.
    """

    desk: DeskServicer
    exchange: ExchangeServicer
    registry: RegistryServicer
    audit: AuditServicer
    _health: health.aio.HealthServicer = field(init=False)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Add every service to a server that has not started."""
        desk_pb2_grpc.add_DeskServiceServicer_to_server(self.desk, server)
        # In place of the generated ones, which would read drafts and seals.
        server.add_registered_method_handlers(
            SERVICES[0],
            uncut_handlers(self.desk.Write, self.desk.Review, self.desk.Submit),
        )
        exchange_pb2_grpc.add_ExchangeServiceServicer_to_server(self.exchange, server)
        registry_pb2_grpc.add_RegistryServiceServicer_to_server(self.registry, server)
        audit_pb2_grpc.add_AuditServiceServicer_to_server(self.audit, server)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )

    async def report(self, *, serving: bool, whole: bool) -> None:
        """Tell health watchers how we are.

        Args:
            serving: Whether we serve, for all and for each service.
            whole: Whether the vault is what its log says, as far as is known.
        """
        wells = {**dict.fromkeys(("", *SERVICES), serving), VAULT_HEALTH: whole}
        for name, is_well in wells.items():
            status = (
                health_pb2.HealthCheckResponse.SERVING
                if is_well
                else health_pb2.HealthCheckResponse.NOT_SERVING
            )
            await self._health.set(name, status)

    async def leave(self) -> None:
        """Tell health watchers that we are about to stop, for good."""
        await self._health.enter_graceful_shutdown()
