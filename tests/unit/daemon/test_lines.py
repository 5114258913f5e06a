"""Beside a register a configuration may repeat what it says, never contradict it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from counterfoil.daemon.alerts import FILE, AlertCode, Alerts, read_watch_file
from counterfoil.daemon.beginnings import beginning, registry_of, renew
from counterfoil.daemon.config import (
    Configuration,
    ConfigurationRefused,
    load_configuration,
)
from counterfoil.daemon.lines import contradictions, peers_of, require_lines
from counterfoil.daemon.lines_watch import LinesWatch
from counterfoil.domain.catalogue import PartyKind
from counterfoil.domain.register import Register
from counterfoil.domain.register_states import PartyState, PeerState
from counterfoil.domain.registry import Party
from counterfoil.office import matters, registering
from counterfoil.vault.vault import EngineVault
from tests.unit.app.house import Keys
from tests.unit.daemon.test_config import SMALLEST

FINANCE, BANK, UNIT, NEW = (
    "420000-011",
    "420000-102",
    "420000-101001",
    "420000-103",
)
ENTRY = b"e" * 32
BANK_LINES = f"""
[[party]]
code = "{BANK}"
name = "银行"
kind = "agent-bank"
[[peer]]
party = "{BANK}"
addresses = ["bank:1"]
heads = []
"""
CODE = AlertCode.CONFIGURATION_CONTRADICTED


@pytest.fixture(scope="module")
def lines() -> str:
    """Return a bank and its gateway, as a configuration names them."""
    heads = [signer.key.to_text() for signer in Keys.new().heads[BANK]]
    return BANK_LINES.replace("heads = []", f"heads = {heads!r}")


def configured(directory: Path, more: str = "") -> Configuration:
    file = directory / "gateway.toml"
    founding = "[register]\nfounding = 'f'\n"
    file.write_text(f"{SMALLEST}\n{founding}{more}\n", encoding="utf-8")
    return load_configuration(file)


def logged(*admissions: matters.Matter) -> list[bytes]:
    """Return registrations as a log has them; nobody judges their signatures here."""
    now = datetime(2026, 11, 27, tzinfo=UTC)
    return [
        registering.registration(FINANCE, f"{at}", one, stated_time=now).to_bytes()
        for at, one in enumerate(admissions)
    ]


def admission(code: str = BANK, carrier: str = "") -> matters.Matter:
    return matters.party_admission(code, "银行", "agent-bank", carrier=carrier)


def registered(register: Register, *codes: str) -> Register:
    """Return a register in which registrations say the same of some."""
    return replace(
        register,
        parties={
            code: replace(one, entry=ENTRY if code in codes else b"")
            for code, one in register.parties.items()
        },
        peers={
            code: replace(one, entry=ENTRY if code in codes else b"")
            for code, one in register.peers.items()
        },
    )


def told(configuration: Configuration, register: Register) -> Sequence[str]:
    return list(contradictions(configuration, register))


def test_what_no_registration_names_is_the_configurations(
    tmp_path: Path, lines: str
) -> None:
    configuration = configured(tmp_path, lines)

    register = beginning(configuration, [])

    assert register.carriers == {FINANCE: FINANCE, BANK: BANK}
    assert register.peers == {BANK: PeerState(peer=peers_of(configuration)[BANK])}
    assert [one.entry for one in register.parties.values()] == [b"", b""]
    assert told(configuration, register) == []
    require_lines(configuration, register)


def test_a_line_that_says_the_same_may_stay(tmp_path: Path, lines: str) -> None:
    configuration = configured(tmp_path, lines)
    register = registered(beginning(configuration, []), BANK)

    assert told(configuration, register) == []
    require_lines(configuration, register)


def test_a_line_that_says_otherwise_is_refused_and_told_with_its_keys(
    tmp_path: Path, lines: str
) -> None:
    configuration = configured(tmp_path, lines)
    register = registered(beginning(configuration, []), BANK)
    party, peer = register.parties[BANK], register.peers[BANK]
    renamed = replace(
        register,
        parties={
            **register.parties,
            BANK: replace(party, party=replace(party.party, name="又名", carrier=NEW)),
        },
        peers={BANK: replace(peer, peer=replace(peer.peer, heads=("k",)))},
    )

    assert told(configuration, renamed) == [
        f"party {BANK}: registered with other carrier, name; take its section out",
        f"peer {BANK}: registered with other heads; take its section out",
    ]
    with pytest.raises(ConfigurationRefused, match=r"other carrier, name.*other heads"):
        require_lines(configuration, renamed)


def test_a_line_of_somebody_who_left_is_refused(tmp_path: Path, lines: str) -> None:
    configuration = configured(tmp_path, lines)
    register = registered(beginning(configuration, []), BANK)
    left = replace(
        register,
        parties={
            **register.parties,
            BANK: replace(register.parties[BANK], is_over=True),
        },
        peers={BANK: replace(register.peers[BANK], is_over=True)},
    )

    assert told(configuration, left) == [
        f"party {BANK}: a registration ended it; take its section out",
        f"peer {BANK}: a registration ended it; take its section out",
    ]
    with pytest.raises(ConfigurationRefused, match="ended it"):
        require_lines(configuration, left)


def test_where_the_own_party_is_registered_no_line_names_anybody_else(
    tmp_path: Path, lines: str
) -> None:
    configuration = configured(tmp_path, lines)
    log = logged(admission(FINANCE))

    register = beginning(configuration, log)

    assert register.carriers == {FINANCE: FINANCE}
    assert (register.parties, register.peers) == ({}, {})
    home = Party(code=FINANCE, name="财政", kind=PartyKind.FINANCE, carrier=FINANCE)
    alone = replace(register, parties={FINANCE: PartyState(party=home, entry=ENTRY)})
    says = "the register alone says who takes part, and does not name it"
    assert told(configuration, alone)[-2:] == [
        f"party {BANK}: {says}; take its section out",
        f"peer {BANK}: {says}; take its section out",
    ]
    with pytest.raises(ConfigurationRefused):
        require_lines(configuration, alone)


def test_a_register_is_judged_again_without_the_lines_that_it_began_with(
    tmp_path: Path, lines: str
) -> None:
    log = logged(admission(), admission(UNIT, FINANCE), admission(NEW, BANK))

    for more in ("", lines):
        register = beginning(configured(tmp_path, more), log)
        # Who carries for whom, from the first leaf on; but not that they take part.
        assert register.carriers == {
            FINANCE: FINANCE,
            BANK: BANK,
            UNIT: FINANCE,
            NEW: BANK,
        }
        assert BANK not in register.parties


def test_whoever_is_named_must_be_known_by_one_of_the_two(tmp_path: Path) -> None:
    hosted = f"[[hosted]]\nparty = '{UNIT}'\ncertificate = 'c'\nkey = 'k'"
    configuration = configured(tmp_path, hosted)
    register = beginning(configuration, [])

    with pytest.raises(ConfigurationRefused, match=f"{UNIT}: is named but has no"):
        require_lines(configuration, register)
    unit = Party(code=UNIT, name="单位", kind=PartyKind.BUDGET_UNIT, carrier=FINANCE)
    state = PartyState(party=unit, entry=ENTRY)
    require_lines(
        configuration, replace(register, parties={**register.parties, UNIT: state})
    )


def test_a_log_key_that_is_none_is_refused_before_anything_listens(
    tmp_path: Path,
) -> None:
    configuration = configured(tmp_path, BANK_LINES)

    with pytest.raises(ConfigurationRefused, match="at least one log key"):
        require_lines(configuration, beginning(configuration, []))


def test_all_who_hold_the_registry_go_by_the_register_of_now(
    tmp_path: Path, lines: str
) -> None:
    register = beginning(configured(tmp_path, lines), [])
    registry = registry_of(register)
    assert registry.hosted == {FINANCE}
    assert not registry.disconnected
    unit = Party(code=UNIT, name="单位", kind=PartyKind.BUDGET_UNIT, carrier=FINANCE)
    cut = replace(register.peers[BANK], is_over=True)

    renew(
        registry,
        replace(
            register,
            parties={**register.parties, UNIT: PartyState(party=unit, entry=ENTRY)},
            peers={BANK: cut},
        ),
    )

    assert registry.hosted == {FINANCE, UNIT}
    assert registry.disconnected == {BANK}
    assert registry.party(UNIT) == unit


def test_a_registration_that_leaves_the_configuration_behind_is_told_at_once(
    tmp_path: Path, lines: str
) -> None:
    class Shelf:
        """A vault of which only the register counts."""

        register: Register

    configuration = configured(tmp_path, lines)
    shelf, alerts = Shelf(), Alerts.load(tmp_path)
    watch = LinesWatch(lambda: configuration, cast(EngineVault, shelf), alerts)
    shelf.register = agreeing = registered(beginning(configuration, []), BANK)
    watch.check()
    assert not (tmp_path / FILE).exists()

    peer = agreeing.peers[BANK]
    shelf.register = replace(agreeing, peers={BANK: replace(peer, is_over=True)})
    watch.check()

    assert alerts.about(CODE) == [f"peer {BANK}"]
    (kept,) = read_watch_file(tmp_path / FILE)[0].values()
    assert kept["detail"] == "a registration ended it; take its section out"
    shelf.register = agreeing
    watch.check()
    assert alerts.about(CODE) == []
    assert read_watch_file(tmp_path / FILE)[0] == {}
