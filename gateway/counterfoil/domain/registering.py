"""What each registration makes of the register: one function for each matter.

Pure: the same registrations in the same order give the same register everywhere, so
that it is rebuilt from the log at every start and checked by `vault verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from counterfoil.domain.duties import require_signed
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post, are_compatible
from counterfoil.domain.register import (
    AgreementState,
    CertificateState,
    Register,
    Voided,
    with_one,
    without,
)
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    MatterForeign,
    NotRegistered,
    PostsIncompatible,
    RegistrationNumberReused,
    SignersRefused,
)
from counterfoil.domain.registration import (
    Agreement,
    AgreementChange,
    AuditCheck,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    Change,
    Filing,
    FilingWithdrawal,
    Founding,
    LossNotice,
    Matter,
    PostAssignment,
    PostWithdrawal,
    Registration,
    Revocation,
)

V = TypeVar("V")


def register_after(
    register: Register, registration: Registration, at_us: int
) -> Register:
    """Return the register after one more registration.

    Args:
        register: What stands registered.
        registration: What comes next; its signatures were verified.
        at_us: When our log takes it in, microseconds since the epoch.

    Raises:
        Refused: The register does not allow it; nothing changes.
    """
    place = registration.by, registration.number
    if register.numbers.get(place, registration.digest) != registration.digest:
        raise RegistrationNumberReused(
            "the party used the number before", number=registration.number
        )
    require_signed(register, registration)
    change = _CHANGES[type(registration.matter)]
    after = change(register, registration, registration.matter, at_us)
    return replace(after, numbers=with_one(after.numbers, place, registration.digest))


def _found(
    register: Register, _registration: Registration, matter: Founding, _at_us: int
) -> Register:
    if register.is_founded:
        raise AlreadyRegistered("the register was opened before")
    return replace(
        register,
        is_founded=True,
        holders={
            matter.supervisor.to_urn(): frozenset({Post.SUPERVISOR}),
            matter.system_manager.to_urn(): frozenset({Post.SYSTEM_MANAGER}),
        },
        in_use=frozenset(matter.certificates),
    )


def _assign(
    register: Register, registration: Registration, matter: PostAssignment, _at_us: int
) -> Register:
    _require_home(register, registration)
    holder = matter.holder
    if not register.is_hosted(holder.party):
        raise MatterForeign("the holder is of no party hosted here", by=holder.party)
    held = register.posts_of(holder)
    if matter.post in held:
        raise AlreadyRegistered(
            f"{holder.to_urn()} holds the post", holder=holder.to_urn()
        )
    is_system = matter.post is Post.BUSINESS_SYSTEM
    if holder.use is not (Use.SYSTEM if is_system else Use.PERSON):
        raise PostsIncompatible(
            "a program is a business system and nothing else, and a person never",
            holder=holder.to_urn(),
        )
    posts = held | {matter.post}
    if not are_compatible(posts):
        names = ", ".join(sorted(post.value for post in held))
        raise PostsIncompatible(
            f"{holder.to_urn()} holds {names}, which excludes {matter.post.value}",
            holder=holder.to_urn(),
        )
    return replace(register, holders=with_one(register.holders, holder.to_urn(), posts))


def _withdraw(
    register: Register, registration: Registration, matter: PostWithdrawal, _at_us: int
) -> Register:
    _require_home(register, registration)
    holder = matter.holder.to_urn()
    held = register.posts_of(matter.holder)
    # A supervisor and a system manager are always left: who signs is never the holder.
    if matter.post not in held:
        raise NotRegistered(f"{holder} does not hold the post", holder=holder)
    left = held - {matter.post}
    if left:
        return replace(register, holders=with_one(register.holders, holder, left))
    return replace(register, holders=without(register.holders, holder))


def _agree(
    register: Register, registration: Registration, matter: Agreement, _at_us: int
) -> Register:
    state = AgreementState(agreement=matter)
    return replace(
        register,
        agreements=_once(register.agreements, registration.digest, state),
    )


def _change(
    register: Register, registration: Registration, matter: AgreementChange, _at_us: int
) -> Register:
    state = register.agreements.get(matter.agreement)
    if state is None or state.is_over:
        raise NotRegistered(
            "no such agreement, or it is over", agreement=matter.agreement.hex()
        )
    parties = state.agreement.parties
    carried = {register.carriers.get(party) for party in parties}
    if registration.by not in {*parties, *carried}:
        raise MatterForeign("it is no party's of the agreement", by=registration.by)
    by, suspended = registration.by, state.suspended_by
    if matter.change is Change.SUSPEND:
        if by in suspended:
            raise AlreadyRegistered("the party suspended it before", by=by)
        state = replace(state, suspended_by=suspended | {by})
    elif matter.change is Change.RESUME:
        if by not in suspended:
            raise NotRegistered("the party has not suspended it", by=by)
        state = replace(state, suspended_by=suspended - {by})
    else:
        state = replace(state, is_over=True)
    return replace(
        register, agreements=with_one(register.agreements, matter.agreement, state)
    )


def _void(
    register: Register,
    registration: Registration,
    matter: LossNotice | Revocation,
    at_us: int,
) -> Register:
    _require_own_holder(register, registration, matter.holder)
    voided = Voided(
        holder=matter.holder,
        by=registration.by,
        is_loss=isinstance(matter, LossNotice),
        time_us=at_us,
    )
    return replace(register, voided=_once(register.voided, matter.certificate, voided))


def _apply(
    register: Register,
    registration: Registration,
    matter: CertificateApplication,
    _at_us: int,
) -> Register:
    _require_home(register, registration)
    _require_own_holder(register, registration, matter.holder)
    state = CertificateState(
        holder=matter.holder,
        public_key=matter.public_key,
        applied_by=registration.signers[0],
    )
    return replace(
        register,
        certificates=_once(register.certificates, registration.digest, state),
    )


def _approve(
    register: Register,
    _registration: Registration,
    matter: CertificateApproval,
    _at_us: int,
) -> Register:
    state = _application(register, matter.application)
    if state.is_approved:
        raise AlreadyRegistered("the application was approved before")
    return replace(
        register,
        certificates=with_one(
            register.certificates, matter.application, replace(state, is_approved=True)
        ),
    )


def _activate(
    register: Register,
    _registration: Registration,
    matter: CertificateActivation,
    _at_us: int,
) -> Register:
    state = _application(register, matter.application)
    if state.certificate:
        raise AlreadyRegistered("the certificate was put to use before")
    if not state.is_approved:
        raise SignersRefused("nobody approved of the application yet")
    if (state.holder, state.public_key) != (matter.holder, matter.public_key):
        raise NotRegistered("the certificate is not the one that was applied for")
    state = replace(state, certificate=matter.certificate)
    return replace(
        register,
        certificates=with_one(register.certificates, matter.application, state),
        in_use=register.in_use | {matter.certificate},
    )


def _file(
    register: Register, registration: Registration, matter: Filing, _at_us: int
) -> Register:
    _require_own_holder(register, registration, matter.holder)
    return replace(
        register, filings=_once(register.filings, registration.digest, matter)
    )


def _unfile(
    register: Register,
    registration: Registration,
    matter: FilingWithdrawal,
    _at_us: int,
) -> Register:
    filing = register.filings.get(matter.filing)
    if filing is None:
        raise NotRegistered("no such filing in force", filing=matter.filing.hex())
    _require_own_holder(register, registration, filing.holder)
    return replace(register, filings=without(register.filings, matter.filing))


def _note(
    register: Register, registration: Registration, _matter: AuditCheck, _at_us: int
) -> Register:
    _require_home(register, registration)
    return register


_Changing = Callable[[Register, Registration, Any, int], Register]

_CHANGES: Final[dict[type[Matter], _Changing]] = {
    Founding: _found,
    PostAssignment: _assign,
    PostWithdrawal: _withdraw,
    Agreement: _agree,
    AgreementChange: _change,
    LossNotice: _void,
    Revocation: _void,
    CertificateApplication: _apply,
    CertificateApproval: _approve,
    CertificateActivation: _activate,
    Filing: _file,
    FilingWithdrawal: _unfile,
    AuditCheck: _note,
}


def _application(register: Register, digest: bytes) -> CertificateState:
    state = register.certificates.get(digest)
    if state is None:
        raise NotRegistered("no such application", application=digest.hex())
    return state


def _require_home(register: Register, registration: Registration) -> None:
    """Check that the keeper of the register itself registers it."""
    if registration.by != register.home:
        raise MatterForeign(
            "only the register's own party registers it", by=registration.by
        )


def _require_own_holder(
    register: Register, registration: Registration, holder: Identity
) -> None:
    """Check that it is about somebody of the party, or of one that it carries for."""
    if registration.by not in {holder.party, register.carriers.get(holder.party)}:
        raise MatterForeign(
            f"{holder.to_urn()} is not the party's", holder=holder.to_urn()
        )


def _once(table: Mapping[bytes, V], key: bytes, one: V) -> dict[bytes, V]:
    """Return a table with a row that it did not have.

    Raises:
        AlreadyRegistered: It has it.
    """
    if key in table:
        raise AlreadyRegistered("it is registered already", digest=key.hex())
    return with_one(table, key, one)
