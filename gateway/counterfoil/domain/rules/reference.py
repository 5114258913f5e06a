"""Rules over vouchers that name other vouchers: plain values in and out.

Source: Hubei measures, articles 26 to 28: an order follows from its application, a
refund from its payment, and a list holds the vouchers whose receipts were compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from counterfoil.domain.naming import ReferenceNeed
from counterfoil.domain.standing import VOID, Role, Standing

DEAD: Final = VOID | {Standing.REJECTED}
"""Standings of a voucher that is in force no more, or never was."""

_NEVER_LEFT: Final = frozenset({Standing.DRAFT, Standing.SEALED, Standing.REFUSED})
"""Standings of a voucher of ours that nobody else has."""

_COME_TO: Final = {
    (ReferenceNeed.ACTED, Role.ISSUER): frozenset(
        {Standing.RECEIPTED, Standing.CLOSED, Standing.DISPUTED}
    ),
    (ReferenceNeed.ACTED, Role.RECIPIENT): frozenset(
        {Standing.ACTED, Standing.RECEIPTED}
    ),
    (ReferenceNeed.ANSWERED, Role.ISSUER): frozenset({Standing.CLOSED}),
    (ReferenceNeed.ANSWERED, Role.RECIPIENT): frozenset({Standing.RECEIPTED}),
}
"""Where a voucher stands, on either side, that has come to what is needed. What we
have only a copy of was receipted, so it has come to everything."""


def is_dead(standings: Iterable[Standing]) -> bool:
    """Tell whether a voucher is in force no more.

    Source: Hubei measures, articles 32 and 33: what was returned or discarded is void;
    a return by one of its recipients voids it for all.

    Args:
        standings: Where it stands with its recipients.
    """
    return not DEAD.isdisjoint(standings)


def has_come_to(
    need: ReferenceNeed, role: Role, standings: Collection[Standing]
) -> bool:
    """Tell whether a voucher that is in force has come to what is needed.

    Source: Hubei measures, article 27(5): what is refunded was paid; articles 26, 27(4)
    5 and 27(5) 5: a list follows receipts that were compared (比对无误后).

    Args:
        need: What it must have come to.
        role: On which side of it the vault is.
        standings: Where it stands with its recipients.
    """
    allowed = _COME_TO.get((need, role))
    return allowed is None or allowed.issuperset(standings)


def may_be_known(
    need: ReferenceNeed, role: Role, standings: Collection[Standing]
) -> bool:
    """Tell whether another party may know of a voucher what it must to name it.

    What its recipients did, they knew before our vault did: their documents may still
    be on their way. Of our own acts nobody can know more than we.

    Args:
        need: What it must have come to.
        role: On which side of it our vault is.
        standings: Where it stands here with its recipients.
    """
    if role is Role.ISSUER:
        return need is ReferenceNeed.NOTHING or _NEVER_LEFT.isdisjoint(standings)
    return has_come_to(need, role, standings)


def is_in_force(role: Role, standings: Collection[Standing], *, lapses: bool) -> bool:
    """Tell whether a voucher that names another one still counts.

    Source: Hubei measures, article 27(5) 1: a match that the unit does not confirm is
    none. Its own side does not tell the result, so there an answered one lapses too:
    rather count too little than refuse what is honest.

    Args:
        role: On which side of it the vault is.
        standings: Where it stands with its recipients.
        lapses: Whether an answer can deny it.
    """
    if is_dead(standings):
        return False
    denied = Standing.DISPUTED if role is Role.ISSUER else Standing.RECEIPTED
    return not (lapses and denied in standings)


def equals(named_fen: int, stated_fen: int) -> bool:
    """Tell whether the amount stated with a name is that of what it names.

    Source: Hubei measures, articles 26 and 27(4): orders, lists and receipts agree in
    amount (金额).
    """
    return named_fen == stated_fen


def parts_hold(whole_fen: Iterable[int], parts_fen: Iterable[int]) -> bool:
    """Tell whether parts together are no more than the whole.

    A refund is negative, its payment is not; so amounts count without their sign.

    Source: Hubei measures, article 27(5): what comes back was paid before.

    Args:
        whole_fen: The voucher that is named; several, if any of them may be meant.
        parts_fen: What is stated with its name, all together.
    """
    return sum(map(abs, parts_fen)) <= sum(map(abs, whole_fen))


def is_free(named: int, naming: int) -> bool:
    """Tell whether one more voucher may name what one may name only once.

    Source: Hubei measures, articles 26 and 27: one order for an application, one line
    in one list for a receipt.

    Args:
        named: How many vouchers may be meant.
        naming: How many in force name one of them already.
    """
    return naming < named
