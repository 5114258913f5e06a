"""A sound form of every kind, made of nothing but the contract's own rules.

Every field that is required is filled in with the least that its rules allow, and the
figures add up. Tests that hold for all kinds begin with one of these.
"""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from counterfoil.domain.catalogue import SignRule, TypeRow
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire import screen
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.columns import turn
from counterfoil.wire.figures import figures_of
from counterfoil.wire.national_plan import AnyForm, FormPlan, LevelPlan, type_plan
from tests.unit.app.papers import YEAR, key_message

DAY = f"{YEAR}0301"
NUMBER = "1"
CODES = tuple(sorted(CATALOGUE.rows))
RECEIPT_CODES = tuple(code for code in CODES if CATALOGUE.row(code).receipt_form)
_TEXTS = {
    "^[0-9]{6,9}$": "420000",
    "^[0-9]{10}$": "4200000000",
    "^[0-9]{12}$": "102521000000",
    "^(0[1-9]|1[0-2])$": "03",
    "^[0-9]{4}$": "5201",
}
"""A text for each pattern that a required field has."""
_BALANCE = (100, 50, 30, 120)
"""Before, added, taken and left, in fen."""


def sound_form(code: int) -> AnyForm:
    """Return a sound voucher's form with one row."""
    row = CATALOGUE.row(code)
    form = _filled(type_plan(row.wire_code).form, row.form)
    fen = -100 if SignRule.NEGATIVE in (row.sign, row.row_sign) else 100
    figures = figures_of(row.form)
    for name in filter(None, (figures.main, *(main for main, _ in figures.totals))):
        setattr(form, name, fen)
    for each in form.rows:
        for name in filter(None, (figures.each, *(each for _, each in figures.totals))):
            setattr(each, name, fen)
    name_vouchers(form, NUMBER)
    _balance(form, row)
    form.voucher_no, form.st_year = NUMBER, str(YEAR)
    if row.rows_name_main:
        for each in form.rows:
            each.voucher_bill_id, each.voucher_bill_no = form.id, NUMBER
    return form


def name_vouchers(form: AnyForm, number: str) -> None:
    """Let a form name vouchers of kinds that it may name, all of one number."""
    types = type_plan(form.vt_code)
    for reference in types.row.references:
        plan = types.form.rows if reference.in_rows else types.form.main
        for level in form.rows if reference.in_rows else [form]:
            setattr(level, plan.names[reference.number_element], number)
            if reference.type_element:
                setattr(level, plan.names[reference.type_element], reference.kinds[0])


def sound_receipt_form(code: int) -> AnyForm:
    """Return a sound receipt's form, with one row where receipts have rows."""
    row = CATALOGUE.row(code)
    plan = type_plan(row.wire_code).receipt
    assert plan is not None, "asked of kinds with receipts only"
    form = _filled(plan, row.receipt_form)
    fen = -100 if row.sign is SignRule.NEGATIVE else 100
    figures = figures_of(row.receipt_form)
    if figures.main:
        setattr(form, figures.main, fen)
    if figures.each:
        setattr(form.rows[0], figures.each, fen)
    return form


def sound_voucher(
    code: int, *, issuer: str, to: tuple[str, ...]
) -> voucher_pb2.Voucher:
    """Return a sound voucher around `sound_form`."""
    voucher = voucher_pb2.Voucher(key=key_message(issuer, code, NUMBER), recipients=to)
    place_form(voucher, code, sound_form(code))
    return voucher


def place_form(
    paper: voucher_pb2.Voucher | voucher_pb2.Receipt, code: int, form: Message
) -> None:
    """Put a form where its kind belongs: the field whose number is the kind."""
    name = paper.DESCRIPTOR.fields_by_number[code].name
    getattr(paper, name).CopyFrom(form)


def required_fields(level: LevelPlan, message: Message) -> list[str]:
    """Return the names of the fields that the contract requires."""
    rules = {
        field.name: field.GetOptions().Extensions[validate_pb2.field]
        for field in message.DESCRIPTOR.fields
    }
    return [each.name for each in level.fields if rules[each.name].required]


def _filled(plan: FormPlan, full_name: str) -> AnyForm:
    form: AnyForm = plan.message()
    assert form.DESCRIPTOR.full_name == full_name
    _fill(form)
    if plan.rows.fields:
        _fill(form.rows.add())
    return form


def _fill(message: Message) -> None:
    """Fill in what the contract requires."""
    for field in message.DESCRIPTOR.fields:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        if field.is_repeated or not rules.required:
            continue
        if field.type == FieldDescriptor.TYPE_INT64:
            setattr(message, field.name, 1)
        else:
            setattr(message, field.name, _text(rules.string))


def _text(rules: validate_pb2.StringRules) -> str:
    if rules.HasField("const"):
        return rules.const
    allowed = getattr(rules, "in")
    if allowed:
        return str(allowed[0])
    if "(0[1-9]|[12][0-9]|3[01])" in rules.pattern:
        return DAY
    return _TEXTS.get(rules.pattern, "1")


def _balance(form: AnyForm, row: TypeRow) -> None:
    """Let balances add up."""
    figures = figures_of(row.form)
    for level, names in (
        (form, figures.main_balance),
        (form.rows[0], figures.row_balance),
    ):
        for name, fen in zip(names, (100, 50, 30, 120), strict=bool(names)):
            setattr(level, name, fen)


def passes_by_columns(form: Message) -> bool:
    """Tell whether a form plainly keeps its rules, its rows read by columns."""
    return screen.passes(form, turn(type(form), form.SerializeToString()))
