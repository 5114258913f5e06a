"""What persons register: the matter, their signatures, and the file they hand on.

Written from the contract (`registry.v1.Registration`) alone. The first who signs makes
the file, the second signs it, and either hands it in (`RegistryService.Register`).
Whose signatures a matter needs, and in which order, stands beside it in the contract.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from counterfoil.catalogue.v1 import document_kind_pb2
from counterfoil.office.signing import Person, positions_of, seal_payload
from counterfoil.office.vouchers import Seal
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.registry.v1 import registry_pb2
from counterfoil.sealed.v1 import sealed_pb2

POSTS: Final[Mapping[str, int]] = {
    name.removeprefix("POST_").lower().replace("_", "-"): number
    for name, number in pb.Post.items()
    if number
}
"""Posts (岗位) as people write them, e.g. `first-reviewer`, and their numbers."""

SUBJECTS: Final = {
    name.removeprefix("SUBJECT_").lower(): number
    for name, number in pb.AuditQuery.Subject.items()
    if number
}
"""What can be asked in an audit, e.g. `acts`, and its number."""

Matter = (
    pb.Founding
    | pb.PostAssignment
    | pb.PostWithdrawal
    | pb.Agreement
    | pb.AgreementChange
    | pb.LossNotice
    | pb.Revocation
    | pb.CertificateApplication
    | pb.CertificateApproval
    | pb.CertificateActivation
    | pb.Filing
    | pb.FilingWithdrawal
    | pb.AuditCheck
)
"""What a registration is about; made by the functions below."""


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


def founding(
    supervisor: str, system_manager: str, certificates: Iterable[bytes]
) -> Matter:
    """Return the opening of the register (建册).

    Args:
        supervisor: Identity URN of the first supervisor.
        system_manager: Identity URN of the first system manager, who signs first.
        certificates: Certificates in DER that institutions hosted here seal with.
    """
    return pb.Founding(
        supervisor=supervisor,
        system_manager=system_manager,
        certificates=[hashlib.sha256(der).digest() for der in certificates],
    )


def post_assignment(holder: str, post: str) -> Matter:
    """Return the assignment of a post (任岗) to an identity URN.

    Raises:
        KeyError: There is no such post.
    """
    return pb.PostAssignment(holder=holder, post=pb.Post.ValueType(POSTS[post]))


def post_withdrawal(holder: str, post: str) -> Matter:
    """Return the withdrawal of a post (离岗) from an identity URN.

    Raises:
        KeyError: There is no such post.
    """
    return pb.PostWithdrawal(holder=holder, post=pb.Post.ValueType(POSTS[post]))


def agreement(
    ways: Mapping[str, Iterable[int]],
    parties: tuple[str, str],
    *,
    valid_from: str,
    valid_until: str,
) -> Matter:
    """Return an agreement of two parties (协议).

    Args:
        ways: The types that each may send to the other, by party.
        parties: The two, in the order of their signatures.
        valid_from: First day in China, `yyyyMMdd`.
        valid_until: Last day.
    """
    return pb.Agreement(
        parties=parties,
        ways=[
            pb.AgreedWay(issuer=issuer, types=sorted(types))
            for issuer, types in sorted(ways.items())
        ],
        valid_from=valid_from,
        valid_until=valid_until,
    )


_CHANGES: Final = {
    "suspend": pb.AgreementChange.CHANGE_SUSPEND,
    "resume": pb.AgreementChange.CHANGE_RESUME,
    "end": pb.AgreementChange.CHANGE_END,
}


def agreement_change(digest: bytes, change: str) -> Matter:
    """Return what becomes of an agreement: `suspend`, `resume` or `end`.

    Raises:
        KeyError: It is none of these.
    """
    return pb.AgreementChange(agreement=digest, change=_CHANGES[change])


def loss_notice(certificate: bytes) -> Matter:
    """Return the notice that the key of a certificate (DER) is lost (挂失)."""
    return pb.LossNotice(certificate=certificate)


def revocation(certificate: bytes) -> Matter:
    """Return the revocation of a certificate (DER) by two persons (废止)."""
    return pb.Revocation(certificate=certificate)


def certificate_application(holder: str, public_key: bytes) -> Matter:
    """Return an application (申请) for a certificate.

    Args:
        holder: Identity URN of who is to hold it.
        public_key: As SubjectPublicKeyInfo in DER.
    """
    return pb.CertificateApplication(
        holder=holder, public_key=hashlib.sha256(public_key).digest()
    )


def certificate_approval(application: bytes) -> Matter:
    """Return the approval (审批) of an application, by its digest."""
    return pb.CertificateApproval(application=application)


def certificate_activation(application: bytes, certificate: bytes) -> Matter:
    """Return what puts a certificate (DER) to use (启用)."""
    return pb.CertificateActivation(application=application, certificate=certificate)


def filing(  # noqa: PLR0913 -- its fields
    holder: str,
    *,
    valid_from: str,
    valid_until: str,
    types: Iterable[int] = (),
    positions: Iterable[str] = (),
    amount_max_fen: int = 0,
) -> Matter:
    """Return the filing (备案) of what a seal may stand on.

    Args:
        holder: Identity URN of whose seal it is.
        valid_from: First day in China, `yyyyMMdd`.
        valid_until: Last day.
        types: Type codes; none: every type.
        positions: Positions; none: every one.
        amount_max_fen: Largest amount, in fen; 0: any.
    """
    return pb.Filing(
        holder=holder,
        types=sorted(types),
        amount_max_fen=amount_max_fen,
        positions=sorted(positions),
        valid_from=valid_from,
        valid_until=valid_until,
    )


def filing_withdrawal(digest: bytes) -> Matter:
    """Return the end of a filing (撤销备案), by its digest."""
    return pb.FilingWithdrawal(filing=digest)


def audit_check(matter: str, finding: str) -> Matter:
    """Return the record of a check (检查记录)."""
    return pb.AuditCheck(matter=matter, finding=finding)


def audit_question(  # noqa: PLR0913 -- its fields
    matter: str,
    subject: str,
    *,
    from_time: datetime | None = None,
    until_time: datetime | None = None,
    acts: Iterable[str] = (),
    kinds: Iterable[str] = (),
    party: str = "",
    matters: Iterable[str] = (),
) -> Matter:
    """Return a check that asks the gateway (安全检查查询).

    Args:
        matter: What is looked at, for people.
        subject: One of `SUBJECTS`.
        from_time: First instant, UTC; None: any.
        until_time: The instant behind the last, UTC; None: any.
        acts: Only these acts, e.g. `WITHDRAW`; none: all.
        kinds: Only documents of these kinds, e.g. `RETURN`; none: all.
        party: Only of this party; empty: all.
        matters: Only these matters of registrations, e.g. `loss_notice`; none: all.

    Raises:
        KeyError: There is no such subject.
    """
    query = pb.AuditQuery(
        subject=SUBJECTS[subject],
        acts=sorted(acts),
        kinds=sorted(kinds),
        party=party,
        matters=sorted(matters),
    )
    if from_time is not None:
        query.from_time.FromDatetime(from_time)
    if until_time is not None:
        query.until_time.FromDatetime(until_time)
    return pb.AuditCheck(matter=matter, query=query)
