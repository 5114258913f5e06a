"""The registry service: who takes part, as this gateway knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from counterfoil.domain.registry import Registry
from counterfoil.registry.v1 import registry_pb2 as pb
from counterfoil.registry.v1 import registry_pb2_grpc
from counterfoil.rpc.callers import Context


@dataclass(frozen=True, kw_only=True)
class RegistryServicer(registry_pb2_grpc.RegistryServiceServicer):
    """Translates calls; the documentation of each method is in `proto/`.

    Attributes:
        registry: The parties.
        peers: Returns the lanes' conditions.
        certificates: Returns the certificates of a party, of all for "".
    """

    registry: Registry
    peers: Callable[[], Iterable[pb.Peer]]
    certificates: Callable[[str], Iterable[pb.Certificate]]

    async def ListParties(
        self, request: pb.ListPartiesRequest, context: Context
    ) -> pb.ListPartiesResponse:
        """Answer from the registry, in the order of the codes."""
        return pb.ListPartiesResponse(
            parties=[
                pb.Party(
                    code=party.code,
                    name=party.name,
                    kind=int(party.kind),  # type: ignore[arg-type]
                    carrier=party.carrier,
                )
                for _, party in sorted(self.registry.parties.items())
            ]
        )

    async def ListPeers(
        self, request: pb.ListPeersRequest, context: Context
    ) -> pb.ListPeersResponse:
        """Answer from the lanes."""
        return pb.ListPeersResponse(peers=self.peers())

    async def ListCertificates(
        self, request: pb.ListCertificatesRequest, context: Context
    ) -> pb.ListCertificatesResponse:
        """Answer from the trust store."""
        return pb.ListCertificatesResponse(
            certificates=sorted(
                self.certificates(request.party), key=lambda found: found.digest
            )
        )
