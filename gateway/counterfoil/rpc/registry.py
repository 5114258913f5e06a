"""The registry service: who takes part, as this gateway knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from counterfoil.app.ports import RegistrationRow, Vault
from counterfoil.app.register import EnterRegistrations
from counterfoil.app.works import Certificates
from counterfoil.domain.deeds import Outcome
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.registry.v1 import registry_pb2 as pb
from counterfoil.registry.v1 import registry_pb2_grpc
from counterfoil.rpc.callers import Context
from counterfoil.rpc.limits import check_request
from counterfoil.wire.keys import timestamp_from_us
from counterfoil.wire.refusals import refusal_to_message, shorten
from counterfoil.wire.register_views import party_to_message, register_to_message

_PAGE_SIZE: Final = 50
PAGE_BYTES_MAX: Final = 1_048_576
"""Most bytes of the registrations in one answer: a founding alone may have as many."""


@dataclass(frozen=True, kw_only=True)
class RegistryServicer(registry_pb2_grpc.RegistryServiceServicer):
    """Translates calls; the documentation of each method is in `proto/`.

    Attributes:
        vault: Where registrations are.
        enter: Enters registrations.
        kept: Finds the certificates that seals name.
        peers: Returns the lanes' conditions.
        certificates: Returns the certificates of a party, of all for "".
    """

    vault: Vault
    enter: EnterRegistrations
    kept: Certificates
    peers: Callable[[], Iterable[pb.Peer]]
    certificates: Callable[[str], Iterable[pb.Certificate]]

    async def ListParties(
        self, request: pb.ListPartiesRequest, context: Context
    ) -> pb.ListPartiesResponse:
        """Answer from what stands registered, in the order of the codes."""
        parties = self.vault.register.parties
        return pb.ListPartiesResponse(
            parties=[party_to_message(state) for _, state in sorted(parties.items())]
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
        check_request(request)
        return pb.ListCertificatesResponse(
            certificates=sorted(
                self.certificates(request.party), key=lambda found: found.digest
            )
        )

    async def Register(
        self, request: pb.RegisterRequest, context: Context
    ) -> pb.RegisterResponse:
        """Enter each registration."""
        check_request(request)
        outcomes = await self.enter(
            list(request.registrations), list(request.certificates)
        )
        results = [_result(*each) for each in outcomes]
        shorten([one.refusal for one in results if one.HasField("refusal")])
        return pb.RegisterResponse(results=results)

    async def ListRegistrations(
        self, request: pb.ListRegistrationsRequest, context: Context
    ) -> pb.ListRegistrationsResponse:
        """Answer from the vault."""
        check_request(request)
        after = request.after if request.HasField("after") else -1
        limit = request.page_size or _PAGE_SIZE
        rows = self.vault.registrations(after=after, limit=limit)
        page = registration_page(rows, self.kept)
        return pb.ListRegistrationsResponse(
            registrations=page, is_more=len(rows) == limit or len(page) < len(rows)
        )

    async def GetRegister(
        self, request: pb.GetRegisterRequest, context: Context
    ) -> pb.GetRegisterResponse:
        """Answer from what stands registered."""
        return register_to_message(self.vault.register)


def registration_page(
    rows: Iterable[RegistrationRow], kept: Certificates
) -> list[pb.ListedRegistration]:
    """Return registrations as messages, as many as one answer holds; at least one."""
    page: list[pb.ListedRegistration] = []
    room = PAGE_BYTES_MAX
    for row in rows:
        message = _listed_registration(row, kept)
        room -= message.ByteSize()
        if room < 0 and page:
            break
        page.append(message)
    return page


def _listed_registration(
    row: RegistrationRow, kept: Certificates
) -> pb.ListedRegistration:
    """Return a registration of the log as a message, with its certificates."""
    return pb.ListedRegistration(
        leaf=row.index,
        time=timestamp_from_us(row.leaf.time_us),
        digest=row.leaf.document,
        sealed=row.sealed,
        certificates=kept.of_document(row.sealed),
    )


def _result(digest: bytes, outcome: Outcome) -> pb.RegisterResult:
    if isinstance(outcome, CounterfoilError):
        return pb.RegisterResult(refusal=refusal_to_message(outcome))
    return pb.RegisterResult(
        done=pb.Registered(digest=digest, leaf=outcome.leaf, is_new=outcome.new)
    )
