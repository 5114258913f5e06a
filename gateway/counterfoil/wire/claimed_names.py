"""The names that registrations claim for certificates, before they are judged."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from google.protobuf.message import DecodeError

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.wire.sealed import open_sealed


def claimed_names(
    registrations: Sequence[bytes], *, founding_only: bool = False
) -> dict[bytes, Identity]:
    """Return the names that registrations give to certificates, unverified.

    For whoever opens a register, or judges its opening again: the first persons sign
    with certificates to which only the opening gives names. That it may, is judged
    afterwards, of the register that follows from it. Of two names for one certificate
    the first counts; what cannot be read names nobody.

    Args:
        registrations: Encoded `Sealed` registrations.
        founding_only: Whether only what opens a register counts.
    """
    names: dict[bytes, Identity] = {}
    for sealed in registrations:
        try:
            opened = open_sealed(sealed)
            message = pb.Registration.FromString(opened.payload)
        except (CounterfoilError, DecodeError):
            continue
        if opened.kind is not DocumentKind.REGISTRATION:
            continue
        entries = list(message.founding.directory)
        if message.HasField("directory_entry") and not founding_only:
            entries.append(message.directory_entry)
        for one in entries:
            try:
                holder = Identity.from_urn(one.holder)
            except ValueError:
                continue
            names.setdefault(sha256(one.certificate).digest(), holder)
    return names
