"""What our own files say: enough to send them, and to check what comes back.

The gateway reads and judges the document; this is the system's own record of it,
so that two readers have to agree.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.parsers import expat

from counterfoil.business.money import to_fen

ENCODING: Final = "gbk"
"""Of the envelope and of the voucher inside it."""

PAGE: Final = 4_096
"""Names of a folder that are in memory together."""

_ROW: Final = "Detail"


class FileUnreadable(Exception):
    """Our own reader cannot make sense of a file; the gateway says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalFile:
    """One national XML file of ours.

    Attributes:
        name: The file's name.
        content: Its bytes.
        type_code: Number of the voucher type.
        number: The voucher's number.
        fiscal_year: The fiscal year.
        pay_bank_code: Which bank is to pay.
        amount_fen: Main amount.
        count: Rows.
    """

    name: str
    content: bytes
    type_code: int
    number: str
    fiscal_year: int
    pay_bank_code: str
    amount_fen: int
    count: int


def read_file(path: Path) -> NationalFile:
    """Return what a file says.

    Raises:
        FileUnreadable: It is no national document that this program can read.
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    try:
        outer = _Elements(content)
        inner = _Elements(base64.b64decode(outer.texts["Voucher"], validate=True))
        main = inner.texts
        return NationalFile(
            name=path.name,
            content=content,
            type_code=int(main["VtCode"]),
            number=main["VoucherNo"],
            fiscal_year=int(main["StYear"]),
            pay_bank_code=main["PayBankCode"],
            amount_fen=to_fen(main["PayAmt"]),
            count=inner.rows,
        )
    except (KeyError, ValueError, binascii.Error, expat.ExpatError) as error:
        raise FileUnreadable(path.name) from error


def names_in(folder: Path, page: int = PAGE) -> Iterator[str]:
    """Yield the names of the files in a folder, in their order.

    Args:
        folder: It may be read while others are put into it: a name that comes before
            the last one yielded is left for the next time.
        page: How many names are in memory together; the folder is read once for each
            page.
    """
    after = ""
    while True:
        with os.scandir(folder) as entries:
            names = heapq.nsmallest(
                page,
                (one.name for one in entries if one.name > after and one.is_file()),
            )
        if not names:
            return
        yield from names
        after = names[-1]


class _Elements:
    """Collects a document's texts by element name, outside of its rows."""

    def __init__(self, document: bytes) -> None:
        self.texts: dict[str, str] = {}
        self.rows = 0
        self._open: list[str] = []
        self._text: list[str] = []
        # The declaration says GBK, which expat does not know: it is given UTF-8.
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        # No document type, so no entity can grow without bound.
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.Parse(document.decode(ENCODING).encode(), True)  # noqa: FBT003

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._open.append(name)
        self._text.clear()
        self.rows += name == _ROW

    def _end(self, name: str) -> None:
        self._open.pop()
        if _ROW not in self._open and name != _ROW:
            self.texts.setdefault(name, "".join(self._text).strip())
        self._text.clear()


def _refuse_doctype(*_parts: object) -> None:
    msg = "a national document has no document type"
    raise ValueError(msg)
