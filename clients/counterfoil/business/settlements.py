"""What people agree about what is answered otherwise than we sent it (协商解决).

The parties find out what was really done, and say of it what holds. Nobody says so
alone: two persons sign the same words, each with the own key, and what they signed
stays in the books beside their certificates.

Source: Hubei measures, articles 32 and 34.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from counterfoil.business.issued import by_digest
from counterfoil.business.outcomes import NOTE_MAX
from counterfoil.business.program import add_option
from counterfoil.business.tables import (
    Holds,
    OutboxEntry,
    OutboxState,
    SettlementEntry,
)
from counterfoil.office import Person, Reference, encode_for_signing, is_signed_by

SIGNED_TYPE: Final = "application/vnd.counterfoil.settlement.v1"
"""Payload type of what persons sign, in the pre-authentication encoding."""

_PERSON: Final = "person"
"""What a person's certificate says behind the party: `urn:counterfoil:…:person:…`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed.

    Attributes:
        about: The voucher.
        holds: What holds of it.
        reason: Why, and with whom it was agreed.
    """

    about: Reference
    holds: Holds
    reason: str


def agree(session: Session, terms: Terms, person: Person, day: str) -> bool:
    """Note that a person signs what was agreed.

    Args:
        session: One transaction.
        terms: What was agreed. The second person signs the words of the first.
        person: Who signs.
        day: Today in China, `yyyymmdd`.

    Returns:
        Whether it holds now: two persons have signed it.

    Raises:
        ValueError: It holds already, the same person has signed, the two do not say the
            same, no reason is given, or it is no person who signs.
    """
    if person.identity.split(":")[3:4] != [_PERSON]:
        msg = f"{person.identity}不是人员证书"
        raise ValueError(msg)
    entry = session.get(SettlementEntry, terms.about.digest)
    if entry is None:
        _first(session, terms, person, day)
        return False
    if entry.second:
        msg = f"凭证{terms.about.key.number}的差错已由两人确认处理"
        raise ValueError(msg)
    if person.identity == entry.first:
        msg = "须由另一人确认"
        raise ValueError(msg)
    if (terms.holds, terms.reason) != (entry.holds, entry.reason):
        msg = f"与{entry.first}确认的不一致：{entry.holds}，{entry.reason}"
        raise ValueError(msg)
    entry.second = person.identity
    entry.second_certificate = person.certificate
    entry.second_signature = person.sign(_signed(entry))
    return True


def settled(session: Session) -> dict[bytes, Holds]:
    """Return what holds of every voucher that two persons have settled, by digest."""
    found = select(SettlementEntry).where(SettlementEntry.second != "")
    return {one.digest: one.holds for one in session.scalars(found)}


def is_settled(session: Session, digest: bytes) -> bool:
    """Tell whether two persons have settled a voucher."""
    entry = session.get(SettlementEntry, digest)
    return entry is not None and bool(entry.second)


def differing_statement(
    session: Session, number: str, kinds: Collection[int]
) -> OutboxEntry | None:
    """Return the statement of a number whose receipt does not agree; None without one.

    Args:
        session: The books.
        number: The statement's number.
        kinds: Which kinds of ours are statements (对账单).
    """
    return session.scalar(
        select(OutboxEntry).where(
            OutboxEntry.number == number,
            OutboxEntry.type_code.in_(kinds),
            OutboxEntry.state == OutboxState.DIFFERS,
        )
    )


def agree_on_statement(
    session: Session, terms: Terms, person: Person, day: str
) -> bool:
    """Note that a person signs what was found about a statement that differs.

    A statement only tells what is in the books, so nothing is booked: whoever was wrong
    issues a voucher that corrects it. Once two have signed, the statement rests.

    Source: Hubei measures, article 34.

    Args:
        session: One transaction.
        terms: What was found: the statement holds, or what its answer says.
        person: Who signs.
        day: Today in China, `yyyymmdd`.

    Returns:
        Whether two persons have signed.

    Raises:
        ValueError: As `agree`; or it is said that neither side is right.
    """
    if terms.holds is Holds.NOTHING:
        msg = "对账单不符，只能确认对账单或反馈一方正确"
        raise ValueError(msg)
    agreed = agree(session, terms, person, day)
    statement = by_digest(session, terms.about.digest)
    if agreed and statement is not None and statement.state is OutboxState.DIFFERS:
        statement.state = OutboxState.SETTLED
    return agreed


def unsound(session: Session) -> Iterator[str]:
    """Yield what was changed after it was signed, in Chinese; nothing if nothing."""
    for one in session.scalars(select(SettlementEntry).order_by(SettlementEntry.name)):
        signatures = [(one.first_certificate, one.first_signature)]
        if one.second:
            signatures.append((one.second_certificate, one.second_signature))
        if not all(
            is_signed_by(certificate, _signed(one), signature)
            for certificate, signature in signatures
        ):
            yield f"凭证{one.name}的差错处理与签名不符"


def half(session: Session) -> Iterator[str]:
    """Yield what only one person has signed, in Chinese."""
    waiting = select(SettlementEntry).where(SettlementEntry.second == "")
    for one in session.scalars(waiting.order_by(SettlementEntry.name)):
        yield f"凭证{one.name}的差错处理待另一人确认：{one.reason}"


def _first(session: Session, terms: Terms, person: Person, day: str) -> None:
    reason = terms.reason.strip()
    if not reason or len(reason) > NOTE_MAX:
        msg = f"须说明原因，不超过{NOTE_MAX}字"
        raise ValueError(msg)
    entry = SettlementEntry(
        digest=terms.about.digest,
        name=str(terms.about.key),
        holds=terms.holds,
        reason=terms.reason,
        day=day,
        first=person.identity,
        first_certificate=person.certificate,
    )
    entry.first_signature = person.sign(_signed(entry))
    session.add(entry)


def _signed(entry: SettlementEntry) -> bytes:
    """Return what both persons sign."""
    words = (entry.digest.hex(), entry.name, entry.holds, entry.reason, entry.day)
    return encode_for_signing(SIGNED_TYPE, "\n".join(words).encode())


def add_settling(to: argparse.ArgumentParser, system: str) -> None:
    """Add the options by which a person signs what was agreed.

    Args:
        to: The command's parser.
        system: Name of the business system.
    """
    for name, text, kind, metavar in (
        ("holds", "what holds: voucher, receipt or nothing", Holds, "WHAT"),
        ("reason", "why, and agreed with whom", str, "TEXT"),
        ("person", "who signs: a caller of the configuration", str, "CALLER"),
    ):
        add_option(to, system, name, text, kind=kind, metavar=metavar, required=True)
