"""Registrations between protobuf and the domain (登记)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import protovalidate
from google.protobuf.timestamp_pb2 import Timestamp

from counterfoil.domain import registration as domain
from counterfoil.domain.audit import AuditQuery, Subject
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.document import Document, make_document
from counterfoil.domain.party import Identity, check_party_code
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import FormRefused, MalformedPayload, SamePerson
from counterfoil.domain.registration import (
    Matter,
    Registration,
    key_of_registration,
    make_registration,
)
from counterfoil.domain.rules.payment import is_day
from counterfoil.domain.seals import check_seat, next_position
from counterfoil.domain.standing import Act
from counterfoil.registry.v1 import registration_pb2 as pb
from counterfoil.registry.v1 import registry_pb2
from counterfoil.seal.certificates import (
    CertificateRefused,
    load_certificate,
    stated_identity,
)
from counterfoil.seal.verify import Verified
from counterfoil.wire import certificate_matters, party_matters
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.claimed_names import claimed_names
from counterfoil.wire.keys import is_instant, timestamp_to_us
from counterfoil.wire.matter_fields import read_identity, refused_field
from counterfoil.wire.sealed import Opened, open_sealed
from counterfoil.wire.seals import parse_statement
from counterfoil.wire.violations import violations_of
from counterfoil.wire.whole import parse_whole

POSTS: Final = {
    pb.POST_BUSINESS_SYSTEM: Post.BUSINESS_SYSTEM,
    pb.POST_FIRST_REVIEWER: Post.FIRST_REVIEWER,
    pb.POST_SECOND_REVIEWER: Post.SECOND_REVIEWER,
    pb.POST_SYSTEM_MANAGER: Post.SYSTEM_MANAGER,
    pb.POST_SUPERVISOR: Post.SUPERVISOR,
    pb.POST_SECURITY_OFFICER: Post.SECURITY_OFFICER,
    pb.POST_ARCHIVIST: Post.ARCHIVIST,
}
"""Posts by their numbers."""


def read_registration(payload: bytes, signers: Sequence[Identity]) -> Registration:
    """Parse and check the payload of a registration whose signatures hold.

    Args:
        payload: An encoded `registry.v1.Registration`.
        signers: Who signed it, lowest first.

    Raises:
        MalformedPayload: The bytes are none, or contradict themselves.
        FormRefused: A field breaks a rule.
    """
    try:
        message = parse_whole(pb.Registration, payload, what="registration")
    except ValueError as error:
        raise MalformedPayload(str(error), field="payload") from error
    broken = protovalidate.collect_violations(message)
    if broken:
        raise FormRefused("the registration breaks a rule", violations_of(broken))
    _check_instant("stated_time", message.stated_time)
    with_name = message.WhichOneof("matter")
    assert with_name is not None, "the contract requires one"
    _check_codes("by", [message.by])
    _check_codes("told", message.told)
    return make_registration(
        by=message.by,
        number=message.number,
        told=tuple(message.told),
        explanation=message.explanation,
        matter=_MATTERS[with_name](getattr(message, with_name)),
        signers=tuple(signers),
        digest=sha256(payload).digest(),
    )


def stored_registration(
    sealed: bytes,
    find: Callable[[bytes], bytes | None],
    listed: Callable[[bytes], Identity | None],
) -> Registration:
    """Return what a registration of our log says; its signatures were judged then.

    Args:
        sealed: The encoded `Sealed`.
        find: Returns a kept certificate (DER) by its digest, or None.
        listed: Returns for whom the directory listed a certificate then, by its digest.

    Raises:
        MalformedPayload: It is none, or a certificate is not kept or nobody's.
        FormRefused: A field breaks a rule.
    """
    opened = open_sealed(sealed)
    # What opens a register names those who open it.
    claimed = claimed_names([sealed], founding_only=True)
    signers = []
    for seal in opened.seals:
        try:
            digest = parse_statement(seal.statement).certificate_digest
            stated = stated_identity(load_certificate(find(digest) or b""))
        except (ValueError, CertificateRefused) as error:
            raise MalformedPayload(
                "a signer's certificate is not kept", field="seals"
            ) from error
        signer = stated or listed(digest) or claimed.get(digest)
        if signer is None:
            raise MalformedPayload("a signer's certificate is nobody's", field="seals")
        signers.append(signer)
    return read_registration(opened.payload, signers)


def registration_document(
    sealed: bytes, opened: Opened, verified: Verified
) -> Document:
    """Return a registration that a vault takes, from its verified parts.

    Args:
        sealed: The encoded `Sealed`.
        opened: The same taken apart.
        verified: Its seals, all of which hold.

    Raises:
        SealMissing: A seal is for another position than the one that is due.
        SamePerson: Two seals are with one key, whatever names its certificates bear.
        MalformedPayload: It is none, or encloses something.
        FormRefused: A field breaks a rule.
    """
    if opened.enclosures:
        raise MalformedPayload("a registration encloses nothing", field="enclosures")
    plan = CATALOGUE.default_plans[DocumentKind.REGISTRATION]
    for seat, statement in enumerate(verified.statements):
        check_seat(next_position(plan, seat), statement, str(seat))
    if len({one.key_digest for one in verified.sealings}) < len(verified.sealings):
        raise SamePerson("two signatures are with one key")
    signers = [sealing.signer for sealing in verified.sealings]
    said = read_registration(opened.payload, signers)
    return make_document(
        kind=DocumentKind.REGISTRATION,
        sealed=sealed,
        digest=opened.digest,
        version=sha256(sealed).digest(),
        key=key_of_registration(said.by, said.number),
        subject=opened.digest,
        by=said.by,
        recipients=said.told,
        signers=tuple(one.certificate_digest for one in verified.statements),
        listed=verified.listed,
        registration=said,
        is_overdue=bool(verified.overdue),
    )


def matter_of(sealed: bytes) -> str:
    """Return what a registration of our log is about, by the name of the contract.

    Raises:
        MalformedPayload: It is none.
    """
    try:
        message = parse_whole(
            pb.Registration, open_sealed(sealed).payload, what="registration"
        )
    except ValueError as error:
        raise MalformedPayload(str(error), field="payload") from error
    return message.WhichOneof("matter") or ""


def _check_instant(path: str, instant: Timestamp) -> None:
    if not is_instant(instant):
        raise refused_field(path, "not an instant", "不是有效时间")


def _check_codes(path: str, codes: Sequence[str]) -> None:
    try:
        for code in codes:
            check_party_code(code)
    except ValueError as error:
        raise refused_field(path, "not a party code", "不是机构代码") from error


def _types(path: str, codes: Sequence[int]) -> frozenset[int]:
    if not CATALOGUE.rows.keys() >= set(codes):
        raise refused_field(
            path, "the catalogue has no such type", "凭证目录中无此种类"
        )
    return frozenset(codes)


def _days(path: str, first: str, last: str) -> tuple[str, str]:
    if not (is_day(first) and is_day(last)) or last < first:
        raise refused_field(
            path, "not a day, or before the first", "日期无效或早于起始日"
        )
    return first, last


def _assignment(matter: pb.PostAssignment) -> Matter:
    return domain.PostAssignment(
        holder=read_identity("post_assignment.holder", matter.holder),
        post=POSTS[matter.post],
    )


def _withdrawal(matter: pb.PostWithdrawal) -> Matter:
    return domain.PostWithdrawal(
        holder=read_identity("post_withdrawal.holder", matter.holder),
        post=POSTS[matter.post],
    )


def _agreement(matter: pb.Agreement) -> Matter:
    _check_codes("agreement.parties", matter.parties)
    issuers = [way.issuer for way in matter.ways]
    if not set(matter.parties).issuperset(issuers) or len(set(issuers)) < len(issuers):
        raise refused_field(
            "agreement.ways", "one for each party at most", "每一方至多一个方向"
        )
    first, last = _days("agreement.valid_until", matter.valid_from, matter.valid_until)
    return domain.Agreement(
        parties=(matter.parties[0], matter.parties[1]),
        ways=tuple(
            domain.AgreedWay(
                issuer=way.issuer, types=_types("agreement.ways.types", way.types)
            )
            for way in matter.ways
        ),
        valid_from=first,
        valid_until=last,
    )


def _change(matter: pb.AgreementChange) -> Matter:
    return domain.AgreementChange(
        agreement=matter.agreement, change=domain.Change(matter.change)
    )


def _filing(matter: pb.Filing) -> Matter:
    first, last = _days("filing.valid_until", matter.valid_from, matter.valid_until)
    return domain.Filing(
        holder=read_identity("filing.holder", matter.holder),
        types=_types("filing.types", matter.types),
        amount_max_fen=matter.amount_max_fen,
        positions=frozenset(matter.positions),
        valid_from=first,
        valid_until=last,
    )


def _filing_withdrawal(matter: pb.FilingWithdrawal) -> Matter:
    return domain.FilingWithdrawal(filing=matter.filing)


def _check(matter: pb.AuditCheck) -> Matter:
    query = _query(matter.query) if matter.HasField("query") else None
    return domain.AuditCheck(matter=matter.matter, finding=matter.finding, query=query)


def _query(query: pb.AuditQuery) -> AuditQuery:
    path = "audit_check.query"
    _check_instant(f"{path}.from_time", query.from_time)
    _check_instant(f"{path}.until_time", query.until_time)
    if query.party:
        _check_codes(f"{path}.party", [query.party])
    if not _MATTERS.keys() >= set(query.matters):
        raise refused_field(f"{path}.matters", "no such matter", "无此登记事项")
    try:
        acts = frozenset(Act[name] for name in query.acts)
        kinds = frozenset(DocumentKind[name] for name in query.kinds)
    except KeyError as error:
        text = f"no such act or kind of document: {error}"
        raise refused_field(path, text, "无此操作或文书种类") from error
    return AuditQuery(
        subject=Subject(query.subject),
        # An instant that is not named is the epoch, which means the same.
        from_us=timestamp_to_us(query.from_time),
        until_us=timestamp_to_us(query.until_time),
        acts=acts,
        kinds=kinds,
        party=query.party,
        matters=frozenset(query.matters),
    )


_MATTERS: Final[Mapping[str, Callable[[Any], Matter]]] = {
    "founding": certificate_matters.founding,
    "post_assignment": _assignment,
    "post_withdrawal": _withdrawal,
    "agreement": _agreement,
    "agreement_change": _change,
    "loss_notice": certificate_matters.loss,
    "revocation": certificate_matters.revocation,
    "certificate_application": certificate_matters.application,
    "certificate_approval": certificate_matters.approval,
    "certificate_activation": certificate_matters.activation,
    "filing": _filing,
    "filing_withdrawal": _filing_withdrawal,
    "audit_check": _check,
    "directory_entry": certificate_matters.entry,
    "directory_removal": certificate_matters.removal,
    "certificate_demand": certificate_matters.demand,
    "party_admission": party_matters.admission,
    "party_dismissal": party_matters.dismissal,
    "peer_connection": party_matters.connection,
    "peer_disconnection": party_matters.disconnection,
}


def file_to_parts(encoded: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the registrations and the certificates of a file.

    Raises:
        MalformedPayload: It is none.
    """
    try:
        file = parse_whole(
            registry_pb2.RegistrationFile, encoded, what="registration file"
        )
    except ValueError as error:
        raise MalformedPayload(str(error), field="file") from error
    return list(file.registrations), list(file.certificates)
