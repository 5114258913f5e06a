"""`counterfoil register`: persons make, sign and hand in registrations (登记)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from counterfoil.daemon.config import OptionRefused
from counterfoil.daemon.desk_channel import (
    CALL_S,
    channel_to_gateway,
    person_of,
    tell,
)
from counterfoil.daemon.refusal_text import fields_at_fault
from counterfoil.daemon.register_matters import matter_of, told_of
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.office import registering as office
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.refusals import refusal_from_message
from counterfoil.wire.registrations import read_registration

_READ_OUT: Final = {"party_admission", "peer_connection"}
"""What the second person compares with what somebody else said: a peer's keys first."""


def propose(arguments: argparse.Namespace) -> int:
    """Make a registration, sign it first, and write it to a file.

    Raises:
        OptionRefused: An option cannot be used.
    """
    matter, told = matter_of(arguments), told_of(arguments)
    person = person_of(arguments)
    now = datetime.now(UTC)
    signed = office.registration(
        arguments.by,
        arguments.number,
        matter,
        stated_time=now,
        told=told,
        explanation=arguments.explanation or "",
    ).signed(person, stated_time=now)
    _check_form(arguments.matter, signed.payload)
    _write(Path(arguments.output), [signed], [person.certificate])
    tell(signed.digest.hex())
    return 0


def sign(arguments: argparse.Namespace) -> int:
    """Sign every registration of a file that lacks a second signature.

    Raises:
        OptionRefused: The file cannot be read, or is signed already.
    """
    path = Path(arguments.file)
    registrations, certificates = _read(path)
    person = person_of(arguments)
    now = datetime.now(UTC)
    try:
        signed = [one.signed(person, stated_time=now) for one in registrations]
    except ValueError as error:
        msg = f"{path}: {error}"
        raise OptionRefused(msg) from error
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
        OptionRefused: The file cannot be read.
    """
    registrations, certificates = _read(Path(arguments.file))
    return hand_in(arguments, registrations, certificates)


def hand_in(
    arguments: argparse.Namespace,
    registrations: Sequence[office.SignedRegistration],
    certificates: Sequence[bytes],
) -> int:
    """Hand registrations in and print what became of each; 1 if one was refused."""
    is_done = True
    for result in entered(arguments, registrations, certificates):
        tell_result(result)
        is_done &= result.HasField("done")
    return 0 if is_done else 1


def entered(
    arguments: argparse.Namespace,
    registrations: Sequence[office.SignedRegistration],
    certificates: Sequence[bytes],
) -> Iterator[registry_pb2.RegisterResult]:
    """Hand registrations in and yield what became of each, in their order."""
    with channel_to_gateway(arguments) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        for request in office.registration_requests(registrations, certificates):
            yield from stub.Register(request, timeout=CALL_S).results


def tell_result(result: registry_pb2.RegisterResult) -> None:
    """Print what became of a registration."""
    if result.HasField("done"):
        known = "registered" if result.done.is_new else "known"
        tell(known, str(result.done.leaf), result.done.digest.hex())
    else:
        sys.stderr.write(f"counterfoil: {_refused(result.refusal)}\n")


def _refused(refusal: sealed_pb2.Refusal) -> str:
    """Return a refusal in the gateway's own words, and each field at fault."""
    said = f"{refusal.reason}: {refusal.text} ({refusal.text_zh})"
    fields = fields_at_fault(refusal_from_message(refusal).violations)
    return "\n  ".join((said, *fields))


def _check_form(matter: str, payload: bytes) -> None:
    """Check what a gateway would refuse after both persons have signed it.

    Raises:
        OptionRefused: A field breaks a rule.
    """
    try:
        read_registration(payload, ())
    except CounterfoilError as refusal:
        why = "; ".join(fields_at_fault(refusal.violations)) or str(refusal)
        msg = f"{matter}: {why}"
        raise OptionRefused(msg) from refusal


def join(arguments: argparse.Namespace) -> int:
    """Put the registrations of several files into one, in their order.

    Raises:
        OptionRefused: A file cannot be read.
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
        raise OptionRefused(msg) from error


def _write(
    path: Path,
    registrations: Sequence[office.SignedRegistration],
    certificates: Sequence[bytes],
) -> None:
    path.write_bytes(office.registration_file(registrations, certificates))
