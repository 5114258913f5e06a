"""`counterfoil keys` says of each key where it is and whether it can be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.keys import load_seals
from tests.houses import FINANCE, UNIT, Town

PIN = "73125519"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(directory=tmp_path / "town", carriers=(FINANCE,))


@pytest.fixture
def keys(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> Callable[[], tuple[int, list[str], str]]:
    def show() -> tuple[int, list[str], str]:
        status = cli.main(["keys", "--config", str(town.file(FINANCE))])
        said = capsys.readouterr()
        lines = [one for one in said.out.splitlines() if one.startswith("key ")]
        return status, lines, said.err

    return show


def test_every_key_of_a_gateway_is_shown(
    town: Town, keys: Callable[[], tuple[int, list[str], str]]
) -> None:
    status, lines, _ = keys()

    pki = town.pki
    assert status == cli.DONE
    assert lines == [
        f"key tls file:{pki}/{FINANCE}/gateway-1.key usable",
        f"key seal:{FINANCE} file:{pki}/{FINANCE}/institution-1.key usable",
        f"key seal:{UNIT} file:{pki}/{UNIT}/institution-1.key usable",
        f"key head file:{pki}/{FINANCE}/head-ed25519.key usable",
        f"key head file:{pki}/{FINANCE}/head-ml-dsa-44.key usable",
    ]


def test_the_next_keys_of_the_log_are_shown_as_such(
    town: Town, keys: Callable[[], tuple[int, list[str], str]]
) -> None:
    later = 'ed25519 = "file:e.key"\nmldsa44 = "file:m.key"'
    town.rewrite(FINANCE, "[head]\n", f"[head_next]\n{later}\n[head]\n")

    status, lines, said = keys()

    assert status == cli.USAGE
    assert "4 of the keys above cannot be used" in said
    assert (
        f"key head-next file:{town.directory}/e.key refused: [head_next]: " in lines[5]
    )
    assert (
        f"key head-next file:{town.directory}/m.key refused: [head_next]: " in lines[6]
    )


def test_one_that_cannot_be_used_hides_no_other(
    town: Town, keys: Callable[[], tuple[int, list[str], str]]
) -> None:
    (town.pki / FINANCE / "head-ed25519.key").unlink()
    town.ca.credential(UNIT, "institution", "1").key_file.chmod(0o644)

    status, lines, said = keys()

    assert status == cli.USAGE
    assert "3 of the keys above cannot be used" in said
    assert lines[0].endswith(" usable")
    assert lines[1].endswith(" usable")
    assert f"refused: seal of {UNIT}: others can read it" in lines[2]
    assert "refused: [head]: cannot be opened" in lines[3]
    assert "refused: [head]: cannot be opened" in lines[4]


def test_a_seal_with_another_certificate_is_refused_at_the_start(
    town: Town, keys: Callable[[], tuple[int, list[str], str]]
) -> None:
    theirs = f'certificate = "pki/{UNIT}/institution-1.pem"'
    town.rewrite(
        FINANCE, f'certificate = "pki/{FINANCE}/institution-1.pem"', "# changed"
    )
    town.rewrite(FINANCE, "# changed", theirs)

    status, lines, _ = keys()

    assert status == cli.USAGE
    assert f"seal of {FINANCE}: the certificate is for another key" in lines[1]
    with pytest.raises(ConfigurationRefused, match="for another key"):
        load_seals(town.configuration(FINANCE))


@pytest.mark.clause("wuhai-4a")
@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("seal", "institution-1.key"),
        ("tls", "gateway-1.key"),
        ("head", "head-ed25519.key"),
    ],
)
def test_a_pin_in_the_configuration_is_refused_and_not_repeated(
    town: Town,
    keys: Callable[[], tuple[int, list[str], str]],
    section: str,
    key: str,
) -> None:
    uri = f"pkcs11:token=a?module-path=/a.so&pin-value={PIN}"
    town.rewrite(FINANCE, f"file:pki/{FINANCE}/{key}", uri)

    status, lines, said = keys()
    refused = [one for one in lines if "pkcs11:" in one]

    assert status == cli.USAGE
    assert PIN not in "".join(lines) + said
    assert len(refused) == 1
    assert f"key {section}" in refused[0]
    started = cli.main(["serve", "--config", str(town.file(FINANCE))])
    assert started == cli.USAGE


def test_a_token_serves_for_seals_only(
    town: Town, keys: Callable[[], tuple[int, list[str], str]]
) -> None:
    uri = "pkcs11:token=a?module-path=/a.so"
    town.rewrite(FINANCE, f"file:pki/{FINANCE}/gateway-1.key", uri)
    town.rewrite(FINANCE, f"file:pki/{FINANCE}/head-ed25519.key", uri)

    _, lines, _ = keys()

    for line in (lines[0], lines[3]):
        assert "pkcs11:token=a refused: " in line
        assert "a key in a token serves for seals only" in line
