"""What is written, and what cannot be."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import canonicalize

import pytest

from counterfoil.form.v1 import extra_pb2
from counterfoil.sample.documents import inner_document
from counterfoil.sample.vouchers import Voucher
from counterfoil.wire.national_errors import NationalXmlRefused
from counterfoil.wire.national_plan import AnyForm, type_plan
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_receipt import changes, join_receipt
from counterfoil.wire.national_text import Encoding
from counterfoil.wire.national_voucher import ANSWERED, NationalVoucher
from counterfoil.wire.national_write import write_national

Rewrite = Callable[[Callable[[str], str]], bytes]

DIALECTS = {
    "first of all": ("<Voucher>", "<Voucher><Y>a</Y>"),
    "in the main row": ("<VouDate>", "<Y>a</Y><Z></Z><VouDate>"),
    "after the rows": ("</DetailList>", "</DetailList><Y>a</Y><Z>b</Z>"),
    "between rows": ("</Detail><Detail>", "</Detail><Y>a</Y><Detail>"),
    "before the rows": ("<DetailList>", "<DetailList><Y>a</Y>"),
    "first in a row": ("<Detail>", "<Detail><Y>a</Y><Z>b</Z>"),
    "last in a row": ("</Detail>", "<Y>a</Y></Detail>"),
    "nested": ("<VouDate>", '<Y p="&quot;&amp;&lt;&#10;">t<Z>&lt;</Z>u</Y><VouDate>'),
    "return": ("<VouDate>", "<Y>a&#13;b</Y><VouDate>"),
}


def refusals(
    vouchers: list[NationalVoucher], **options: Encoding
) -> list[tuple[str, str]]:
    with pytest.raises(NationalXmlRefused) as refusal:
        write_national(vouchers, **options)
    return [(each.path, each.rule) for each in refusal.value.violations]


def inner_of(body: bytes) -> str:
    """Return the document that `write_national` puts inside, as text."""
    written = write_national(read_national(body))
    encoded = written.split(b"<Voucher>")[1].split(b"</Voucher>")[0]
    return b64decode(encoded).decode("gbk")


def test_a_file_is_written_back_as_it_was(voucher: Voucher, body: bytes) -> None:
    assert inner_of(body) == inner_document(voucher).decode("gbk")


@pytest.mark.parametrize("name", DIALECTS)
def test_elements_that_no_form_knows_go_back_where_they_were(
    rewritten: Rewrite, name: str
) -> None:
    old, new = DIALECTS[name]
    documents: list[str] = []

    def change(text: str) -> str:
        documents.append(text.replace(old, new, 1))
        return documents[0]

    body = rewritten(change)

    assert canonicalize(inner_of(body)) == canonicalize(documents[0])
    assert read_national(write_national(read_national(body))) == read_national(body)


def test_elements_beside_the_voucher_go_back_too(body: bytes) -> None:
    more = body.replace(b"<Attach>", b"<Y>1</Y><Z></Z><Attach>").replace(
        b"</VoucherBody>", b"<W></W></VoucherBody>"
    )

    written = write_national(read_national(more))

    assert canonicalize(written.decode("gbk")) == canonicalize(more.decode("gbk"))


def test_special_characters_survive(body: bytes) -> None:
    [voucher] = read_national(body)
    form: AnyForm = voucher.form
    text = "<a>&amp;]]>\r\n\t \"'　〔2026〕"
    form.hold1 = form.rows[0].remark = form.rows[1].remark = text

    assert read_national(write_national([voucher])) == [voucher]


@pytest.mark.parametrize(
    ("field", "path"), [("hold1", "hold1"), ("remark", "rows[1].remark")]
)
def test_a_character_outside_gbk_is_refused_with_its_field(
    body: bytes, field: str, path: str
) -> None:
    [voucher] = read_national(body)
    form: AnyForm = voucher.form
    setattr(form.rows[1] if field == "remark" else form, field, "𠮷野家")

    assert refusals([voucher]) == [(path, "text.encoding")]
    assert refusals([voucher, voucher]) == [(f"vouchers[0].{path}", "text.encoding")]
    wide = write_national([voucher], encoding=Encoding.GB18030)
    assert read_national(wide) == [voucher]


@pytest.mark.parametrize("bad", ["\0", "\x1b", "\ufffe"])
def test_a_character_that_xml_cannot_carry_is_refused(body: bytes, bad: str) -> None:
    [voucher] = read_national(body)
    form: AnyForm = voucher.form
    form.rows[0].remark = f"a{bad}"

    assert refusals([voucher]) == [("rows[0].remark", "text.control")]
    assert refusals([voucher], encoding=Encoding.GB18030) == [
        ("rows[0].remark", "text.control")
    ]


def test_the_envelopes_own_texts_are_checked_too(body: bytes) -> None:
    [voucher] = read_national(body)

    assert refusals([replace(voucher, attach="𠮷")]) == [("attach", "text.encoding")]
    assert refusals([replace(voucher, return_reason="\0")]) == [
        ("return_reason", "text.control")
    ]
    assert refusals([replace(voucher, voucher_no="other")]) == [
        ("form/VoucherNo", "envelope.key")
    ]
    texts = replace(voucher, attach="<&>", return_reason=None)
    assert read_national(write_national([texts])) == [texts]


BAD_EXTRAS = {
    "two elements": (("", "", "<Y></Y><Z></Z>"), "xml.well_formed"),
    "an open end": (("", "", "</Voucher><Voucher>"), "xml.well_formed"),
    "a known element": (("", "", "<PayAcctNo>1</PayAcctNo>"), "extra.doubled"),
    "a known amount": (("", "", "<PayAmt>1.00</PayAmt>"), "extra.doubled"),
    "an amount twice": (("", "", "<PayAmt></PayAmt>"), "extra.doubled"),
    "a list": (("", "", "<DetailList></DetailList>"), "extra.doubled"),
    "a row": (("DetailList", "", "<Detail></Detail>"), "extra.doubled"),
    "no such row": (("DetailList/Detail[99]", "", "<Y></Y>"), "extra.path"),
    "a namespace": (("", "", '<Y xmlns="urn:y"></Y>'), "extra.namespace"),
    "a doctype": (("", "", "<!DOCTYPE Y><Y></Y>"), "xml.doctype"),
    "too long": (("", "", f"<Y>{'a' * 65536}</Y>"), "extra.size"),
    "outside gbk": (("", "", "<Y>𠮷</Y>"), "text.encoding"),
}


@pytest.mark.parametrize("name", BAD_EXTRAS)
def test_an_extra_element_cannot_smuggle_anything(body: bytes, name: str) -> None:
    (path, after, xml), rule = BAD_EXTRAS[name]
    [voucher] = read_national(body)
    form: AnyForm = voucher.form
    form.extra.add(path=path, after=after, xml=xml)

    [(place, found)] = refusals([voucher])

    assert found == rule
    assert place.startswith("extra")


def test_an_extra_element_cannot_stand_twice(body: bytes) -> None:
    [voucher] = read_national(body)
    form: AnyForm = voucher.form
    for _ in range(2):
        form.extra.add(path="", after="", xml="<Y></Y>")

    assert refusals([voucher]) == [("extra[1].xml", "extra.doubled")]


def test_what_follows_a_missing_element_goes_to_the_end(body: bytes) -> None:
    [voucher] = read_national(body)
    form: AnyForm = voucher.form
    form.extra.add(path="", after="Gone", xml="<Y></Y>")
    form.extra.add(path="", after="Y", xml="<Z></Z>")

    again: AnyForm = read_national(write_national([voucher]))[0].form

    assert [(extra.after, extra.xml) for extra in again.extra] == [
        ("DetailList", "<Y></Y>"),
        ("Y", "<Z></Z>"),
    ]


def test_body_extras_are_checked_too(body: bytes) -> None:
    [voucher] = read_national(body)
    extra = extra_pb2.ExtraElement(path="", after="", xml="<Y>")

    assert refusals([replace(voucher, body_extra=(extra,))]) == [
        ("body_extra[0].xml", "xml.well_formed")
    ]


# --- receipts ---------------------------------------------------------------


def receipt_for(voucher: NationalVoucher) -> AnyForm:
    plan = type_plan(voucher.vt_code).receipt
    assert plan is not None
    receipt: AnyForm = plan.message()
    form: AnyForm = voucher.form
    receipt.x_pay_date = "20260301"
    receipt.x_pay_amt_fen = form.rows[0].pay_amt_fen
    receipt.rows.add(
        id=form.rows[0].id, x_pay_date="20260301", x_pay_amt_fen=receipt.x_pay_amt_fen
    )
    receipt.rows.add(id=form.rows[1].id, x_pay_amt_fen=0, x_add_word="账号不符")
    return receipt


def test_a_receipt_joined_and_split_again_is_the_same(body: bytes) -> None:
    [voucher] = read_national(body)
    receipt = receipt_for(voucher)

    [answered] = read_national(write_national([join_receipt(voucher, receipt)]))

    assert (answered.voucher_flag, answered.attach) == (ANSWERED, "SUCCESS")
    assert answered.receipt == receipt
    assert changes(voucher.form, answered.form) == []
    # The boxes that were filled in are the receipt's now, the others are blank.
    form: AnyForm = answered.form
    assert not form.HasField("x_pay_date")
    assert form.HasField("x_check_no")


def test_the_boxes_are_filled_in_where_they_stand(
    body: bytes,
) -> None:
    [voucher] = read_national(body)
    answered = write_national([join_receipt(voucher, receipt_for(voucher))])

    text = inner_of(answered)

    assert "<XPayDate>20260301</XPayDate><XAgentBusinessNo></XAgentBusinessNo>" in text
    assert "<XAddWord>账号不符</XAddWord><Hold1>" in text


def test_boxes_that_the_paper_lacks_are_added_in_order(rewritten: Rewrite) -> None:
    body = rewritten(lambda text: text.replace("<XPayDate></XPayDate>", ""))
    [voucher] = read_national(body)
    receipt = receipt_for(voucher)

    [answered] = read_national(write_national([join_receipt(voucher, receipt)]))

    assert answered.receipt == receipt
    assert changes(voucher.form, answered.form) == []


def test_a_receipt_keeps_the_recipients_own_elements(rewritten: Rewrite) -> None:
    body = rewritten(
        lambda text: text.replace("<Hold1>", "<XOwn></XOwn><Own>o</Own><Hold1>", 1)
    )
    [voucher] = read_national(body)
    receipt = receipt_for(voucher)
    receipt.extra.add(path="", after="XPayeeAcctName", xml="<XOwn>1</XOwn>")

    [answered] = read_national(write_national([join_receipt(voucher, receipt)]))

    assert answered.receipt == receipt
    form: AnyForm = answered.form
    assert [(extra.after, extra.xml) for extra in form.extra] == [
        ("XOwn", "<Own>o</Own>")
    ]


@pytest.mark.parametrize("row_id", ["nobody", None])
def test_a_receipts_row_must_be_one_of_the_vouchers(
    body: bytes, row_id: str | None
) -> None:
    [voucher] = read_national(body)
    receipt = receipt_for(voucher)
    receipt.rows[1].id = row_id or receipt.rows[0].id

    assert refusals([join_receipt(voucher, receipt)]) == [
        ("receipt.rows[1].id", "receipt.row")
    ]


def test_a_receipts_text_that_cannot_be_written_is_named(body: bytes) -> None:
    [voucher] = read_national(body)
    receipt = receipt_for(voucher)
    receipt.rows[1].x_add_word = "𠮷"

    assert refusals([join_receipt(voucher, receipt)]) == [
        ("receipt.rows[1].x_add_word", "text.encoding")
    ]


def test_changing_the_original_is_found(body: bytes) -> None:
    [one], [other] = read_national(body), read_national(body)
    form: AnyForm = other.form
    form.pay_amt_fen += 1
    form.ClearField("hold1")
    form.rows[1].payee_acct_no = "1"
    form.rows[0].x_pay_date = "20260301"
    del form.rows[2:]
    rows: AnyForm = one.form

    found = [each.path for each in changes(one.form, other.form)]

    expected = ["pay_amt_fen", "hold1", "rows[1].payee_acct_no"]
    assert found == expected[:2] + ["rows"] * (len(rows.rows) > 2) + expected[2:]


def test_a_receipt_and_its_flag_go_together(body: bytes) -> None:
    [voucher] = read_national(body)

    for flag in (1, 2):
        with pytest.raises(ValueError, match=r"receipt|VoucherFlag"):
            replace(voucher, voucher_flag=flag)
    with pytest.raises(ValueError, match="receipt"):
        replace(voucher, receipt=receipt_for(voucher))
