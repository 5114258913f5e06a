"""National files out: forms to bytes, each text checked to be writable."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Collection, Sequence
from typing import Final

from google.protobuf.message import Message

from counterfoil.wire.national_errors import refuse
from counterfoil.wire.national_extra import (
    escape,
    escape_attribute,
    parse_extra,
    place,
)
from counterfoil.wire.national_form import LIST, ROW
from counterfoil.wire.national_plan import (
    AMOUNT,
    NUMBER,
    AnyForm,
    FieldPlan,
    LevelPlan,
    TypePlan,
    rows_of,
    type_plan,
)
from counterfoil.wire.national_read import (
    ATTACH,
    BODY,
    COUNT,
    FLAG,
    INNER,
    KEY,
    REASON,
    ROOT,
    check_key,
)
from counterfoil.wire.national_text import UNWRITABLE, Encoding
from counterfoil.wire.national_values import print_amount
from counterfoil.wire.national_voucher import NationalVoucher

_PRINTERS: Final[dict[int, Callable[[int], str]]] = {AMOUNT: print_amount, NUMBER: str}
_EMPTY: Final = LevelPlan(())

_Extras = dict[str, list[tuple[str, str, str]]]


def write_national(
    vouchers: Sequence[NationalVoucher], *, encoding: Encoding = Encoding.GBK
) -> bytes:
    """Write vouchers as a national file, in their order.

    Reading it gives the same vouchers again.

    Raises:
        NationalXmlRefused: A text has a character that the encoding or XML lacks,
            a key contradicts its form, a receipt's row is not the voucher's, or an
            extra element is not well-formed. With several vouchers, paths begin
            with `vouchers[i].`.
        ValueError: An amount is wider than fifteen digits: nobody checked the form.
    """
    bodies = []
    for index, voucher in enumerate(vouchers):
        prefix = f"vouchers[{index}]." if len(vouchers) > 1 else ""
        bodies.append(_VoucherWriter(voucher, encoding, prefix).body())
    text = f"<{ROOT}><{COUNT}>{len(bodies)}</{COUNT}>{''.join(bodies)}</{ROOT}>"
    return _document(text, encoding)


def _document(text: str, encoding: Encoding) -> bytes:
    declaration = f'<?xml version="1.0" encoding="{encoding.value}"?>\n'
    return (declaration + text).encode(encoding.value)


class _VoucherWriter:
    """Writes one voucher, with its receipt's boxes filled in where it is answered."""

    def __init__(
        self, voucher: NationalVoucher, encoding: Encoding, prefix: str
    ) -> None:
        self._voucher = voucher
        self._encoding = encoding
        self._prefix = prefix
        self._plan: TypePlan = type_plan(voucher.vt_code)
        self._form: AnyForm = voucher.form
        self._receipt: AnyForm = voucher.receipt

    def body(self) -> str:
        """Return the voucher's `VoucherBody`."""
        voucher = self._voucher
        key = {name: getattr(voucher, name) for name in KEY.values()}
        check_key(key, voucher.form, f"{self._prefix}form")
        known = [
            (name, f"<{name}>{text}</{name}>")
            for name, text in (
                (FLAG, str(voucher.voucher_flag)),
                (REASON, self._header("return_reason", voucher.return_reason)),
                (ATTACH, self._header("attach", voucher.attach)),
                (INNER, binascii.b2a_base64(self._inner(), newline=False).decode()),
            )
            if text is not None
        ]
        extras = []
        for index, extra in enumerate(voucher.body_extra):
            path = f"body_extra[{index}].xml"
            name, xml = parse_extra(extra.xml, self._prefix + path)
            self._checked(xml, path)
            extras.append((extra.after, name, xml))
        attributes = "".join(
            f' {attribute}="{escape_attribute(self._checked(key[name], name))}"'
            for attribute, name in KEY.items()
        )
        return f"<{BODY}{attributes}>{place(known, extras)}</{BODY}>"

    def _header(self, name: str, text: str | None) -> str | None:
        return None if text is None else escape(self._checked(text, name))

    def _checked(self, text: str, name: str) -> str:
        broken = _broken(text, self._encoding)
        if broken is not None:
            refuse(f"{self._prefix}{name}", *broken)
        return text

    def _inner(self) -> bytes:
        text = f"<{INNER}>{self._main()}</{INNER}>"
        if text.isprintable() or UNWRITABLE.search(text) is None:
            try:
                return _document(text, self._encoding)
            except UnicodeEncodeError:
                pass
        # Rare, so the place is looked for only now.
        self._find_broken(self._form, "")
        if self._receipt is not None:
            self._find_broken(self._receipt, "receipt.")
        raise AssertionError("a broken document has a broken text")

    def _main(self) -> str:
        """Return everything inside the document's root."""
        extras = self._extras()
        plan = self._plan
        answers = plan.receipt.main if plan.receipt else _EMPTY
        rows = self._rows(extras)
        cells = _cells(self._form, plan.form.main, self._receipt, answers)
        if rows or LIST in extras:
            cells.append((LIST, f"<{LIST}>{rows}</{LIST}>"))
        return self._woven(cells, extras.pop("", ()))

    def _rows(self, extras: _Extras) -> str:
        if not self._plan.form.rows.fields:
            return ""
        plan, answers = self._plan.form.rows, self._answers_by_row()
        answer_plan = self._plan.receipt.rows if self._plan.receipt else _EMPTY
        out = []
        for number, row in enumerate(self._form.rows, start=1):
            if not extras and not answers and plan.in_order:
                out.append(("", f"<{ROW}>{_plain_row(row, plan)}</{ROW}>"))
                continue
            # Rows of some kinds have no id, but then nobody answers them one by one.
            answer = answers.get(row.id) if answers else None
            cells = _cells(row, plan, answer, answer_plan)
            mine = extras.pop(f"{LIST}/{ROW}[{number}]", ()) if extras else ()
            text = self._woven(cells, mine)
            out.append((f"{ROW}[{number}]", f"<{ROW}>{text}</{ROW}>"))
        between = extras.get(LIST, ())
        text = place(out, between)
        self._check_placed(extras)
        return text

    def _answers_by_row(self) -> dict[str, AnyForm]:
        """Pair the receipt's rows with the voucher's by their id."""
        answer_rows = rows_of(self._receipt)
        if not answer_rows:
            return {}
        rows = {row.id for row in self._form.rows}
        answers: dict[str, AnyForm] = {}
        for index, answer in enumerate(answer_rows):
            if answer.id not in rows or answer.id in answers:
                refuse(
                    f"{self._prefix}receipt.rows[{index}].id",
                    "receipt.row",
                    "names no row of the voucher, or one twice",
                    "回单明细与原凭证明细不对应",
                )
            answers[answer.id] = answer
        return answers

    def _extras(self) -> _Extras:
        """Sort extra elements by their parent; a receipt's replaces the voucher's."""
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for message, prefix in ((self._form, ""), (self._receipt, "receipt.")):
            own: set[tuple[str, str]] = set()
            for index, extra in enumerate(() if message is None else message.extra):
                path = f"{self._prefix}{prefix}extra[{index}].xml"
                name, xml = parse_extra(extra.xml, path)
                where = (extra.path, name)
                if where in own or self._takes(extra.path, name, xml):
                    refuse(
                        path,
                        "extra.doubled",
                        "the document has this element already",
                        "要素重复",
                    )
                own.add(where)
                found[where] = (extra.after, xml)
        extras: _Extras = {}
        for (parent, name), (after, xml) in found.items():
            extras.setdefault(parent, []).append((after, name, xml))
        return extras

    def _takes(self, parent: str, name: str, xml: str) -> bool:
        """Tell whether a field of the form is the place for this element."""
        form = self._plan.form
        if parent == LIST:
            return name == ROW
        if not parent and name == LIST and form.rows.fields:
            return True
        plan = form.main if not parent else form.rows
        each = plan.by_element.get(name)
        # An empty amount is extra: an integer cannot say it.
        return each is not None and not (
            each.format in _PRINTERS and xml == f"<{name}></{name}>"
        )

    def _woven(
        self,
        cells: list[tuple[str, str]],
        extras: Collection[tuple[str, str, str]],
    ) -> str:
        """Join the elements of one row, with the extra ones where they belong."""
        if not extras:
            return "".join([text for _, text in cells])
        names = {name for name, _ in cells}
        if any(name in names for _, name, _ in extras):
            refuse(
                f"{self._prefix}extra",
                "extra.doubled",
                "an amount is there and empty at once",
                "金额要素重复",
            )
        return place(cells, extras)

    def _check_placed(self, extras: _Extras) -> None:
        """Check that no extra element belongs to a row that is not there."""
        for parent in extras:
            if parent not in ("", LIST):
                refuse(
                    f"{self._prefix}extra",
                    "extra.path",
                    f"there is no {parent}",
                    "未知要素所在的明细不存在",
                )

    def _find_broken(self, message: AnyForm, path: str) -> None:
        """Refuse the first text of a form that cannot be written."""
        for each, value in message.ListFields():
            if each.message_type is not None:
                for index, row in enumerate(value):
                    self._find_broken(row, f"{path}{each.name}[{index}].")
            elif isinstance(value, str):
                self._checked(value, path + each.name)


def _broken(text: str, encoding: Encoding) -> tuple[str, str, str] | None:
    """Say why a text cannot be written, if it cannot."""
    if UNWRITABLE.search(text):
        return ("text.control", "has a control character", "含有控制字符")
    try:
        text.encode(encoding.value)
    except UnicodeEncodeError as error:
        at = error.start + 1
        return (
            "text.encoding",
            f"character {at} is not in {encoding.value}",
            f"第{at}个字符不在{encoding.value}字符集内",
        )
    return None


def _cells(
    message: Message, plan: LevelPlan, answer: Message | None, answers: LevelPlan
) -> list[tuple[str, str]]:
    """Return the elements of one row with their names, in document order."""
    by_number = plan.by_number
    cells = []
    for field, value in message.ListFields():
        each = by_number.get(field.number)
        if each is not None:
            cells.append(_cell(each, value))
    if answer is None and plan.in_order:
        return cells
    merged = dict(cells)
    if answer is not None:
        for field, value in answer.ListFields():
            each = answers.by_number.get(field.number)
            # The row's id, by which the receipt names it, is the voucher's own.
            if each is not None and each.receipt_field:
                merged.update([_cell(each, value)])
    return sorted(merged.items(), key=lambda cell: plan.by_element[cell[0]].rank)


def _cell(each: FieldPlan, value: str | int) -> tuple[str, str]:
    name = each.element
    printer = _PRINTERS.get(each.format)
    text = printer(int(value)) if printer is not None else escape(str(value))
    return (name, f"<{name}>{text}</{name}>")


def _plain_row(message: Message, plan: LevelPlan) -> str:
    """Return the elements of one row where nothing is woven in.

    The common case. Texts are escaped only if the finished row has more of the
    special characters than its tags have.
    """
    tags = plan.tags
    parts: list[str] = []
    for field, value in message.ListFields():
        found = tags.get(field.number)
        if found is None:
            continue
        opening, closing, parsed = found
        text = _PRINTERS[parsed](value) if parsed else value
        parts += (opening, text, closing)
    row = "".join(parts)
    elements = len(parts) // 3
    if (
        row.count("<") == 2 * elements
        and row.count(">") == 2 * elements
        and "&" not in row
        and "\r" not in row
    ):
        return row
    parts[1::3] = [escape(text) for text in parts[1::3]]
    return "".join(parts)
