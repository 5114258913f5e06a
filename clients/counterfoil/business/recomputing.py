"""Books against the vault: what stands there is read again and compared (重算).

Books follow from vouchers, so the vault, which is the truth, can tell whether they were
changed. Vouchers are read as they were sealed, some hundreds at a time: what is held of
them is what each one changes, not all of them.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from counterfoil.office import (
    Desk,
    DeskRefused,
    Found,
    Reference,
    Standing,
    Voucher,
    enclosed,
    opened,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference(Generic[T]):
    """One voucher of which books and vault say different things.

    Attributes:
        name: The voucher, for people.
        booked: What the books say; None if it is not in them.
        kept: What the vault says; None if it is not there, or not yet done.
    """

    name: str
    booked: T | None
    kept: T | None


def issued_by(party: str) -> Callable[[Found], bool]:
    """Return what tells whether a party issued a voucher."""
    return lambda found: found.voucher.key.issuer == party


def sent_to(party: str) -> Callable[[Found], bool]:
    """Return what tells whether it is told of a party where a voucher stands."""
    return lambda found: found.recipient == party


def vouchers_kept(
    desk: Desk,
    *,
    types: Collection[int],
    standings: Collection[Standing],
    wanted: Callable[[Found], bool] | None = None,
) -> Iterator[tuple[Reference, Voucher]]:
    """Yield the vouchers in the vault that stand somewhere, as they were sealed.

    A voucher with several recipients comes as often as one of them is wanted. Of one
    that we only have inside the copy of a receipt, it is the voucher inside.

    Args:
        desk: The desk at our own gateway.
        types: Of which kinds.
        standings: Where they stand.
        wanted: Tells which of them are read, by where they stand; all by default.

    Raises:
        OfficeError: The gateway refused, or cannot be reached; or a document that its
            ledger lists is not in its vault.
    """
    with closing(desk.search_pages(types=sorted(types), standings=standings)) as pages:
        for page in pages:
            vouchers = [
                found.voucher for found in page if wanted is None or wanted(found)
            ]
            yield from _given_again(desk, vouchers)


def differences(
    booked: Mapping[bytes, T],
    kept: Iterable[tuple[Reference, T]],
    *,
    but: Collection[bytes] = (),
) -> Iterator[Difference[T]]:
    """Yield where books and vault differ: in the vault's order, what it lacks last.

    Args:
        booked: What the books say of each voucher, by its digest.
        kept: What the vault says of each; twice is once.
        but: Digests of those that are compared otherwise.
    """
    told: set[bytes] = set(but)
    for voucher, said in kept:
        if voucher.digest in told:
            continue
        told.add(voucher.digest)
        ours = booked.get(voucher.digest)
        if ours != said:
            yield Difference(str(voucher.key), ours, said)
    for digest in sorted(booked.keys() - told):
        yield Difference(digest.hex()[:16], booked[digest], None)


def _given_again(
    desk: Desk, vouchers: Sequence[Reference]
) -> Iterator[tuple[Reference, Voucher]]:
    with closing(desk.sealed(vouchers)) as batches:
        given = chain.from_iterable(batches)
        for voucher, sealed in zip(vouchers, given, strict=True):
            if isinstance(sealed, DeskRefused):
                raise sealed
            yield voucher, _original(sealed)


def _original(sealed: bytes) -> Voucher:
    """Return the voucher that a document is, or has inside."""
    content = opened(sealed)
    original = content if isinstance(content, Voucher) else enclosed(sealed)
    if original is None:
        msg = "the vault gave neither a voucher nor a receipt with one inside"
        raise ValueError(msg)
    return original
