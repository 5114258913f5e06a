"""`counterfoil register lose`: a lost key is worth nothing from now on (挂失)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from counterfoil.daemon.config import OptionRefused
from counterfoil.daemon.desk_channel import (
    CALL_S,
    channel_to_gateway,
    person_of,
    tell,
)
from counterfoil.daemon.register_command import entered, tell_result
from counterfoil.daemon.register_matters import listed, matter_of
from counterfoil.daemon.register_show import registrations_of
from counterfoil.domain.register_refusals import RegistrationNumberReused
from counterfoil.office import registering as office
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc


def lose(arguments: argparse.Namespace) -> int:
    """Make a key worthless here at once and tell every peer; 1 if it was refused.

    Raises:
        OptionRefused: An option cannot be used.
    """
    matter, person = matter_of(arguments), person_of(arguments)
    told = listed(arguments.told) or _every_peer(arguments)
    # The same number for the same notice, another one where others are told.
    content = matter.SerializeToString(deterministic=True) + ",".join(told).encode()
    now = datetime.now(UTC)
    notice = office.registration(
        arguments.by,
        arguments.number or f"lost-{sha256(content).hexdigest()[:32]}",
        matter,
        stated_time=now,
        told=told,
        explanation=arguments.explanation or "",
    ).signed(person, stated_time=now)
    (result,) = entered(arguments, [notice], [person.certificate])
    if result.refusal.reason == RegistrationNumberReused.reason:
        # Said again in other words, at another time: it stands already.
        result = _standing(arguments, notice) or result
    tell_result(result)
    if not result.HasField("done"):
        return 1
    tell("told", ",".join(told) or "nobody")
    return 0


def _standing(
    arguments: argparse.Namespace, notice: office.SignedRegistration
) -> registry_pb2.RegisterResult | None:
    """Return the same loss, told to the same, where it was registered before."""
    asked = _said(notice)
    for row in registrations_of(arguments):
        if _said(office.SignedRegistration.from_bytes(row.sealed)) == asked:
            done = registry_pb2.Registered(leaf=row.leaf, digest=row.digest)
            return registry_pb2.RegisterResult(done=done)
    return None


def _said(signed: office.SignedRegistration) -> dict[str, object]:
    """Return what a registration says but for when and why."""
    said = office.told(signed)
    del said["explanation"]
    return said


def _every_peer(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the parties whose gateways are told of a loss.

    Raises:
        OptionRefused: The gateway does not know who gives notice.
    """
    with channel_to_gateway(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        answer = stub.ListParties(registry_pb2.ListPartiesRequest(), timeout=CALL_S)
    try:
        return office.all_gateways_but(arguments.by, answer.parties)
    except ValueError as error:
        msg = f"--by: {error}"
        raise OptionRefused(msg) from error
