"""What every registration is held to, whatever it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from counterfoil.domain.party import Identity
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import AlreadyRegistered, MatterForeign
from counterfoil.domain.register_states import with_one
from counterfoil.domain.registration import Registration

V = TypeVar("V")


def require_home(register: Register, registration: Registration) -> None:
    """Check that the keeper of the register itself registers it."""
    if registration.by != register.home:
        raise MatterForeign(
            "only the register's own party registers it", by=registration.by
        )


def require_own_holder(
    register: Register, registration: Registration, holder: Identity
) -> None:
    """Check that it is about somebody of the party, or of one that it carries for."""
    if registration.by not in {holder.party, register.carriers.get(holder.party)}:
        raise MatterForeign(
            f"{holder.to_urn()} is not the party's", holder=holder.to_urn()
        )


def once(table: Mapping[bytes, V], key: bytes, one: V) -> dict[bytes, V]:
    """Return a table with a row that it did not have.

    Raises:
        AlreadyRegistered: It has it.
    """
    if key in table:
        raise AlreadyRegistered("it is registered already", digest=key.hex())
    return with_one(table, key, one)
