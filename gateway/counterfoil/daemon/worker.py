"""One worker process of the works: its workshop, and what it is asked."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from counterfoil.daemon.collector import settle
from counterfoil.daemon.heap import keep_freed
from counterfoil.daemon.parcels import pack_document
from counterfoil.domain.party import Identity, Use
from counterfoil.seal.certificates import (
    load_certificate,
    public_key_bytes,
    stated_identity,
)
from counterfoil.seal.key_material import KeyMaterial
from counterfoil.seal.sign import Sealer
from counterfoil.seal.trust import TrustStore
from counterfoil.seal.trust_material import TrustMaterial
from counterfoil.wire.own_seals import DOCUMENT_BYTES_MAX
from counterfoil.wire.seals import encode_statement
from counterfoil.wire.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class SealMaterial:
    """One party's seal, as a worker needs it.

    Attributes:
        party: Whose seal it is.
        certificate: In DER.
        key: The private key, or where its token is.
    """

    party: str
    certificate: bytes = field(repr=False)
    key: KeyMaterial

    @property
    def public_key(self) -> bytes:
        """The certificate's key, as SubjectPublicKeyInfo in DER.

        Raises:
            CertificateRefused: The certificate cannot be read.
        """
        return public_key_bytes(load_certificate(self.certificate))

    def sealer(self) -> Sealer:
        """Return what seals with this key in the process that calls.

        A certificate that bears no name is the party's for now, by a name that no
        directory gives it so far: see `Workshop.relist`.

        Raises:
            KeyRefused: The package that speaks to tokens is not installed.
            ValueError: The certificate is another key's.
        """
        key = self.key.signing_key(self.public_key)
        stated = stated_identity(load_certificate(self.certificate))
        nobody = Identity(party=self.party, use=Use.INSTITUTION, name="unlisted")
        return Sealer.of(
            key, self.certificate, encode_statement, identity=stated or nobody
        )


class Give(Enum):
    """What a worker gives back of what it made."""

    AS_IS = 1
    """The values themselves."""
    FACTS = 2
    """Documents as flat tuples, without their bytes, which we have."""
    WHOLE = 3
    """Documents as flat tuples. A tuple is pickled in a third of the time."""


_workshop: Workshop | None = None
"""The workshop of this worker process; None in the gateway's own process."""


def make_workshop(
    material: TrustMaterial,
    seals: Sequence[SealMaterial],
    *,
    in_batches: bool,
    document_bytes_max: int = DOCUMENT_BYTES_MAX,
) -> Workshop:
    """Return the workshop of a worker from what its gateway handed it."""
    workshop = Workshop(
        trust=TrustStore(material),
        sealers={seal.party: seal.sealer() for seal in seals},
        in_batches=in_batches,
        document_bytes_max=document_bytes_max,
    )
    workshop.relist(dict(material.directory))
    return workshop


def start_worker(
    material: TrustMaterial,
    seals: Sequence[SealMaterial],
    in_batches: bool,  # noqa: FBT001 -- an initializer takes positions only
    document_bytes_max: int,
) -> None:
    """Make this process a worker. Ctrl-C and hangups are the gateway's business."""
    global _workshop  # noqa: PLW0603 -- a worker process is its workshop
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _workshop = make_workshop(
        material, seals, in_batches=in_batches, document_bytes_max=document_bytes_max
    )
    settle()
    keep_freed()


def retrust(material: TrustMaterial) -> None:
    """Let this process believe `material` from now on."""
    assert _workshop is not None, "only a worker is asked to"
    _workshop.trust = TrustStore(material)
    _workshop.relist(dict(material.directory))


def reseal(seals: Sequence[SealMaterial], directory: Mapping[bytes, Identity]) -> None:
    """Let this process seal with other seals from now on."""
    assert _workshop is not None, "only a worker is asked to"
    _workshop.reseal({seal.party: seal.sealer() for seal in seals}, directory)


def relist(directory: Mapping[bytes, Identity]) -> None:
    """Let this process go by another directory of persons from now on."""
    assert _workshop is not None, "only a worker is asked to"
    _workshop.relist(directory)


def work_on_batch(method: str, give: Give, *arguments: object) -> list[object]:
    """Call a method of this process's workshop."""
    assert _workshop is not None, "only a worker is asked to"
    made: list[Any] = getattr(_workshop, method)(*arguments)
    if give is Give.AS_IS:
        return made
    return [pack_document(one, sealed=give is Give.WHOLE) for one in made]
