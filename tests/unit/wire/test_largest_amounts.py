"""No voucher states an amount that what keeps and compares it cannot hold.

The vault, the ledger and every system's books keep an amount in 64 bits with a sign.
Fields are bounded by the contract; where the rows' amounts together are the voucher's,
so is their sum.
"""

from __future__ import annotations

import pytest

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.money import FEN_MAX
from counterfoil.domain.refusals import FormRefused
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire.catalogue import CATALOGUE
from counterfoil.wire.documents import read_payload
from counterfoil.wire.figures import figures_of
from counterfoil.wire.national_plan import AnyForm
from tests.forms import (
    CODES,
    RECEIPT_CODES,
    passes_by_columns,
    place_form,
    sound_receipt_form,
    sound_voucher,
)
from tests.unit.app.papers import BANK, FINANCE, direct_payment, receipt_for

K = DocumentKind
SUMMED = [code for code in CODES if figures_of(CATALOGUE.row(code).form).is_summed]
SUMMED_RECEIPTS = [
    code
    for code in RECEIPT_CODES
    if figures_of(CATALOGUE.row(code).receipt_form).is_summed
]


def paper_of(
    code: int, kind: DocumentKind
) -> tuple[voucher_pb2.Voucher | voucher_pb2.Receipt, AnyForm]:
    """Return a sound voucher or receipt, and its form."""
    paper: voucher_pb2.Voucher | voucher_pb2.Receipt
    if kind is K.VOUCHER:
        paper = sound_voucher(code, issuer=FINANCE, to=(BANK,))
    else:
        paper = receipt_for(direct_payment(), b"d" * 32)
        place_form(paper, code, sound_receipt_form(code))
        paper.voucher.key.type = code  # type: ignore[assignment]
    return paper, getattr(paper, paper.WhichOneof("form") or "")


def with_rows(form: AnyForm, amounts: list[int]) -> None:
    """Let a form have these rows, each like its first but for the amount."""
    figures = figures_of(form.DESCRIPTOR.full_name)
    like = type(form.rows[0])()
    like.CopyFrom(form.rows[0])
    del form.rows[:]
    for at, fen in enumerate(amounts):
        one = form.rows.add()
        one.CopyFrom(like)
        setattr(one, figures.each, fen)
        if "id" in one.DESCRIPTOR.fields_by_name:
            one.id = f"{at}"
        if figures.row_balance:
            before, added, taken, left = figures.row_balance
            assert left == figures.each
            for field, stated in ((before, fen), (added, 0), (taken, 0)):
                setattr(one, field, stated)
    if figures.count:
        setattr(form, figures.count, len(amounts))


def test_there_are_kinds_whose_amount_is_the_sum_of_their_rows() -> None:
    assert {3402, 4005} <= set(SUMMED)
    assert {5207, 5267} <= set(SUMMED_RECEIPTS)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *[(code, K.VOUCHER) for code in SUMMED],
        *[(code, K.RECEIPT) for code in SUMMED_RECEIPTS],
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_rows_together_are_an_amount_or_are_refused(
    code: int, kind: DocumentKind, sign: int
) -> None:
    half = FEN_MAX // 2
    paper, form = paper_of(code, kind)
    with_rows(form, [sign * half, sign * (FEN_MAX - half)])
    assert passes_by_columns(form)
    facts = read_payload(kind, paper.SerializeToString())
    assert facts.amount_fen == sign * FEN_MAX

    # As many as go beyond 64 bits, and one more than the largest amount.
    for amounts in ([sign * FEN_MAX] * 100, [sign * half, sign * (half + 2)]):
        paper, form = paper_of(code, kind)
        with_rows(form, amounts)
        assert not passes_by_columns(form)
        with pytest.raises(FormRefused) as caught:
            read_payload(kind, paper.SerializeToString())
        (broken,) = caught.value.violations
        assert (broken.path, broken.rule) == ("rows", "sum.range")
        assert broken.text_zh
