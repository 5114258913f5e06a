"""`counterfoil register`: persons make, sign and hand in registrations (登记)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.desk_channel import (
    CALL_S,
    channel_to_gateway,
    person_of,
    tell,
)
from counterfoil.daemon.register_matters import listed, matter_of
from counterfoil.office import registering as office
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc

_READ_OUT: Final = {"party_admission", "peer_connection"}
"""What the second person compares with what somebody else said: a peer's keys first."""


def propose(arguments: argparse.Namespace) -> int:
    """Make a registration, sign it first, and write it to a file.

    Raises:
        ConfigurationRefused: An option cannot be used.
    """
    matter, person = matter_of(arguments), person_of(arguments)
    now = datetime.now(UTC)
    signed = office.registration(
        arguments.by,
        arguments.number,
        matter,
        stated_time=now,
        told=listed(arguments.told),
        explanation=arguments.explanation or "",
    ).signed(person, stated_time=now)
    _write(Path(arguments.output), [signed], [person.certificate])
    tell(signed.digest.hex())
    return 0


def sign(arguments: argparse.Namespace) -> int:
    """Sign every registration of a file that lacks a second signature.

    Raises:
        ConfigurationRefused: The file cannot be read, or is signed already.
    """
    path = Path(arguments.file)
    registrations, certificates = _read(path)
    person = person_of(arguments)
    now = datetime.now(UTC)
    try:
        signed = [one.signed(person, stated_time=now) for one in registrations]
    except ValueError as error:
        msg = f"{path}: {error}"
        raise ConfigurationRefused(msg) from error
    for one in signed:
        said = office.told(one)
        tell(
            *(str(said[name]) for name in ("matter", "by", "number")), one.digest.hex()
        )
        if said["matter"] in _READ_OUT:
            tell("says", json.dumps(said["says"], ensure_ascii=False))
    _write(path, signed, [*certificates, person.certificate])
    return 0


def submit(arguments: argparse.Namespace) -> int:
    """Hand a file's registrations in; exit status 1 if one was refused.

    Raises:
        ConfigurationRefused: The file cannot be read.
    """
    registrations, certificates = _read(Path(arguments.file))
    return hand_in(arguments, registrations, certificates)


def lose(arguments: argparse.Namespace) -> int:
    """Make a key worthless here at once and tell every peer; 1 if it was refused.

    Raises:
        ConfigurationRefused: An option cannot be used.
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
    done = hand_in(arguments, [notice], [person.certificate])
    if done == 0:
        tell("told", ",".join(told) or "nobody")
    return done


def _every_peer(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the parties whose gateways are told of a loss.

    Raises:
        ConfigurationRefused: The gateway does not know who gives notice.
    """
    with channel_to_gateway(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        answer = stub.ListParties(registry_pb2.ListPartiesRequest(), timeout=CALL_S)
    try:
        return office.all_gateways_but(arguments.by, answer.parties)
    except ValueError as error:
        msg = f"--by: {error}"
        raise ConfigurationRefused(msg) from error


def hand_in(
    arguments: argparse.Namespace,
    registrations: Sequence[office.SignedRegistration],
    certificates: Sequence[bytes],
) -> int:
    """Hand registrations in and print what became of each; 1 if one was refused."""
    is_done = True
    with channel_to_gateway(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        for request in office.registration_requests(registrations, certificates):
            is_done &= _told(stub.Register(request, timeout=CALL_S).results)
    return 0 if is_done else 1


def _told(results: Iterable[registry_pb2.RegisterResult]) -> bool:
    """Print what became of registrations; tell whether all are in the log."""
    is_done = True
    for result in results:
        if result.HasField("done"):
            known = "registered" if result.done.is_new else "known"
            tell(known, str(result.done.leaf), result.done.digest.hex())
        else:
            refusal = result.refusal
            sys.stderr.write(
                f"counterfoil: {refusal.reason}: {refusal.text} ({refusal.text_zh})\n"
            )
            is_done = False
    return is_done


def join(arguments: argparse.Namespace) -> int:
    """Put the registrations of several files into one, in their order.

    Raises:
        ConfigurationRefused: A file cannot be read.
    """
    registrations: list[office.SignedRegistration] = []
    certificates: list[bytes] = []
    for name in arguments.files:
        some, theirs = _read(Path(name))
        registrations += some
        certificates += theirs
    _write(Path(arguments.output), registrations, certificates)
    return 0


def _read(path: Path) -> tuple[list[office.SignedRegistration], list[bytes]]:
    try:
        return office.read_registration_file(path.read_bytes())
    except ValueError as error:
        msg = f"{path}: {error}"
        raise ConfigurationRefused(msg) from error


def _write(
    path: Path,
    registrations: Sequence[office.SignedRegistration],
    certificates: Sequence[bytes],
) -> None:
    path.write_bytes(office.registration_file(registrations, certificates))
