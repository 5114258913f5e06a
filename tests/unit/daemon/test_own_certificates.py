"""A gateway does not begin with a certificate that is somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from counterfoil.daemon import cli
from counterfoil.daemon.config import load_configuration
from counterfoil.daemon.keys import load_seals
from counterfoil.daemon.tls import TlsKeeper
from tests.houses import BANK, FINANCE, Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return Town(directory=tmp_path_factory.mktemp("town"), founded=False)


def changed(town: Town, tmp_path: Path, old: str, new: str) -> Path:
    """Return finance's configuration with certificate, key and passphrase of others."""
    text = town.file(FINANCE).read_text("utf-8")
    assert f"pki/{old}." in text
    file = town.directory / f"{tmp_path.name}.toml"
    file.write_text(text.replace(f"pki/{old}.", f"pki/{new}."), "utf-8")
    return file


GATEWAY, SEAL = f"{FINANCE}/gateway-1", f"{FINANCE}/institution-1"


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ((GATEWAY, f"{BANK}/gateway-1"), ("tls.certificate", BANK, "gateway:1")),
        ((GATEWAY, f"{FINANCE}/system-1"), ("tls.certificate", FINANCE, "system:1")),
        (
            (SEAL, f"{BANK}/institution-1"),
            (f"seal of {FINANCE}", BANK, "institution:1"),
        ),
        (
            (SEAL, f"{FINANCE}/person-first"),
            (f"seal of {FINANCE}", FINANCE, "person:first"),
        ),
    ],
)
def test_a_certificate_of_somebody_else_is_refused_before_anything_is_made(
    town: Town,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    new: tuple[str, str],
    says: tuple[str, str, str],
) -> None:
    where, whose, name = says
    needed = f"urn:counterfoil:{FINANCE}:{new[0].split('/')[1].split('-')[0]}:NAME"
    said = f"{where}: it is that of urn:counterfoil:{whose}:{name}; it must bear "
    file = changed(town, tmp_path, *new)

    assert cli.main(["init", "--config", str(file)]) == cli.USAGE
    assert said + needed in capsys.readouterr().err
    assert cli.main(["keys", "--config", str(file)]) == cli.USAGE
    assert said + needed in capsys.readouterr().out
    assert not load_configuration(file).directory.exists()


def test_the_own_certificates_are_taken(town: Town) -> None:
    configuration = load_configuration(town.file(FINANCE))

    assert TlsKeeper(configuration).server is not None
    assert next(seal.party for seal in load_seals(configuration)) == FINANCE
