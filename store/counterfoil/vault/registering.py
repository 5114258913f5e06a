"""Registrations enter the vault or arrive there, and change the register (登记)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from counterfoil.domain.deeds import EnterRegistration, Outcome, make_recorded
from counterfoil.domain.document import Document
from counterfoil.domain.duties import require_active_signers
from counterfoil.domain.party import Identity
from counterfoil.domain.refusals import (
    CounterfoilError,
    PartyUnknown,
    VaultCorrupt,
)
from counterfoil.domain.register import Register
from counterfoil.domain.registering import register_after
from counterfoil.domain.registration import Founding, Registration
from counterfoil.domain.standing import Act, Standing
from counterfoil.vault import reading as look
from counterfoil.vault.engine import Reading
from counterfoil.vault.entering import carriers_of, push_document
from counterfoil.vault.judging import document_leaf, known
from counterfoil.vault.transaction import Transaction

ReadRegistration: TypeAlias = Callable[
    [bytes, Callable[[bytes], bytes | None], Callable[[bytes], Identity | None]],
    Registration,
]
"""Returns what a stored registration says.

Takes its sealed bytes, what finds a kept certificate by its digest, and what says for
whom the directory listed a certificate then: its signatures were judged before it was
stored.
"""


def register(tx: Transaction, deed: EnterRegistration) -> Outcome:
    """Take in a registration of a party hosted here, and tell whom it names.

    Raises:
        Refused: The register does not allow it.
        PartyUnknown: No lane leads to a party that is to be told.
    """
    document = deed.document
    before = tx.registration(document.digest)
    if before is not None:
        return known(tx, before, Standing.SEALED)
    for name in document.recipients:
        if name not in deed.lanes:
            raise PartyUnknown("no lane leads to the party", party=name)
    carriers = carriers_of(document.recipients, deed.lanes)
    index = _append(tx, document, Act.REGISTER, tuple(carriers))
    push_document(tx, document, index, carriers, opened=index)
    return make_recorded(leaf=index, standing=Standing.SEALED, time_us=tx.time_us)


def register_arrival(
    tx: Transaction, document: Document, carriers: tuple[str, ...]
) -> Outcome:
    """Take in a registration of a peer's.

    Raises:
        Refused: The register does not allow it.
    """
    before = tx.registration(document.digest)
    if before is not None:
        return known(tx, before, Standing.ARRIVED)
    index = _append(tx, document, Act.ARRIVE, carriers)
    return make_recorded(leaf=index, standing=Standing.ARRIVED, time_us=tx.time_us)


def _append(
    tx: Transaction, document: Document, act: Act, carriers: tuple[str, ...]
) -> int:
    """Judge a registration, and write its leaf and what it changes."""
    said = document.registration
    assert said is not None, "a registration says something"
    tx.register.require_not_void(document.signers)
    require_active_signers(tx.register, said, document.signers, tx.time_us)
    register = register_after(tx.register, said, tx.time_us)
    # What opens a register names those who open it.
    names = register if isinstance(said.matter, Founding) else tx.register
    names.require_listed(document.listed)
    index = tx.append(
        document_leaf(tx, act, document), carriers=carriers, sealed=document.sealed
    )
    tx.put_registration(document.digest, index, register)
    return index


def registered(
    reading: Reading, register: Register, read: ReadRegistration
) -> Register:
    """Return what stands registered, from the registrations of the log.

    Args:
        reading: The vault.
        register: What stood registered before the first of them.
        read: Says what a stored registration says.

    Raises:
        VaultCorrupt: A registration is damaged, or could not have been taken in.
    """
    for index, sealed in registrations(reading):
        leaf = look.leaf(reading, index)
        try:
            said = read(
                sealed,
                lambda digest: look.certificate(reading, digest),
                register.name_of,
            )
            register = register_after(register, said, leaf.time_us)
        except VaultCorrupt:
            raise
        except CounterfoilError as refusal:
            raise VaultCorrupt(
                f"a registration of the log does not hold: {refusal}", leaf=str(index)
            ) from refusal
    return register


def registrations(
    reading: Reading, after: int = -1, limit: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield the registrations behind a log index, in the order of the log.

    There are few, in the lifetime of a gateway some thousand.

    Raises:
        VaultCorrupt: The index of registrations or a registration is damaged.
    """
    places = sorted(_whole(place for _, place in reading.all_registrations()))
    for index in [place for place in places if place > after][:limit]:
        yield index, look.document(reading, index)


def stored_registrations(reading: Reading) -> Iterator[bytes]:
    """Yield the registrations that can be read, in the order of the log.

    For whoever looks at all of them before they are judged; what is damaged is found
    there.
    """
    places = (place for _, place in reading.all_registrations())
    for place in sorted(one for one in places if not isinstance(one, VaultCorrupt)):
        try:
            yield look.document(reading, place)
        except CounterfoilError:
            continue


def _whole(places: Iterable[int | VaultCorrupt]) -> Iterator[int]:
    for place in places:
        if isinstance(place, VaultCorrupt):
            raise place
        yield place
