"""What a national file may and may not be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from counterfoil.form.v1 import payment_pb2
from counterfoil.sample.vouchers import Voucher
from counterfoil.wire import national_text
from counterfoil.wire.national_errors import NationalXmlRefused
from counterfoil.wire.national_plan import AnyForm
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_write import write_national

DOCUMENT = "MOF/VoucherBody[1]/Voucher"
HEAD = '<?xml version="1.0" encoding="GBK"?>'

Rewrite = Callable[[Callable[[str], str]], bytes]
Outer = Callable[..., bytes]


def refusals(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(NationalXmlRefused) as refusal:
        read_national(body)
    assert all(each.text and each.text_zh for each in refusal.value.violations)
    return [(each.path, each.rule) for each in refusal.value.violations]


def test_every_element_arrives_in_its_field(voucher: Voucher, body: bytes) -> None:
    [read] = read_national(body)

    form: AnyForm = read.form
    assert isinstance(form, payment_pb2.DirectPayment)
    assert form.pay_acct_name == voucher.main["PayAcctName"]
    assert f"{form.pay_amt_fen / 100:.2f}" == voucher.main["PayAmt"]
    assert [row.payee_acct_name for row in form.rows] == [
        row["PayeeAcctName"] for row in voucher.rows
    ]
    assert (read.voucher_flag, read.attach, read.return_reason) == (0, "", "")
    assert not form.extra


def test_an_empty_element_is_not_an_absent_one(rewritten: Rewrite) -> None:
    body = rewritten(lambda text: text.replace("<Hold1></Hold1>", "", 1))

    form: AnyForm = read_national(body)[0].form

    assert not form.HasField("hold1")
    assert form.HasField("hold2")
    assert form.rows[0].HasField("hold1")


def test_several_vouchers_keep_their_order(body: bytes) -> None:
    one = read_national(body)[0]

    assert read_national(write_national([one, one, one])) == [one, one, one]


@pytest.mark.parametrize("spelling", ["GBK", "gbk", "GB2312", "gb18030"])
def test_the_declared_encoding_may_be_any_of_the_national_ones(
    body: bytes, spelling: str
) -> None:
    declared = body.replace(b"GBK", spelling.encode(), 1)

    assert read_national(declared) == read_national(body)


def test_base64_may_be_broken_into_lines(voucher: Voucher, body: bytes) -> None:
    start = body.index(b"<Voucher>") + len(b"<Voucher>")
    broken = body[:start] + b"\r\n" + body[start : start + 76] + b"\n\t"

    assert read_national(broken + body[start + 76 :]) == read_national(body)


def test_indented_documents_read_like_compact_ones(
    rewritten: Rewrite, body: bytes
) -> None:
    indented = rewritten(lambda text: text.replace("><", ">\r\n  <"))

    # An element that was empty now holds a line break: that is text, and stays.
    padded: AnyForm = read_national(
        rewritten(
            lambda text: (
                text.replace("></", ">\0</").replace("><", ">\n <").replace("\0", "")
            )
        )
    )[0]
    assert padded == read_national(body)[0]
    assert read_national(indented)[0] != read_national(body)[0]


HOSTILE = {
    "nothing": (b"", "MOF", "xml.declaration"),
    "no declaration": (b"<MOF/>", "MOF", "xml.declaration"),
    "utf-8": (
        b'<?xml version="1.0" encoding="UTF-8"?><MOF/>',
        "MOF",
        "xml.encoding",
    ),
    "utf-16": (
        '<?xml version="1.0"?><MOF/>'.encode("utf-16"),
        "MOF",
        "xml.declaration",
    ),
    "utf-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADw-', "MOF", "xml.encoding"),
    "not gbk": (f"{HEAD}<MOF>".encode() + b"\xff</MOF>", "MOF", "xml.encoding"),
    "not xml": (f"{HEAD}<MOF>".encode(), "MOF", "xml.well_formed"),
    "trailing": (f"{HEAD}<MOF></MOF>x".encode(), "MOF", "xml.well_formed"),
    "two roots": (f"{HEAD}<MOF></MOF><MOF/>".encode(), "MOF", "xml.well_formed"),
    "undeclared entity": (f"{HEAD}<MOF>&x;</MOF>".encode(), "MOF", "xml.well_formed"),
    "attribute twice": (f'{HEAD}<MOF a="" a=""/>'.encode(), "MOF", "xml.well_formed"),
    "NUL": (f"{HEAD}<MOF>\0</MOF>".encode(), "MOF", "xml.well_formed"),
    "external entity": (
        f'{HEAD}<!DOCTYPE MOF [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        "<MOF>&x;</MOF>".encode(),
        "MOF",
        "xml.doctype",
    ),
    "external subset": (
        f'{HEAD}<!DOCTYPE MOF SYSTEM "http://127.0.0.1/x"><MOF/>'.encode(),
        "MOF",
        "xml.doctype",
    ),
    "entity bomb": (
        f'{HEAD}<!DOCTYPE MOF [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        "<MOF>&b;</MOF>".encode(),
        "MOF",
        "xml.doctype",
    ),
    "comment": (f"{HEAD}<MOF><!-- x --></MOF>".encode(), "MOF", "xml.comment"),
    "instruction": (f"{HEAD}<MOF><?x y?></MOF>".encode(), "MOF", "xml.instruction"),
    "second declaration": (f"{HEAD}{HEAD}<MOF/>".encode(), "MOF", "xml.instruction"),
    "other root": (f"{HEAD}<Root></Root>".encode(), "MOF", "envelope.root"),
    "namespace": (f'{HEAD}<MOF xmlns="urn:x"/>'.encode(), "MOF", "envelope.root"),
    "root attribute": (f'{HEAD}<MOF a="1"/>'.encode(), "MOF", "xml.plain"),
    "no count": (f"{HEAD}<MOF></MOF>".encode(), "MOF", "envelope.children"),
    "no bodies": (
        f"{HEAD}<MOF><VoucherCount>0</VoucherCount></MOF>".encode(),
        "MOF/VoucherCount",
        "envelope.count",
    ),
    "unknown child": (
        f"{HEAD}<MOF><VoucherCount>0</VoucherCount><X/></MOF>".encode(),
        "MOF",
        "envelope.children",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_envelope_is_refused_with_its_path(name: str) -> None:
    body, path, rule = HOSTILE[name]

    assert refusals(body) == [(path, rule)]


def test_a_file_beyond_the_bound_is_refused_unread(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    padded = body + b" " * (national_text.FILE_BYTES_MAX - len(body))
    read_national(padded)

    assert refusals(padded + b" ") == [("MOF", "xml.size")]


def test_too_many_elements_are_refused_before_parsing(outer: Outer) -> None:
    deep = b"<a>" * (national_text.TAGS_MAX + 1)

    assert refusals(HEAD.encode() + deep) == [("MOF", "xml.size")]


def test_depth_is_bounded_even_where_nobody_knows_the_element(outer: Outer) -> None:
    depth = 200_000
    inner = f"{HEAD}<Voucher>{'<a>' * depth}{'</a>' * depth}</Voucher>".encode()

    assert refusals(outer(inner)) == [(f"{DOCUMENT}/a", "extra.depth")]


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"flag": "2"}, "MOF/VoucherBody[1]/VoucherFlag", "envelope.flag"),
        ({"vt_code": "9999"}, "MOF/VoucherBody[1]/@VtCode", "envelope.type"),
        ({"count": "2"}, "MOF/VoucherCount", "envelope.count"),
        ({"flag": "1", "vt_code": "2205"}, DOCUMENT, "envelope.flag"),
        (
            {"more": "<VoucherFlag>0</VoucherFlag>"},
            "MOF/VoucherBody[1]/VoucherFlag",
            "xml.doubled",
        ),
        (
            {"more": "<Attach><b/></Attach>"},
            "MOF/VoucherBody[1]/Attach",
            "xml.plain",
        ),
        ({"more": "loose"}, "MOF/VoucherBody[1]/VoucherFlag", "xml.plain"),
    ],
)
def test_a_wrong_body_is_refused_with_its_path(
    outer: Outer, change: dict[str, str], path: str, rule: str
) -> None:
    assert refusals(outer(**change)) == [(path, rule)]


@pytest.mark.parametrize("name", ["AdmDivCode", "StYear", "VtCode", "VoucherNo"])
def test_a_body_without_its_attributes_is_refused(outer: Outer, name: str) -> None:
    body = outer().replace(f" {name}=".encode(), f" {name}2=".encode())

    assert refusals(body) == [("MOF/VoucherBody[1]", "envelope.attributes")]


@pytest.mark.parametrize("name", ["VoucherFlag", "Voucher"])
def test_a_body_without_flag_or_voucher_is_refused(outer: Outer, name: str) -> None:
    body = outer().replace(f"{name}>".encode(), b"Other>")

    assert refusals(body)[0][1] == "xml.missing"


@pytest.mark.parametrize("name", ["AdmDivCode", "StYear", "VtCode", "VoucherNo"])
def test_attribute_and_document_must_name_the_same_voucher(
    outer: Outer, name: str
) -> None:
    inner = f"{HEAD}<Voucher><{name}>other</{name}></Voucher>".encode()

    assert refusals(outer(inner)) == [(f"{DOCUMENT}/{name}", "envelope.key")]


INNER = {
    "root": ("Voucher>", "Boucher>", "", "voucher.root"),
    "entity": (HEAD, HEAD + "<!DOCTYPE Voucher>", "", "xml.doctype"),
    "comment": ("<Hold1>", "<Hold1><!---->", "", "xml.comment"),
    "doubled": ("<PayAmt>", "<PayAmt>1.00</PayAmt><PayAmt>", "/PayAmt", "xml.doubled"),
    "attribute": ("<PayAcctNo>", '<PayAcctNo a="">', "/PayAcctNo", "xml.plain"),
    "child": ("<PayAcctNo>", "<PayAcctNo><a/>", "/PayAcctNo", "xml.plain"),
    "loose text": ("<PayAcctNo>", "x<PayAcctNo>", "/PayeeAcctBankNo", "xml.plain"),
    "list text": ("<DetailList>", "<DetailList>x", "/DetailList", "xml.plain"),
    "amount": ("<PayAmt>", "<PayAmt>+", "/PayAmt", "element.amount"),
    "zeros": ("<PayAmt>", "<PayAmt>0", "/PayAmt", "element.amount"),
    "row attribute": (
        "<Detail>",
        '<Detail a="">',
        "/DetailList/Detail[1]",
        "xml.plain",
    ),
    "row amount": (
        "</PayAmt><Remark>",
        "1</PayAmt><Remark>",
        "/DetailList/Detail[1]/PayAmt",
        "element.amount",
    ),
    "row doubled": (
        "<Remark>",
        "<Remark></Remark><Remark>",
        "/DetailList/Detail[1]/Remark",
        "xml.doubled",
    ),
    "row child": (
        "<Remark>",
        "<Remark><b></b>",
        "/DetailList/Detail[1]/Remark",
        "xml.plain",
    ),
    "stranger twice": (
        "<DetailList>",
        "<DetailList><Y></Y><Y></Y>",
        "/DetailList/Y",
        "xml.doubled",
    ),
    "second list": (
        "</DetailList>",
        "</DetailList><DetailList></DetailList>",
        "/DetailList",
        "xml.doubled",
    ),
}


@pytest.mark.parametrize("name", INNER)
def test_a_wrong_document_is_refused_with_its_path(
    rewritten: Rewrite, name: str
) -> None:
    old, new, path, rule = INNER[name]
    count = 2 if name == "root" else 1

    body = rewritten(lambda text: text.replace(old, new, count))

    assert refusals(body)[0] == (DOCUMENT + path, rule)


def test_bad_base64_is_refused(body: bytes) -> None:
    for bad in (b"=</Voucher>", b"*</Voucher>", "字</Voucher>".encode("gbk")):
        assert refusals(body.replace(b"</Voucher>", bad)) == [
            (DOCUMENT, "voucher.base64")
        ]


@pytest.mark.parametrize("length", [30, 31, 32])
@pytest.mark.parametrize("more", [b"=", b"==", b"===="])
def test_padding_that_no_group_needs_is_refused(
    outer: Outer, length: int, more: bytes
) -> None:
    padded = outer(b"x" * length).replace(b"</Voucher>", more + b"</Voucher>")

    assert refusals(padded) == [(DOCUMENT, "voucher.base64")]


def test_an_inner_document_with_another_encoding_is_refused(outer: Outer) -> None:
    inner = '<?xml version="1.0" encoding="UTF-8"?><Voucher>字</Voucher>'.encode()

    assert refusals(outer(inner)) == [(DOCUMENT, "xml.encoding")]


def test_no_more_than_a_hundred_violations_are_collected(outer: Outer) -> None:
    amounts = "<Detail><PayAmt>x</PayAmt></Detail>" * 200
    inner = f"{HEAD}<Voucher><DetailList>{amounts}</DetailList></Voucher>".encode()

    assert len(refusals(outer(inner))) == 100


def test_no_refusal_repeats_what_the_document_says(rewritten: Rewrite) -> None:
    body = rewritten(lambda text: text.replace("<PayAmt>", "<PayAmt>SECRET", 1))

    with pytest.raises(NationalXmlRefused) as refusal:
        read_national(body)

    assert "SECRET" not in str(refusal.value)


def test_an_empty_amount_is_kept_although_an_integer_cannot_say_it(
    outer: Outer,
) -> None:
    inner = f"{HEAD}<Voucher><Id>1</Id><PayAmt></PayAmt></Voucher>".encode()

    [read] = read_national(outer(inner))

    form: AnyForm = read.form
    assert not form.HasField("pay_amt_fen")
    assert [(e.path, e.after, e.xml) for e in form.extra] == [
        ("", "Id", "<PayAmt></PayAmt>")
    ]
    assert read_national(write_national([read])) == [read]
