"""Every command of docs/operators.md, run as it stands there against a gateway."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.houses import BANK, UNIT, Process, Town
from tests.integration.desks import submit
from tests.integration.papers import notice

pytestmark = pytest.mark.tools

DOCUMENT = Path(__file__).parents[2] / "docs/operators.md"
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

Program = Callable[[str], Path]


def _commands() -> list[tuple[str, list[str]]]:
    """Return each command of the document and the lines that it must answer."""
    found: list[tuple[str, list[str]]] = []
    for kind, text in _BLOCK.findall(DOCUMENT.read_text("utf-8")):
        if kind == "sh":
            found.append((text, []))
        else:
            found[-1][1].extend(text.splitlines())
    return found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Run the bank's gateway; one notice waits for a peer that is not there."""
    made = Town(directory=tmp_path_factory.mktemp("operators"))
    made.initialise(BANK)
    process = Process(town=made, party=BANK)
    process.start()

    async def wait() -> None:
        async with made.desk(BANK) as desk:
            await submit(desk, notice(1, BANK, UNIT))

    asyncio.run(wait())
    yield made
    process.stop()


def _run(
    town: Town, program: Program, command: str
) -> subprocess.CompletedProcess[str]:
    credential = town.ca.credential(BANK, "person", "manager")
    folders = [str(program(name).parent) for name in ("grpcurl", "buf", "openssl")]
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env={
            **os.environ,
            "PATH": os.pathsep.join([*folders, os.environ["PATH"]]),
            "ADDRESS": f"localhost:{town.ports[BANK]}",
            "AUTHORITIES": str(town.pki / "authorities.pem"),
            "CERTIFICATE": str(credential.chain_file),
            "KEY": str(credential.key_file),
            "PASSPHRASE": str(credential.pass_file),
            "PLAIN": str(town.directory / "plain.pem"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.clause("hubei-18")
def test_every_command_of_the_document_answers_as_it_says(
    program: Program, town: Town
) -> None:
    commands = _commands()
    assert len(commands) >= 13

    for command, expected in commands:
        answer = _run(town, program, command)
        came = (answer.stdout + answer.stderr).splitlines()
        assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"
        missing = [
            line
            for line in expected
            if not any(line.strip().rstrip(",") in one for one in came)
        ]
        assert missing == [], f"{command}\n{answer.stdout}{answer.stderr}"

    # Nothing of the key is left when the last command is done.
    assert not (town.directory / "plain.pem").exists()


def test_without_a_certificate_neither_tool_gets_an_answer(
    program: Program, town: Town
) -> None:
    for command in (
        'grpcurl -connect-timeout 5 -cacert "$AUTHORITIES" "$ADDRESS" list',
        (
            'buf curl --protocol grpc --cacert "$AUTHORITIES" --data "{}" '
            '"https://$ADDRESS/counterfoil.registry.v1.RegistryService/ListPeers"'
        ),
    ):
        answer = _run(town, program, command)

        assert answer.returncode != 0
        assert "counterfoil.desk" not in answer.stdout
        assert "peers" not in answer.stdout


def test_a_refusal_shows_its_reason_and_the_chinese_text(
    program: Program, town: Town
) -> None:
    unlock, *_ = _commands()
    assert _run(town, program, unlock[0]).returncode == 0

    answer = _run(
        town,
        program,
        'grpcurl -cacert "$AUTHORITIES" -cert "$CERTIFICATE" -key "$PLAIN" '
        '-format-error -d "{\\"page_token\\": \\"x\\"}" "$ADDRESS" '
        "counterfoil.desk.v1.DeskService/Search",
    )

    assert answer.returncode == 67
    assert '"reason": "PAGE_TOKEN_REFUSED"' in answer.stderr
    assert "翻页标记无效" in answer.stderr
