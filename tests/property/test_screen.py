"""The quick yes is never a yes to what the full check refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.sealed.v1 import voucher_pb2
from counterfoil.wire import documents, screen
from counterfoil.wire.national_plan import AnyForm
from counterfoil.wire.rules import check_form
from tests.forms import (
    CODES,
    RECEIPT_CODES,
    passes_by_columns,
    place_form,
    sound_receipt_form,
    sound_voucher,
)
from tests.unit.app.papers import (
    BANK,
    FINANCE,
    direct_payment,
    entry_notice,
    receipt_for,
)

SIZES = st.sampled_from([1, 9, 11, 15, 30, 31, 38, 39, 42, 43, 60, 61, 120, 255, 256])
TEXTS = st.one_of(
    st.sampled_from(["", "0", "0.00", "20260301", "20260230", "2026", "5201", "x\n"]),
    st.text("aZ0-字é𬭎 \n", max_size=3),
    # Around every width that there is.
    st.builds(lambda text, size: text * size, st.sampled_from("1a字é𬭎"), SIZES),
)
FEN = st.sampled_from([0, 1, -1, 5, -5, 10**17 - 1, 10**17, -(10**17)])
Paper: TypeAlias = voucher_pb2.Voucher | voucher_pb2.Receipt


def _voucher(code: int) -> voucher_pb2.Voucher:
    return sound_voucher(code, issuer=FINANCE, to=(BANK,))


def _receipt(code: int) -> voucher_pb2.Receipt:
    paper = receipt_for(direct_payment(), b"d" * 32)
    place_form(paper, code, sound_receipt_form(code))
    return paper


PAPERS: dict[str, Callable[[], Paper]] = {
    "5201": direct_payment,
    "2205": entry_notice,
    "receipt": lambda: receipt_for(direct_payment(), b"d" * 32),
}


THOROUGH = frozenset(PAPERS)
"""Kinds with most traffic."""
for _code in CODES:
    PAPERS.setdefault(str(_code), partial(_voucher, _code))
for _code in RECEIPT_CODES:
    PAPERS.setdefault(f"receipt of {_code}", partial(_receipt, _code))


def form_of(paper: Paper) -> AnyForm:
    return getattr(paper, paper.WhichOneof("form") or "")


def disturb(data: st.DataObject, message: AnyForm) -> None:
    """Change one field of a message, or one of its rows or extra elements."""
    field: FieldDescriptor = data.draw(st.sampled_from(list(message.DESCRIPTOR.fields)))
    if field.is_repeated:
        inside = getattr(message, field.name)
        match data.draw(st.sampled_from(["change", "add", "remove", "repeat"])):
            case "add":
                disturb(data, inside.add())
            case "remove" if inside:
                del inside[data.draw(st.integers(0, len(inside) - 1))]
            case "repeat" if inside:
                inside.add().CopyFrom(inside[0])
            case _:
                if inside:
                    disturb(data, inside[data.draw(st.integers(0, len(inside) - 1))])
    elif data.draw(st.booleans()):
        message.ClearField(field.name)
    else:
        is_text = field.type == FieldDescriptor.TYPE_STRING
        setattr(message, field.name, data.draw(TEXTS if is_text else FEN))


@pytest.mark.parametrize("passes", [screen.passes, passes_by_columns])
@pytest.mark.parametrize("kind", PAPERS)
def test_what_plainly_keeps_the_rules_is_not_refused(
    kind: str, passes: Callable[[Message], bool]
) -> None:
    @settings(deadline=None, max_examples=400 if kind in THOROUGH else 60)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        form = form_of(PAPERS[kind]())
        for _ in range(data.draw(st.integers(1, 3))):
            disturb(data, form)

        if passes(form):
            check_form(form)

    assert passes(form_of(PAPERS[kind]())), "or every form is checked in full"
    check()


PARTIES = st.sampled_from(
    ["420000-011", "420000-102", "x", "", "420000-01\n", "420000_011"]
)
NUMBERS = st.sampled_from([0, 1, -1, 999, 1000, 2000, 1999, 2999, 3000])


@settings(deadline=None, max_examples=400)
@given(st.data(), st.sampled_from(["5201", "receipt"]))
def test_nor_is_what_stands_around_the_form(data: st.DataObject, kind: str) -> None:
    paper = PAPERS[kind]()
    key = paper.key if isinstance(paper, voucher_pb2.Voucher) else paper.voucher.key
    for _ in range(data.draw(st.integers(1, 2))):
        match data.draw(st.integers(0, 6)):
            case 0:
                key.issuer = data.draw(PARTIES)
            case 1:
                key.adm_div = data.draw(
                    st.sampled_from(["", "42", "420000", "420000x"])
                )
            case 2:
                key.fiscal_year = data.draw(NUMBERS)
            case 3:
                key.issue = data.draw(NUMBERS)
            case 4:
                key.number = data.draw(st.sampled_from(["", "1", "1 ", "1" * 43, "字"]))
            case 5:
                del paper.recipients[:]
                paper.recipients.extend(data.draw(st.lists(PARTIES, max_size=9)))
            case _ if isinstance(paper, voucher_pb2.Voucher):
                paper.replaces = b"d" * data.draw(st.sampled_from([0, 1, 31, 32, 33]))
            case _:
                assert isinstance(paper, voucher_pb2.Receipt)
                paper.by = data.draw(PARTIES)

    assert refusal(kind, paper) == refusal_in_full(kind, paper)


def refusal(kind: str, paper: Paper) -> tuple[str, tuple[str, ...]] | None:
    """Return what refuses a paper: the reason and the paths; None: nothing."""
    kinds = {"receipt": DocumentKind.RECEIPT}
    try:
        documents.read_payload(
            kinds.get(kind, DocumentKind.VOUCHER), paper.SerializeToString()
        )
    except CounterfoilError as refused:
        paths = tuple(each.path for each in getattr(refused, "violations", ()))
        return refused.reason, paths
    return None


def refusal_in_full(kind: str, paper: Paper) -> tuple[str, tuple[str, ...]] | None:
    """Return the same with the quick yes switched off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screen, "passes", lambda *_: False)
        return refusal(kind, paper)
