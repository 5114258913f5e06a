"""Agreements are made, suspended, resumed and ended (协议)."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.changes.standing import once
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import (
    AlreadyRegistered,
    MatterForeign,
    NotRegistered,
)
from counterfoil.domain.register_states import AgreementState, with_one
from counterfoil.domain.registration import (
    Agreement,
    AgreementChange,
    Change,
    Registration,
)


def agree(
    register: Register, registration: Registration, matter: Agreement, _at_us: int
) -> Register:
    """Return the register with one more agreement in it.

    Source: Hubei measures, article 6.

    Raises:
        AlreadyRegistered: It is there already.
    """
    state = AgreementState(agreement=matter)
    return replace(
        register,
        agreements=once(register.agreements, registration.digest, state),
    )


def change(
    register: Register, registration: Registration, matter: AgreementChange, _at_us: int
) -> Register:
    """Return the register with an agreement suspended, resumed or ended.

    Raises:
        NotRegistered: There is no such agreement, it is over, or the party that would
            resume it has not suspended it.
        MatterForeign: It is no party's of the agreement.
        AlreadyRegistered: The party has suspended it.
    """
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
