"""From hostile bytes to a bounded tree of elements.

What makes the parser safe is what it never sees. The bytes are decoded here by the
declared encoding, so no second decoder can read them differently. A document type,
a comment or a processing instruction is refused by its opening characters, which
well-formed XML has nowhere else but in CDATA: without a document type there are no
entities but the five of XML, and nothing external. Size and number of elements are
bounded before parsing. What the forms could not keep (comments) is refused rather
than lost.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final
from xml.etree.ElementTree import Element, ParseError, XMLParser

from counterfoil.wire.national_errors import refuse

UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML 1.0 cannot carry at all, not even escaped."""

FILE_BYTES_MAX: Final = 32 * 1024 * 1024
"""A file of several vouchers; one of 500 rows takes about 1.5 MB."""

DOCUMENT_BYTES_MAX: Final = 16 * 1024 * 1024
"""One inner document, decoded from base64."""

TAGS_MAX: Final = 500_000
"""Tags in one document, 5,500 rows of 45 elements; bounds memory and depth."""


class Encoding(StrEnum):
    """The encodings of national documents, by the names that declarations use."""

    GBK = "GBK"
    GB18030 = "GB18030"


_CODECS: Final = {"GBK": "gbk", "GB2312": "gbk", "GB18030": "gb18030"}
_DECLARATION: Final = re.compile(
    rb"""<\?xml\s+version\s*=\s*(["'])1\.0\1
    \s+encoding\s*=\s*(["'])([A-Za-z0-9._-]{1,20})\2
    (?:\s+standalone\s*=\s*(["'])(?:yes|no)\4)?\s*\?>""",
    re.VERBOSE,
)
_MARKUP: Final = re.compile(r"<\?|<!(?!\[CDATA\[)")
_MARKUP_RULES: Final = (
    ("<!--", "xml.comment", "comments are not kept", "不允许出现注释"),
    ("<?", "xml.instruction", "no processing instructions", "不允许出现处理指令"),
    ("<!", "xml.doctype", "no document type or entities", "不允许出现文档类型声明"),
)


def parse_document(body: bytes, path: str, *, bytes_max: int) -> Element:
    """Parse one document of national XML.

    Args:
        body: The document with its declaration.
        path: Where it comes from, for refusals.
        bytes_max: Upper bound of its size.

    Returns:
        The root element.

    Raises:
        NationalXmlRefused: It is too large, in another encoding than the national
            ones, not well-formed, or has more in it than elements and text.
    """
    if len(body) > bytes_max:
        refuse(path, "xml.size", f"larger than {bytes_max} bytes", "报文超过允许的长度")
    return parse_text(_decode(body, path), path)


def parse_text(text: str, path: str) -> Element:
    """Parse a document or element that is text already, without declaration.

    Raises:
        NationalXmlRefused: As `parse_document`.
    """
    markup = _MARKUP.search(text)
    if markup is not None:
        for start, rule, why, why_zh in _MARKUP_RULES:
            if text.startswith(start, markup.start()):
                refuse(path, rule, why, why_zh)
    if text.count("<") > TAGS_MAX:
        refuse(path, "xml.size", "too many elements", "报文要素过多")
    # Safe by what was refused above; see the head of this module.
    parser = XMLParser()  # noqa: S314
    try:
        parser.feed(text)
        return parser.close()
    except ParseError as error:
        line, column = error.position
        refuse(
            path,
            "xml.well_formed",
            f"not well-formed at line {line}, column {column}",
            f"不是合法的XML，第{line}行第{column}列",
        )


def _decode(body: bytes, path: str) -> str:
    declared = _DECLARATION.match(body[:200])
    if declared is None:
        refuse(
            path,
            "xml.declaration",
            "no XML declaration that states its encoding",
            "缺少注明编码的XML声明",
        )
    codec = _CODECS.get(declared[3].decode("ascii").upper())
    # The same characters in all three, but forty times as fast to decode.
    if codec is not None and body.isascii():
        codec = "ascii"
    if codec is None:
        refuse(
            path,
            "xml.encoding",
            "the declared encoding is not GBK or GB18030",
            "声明的编码不是GBK或GB18030",
        )
    try:
        return body[declared.end() :].decode(codec)
    except UnicodeDecodeError as error:
        refuse(
            path,
            "xml.encoding",
            f"byte {declared.end() + error.start} is not of the declared encoding",
            f"第{declared.end() + error.start}字节不符合声明的编码",
        )
