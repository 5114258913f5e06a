"""What the newest end of the log keeps, and lets go of."""

from __future__ import annotations

import hashlib
import time

from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act
from counterfoil.tlog.growth import Growth
from counterfoil.tlog.merkle import Frontier
from counterfoil.vault.engine import Batch
from counterfoil.vault.recent import Recent
from counterfoil.vault.records import LogRow
from tests.contract.vaults import UNFOUNDED

_BYTES = 100


def _leaf(index: int) -> Leaf:
    digest = hashlib.sha256(str(index).encode()).digest()
    return Leaf(
        act=Act.ENTER,
        kind=DocumentKind.VOUCHER,
        time_us=index,
        subject=digest,
        document=digest,
        version=digest,
        by="420000-011",
    )


def _document(index: int) -> bytes:
    return str(index).rjust(_BYTES).encode()


def _batch(first: int, count: int, *, every: int = 1) -> Batch:
    """Return a commit of `count` leaves, of which each `every`th brought a document."""
    indexes = range(first, first + count)
    leaves = [_leaf(index) for index in indexes]
    return Batch(
        first=first,
        frontier=Frontier(),
        growth=Growth.of(Frontier(), []),
        register=UNFOUNDED,
        time_us=first,
        rows=[
            LogRow(leaf=leaf.to_bytes(), opened=index, changes=(), carriers=())
            for index, leaf in zip(indexes, leaves, strict=True)
        ],
        documents=[
            (index, _document(index)) for index in indexes if index % every == 0
        ],
        leaves=leaves,
    )


def test_the_newest_rows_are_kept_and_no_more_than_that() -> None:
    recent = Recent(rows_max=10)
    for first in range(100, 124, 6):
        recent.remember(_batch(first, 6))
    kept = [index for index in range(90, 130) if recent.row(index)]
    assert kept == list(range(114, 124))
    for index in kept:
        row, leaf = recent.row(index) or (None, None)
        assert leaf == _leaf(index)
        assert row is not None
        assert row.leaf == _leaf(index).to_bytes()


def test_the_newest_documents_are_kept_as_far_as_their_bytes_go() -> None:
    recent = Recent(document_bytes_max=5 * _BYTES)
    for first in range(0, 24, 6):
        recent.remember(_batch(first, 6, every=2))
    kept = {index: recent.document(index) for index in range(30)}
    assert {at: found for at, found in kept.items() if found} == {
        index: _document(index) for index in (14, 16, 18, 20, 22)
    }


def test_a_document_that_is_larger_than_all_room_is_not_kept() -> None:
    recent = Recent(document_bytes_max=_BYTES - 1)
    recent.remember(_batch(0, 3))
    assert not [index for index in range(3) if recent.document(index)]


def test_no_document_is_kept_longer_than_its_row() -> None:
    """Else small ones fill all room for documents, and nobody asks for them."""
    recent = Recent(rows_max=10)
    for first in range(0, 1_000, 5):
        recent.remember(_batch(first, 5, every=2))
    assert [index for index in range(1_010) if recent.document(index)] == [
        index for index in range(990, 1_000) if index % 2 == 0
    ]


def test_letting_go_takes_no_longer_for_all_that_was_let_go_before() -> None:
    recent = Recent(document_bytes_max=20_000 * _BYTES)
    recent.remember(_batch(0, 20_000))
    spent = []
    for first in range(20_000, 48_000, 250):
        batch = _batch(first, 250)
        begun = time.thread_time()
        recent.remember(batch)
        spent.append(time.thread_time() - begun)
    # A dictionary that is asked for its first key goes through all that it has lost
    # since it was last made anew: that took up to seven times as long.
    spent.sort()
    tenth = len(spent) // 10
    assert sum(spent[-3 * tenth : -tenth]) / 2 < 3 * sum(spent[:tenth])
