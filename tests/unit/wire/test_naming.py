"""The vouchers that a form names, and what is wrong with a name in itself."""

from __future__ import annotations

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.naming import Naming, ReferenceMeasure, ReferenceNeed
from counterfoil.domain.refusals import FormRefused
from counterfoil.wire import screen
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.documents import read_payload
from counterfoil.wire.naming import namings_of
from counterfoil.wire.national_plan import AnyForm
from counterfoil.wire.rules import check_form
from tests.forms import CODES, sound_form, sound_voucher
from tests.unit.app.papers import encoded

ONE_ROW_EACH = (5551, 5552, 5553, 102311)
"""Lists whose rows name vouchers, none of them twice."""


def broken(form: AnyForm) -> list[tuple[str, str]]:
    """Return each place where a rule is broken, and which rule."""
    assert not screen.passes(form)
    with pytest.raises(FormRefused) as refused:
        check_form(form)
    assert all(one.text_zh for one in refused.value.violations)
    return [(one.path, one.rule) for one in refused.value.violations]


def with_another_row(code: int, number: str) -> AnyForm:
    """Return a sound form with a second row that names another voucher."""
    form = sound_form(code)
    row = form.rows.add()
    row.CopyFrom(form.rows[0])
    row.id = "2"
    field = "voucher_no" if code == 102311 else "ori_voucher_no"
    setattr(row, field, number)
    for name in ("all_amt_fen", "pay_amt_fen"):
        if hasattr(form, name):
            setattr(form, name, 2 * getattr(form, name))
    if hasattr(form, "all_num"):
        form.all_num = 2
    return form


def test_an_order_names_its_application_with_its_amount() -> None:
    form = sound_form(105301)
    form.ori_voucher_no = "S1"

    assert namings_of(form, CATALOGUE.row(105301)) == (
        Naming(
            types=(2301,),
            number="S1",
            amount_fen=100,
            path="ori_voucher_no",
            need=ReferenceNeed.HELD,
            measure=ReferenceMeasure.EQUAL,
            once=True,
        ),
    )


def test_rows_that_name_one_payment_are_one_name_with_their_sum() -> None:
    form = with_another_row(2302, "1")
    third = form.rows.add()
    third.CopyFrom(form.rows[0])
    third.id, third.ori_voucher_no = "3", "2"

    names = namings_of(form, CATALOGUE.row(2302))

    assert [(one.types, one.number, one.amount_fen, one.path) for one in names] == [
        ((5201, 8202), "1", -200, "rows[0].ori_voucher_no"),
        ((5201, 8202), "2", -100, "rows[2].ori_voucher_no"),
    ]


def test_a_match_lapses_when_it_is_denied_and_a_refund_does_not() -> None:
    (match,) = namings_of(sound_form(102207), CATALOGUE.row(102207))
    (refund,) = namings_of(sound_form(2302), CATALOGUE.row(2302))

    assert match.types == (5201,)
    assert (match.lapses, refund.lapses) == (True, False)


@pytest.mark.parametrize("code", CODES)
def test_facts_have_the_names_that_the_catalogue_says(code: int) -> None:
    voucher = sound_voucher(code, issuer="420000-011", to=("420000-102",))

    facts = read_payload(DocumentKind.VOUCHER, encoded(voucher))

    assert len(facts.names) == len(CATALOGUE.row(code).references)


@pytest.mark.parametrize("code", ONE_ROW_EACH)
def test_a_list_that_names_a_voucher_twice_is_refused(code: int) -> None:
    check_form(with_another_row(code, "2"))
    assert screen.passes(with_another_row(code, "2"))
    number = "voucher_no" if code == 102311 else "ori_voucher_no"

    assert broken(with_another_row(code, "1")) == [
        (f"rows[1].{number}", "reference.repeated")
    ]


def test_rows_of_a_refund_may_name_one_payment() -> None:
    check_form(with_another_row(2302, "1"))
    assert screen.passes(with_another_row(2302, "1"))


@pytest.mark.parametrize(
    ("code", "field"),
    [(5551, "ori_vt_code"), (5553, "ori_vt_code"), (102311, "e_voucher_type")],
)
def test_a_kind_that_is_not_to_be_named_is_refused(code: int, field: str) -> None:
    form = sound_form(code)
    setattr(form.rows[0], field, "3401")

    assert broken(form) == [(f"rows[0].{field}", "reference.kind")]


@pytest.mark.parametrize("number", ["号1", "1 2", "1\x00420000-102"])
def test_a_number_that_no_voucher_has_is_refused(number: str) -> None:
    form = sound_form(105301)
    form.ori_voucher_no = number

    assert ("ori_voucher_no", "reference.number") in broken(form)
