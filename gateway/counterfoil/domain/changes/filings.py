"""The scope of seals is filed, and checks are noted (备案, 检查记录)."""

from __future__ import annotations

from dataclasses import replace

from counterfoil.domain.changes.standing import (
    once,
    require_home,
    require_own_holder,
)
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import NotRegistered
from counterfoil.domain.register_states import without
from counterfoil.domain.registration import (
    AuditCheck,
    Filing,
    FilingWithdrawal,
    Registration,
)


def file(
    register: Register, registration: Registration, matter: Filing, _at_us: int
) -> Register:
    """Return the register with one more filing.

    Source: Hubei measures, article 15.

    Raises:
        MatterForeign: The holder is another party's.
        AlreadyRegistered: It is there already.
    """
    require_own_holder(register, registration, matter.holder)
    return replace(
        register, filings=once(register.filings, registration.digest, matter)
    )


def unfile(
    register: Register,
    registration: Registration,
    matter: FilingWithdrawal,
    _at_us: int,
) -> Register:
    """Return the register without a filing.

    Raises:
        NotRegistered: There is none with this digest.
        MatterForeign: It is another party's.
    """
    filing = register.filings.get(matter.filing)
    if filing is None:
        raise NotRegistered("no such filing in force", filing=matter.filing.hex())
    require_own_holder(register, registration, filing.holder)
    return replace(register, filings=without(register.filings, matter.filing))


def note(
    register: Register, registration: Registration, _matter: AuditCheck, _at_us: int
) -> Register:
    """Return the register as it is: that somebody looked stands in the log.

    Source: Hubei measures, article 37.

    Raises:
        MatterForeign: Another party says that it looked.
    """
    require_home(register, registration)
    return register
