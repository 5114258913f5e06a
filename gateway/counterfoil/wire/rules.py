"""Whether a form may travel: all its rules in one call.

The field rules stand in the contract, where partners check the same ones. Here are
those that it cannot state: widths in bytes of GBK, days of the calendar, sums,
signs, and rows that name their main row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, islice
from operator import gt
from typing import Final

import protovalidate
from google.protobuf.message import Message
from protovalidate import Violation as Broken

from counterfoil.domain.catalogue import SignRule, TypeRow
from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.rules import dates, payment
from counterfoil.domain.violation import Violation
from counterfoil.wire.figures import (
    Figures,
    broken_figures,
    broken_totals,
    figures_of,
)
from counterfoil.wire.naming import broken_names
from counterfoil.wire.national_extra import broken_extras
from counterfoil.wire.national_plan import (
    PLANS,
    ROW_ID,
    AnyForm,
    FormPlan,
    LevelPlan,
    rows_of,
)
from counterfoil.wire.national_text import UNWRITABLE

VIOLATIONS_MAX: Final = 100
"""More are not reported: the sender has to look at the whole form."""

_SIGNS: Final = {
    SignRule.POSITIVE: ("not greater than zero", "应大于零"),
    SignRule.NEGATIVE: ("not smaller than zero", "应小于零"),
    SignRule.ZERO: ("not zero", "应为零"),
    SignRule.NOT_ZERO: ("zero", "不应为零"),
    SignRule.ANY: ("", ""),
}
_CHINESE: Final = {
    "required": "不能缺少",
    "string.min_len": "不能为空",
    "string.max_len": "不应填写或超长",
    "string.pattern": "格式不符",
    "string.const": "取值不符",
    "string.in": "取值不在允许范围内",
    "int64.gte_lte": "金额超出范围",
    "repeated.min_items": "至少应有一条明细",
}


def check_form(
    form: Message,
    *,
    gbk_only: bool = False,
    found: Sequence[Broken] | None = None,
) -> None:
    """Check a voucher's or receipt's form against every rule of its type.

    Args:
        form: A message of `counterfoil.form.v1` that the catalogue names.
        gbk_only: Whether a character outside GBK is refused too, because the form
            will be written as a national document.
        found: What the contract's rules found inside the form when the message
            around it was checked; None: they are checked now.

    Raises:
        FormRefused: Rules are broken; its violations say which, at most 100.
        KeyError: The message is no form of the catalogue.
    """
    types = PLANS[form.DESCRIPTOR.full_name]
    is_receipt = form.DESCRIPTOR.full_name == types.row.receipt_form
    plan = types.receipt if is_receipt else types.form
    assert plan is not None
    contract = (
        _contract(protovalidate.collect_violations(form), plan)
        if found is None
        else _contract(found, plan, outside=1)
    )
    violations = list(islice(contract, VIOLATIONS_MAX))
    # A field that the contract refuses already is not judged again.
    known = {violation.path for violation in violations}
    for violation in _beyond(form, types.row, plan, gbk_only=gbk_only):
        if violation.path not in known:
            violations.append(violation)
        if len(violations) >= VIOLATIONS_MAX:
            break
    if violations:
        raise FormRefused("the form breaks rules of its type", violations)


def _beyond(
    form: AnyForm, row: TypeRow, plan: FormPlan, *, gbk_only: bool
) -> Iterator[Violation]:
    """The rules that the contract cannot state."""
    is_receipt = form.DESCRIPTOR.full_name == row.receipt_form
    yield from broken_extras(form.extra, None if is_receipt else len(rows_of(form)))
    yield from _level(form, plan.main, "", gbk_only=gbk_only)
    rows, figures = rows_of(form), figures_of(form.DESCRIPTOR.full_name)
    for index, one in enumerate(rows):
        yield from _level(one, plan.rows, f"rows[{index}].", gbk_only=gbk_only)
    if ROW_ID in plan.rows.names.values():
        for index in payment.repeated([one.id for one in rows]):
            yield _broken(
                f"rows[{index}].id", "rows.id", "occurs in a row before", "明细编号重复"
            )
    if not is_receipt:
        yield from _year(form)
        yield from _signs(form, rows, row, figures)
    # A receipt may say it all in the main row.
    if rows or not is_receipt:
        yield from broken_totals(form, rows, figures)
    yield from broken_figures(form, rows, figures)
    yield from broken_names(form)
    if row.rows_name_main and not is_receipt:
        yield from _keys(form, rows)


def _contract(
    broken: Iterable[Broken], plan: FormPlan, *, outside: int = 0
) -> Iterator[Violation]:
    """The rules of the contract, by the one engine that all languages have.

    Args:
        broken: What it found.
        plan: The form's plan.
        outside: How many elements of each path lead to the form.
    """
    for found in broken:
        field = found.proto.field
        parts = []
        for element in list(field.elements)[outside:] if field is not None else ():
            each = element.subscript
            index = f"[{each.value}]" if each is not None else ""
            parts.append(f"{element.field_name}{index}")
        path = ".".join(parts)
        rule = found.proto.rule_id
        name = parts[-1] if parts else ""
        level = plan.rows if len(parts) > 1 else plan.main
        zh = next((each.zh for each in level.fields if each.name == name), "")
        yield Violation(
            path=path,
            rule=rule,
            text=found.proto.message or rule,
            text_zh=zh + _CHINESE.get(rule, "不符合规定"),
        )


def _level(
    message: Message, plan: LevelPlan, prefix: str, *, gbk_only: bool
) -> Iterator[Violation]:
    """Widths and days of one row."""
    # One call for all values, because listing set fields costs twice as much; an
    # absent text is an empty one here, and fits. Most are so short that they fit
    # whatever their characters are; only the others are looked at.
    values = plan.texts(message)
    long = compress(
        zip(plan.bounded, values, strict=True), map(gt, map(len, values), plan.short)
    )
    for each, value in long:
        if len(value) <= each.width and value.isascii():
            continue
        size = len(value.encode("gb18030"))
        if size > each.width:
            yield _broken(
                prefix + each.name,
                "text.width",
                f"{size} bytes in GBK, {each.width} are allowed",
                f"{each.zh}长{size}字节，超过{each.width}字节",
            )
    yield from _unwritable(message, prefix)
    for name in plan.dates:
        text = getattr(message, name)
        if text and not payment.is_day(text):
            yield _broken(prefix + name, "date.day", "not a day", "日期不存在")
    if gbk_only:
        yield from _outside_gbk(message, prefix)


def _unwritable(message: Message, prefix: str) -> Iterator[Violation]:
    """Texts that no national document can carry, in whatever encoding."""
    for field, value in message.ListFields():
        if isinstance(value, str) and UNWRITABLE.search(value):
            yield _broken(
                prefix + field.name,
                "text.control",
                "has a control character",
                "含有控制字符",
            )


def _outside_gbk(message: Message, prefix: str) -> Iterator[Violation]:
    for field, value in message.ListFields():
        if isinstance(value, str):
            try:
                value.encode("gbk")
            except UnicodeEncodeError:
                yield _broken(
                    prefix + field.name,
                    "text.gbk",
                    "has a character that is not in GBK",
                    "含有GBK字符集以外的字符",
                )


def _year(form: AnyForm) -> Iterator[Violation]:
    """The date belongs to the fiscal year."""
    if not dates.is_of_year(form.vou_date, form.st_year):
        yield _broken(
            "vou_date",
            "date.year",
            "neither in the fiscal year nor in the next one",
            "凭证日期与业务年度不符",
        )


def _signs(
    form: AnyForm, rows: list[AnyForm], row: TypeRow, figures: Figures
) -> Iterator[Violation]:
    """Signs of the main amount and of every row's."""
    if figures.main:
        yield from _sign(form, figures.main, "", row.sign)
    if figures.each:
        for index, one in enumerate(rows):
            yield from _sign(one, figures.each, f"rows[{index}].", row.row_sign)


def _sign(
    message: Message, name: str, prefix: str, rule: SignRule
) -> Iterator[Violation]:
    if message.HasField(name) and not payment.sign_holds(getattr(message, name), rule):
        text, text_zh = _SIGNS[rule]
        yield _broken(prefix + name, "amount.sign", text, "金额" + text_zh)


def _keys(form: AnyForm, rows: list[AnyForm]) -> Iterator[Violation]:
    """Every row repeats the main id and number."""
    for index, row in enumerate(rows):
        for name, main in (
            ("voucher_bill_id", "id"),
            ("voucher_bill_no", "voucher_no"),
        ):
            # An absent one is refused by the contract already.
            if row.HasField(name) and getattr(row, name) != getattr(form, main):
                yield _broken(
                    f"rows[{index}].{name}",
                    "rows.main",
                    f"differs from the main row's {main}",
                    "与主单不一致",
                )


def _broken(path: str, rule: str, text: str, text_zh: str) -> Violation:
    return Violation(path=path, rule=rule, text=text, text_zh=text_zh)
