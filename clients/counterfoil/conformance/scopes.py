"""What is filed or agreed for a while: days, types, holders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509

from counterfoil.catalogue.v1 import voucher_type_pb2
from counterfoil.conformance.bench import chain_of
from counterfoil.conformance.target import Identity

_CHINA: Final = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a filing covers; by default everything, today.

    Attributes:
        types: Type codes; none: every type.
        positions: Positions; none: every one.
        amount_max_fen: Largest amount, in fen; 0: any.
        days: First and last day, counted from today.
    """

    types: tuple[int, ...] = ()
    positions: tuple[str, ...] = ()
    amount_max_fen: int = 0
    days: tuple[int, int] = (-1, 1)


def day(offset: int) -> str:
    """Return a day in China, so many days from today, as `yyyyMMdd`."""
    return (datetime.now(UTC) + _CHINA + timedelta(days=offset)).strftime("%Y%m%d")


def another_type(type_code: int) -> int:
    """Return a type of the contract that is another one."""
    known = voucher_type_pb2.VoucherType.values()
    return next(one for one in known if one not in {0, type_code})


def holder_of(identity: Identity) -> str:
    """Return the identity URN that a certificate bears."""
    certificate = x509.load_der_x509_certificate(chain_of(identity)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    (urn,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    return urn
