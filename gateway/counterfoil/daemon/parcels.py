"""How documents travel between the gateway and its workers: as flat tuples."""

from __future__ import annotations

from typing import Any

from counterfoil.domain.document import Document, make_document
from counterfoil.domain.naming import Naming
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.domain.voucher import make_voucher_key


def pack_document(document: Document | CounterfoilError, *, sealed: bool) -> object:
    """Return a document as one flat tuple, a refusal as it is.

    Its bytes travel too if `sealed` says so.
    """
    if isinstance(document, CounterfoilError):
        return document
    key = document.key
    return (
        document.kind,
        document.sealed if sealed else b"",
        document.digest,
        document.version,
        (
            key.issuer,
            key.adm_div,
            key.fiscal_year,
            key.type_code,
            key.number,
            key.issue,
        ),
        document.subject if document.subject != document.digest else b"",
        document.by,
        document.recipients,
        document.amount_fen,
        document.count,
        document.replaces,
        document.explanation,
        document.comparison,
        document.encloses,
        document.signers,
        tuple([_pack_naming(naming) for naming in document.names]),
        document.sealings,
        document.registration,
        document.is_overdue,
        document.listed,
        document.beneath,
    )


def unpack_document(packed: Any, sealed: bytes = b"") -> Document | CounterfoilError:  # noqa: ANN401
    """Return the document that `pack_document` packed.

    Args:
        packed: The tuple, or a refusal.
        sealed: Its bytes, if they did not travel.
    """
    if isinstance(packed, CounterfoilError):
        return packed
    issuer, adm_div, fiscal_year, type_code, number, issue = packed[4]
    return make_document(
        kind=packed[0],
        sealed=packed[1] or sealed,
        digest=packed[2],
        version=packed[3],
        key=make_voucher_key(
            issuer=issuer,
            adm_div=adm_div,
            fiscal_year=fiscal_year,
            type_code=type_code,
            number=number,
            issue=issue,
        ),
        subject=packed[5] or packed[2],
        by=packed[6],
        recipients=packed[7],
        amount_fen=packed[8],
        count=packed[9],
        replaces=packed[10],
        explanation=packed[11],
        comparison=packed[12],
        encloses=packed[13],
        signers=packed[14],
        names=tuple([_unpack_naming(naming) for naming in packed[15]]),
        sealings=packed[16],
        registration=packed[17],
        is_overdue=packed[18],
        listed=packed[19],
        beneath=packed[20],
    )


def _pack_naming(naming: Naming) -> tuple[object, ...]:
    return (
        naming.types,
        naming.number,
        naming.amount_fen,
        naming.path,
        naming.need,
        naming.measure,
        naming.once,
        naming.lapses,
    )


def _unpack_naming(packed: Any) -> Naming:  # noqa: ANN401
    types, number, amount_fen, path, need, measure, once, lapses = packed
    return Naming(
        types=types,
        number=number,
        amount_fen=amount_fen,
        path=path,
        need=need,
        measure=measure,
        once=once,
        lapses=lapses,
    )
