"""Registrations (登记): signed acts that change who may do what.

A registration is a sealed document like any other: encoded once, signed by the
persons whose posts it needs, a leaf of the log, and carried verbatim to the peers that
are told. What stands registered is `domain.register.Register`, which follows from the
registrations in the order of the log and from nothing else (`docs/adr/0019`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

from counterfoil.domain.audit import AuditQuery
from counterfoil.domain.party import Identity
from counterfoil.domain.posts import Post
from counterfoil.domain.registry import Party
from counterfoil.domain.value import maker, value
from counterfoil.domain.voucher import VoucherKey


@value
class DirectoryEntry:
    """A certificate that bears no name is listed for somebody (列名).

    Attributes:
        certificate: SHA-256 of the certificate.
        public_key: SHA-256 of its public key, as SubjectPublicKeyInfo in DER.
        holder: Whose it is.
        valid_until_us: When it ends, microseconds since the epoch.
    """

    certificate: bytes
    public_key: bytes
    holder: Identity
    valid_until_us: int


@value
class DirectoryRemoval:
    """A certificate is taken out of the directory (除名).

    Attributes:
        certificate: SHA-256 of the certificate.
    """

    certificate: bytes


@value
class Founding:
    """The register is opened (建册): the first two persons, and the seals in use.

    Attributes:
        supervisor: The first supervisor (主管岗).
        system_manager: The first system manager (系统管理岗); another person.
        certificates: SHA-256 of the certificates that the institutions hosted here
            seal with from the beginning.
        directory: Names of certificates that bear none.
    """

    supervisor: Identity
    system_manager: Identity
    certificates: tuple[bytes, ...] = ()
    directory: tuple[DirectoryEntry, ...] = ()


@value
class PostAssignment:
    """Somebody is given a post (任岗)."""

    holder: Identity
    post: Post


@value
class PostWithdrawal:
    """A post is taken from somebody (离岗)."""

    holder: Identity
    post: Post


@value
class AgreedWay:
    """What one party of an agreement may send to the other.

    Attributes:
        issuer: Code of the party that sends.
        types: Type codes, see the catalogue.
    """

    issuer: str
    types: frozenset[int]


@value
class Agreement:
    """Two parties agree on what they exchange (协议).

    Attributes:
        parties: Codes of the two, in the order of their signatures.
        ways: What each may send; at most one of each.
        valid_from: First day, `yyyyMMdd`, in China.
        valid_until: Last day.
    """

    parties: tuple[str, str]
    ways: tuple[AgreedWay, ...]
    valid_from: str
    valid_until: str


class Change(IntEnum):
    """What becomes of an agreement; numbers as in `registry.v1.AgreementChange`."""

    SUSPEND = 1
    """Nothing is exchanged until the same party resumes it (中止)."""
    RESUME = 2
    """The party that suspended it takes that back (恢复)."""
    END = 3
    """It is over for good (终止)."""


@value
class AgreementChange:
    """A party suspends, resumes or ends an agreement.

    Attributes:
        agreement: Digest of its registration.
        change: What becomes of it.
    """

    agreement: bytes
    change: Change


@value
class LossNotice:
    """A key is lost, stolen or told (挂失): worthless from this leaf on.

    Attributes:
        certificate: SHA-256 of the certificate.
        holder: Whom it names; None if it bears no name.
        twins: SHA-256 of the same certificate in other bytes.
    """

    certificate: bytes
    holder: Identity | None
    twins: tuple[bytes, ...] = ()


@value
class Revocation:
    """A certificate is no longer used here (废止), by decision of two persons.

    Attributes:
        certificate: SHA-256 of the certificate.
        holder: Whom it names; None if it bears no name.
        twins: SHA-256 of the same certificate in other bytes.
    """

    certificate: bytes
    holder: Identity | None
    twins: tuple[bytes, ...] = ()


@value
class CertificateApplication:
    """A certificate is applied for (申请).

    Attributes:
        holder: Who is to hold it.
        public_key: SHA-256 of the public key, as SubjectPublicKeyInfo in DER.
    """

    holder: Identity
    public_key: bytes


@value
class CertificateApproval:
    """Another person approves of an application (审批).

    Attributes:
        application: Digest of its registration.
    """

    application: bytes


@value
class CertificateActivation:
    """A certificate that was applied for and approved is put to use (启用).

    Attributes:
        application: Digest of the application's registration.
        certificate: SHA-256 of the certificate.
        holder: Whom the certificate names; None if it bears no name.
        public_key: SHA-256 of the certificate's public key, as in the application.
        valid_until_us: When it ends, microseconds since the epoch.
    """

    application: bytes
    certificate: bytes
    holder: Identity | None
    public_key: bytes
    valid_until_us: int


@value
class CertificateDemand:
    """Persons and systems use only certificates that were put to use (启用要求).

    Attributes:
        party: Code of the party whose persons and systems.
    """

    party: str


@value
class Filing:
    """The scope of a seal or signature is filed (备案).

    Attributes:
        holder: Whose seal or signature.
        types: Type codes that it may stand on; empty: every type.
        amount_max_fen: Largest amount, in fen; 0: any.
        positions: Positions that it may stand at; empty: every one.
        valid_from: First day, `yyyyMMdd`, in China.
        valid_until: Last day.
    """

    holder: Identity
    types: frozenset[int]
    amount_max_fen: int
    positions: frozenset[str]
    valid_from: str
    valid_until: str


@value
class FilingWithdrawal:
    """A filing ends (撤销备案).

    Attributes:
        filing: Digest of its registration.
    """

    filing: bytes


@value
class PartyAdmission:
    """An institution takes part, or goes by another name (准入)."""

    party: Party


@value
class PartyDismissal:
    """An institution takes part no more (退出)."""

    party: str


@value
class PeerConnection:
    """How a peer's gateway is reached, and by which keys its log is believed (接入).

    Attributes:
        party: Code of the party whose gateway it is.
        addresses: `host:port`, in the order in which they are tried.
        heads: Verifier keys of its log, each of which signs every head.
        server_name: The name that its certificate must bear.
    """

    party: str
    addresses: tuple[str, ...]
    heads: tuple[str, ...]
    server_name: str


@value
class PeerDisconnection:
    """A peer is connected no more (断开)."""

    party: str


@value
class AuditCheck:
    """The security officer looks, or has looked, and says so (检查记录).

    Attributes:
        matter: What is or was looked at.
        finding: What was found; empty in one that asks.
        query: What is asked of the gateway, if anything.
    """

    matter: str
    finding: str
    query: AuditQuery | None = None


Matter: TypeAlias = (
    Founding
    | PostAssignment
    | PostWithdrawal
    | Agreement
    | AgreementChange
    | LossNotice
    | Revocation
    | CertificateApplication
    | CertificateApproval
    | CertificateActivation
    | Filing
    | FilingWithdrawal
    | AuditCheck
    | DirectoryEntry
    | DirectoryRemoval
    | CertificateDemand
    | PartyAdmission
    | PartyDismissal
    | PeerConnection
    | PeerDisconnection
)
"""What a registration is about."""

TAKING_PART: Final = (PartyAdmission, PartyDismissal, PeerConnection, PeerDisconnection)
"""What changes who takes part, and how they are reached."""

_SERVER_NAME: Final = "{}.gateway.counterfoil"


def server_name_of(party: str, server_name: str) -> str:
    """Return the name that a gateway's certificate bears; by default by its party."""
    return server_name or _SERVER_NAME.format(party)


@value
class Registration:
    """A signed change of the register, verified but not judged yet.

    Attributes:
        by: Code of the party in whose name it is made.
        number: Its number among all of that party, 1 to 42 printable ASCII characters.
        told: Codes of the parties that are told.
        explanation: Why, for people.
        matter: What it changes.
        signers: Who signed, in the order of the signatures.
        digest: SHA-256 of its payload.
    """

    by: str
    number: str
    told: tuple[str, ...]
    explanation: str
    matter: Matter
    signers: tuple[Identity, ...]
    digest: bytes


make_registration: Final = maker(Registration)


def key_of_registration(by: str, number: str) -> VoucherKey:
    """Return what stands in the place of a voucher's key for a registration.

    No voucher has it: type 0 is none, and a registration is in no book of keys.
    """
    return VoucherKey(
        issuer=by, adm_div="", fiscal_year=0, type_code=0, number=number, issue=0
    )
