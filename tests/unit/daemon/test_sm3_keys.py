"""Whether a log has an SM3 tree is said by its key, and refused where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.daemon import cli, keys
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.keys import load_head_signers
from counterfoil.tlog.sm3 import Sm3Unavailable
from tests.houses import FINANCE, Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(directory=tmp_path / "town", carriers=(FINANCE,))


def ask_for_the_tree(town: Town, key: str = "head-ed25519") -> None:
    """Name a key for the heads of an SM3 tree; not of SM2, which needs a library."""
    stem = f"file:pki/{FINANCE}/{key}"
    named = f'[head]\nsm2 = "{stem}.key"\nsm2_passphrase = "{stem}.pass"'
    town.rewrite(FINANCE, "[head]", named)


def test_without_a_key_there_is_no_tree(town: Town) -> None:
    signers = load_head_signers(town.configuration(FINANCE))

    assert signers.sm3 is None
    assert [one.key.name for one in signers.log] == [f"{FINANCE}/log"] * 2


def test_only_an_sm2_key_signs_the_heads_of_an_sm3_tree(town: Town) -> None:
    ask_for_the_tree(town)

    with pytest.raises(ConfigurationRefused, match=r"\[head\]: not an SM2 key"):
        load_head_signers(town.configuration(FINANCE))


@pytest.mark.parametrize("command", ["init", "serve"])
def test_a_machine_without_sm3_is_told_at_the_start(
    town: Town,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if command == "serve":
        town.initialise()
    ask_for_the_tree(town)

    def refuse() -> None:
        raise Sm3Unavailable("SM3 needs another OpenSSL")

    monkeypatch.setattr(keys, "require_sm3", refuse)
    status = cli.main([command, "--config", str(town.file(FINANCE))])

    assert status == cli.USAGE
    assert "[head]: SM3 needs another OpenSSL" in capsys.readouterr().err
    assert (town.state(FINANCE) / "vault").exists() is (command == "serve")
