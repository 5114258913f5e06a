"""Makes the lanes of a gateway: one to each peer, and one to itself if it hosts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc

from counterfoil.app.deliver import RecordDelivery
from counterfoil.app.ports import Clock, Vault
from counterfoil.app.witness_peer import WitnessPeer
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.keys import load_head_verifiers
from counterfoil.daemon.lanes import Lane, LaneLimits, Link
from counterfoil.daemon.stores import PeerHeadBook
from counterfoil.domain.party import origin_of
from counterfoil.domain.registration import PeerConnection
from counterfoil.peer.link import PeerAddress, PeerLink
from counterfoil.tlog.note import NoteVerifier
from counterfoil.vault.heads import HeadStore
from counterfoil.wire.certificates import KeptCertificates

_CONNECT_S_MAX: Final = 5.0
_DOCUMENTS_MAX: Final = 256
_BATCH_BYTES_MAX: Final = 1_048_576
"""What every peer takes in one batch, as `exchange.v1.DeliverRequest` says."""

_EXTRAS_BYTES_MAX: Final = 2_097_152 - _BATCH_BYTES_MAX - 16 * 1024
"""What else goes into a message of 2 MiB, without tags and lengths: some ten bytes for
each document, certificate, answer and proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneMaking:
    """What all lanes of a gateway share.

    Attributes:
        configuration: What the gateway was started with.
        vault: Where the documents wait.
        heads: The newest heads seen of others.
        certificates: Finds the certificates that seals name.
        credentials: Returns our certificate, our key, and the roots that we trust.
        clock: Our clock.
    """

    configuration: Configuration
    vault: Vault
    heads: HeadStore
    certificates: KeptCertificates
    credentials: Callable[[], grpc.ChannelCredentials]
    clock: Clock

    def to_peer(self, peer: PeerConnection) -> Lane:
        """Return the lane to a peer, whose heads our log witnesses.

        Raises:
            ConfigurationRefused: A key of its log cannot be read.
        """
        link = PeerLink(
            peer=PeerAddress(
                party=peer.party,
                addresses=peer.addresses,
                server_name=peer.server_name,
            ),
            credentials=self.credentials,
            connect_s=min(self.configuration.limits.call_s_max, _CONNECT_S_MAX),
        )
        lane = self.over(link, load_head_verifiers(peer))
        lane.witness = WitnessPeer(
            vault=self.vault,
            record=lane.record,
            every_s=self.configuration.limits.witness_s,
            since_us=self.clock.now_us(),
        )
        return lane

    def over(self, link: Link, verifiers: tuple[NoteVerifier, ...]) -> Lane:
        """Return the lane over a link to a log with these keys."""
        limits, party = self.configuration.limits, link.peer.party
        return Lane(
            vault=self.vault,
            link=link,
            record=RecordDelivery(
                vault=self.vault,
                heads=PeerHeadBook(self.heads),
                carrier=party,
                origin=origin_of(party),
                verifiers=verifiers,
                retry_s=limits.retry_s_min,
            ),
            certificates=self.certificates,
            clock=self.clock,
            limits=LaneLimits(
                documents_max=min(limits.batch_documents_max, _DOCUMENTS_MAX),
                bytes_max=min(limits.batch_bytes_max, _BATCH_BYTES_MAX),
                extras_bytes_max=_EXTRAS_BYTES_MAX,
                window_batches=limits.window_batches,
                retry_s_min=limits.retry_s_min,
                retry_s_max=limits.retry_s_max,
                call_s_max=limits.call_s_max,
            ),
        )
