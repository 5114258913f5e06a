"""Writes docs/catalogue.md: what the contract's options and the domain's table say.

The page is never edited by hand. `--check` writes nothing; exit 1 when the page is
not what the contract says today.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tools.tree import ROOT

# A tool may run before anything is installed.
sys.path[:0] = [str(ROOT / root) for root in ("proto", "gateway", "store", "clients")]

from google.protobuf.descriptor import EnumDescriptor  # noqa: E402

from counterfoil.catalogue.v1 import (  # noqa: E402
    document_kind_pb2,
    label_pb2,
    options_pb2,
    party_kind_pb2,
    seal_position_pb2,
    voucher_type_pb2,
)
from counterfoil.desk.v1 import standing_pb2  # noqa: E402
from counterfoil.domain.standing import Role, Standing, all_rules  # noqa: E402
from counterfoil.sealed.v1 import voucher_pb2  # noqa: E402

PAGE: Final = ROOT / "docs" / "catalogue.md"

_HEAD: Final = """\
# The catalogue (凭证目录)

<!-- Written by `python -m tools.catalogue_page`. Do not edit: change proto/. -->

What this release carries, taken from the enum options in `proto/counterfoil/catalogue`
and from the table of acts in `gateway/counterfoil/domain/standing.py`. A gateway
refuses whatever does not stand here.
"""

_ANSWERS: Final = {
    "RECEIPT": "receipt (回单)",
    "NONE": "none",
    "STATEMENT_ANSWER": "statement with its result (对账结果)",
    "REPLY": "another kind (回执)",
}
_SIGNS: Final = {
    "POSITIVE": "greater than zero",
    "NEGATIVE": "smaller than zero",
    "ANY": "any",
    "ZERO": "exactly zero",
    "NOT_ZERO": "not zero",
}
_SUMS: Final = {"NONE": "none", "ROWS": "sum of the rows"}
_NEEDS: Final = {
    "NOTHING": "",
    "HELD": "which must be in the vault of whoever names it",
    "ACTED": "which must have been acted on",
    "ANSWERED": "whose receipt must have come and agree",
}
_MEASURES: Final = {
    "NOTHING": "",
    "EQUAL": "with the same amount",
    "PART": "all parts together at most its amount",
}
_TIMES: Final = {
    "ANY": "",
    "ONCE_IN_VOUCHER": "each in one row only",
    "ONCE": "once only",
}
_FIRST_GENERATION: Final = 2013
"""Of the national specification: elements that name none have been there since."""
_RETENTION: Final = {
    "BUDGET_VOUCHER": "voucher of the general budget (财政总预算会计凭证)",
    "UNIT_VOUCHER": "voucher of a unit (单位会计凭证)",
    "TREASURY_REPORT": "report of the treasury (国库报表)",
    "STATEMENT": "bank statement (银行对账单)",
}


def _name(enum: EnumDescriptor, number: int, prefix: str) -> str:
    return str(enum.values_by_number[number].name).removeprefix(prefix)


def _option(enum: EnumDescriptor, number: int, prefix: str) -> str:
    """Return an enum value's name, with its Chinese label if it has one."""
    name = _name(enum, number, prefix).lower().replace("_", " ")
    label = enum.values_by_number[number].GetOptions().Extensions[label_pb2.label_zh]
    return f"{name} ({label})" if label else name


def _kind(number: int) -> str:
    return _option(party_kind_pb2.PartyKind.DESCRIPTOR, number, "PARTY_KIND_")


def _of(table: dict[str, str], enum: EnumDescriptor, number: int, prefix: str) -> str:
    return table[_name(enum, number, prefix)]


def _sign(number: int) -> str:
    return _of(_SIGNS, options_pb2.SignRule.DESCRIPTOR, number, "SIGN_RULE_")


def _element(name: str) -> str:
    return f"`{name}`" if name else "not stated"


def _amount(element: str, sign: int) -> str:
    return f"{_element(element)}, {_sign(sign)}" if element else "the sum of the rows"


def _generations(number: int) -> str:
    """Return the generations of the specification that a form's elements are of."""
    form = voucher_pb2.Voucher.DESCRIPTOR.fields_by_number[number].message_type
    assert form is not None, "a form is a message"
    rows = form.fields_by_name["rows"].message_type
    assert rows is not None, "a form has rows"
    years = {
        field.GetOptions().Extensions[options_pb2.element].since or _FIRST_GENERATION
        for field in (*form.fields, *rows.fields)
    }
    return ", ".join(map(str, sorted(years)))


def _totals(row: options_pb2.VoucherRow) -> str:
    sums = [f"`{total.main}` of the rows' `{total.rows}`" for total in row.totals]
    return "; ".join(sums) or "none"


def _balance(row: options_pb2.VoucherRow) -> str:
    if not row.HasField("balance"):
        return "none"
    one = row.balance
    return f"`{one.before}` + `{one.added}` - `{one.taken}` = `{one.left}`"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _positions(plan: seal_position_pb2.SealPlan) -> Iterator[Sequence[str]]:
    for place, position in enumerate(plan.positions, start=1):
        yield (
            str(place),
            f"`{position.id}`",
            position.name_zh,
            _option(
                seal_position_pb2.SealPurpose.DESCRIPTOR,
                position.purpose,
                "SEAL_PURPOSE_",
            ),
            _name(
                seal_position_pb2.SealedBy.DESCRIPTOR, position.by, "SEALED_BY_"
            ).lower(),
        )


def _figures(row: options_pb2.VoucherRow) -> Iterator[tuple[str, str]]:
    """Yield what is said of a kind's amounts and of its receipt's."""
    yield ("main amount", _amount(row.amount_element, row.sign))
    yield ("amount of a row", _amount(row.row_amount_element, row.row_sign))
    yield ("number of rows", _element(row.count_element))
    yield ("amount of a receipt", _element(row.receipt_amount_element))
    yield ("amount of its rows", _element(row.receipt_row_amount_element))
    yield (
        "main amount follows from",
        _of(_SUMS, options_pb2.SumRule.DESCRIPTOR, row.sum, "SUM_RULE_"),
    )
    yield ("other sums", _totals(row))
    yield ("balance", _balance(row))
    yield (
        "copies of the receipt",
        "; ".join(map(_kind, row.receipt_copies)) or "none",
    )


def _references(row: options_pb2.VoucherRow) -> str:
    return "; ".join(map(_reference, row.references)) or "none"


def _reference(one: options_pb2.Reference) -> str:
    """Return by what a kind names another one, and what has to hold."""
    where = "each row" if one.in_rows else "the main row"
    by = " and ".join(
        f"`{name}`" for name in (one.type_element, one.number_element) if name
    )
    rules = (
        _of(_NEEDS, options_pb2.ReferenceNeed.DESCRIPTOR, one.need, "REFERENCE_NEED_"),
        _of(
            _MEASURES,
            options_pb2.ReferenceMeasure.DESCRIPTOR,
            one.measure,
            "REFERENCE_MEASURE_",
        ),
        _of(
            _TIMES, options_pb2.ReferenceTimes.DESCRIPTOR, one.times, "REFERENCE_TIMES_"
        ),
    )
    kinds = " or ".join(one.kinds)
    return ", ".join([f"{where} names {kinds} by {by}", *filter(None, rules)])


_PLAN_HEADS: Final = ("order", "position", "name", "purpose", "by")


def _type(number: int, row: options_pb2.VoucherRow) -> Iterator[str]:
    """Yield the section of one kind of voucher."""
    yield f"### {number} {row.name_zh}"
    yield ""
    wire = "" if row.wire_code == str(number) else f" (on the wire `{row.wire_code}`)"
    receipt = f"`{row.receipt_form}`" if row.receipt_form else "none"
    yield from _table(
        ("what", "value"),
        (
            ("code", f"`{number}`{wire}"),
            ("form", f"`{row.form}`"),
            ("receipt form", receipt),
            ("generations of its elements", _generations(number)),
            (
                "directions",
                "; ".join(
                    f"{_kind(way.issuer)} → {_kind(way.recipient)}"
                    for way in row.directions
                ),
            ),
            (
                "answered by",
                _of(_ANSWERS, options_pb2.Answer.DESCRIPTOR, row.answer, "ANSWER_")
                + (f": {row.reply_code}" if row.reply_code else ""),
            ),
            *_figures(row),
            ("names other vouchers", _references(row)),
            ("rows repeat id and number", "yes" if row.rows_name_main else "no"),
            (
                "kept at least",
                f"{row.retention.years} years: "
                + _of(
                    _RETENTION,
                    options_pb2.RetentionClass.DESCRIPTOR,
                    row.retention.retention_class,
                    "RETENTION_CLASS_",
                ),
            ),
        ),
    )
    yield ""
    yield "Seals of the voucher (签章位置):"
    yield ""
    yield from _table(_PLAN_HEADS, _positions(row.plan))
    yield ""
    if row.HasField("receipt_plan"):
        yield "Seals of its receipt:"
        yield ""
        yield from _table(_PLAN_HEADS, _positions(row.receipt_plan))
        yield ""


def _types() -> Iterator[str]:
    """Yield what is true of every kind of voucher."""
    rows = {
        value.number: value.GetOptions().Extensions[options_pb2.row]
        for value in voucher_type_pb2.VoucherType.DESCRIPTOR.values
        if value.number
    }
    yield "## Kinds of voucher (凭证类型)"
    yield ""
    for number in sorted(rows):
        yield from _type(number, rows[number])
    yield "### Without personal seals"
    yield ""
    yield "`DeskService.Submit` writes, seals and sends these in one step:"
    yield ""
    for number in sorted(rows):
        persons = any(
            position.by == seal_position_pb2.SEALED_BY_PERSON
            for position in rows[number].plan.positions
        )
        if not persons:
            yield f"* {number} {rows[number].name_zh}"
    yield ""


def _documents() -> Iterator[str]:
    """Yield the kinds of sealed document and their plans."""
    yield "## Kinds of document (文书种类)"
    yield ""
    yield "The seals are those that a document needs unless its type states its own."
    yield ""

    def rows() -> Iterator[Sequence[str]]:
        for value in document_kind_pb2.DocumentKind.DESCRIPTOR.values:
            if not value.number:
                continue
            document = value.GetOptions().Extensions[document_kind_pb2.document]
            seals = ", ".join(
                f"`{position.id}` {position.name_zh}"
                for position in document.plan.positions
            )
            yield (
                str(value.number),
                value.name.removeprefix("DOCUMENT_KIND_"),
                document.name_zh,
                seals or "stated by its type",
            )

    yield from _table(("number", "kind", "name", "seals"), rows())
    yield ""


def _acts() -> Iterator[str]:
    """Yield which act leads from which standings to which."""
    yield "## Acts and standings (操作与状态)"
    yield ""
    yield "Each vault keeps its own side. An act that was taken before leads nowhere"
    yield "new, and a report that comes late never leads back. What does not stand in"
    yield "these tables is refused: `NOT_IN_STATE` or `ACTING_BEGUN`."
    for role in Role:
        yield ""
        yield f"### In the vault of the {role.name.lower()}"
        yield ""
        yield from _table(
            ("act", "document", "from", "to"),
            (
                (
                    f"`{act.name}`",
                    kind.name.lower().replace("_", " "),
                    ", ".join(one.name for one in sorted(allowed)),
                    target.name,
                )
                for (side, act, kind), (allowed, target) in all_rules().items()
                if side is role
            ),
        )
    yield ""
    yield "### Standings"
    yield ""
    known = standing_pb2.Standing.DESCRIPTOR.values_by_number
    yield from _table(
        ("number", "standing", "in `desk.v1`"),
        (
            (str(one.value), one.name, f"`{known[one.value].name}`")
            for one in sorted(Standing)
        ),
    )


def page() -> str:
    """Return the page as it should be."""
    lines = [_HEAD, *_types(), *_documents(), *_acts()]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page.

    Returns:
        Exit status: 0 written or fresh, 1 stale.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    wanted = page()
    if not options.check:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print("docs/catalogue.md is stale: python -m tools.catalogue_page", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
