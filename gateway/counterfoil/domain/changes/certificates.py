"""Certificates are applied for, put to use, revoked and lost (证书)."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.changes.standing import (
    once,
    require_home,
    require_own_holder,
)
from counterfoil.domain.party import Identity, party_of
from counterfoil.domain.refusals import SamePerson
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    CertificatesMissing,
    MatterForeign,
    NotRegistered,
    SignersRefused,
)
from counterfoil.domain.register_states import (
    Active,
    CertificateState,
    Voided,
    with_one,
)
from counterfoil.domain.registration import (
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    CertificateDemand,
    LossNotice,
    Registration,
    Revocation,
)


def void(
    register: Register,
    registration: Registration,
    matter: LossNotice | Revocation,
    at_us: int,
) -> Register:
    """Return the register with a certificate that is worth nothing any more.

    What is said again, to tell one more party, counts from when it was said first.

    Source: Hubei measures, articles 13 and 14.

    Raises:
        NotRegistered: It bears no name, and the directory does not list it.
        MatterForeign: It is another party's.
        AlreadyRegistered: It is void already for the other reason.
    """
    holder = _holder(register, matter.certificate, matter.holder)
    require_own_holder(register, registration, holder)
    known = register.void_of(matter.certificate)
    is_loss = isinstance(matter, LossNotice)
    if known is not None and known.is_loss is is_loss:
        return register
    if known is not None:
        raise AlreadyRegistered("it is void already", holder=holder.to_urn())
    voided = Voided(holder=holder, by=registration.by, is_loss=is_loss, time_us=at_us)
    # Whoever has the key has the certificate too, and may write it in other bytes.
    twins = dict.fromkeys(matter.twins, matter.certificate)
    return replace(
        register,
        voided=with_one(register.voided, matter.certificate, voided),
        twins={**register.twins, **twins},
    )


def apply(
    register: Register,
    registration: Registration,
    matter: CertificateApplication,
    _at_us: int,
) -> Register:
    """Return the register with an application for a certificate.

    Source: Hubei measures, article 13: 申请.

    Raises:
        MatterForeign: It is for a holder of another party.
    """
    require_home(register, registration)
    require_own_holder(register, registration, matter.holder)
    state = CertificateState(
        holder=matter.holder,
        public_key=matter.public_key,
        applied_by=registration.signers[0],
    )
    return replace(
        register,
        certificates=once(register.certificates, registration.digest, state),
    )


def approve(
    register: Register,
    registration: Registration,
    matter: CertificateApproval,
    _at_us: int,
) -> Register:
    """Return the register with an application approved.

    Source: Hubei measures, article 13: 审批.

    Raises:
        NotRegistered: There is no such application.
        MatterForeign: It is for a holder of another party.
        SamePerson: Who applied would approve it, in another post than then.
        AlreadyRegistered: It was approved before.
    """
    state = _application(register, matter.application)
    require_own_holder(register, registration, state.holder)
    if state.applied_by in registration.signers:
        raise SamePerson("who applied for it would approve of it")
    if state.is_approved:
        raise AlreadyRegistered("the application was approved before")
    return replace(
        register,
        certificates=with_one(
            register.certificates, matter.application, replace(state, is_approved=True)
        ),
    )


def activate(
    register: Register,
    registration: Registration,
    matter: CertificateActivation,
    _at_us: int,
) -> Register:
    """Return the register with one more certificate in use; the others stay.

    Source: Hubei measures, article 13: 制作, 变更.

    Raises:
        NotRegistered: There is no such application, or for another holder or key.
        MatterForeign: It is for a holder of another party.
        SignersRefused: Nobody approved of it.
        AlreadyRegistered: It was put to use before.
    """
    state = _application(register, matter.application)
    require_own_holder(register, registration, state.holder)
    if state.certificate:
        raise AlreadyRegistered("the certificate was put to use before")
    if not state.is_approved:
        raise SignersRefused("nobody approved of the application yet")
    holder = _holder(register, matter.certificate, matter.holder)
    if (state.holder, state.public_key) != (holder, matter.public_key):
        raise NotRegistered("the certificate is not the one that was applied for")
    state = replace(state, certificate=matter.certificate)
    return replace(
        register,
        certificates=with_one(register.certificates, matter.application, state),
        in_use=register.in_use | {matter.certificate},
        active=with_one(
            register.active,
            matter.certificate,
            Active(holder=holder, valid_until_us=matter.valid_until_us),
        ),
    )


def demand(
    register: Register,
    registration: Registration,
    matter: CertificateDemand,
    at_us: int,
) -> Register:
    """Return the register where a party's people use only certificates put to use.

    Source: Hubei measures, article 13.

    Raises:
        MatterForeign: The party is not hosted here.
        AlreadyRegistered: It is demanded already.
        CertificatesMissing: Somebody who holds a post has no such certificate.
    """
    require_home(register, registration)
    if not register.is_hosted(matter.party):
        raise MatterForeign("the party is not hosted here", by=matter.party)
    if matter.party in register.demanding:
        raise AlreadyRegistered("it is demanded already", party=matter.party)
    for holder in sorted(register.holders):
        is_theirs = party_of(holder) == matter.party
        if is_theirs and not register.has_active(holder, at_us):
            raise CertificatesMissing(
                f"{holder} has no certificate that was put to use; apply for it, let "
                "it be approved, and activate it first",
                holder=holder,
            )
    return replace(register, demanding=register.demanding | {matter.party})


def _holder(register: Register, certificate: bytes, named: Identity | None) -> Identity:
    """Return whose a certificate is: whom it names, or whom the directory lists."""
    holder = named or register.name_of(certificate)
    if holder is None:
        raise NotRegistered(
            "the certificate bears no name, and the directory does not list it",
            certificate=certificate.hex(),
        )
    return holder


def _application(register: Register, digest: bytes) -> CertificateState:
    state = register.certificates.get(digest)
    if state is None:
        raise NotRegistered("no such application", application=digest.hex())
    return state
