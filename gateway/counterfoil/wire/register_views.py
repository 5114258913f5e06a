"""What stands registered, as people ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from counterfoil.domain.posts import Post
from counterfoil.domain.register import Register
from counterfoil.domain.register_states import Listed, PartyState, PeerState
from counterfoil.domain.registration import Agreement, Filing
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.registry.v1 import registry_pb2
from counterfoil.wire.keys import timestamp_from_us
from counterfoil.wire.party_matters import connection_to_message
from counterfoil.wire.registrations import POSTS

_NUMBERS: Final = {post: number for number, post in POSTS.items()}


def post_numbers(posts: Iterable[Post]) -> list[pb.Post.ValueType]:
    """Return posts as the contract numbers them, in order."""
    return sorted(_NUMBERS[post] for post in posts)


def register_to_message(register: Register) -> registry_pb2.GetRegisterResponse:
    """Return what stands registered, for people."""
    return registry_pb2.GetRegisterResponse(
        is_founded=register.is_founded,
        holders=[
            registry_pb2.Holder(identity=urn, posts=post_numbers(posts))
            for urn, posts in sorted(register.holders.items())
        ],
        agreements=[
            registry_pb2.AgreementStanding(
                digest=digest,
                agreement=_agreement_to_message(state.agreement),
                suspended_by=sorted(state.suspended_by),
                is_over=state.is_over,
            )
            for digest, state in register.agreements.items()
        ],
        filings=[
            registry_pb2.FilingStanding(
                digest=digest, filing=_filing_to_message(filing)
            )
            for digest, filing in register.filings.items()
        ],
        void_certificates=[
            registry_pb2.VoidCertificate(
                digest=digest,
                holder=void.holder.to_urn(),
                is_loss=void.is_loss,
                by=void.by,
                time=timestamp_from_us(void.time_us),
            )
            for digest, void in register.voided.items()
        ],
        certificates_in_use=sorted(register.in_use),
        directory=[_listed(*each) for each in register.directory.items()],
        active=[
            registry_pb2.ActiveCertificate(
                digest=digest,
                holder=active.holder.to_urn(),
                valid_until=timestamp_from_us(active.valid_until_us),
            )
            for digest, active in register.active.items()
        ],
        demanding=sorted(register.demanding),
        parties=[
            party_to_message(one) for one in register.parties.values() if one.entry
        ],
        peers=[_peer_to_message(one) for one in register.peers.values() if one.entry],
    )


def _listed(digest: bytes, listed: Listed) -> registry_pb2.ListedCertificate:
    return registry_pb2.ListedCertificate(
        digest=digest,
        holder=listed.holder.to_urn(),
        entry=listed.entry,
        valid_until=timestamp_from_us(listed.valid_until_us),
    )


def _peer_to_message(state: PeerState) -> registry_pb2.PeerStanding:
    return registry_pb2.PeerStanding(
        connection=connection_to_message(state.peer),
        entry=state.entry,
        is_disconnected=state.is_over,
    )


def party_to_message(state: PartyState) -> registry_pb2.Party:
    """Return a party and what became of it."""
    party = state.party
    return registry_pb2.Party(
        code=party.code,
        name=party.name,
        kind=int(party.kind),  # type: ignore[arg-type]
        carrier=party.carrier,
        is_dismissed=state.is_over,
        entry=state.entry,
        encoding=party.encoding,
    )


def _agreement_to_message(agreement: Agreement) -> pb.Agreement:
    return pb.Agreement(
        parties=agreement.parties,
        ways=[
            pb.AgreedWay(issuer=way.issuer, types=sorted(way.types))
            for way in agreement.ways
        ],
        valid_from=agreement.valid_from,
        valid_until=agreement.valid_until,
    )


def _filing_to_message(filing: Filing) -> pb.Filing:
    return pb.Filing(
        holder=filing.holder.to_urn(),
        types=sorted(filing.types),
        amount_max_fen=filing.amount_max_fen,
        positions=sorted(filing.positions),
        valid_from=filing.valid_from,
        valid_until=filing.valid_until,
    )
