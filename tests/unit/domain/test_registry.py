"""Who may send what to whom, and who may deliver for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from counterfoil.domain.catalogue import Catalogue, PartyKind
from counterfoil.domain.party import Identity, Use
from counterfoil.domain.posts import Post
from counterfoil.domain.refusals import (
    CounterfoilError,
    DirectionRefused,
    NotARecipient,
    NotTheIssuer,
    PartyUnknown,
)
from counterfoil.domain.registry import Caller, Party, Registry
from counterfoil.domain.voucher import VoucherKey
from counterfoil.wire.catalogue import CATALOGUE

FINANCE, BANK, OTHER = "420000-011", "420000-102", "420000-103"
UNIT, THEIR_UNIT, STRANGER = "420000-101001", "420000-101002", "420000-999"


def party(code: str, kind: PartyKind, carrier: str = "") -> Party:
    return Party(code=code, name="机构", kind=kind, carrier=carrier or code)


REGISTRY = Registry(
    home=FINANCE,
    parties={
        each.code: each
        for each in (
            party(FINANCE, PartyKind.FINANCE),
            party(BANK, PartyKind.AGENT_BANK),
            party(OTHER, PartyKind.AGENT_BANK),
            party(UNIT, PartyKind.BUDGET_UNIT, FINANCE),
            party(THEIR_UNIT, PartyKind.BUDGET_UNIT, BANK),
        )
    },
)


def key(issuer: str = FINANCE, type_code: int = 5201) -> VoucherKey:
    return VoucherKey(
        issuer=issuer,
        adm_div="420000",
        fiscal_year=2026,
        type_code=type_code,
        number="1",
    )


def test_a_gateway_keeps_vouchers_of_its_own_party_and_those_it_hosts() -> None:
    assert REGISTRY.hosted == {FINANCE, UNIT}


def test_a_registry_is_renewed_in_place() -> None:
    registry = replace(REGISTRY, parties=dict(REGISTRY.parties))

    registry.renew({BANK: REGISTRY.parties[BANK]}, frozenset({OTHER}))

    assert not registry.hosted
    assert registry.disconnected == {OTHER}
    with pytest.raises(PartyUnknown):
        registry.party(UNIT)
    assert REGISTRY.hosted == {FINANCE, UNIT}


@pytest.mark.refusal("PARTY_UNKNOWN")
def test_our_own_gateway_carries_for_ourselves_even_before_we_are_registered() -> None:
    registry = Registry(home=FINANCE, parties={BANK: REGISTRY.parties[BANK]})

    assert registry.carrier_of(FINANCE) == FINANCE
    assert registry.carrier_of(BANK) == BANK
    with pytest.raises(PartyUnknown):
        registry.carrier_of(OTHER)


def test_lanes_lead_to_the_carriers_of_the_recipients() -> None:
    assert REGISTRY.lanes_to([BANK, THEIR_UNIT, OTHER]) == {
        BANK: BANK,
        THEIR_UNIT: BANK,
        OTHER: OTHER,
    }


@pytest.mark.refusal("PARTY_UNKNOWN")
def test_no_lane_leads_to_a_stranger() -> None:
    with pytest.raises(PartyUnknown) as refused:
        REGISTRY.lanes_to([BANK, STRANGER])

    assert refused.value.facts == {"party": STRANGER}


def test_the_lane_to_whom_we_host_leads_to_ourselves() -> None:
    assert REGISTRY.lanes_to([BANK, UNIT, FINANCE]) == {
        BANK: BANK,
        UNIT: FINANCE,
        FINANCE: FINANCE,
    }


@pytest.mark.parametrize(
    ("issuer", "type_code", "recipients"),
    [
        (FINANCE, 5201, [BANK]),
        (UNIT, 8202, [BANK]),
        (BANK, 2205, [UNIT]),
    ],
)
def test_the_catalogues_directions_are_open(
    issuer: str, type_code: int, recipients: list[str]
) -> None:
    REGISTRY.check_direction(CATALOGUE, key(issuer, type_code), recipients)


@pytest.mark.clause("hubei-3")
@pytest.mark.refusal("DIRECTION_REFUSED")
@pytest.mark.parametrize(
    ("issuer", "type_code", "recipients"),
    [
        (BANK, 5201, [FINANCE]),  # backwards
        (FINANCE, 5201, [UNIT]),  # to another kind
        (FINANCE, 8202, [BANK]),  # by another kind
        (FINANCE, 9999, [BANK]),  # no such type
    ],
)
def test_every_other_direction_is_refused(
    issuer: str, type_code: int, recipients: list[str]
) -> None:
    with pytest.raises(DirectionRefused) as refused:
        REGISTRY.check_direction(CATALOGUE, key(issuer, type_code), recipients)

    assert refused.value.facts == {
        "type": str(type_code),
        "issuer": issuer,
        "recipient": recipients[-1],
    }


def test_a_receipt_is_copied_to_whom_the_catalogue_names() -> None:
    REGISTRY.check_copies(CATALOGUE, key(BANK, 2301), [FINANCE])
    REGISTRY.check_copies(CATALOGUE, key(), [])


@pytest.mark.refusal("DIRECTION_REFUSED", "PARTY_UNKNOWN")
@pytest.mark.parametrize(
    ("type_code", "copy", "refusal"),
    [
        (5201, FINANCE, DirectionRefused),  # no copies of this kind
        (2301, OTHER, DirectionRefused),  # another kind of party
        (9999, FINANCE, DirectionRefused),  # no such type
        (2301, STRANGER, PartyUnknown),
    ],
)
def test_a_receipt_is_copied_to_nobody_else(
    type_code: int, copy: str, refusal: type[CounterfoilError]
) -> None:
    with pytest.raises(refusal):
        REGISTRY.check_copies(CATALOGUE, key(BANK, type_code), [copy])


@pytest.mark.clause("hubei-3")
@pytest.mark.refusal("DIRECTION_REFUSED")
def test_each_of_several_recipients_must_be_one_that_the_type_goes_to() -> None:
    row = replace(CATALOGUE.row(5201), recipients_max=2)
    several = Catalogue({5201: row}, CATALOGUE.default_plans)

    REGISTRY.check_direction(several, key(), [BANK, OTHER])
    with pytest.raises(DirectionRefused) as refused:
        REGISTRY.check_direction(several, key(), [BANK, UNIT])

    assert refused.value.facts["recipient"] == UNIT


@pytest.mark.refusal("DIRECTION_REFUSED")
@pytest.mark.parametrize("recipients", [[BANK, OTHER], [BANK, BANK]])
def test_an_order_to_pay_goes_to_one_bank_alone(recipients: list[str]) -> None:
    with pytest.raises(DirectionRefused) as refused:
        REGISTRY.check_direction(CATALOGUE, key(), recipients)

    assert refused.value.facts == {"type": "5201", "max": "1"}


@pytest.mark.refusal("PARTY_UNKNOWN")
@pytest.mark.parametrize(
    ("issuer", "recipient"), [(STRANGER, BANK), (FINANCE, STRANGER)]
)
def test_strangers_neither_send_nor_receive(issuer: str, recipient: str) -> None:
    with pytest.raises(PartyUnknown) as refused:
        REGISTRY.check_direction(CATALOGUE, key(issuer), [recipient])

    assert refused.value.facts == {"party": STRANGER}


@pytest.mark.parametrize(
    ("carrier", "issuer", "recipients"),
    [
        (BANK, BANK, [FINANCE]),
        (BANK, THEIR_UNIT, [FINANCE]),
        (BANK, BANK, [UNIT]),
        (BANK, BANK, [OTHER, UNIT]),
    ],
)
def test_an_issuer_or_its_carrier_delivers_to_us(
    carrier: str, issuer: str, recipients: list[str]
) -> None:
    REGISTRY.check_deliverer(carrier, issuer, recipients)


@pytest.mark.refusal("NOT_THE_ISSUER")
@pytest.mark.parametrize(
    ("carrier", "issuer"),
    [(OTHER, BANK), (OTHER, THEIR_UNIT), (THEIR_UNIT, THEIR_UNIT), (BANK, STRANGER)],
)
def test_nobody_delivers_for_another(carrier: str, issuer: str) -> None:
    with pytest.raises(NotTheIssuer) as refused:
        REGISTRY.check_deliverer(carrier, issuer, [FINANCE])

    assert refused.value.facts == {"carrier": carrier, "by": issuer}


@pytest.mark.refusal("NOT_A_RECIPIENT")
def test_what_is_for_others_alone_is_not_taken() -> None:
    with pytest.raises(NotARecipient):
        REGISTRY.check_deliverer(BANK, BANK, [OTHER, THEIR_UNIT])


def test_a_callers_desk_is_that_of_its_certificate() -> None:
    caller = Caller(
        identity=Identity(party=UNIT, use=Use.SYSTEM, name="1"),
        posts=frozenset({Post.BUSINESS_SYSTEM}),
        certificate=b"secret-looking bytes",
        certificate_digest=bytes(32),
    )

    assert caller.party == UNIT
    assert "secret-looking" not in repr(caller)


@pytest.mark.refusal("DIRECTION_REFUSED")
def test_an_order_to_pay_goes_to_one_bank_only() -> None:
    REGISTRY.check_direction(CATALOGUE, key(), [BANK])

    with pytest.raises(DirectionRefused) as refused:
        REGISTRY.check_direction(CATALOGUE, key(), [BANK, OTHER])

    assert refused.value.facts == {"type": "5201", "max": "1"}
