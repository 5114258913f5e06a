"""Gateways of which some seal with SM2 and some with P-256, all over TLS with P-256."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon import cli
from counterfoil.devca.directory import AUTHORITIES, SM2_AUTHORITIES
from counterfoil.domain.seals import Algorithm
from counterfoil.office import (
    DocumentKind,
    Person,
    Reference,
    Standing,
    kind_of,
    plan_of,
    seal_voucher,
)
from counterfoil.office.token_access import open_key
from counterfoil.sealed.v1 import sealed_pb2
from counterfoil.wire.seals import parse_statement
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import (
    accept_at,
    act_on,
    done,
    issue,
    reaches,
    until,
    write,
)
from tests.integration.foreign import ForeignCa
from tests.integration.hand import Hand, outcomes, payload_of, with_payload
from tests.integration.papers import Papers, receipt_of
from tests.integration.test_directory import names
from tests.integration.test_register import connection, run, urn
from tests.tools.test_openssl_verify import COMMANDS

pytestmark = [pytest.mark.tools, pytest.mark.asyncio(loop_scope="module")]

Program: TypeAlias = Callable[[str], Path]

P256, SM2 = Algorithm.ECDSA_P256_SHA256, Algorithm.SM2_SM3
LIMITS: Final = "retry_s_min = 0.05\nretry_s_max = 0.5"
PARTIES: Final = {
    "finance": (FINANCE,),
    "bank": (BANK,),
    "all": (FINANCE, BANK, UNIT),
}


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["finance", "bank", "all"]
)
async def town(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    program: Program,
) -> AsyncIterator[Town]:
    """Run finance's and the bank's gateways, of which one or all seal with SM2."""
    program("libcrypto")
    made = Town(
        directory=tmp_path_factory.mktemp("sm2"),
        sm2=PARTIES[request.param],
        # With all of them in batches, so that one signature stands under many.
        settings={
            "limits": LIMITS,
            "seal": "batch = true" if request.param == "all" else "",
            "trust": "reload_s = 0.1",
        },
    )
    made.initialise()
    async with running(made):
        yield made


@pytest.fixture(scope="module")
def papers() -> Papers:
    return Papers()


def algorithms_of(sealed: bytes) -> list[Algorithm]:
    message = sealed_pb2.Sealed.FromString(sealed)
    return [parse_statement(seal.statement).algorithm for seal in message.seals]


def kind(town: Town, party: str) -> Algorithm:
    return SM2 if party in town.sm2 else P256


@pytest.mark.clause("hubei-20")
async def test_a_payment_goes_and_its_receipt_comes_back(
    town: Town, papers: Papers
) -> None:
    issued = await issue(town, papers.direct_payment())

    async with town.desk(BANK) as bank, town.desk(FINANCE) as finance:
        voucher = await accept_at(bank, issued.reference)
        # A lane's batches may overtake each other; here the order is looked at.
        await reaches(finance, issued.reference, Standing.ACCEPTED)
        await act_on(bank, issued.reference)
        (answered,) = await bank.issue_receipt([receipt_of(issued.reference, voucher)])
        await reaches(finance, issued.reference, Standing.CLOSED)
        ours = await finance.inquire(issued.reference.digest)
        theirs = await bank.inquire(issued.reference.digest)

    assert voucher == issued.voucher
    assert done(answered).standing is Standing.RECEIPTED
    assert [kind_of(sealed) for sealed in ours.documents] == [
        DocumentKind.VOUCHER,
        DocumentKind.ACCEPTANCE,
        DocumentKind.RECEIPT,
    ]
    # These persons seal with the key that they connect with, which is on P-256.
    assert [algorithms_of(sealed) for sealed in ours.documents] == [
        [P256, P256, kind(town, FINANCE)],
        [kind(town, BANK)],
        [kind(town, BANK)],
    ]
    assert ours.documents == theirs.documents


async def test_a_batch_of_notices_is_accepted(town: Town, papers: Papers) -> None:
    notices = [papers.notice() for _ in range(20)]
    async with town.desk(BANK) as bank, town.desk(UNIT) as unit:
        for notice, outcome in zip(notices, await bank.submit(notices), strict=True):
            reference = Reference(notice.key, done(outcome).digest)
            await accept_at(unit, reference)
            await reaches(bank, reference, Standing.ACCEPTED)
        way = await bank.inquire(notices[0].key)

    sealed = [sealed_pb2.Sealed.FromString(one) for one in way.documents]
    assert [algorithms_of(one) for one in way.documents] == [
        [kind(town, BANK)],
        [kind(town, UNIT)],
    ]
    assert sealed[0].seals[0].HasField("batch") is (town.settings["seal"] != "")


@pytest.mark.clause("hubei-11")
async def test_a_changed_byte_is_found_whatever_the_algorithm(
    town: Town, papers: Papers
) -> None:
    hand = Hand(town, BANK)
    (document,) = hand.seal([papers.notice()])
    signature = bytearray(document)
    signature[-1] ^= 1
    payload = payload_of(document)
    changed = payload.replace("武汉光明".encode(), "武汉光民".encode())
    assert changed != payload

    answer = await hand.deliver_one(
        [with_payload(document, changed), bytes(signature), document], at=FINANCE
    )

    assert outcomes(answer) == ["SEAL_FORGED", "SEAL_FORGED", "stored"]
    assert algorithms_of(document) == [kind(town, BANK)]


@pytest.mark.clause("hubei-16")
async def test_a_third_party_judges_it_by_openssl_alone(
    town: Town, papers: Papers, tmp_path: Path, program: Program
) -> None:
    program("openssl")
    (document,) = Hand(town, BANK).seal([papers.notice()])
    answer = await Hand(town, BANK).deliver_one([document], at=FINANCE)
    digest = sha256(payload_of(document)).hexdigest()
    credential = town.ca.credential(UNIT, "system")

    status = await asyncio.to_thread(
        cli.main,
        [
            *("inquire", digest, "--export", str(tmp_path)),
            *("--address", f"127.0.0.1:{town.ports[FINANCE]}"),
            *("--certificate", str(credential.chain_file)),
            *("--key", f"file:{credential.key_file}"),
            *("--passphrase", f"file:{credential.pass_file}"),
            *("--authorities", str(town.pki / "authorities.pem")),
        ],
    )
    (payload,) = tmp_path.glob("*/payload.bin")  # noqa: ASYNC240 - nobody else waits
    export = payload.parent
    roots = [town.pki / "root.pem", town.pki / "sm2-root.pem"]
    (export / "root.pem").write_bytes(b"".join(one.read_bytes() for one in roots))
    verdict = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-eu", "-o", "pipefail", "-c", COMMANDS],
        cwd=export,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (outcomes(answer), status) == (["stored"], cli.DONE)
    assert verdict.returncode == 0, verdict.stderr
    assert verdict.stdout.endswith("1 seals hold\n")
    assert algorithms_of(document) == [kind(town, BANK)]


async def test_the_keys_that_are_used_are_shown(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    status = await asyncio.to_thread(
        cli.main, ["keys", "--config", str(town.file(FINANCE))]
    )

    shown = capsys.readouterr().out
    assert status == cli.DONE
    assert f" urn:counterfoil:{FINANCE}:institution:1 " in shown
    assert " CN=counterfoil development sm2 authority " in shown


async def test_a_lost_sm2_seal_is_worth_nothing_from_that_instant(
    tmp_path: Path, papers: Papers, program: Program
) -> None:
    program("libcrypto")
    town = Town(
        directory=tmp_path / "town",
        sm2=(BANK,),
        settings={"limits": LIMITS, "trust": "reload_s = 0.1"},
    )
    town.initialise(FINANCE)
    async with running(town, FINANCE):
        hand = Hand(town, BANK)
        # What is known stays known, so each delivery brings one more.
        before, *behind = hand.seal([papers.notice() for _ in range(100)])
        later = iter(behind)
        first = await hand.deliver_one([before], at=FINANCE)
        town.ca.revoke(
            town.ca.credential(BANK, "institution").certificate, at=datetime.now(UTC)
        )

        async def deliver() -> list[str]:
            await asyncio.sleep(0.2)
            return outcomes(await hand.deliver_one([next(later)], at=FINANCE))

        last = await until(deliver, lambda told: told != ["stored"])
        async with town.desk(UNIT) as unit:
            way = await unit.inquire(sha256(payload_of(before)).digest())

    assert outcomes(first) == ["stored"]
    assert last == ["SEAL_FORGED"]
    # What arrived before stays what it was.
    assert way.documents == (before,)


async def test_who_does_not_trust_the_sm2_root_takes_none_of_its_seals(
    tmp_path: Path, papers: Papers, program: Program
) -> None:
    program("libcrypto")
    town = Town(directory=tmp_path / "town", sm2=(BANK,), settings={"limits": LIMITS})
    pem = [(town.pki / f"{name}.pem").read_bytes() for name in AUTHORITIES]
    (town.pki / "authorities.pem").write_bytes(b"".join(pem))
    town.rewrite(FINANCE, ", 'pki/sm2-root.crl', 'pki/sm2-authority.crl'", "")
    town.initialise(FINANCE)
    async with running(town, FINANCE):
        hand = Hand(town, BANK)
        request = hand.request(hand.seal([papers.notice()]))
        # Even when the authorities come along: only a root that is trusted counts.
        request.certificates.extend(
            x509.load_pem_x509_certificate(
                (town.pki / f"{name}.pem").read_bytes()
            ).public_bytes(Encoding.DER)
            for name in SM2_AUTHORITIES
        )
        (answer,) = await hand.deliver([request], at=FINANCE)

    assert outcomes(answer) == ["SEAL_FORGED"]


@pytest.mark.clause("hubei-11", "hubei-13", "hubei-20")
@pytest.mark.parametrize("stated", [True, False])
async def test_a_person_calls_with_p256_and_seals_with_a_national_sm2_card(
    tmp_path: Path,
    papers: Papers,
    program: Program,
    capsys: pytest.CaptureFixture[str],
    stated: bool,  # noqa: FBT001 - whether the card bears a name of ours
) -> None:
    program("libcrypto")
    town = Town(directory=tmp_path / "town", settings={"limits": LIMITS})
    national = ForeignCa.trusted_in(town, "national", "sm2")
    holder = urn(FINANCE, "person", "first")
    card = national.issue(
        FINANCE,
        "person",
        "first-card",
        algorithm="sm2",
        stated=holder if stated else None,
    )
    chain = card.chain_file.read_bytes()
    key = open_key(f"file:{card.key_file}", f"file:{card.pass_file}", chain)
    person = Person.with_key(chain, key)
    town.initialise()
    async with running(town), town.desk(BANK) as bank, town.desk(FINANCE) as desk:
        if not stated:
            listed = await names(town, tmp_path / "name", card, holder, BANK)
            assert listed == cli.DONE
        issued = await write(desk, papers.direct_payment())
        first, second = plan_of(issued.reference.key.type_code)[:2]
        now = datetime.now(UTC)
        one = seal_voucher(issued.payload, first, person, stated_time=now)
        other = seal_voucher(
            issued.payload,
            second,
            town.person(FINANCE, "second"),
            stated_time=now,
            beneath=[one],
        )
        async with town.desk(FINANCE, "person", "first") as own:
            (outcome,) = await own.review(
                [(issued.reference.digest, one)], certificates=[person.certificate]
            )
            done(outcome)
        async with town.desk(FINANCE, "person", "second") as own:
            done((await own.review([(issued.reference.digest, other)]))[0])
        done((await desk.seal([issued.reference.digest], send=True))[0])
        assert await accept_at(bank, issued.reference) == issued.voucher
        way = await bank.inquire(issued.reference.digest)
    assert algorithms_of(way.documents[0]) == [SM2, P256, P256]
    status = [
        await asyncio.to_thread(
            cli.main, ["vault", "verify", "--config", str(town.file(party))]
        )
        for party in (FINANCE, BANK)
    ]
    assert status == [cli.DONE, cli.DONE]
    assert capsys.readouterr().err.count(": no findings") == 2


@pytest.mark.clause("hubei-13")
async def test_a_registration_is_signed_with_sm2(
    tmp_path: Path, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    program("libcrypto")
    town = Town(directory=tmp_path / "town")
    national = ForeignCa.trusted_in(town, "national", "sm2")
    holder = urn(FINANCE, "person", "officer")
    card = national.issue(
        FINANCE, "person", "officer-card", algorithm="sm2", stated=holder
    )
    town.initialise(FINANCE)
    file = str(tmp_path / "check")
    signing = [
        *("--certificate", str(card.chain_file)),
        *("--key", f"file:{card.key_file}", "--passphrase", f"file:{card.pass_file}"),
    ]
    async with running(town, FINANCE):
        made = await run(
            *("register", "propose", "check", "--about", "seals", "--finding", "fine"),
            *("--by", FINANCE, "--number", "check-1", "--output", file, *signing),
        )
        by = connection(town, FINANCE, "officer")
        handed_in = await run("register", "submit", file, *by)
    assert (made, handed_in) == (cli.DONE, cli.DONE)
    assert "registered\t" in capsys.readouterr().out


async def test_a_vault_with_both_is_verified(
    tmp_path: Path, papers: Papers, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    program("libcrypto")
    town = Town(directory=tmp_path / "town", sm2=(FINANCE,))
    town.initialise()
    async with running(town):
        issued = await issue(town, papers.direct_payment())
        async with town.desk(BANK) as bank, town.desk(FINANCE) as finance:
            await accept_at(bank, issued.reference)
            await reaches(finance, issued.reference, Standing.ACCEPTED)

    status = [
        await asyncio.to_thread(
            cli.main, ["vault", "verify", "--config", str(town.file(party))]
        )
        for party in (FINANCE, BANK)
    ]

    assert status == [cli.DONE, cli.DONE]
    assert capsys.readouterr().err.count(": no findings") == 2
