"""What holds of every kind of voucher, receipt and statement."""

from __future__ import annotations

import pytest

from counterfoil.domain.catalogue import Answer, Comparison, DocumentKind, SignRule
from counterfoil.domain.refusals import FormRefused
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire import screen
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.documents import read_payload
from counterfoil.wire.figures import figures_of
from counterfoil.wire.national_plan import AnyForm, LevelPlan, rows_of, type_plan
from counterfoil.wire.national_read import read_national
from counterfoil.wire.national_text import Encoding
from counterfoil.wire.national_voucher import NationalVoucher
from counterfoil.wire.national_write import write_national
from counterfoil.wire.rules import check_form
from tests.forms import (
    CODES,
    DAY,
    NUMBER,
    RECEIPT_CODES,
    passes_by_columns,
    place_form,
    required_fields,
    sound_form,
    sound_receipt_form,
    sound_voucher,
)
from tests.unit.app.papers import YEAR, encoded

ISSUER, RECIPIENT = "420000-011", "420000-102"
TABLES = {
    "1": "3402",
    "2": "3401 3511",
    "3": "3410 3512",
    "4": "8201",
    "5": "5201",
    "6": "8202",
    "7": "5207 5267",
    "8": "5301",
    "9": "2302",
    "10": "5106 5108",
    "11": "2301",
    "12": "2311",
    "13": "2205",
    "14": "5521",
    "15": "2531",
    "16": "4005",
    "17": "2541",
    "18": "5553",
    "19": "5551",
    "20": "5552",
}
"""The tables annexed to the Hubei measures (附表), and their codes."""


def broken_places(form: AnyForm) -> set[tuple[str, str]]:
    """Return each place where a rule is broken, and which rule."""
    with pytest.raises(FormRefused) as refused:
        check_form(form)
    assert not screen.passes(form)
    assert not passes_by_columns(form)
    return {(each.path, each.rule) for each in refused.value.violations}


@pytest.mark.clause("hubei-22a")
@pytest.mark.parametrize("table", TABLES)
def test_every_annexed_table_is_a_form(table: str) -> None:
    for wire_code in TABLES[table].split():
        row = CATALOGUE.row_on_wire(wire_code)
        check_form(sound_form(row.code))


@pytest.mark.parametrize("code", CODES)
def test_a_sound_form_passes_at_once_and_in_full(code: int) -> None:
    form = sound_form(code)

    check_form(form)
    assert screen.passes(form)
    assert passes_by_columns(form)


@pytest.mark.parametrize("code", RECEIPT_CODES)
def test_a_sound_receipt_passes_at_once_and_in_full(code: int) -> None:
    form = sound_receipt_form(code)

    check_form(form)
    assert screen.passes(form)
    assert passes_by_columns(form)


@pytest.mark.parametrize("code", CODES)
def test_every_required_field_is_missed_where_it_is_missing(code: int) -> None:
    plan = type_plan(CATALOGUE.row(code).wire_code).form

    def missed(form: AnyForm, at: AnyForm, level: LevelPlan, prefix: str) -> None:
        for name in required_fields(level, at):
            kept = getattr(at, name)
            at.ClearField(name)
            assert (prefix + name, "required") in broken_places(form)
            setattr(at, name, kept)

    form = sound_form(code)
    missed(form, form, plan.main, "")
    missed(form, form.rows[0], plan.rows, "rows[0].")
    check_form(form)


@pytest.mark.parametrize("code", CODES)
def test_a_sum_that_is_off_by_one_fen_is_refused(code: int) -> None:
    totals = figures_of(CATALOGUE.row(code).form).totals
    for main, each in totals:
        form = sound_form(code)
        setattr(form, main, getattr(form, main) + 1)
        assert (main, "sum.rows") in broken_places(form)

        form = sound_form(code)
        setattr(form.rows[0], each, getattr(form.rows[0], each) - 1)
        assert (main, "sum.rows") in broken_places(form)


@pytest.mark.parametrize("code", CODES)
def test_a_sign_that_its_kind_does_not_have_is_refused(code: int) -> None:
    row = CATALOGUE.row(code)
    figures = figures_of(row.form)
    wrong = {
        SignRule.POSITIVE: (0, -100),
        SignRule.NEGATIVE: (0, 100),
        SignRule.NOT_ZERO: (0,),
        SignRule.ANY: (),
        SignRule.ZERO: (1,),
    }
    for fen in wrong[row.sign]:
        form = sound_form(code)
        setattr(form, figures.main, fen)
        assert (figures.main, "amount.sign") in broken_places(form)
    for fen in wrong[row.row_sign]:
        form = sound_form(code)
        setattr(form.rows[0], figures.each, fen)
        assert (f"rows[0].{figures.each}", "amount.sign") in broken_places(form)


@pytest.mark.parametrize(
    "code", [code for code in CODES if CATALOGUE.row(code).count_element]
)
def test_a_wrong_number_of_rows_is_refused(code: int) -> None:
    form = sound_form(code)

    form.all_num = 2

    assert broken_places(form) == {("all_num", "count.rows")}


@pytest.mark.parametrize("code", [3402, 102541])
def test_a_balance_that_does_not_follow_is_refused(code: int) -> None:
    names = figures_of(CATALOGUE.row(code).form).row_balance
    assert len(names) == 4
    for name in names:
        form = sound_form(code)
        setattr(form.rows[0], name, getattr(form.rows[0], name) + 1)
        assert (f"rows[0].{names[-1]}", "balance.left") in broken_places(form)


def test_the_main_balance_of_a_quota_statement_follows_too() -> None:
    form = sound_form(102541)
    for level in (form, form.rows[0]):
        level.cur_date_money_fen += 1

    assert broken_places(form) == {
        ("cur_date_money_fen", "balance.left"),
        ("rows[0].cur_date_money_fen", "balance.left"),
    }


@pytest.mark.parametrize(("number", "packets"), [(0, 1), (2, 1), (1, 0)])
@pytest.mark.parametrize("code", [3511, 3512, 5511, 5512, 102311, 102531, 105521])
def test_a_packet_that_there_is_not_is_refused(
    code: int, number: int, packets: int
) -> None:
    form = sound_form(code)

    form.cur_pack_no, form.child_pack_num = number, packets

    assert broken_places(form) == {("cur_pack_no", "packet.number")}


@pytest.mark.parametrize("code", [3511, 3512, 5511, 5512, 102531, 102541, 105521])
def test_a_period_that_ends_before_it_begins_is_refused(code: int) -> None:
    form = sound_form(code)

    form.begin_date, form.end_date = DAY, f"{YEAR}0228"

    assert broken_places(form) == {("end_date", "period.order")}


@pytest.mark.parametrize("code", CODES)
def test_a_date_outside_the_fiscal_year_is_refused(code: int) -> None:
    form = sound_form(code)

    form.vou_date = f"{YEAR + 1}0115"
    check_form(form)
    assert screen.passes(form)

    for year in (YEAR - 1, YEAR + 2):
        form.vou_date = f"{year}0301"
        assert broken_places(form) == {("vou_date", "date.year")}


@pytest.mark.parametrize("code", CODES)
def test_a_row_that_comes_twice_is_refused(code: int) -> None:
    form = sound_form(code)
    if not hasattr(form.rows[0], "id"):
        return
    form.rows.add().CopyFrom(form.rows[0])

    assert ("rows[1].id", "rows.id") in broken_places(form)


@pytest.mark.parametrize("code", CODES)
def test_facts_are_what_the_form_states(code: int) -> None:
    voucher = sound_voucher(code, issuer=ISSUER, to=(RECIPIENT,))

    facts = read_payload(DocumentKind.VOUCHER, encoded(voucher))

    form, row = sound_form(code), CATALOGUE.row(code)
    figures = figures_of(row.form)
    stated = getattr(form, figures.main or figures.each, None) if figures.main else None
    rows = sum(getattr(one, figures.each) for one in rows_of(form))
    assert facts.amount_fen == (rows if stated is None else stated)
    assert facts.amount_fen != 0
    assert (facts.count, facts.key.type_code) == (1, code)


@pytest.mark.parametrize(
    ("code", "comparison", "amount_fen", "count"),
    [
        (5201, Comparison.AMOUNT_AND_COUNT, 100, 1),
        (5207, Comparison.AMOUNT_AND_COUNT, 100, 1),
        (2301, Comparison.AMOUNT, 100, 0),
        (2302, Comparison.AMOUNT, -100, 0),
        (5106, Comparison.NOTHING, 0, 0),
        (5551, Comparison.NOTHING, 0, 0),
        (3402, Comparison.NOTHING, 0, 0),
    ],
)
def test_a_receipt_is_compared_by_what_it_states(
    code: int, comparison: Comparison, amount_fen: int, count: int
) -> None:
    facts = read_payload(DocumentKind.RECEIPT, receipt(code, sound_receipt_form(code)))

    stated = facts.comparison, facts.amount_fen, facts.count
    assert stated == (comparison, amount_fen, count)


STATEMENTS = [c for c in CODES if CATALOGUE.row(c).answer is Answer.STATEMENT_ANSWER]


@pytest.mark.parametrize("code", STATEMENTS)
def test_a_statement_that_does_not_agree_says_why(code: int) -> None:
    form = sound_receipt_form(code)
    form.x_check_result = "1"

    assert broken_places(form) == {("x_check_reason", "result.reason")}

    if hasattr(form, "rows") and hasattr(form.rows[0], "x_check_reason"):
        form.rows[0].x_check_reason = "金额不符"
        check_form(form)
        assert screen.passes(form)


@pytest.mark.parametrize("code", STATEMENTS)
def test_a_statement_that_does_not_agree_says_so(code: int) -> None:
    form = sound_receipt_form(code)
    form.x_check_result, form.x_check_reason = "1", "金额不符"

    facts = read_payload(DocumentKind.RECEIPT, receipt(code, form))

    assert facts.comparison is Comparison.DIFFERS


def receipt(code: int, form: AnyForm) -> bytes:
    """Return a receipt's payload around a form."""
    voucher = sound_voucher(code, issuer=ISSUER, to=(RECIPIENT,))
    paper = voucher_pb2.Receipt(
        voucher=voucher_pb2.VoucherReference(key=voucher.key, digest=b"d" * 32),
        by=RECIPIENT,
        recipients=[ISSUER],
    )
    place_form(paper, code, form)
    return encoded(paper)


@pytest.mark.parametrize("code", CODES)
def test_a_national_file_of_it_reads_as_it_was_written(code: int) -> None:
    row = CATALOGUE.row(code)
    voucher = NationalVoucher(
        adm_div_code="420000",
        st_year=str(YEAR),
        vt_code=row.wire_code,
        voucher_no=NUMBER,
        form=sound_form(code),
    )

    body = write_national([voucher], encoding=Encoding.GBK)

    assert read_national(body) == [voucher]
    check_form(read_national(body)[0].form)
