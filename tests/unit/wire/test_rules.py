"""Every rule is broken once, and found where it was broken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from counterfoil.domain.catalogue import SignRule
from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.rules import payment
from counterfoil.form.v1 import extra_pb2, notice_pb2, payment_pb2
from counterfoil.wire import screen
from counterfoil.wire.national_plan import AnyForm
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_values import parse_amount, parse_number, print_amount
from counterfoil.wire.rules import check_form
from tests.forms import passes_by_columns


@pytest.fixture
def form(body: bytes) -> AnyForm:
    """A sound direct payment."""
    return read_national(body)[0].form


@pytest.fixture
def authorised(form: AnyForm) -> AnyForm:
    """A sound authorised payment with the rows of the direct one."""
    made: AnyForm = payment_pb2.AuthorisedPayment()
    copy_fields(form, made)
    made.vt_code, made.pay_type_code = "8202", "12"
    return made


@pytest.fixture
def receipt(form: AnyForm) -> AnyForm:
    return payment_pb2.DirectPaymentReceipt(
        x_pay_date="20260301",
        x_pay_amt_fen=300,
        rows=[
            payment_pb2.DirectPaymentReceiptRow(id="1", x_pay_amt_fen=300),
            payment_pb2.DirectPaymentReceiptRow(id="2", x_pay_amt_fen=0),
        ],
    )


@pytest.fixture
def notice() -> AnyForm:
    """A sound notice of money that came back."""
    return notice_pb2.EntryNotice(
        id="1",
        adm_div_code="420000",
        st_year="2026",
        vt_code="2205",
        vou_date="20260301",
        voucher_no="1",
        agency_code="101003",
        ori_vt_code="5201",
        ori_voucher_no="77",
        pay_amt_fen=-5,
        x_pay_date="20260301",
        rows=[
            notice_pb2.EntryNoticeRow(id="1", pay_amt_fen=-7, voucher_bill_id="other"),
            notice_pb2.EntryNoticeRow(id="2", pay_amt_fen=2),
        ],
    )


def copy_fields(source: AnyForm, target: AnyForm) -> None:
    for field, value in source.ListFields():
        if field.name == "rows":
            for row in value:
                copy_fields(row, target.rows.add())
        elif field.name in target.DESCRIPTOR.fields_by_name:
            setattr(target, field.name, value)


def broken(form: AnyForm, *, gbk_only: bool = False) -> list[tuple[str, str]]:
    with pytest.raises(FormRefused) as refusal:
        check_form(form, gbk_only=gbk_only)
    assert gbk_only or not screen.passes(form), "the quick look must not miss it"
    assert gbk_only or not passes_by_columns(form), "nor in the other way"
    violations = refusal.value.violations
    assert all(each.text and each.text_zh for each in violations)
    return [(each.path, each.rule) for each in violations]


def test_sound_forms_pass(
    form: AnyForm, authorised: AnyForm, receipt: AnyForm, notice: AnyForm
) -> None:
    for sound in (form, authorised, receipt, notice):
        check_form(sound)
        check_form(sound, gbk_only=True)
        assert screen.passes(sound), "or every form is checked in full"
        assert passes_by_columns(sound)


BREAKS: dict[str, tuple[Callable[[AnyForm], None], str, str]] = {
    "required": (lambda f: f.ClearField("pay_acct_no"), "pay_acct_no", "required"),
    "empty": (lambda f: put(f, pay_acct_name=""), "pay_acct_name", "string.min_len"),
    "division": (lambda f: put(f, adm_div_code="42"), "adm_div_code", "string.pattern"),
    "year": (lambda f: put(f, st_year="26"), "st_year", "string.pattern"),
    "type": (lambda f: put(f, vt_code="5202"), "vt_code", "string.const"),
    "month": (lambda f: put(f, vou_date="20261301"), "vou_date", "string.pattern"),
    "leap day": (lambda f: put(f, vou_date="20260229"), "vou_date", "date.day"),
    "account": (lambda f: put(f, pay_acct_no="a"), "pay_acct_no", "string.pattern"),
    "long account": (
        lambda f: put(f.rows[0], payee_acct_no="1" * 33),
        "rows[0].payee_acct_no",
        "string.pattern",
    ),
    "bank number": (
        lambda f: put(f.rows[1], payee_acct_bank_no="1" * 11),
        "rows[1].payee_acct_bank_no",
        "string.pattern",
    ),
    "filled box": (
        lambda f: put(f.rows[0], x_pay_date="20260301"),
        "rows[0].x_pay_date",
        "string.max_len",
    ),
    "filled amount": (lambda f: put(f, x_pay_amt="1.00"), "x_pay_amt", "string.in"),
    "ascii width": (lambda f: put(f, hold1="a" * 43), "hold1", "text.width"),
    "gbk width": (lambda f: put(f, agency_name="字" * 31), "agency_name", "text.width"),
    "row width": (
        lambda f: put(f.rows[1], remark="字" * 128),
        "rows[1].remark",
        "text.width",
    ),
    "sum": (lambda f: put(f, pay_amt_fen=f.pay_amt_fen + 1), "pay_amt_fen", "sum.rows"),
    "row twice": (lambda f: put(f.rows[1], id=f.rows[0].id), "rows[1].id", "rows.id"),
    "bill id": (
        lambda f: put(f.rows[1], voucher_bill_id="x"),
        "rows[1].voucher_bill_id",
        "rows.main",
    ),
    "bill no": (
        lambda f: put(f.rows[0], voucher_bill_no="x"),
        "rows[0].voucher_bill_no",
        "rows.main",
    ),
    "extra": (
        lambda f: f.extra.append(
            extra_pb2.ExtraElement(path="/", after="", xml="<Y></Y>")
        ),
        "extra[0].path",
        "string.pattern",
    ),
}


def put(message: AnyForm, **values: object) -> None:
    for name, value in values.items():
        setattr(message, name, value)


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_rule_is_found_where_it_is_broken(form: AnyForm, name: str) -> None:
    change, path, rule = BREAKS[name]

    change(form)

    assert broken(form) == [(path, rule)]


@pytest.mark.parametrize("kind", ["form", "authorised"])
def test_the_widest_texts_pass(request: pytest.FixtureRequest, kind: str) -> None:
    form = request.getfixturevalue(kind)
    put(form, hold1="a" * 42, agency_name="字" * 30)
    put(form.rows[0], remark="字" * 127, payee_acct_no="1" * 32)

    check_form(form)


def test_a_blank_box_may_hold_a_printed_zero(form: AnyForm) -> None:
    put(form, x_pay_amt="0.00", x_pay_date="")

    check_form(form)


def test_a_form_without_rows_is_refused(form: AnyForm) -> None:
    del form.rows[:]

    assert broken(form) == [("rows", "repeated.min_items"), ("pay_amt_fen", "sum.rows")]


def test_a_payments_amounts_are_positive(form: AnyForm, authorised: AnyForm) -> None:
    for each in (form, authorised):
        shift = each.rows[0].pay_amt_fen + 1
        each.rows[0].pay_amt_fen -= shift
        each.rows[1].pay_amt_fen += shift

    assert broken(form) == [("rows[0].pay_amt_fen", "amount.sign")]
    # A row of an authorised payment may correct another.
    check_form(authorised)
    for row in authorised.rows:
        row.pay_amt_fen = 0
    authorised.pay_amt_fen = 0
    assert broken(authorised) == [("pay_amt_fen", "amount.sign")]


def test_a_receipt_sums_up_too_and_may_fail_a_row(receipt: AnyForm) -> None:
    receipt.rows[1].x_pay_amt_fen = 1

    assert broken(receipt) == [("x_pay_amt_fen", "sum.rows")]

    del receipt.rows[:]
    check_form(receipt)


@pytest.mark.parametrize("name", ["x_pay_date", "x_pay_amt_fen"])
def test_a_receipt_states_day_and_amount(receipt: AnyForm, name: str) -> None:
    receipt.ClearField(name)

    assert (name, "required") in broken(receipt)


def test_a_receipt_has_no_blank_boxes(receipt: AnyForm) -> None:
    receipt.rows[0].x_add_word = ""

    assert broken(receipt) == [("rows[0].x_add_word", "string.min_len")]


def test_a_notice_names_one_of_four_kinds_of_voucher(notice: AnyForm) -> None:
    notice.ori_vt_code = "2205"

    assert broken(notice) == [("ori_vt_code", "string.in")]


def test_a_character_outside_gbk_is_refused_only_where_asked(form: AnyForm) -> None:
    form.rows[0].payee_acct_name = "𠮷野家"

    check_form(form)

    assert broken(form, gbk_only=True) == [("rows[0].payee_acct_name", "text.gbk")]


def test_an_amount_wider_than_the_document_is_refused(form: AnyForm) -> None:
    form.rows[0].pay_amt_fen = 10**17

    assert ("rows[0].pay_amt_fen", "int64.gte_lte") in broken(form)


def test_no_more_than_a_hundred_violations_are_reported(form: AnyForm) -> None:
    for _ in range(300):
        form.rows.add()
    assert len(broken(form)) == 100

    del form.rows[2:]
    for _ in range(200):
        form.rows.add().MergeFrom(form.rows[0])
    assert len(broken(form)) == 100


def test_a_message_that_is_no_form_is_a_defect() -> None:
    with pytest.raises(KeyError):
        check_form(extra_pb2.ExtraElement())


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        (SignRule.POSITIVE, [1]),
        (SignRule.NEGATIVE, [-1]),
        (SignRule.ZERO, [0]),
        (SignRule.ANY, [-1, 0, 1]),
    ],
)
def test_signs(rule: SignRule, allowed: list[int]) -> None:
    assert [fen for fen in (-1, 0, 1) if payment.sign_holds(fen, rule)] == allowed


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20240229", True),
        ("20260229", False),
        ("20260431", False),
        ("2026431", False),
        ("00000101", False),
        ("２０２６０１０１", False),
        ("20260101\n", False),
    ],
)
def test_days_are_those_of_the_calendar(text: str, day: bool) -> None:  # noqa: FBT001
    assert payment.is_day(text) is day


@pytest.mark.parametrize(
    "text", ["+1.00", "01.00", "-0.00", "1.0", "1", "", "1,000.00"]
)
def test_an_amount_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_amount(text)


@pytest.mark.parametrize("fen", [0, 1, -1, 100, -(10**17) + 1, 10**17 - 1])
def test_amounts_come_back(fen: int) -> None:
    assert parse_amount(print_amount(fen)) == fen


def test_numbers_have_one_spelling() -> None:
    assert [parse_number(text) for text in ("0", "-7", "120")] == [0, -7, 120]
    for text in ("-0", "07", "+7", "7 ", "", "７"):
        with pytest.raises(ValueError, match="integer"):
            parse_number(text)


@pytest.mark.parametrize(
    "character", ["\0", "\x01", "\x0b", "\x1f", "\ufffe", "\uffff"]
)
def test_a_character_that_no_national_document_can_carry_is_refused(
    form: AnyForm, character: str
) -> None:
    form.fund_type_name = f"资金{character}"
    form.rows[1].payee_acct_name = f"{character}光明"

    assert broken(form) == [
        ("fund_type_name", "text.control"),
        ("rows[1].payee_acct_name", "text.control"),
    ]
    assert not screen.passes(form)
    assert not passes_by_columns(form)


@pytest.mark.parametrize(
    "text", ["张\u3000三", "a\tb", "a\r\nb", "𠀀", "\u200b", "\x7f"]
)
def test_other_characters_are_none_of_these(form: AnyForm, text: str) -> None:
    form.rows[0].payee_acct_name = text

    check_form(form)
    assert screen.passes(form)
    assert passes_by_columns(form)


@pytest.mark.parametrize(
    ("path", "xml", "where", "rule"),
    [
        ("", "text", "extra[0].xml", "xml.well_formed"),
        ("", "<A>1</A>2", "extra[0].xml", "xml.well_formed"),
        ("", "<A>\x01</A>", "extra[0].xml", "xml.well_formed"),
        ("", "<A>" * 17 + "</A>" * 17, "extra[0].xml", "extra.depth"),
        ("", "<b:A xmlns:b='c'/>", "extra[0].xml", "extra.namespace"),
        ("DetailList/Detail[3]", "<A>1</A>", "extra[0].path", "extra.path"),
    ],
)
def test_an_extra_element_that_is_none_is_refused(
    form: AnyForm, path: str, xml: str, where: str, rule: str
) -> None:
    del form.rows[2:]
    form.pay_amt_fen = sum(row.pay_amt_fen for row in form.rows)
    form.extra.add(path=path, after="", xml=xml)

    assert broken(form) == [(where, rule)]
    assert not screen.passes(form)


def test_a_sound_extra_element_passes_at_once(form: AnyForm) -> None:
    for path in ("", "DetailList", f"DetailList/Detail[{len(form.rows)}]"):
        form.extra.add(path=path, after="", xml="<New>1</New>")

    check_form(form)
    assert screen.passes(form)
