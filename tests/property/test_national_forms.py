"""Whatever a form says, the national document says, and back."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.form.v1 import extra_pb2
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.national_errors import NationalXmlRefused
from counterfoil.wire.national_plan import (
    AMOUNT,
    NUMBER,
    AnyForm,
    LevelPlan,
    type_plan,
)
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_receipt import changes, join_receipt
from counterfoil.wire.national_text import Encoding
from counterfoil.wire.national_voucher import NationalVoucher
from counterfoil.wire.national_write import write_national

TYPES = sorted(row.wire_code for row in CATALOGUE.rows.values())
ANSWERED_TYPES = [code for code in TYPES if type_plan(code).receipt]

TEXT = st.text(
    st.one_of(
        st.characters(codec="gb18030", exclude_categories=("Cc", "Cs", "Cn")),
        st.sampled_from("\t\n\r<>&\"' 　"),
    ),
    max_size=12,
)
COUNTS = st.integers(min_value=0, max_value=999_999_999)
FEN = st.integers(min_value=-(10**17) + 1, max_value=10**17 - 1)


def level(draw: st.DrawFn, plan: LevelPlan, *, blank: bool) -> dict[str, Any]:
    """Draw which fields are there and what they say."""
    values: dict[str, Any] = {}
    for field in plan.fields:
        if not draw(st.booleans()):
            continue
        if blank and field.receipt_field:
            values[field.name] = ""
        elif field.format == AMOUNT:
            values[field.name] = draw(FEN)
        elif field.format == NUMBER:
            values[field.name] = draw(COUNTS)
        else:
            values[field.name] = draw(TEXT)
    return values


@st.composite
def vouchers(draw: st.DrawFn, code: str) -> NationalVoucher:
    plan = type_plan(code).form
    number = draw(TEXT)
    form: AnyForm = plan.message(**level(draw, plan.main, blank=True))
    key = {"adm_div_code": "420000", "st_year": "2026", "voucher_no": number}
    for name, text in (key | {"vt_code": code}).items():
        if form.HasField(name):
            setattr(form, name, text)
    for index in range(draw(st.integers(0, 3))):
        row = form.rows.add(**level(draw, plan.rows, blank=True))
        if "id" in row.DESCRIPTOR.fields_by_name:
            row.id = f"row {index}"
    extras(draw, form, plan.main, plan.rows)
    return NationalVoucher(
        adm_div_code="420000",
        st_year="2026",
        voucher_no=number,
        vt_code=code,
        form=form,
        attach=draw(st.none() | TEXT),
        return_reason=draw(st.none() | TEXT),
    )


def extras(draw: st.DrawFn, form: AnyForm, main: LevelPlan, rows: LevelPlan) -> None:
    """Draw extra elements behind elements that are there, in document order."""

    def some(
        path: str, message: AnyForm, plan: LevelPlan
    ) -> list[extra_pb2.ExtraElement]:
        there = ["", *(f.element for f in plan.fields if message.HasField(f.name))]
        behind = sorted(draw(st.sets(st.integers(0, len(there) - 1), max_size=2)))
        return [
            extra_pb2.ExtraElement(
                path=path, after=there[at], xml=f"<Y{at}>{draw(SAFE)}</Y{at}>"
            )
            for at in behind
        ]

    form.extra.extend(some("", form, main))
    for number, row in enumerate(form.rows, start=1):
        form.extra.extend(some(f"DetailList/Detail[{number}]", row, rows))


SAFE = st.text("ab字", max_size=3)


@pytest.mark.parametrize("code", TYPES)
def test_a_voucher_written_and_read_is_the_same(code: str) -> None:
    @settings(deadline=None, max_examples=60)
    @given(vouchers(code))
    def check(voucher: NationalVoucher) -> None:
        body = write_national([voucher], encoding=Encoding.GB18030)

        assert read_national(body) == [voucher]
        # A second round makes the same bytes.
        assert write_national(read_national(body), encoding=Encoding.GB18030) == body

    check()


@pytest.mark.parametrize("code", ANSWERED_TYPES)
def test_a_receipt_written_and_read_is_the_same(code: str) -> None:
    @settings(deadline=None, max_examples=60)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        voucher = data.draw(vouchers(code))
        receipt = data.draw(receipts(code, voucher))
        answered = join_receipt(voucher, receipt)

        [read] = read_national(write_national([answered], encoding=Encoding.GB18030))

        assert read.receipt == receipt
        assert changes(voucher.form, read.form) == []

    check()


@st.composite
def receipts(draw: st.DrawFn, code: str, voucher: NationalVoucher) -> AnyForm:
    plan = type_plan(code).receipt
    assert plan is not None
    receipt: AnyForm = plan.message(**filled(draw, plan.main))
    form: AnyForm = voucher.form
    for row in form.rows:
        values = filled(draw, plan.rows)
        if values:
            receipt.rows.add(**values | {"id": row.id})
    return receipt


def filled(draw: st.DrawFn, plan: LevelPlan) -> dict[str, Any]:
    """Draw boxes that are filled in: a blank one is not in a receipt."""
    values = level(draw, plan, blank=False)
    values.pop("id", None)
    return {name: value for name, value in values.items() if value != ""}


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_read_or_be_refused(body: bytes) -> None:
    for prefix in (b"", b'<?xml version="1.0" encoding="GBK"?>'):
        read_or_be_refused(prefix + body)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_file_reads_or_is_refused(data: st.DataObject) -> None:
    plan = type_plan("5201").form
    form: AnyForm = plan.message(voucher_no="1", pay_amt_fen=1)
    form.rows.add(id="1", remark="备注")
    voucher = NationalVoucher(
        adm_div_code="420000", st_year="2026", vt_code="5201", voucher_no="1", form=form
    )
    body = bytearray(write_national([voucher]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))

    read_or_be_refused(bytes(body))


def read_or_be_refused(body: bytes) -> None:
    """Let every other exception through: it would be a defect."""
    with suppress(NationalXmlRefused):
        read_national(body)
