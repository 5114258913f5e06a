"""What each registration makes of the register: one function for each matter.

Pure: the same registrations in the same order give the same register everywhere, so
that it is rebuilt from the log at every start and checked by `vault verify`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from counterfoil.domain.changes import (
    agreements,
    certificates,
    directory,
    filings,
    parties,
    peers,
    posts,
)
from counterfoil.domain.duties import require_signed
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    RegistrationNumberReused,
)
from counterfoil.domain.register_states import with_one
from counterfoil.domain.registration import (
    Agreement,
    AgreementChange,
    AuditCheck,
    CertificateActivation,
    CertificateApplication,
    CertificateApproval,
    CertificateDemand,
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


_Changing = Callable[[Register, Registration, Any, int], Register]

_CHANGES: Final[dict[type[Matter], _Changing]] = {
    Founding: posts.found,
    PostAssignment: posts.assign,
    PostWithdrawal: posts.withdraw,
    Agreement: agreements.agree,
    AgreementChange: agreements.change,
    LossNotice: certificates.void,
    Revocation: certificates.void,
    CertificateApplication: certificates.apply,
    CertificateApproval: certificates.approve,
    CertificateActivation: certificates.activate,
    Filing: filings.file,
    FilingWithdrawal: filings.unfile,
    AuditCheck: filings.note,
    DirectoryEntry: directory.name,
    DirectoryRemoval: directory.unname,
    CertificateDemand: certificates.demand,
    PartyAdmission: parties.admit,
    PartyDismissal: parties.dismiss,
    PeerConnection: peers.connect,
    PeerDisconnection: peers.disconnect,
}
