"""Certificates that bear no name get one by the directory (人员名录)."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.changes.standing import require_own_holder
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import IdentityAmbiguous, NotRegistered
from counterfoil.domain.register_states import Listed, with_one, without
from counterfoil.domain.registration import (
    DirectoryEntry,
    DirectoryRemoval,
    Registration,
)


def name(
    register: Register, registration: Registration, matter: DirectoryEntry, _at_us: int
) -> Register:
    """Return the register with one more certificate in its directory.

    What is listed may be listed again for the same holder, to tell one more party.

    Source: Hubei measures, articles 11 and 13: a signature is its signer's alone.

    Raises:
        MatterForeign: The holder is another party's.
        CertificateLost: The certificate is void here.
        IdentityAmbiguous: It or its key is listed for somebody else.
    """
    require_own_holder(register, registration, matter.holder)
    register.require_not_void((matter.certificate,))
    for digest, listed in register.directory.items():
        is_same = digest == matter.certificate or listed.public_key == matter.public_key
        if is_same and listed.holder != matter.holder:
            raise IdentityAmbiguous(
                "the certificate or its key is listed for "
                f"{listed.holder.to_urn()}; take it out first",
                holder=listed.holder.to_urn(),
            )
    one = Listed(
        holder=matter.holder,
        public_key=matter.public_key,
        entry=registration.digest,
        valid_until_us=matter.valid_until_us,
    )
    return replace(
        register, directory=with_one(register.directory, matter.certificate, one)
    )


def unname(
    register: Register,
    registration: Registration,
    matter: DirectoryRemoval,
    _at_us: int,
) -> Register:
    """Return the register with a certificate taken out of its directory.

    Raises:
        NotRegistered: It is not listed.
        MatterForeign: It is another party's.
    """
    listed = register.directory.get(matter.certificate)
    if listed is None:
        raise NotRegistered(
            "no such certificate in the directory", certificate=matter.certificate.hex()
        )
    require_own_holder(register, registration, listed.holder)
    return replace(register, directory=without(register.directory, matter.certificate))
