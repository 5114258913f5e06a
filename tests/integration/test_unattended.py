"""A gateway starts again without a person, wherever its passphrases are kept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from counterfoil.daemon import cli
from tests.houses import BANK, Town, environment

_PASSPHRASE = re.compile(r'"file:(pki/[^"]+\.pass)"')


@dataclass
class Keeper:
    """Where passphrases are kept: changes the configuration and starts the gateway.

    Attributes:
        town: Whose gateway it is.
        variables: More of the environment.
        descriptors: What the gateway inherits.
    """

    town: Town
    variables: dict[str, str] = field(default_factory=dict)
    descriptors: list[int] = field(default_factory=list)

    def keep(self, place: Callable[[Path], str]) -> list[bytes]:
        """Put a reference in place of each passphrase; return what they are."""
        file = self.town.file(BANK)
        kept = []

        def replaced(found: re.Match[str]) -> str:
            secret = self.town.directory / found[1]
            kept.append(secret.read_bytes())
            return f'"{place(secret)}"'

        file.write_text(_PASSPHRASE.sub(replaced, file.read_text()))
        return kept

    def serve(self) -> tuple[int, bytes]:
        """Start the gateway, stop it once it is ready; return status and output."""
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "counterfoil.daemon", "serve"),
                *("--config", str(self.town.file(BANK))),
            ],
            env={**environment(), **self.variables},
            pass_fds=self.descriptors,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            shown = b"".join(
                Path(f"/proc/{process.pid}/{name}").read_bytes()
                for name in ("cmdline", "environ")
                if ready
            )
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=60)
        return process.returncode, ready + shown + log


def _in_files(keeper: Keeper) -> list[bytes]:
    return keeper.keep(lambda secret: f"file:{secret}")


def _in_credentials(keeper: Keeper) -> list[bytes]:
    folder = keeper.town.directory / "credentials"
    folder.mkdir()
    keeper.variables["CREDENTIALS_DIRECTORY"] = str(folder)

    def given(secret: Path) -> str:
        (folder / secret.name).write_bytes(secret.read_bytes())
        # As systemd leaves them.
        (folder / secret.name).chmod(0o400)
        secret.unlink()
        return f"credential:{secret.name}"

    return keeper.keep(given)


def _in_descriptors(keeper: Keeper) -> list[bytes]:
    def opened(secret: Path) -> str:
        number = os.open(secret, os.O_RDONLY)
        keeper.descriptors.append(number)
        return f"fd:{number}"

    return keeper.keep(opened)


@pytest.mark.clause("wuhai-4a")
@pytest.mark.parametrize("kept_in", [_in_files, _in_credentials, _in_descriptors])
def test_a_gateway_starts_again_by_itself(
    tmp_path: Path, kept_in: Callable[[Keeper], list[bytes]]
) -> None:
    keeper = Keeper(Town(directory=tmp_path / "town"))
    keeper.town.initialise(BANK)
    passphrases = kept_in(keeper)
    assert len(passphrases) == 4

    for _ in range(2):
        # Whoever starts it opens the descriptors each time.
        for number in keeper.descriptors:
            os.lseek(number, 0, os.SEEK_SET)
        status, output = keeper.serve()

        assert output.startswith(b"ready\n"), output
        assert status == 0
        assert not [one for one in passphrases if one.strip() in output]
    for number in keeper.descriptors:
        os.close(number)


def test_a_passphrase_that_is_not_there_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = Keeper(Town(directory=tmp_path / "town"))
    keeper.town.initialise(BANK)
    file = keeper.town.file(BANK)
    text = file.read_text()
    for reference, says in (
        ("file:none", "cannot be opened"),
        ("credential:none", "passes no credentials"),
        ("fd:99", "cannot be read: fd:99"),
        ("env:SECRET", "not a reference to a secret"),
    ):
        file.write_text(text)
        keeper.keep(lambda _, reference=reference: reference)  # type: ignore[misc]

        assert cli.main(["serve", "--config", str(file)]) == cli.USAGE

        said = capsys.readouterr()
        assert says in said.err
        assert said.out == ""
