"""A register and registrations for tests: who signs is said by name."""

from __future__ import annotations

from functools import reduce
from hashlib import sha256

from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.register import Register
from counterfoil.domain.registering import register_after
from counterfoil.domain.registration import (
    AgreedWay,
    Agreement,
    AgreementChange,
    Change,
    Filing,
    Founding,
    Matter,
    PostAssignment,
    Registration,
)

FINANCE, BANK, OTHER = "420000-011", "420000-102", "420000-103"
UNIT, THEIR_UNIT = "420000-101001", "420000-101002"
CARRIERS = {
    FINANCE: FINANCE,
    BANK: BANK,
    OTHER: OTHER,
    UNIT: FINANCE,
    THEIR_UNIT: BANK,
}
NOON_US = 1_794_801_600_000_000
"""2026-11-16T04:00Z: noon in China."""
TODAY, YESTERDAY, TOMORROW = "20261116", "20261115", "20261117"
EMPTY = Register(home=FINANCE, carriers=CARRIERS)


def person(name: str, party: str = FINANCE) -> Identity:
    """Return a person's identity."""
    return Identity(party=party, use=Use.PERSON, name=name)


def system(name: str = "1", party: str = FINANCE) -> Identity:
    """Return a business system's identity."""
    return Identity(party=party, use=Use.SYSTEM, name=name)


def seal(party: str = FINANCE) -> Identity:
    """Return the identity of an institution's seal."""
    return Identity(party=party, use=Use.INSTITUTION, name="1")


MANAGER, SUPERVISOR, OFFICER = (
    person("manager"),
    person("supervisor"),
    person("officer"),
)
BANKS_SUPERVISOR = person("supervisor", BANK)
SEAL = sha256(b"seal").digest()
SEQUENCE = iter(range(1_000_000))


def registration(
    matter: Matter,
    *signers: Identity,
    by: str = FINANCE,
    number: str = "",
    told: tuple[str, ...] = (),
) -> Registration:
    """Return a registration with a number and a digest of its own."""
    number = number or f"n{next(SEQUENCE)}"
    return Registration(
        by=by,
        number=number,
        told=told,
        explanation="",
        matter=matter,
        signers=signers,
        digest=sha256(f"{by} {number} {matter}".encode()).digest(),
    )


def after(register: Register, *registrations: Registration) -> Register:
    """Return the register after some registrations, all at noon."""
    return reduce(
        lambda now, one: register_after(now, one, NOON_US), registrations, register
    )


def assigned(holder: Identity, post: Post) -> Registration:
    """Return the assignment of a post, rightly signed."""
    return registration(PostAssignment(holder=holder, post=post), MANAGER, SUPERVISOR)


def agreement(
    parties: tuple[str, str] = (FINANCE, BANK),
    *,
    types: frozenset[int] = frozenset({5201}),
    valid_from: str = YESTERDAY,
    valid_until: str = TOMORROW,
) -> Agreement:
    """Return an agreement by which the first may send to the second."""
    return Agreement(
        parties=parties,
        ways=(AgreedWay(issuer=parties[0], types=types),),
        valid_from=valid_from,
        valid_until=valid_until,
    )


def agreed(matter: Agreement | None = None) -> Registration:
    """Return an agreement of finance and bank, rightly signed."""
    return registration(matter or agreement(), SUPERVISOR, BANKS_SUPERVISOR)


def changed(
    agreed_on: Registration, change: Change, *signers: Identity, by: str = FINANCE
) -> Registration:
    """Return a change of an agreement."""
    matter = AgreementChange(agreement=agreed_on.digest, change=change)
    return registration(matter, *signers, by=by)


def filing(
    holder: Identity,
    *,
    types: frozenset[int] = frozenset(),
    amount_max_fen: int = 0,
    positions: frozenset[str] = frozenset(),
    valid_from: str = YESTERDAY,
    valid_until: str = TOMORROW,
) -> Filing:
    """Return a filing, for everything unless it says less."""
    return Filing(
        holder=holder,
        types=types,
        amount_max_fen=amount_max_fen,
        positions=positions,
        valid_from=valid_from,
        valid_until=valid_until,
    )


FOUNDED = after(
    EMPTY,
    registration(
        Founding(supervisor=SUPERVISOR, system_manager=MANAGER, certificates=(SEAL,)),
        MANAGER,
        SUPERVISOR,
    ),
)
STAFFED = after(FOUNDED, assigned(OFFICER, Post.SECURITY_OFFICER))
"""With a security officer as well."""
