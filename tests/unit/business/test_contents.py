"""A document is opened once, and each is told apart from the others."""

from __future__ import annotations

import pytest

from counterfoil.business import contents
from counterfoil.business.contents import (
    KEPT_BYTES_MAX,
    KEPT_LARGE,
    LARGE_BYTES_MAX,
    content_of,
)
from counterfoil.office import Voucher, opened
from tests.unit.business.house import APPLICATION, House, paper


def test_a_document_says_the_same_whoever_asks_and_is_opened_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def noted(sealed: bytes) -> contents.Content:
        asked.append(sealed)
        return opened(sealed)

    monkeypatch.setattr(contents, "opened", noted)
    for number in (1, 2):
        house.desk.arrive(paper(APPLICATION, f"C{number}", 100 + number))
    [arrivals] = list(house.client.read())

    house.turn()

    said = [content_of(one.sealed) for one in arrivals]
    assert said == [opened(one.sealed) for one in arrivals]
    assert {one.key.number for one in said if isinstance(one, Voucher)} == {"C1", "C2"}
    assert house.told["receipted"] == len(asked) == 2


def test_of_what_is_large_a_few_are_kept_and_of_the_largest_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    told = paper(APPLICATION, "C3")

    def noted(sealed: bytes) -> contents.Content:
        asked.append(len(sealed))
        return told

    monkeypatch.setattr(contents, "opened", noted)
    for size in (KEPT_BYTES_MAX, LARGE_BYTES_MAX, LARGE_BYTES_MAX + 1):
        for _ in range(2):
            assert content_of(b"\x00" * size) is told
    large = [bytes([number]) * (KEPT_BYTES_MAX + 1) for number in range(KEPT_LARGE + 1)]
    for sealed in [*large, large[-1], large[0]]:
        content_of(sealed)

    sizes = [KEPT_BYTES_MAX, LARGE_BYTES_MAX, *[LARGE_BYTES_MAX + 1] * 2]
    assert asked == sizes + [KEPT_BYTES_MAX + 1] * (KEPT_LARGE + 2)
