"""A register that has grown with its institution answers as soon as a small one.

Each seal on each voucher is held against it, in the one thread that writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, ValuesView
from typing import TypeVar

import pytest

from counterfoil.domain import register_states
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.register import Register
from counterfoil.domain.register_refusals import AgreementMissing, FilingMissing
from counterfoil.domain.register_states import AgreementState
from counterfoil.domain.registration import AgreedWay, Agreement, Filing

V = TypeVar("V")
FINANCE = "420000-011"
NOON_US = 1_790_000_000_000_000
DAY_US = 86_400_000_000


class Counted(Mapping[bytes, V]):
    """A table that counts how often it is gone through."""

    def __init__(self, rows: Iterable[V]) -> None:
        self._rows = {b"%d" % at: one for at, one in enumerate(rows)}
        self.walks = 0

    def __getitem__(self, key: bytes) -> V:
        return self._rows[key]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def values(self) -> ValuesView[V]:
        self.walks += 1
        return self._rows.values()


def person(number: int) -> Identity:
    return Identity(party=FINANCE, use=Use.PERSON, name=f"p{number}")


def bank(number: int) -> str:
    return f"42{number:04}-102"


def filing(number: int) -> Filing:
    return Filing(
        holder=person(number),
        types=frozenset({5201}),
        amount_max_fen=100 + number,
        positions=frozenset({"gz"}),
        valid_from="20200101",
        valid_until="20991231",
    )


def agreement(number: int) -> AgreementState:
    way = AgreedWay(issuer=FINANCE, types=frozenset({5201}))
    parties = (FINANCE, bank(number))
    if number % 2:
        parties = (bank(number), FINANCE)
    return AgreementState(
        agreement=Agreement(
            parties=parties,
            ways=(way,),
            valid_from="20200101",
            valid_until="20991231",
        )
    )


def test_a_seal_is_held_against_its_own_holders_filings_only() -> None:
    filings = Counted(filing(number) for number in range(50))
    register = Register(home=FINANCE, carriers={}, is_founded=True, filings=filings)

    for number in range(50):
        sealing = [("gz", person(number).to_urn())]
        register.require_filed(sealing, 5201, 100 + number, NOON_US)
    with pytest.raises(FilingMissing):
        register.require_filed([("gz", person(50).to_urn())], 5201, 1, NOON_US)

    assert filings.walks == 1


def test_a_voucher_is_held_against_its_own_parties_agreements_only() -> None:
    agreements = Counted(agreement(number) for number in range(50))
    register = Register(
        home=FINANCE, carriers={}, is_founded=True, agreements=agreements
    )

    for number in range(50):
        register.require_agreed(FINANCE, [bank(number)], 5201, NOON_US)
    with pytest.raises(AgreementMissing):
        register.require_agreed(FINANCE, [bank(50)], 5201, NOON_US)

    assert agreements.walks == 1


def test_what_was_found_of_days_that_are_over_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(register_states, "FOUND_MAX", 10)
    register = Register(
        home=FINANCE,
        carriers={},
        is_founded=True,
        filings={b"f": filing(1)},
        agreements={b"a": agreement(1)},
    )

    for day in range(100):
        at_us = NOON_US + day * DAY_US
        register.require_filed([("gz", person(1).to_urn())], 5201, 1, at_us)
        register.require_agreed(FINANCE, [bank(1)], 5201, at_us)

        assert len(register._filed) <= 10
        assert len(register._agreed) <= 10
