"""Whose signatures a registration needs: one table, deny by default.

A registration of a party hosted here is signed by holders of posts here. One of a
peer's is signed by persons of that peer, whose posts are the peer's own business: its
gateway judged them, its log shows it, and what it says binds that peer alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import PERSONS, Post
from counterfoil.domain.refusals import SamePerson
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    MatterForeign,
    NotFounded,
    OwnPost,
    SignersRefused,
)
from counterfoil.domain.registration import (
    Agreement,
    AgreementChange,
    AuditCheck,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    CertificateDemand,
    Change,
    DirectoryEntry,
    DirectoryRemoval,
    Filing,
    FilingWithdrawal,
    Founding,
    LossNotice,
    Matter,
    PartyAdmission,
    PartyDismissal,
    PeerConnection,
    PeerDisconnection,
    PostAssignment,
    PostWithdrawal,
    Registration,
    Revocation,
)

_MANAGER: Final = frozenset({Post.SYSTEM_MANAGER})
_SUPERVISOR: Final = frozenset({Post.SUPERVISOR})
_OFFICER: Final = frozenset({Post.SECURITY_OFFICER})

Seats = tuple[frozenset[Post], ...]
"""For each signature that is due, in order, the posts that may make it."""

SEATS: Final[dict[type[Matter], Seats]] = {
    Founding: (_MANAGER, _SUPERVISOR),
    # 系统管理岗 sets up the posts, 主管岗 approves.
    PostAssignment: (_MANAGER, _SUPERVISOR),
    PostWithdrawal: (_MANAGER, _SUPERVISOR),
    # One for each party; a peer's supervisor is the peer's business.
    Agreement: (_SUPERVISOR, _SUPERVISOR),
    # Whoever finds the loss tells it; nobody waits for a second person.
    LossNotice: (PERSONS,),
    Revocation: (_OFFICER, _SUPERVISOR),
    CertificateApplication: (_MANAGER,),
    CertificateApproval: (_OFFICER,),
    CertificateActivation: (_MANAGER,),
    Filing: (_OFFICER, _SUPERVISOR),
    FilingWithdrawal: (_OFFICER, _SUPERVISOR),
    AuditCheck: (_OFFICER,),
    DirectoryEntry: (_OFFICER, _SUPERVISOR),
    DirectoryRemoval: (_OFFICER, _SUPERVISOR),
    CertificateDemand: (_OFFICER, _SUPERVISOR),
    # With whom we deal is for 主管岗 to approve, as posts are.
    PartyAdmission: (_MANAGER, _SUPERVISOR),
    PartyDismissal: (_MANAGER, _SUPERVISOR),
    # Whose proofs we believe is for 安全管理岗, as certificates are.
    PeerConnection: (_MANAGER, _OFFICER),
    PeerDisconnection: (_MANAGER, _OFFICER),
}
"""Every matter but the changes of agreements; see `seats_of`."""

CHANGE_SEATS: Final[dict[Change, Seats]] = {
    # To stop is for one, to go on for two.
    Change.SUSPEND: (_SUPERVISOR,),
    Change.RESUME: (_OFFICER, _SUPERVISOR),
    Change.END: (_OFFICER, _SUPERVISOR),
}
"""The changes of agreements."""

TOLD: Final = (
    Agreement,
    AgreementChange,
    LossNotice,
    Revocation,
    Filing,
    FilingWithdrawal,
    DirectoryEntry,
    DirectoryRemoval,
)
"""What concerns peers too: they are told of it, and take it in."""


def seats_of(matter: Matter) -> Seats:
    """Return whose signatures a matter needs, in their order."""
    if isinstance(matter, AgreementChange):
        return CHANGE_SEATS[matter.change]
    return SEATS[type(matter)]


def require_signed(register: Register, registration: Registration) -> None:
    """Check that a registration is signed by whom it needs.

    Source: Hubei measures, articles 24 and 36: 主管岗 approves what matters, 系统管理岗
    sets up the posts, nobody completes an act alone.

    Raises:
        NotFounded: Nobody holds a post yet.
        MatterForeign: A peer may not register this here.
        SamePerson: One person signed twice.
        SignersRefused: A signature is missing, or not of the post that is due.
        OwnPost: Somebody signs for his own post.
    """
    signers = registration.signers
    _require_persons(signers, len(seats_of(registration.matter)))
    if isinstance(registration.matter, Founding):
        _require_founders(register, registration, registration.matter)
    elif isinstance(registration.matter, Agreement):
        _require_agreed(register, registration, registration.matter)
    elif register.is_hosted(registration.by):
        _require_posts(register, registration)
    else:
        _require_foreign(register, registration)


_TO_USE: Final = (CertificateApplication, CertificateApproval, CertificateActivation)


def require_active_signers(
    register: Register,
    registration: Registration,
    certificates: Sequence[bytes],
    at_us: int,
) -> None:
    """Check that signers use certificates that were put to use, where it is demanded.

    Who has none left may still sign what leads to a new one; each step of it needs the
    post, and two of the three are of different persons.

    Args:
        register: What stands registered.
        registration: What they signed.
        certificates: SHA-256 of the certificate of each, in their order.
        at_us: When it is judged, microseconds since the epoch.

    Raises:
        CertificateNotActive: A signer's was not.
    """
    if not register.demanding:
        return
    leads_to_use = isinstance(registration.matter, _TO_USE)
    for signer, certificate in zip(registration.signers, certificates, strict=True):
        if leads_to_use and not register.has_active(signer.to_urn(), at_us):
            continue
        register.require_active(signer.to_urn(), certificate)


def _require_persons(signers: Sequence[Identity], due: int) -> None:
    if len(signers) != due:
        raise SignersRefused(
            f"{due} signatures are due, {len(signers)} are there", due=str(due)
        )
    for signer in signers:
        if signer.use is not Use.PERSON:
            raise SignersRefused(
                f"{signer.to_urn()} is no person", signer=signer.to_urn()
            )
    if len(set(signers)) != len(signers):
        raise SamePerson("two signatures are by one person")


def _require_founders(
    register: Register, registration: Registration, matter: Founding
) -> None:
    """Check that both who are named sign, each with the own key.

    Of a peer's opening only the names are taken, and only before ours: whoever opens
    our register knows that peer, and nobody comes to know its first persons later by
    the word of its gateway alone.
    """
    is_foreign = registration.by != register.home
    if is_foreign and (register.is_founded or register.is_hosted(registration.by)):
        raise MatterForeign("a register is opened by its own party", by=registration.by)
    for signer in registration.signers if is_foreign else ():
        _require_signer_of(register, registration.by, signer)
    if registration.signers != (matter.system_manager, matter.supervisor):
        raise SignersRefused("the two who are named must sign, and nobody else")


def _require_agreed(
    register: Register, registration: Registration, matter: Agreement
) -> None:
    """Check that each party's supervisor signs, in the order of the parties."""
    if not any(map(register.is_hosted, matter.parties)):
        raise MatterForeign("the agreement is between others", by=registration.by)
    if registration.by not in {
        *matter.parties,
        *(register.carriers.get(party) for party in matter.parties),
    }:
        raise MatterForeign("it is registered by no party of it", by=registration.by)
    for party, signer in zip(matter.parties, registration.signers, strict=True):
        _require_signer_of(register, party, signer)
        if register.is_hosted(party):
            _require_post(register, signer, _SUPERVISOR)


def _require_posts(register: Register, registration: Registration) -> None:
    matter = registration.matter
    for signer, posts in zip(registration.signers, seats_of(matter), strict=True):
        _require_signer_of(register, registration.by, signer)
        _require_post(register, signer, posts)
        if (
            isinstance(matter, PostAssignment | PostWithdrawal)
            and signer == matter.holder
        ):
            raise OwnPost("nobody signs for his own post", signer=signer.to_urn())


def _require_signer_of(register: Register, party: str, signer: Identity) -> None:
    """Check that a person is of the party, or of the one that carries for it."""
    if signer.party not in {party, register.carriers.get(party)}:
        raise SignersRefused(
            f"{signer.to_urn()} does not sign for {party}", signer=signer.to_urn()
        )


def _require_post(register: Register, signer: Identity, posts: frozenset[Post]) -> None:
    if not register.is_founded:
        raise NotFounded("the register was not opened; run `counterfoil init` first")
    if register.posts_of(signer).isdisjoint(posts):
        due = " or ".join(sorted(post.value for post in posts))
        raise SignersRefused(
            f"{signer.to_urn()} does not hold the post that is due: {due}",
            signer=signer.to_urn(),
        )


def _require_foreign(register: Register, registration: Registration) -> None:
    """Check that a peer registers what is its own, by persons of its own."""
    if not isinstance(registration.matter, TOLD):
        raise MatterForeign("a peer's own business is not told", by=registration.by)
    for signer in registration.signers:
        _require_signer_of(register, registration.by, signer)
