"""Rows by columns say what the rows say, but not which one says it."""

from __future__ import annotations

from counterfoil.form.v1 import payment_pb2
from counterfoil.wire import screen
from counterfoil.wire.columns import columns_of
from counterfoil.wire.rules import check_form
from tests.unit.app.papers import direct_payment

Row = payment_pb2.DirectPaymentRow


def test_a_column_holds_the_values_of_all_rows() -> None:
    form = payment_pb2.DirectPayment(
        id="main",
        rows=[
            Row(id="1", payee_acct_name="楚天", pay_amt_fen=-5),
            Row(id="2", payee_acct_name="楚天", pay_amt_fen=0, remark=""),
            Row(id="3", payee_acct_name="长江"),
        ],
    )

    columns = columns_of(form)

    assert sorted(columns.texts("id")) == ["1", "2", "3"]
    assert sorted(columns.texts("payee_acct_name")) == ["楚天", "长江"]
    assert columns.amounts("pay_amt_fen") == [-5, 0]
    assert columns.full == {"id", "payee_acct_name"}
    # An empty text is not an absent one.
    assert columns.texts("remark") == [""]
    assert columns.texts("bgt_type_code") == ()
    assert columns.amounts("x_pay_amt_fen") == ()


def test_a_form_without_rows_has_no_columns() -> None:
    columns = columns_of(payment_pb2.DirectPayment(id="main"))

    assert columns.full == frozenset()
    assert not columns.texts_in
    assert not columns.amounts_in


def test_a_long_form_is_plainly_in_order_until_one_row_is_not() -> None:
    form = direct_payment().direct_payment
    for number in range(500):
        form.rows.add().CopyFrom(form.rows[0])
        form.rows[-1].id = f"further-{number}"
        form.pay_amt_fen += form.rows[0].pay_amt_fen
    check_form(form)
    assert screen.passes(form)

    form.rows[300].ClearField("payee_acct_no")

    assert not screen.passes(form)
