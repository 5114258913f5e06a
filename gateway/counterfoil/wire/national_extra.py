"""Elements that no form knows: kept as text, written back where they were."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol
from xml.etree.ElementTree import Element

from counterfoil.domain.violation import Violation
from counterfoil.wire.national_errors import NationalXmlRefused, refuse
from counterfoil.wire.national_text import parse_text

DEPTH_MAX: Final = 16
"""Levels inside one extra element."""

XML_CHARACTERS_MAX: Final = 65_536
"""As `ExtraElement.xml` states."""

_ROW_NUMBER: Final = re.compile(r"DetailList/Detail\[([0-9]{1,6})\]", re.ASCII)
_SPECIAL: Final = re.compile(r"[<>&\r]")
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE: Final = _TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def escape(text: str) -> str:
    """Return `text` as it stands between two tags."""
    return text.translate(_TEXT) if _SPECIAL.search(text) else text


def escape_attribute(text: str) -> str:
    """Return `text` as it stands between double quotes."""
    return text.translate(_ATTRIBUTE)


def element_text(element: Element, path: str) -> str:
    """Return the one spelling of an element with all it contains.

    Raises:
        NationalXmlRefused: It is nested too deeply, too long, or uses namespaces.
    """
    parts: list[str] = []
    _write(element, parts, path, DEPTH_MAX)
    text = "".join(parts)
    if len(text) > XML_CHARACTERS_MAX:
        refuse(path, "extra.size", "an unknown element too long", "未知要素过长")
    return text


def _write(element: Element, parts: list[str], path: str, depth: int) -> None:
    if depth == 0:
        refuse(path, "extra.depth", "an unknown element too deep", "未知要素嵌套过深")
    names = [element.tag, *element.keys()]
    if any("{" in name for name in names):
        refuse(path, "extra.namespace", "namespaces are not used", "不允许使用命名空间")
    attributes = "".join(
        f' {name}="{escape_attribute(value)}"' for name, value in element.items()
    )
    parts.append(f"<{element.tag}{attributes}>{escape(element.text or '')}")
    for child in element:
        _write(child, parts, path, depth - 1)
        parts.append(escape(child.tail or ""))
    parts.append(f"</{element.tag}>")


def parse_extra(xml: str, path: str) -> tuple[str, str]:
    """Check an extra element that somebody hands in, and return name and text.

    Raises:
        NationalXmlRefused: It is not one well-formed element within the bounds.
    """
    if len(xml) > XML_CHARACTERS_MAX:
        refuse(path, "extra.size", "an unknown element too long", "未知要素过长")
    element = parse_text(xml, path)
    return element.tag, element_text(element, path)


class Extra(Protocol):
    """An `ExtraElement` of a form."""

    path: str
    xml: str


def broken_extras(extras: Iterable[Extra], rows: int | None) -> Iterator[Violation]:
    """Yield what is no element, or stands in a row that is not there.

    Whoever reads national documents could not have the voucher at all.

    Args:
        extras: Those of a form.
        rows: How many rows it has; None for a receipt, which is written with the rows
            of its voucher.
    """
    for index, one in enumerate(extras):
        try:
            parse_extra(one.xml, f"extra[{index}].xml")
        except NationalXmlRefused as refused:
            yield from refused.violations
        row = _ROW_NUMBER.fullmatch(one.path)
        if row is not None and rows is not None and int(row[1]) > rows:
            yield Violation(
                path=f"extra[{index}].path",
                rule="extra.path",
                text=f"there is no {one.path}",
                text_zh="未知要素所在的明细不存在",
            )


def place(
    known: Iterable[tuple[str, str]], extras: Iterable[tuple[str, str, str]]
) -> str:
    """Weave extra elements between the known ones.

    Args:
        known: Name and text of each element, in order.
        extras: Name of the element before, own name, text; in order.
    """
    waiting: dict[str, list[tuple[str, str]]] = {}
    for after, name, text in extras:
        waiting.setdefault(after, []).append((name, text))
    out: list[str] = []

    def emit(pending: list[tuple[str, str]]) -> None:
        while pending:
            name, text = pending.pop()
            out.append(text)
            pending.extend(reversed(waiting.pop(name, ())))

    emit(waiting.pop("", [])[::-1])
    for each in known:
        emit([each])
    # What follows an element that is not written goes to the end.
    while waiting:
        emit(waiting.pop(next(iter(waiting)))[::-1])
    return "".join(out)
