"""What registrations may say of parties and peers, and whom a log admits first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from counterfoil.domain import registration as domain
from counterfoil.domain.catalogue import PartyKind
from counterfoil.domain.refusals import FormRefused
from counterfoil.domain.registry import Party
from counterfoil.office import matters, registering
from counterfoil.wire.admissions import first_admissions
from counterfoil.wire.registrations import read_registration
from tests.unit.app.house import Keys

FINANCE, BANK = "420000-011", "420000-102"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys.new()


@pytest.fixture(scope="module")
def heads(keys: Keys) -> list[str]:
    """Return the verifier keys of the bank's log."""
    return [signer.key.to_text() for signer in keys.heads[BANK]]


def signed(matter: matters.Matter, number: str = "1") -> registering.SignedRegistration:
    return registering.registration(FINANCE, number, matter, stated_time=NOW)


def read(matter: matters.Matter) -> domain.Matter:
    return read_registration(signed(matter).payload, ()).matter


def path_of(matter: matters.Matter) -> str:
    with pytest.raises(FormRefused) as caught:
        read(matter)
    (violation,) = caught.value.violations
    assert violation.text_zh
    return violation.path


def test_an_admission_says_who_it_is_and_who_carries_for_it() -> None:
    assert read(
        matters.party_admission(BANK, "工商银行", "agent-bank")
    ) == domain.PartyAdmission(
        party=Party(code=BANK, name="工商银行", kind=PartyKind.AGENT_BANK, carrier=BANK)
    )
    unit = matters.party_admission(
        "420000-101001", "教育厅", "budget-unit", carrier=FINANCE, encoding="GB18030"
    )
    assert read(unit) == domain.PartyAdmission(
        party=Party(
            code="420000-101001",
            name="教育厅",
            kind=PartyKind.BUDGET_UNIT,
            carrier=FINANCE,
            encoding="GB18030",
        )
    )
    assert read(matters.party_dismissal(BANK)) == domain.PartyDismissal(party=BANK)
    gone = matters.peer_disconnection(BANK)
    assert read(gone) == domain.PeerDisconnection(party=BANK)


def test_a_connection_says_addresses_keys_and_the_name_of_the_certificate(
    heads: list[str],
) -> None:
    addresses = ["10.0.0.1:7411", "[::1]:7411"]

    said = read(matters.peer_connection(BANK, addresses, heads))

    assert said == domain.PeerConnection(
        party=BANK,
        addresses=tuple(addresses),
        heads=tuple(heads),
        server_name=f"{BANK}.gateway.counterfoil",
    )
    named = matters.peer_connection(BANK, addresses, heads, server_name="bank.example")
    found = read(named)
    assert isinstance(found, domain.PeerConnection)
    assert found.server_name == "bank.example"


@pytest.mark.refusal("FORM_REFUSED")
def test_admissions_that_name_nobody_are_refused() -> None:
    for matter, path in [
        (matters.party_admission("bank", "x", "agent-bank"), "party_admission.code"),
        (
            matters.party_admission(BANK, "x", "agent-bank", carrier="bank"),
            "party_admission.carrier",
        ),
        (matters.party_admission(BANK, "", "agent-bank"), "party_admission.name"),
        # A name with an end of a line would look like two lines of a list.
        (matters.party_admission(BANK, "a\nb", "agent-bank"), "party_admission.name"),
        (
            matters.party_admission(BANK, "x", "agent-bank", encoding="UTF-8"),
            "party_admission.encoding",
        ),
        (matters.party_dismissal("bank"), "party_dismissal.code"),
        (matters.peer_disconnection("bank"), "peer_disconnection.party"),
    ]:
        assert path_of(matter) == path
    with pytest.raises(KeyError):
        matters.party_admission(BANK, "x", "bank")


@pytest.mark.refusal("FORM_REFUSED")
def test_a_connection_needs_addresses_and_keys_of_that_very_log(
    heads: list[str], keys: Keys
) -> None:
    at = ["10.0.0.1:7411"]
    foreign = [signer.key.to_text() for signer in keys.heads[FINANCE]]
    for addresses, theirs, path in [
        (at, foreign, "heads"),
        (at, [heads[0], foreign[1]], "heads"),
        (at, [], "heads"),
        (at, [heads[0], heads[0]], "heads"),
        (at, ["no key"], "heads[0]"),
        ([], heads, "addresses"),
        (["10.0.0.1"], heads, "addresses"),
        (["10.0.0.1:70000"], heads, "addresses"),
        ([*at, *at], heads, "addresses"),
    ]:
        found = path_of(matters.peer_connection(BANK, addresses, theirs))
        assert found.removeprefix("peer_connection.").startswith(path.split("[")[0])
    nobody = matters.peer_connection("bank", at, heads)
    assert path_of(nobody) == "peer_connection.party"


def test_a_log_admits_each_party_as_it_was_at_first() -> None:
    rows = [
        signed(matters.party_admission(BANK, "旧名", "agent-bank")).to_bytes(),
        b"\xff",
        signed(matters.party_dismissal(BANK)).to_bytes(),
        signed(matters.party_admission("bank", "x", "agent-bank")).to_bytes(),
        signed(matters.party_admission(BANK, "新名", "agent-bank")).to_bytes(),
        signed(matters.party_admission(FINANCE, "财政厅", "finance")).to_bytes(),
    ]

    admitted = first_admissions(rows)

    assert {code: one.name for code, one in admitted.items()} == {
        BANK: "旧名",
        FINANCE: "财政厅",
    }
