"""Whoever looks from beside sees the peers that a gateway goes by."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from counterfoil.daemon.config import Configuration, load_configuration
from counterfoil.daemon.known_peers import FILE, known_peers, note_peers
from counterfoil.domain.register import Register
from counterfoil.domain.register_states import PeerState
from counterfoil.domain.registration import PeerConnection
from tests.unit.daemon.test_config import SMALLEST

FINANCE, BANK, OTHER, NEW = "420000-011", "420000-102", "420000-103", "420000-104"
LINES = "".join(
    f"""
[[party]]
code = "{code}"
name = "银行"
kind = "agent-bank"
[[peer]]
party = "{code}"
addresses = ["line:1"]
heads = ["key"]
"""
    for code in (BANK, OTHER)
)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    file = tmp_path / "gateway.toml"
    file.write_text(SMALLEST + LINES, encoding="utf-8")
    made = load_configuration(file)
    made.directory.mkdir()
    return made


def register(*peers: PeerConnection, over: str = "", entry: bytes = b"e") -> Register:
    return Register(
        home=FINANCE,
        carriers={},
        peers={
            one.party: PeerState(peer=one, entry=entry, is_over=one.party == over)
            for one in peers
        },
    )


def peer(code: str) -> PeerConnection:
    return PeerConnection(
        party=code,
        addresses=("registered:1", "registered:2"),
        heads=("new key",),
        server_name="name.example",
    )


def told(configuration: Configuration) -> dict[str, tuple[str, ...]]:
    return {one.party: one.addresses for one in known_peers(configuration)}


def test_without_registered_peers_the_sections_count_and_nothing_is_noted(
    configuration: Configuration,
) -> None:
    note_peers(configuration.directory, register(peer(BANK), entry=b""))

    assert not (configuration.directory / FILE).exists()
    assert told(configuration) == {BANK: ("line:1",), OTHER: ("line:1",)}
    named = {one.server_name for one in known_peers(configuration)}
    assert named == {f"{code}.gateway.counterfoil" for code in (BANK, OTHER)}


def test_a_registered_peer_comes_before_its_section_and_one_that_left_is_gone(
    configuration: Configuration,
) -> None:
    note_peers(configuration.directory, register(peer(BANK), peer(NEW)))

    addresses = ("registered:1", "registered:2")
    assert told(configuration) == {OTHER: ("line:1",), BANK: addresses, NEW: addresses}
    assert known_peers(configuration)[1:] == [peer(BANK), peer(NEW)]
    assert (configuration.directory / FILE).stat().st_mode & 0o777 == 0o600

    note_peers(configuration.directory, register(peer(BANK), peer(NEW), over=BANK))
    assert told(configuration) == {OTHER: ("line:1",), NEW: addresses}


def test_what_has_not_changed_is_not_written_again(
    configuration: Configuration,
) -> None:
    note_peers(configuration.directory, register(peer(BANK)))
    before = (configuration.directory / FILE).stat().st_ino

    note_peers(configuration.directory, register(peer(BANK)))
    assert (configuration.directory / FILE).stat().st_ino == before

    other = replace(peer(BANK), heads=("other key",))
    note_peers(configuration.directory, register(other))
    assert (configuration.directory / FILE).stat().st_ino != before


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "{}",
        "[1]",
        json.dumps([{"party": BANK}]),
        json.dumps(
            [
                {
                    "party": BANK,
                    "addresses": "a:1",
                    "heads": [],
                    "server_name": "",
                    "is_over": False,
                }
            ]
        ),
    ],
)
def test_a_note_that_is_none_is_passed_over(
    configuration: Configuration, text: str
) -> None:
    (configuration.directory / FILE).write_text(text)

    assert told(configuration) == {BANK: ("line:1",), OTHER: ("line:1",)}
