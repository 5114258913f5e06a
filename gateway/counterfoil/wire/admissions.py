"""Whom the registrations of a log admit, before they are judged."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import DecodeError

from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.registry import Party
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.wire.party_matters import party_of
from counterfoil.wire.sealed import open_sealed


def first_admissions(registrations: Iterable[bytes]) -> dict[str, Party]:
    """Return the parties that a log's registrations admit, as each was at first.

    What cannot be read admits nobody: whoever judges the register finds it.

    Args:
        registrations: Encoded `Sealed` registrations, in the order of the log.
    """
    parties: dict[str, Party] = {}
    for sealed in registrations:
        try:
            message = pb.Registration.FromString(open_sealed(sealed).payload)
            if message.HasField("party_admission"):
                party = party_of(message.party_admission)
                parties.setdefault(party.code, party)
        except (CounterfoilError, DecodeError):
            continue
    return parties
