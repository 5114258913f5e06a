"""A gateway whose seal is in a token, and people whose keys are: from end to end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from counterfoil.daemon import cli
from counterfoil.office import (
    Access,
    AsyncDesk,
    Busy,
    Done,
    KeyAway,
    Outcome,
    Patience,
    Person,
    Reference,
    Standing,
    plan_of,
    seal_voucher,
)
from counterfoil.office.registering import read_registration_file
from counterfoil.office.signing import SEAL_TYPE, encode_for_signing
from counterfoil.seal.algorithms import check_with
from counterfoil.seal.token_key import APART_S
from tests.houses import BANK, FINANCE, UNIT, Process, Town, environment, running
from tests.integration.desks import done, reaches, submit, until, write
from tests.integration.papers import Papers, notice
from tests.soft_tokens import Program, SoftToken, TokenStore

pytestmark = pytest.mark.tools


@dataclass
class TokenTown:
    """A town whose bank seals by a token.

    Attributes:
        town: Two gateways, configured.
        token: Holds the bank's seal key, which is nowhere else.
    """

    town: Town
    token: SoftToken

    def configure(self, uri: str, passphrase: str) -> None:
        """Say where the bank's seal key and its PIN are."""
        file = self.town.file(BANK)
        lines = file.read_text().splitlines()
        at = lines.index("[seal]")
        lines[at + 2 : at + 4] = [f'key = "{uri}"', f'passphrase = "{passphrase}"']
        file.write_text("\n".join(lines) + "\n")

    @property
    def uri(self) -> str:
        """The bank's seal key."""
        return self.token.uri("seal")

    def card(self, party: str, use: str, name: str) -> tuple[SoftToken, Path]:
        """Move a caller's key into a token of its own."""
        credential = self.town.ca.credential(party, use, name)
        card = SoftToken(self.token.store, f"{use} {name}")
        card.put(credential.load_key(), "own")
        credential.key_file.unlink()
        return card, credential.chain_file


@pytest.fixture
def house(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TokenTown]:
    store = TokenStore.new(tmp_path / "hsm", program, monkeypatch)
    town = Town(directory=tmp_path / "town", settings={"seal": "workers = 2"})
    seal = town.ca.credential(BANK, "institution", "1")
    made = TokenTown(town, SoftToken(store, "bank seal"))
    made.token.put(seal.load_key(), "seal")
    seal.key_file.unlink()
    made.configure(made.uri, f"file:{made.token.pin_file()}")
    town.initialise()
    yield made
    store.close()


def _family(pid: int) -> list[int]:
    """Return a process and all that it started."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _shown(pid: int) -> bytes:
    """Return what anybody may see of a process: its arguments and environment."""
    return b"".join(
        Path(f"/proc/{one}/{name}").read_bytes()
        for one in _family(pid)
        for name in ("cmdline", "environ")
    )


@pytest.mark.clause("wuhai-4a", "hubei-11")
@pytest.mark.refusal("SEAL_KEY_UNAVAILABLE")
async def test_vouchers_are_sealed_by_a_token_refused_without_it_and_sealed_again(
    house: TokenTown,
) -> None:
    town, pin = house.town, house.token.pin
    process = Process(town=town, party=BANK)
    process.start()
    try:
        async with running(town, FINANCE), town.desk(BANK, total_s=0.1) as desk:
            # More than one worker has to seal.
            vouchers = [notice(number, BANK, UNIT) for number in range(1, 9)]
            answers = await asyncio.gather(
                *(desk.submit([voucher]) for voucher in vouchers)
            )
            for voucher, (answer,) in zip(vouchers, answers, strict=True):
                sent = Reference(voucher.key, done(answer).digest)
                # Finance's gateway has verified the seal by the certificate.
                await reaches(desk, sent, Standing.ARRIVED)
            workers = _family(process.pid)

            house.token.store.take_out()
            for number in (11, 12, 11):
                (refused,) = await desk.submit([notice(number, BANK, UNIT)])
                assert isinstance(refused, Busy), refused
                assert refused.reason == "SEAL_KEY_UNAVAILABLE"
                assert refused.retryable
                assert "the token is not there" in refused.text
                assert refused.text_zh

            house.token.store.put_back()

            async def again() -> Outcome:
                (answer,) = await desk.submit([notice(11, BANK, UNIT)])
                return answer

            await until(again, lambda one: isinstance(one, Done), within_s=4 * APART_S)
            # Nothing ended over it, and what was refused left nothing behind.
            assert _family(process.pid) == workers
            await submit(desk, notice(12, BANK, UNIT))
            assert pin.encode() not in _shown(process.pid)
    finally:
        status = process.stop()
    log = process.log_file.read_text()
    assert status == 0
    assert "a seal's key cannot be used" in log
    assert pin not in log


@pytest.mark.clause("hubei-11")
async def test_a_person_calls_and_reviews_with_a_card(
    house: TokenTown,
) -> None:
    town = house.town
    card, certificate = house.card(FINANCE, "person", "first")
    access = Access.from_token(
        certificate=certificate,
        uri=card.uri("own"),
        authorities=town.pki / "authorities.pem",
        passphrase=f"file:{card.pin_file()}",
    )
    person = Person.of(access)
    async with running(town, FINANCE), town.desk(FINANCE) as system:
        issued = await write(system, Papers().direct_payment())
        first, second = plan_of(issued.reference.key.type_code)[:2]
        seal = seal_voucher(
            issued.payload, first, person, stated_time=datetime.now(UTC)
        )
        top = seal_voucher(
            issued.payload,
            second,
            town.person(FINANCE, "second"),
            stated_time=datetime.now(UTC),
            beneath=[seal],
        )
        address = f"127.0.0.1:{town.ports[FINANCE]}"
        async with AsyncDesk(address, access, Patience(total_s=5.0)) as desk:
            (outcome,) = await desk.review([(issued.reference.digest, seal)])
            done(outcome)
        async with town.desk(FINANCE, "person", "second") as desk:
            (outcome,) = await desk.review([(issued.reference.digest, top)])
            done(outcome)
        (outcome,) = await system.seal([issued.reference.digest], send=False)
        assert done(outcome).standing is Standing.SEALED

    house.token.store.take_out()
    with pytest.raises(KeyAway, match="not there"):
        person.sign(b"message")


async def test_a_command_calls_with_a_card(
    house: TokenTown, capsys: pytest.CaptureFixture[str]
) -> None:
    town = house.town
    card, certificate = house.card(FINANCE, "system", "1")

    def command(uri: str) -> list[str]:
        return [
            *("search", "--address", f"127.0.0.1:{town.ports[FINANCE]}"),
            *("--certificate", str(certificate), "--key", uri),
            *("--passphrase", f"file:{card.pin_file()}"),
            *("--authorities", str(town.pki / "authorities.pem")),
        ]

    async with running(town, FINANCE):
        done = await asyncio.to_thread(cli.main, command(card.uri("own")))
        gone = await asyncio.to_thread(cli.main, command(card.uri("none")))
        told = await asyncio.to_thread(
            cli.main, command(f"{card.uri('own')}&pin-value={card.pin}")
        )

    said = capsys.readouterr()
    assert (done, gone, told) == (cli.DONE, cli.USAGE, cli.USAGE)
    assert "--key: the token has no such private key" in said.err
    assert "a PIN must not stand in a PKCS#11 URI" in said.err
    assert card.pin not in said.out + said.err


@pytest.mark.clause("hubei-11")
def test_two_persons_register_with_cards(
    house: TokenTown, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "posts.reg"

    def caller(name: str) -> list[str]:
        card, certificate = house.card(FINANCE, "person", name)
        return [
            *("--certificate", str(certificate), "--key", card.uri("own")),
            *("--passphrase", f"file:{card.pin_file()}"),
        ]

    proposed = cli.main(
        [
            *("register", "propose", "assign", "--by", FINANCE, "--number", "1"),
            *("--output", str(file), "--holder", f"urn:counterfoil:{FINANCE}:person:x"),
            *("--post", "archivist", *caller("first")),
        ]
    )
    signed = cli.main(["register", "sign", str(file), *caller("second")])

    assert (proposed, signed) == (cli.DONE, cli.DONE), capsys.readouterr().err
    (registration,), certificates = read_registration_file(file.read_bytes())
    assert len(registration.seals) == len(certificates) == 2
    for seal, certificate in zip(registration.seals, certificates, strict=True):
        key = x509.load_der_x509_certificate(certificate).public_key()
        _, check = check_with(key)
        check(seal.signature, encode_for_signing(SEAL_TYPE, seal.statement))


def _by_file(token: SoftToken) -> tuple[str, dict[str, str], tuple[int, ...]]:
    return f"file:{token.pin_file()}", {}, ()


def _by_credential(token: SoftToken) -> tuple[str, dict[str, str], tuple[int, ...]]:
    folder = token.pin_file().parent
    return f"credential:{token.label}.pin", {"CREDENTIALS_DIRECTORY": str(folder)}, ()


def _by_descriptor(token: SoftToken) -> tuple[str, dict[str, str], tuple[int, ...]]:
    opened = os.open(token.pin_file(), os.O_RDONLY)
    return f"fd:{opened}", {}, (opened,)


@pytest.mark.clause("wuhai-4a")
@pytest.mark.parametrize("source", [_by_file, _by_credential, _by_descriptor])
@pytest.mark.parametrize("inside", [False, True], ids=["passphrase", "pin-source"])
def test_the_pin_comes_from_where_passphrases_come(
    house: TokenTown,
    source: Callable[[SoftToken], tuple[str, dict[str, str], tuple[int, ...]]],
    inside: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    reference, variables, descriptors = source(house.token)
    if inside:
        escaped = reference.replace(" ", "%20")
        house.configure(f"{house.uri}&pin-source={escaped}", "none")
    else:
        house.configure(house.uri, reference)

    answer = subprocess.run(
        [
            *(sys.executable, "-m", "counterfoil.daemon", "keys"),
            *("--config", str(house.town.file(BANK))),
        ],
        env={**environment(), **variables},
        pass_fds=descriptors,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for one in descriptors:
        os.close(one)

    lines = answer.stdout.splitlines()
    assert f"key seal:{BANK} pkcs11:token=bank%20seal;object=seal usable" in lines
    assert answer.returncode == 0
    assert house.token.pin not in answer.stdout + answer.stderr


@pytest.mark.clause("wuhai-4a")
def test_a_wrong_pin_is_one_line_and_one_try(
    house: TokenTown, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = house.token.store.directory / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("9182736455")
    command = ["keys", "--config", str(house.town.file(BANK))]
    house.configure(house.uri, f"file:{wrong}")

    first, again = cli.main(command), cli.main(command)

    said = capsys.readouterr()
    assert (first, again) == (cli.USAGE, cli.USAGE)
    lines = [one for one in said.out.splitlines() if one.startswith("key seal:")]
    assert "the PIN is wrong" in lines[0]
    assert "a wrong PIN was entered at the token before" in lines[1]
    assert "1 of the keys above cannot be used" in said.err
    assert "9182736455" not in said.out + said.err
    # A gateway that is started again and again enters none either.
    process = subprocess.run(
        [
            *(sys.executable, "-m", "counterfoil.daemon", "serve"),
            *("--config", str(house.town.file(BANK))),
        ],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == cli.USAGE
    assert "a wrong PIN was entered at the token before" in process.stderr
    assert "9182736455" not in process.stdout + process.stderr


def test_a_certificate_of_another_key_is_refused_at_the_start(
    house: TokenTown, capsys: pytest.CaptureFixture[str]
) -> None:
    other = house.town.ca.credential(FINANCE, "institution", "1")
    house.token.put(other.load_key(), "theirs", "02")
    house.configure(house.token.uri("theirs"), f"file:{house.token.pin_file()}")

    status = cli.main(["serve", "--config", str(house.town.file(BANK))])

    assert status == cli.USAGE
    assert "the certificate is for another key" in capsys.readouterr().err
