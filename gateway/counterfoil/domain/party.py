"""Parties, and the identities that certificates state."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from counterfoil.domain.value import value

_CODE: Final = re.compile(r"[0-9]{6,9}-[0-9a-z]{3,21}", re.ASCII)
_URN: Final = re.compile(
    r"urn:counterfoil:([0-9a-z-]{1,31}):([a-z]{1,16}):([0-9a-z._-]{1,40})", re.ASCII
)


class Use(Enum):
    """What a certificate is for: the `kind` of its identity."""

    GATEWAY = "gateway"
    """TLS between gateways, both as server and as client."""
    INSTITUTION = "institution"
    """The institution's seals (公章, 转讫章, 业务专用章)."""
    PERSON = "person"
    """A person's signature, and the person's own calls."""
    SYSTEM = "system"
    """A business system calling its own gateway."""


def is_party_code(code: str) -> bool:
    """Tell whether `code` can name a party: division, hyphen, organisation.

    The division is the national code of 6 to 9 digits, the organisation 3 to 21
    digits or small letters: `420000-011` is the finance department of 420000,
    `-001` its treasury, `-102` an agent bank, `-101001` a budget unit.
    """
    return _CODE.fullmatch(code) is not None


def check_party_code(code: str) -> str:
    """Return `code` if it can name a party.

    Raises:
        ValueError: It cannot.
    """
    if not is_party_code(code):
        msg = f"not a party code: {code!r}"
        raise ValueError(msg)
    return code


@value
class Identity:
    """Whose certificate it is, as its one URI SAN states.

    Attributes:
        party: The party's code.
        use: What the certificate may be used for.
        name: The person, system or key within the party.
    """

    party: str
    use: Use
    name: str

    @classmethod
    def from_urn(cls, urn: str) -> Identity:
        """Parse `urn:counterfoil:<party>:<kind>:<name>`.

        Raises:
            ValueError: It is not of that form, or names an unknown kind.
        """
        match = _URN.fullmatch(urn)
        if match is None:
            msg = f"not a counterfoil identity: {urn!r}"
            raise ValueError(msg)
        party, use, name = match.groups()
        return cls(party=check_party_code(party), use=Use(use), name=name)

    def to_urn(self) -> str:
        """Return the URI that a certificate of this identity carries."""
        return f"urn:counterfoil:{self.party}:{self.use.value}:{self.name}"


def party_of(urn: str) -> str:
    """Return the party's code of an identity that was parsed before."""
    return urn.split(":")[2]


def use_of(urn: str) -> str:
    """Return the kind, as `Use` names it, of an identity that was parsed before."""
    return urn.split(":")[3]


def origin_of(party: str) -> str:
    """Return the name of a party's log, as its checkpoints state it."""
    return f"{party}/log"
