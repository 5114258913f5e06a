"""What persons register: the matter, their signatures, and the file they hand on.

Written from the contract (`registry.v1.Registration`) alone. The first who signs makes
the file, the second signs it, and either hands it in (`RegistryService.Register`).
Whose signatures a matter needs, and in which order, stands beside it in the contract.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from counterfoil.catalogue.v1 import document_kind_pb2
from counterfoil.office.matters import Matter
from counterfoil.office.signing import Person, positions_of, seal_payload
from counterfoil.office.vouchers import Seal
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.registry.v1 import registry_pb2
from counterfoil.sealed.v1 import sealed_pb2

CALL_MAX: Final = 64
"""Most registrations in one call, as `RegisterRequest` says."""

_CALL_SIGNERS: Final = 256  # certificates, likewise
_CALL_BYTES: Final = 1_048_576  # half of a message


@dataclass(frozen=True, slots=True)
class SignedRegistration:
    """A registration with the signatures that are on it so far.

    Attributes:
        payload: The encoded `registry.v1.Registration`.
        seals: The signatures, lowest first.
    """

    payload: bytes
    seals: tuple[Seal, ...] = ()

    @classmethod
    def from_bytes(cls, sealed: bytes) -> SignedRegistration:
        """Return the registration in an encoded `sealed.v1.Sealed`.

        Raises:
            ValueError: It is none.
        """
        try:
            message = sealed_pb2.Sealed.FromString(sealed)
        except DecodeError as error:
            msg = "not a sealed document"
            raise ValueError(msg) from error
        if message.kind != document_kind_pb2.DOCUMENT_KIND_REGISTRATION:
            msg = "not a registration"
            raise ValueError(msg)
        seals = tuple(Seal(one.statement, one.signature) for one in message.seals)
        return cls(message.payload, seals)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the payload: what other registrations name it by."""
        return hashlib.sha256(self.payload).digest()

    def to_bytes(self) -> bytes:
        """Return the encoded `sealed.v1.Sealed`."""
        return sealed_pb2.Sealed(
            kind=document_kind_pb2.DOCUMENT_KIND_REGISTRATION,
            payload=self.payload,
            seals=[
                sealed_pb2.Seal(statement=seal.statement, signature=seal.signature)
                for seal in self.seals
            ],
        ).SerializeToString()

    def signed(self, person: Person, *, stated_time: datetime) -> SignedRegistration:
        """Return it with one more signature, at the position that is due.

        Args:
            person: Who signs.
            stated_time: When the person says that it signed; UTC.

        Raises:
            ValueError: It has all the signatures that there can be.
        """
        plan = positions_of(document_kind_pb2.DOCUMENT_KIND_REGISTRATION)
        if len(self.seals) >= len(plan):
            msg = "the registration has every signature already"
            raise ValueError(msg)
        seal = seal_payload(
            document_kind_pb2.DOCUMENT_KIND_REGISTRATION,
            self.payload,
            plan[len(self.seals)],
            person,
            stated_time=stated_time,
            beneath=self.seals,
        )
        return SignedRegistration(self.payload, (*self.seals, seal))


def registration(  # noqa: PLR0913 -- its fields
    by: str,
    number: str,
    matter: Matter,
    *,
    stated_time: datetime,
    told: Iterable[str] = (),
    explanation: str = "",
) -> SignedRegistration:
    """Return a registration that nobody has signed yet.

    Args:
        by: Code of the party in whose name it is made.
        number: Its number among all of that party, used once.
        matter: What it is about.
        stated_time: When it is made, UTC.
        told: Codes of the parties that are told.
        explanation: Why, for people.
    """
    message = pb.Registration(
        by=by, number=number, told=sorted(told), explanation=explanation
    )
    message.stated_time.FromDatetime(stated_time)
    (field,) = (
        one.name
        for one in pb.Registration.DESCRIPTOR.oneofs_by_name["matter"].fields
        if one.message_type is matter.DESCRIPTOR
    )
    getattr(message, field).CopyFrom(matter)
    return SignedRegistration(message.SerializeToString(deterministic=True))


def all_gateways_but(by: str, parties: Iterable[registry_pb2.Party]) -> tuple[str, ...]:
    """Return whom a notice tells that every peer must have, e.g. of a loss (挂失).

    Args:
        by: Code of the party that gives notice.
        parties: All parties, as its gateway lists them (`RegistryService.ListParties`).

    Returns:
        The codes of all gateways but that party's own; those of parties that were
        dismissed too, for what is under way to them is brought to its end.

    Raises:
        ValueError: The gateway does not know that party.
    """
    carriers = {party.code: party.carrier for party in parties}
    if by not in carriers:
        msg = f"the gateway knows no party {by}"
        raise ValueError(msg)
    return tuple(sorted(set(carriers.values()) - {carriers[by]}))


def registration_requests(
    registrations: Sequence[SignedRegistration], certificates: Iterable[bytes]
) -> Iterator[registry_pb2.RegisterRequest]:
    """Yield the calls that hand registrations in, as many as it takes, in their order.

    Args:
        registrations: In the order in which they are judged.
        certificates: In DER: those that their seals name, and authorities. Each call
            brings the ones that it needs.
    """
    bag = {hashlib.sha256(der).digest(): der for der in certificates}
    named = [_signers(one) for one in registrations]
    others = bag.keys() - {digest for signers in named for digest in signers}
    request = registry_pb2.RegisterRequest()
    needed: dict[bytes, None] = dict.fromkeys(others)
    for one, signers in zip(registrations, named, strict=True):
        with_one = needed | dict.fromkeys(signers)
        encoded = one.to_bytes()
        size = request.ByteSize() + len(encoded)
        size += sum(len(bag.get(digest, b"")) for digest in with_one)
        is_full = (
            len(request.registrations) == CALL_MAX or len(with_one) > _CALL_SIGNERS
        )
        if request.registrations and (is_full or size > _CALL_BYTES):
            yield _with_certificates(request, needed, bag)
            request = registry_pb2.RegisterRequest()
            with_one = dict.fromkeys(others) | dict.fromkeys(signers)
        request.registrations.append(encoded)
        needed = with_one
    if request.registrations:
        yield _with_certificates(request, needed, bag)


def _with_certificates(
    request: registry_pb2.RegisterRequest,
    needed: Iterable[bytes],
    bag: Mapping[bytes, bytes],
) -> registry_pb2.RegisterRequest:
    request.certificates.extend(bag[digest] for digest in needed if digest in bag)
    return request


def _signers(registration: SignedRegistration) -> list[bytes]:
    """Return the digests of the certificates that a registration's seals name."""
    parse = sealed_pb2.SealStatement.FromString
    return [parse(seal.statement).certificate_digest for seal in registration.seals]


def registration_file(
    registrations: Sequence[SignedRegistration], certificates: Iterable[bytes]
) -> bytes:
    """Return registrations as a file, with the certificates that their seals name.

    Args:
        registrations: In the order in which they are judged.
        certificates: In DER.
    """
    return registry_pb2.RegistrationFile(
        registrations=[one.to_bytes() for one in registrations],
        certificates=dict.fromkeys(certificates),
    ).SerializeToString()


def read_registration_file(
    encoded: bytes,
) -> tuple[list[SignedRegistration], list[bytes]]:
    """Return the registrations of a file and the certificates in DER.

    Raises:
        ValueError: It is no such file.
    """
    try:
        file = registry_pb2.RegistrationFile.FromString(encoded)
    except DecodeError as error:
        msg = "not a file of registrations"
        raise ValueError(msg) from error
    registrations = [SignedRegistration.from_bytes(one) for one in file.registrations]
    return registrations, list(file.certificates)


def told(signed: SignedRegistration) -> dict[str, object]:
    """Return what a registration says, for people and for JSON.

    Raises:
        ValueError: It is none.
    """
    try:
        message = pb.Registration.FromString(signed.payload)
    except DecodeError as error:
        msg = "not a registration"
        raise ValueError(msg) from error
    name = message.WhichOneof("matter") or ""
    said = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return {
        "by": message.by,
        "number": message.number,
        "matter": name,
        "told": list(message.told),
        "explanation": message.explanation,
        "says": said.get(name, {}),
    }
