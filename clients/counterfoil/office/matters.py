"""What registrations can be about: one function for each matter of the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from counterfoil.catalogue.v1 import party_kind_pb2
from counterfoil.registry.v1 import registration_pb2 as pb

POSTS: Final[Mapping[str, int]] = {
    name.removeprefix("POST_").lower().replace("_", "-"): number
    for name, number in pb.Post.items()
    if number
}
"""Posts (岗位) as people write them, e.g. `first-reviewer`, and their numbers."""

KINDS: Final[Mapping[str, party_kind_pb2.PartyKind.ValueType]] = {
    name.removeprefix("PARTY_KIND_").lower().replace("_", "-"): number
    for name, number in party_kind_pb2.PartyKind.items()
    if number
}
"""Kinds of institution (机构类别) as people write them, e.g. `agent-bank`."""

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
    | pb.DirectoryEntry
    | pb.DirectoryRemoval
    | pb.CertificateDemand
    | pb.PartyAdmission
    | pb.PartyDismissal
    | pb.PeerConnection
    | pb.PeerDisconnection
)
"""What a registration is about; made by the functions below."""


def founding(
    supervisor: str,
    system_manager: str,
    certificates: Iterable[bytes],
    directory: Mapping[bytes, str] = MappingProxyType({}),
) -> Matter:
    """Return the opening of the register (建册).

    Args:
        supervisor: Identity URN of the first supervisor.
        system_manager: Identity URN of the first system manager, who signs first.
        certificates: Certificates in DER that institutions hosted here seal with.
        directory: Whose certificates (DER) are that bear no name, by identity URN.
    """
    return pb.Founding(
        supervisor=supervisor,
        system_manager=system_manager,
        certificates=[hashlib.sha256(der).digest() for der in certificates],
        directory=[
            pb.DirectoryEntry(certificate=der, holder=holder)
            for der, holder in directory.items()
        ],
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


def certificate_demand(party: str) -> Matter:
    """Return the demand that people use only what was activated (启用要求)."""
    return pb.CertificateDemand(party=party)


def party_admission(
    code: str, name: str, kind: str, *, carrier: str = "", encoding: str = ""
) -> Matter:
    """Return the admission of an institution (准入).

    Args:
        code: Its party code.
        name: Its name in Chinese.
        kind: One of `KINDS`.
        carrier: The party whose gateway carries for it; empty: its own.
        encoding: `GBK` or `GB18030`; empty: `GBK`.

    Raises:
        KeyError: There is no such kind.
    """
    return pb.PartyAdmission(
        code=code, name=name, kind=KINDS[kind], carrier=carrier, encoding=encoding
    )


def party_dismissal(code: str) -> Matter:
    """Return the dismissal of an institution (退出)."""
    return pb.PartyDismissal(code=code)


def peer_connection(
    party: str,
    addresses: Iterable[str],
    heads: Iterable[str],
    *,
    server_name: str = "",
) -> Matter:
    """Return how a peer is reached and by which keys its log is believed (接入).

    Args:
        party: Code of the party whose gateway it is.
        addresses: `host:port`, in the order in which they are tried.
        heads: Verifier keys of its log, as its `counterfoil keys` prints them.
        server_name: The name that its certificate bears; empty: the usual one.
    """
    return pb.PeerConnection(
        party=party, addresses=addresses, heads=heads, server_name=server_name
    )


def peer_disconnection(party: str) -> Matter:
    """Return the end of a connection (断开)."""
    return pb.PeerDisconnection(party=party)


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


def directory_entry(holder: str, certificate: bytes) -> Matter:
    """Return an entry of the directory of persons (列名).

    Args:
        holder: Identity URN of the person, system or institution whose it is.
        certificate: In DER; it bears no name of ours.
    """
    return pb.DirectoryEntry(certificate=certificate, holder=holder)


def directory_removal(certificate: bytes) -> Matter:
    """Return the removal of a certificate (DER) from the directory (除名)."""
    return pb.DirectoryRemoval(certificate=hashlib.sha256(certificate).digest())


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
