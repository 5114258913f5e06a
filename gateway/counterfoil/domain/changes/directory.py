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
    What a peer lists of ours gives way to our own entry: else whoever saw a certificate
    could keep it from being used at its own gateway.

    Source: Hubei measures, articles 11 and 13: a signature is its signer's alone.

    Raises:
        MatterForeign: The holder is another party's.
        CertificateLost: The certificate is void here.
        IdentityAmbiguous: It or its key is listed for somebody else.
    """
    require_own_holder(register, registration, matter.holder)
    others = {
        digest: listed
        for digest, listed in register.directory.items()
        if listed.holder != matter.holder
        and (digest == matter.certificate or listed.public_key == matter.public_key)
    }
    is_ours = register.is_hosted(matter.holder.party)
    for listed in others.values():
        if not is_ours or register.is_hosted(listed.holder.party):
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
    rest = {
        digest: listed
        for digest, listed in register.directory.items()
        if digest not in others
    }
    after = replace(register, directory=with_one(rest, matter.certificate, one))
    after.require_not_void((matter.certificate,))
    return after


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
