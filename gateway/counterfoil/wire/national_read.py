"""National files in: bytes to forms, refused with a path where they are wrong.

The envelope is a GBK document `MOF` with one `VoucherBody` for each voucher, whose
`Voucher` is a second GBK document in base64. Reading checks that the text is what
it claims to be; whether a form's content obeys its rules is `rules.check_form`.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element

from google.protobuf.message import Message

from counterfoil.form.v1 import extra_pb2
from counterfoil.wire.national_errors import refuse
from counterfoil.wire.national_extra import element_text
from counterfoil.wire.national_form import FormReader
from counterfoil.wire.national_plan import type_plan
from counterfoil.wire.national_text import (
    DOCUMENT_BYTES_MAX,
    FILE_BYTES_MAX,
    parse_document,
)
from counterfoil.wire.national_voucher import NationalVoucher

ROOT: Final = "MOF"
COUNT: Final = "VoucherCount"
BODY: Final = "VoucherBody"
INNER: Final = "Voucher"

KEY: Final = {
    "AdmDivCode": "adm_div_code",
    "StYear": "st_year",
    "VtCode": "vt_code",
    "VoucherNo": "voucher_no",
}
"""Attributes of a body, which repeat these fields of its form."""

FLAG: Final = "VoucherFlag"
REASON: Final = "Return_Reason"
ATTACH: Final = "Attach"
BODY_ORDER: Final = (FLAG, REASON, ATTACH, INNER)


def read_national(body: bytes) -> list[NationalVoucher]:
    """Read the vouchers of a national file, in its order.

    Raises:
        NationalXmlRefused: It is not a file of the national kind, or an element in
            it cannot be read. Nothing of it is returned then.
    """
    root = parse_document(body, ROOT, bytes_max=FILE_BYTES_MAX)
    if root.tag != ROOT:
        refuse(ROOT, "envelope.root", "the root is not MOF", "根要素不是MOF")
    _check_holder(root, ROOT)
    bodies = [child for child in root if child.tag == BODY]
    counts = [child for child in root if child.tag == COUNT]
    if len(bodies) + len(counts) != len(root) or len(counts) != 1:
        refuse(
            ROOT,
            "envelope.children",
            "one VoucherCount and VoucherBody elements, nothing else",
            "MOF下应有且仅有一个VoucherCount及若干VoucherBody",
        )
    if _leaf(counts[0], f"{ROOT}/{COUNT}") != str(len(bodies)) or not bodies:
        refuse(
            f"{ROOT}/{COUNT}",
            "envelope.count",
            "not the number of vouchers in the file",
            "凭证份数与实际不符",
        )
    return [
        _read_body(each, f"{ROOT}/{BODY}[{number}]")
        for number, each in enumerate(bodies, start=1)
    ]


def _read_body(body: Element, path: str) -> NationalVoucher:
    if set(body.keys()) != KEY.keys():
        refuse(
            path,
            "envelope.attributes",
            f"exactly the attributes {', '.join(KEY)}",
            "属性应为行政区划、年度、凭证类型和凭证号",
        )
    children, extras = _body_children(body, path)
    flag = children[FLAG]
    if flag not in ("0", "1"):
        refuse(f"{path}/{FLAG}", "envelope.flag", "neither 0 nor 1", "凭证标志应为0或1")
    key = {name: body.get(attribute, "") for attribute, name in KEY.items()}
    try:
        plan = type_plan(key["vt_code"])
    except KeyError:
        refuse(
            f"{path}/@VtCode",
            "envelope.type",
            "the catalogue has no such voucher type",
            "凭证类型不在目录中",
        )
    inner_path = f"{path}/{INNER}"
    root = parse_document(
        _from_base64(children[INNER] or "", inner_path),
        inner_path,
        bytes_max=DOCUMENT_BYTES_MAX,
    )
    if root.tag != INNER:
        refuse(
            inner_path,
            "voucher.root",
            "the root of the inner document is not Voucher",
            "凭证原文的根要素不是Voucher",
        )
    reader = FormReader(plan, inner_path, answered=flag == "1")
    reader.read(root)
    check_key(key, reader.form, inner_path)
    return NationalVoucher(
        **key,
        voucher_flag=int(flag),
        form=reader.form,
        receipt=reader.receipt,
        attach=children[ATTACH],
        return_reason=children[REASON],
        body_extra=extras,
    )


def _body_children(
    body: Element, path: str
) -> tuple[dict[str, str | None], tuple[extra_pb2.ExtraElement, ...]]:
    """Return the texts of a body's children, and those that nobody knows."""
    _check_holder(body, path)
    texts: dict[str, str | None] = dict.fromkeys(BODY_ORDER)
    extras, seen = [], set()
    previous = ""
    for child in body:
        place = f"{path}/{child.tag}"
        if child.tag in seen:
            refuse(place, "xml.doubled", "occurs twice", "要素重复出现")
        seen.add(child.tag)
        if child.tag in texts:
            texts[child.tag] = _leaf(child, place)
        else:
            xml = element_text(child, place)
            extras.append(extra_pb2.ExtraElement(path="", after=previous, xml=xml))
        previous = child.tag
    for needed in (FLAG, INNER):
        if texts[needed] is None:
            refuse(f"{path}/{needed}", "xml.missing", "missing", "缺少该要素")
    return texts, tuple(extras)


def _leaf(element: Element, path: str) -> str:
    """Return the text of an element that has nothing but text."""
    if len(element) or element.keys() or (element.tail and element.tail.strip()):
        refuse(path, "xml.plain", "only text belongs here", "该要素只应含文本")
    return element.text or ""


def _check_holder(element: Element, path: str) -> None:
    texts = (element.text, element.tail)
    if any(text and text.strip() for text in texts) or (
        element.tag != BODY and element.keys()
    ):
        refuse(path, "xml.plain", "only elements belong here", "只应含子要素")


def _from_base64(text: str, path: str) -> bytes:
    # Lines may be broken anywhere; nothing else may stand between.
    for spelling in (text, "".join(text.split())):
        try:
            content = binascii.a2b_base64(spelling, strict_mode=True)
        except ValueError:
            continue
        # Strict or not, Python overlooks padding behind a group that needs none.
        if len(spelling) == 4 * -(-len(content) // 3):
            return content
    refuse(path, "voucher.base64", "not base64", "凭证原文不是合法的Base64")


def check_key(key: Mapping[str, str], form: Message, path: str) -> None:
    """Check that a body's attributes and its document name the same voucher.

    Raises:
        NationalXmlRefused: The document has the element, and it differs.
    """
    for attribute, name in KEY.items():
        if form.HasField(name) and getattr(form, name) != key[name]:
            refuse(
                f"{path}/{attribute}",
                "envelope.key",
                f"differs from the attribute {attribute} of the body",
                f"与报文头属性{attribute}不一致",
            )
