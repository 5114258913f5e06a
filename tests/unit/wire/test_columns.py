"""Rows by columns say what the rows say, but not which one says it."""

from __future__ import annotations

from counterfoil.form.v1 import payment_pb2
from counterfoil.wire import screen
from counterfoil.wire.columns import Columns, columns_of, turn
from counterfoil.wire.rules import check_form
from tests.forms import passes_by_columns
from tests.unit.app.papers import direct_payment

Row = payment_pb2.DirectPaymentRow


def columns(*rows: Row) -> Columns:
    form = payment_pb2.DirectPayment(id="main", rows=rows)
    turned = turn(payment_pb2.DirectPayment, form.SerializeToString())
    return columns_of(list(form.rows), turned.rows)


def test_a_column_holds_the_values_of_all_rows() -> None:
    found = columns(
        Row(id="1", payee_acct_name="楚天", pay_amt_fen=-5),
        Row(id="2", payee_acct_name="楚天", pay_amt_fen=7, remark=""),
        Row(id="3", payee_acct_name="长江"),
    )

    assert sorted(found.texts("id")) == ["1", "2", "3"]
    assert sorted(found.texts("payee_acct_name")) == ["楚天", "长江"]
    assert found.amounts("pay_amt_fen") == [-5, 7, 0]
    assert found.full == {"id", "payee_acct_name"}
    # An empty text is not an absent one.
    assert found.texts("remark") == [""]
    assert found.texts("bgt_type_code") == ()
    assert found.amounts("x_pay_amt_fen") == ()


def test_a_zero_that_is_stated_is_there() -> None:
    rows = [Row(pay_amt_fen=0), Row(pay_amt_fen=0)]
    assert columns(*rows).full == {"pay_amt_fen"}
    assert columns(*rows).amounts("pay_amt_fen") == [0, 0]

    # The last one decides nothing.
    assert columns(Row(pay_amt_fen=5), *rows).amounts("pay_amt_fen") == [5, 0, 0]
    assert columns(*rows, Row()).full == frozenset()


def test_no_rows_have_no_columns() -> None:
    assert columns() == Columns(full=frozenset(), texts_in={}, amounts_in={})


def test_a_long_form_is_plainly_in_order_until_one_row_is_not() -> None:
    form = direct_payment().direct_payment
    for number in range(500):
        form.rows.add().CopyFrom(form.rows[0])
        form.rows[-1].id = f"further-{number}"
        form.pay_amt_fen += form.rows[0].pay_amt_fen
    check_form(form)
    assert screen.passes(form)
    assert passes_by_columns(form)

    form.rows[300].ClearField("payee_acct_no")

    assert not screen.passes(form)
    assert not passes_by_columns(form)
