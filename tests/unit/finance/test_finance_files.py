from __future__ import annotations

import re
import tracemalloc
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.business.money import to_fen, to_yuan
from counterfoil.finance.files import FileUnreadable, names_in, read_file
from counterfoil.sample.documents import file_of
from counterfoil.sample.faults import FAULTS, ROWS_MIN, Fault
from counterfoil.sample.vouchers import Voucher, VoucherMaker

UNREADABLE = {"base64", "doctype", "not_gbk"}
"""Faults at which our own reader gives up too; the rest is the gateway's to find."""


def sample(seed: int = 1, rows_min: int = 1) -> Voucher:
    maker = VoucherMaker(
        Random(seed),  # noqa: S311 -- a seed fixes every byte
        year=2026,
        banks=["420000-102", "420000-103"],
    )
    return maker.make(rows_min=rows_min)


def test_a_folder_is_listed_in_order_page_by_page(tmp_path: Path) -> None:
    names = [f"{place:03}.xml" for place in range(25)]
    for name in reversed(names):
        (tmp_path / name).touch()
    (tmp_path / "010.folder").mkdir()

    for page in (1, 7, 25, 26):
        assert list(names_in(tmp_path, page)) == names


def test_an_empty_folder_has_no_names(tmp_path: Path) -> None:
    assert list(names_in(tmp_path)) == []


def test_a_page_of_a_folder_is_in_memory_and_no_more(tmp_path: Path) -> None:
    for place in range(4_000):
        (tmp_path / f"{place:06}-{'x' * 100}.xml").touch()

    tracemalloc.start()
    try:
        count = sum(1 for _ in names_in(tmp_path, 100))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 4_000
    assert peak < 150_000, "all names together are more than half a megabyte"


@given(st.integers(0, 10**6))
def test_a_file_says_what_its_maker_wrote(tmp_path_factory: object, seed: int) -> None:
    voucher = sample(seed)
    path = tmp_path_factory.getbasetemp() / "one.xml"  # type: ignore[attr-defined]
    path.write_bytes(file_of(voucher))

    file = read_file(path)

    assert (file.number, file.type_code) == (voucher.number, 5201)
    assert f"420000-{file.pay_bank_code}" == voucher.bank
    assert file.amount_fen == int(voucher.main["PayAmt"].replace(".", ""))
    assert file.count == len(voucher.rows)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_a_broken_file_is_either_unreadable_or_the_gateways_to_judge(
    tmp_path: Path, fault: Fault
) -> None:
    path = tmp_path / "broken.xml"
    path.write_bytes(fault.apply(sample(rows_min=ROWS_MIN)))

    try:
        read_file(path)
    except FileUnreadable:
        assert fault.kind in UNREADABLE
    else:
        assert fault.kind not in UNREADABLE


@pytest.mark.parametrize("content", [b"", b"no xml", b"<MOF/>", b"\xff\xfe"])
def test_what_is_no_document_is_unreadable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xml").write_bytes(content)

    with pytest.raises(FileUnreadable):
        read_file(tmp_path / "x.xml")


@given(st.integers(-(10**17) + 1, 10**17 - 1))
def test_yuan_are_read_as_they_are_written(fen: int) -> None:
    assert to_fen(to_yuan(fen).replace(",", "")) == fen


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.234", "+1.00", "1,000.00", "１.00"]
)
def test_an_amount_in_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        to_fen(text)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123_456_789, "1,234,567.89")],
)
def test_people_read_thousands_apart(fen: int, text: str) -> None:
    assert to_yuan(fen) == text
