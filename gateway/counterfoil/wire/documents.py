"""Payloads and what the gateway must know of them.

Everything here works on bytes that were verified before: verify, then parse. The
one exception, taking a `Sealed` apart to get at its seals, reads nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import protovalidate
from google.protobuf.message import Message
from protovalidate import Violation as Broken

from counterfoil.domain.catalogue import Answer, Comparison, DocumentKind, TypeRow
from counterfoil.domain.document import Document, make_document
from counterfoil.domain.naming import Naming
from counterfoil.domain.party import is_party_code
from counterfoil.domain.refusals import FormRefused, MalformedPayload
from counterfoil.domain.rules import statement
from counterfoil.domain.value import value
from counterfoil.domain.violation import Violation
from counterfoil.domain.voucher import DIGEST_BYTES, VoucherKey
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire import screen
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.figures import Figures, figures_of
from counterfoil.wire.keys import key_from_message, reference_from_message
from counterfoil.wire.naming import namings_of
from counterfoil.wire.national_plan import AnyForm
from counterfoil.wire.rules import check_form
from counterfoil.wire.violations import path_of, violations_of
from counterfoil.wire.whole import Paper, parse_paper, parse_whole

Parsed = TypeVar("Parsed")

RECIPIENTS_MAX: Final = 8
"""Most recipients of a document, as `sealed.v1.Voucher` says."""
ENCLOSURES_MAX: Final = 2
"""Most originals in a document, as `sealed.v1.Sealed` says."""

_STEPS: Final = frozenset(DocumentKind) - {
    DocumentKind.VOUCHER,
    DocumentKind.RECEIPT,
    DocumentKind.NOTICE,
    DocumentKind.REGISTRATION,
}
_TYPES: Final = {
    kind: {each.name: each.number for each in kind.DESCRIPTOR.fields}
    for kind in (voucher_pb2.Voucher, voucher_pb2.Receipt)
}
"""Field numbers by name: that of a form is the number of its type."""


@value
class Facts:
    """What a payload says, as far as the vault decides by it.

    Attributes:
        key: The voucher that it is or is about.
        subject: That voucher's digest; empty for the voucher itself.
        by: The party that issued the document.
        recipients: The parties that it goes to.
        amount_fen: Main amount of a voucher, paid amount of a receipt.
        count: Rows of a voucher, paid rows of a receipt.
        replaces: Digest of the issue before; empty for issue 1.
        explanation: A step's reason.
        comparison: By what a receipt is compared with its voucher.
        names: The vouchers that a voucher names.
        day: A voucher's own date; else empty.
    """

    key: VoucherKey
    subject: bytes
    by: str
    recipients: tuple[str, ...]
    amount_fen: int = 0
    count: int = 0
    replaces: bytes = b""
    explanation: str = ""
    comparison: Comparison = Comparison.AMOUNT_AND_COUNT
    names: tuple[Naming, ...] = ()
    day: str = ""


def read_payload(kind: DocumentKind, payload: bytes) -> Facts:
    """Parse and check a payload by every rule of its kind and type.

    Raises:
        MalformedPayload: The bytes are not what the kind says, or contradict
            themselves.
        FormRefused: Rules of the form are broken.
    """
    if kind is DocumentKind.VOUCHER:
        return voucher_facts(_parsed(parse_paper, voucher_pb2.Voucher, payload))
    if kind is DocumentKind.RECEIPT:
        return receipt_facts(_parsed(parse_paper, voucher_pb2.Receipt, payload))
    if kind in _STEPS:
        return step_facts(kind, _parsed(parse_whole, voucher_pb2.Step, payload))
    msg = f"{kind.name} does not travel yet"
    raise MalformedPayload(msg, field="kind")


def _parsed(
    parse: Callable[..., Parsed], kind: type[Message], payload: bytes
) -> Parsed:
    try:
        return parse(kind, payload, what=kind.DESCRIPTOR.name.lower())
    except ValueError as error:
        raise MalformedPayload(str(error), field="payload") from error


def voucher_facts(paper: Paper[voucher_pb2.Voucher]) -> Facts:
    """Check a voucher and return its facts.

    Raises:
        MalformedPayload: It contradicts itself.
        FormRefused: Rules of its form are broken.
    """
    voucher = paper.message
    number, form = form_of(voucher)
    plain_key = _plain_key(voucher.key, voucher.recipients)
    is_plain = (
        plain_key is not None
        and len(voucher.replaces) in (0, DIGEST_BYTES)
        and _passes(paper, form)
    )
    inside = [] if is_plain else _check_envelope(voucher)
    key = plain_key or key_from_message(voucher.key)
    _check_type(number, key)
    if not is_plain:
        check_form(form, found=inside)
    _check_key(form, key)
    row = CATALOGUE.row(key.type_code)
    figures = figures_of(row.form)
    return Facts(
        key=key,
        subject=b"",
        by=key.issuer,
        recipients=tuple(voucher.recipients),
        amount_fen=figures.amount_fen(form),
        count=len(form.rows),
        replaces=voucher.replaces,
        names=namings_of(form, row),
        day=form.vou_date,
    )


def receipt_facts(paper: Paper[voucher_pb2.Receipt]) -> Facts:
    """Check a receipt and return its facts; rows that were paid nothing don't count.

    Raises:
        MalformedPayload: It contradicts itself.
        FormRefused: Rules of its form are broken.
    """
    receipt = paper.message
    number, form = form_of(receipt)
    is_plain = (
        _plain_key(receipt.voucher.key, receipt.recipients) is not None
        and len(receipt.voucher.digest) == DIGEST_BYTES
        and is_party_code(receipt.by)
        and _passes(paper, form)
    )
    inside = [] if is_plain else _check_envelope(receipt)
    key, subject = reference_from_message(receipt.voucher)
    _check_type(number, key)
    if not is_plain:
        check_form(form, found=inside)
    row = CATALOGUE.row(key.type_code)
    figures = figures_of(row.receipt_form)
    return Facts(
        key=key,
        subject=subject,
        by=receipt.by,
        recipients=tuple(receipt.recipients),
        amount_fen=figures.amount_fen(form),
        count=figures.paid_count(form),
        comparison=_comparison(row, form, figures),
    )


def _passes(
    paper: Paper[voucher_pb2.Voucher] | Paper[voucher_pb2.Receipt], form: AnyForm
) -> bool:
    """Tell whether the form of a paper plainly keeps the rules of its type."""
    if paper.turned is None:
        return screen.passes(form)
    name = paper.message.WhichOneof("form") or ""
    return screen.passes(form, getattr(paper.turned, name))


def _comparison(row: TypeRow, form: AnyForm, figures: Figures) -> Comparison:
    """Return by what a receipt is compared with its voucher."""
    if row.answer is Answer.STATEMENT_ANSWER:
        agrees = form.x_check_result == statement.AGREES
        return Comparison.NOTHING if agrees else Comparison.DIFFERS
    if figures.each:
        return Comparison.AMOUNT_AND_COUNT
    return Comparison.AMOUNT if figures.main else Comparison.NOTHING


def step_facts(kind: DocumentKind, step: voucher_pb2.Step) -> Facts:
    """Check a step and return its facts.

    Raises:
        FormRefused: It breaks a rule.
        MalformedPayload: Its reference is not well formed.
    """
    _check_envelope(step)
    if kind is not DocumentKind.ACCEPTANCE and not step.explanation:
        raise FormRefused(
            "this step needs an explanation",
            [
                Violation(
                    path="explanation",
                    rule="required",
                    text="an explanation is required",
                    text_zh="须填写原因",
                )
            ],
        )
    key, subject = reference_from_message(step.voucher)
    return Facts(
        key=key,
        subject=subject,
        by=step.by,
        recipients=tuple(step.recipients),
        explanation=step.explanation,
    )


def document_of(  # noqa: PLR0913, PLR0917 -- a document's parts
    kind: DocumentKind,
    sealed: bytes,
    digest: bytes,
    facts: Facts,
    signers: tuple[bytes, ...] = (),
    sealings: tuple[tuple[str, str], ...] = (),
    *,
    encloses: bool = False,
    is_overdue: bool = False,
    listed: tuple[tuple[bytes, str], ...] = (),
    beneath: tuple[bytes, ...] = (),
) -> Document:
    """Return the document that the vault takes, from its verified parts."""
    return make_document(
        kind=kind,
        sealed=sealed,
        digest=digest,
        version=hashlib.sha256(sealed).digest(),
        key=facts.key,
        subject=facts.subject or digest,
        by=facts.by,
        recipients=facts.recipients,
        amount_fen=facts.amount_fen,
        count=facts.count,
        replaces=facts.replaces,
        explanation=facts.explanation,
        comparison=facts.comparison,
        encloses=encloses,
        names=facts.names,
        signers=signers,
        sealings=sealings,
        beneath=beneath,
        listed=listed,
        is_overdue=is_overdue,
    )


def form_of(message: voucher_pb2.Voucher | voucher_pb2.Receipt) -> tuple[int, AnyForm]:
    """Return the number of the form's type, and the form.

    Raises:
        MalformedPayload: It has none that this release knows.
    """
    name = message.WhichOneof("form")
    if name is None:
        raise MalformedPayload("there is no form of a known type", field="form")
    return _TYPES[type(message)][name], getattr(message, name)


def _check_type(number: int, key: VoucherKey) -> None:
    """Check that the form is that of the key's type."""
    if number != key.type_code or key.type_code not in CATALOGUE.rows:
        msg = f"the form is of type {number}, the key of type {key.type_code}"
        raise MalformedPayload(
            msg,
            field="form",
        )


def _plain_key(
    message: voucher_pb2.VoucherKey, recipients: Sequence[str]
) -> VoucherKey | None:
    """Return the key if it and the recipients plainly keep the contract's rules.

    As with `screen.passes`, None means that `_check_envelope` has to look.
    """
    try:
        key = key_from_message(message)
    except MalformedPayload:
        return None
    is_plain = (
        key.type_code in CATALOGUE.rows
        and 0 < len(recipients) == len(set(recipients)) <= RECIPIENTS_MAX
        and is_party_code(key.issuer)
        and all(map(is_party_code, recipients))
    )
    return key if is_plain else None


def _check_envelope(message: Message) -> list[Broken]:
    """Check a document by its contract, in one walk over all of it.

    Returns:
        What is wrong inside its form, for `check_form` to tell with the rest.

    Raises:
        FormRefused: Something around the form breaks a rule.
    """
    broken = protovalidate.collect_violations(message)
    if not broken:
        return broken
    has_form = "form" in message.DESCRIPTOR.oneofs_by_name
    form = message.WhichOneof("form") if has_form else None
    inside = [one for one in broken if form and path_of(one).startswith(f"{form}.")]
    if len(inside) < len(broken):
        around = [one for one in broken if one not in inside]
        raise FormRefused("the document breaks a rule", violations_of(around))
    return inside


def _check_key(form: AnyForm, key: VoucherKey) -> None:
    """Check that the form repeats its voucher's key without contradiction."""
    row = CATALOGUE.row(key.type_code)
    stated = {
        "adm_div_code": key.adm_div,
        "st_year": str(key.fiscal_year),
        "vt_code": row.wire_code,
        "voucher_no": key.number,
    }
    wrong = [name for name, value in stated.items() if getattr(form, name) != value]
    if wrong:
        raise FormRefused(
            "the form contradicts the voucher's key",
            [
                Violation(
                    path=name,
                    rule="key.same",
                    text="differs from the voucher's key",
                    text_zh="与凭证主键不一致",
                )
                for name in wrong
            ],
        )
