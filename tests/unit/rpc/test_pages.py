"""What is told in pages fits into a message, whatever stands on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from counterfoil.app.ports import RegistrationRow
from counterfoil.app.works import Certificates
from counterfoil.domain.catalogue import DocumentKind
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.standing import Act
from counterfoil.registry.v1 import registry_pb2 as pb
from counterfoil.rpc import answers
from counterfoil.rpc.answers import _short
from counterfoil.rpc.registry import (
    PAGE_BYTES_MAX,
    RegistryServicer,
    registration_page,
)

MIB = 1 << 20


class Kept:
    """Says of every document that two certificates belong to it."""

    def of_document(self, _sealed: bytes) -> list[bytes]:
        return [b"c" * 2_000, b"a" * 2_000]


KEPT = cast("Certificates", Kept())


class Log:
    """A vault whose log has registrations and nothing else."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.rows = [row(at, size) for at, size in enumerate(sizes)]

    def registrations(self, *, after: int, limit: int) -> list[RegistrationRow]:
        return [one for one in self.rows if one.index > after][:limit]


def row(index: int, size: int) -> RegistrationRow:
    leaf = Leaf(
        act=Act.REGISTER,
        kind=DocumentKind.REGISTRATION,
        time_us=1,
        subject=b"s" * 32,
        document=b"d" * 32,
        version=b"v" * 32,
        by="420000-011",
    )
    return RegistrationRow(index=index, leaf=leaf, sealed=b"r" * size)


def test_a_page_of_large_registrations_is_shorter_and_never_empty() -> None:
    rows = [row(at, 100_000) for at in range(50)]

    page = registration_page(rows, KEPT)

    assert [one.leaf for one in page] == list(range(10))
    assert sum(one.ByteSize() for one in page) <= PAGE_BYTES_MAX
    (alone,) = registration_page([row(0, 2 * MIB), row(1, 1)], KEPT)
    assert alone.leaf == 0
    assert registration_page([], KEPT) == []


@pytest.mark.parametrize(
    "sizes",
    [[1_000] * 5, [1_000] * 7, [400_000] * 9, [2 * MIB, 10, 2 * MIB], [], [10]],
)
async def test_all_pages_together_are_the_log(sizes: list[int]) -> None:
    service = RegistryServicer(
        vault=cast("Any", Log(sizes)),
        enter=cast("Any", None),
        kept=KEPT,
        peers=list,
        certificates=lambda _: [],
    )
    request, told = pb.ListRegistrationsRequest(page_size=5), []
    for _ in range(20):
        page = await service.ListRegistrations(request, cast("Any", None))
        told += [one.leaf for one in page.registrations]
        if not page.is_more:
            break
        request.after = told[-1] if told else 0

    assert told == list(range(len(sizes)))


def test_of_revocation_lists_the_shortest_are_told_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "LISTS_BYTES_MAX", 100)
    small, middle, large, huge = (size * b"l" for size in (10, 40, 50, 101))

    assert _short([large, small, huge, middle]) == [large, small, middle]
    assert _short([middle, middle, small]) == [middle, middle, small]
    assert _short([huge]) == []
    assert _short([]) == []
