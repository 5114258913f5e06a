"""From the inner document to a form, and what a recipient filled in to a receipt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.etree.ElementTree import Element

from counterfoil.domain.violation import Violation
from counterfoil.wire.national_errors import NationalXmlRefused, refuse
from counterfoil.wire.national_extra import element_text
from counterfoil.wire.national_plan import (
    AMOUNT,
    NUMBER,
    AnyForm,
    FieldPlan,
    LevelPlan,
    TypePlan,
)
from counterfoil.wire.national_values import parse_amount, parse_number

LIST: Final = "DetailList"
ROW: Final = "Detail"

VIOLATIONS_MAX: Final = 100
"""More are not collected: the sender has to look at the whole document."""

_NOTHING: Final = LevelPlan(())
_PARSERS: Final = {AMOUNT: parse_amount, NUMBER: parse_number}

_DOUBLED: Final = ("xml.doubled", "the element occurs twice", "要素重复出现")
_PLAIN: Final = (
    "xml.plain",
    "attributes, elements or text where none belong",
    "要素中含有不应有的属性、子要素或文本",
)
_UNREADABLE: Final = {
    AMOUNT: (
        "element.amount",
        "not an amount in yuan with two decimals, such as 12.50",
        "金额格式不符，应为两位小数的元，如12.50",
    ),
    NUMBER: ("element.number", "not a decimal integer", "不是整数"),
}


@dataclass(slots=True)
class _Level:
    """What one row of the document says.

    Attributes:
        values: Values of the form's fields.
        answer: Values of the receipt's fields.
        unknown: Other elements, each with the name of the one before.
        split: How many of these stand before the rows.
        rows: The list of rows, if it is here.
    """

    values: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    unknown: list[tuple[str, Element]] = field(default_factory=list)
    split: int = 0
    rows: Element | None = None


class FormReader:
    """Reads one inner document.

    Attributes:
        form: The voucher's form.
        receipt: The receipt's form; None unless the document is answered.
    """

    def __init__(self, plan: TypePlan, path: str, *, answered: bool) -> None:
        if answered and plan.receipt is None:
            refuse(
                path,
                "envelope.flag",
                "this kind of voucher has no receipts",
                "该凭证类型没有回单",
            )
        self._plan = plan.form
        self._answers = plan.receipt if answered else None
        self._path = path
        self._violations: list[Violation] = []
        self.form: AnyForm = plan.form.message()
        self.receipt: AnyForm = self._answers.message() if self._answers else None

    def read(self, root: Element) -> None:
        """Fill `form` and `receipt` from the document.

        Raises:
            NationalXmlRefused: An element is doubled, misplaced or unreadable.
        """
        answers = self._answers.main if self._answers else _NOTHING
        nested = LIST if self._plan.rows.fields else ""
        level = self._level(root, self._plan.main, answers, self._path, nested)
        self.form = self._plan.message(**level.values)
        if self._answers:
            self.receipt = self._answers.message(**level.answer)
        # Extra elements are listed in document order.
        self._keep(level.unknown[: level.split], "", self._path)
        if level.rows is not None:
            self._read_rows(level.rows)
        self._keep(level.unknown[level.split :], "", self._path)
        if self._violations:
            raise NationalXmlRefused(self._violations)

    def _read_rows(self, rows: Element) -> None:
        answers = self._answers.rows if self._answers else _NOTHING
        list_path = f"{self._path}/{LIST}"
        self._check_holder(rows, list_path)
        previous, number = "", 0
        strangers: set[str] = set()
        for row in rows:
            if row.tag != ROW:
                if row.tag in strangers:
                    self._note(f"{list_path}/{row.tag}", _DOUBLED)
                strangers.add(row.tag)
                self._keep([(previous, row)], LIST, list_path)
                previous = row.tag
                continue
            number += 1
            previous = f"{ROW}[{number}]"
            path = f"{list_path}/{previous}"
            level = self._level(row, self._plan.rows, answers, path, "")
            self.form.rows.add(**level.values)
            if level.answer:
                # The receipt names the row by the row's own id.
                named = {"id": level.values["id"]} if "id" in level.values else {}
                self.receipt.rows.add(**named, **level.answer)
            self._keep(level.unknown, f"{LIST}/{previous}", path)

    def _level(
        self,
        element: Element,
        plan: LevelPlan,
        answers: LevelPlan,
        path: str,
        nested: str,
    ) -> _Level:
        """Read one row; `nested` is the element that holds the rows below it."""
        self._check_holder(element, path)
        if not nested and not answers.fields:
            values = _plain_values(element, plan)
            if values is not None:
                return _Level(values)
        level = _Level()
        unknown = level.unknown
        known, filled = plan.by_element, answers.by_element
        seen: set[str] = set()
        previous = ""
        for child in element:
            tag = child.tag
            if tag in seen:
                self._note(f"{path}/{tag}", _DOUBLED)
            seen.add(tag)
            each = known.get(tag)
            if each is None:
                if tag == nested:
                    level.rows, level.split = child, len(unknown)
                else:
                    unknown.append((previous, child))
            elif len(child) or child.keys() or (child.tail and child.tail.strip()):
                self._note(f"{path}/{tag}", _PLAIN)
            elif not self._take(level, each, filled, child.text or "", path):
                unknown.append((previous, child))
            previous = tag
        if level.rows is None:
            level.split = len(unknown)
        return level

    def _take(
        self,
        level: _Level,
        each: FieldPlan,
        filled: Mapping[str, FieldPlan],
        text: str,
        path: str,
    ) -> bool:
        """Put a text where it belongs; False: no field can say it."""
        if filled and each.receipt_field and text:
            self._put(level.answer, filled[each.element], text, path)
        elif each.format not in _PARSERS:
            level.values[each.name] = text
        elif text:
            self._put(level.values, each, text, path)
        else:
            # An integer cannot say "there, but empty"; the element itself can.
            return False
        return True

    def _put(
        self, values: dict[str, Any], each: FieldPlan, text: str, path: str
    ) -> None:
        parse = _PARSERS.get(each.format)
        try:
            values[each.name] = text if parse is None else parse(text)
        except ValueError:
            self._note(f"{path}/{each.element}", _UNREADABLE[each.format])

    def _keep(
        self, unknown: Iterable[tuple[str, Element]], parent: str, path: str
    ) -> None:
        """Keep unknown elements: the recipient's where it filled in an X element."""
        for after, element in unknown:
            place = f"{path}/{element.tag}"
            if element.tail and element.tail.strip():
                self._note(place, _PLAIN)
            text = element_text(element, place)
            filled = element.tag.startswith("X") and (element.text or len(element))
            target = self.receipt if filled and self._answers else self.form
            target.extra.add(path=parent, after=after, xml=text)

    def _check_holder(self, element: Element, path: str) -> None:
        """Note attributes and text around elements."""
        texts = (element.text, element.tail)
        if element.keys() or any(text and text.strip() for text in texts):
            self._note(path, _PLAIN)

    def _note(self, path: str, broken: tuple[str, str, str]) -> None:
        rule, text, text_zh = broken
        violation = Violation(path=path, rule=rule, text=text, text_zh=text_zh)
        self._violations.append(violation)
        if len(self._violations) >= VIOLATIONS_MAX:
            raise NationalXmlRefused(self._violations)


def _plain_values(element: Element, plan: LevelPlan) -> dict[str, Any] | None:
    """Read a row in which nothing is out of the ordinary; None if something is.

    The common case, and twice as fast as looking at each element: every element
    once, known, without attributes or children, every amount readable.
    """
    texts = {
        child.tag: child.text or ""
        for child in element
        if not (len(child) or child.keys())
        and (not (tail := child.tail) or tail.isspace())
    }
    names = plan.names
    if len(texts) < len(element) or not texts.keys() <= names.keys():
        return None
    values: dict[str, Any] = {names[tag]: text for tag, text in texts.items()}
    for each in plan.parsed:
        if each.element in texts:
            try:
                values[each.name] = _PARSERS[each.format](texts[each.element])
            except ValueError:
                return None
    return values
