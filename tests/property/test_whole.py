"""A large document is understood whole exactly when a small one would be."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from counterfoil.form.v1 import payment_pb2
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.columns import columns_of
from counterfoil.wire.whole import LARGE_BYTES, Paper, parse_paper, parse_whole

ROW = payment_pb2.DirectPaymentRow.DESCRIPTOR.fields_by_name
FORM = payment_pb2.DirectPayment.DESCRIPTOR.fields_by_name
VOUCHER = voucher_pb2.Voucher.DESCRIPTOR.fields_by_name
UNKNOWN = 2047


def number(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def token(field: int, wire_type: int, value: bytes) -> bytes:
    length = number(len(value)) if wire_type == 2 else b""
    return number(field << 3 | wire_type) + length + value


def of(*parts: bytes) -> bytes:
    return b"".join(parts)


FIELDS = st.sampled_from(
    [ROW[name].number for name in ("id", "remark", "pay_amt_fen")] + [UNKNOWN]
)
TOKENS = st.one_of(
    st.builds(token, FIELDS, st.just(2), st.sampled_from([b"", b"1", b"a", b"\x05"])),
    st.builds(
        token, FIELDS, st.just(0), st.sampled_from([b"\x05", b"\x00", b"\x85\0"])
    ),
    st.builds(token, FIELDS, st.just(5), st.just(b"1234")),
)
ROWS = st.lists(st.builds(lambda parts: of(*parts), st.lists(TOKENS, max_size=3)))
LONG = token(FORM["hold1"].number, 2, b"x" * LARGE_BYTES)
AMOUNT = ROW["pay_amt_fen"].number


def voucher(rows: list[bytes], beside: bytes = b"") -> bytes:
    """Return a large voucher with these rows, and something beside them."""
    form = of(LONG, *(token(FORM["rows"].number, 2, row) for row in rows), beside)
    return token(VOUCHER["direct_payment"].number, 2, form)


def whole(encoded: bytes) -> voucher_pb2.Voucher | None:
    try:
        return parse_whole(voucher_pb2.Voucher, encoded, what="voucher")
    except ValueError:
        return None


def paper(encoded: bytes) -> Paper[voucher_pb2.Voucher] | None:
    try:
        return parse_paper(voucher_pb2.Voucher, encoded, what="voucher")
    except ValueError:
        return None


@given(ROWS, st.one_of(st.just(b""), TOKENS))
# One amount, written as a list of amounts is.
@example([token(AMOUNT, 2, b"\x05")], b"")
# What one row has twice another has not at all: the lists are as long as they should.
@example([of(token(1, 2, b"1"), token(1, 2, b"2")), b""], b"")
@example([token(UNKNOWN, 0, b"\x01"), b""], b"")
@example([token(1, 2, b"\xff")], b"")
def test_what_is_not_understood_is_found_by_columns_too(
    rows: list[bytes], beside: bytes
) -> None:
    encoded = voucher(rows, beside)

    understood, read = whole(encoded), paper(encoded)

    assert (read and read.message) == understood
    if read is not None:
        assert read.turned is not None
        form = read.message.direct_payment
        columns = columns_of(list(form.rows), read.turned.direct_payment.rows)
        there = [{each.name for each, _ in row.ListFields()} for row in form.rows]
        assert set(columns.texts("id")) == {
            row.id for row, names in zip(form.rows, there, strict=True) if "id" in names
        }
        if any("pay_amt_fen" in names for names in there):
            assert columns.amounts("pay_amt_fen") == [r.pay_amt_fen for r in form.rows]
        full = set[str].intersection(*there) if there else set()
        assert columns.full == full


def test_sound_rows_are_understood() -> None:
    rows = [of(token(1, 2, b"1"), token(AMOUNT, 0, b"\x05"))] * 2

    assert paper(voucher(rows)) is not None
    assert paper(voucher(rows, token(UNKNOWN, 0, b"\x01"))) is None
    # The same voucher twice: protobuf would put the two together.
    assert paper(voucher(rows) * 2) is None
    assert paper(b"\xff" * LARGE_BYTES) is None


def test_a_small_document_is_not_read_by_columns() -> None:
    small = voucher_pb2.Voucher(recipients=["x"])

    read = paper(small.SerializeToString())

    assert read == Paper(message=small, turned=None)
    assert Paper.of(small) == read
