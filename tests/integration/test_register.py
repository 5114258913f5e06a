"""The register on running gateways: changed by signatures, in force at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon import cli, register_command
from counterfoil.daemon.gateway import Gateway
from counterfoil.daemon.register_matters import CONCERNS_OTHERS, NOBODY
from counterfoil.domain.register import Register
from counterfoil.office import DeskRefused, Standing, matters, registering
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.seal.certificates import load_pem_chain
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import reaches, reason_of, submit
from tests.integration.papers import notice
from tests.unit.seal.makers import twin_of

pytestmark = pytest.mark.slow


def urn(party: str, use: str, name: str) -> str:
    return f"urn:counterfoil:{party}:{use}:{name}"


def key(town: Town, party: str, name: str) -> list[str]:
    """Return the options by which a person signs."""
    credential = town.ca.credential(party, "person", name)
    return [
        *("--certificate", str(credential.chain_file)),
        *("--key", f"file:{credential.key_file}"),
        *("--passphrase", f"file:{credential.pass_file}"),
    ]


def connection(town: Town, party: str, name: str) -> list[str]:
    """Return the options by which a person calls the gateway."""
    return [
        *key(town, party, name),
        *("--address", f"127.0.0.1:{town.ports[town.carrier_of(party)]}"),
        *("--authorities", str(town.pki / "authorities.pem")),
    ]


async def run(*arguments: str) -> int:
    return await asyncio.to_thread(cli.main, arguments)


async def registers(town: Town, file: Path, *options: str, by: str = FINANCE) -> int:
    """Propose, let two persons sign, and hand in; return the exit status."""
    matter, first, second, *rest = options
    output = ("--output", str(file))
    number = ("--number", f"{matter}-{file.name}")
    if matter in CONCERNS_OTHERS and "--told" not in rest:
        rest += ("--told", NOBODY)
    with pytest.MonkeyPatch.context() as patch:
        # It is the gateway that must refuse: whoever signs may use another program.
        patch.setattr(register_command, "_check_form", lambda *_: None)
        done = await run(
            *("register", "propose", matter, "--by", by, *number, *output, *rest),
            *key(town, by, first),
        )
    assert done == cli.DONE
    if second:
        assert await run("register", "sign", str(file), *key(town, by, second)) == 0
    return await run("register", "submit", str(file), *connection(town, by, first))


async def becomes(gateway: Gateway, what: Callable[[Register], bool]) -> Register:
    """Wait until something stands registered."""
    vault = gateway._vault
    register = vault.register
    async with asyncio.timeout(20):
        while not what(register):
            register = await vault.register_changed(register)
    return register


@pytest.mark.clause("hubei-24", "hubei-36")
async def test_a_post_is_given_by_two_and_opens_the_desk(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town.ca.issue(FINANCE, "person", "newcomer", now=datetime.now(UTC))
    holder = ("--holder", urn(FINANCE, "person", "newcomer"))
    post = ("--post", "first-reviewer")
    async with running(town, FINANCE):
        show = ("register", "show", *connection(town, FINANCE, "newcomer"))
        assert await run(*show) == cli.REFUSED
        assert "POST_REFUSED" in capsys.readouterr().err
        # The system manager alone, whoever hands it in.
        alone = tmp_path / "alone"
        assert (
            await registers(town, alone, "assign", "manager", "", *holder, *post) == 1
        )
        assert "SIGNERS_REFUSED" in capsys.readouterr().err
        twice = tmp_path / "twice"
        assert (
            await registers(town, twice, "assign", "manager", "manager", *holder, *post)
            == 1
        )
        assert "SAME_PERSON" in capsys.readouterr().err

        both = tmp_path / "both"
        assert (
            await registers(
                town, both, "assign", "manager", "supervisor", *holder, *post
            )
            == cli.DONE
        )

        out = capsys.readouterr().out
        assert "post_assignment" in out
        assert "registered\t" in out
        assert await run(*show) == cli.DONE
        line = f"post\t{urn(FINANCE, 'person', 'newcomer')}\tfirst-reviewer"
        assert line in capsys.readouterr().out
        # The same again is known and changes nothing.
        again = ("register", "submit", str(both), *connection(town, FINANCE, "officer"))
        assert await run(*again) == cli.DONE
        assert capsys.readouterr().out.startswith("known\t")
        listing = ("register", "list", "--json", *connection(town, FINANCE, "officer"))
        assert await run(*listing) == cli.DONE
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert rows[0]["matter"] == "founding"
        assert rows[-1]["says"] == {
            "holder": urn(FINANCE, "person", "newcomer"),
            "post": "POST_FIRST_REVIEWER",
        }


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
async def test_a_loss_is_told_at_once_and_refused_everywhere(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(town, FINANCE, BANK) as gateways, town.desk(BANK) as bank:
        before = await submit(bank, notice(1, BANK, UNIT))
        await reaches(bank, before, Standing.ARRIVED)
        seal = town.ca.credential(BANK, "institution").chain_file

        lose = ("register", "lose", "--by", BANK, "--of", str(seal))
        assert await run(*lose, *connection(town, BANK, "second")) == cli.DONE
        known = sorted({town.carrier_of(party) for party in town.parties} - {BANK})
        assert capsys.readouterr().out.endswith(f"told\t{','.join(known)}\n")

        # Here the seal is worthless with the leaf, there as soon as the notice arrives.
        (refused,) = await bank.submit([notice(2, BANK, UNIT)])
        assert isinstance(refused, DeskRefused)
        assert refused.reason == "CERTIFICATE_LOST"
        told = await becomes(gateways[FINANCE], lambda now: bool(now.voided))
        (void,) = told.voided.values()
        assert void.holder.to_urn() == urn(BANK, "institution", "1")
        # What it sealed before stays where it was.
        await reaches(bank, before, Standing.ARRIVED)


async def test_a_field_at_fault_is_named_to_whoever_hands_it_in(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    people = [town.person(FINANCE, name) for name in ("manager", "supervisor")]
    # As a program of somebody else's may write it; `propose` would not.
    wrong = registering.registration(
        FINANCE, "wrong", matters.post_assignment("li", "archivist"), stated_time=now
    )
    for one in people:
        wrong = wrong.signed(one, stated_time=now)
    file = tmp_path / "wrong"
    certificates = [one.certificate for one in people]
    file.write_bytes(registering.registration_file([wrong], certificates))
    async with running(town, FINANCE):
        submit = ("register", "submit", str(file))
        assert await run(*submit, *connection(town, FINANCE, "officer")) == cli.REFUSED

    told = capsys.readouterr().err
    assert "FORM_REFUSED: " in told
    assert "\n  post_assignment.holder: not an identity URN (不是身份标识)\n" in told


async def test_a_loss_is_said_by_whom_it_concerns_and_told_to_others_again(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal = str(town.ca.credential(FINANCE, "institution").chain_file)
    theirs = str(town.ca.credential(BANK, "institution").chain_file)
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    call = connection(town, FINANCE, "second")
    async with running(town, FINANCE) as gateways:
        before = gateways[FINANCE]._vault.register

        async def lose(*options: str) -> tuple[int, str, str]:
            status = await run("register", "lose", "--by", *options, *call)
            return status, *capsys.readouterr()

        for options, expected, says in (
            ((FINANCE, "--of", theirs), 1, "MATTER_FOREIGN"),
            ((BANK, "--of", theirs), 1, "NOT_THE_ISSUER"),
            (("330000-011", "--of", seal), cli.USAGE, "no party 330000-011"),
            ((FINANCE, "--of", seal, "--told", "330000-011"), 1, "PARTY_UNKNOWN"),
            ((FINANCE, "--of", str(broken)), cli.USAGE, "lose: "),
            ((FINANCE, "--of", str(tmp_path / "none")), cli.REFUSED, "none: "),
        ):
            status, out, err = await lose(*options)
            assert (status, out) == (expected, "")
            assert says in err
        assert gateways[FINANCE]._vault.register is before

        status, out, _ = await lose(FINANCE, "--of", seal, "--told", BANK)
        assert status == cli.DONE
        assert out.startswith("registered\t")
        assert out.endswith(f"told\t{BANK}\n")
        # The same again is known; under another number it tells, and changes nothing.
        leaf = out.split("\t")[1]
        status, out, _ = await lose(FINANCE, "--of", seal, "--told", BANK)
        assert status == cli.DONE
        assert out.startswith(f"known\t{leaf}\t")
        assert out.endswith(f"told\t{BANK}\n")
        (void,) = gateways[FINANCE]._vault.register.voided.values()
        status, out, _ = await lose(FINANCE, "--of", seal, "--number", "again")
        assert (status, out.splitlines()[-1]) == (cli.DONE, f"told\t{BANK}")
        assert (*gateways[FINANCE]._vault.register.voided.values(),) == (void,)
        # What was said of another certificate under that number does not pass for it.
        other = str(town.ca.credential(FINANCE, "system", "1").chain_file)
        status, out, err = await lose(FINANCE, "--of", other, "--number", "again")
        assert (status, out) == (1, "")
        assert "REGISTRATION_NUMBER_REUSED" in err
        assert (*gateways[FINANCE]._vault.register.voided.values(),) == (void,)


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
async def test_the_calls_of_a_lost_key_are_cut(town: Town, tmp_path: Path) -> None:
    credential = town.ca.credential(FINANCE, "system", "1")
    async with running(town, FINANCE), town.channel(FINANCE) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        await stub.ListParties(registry_pb2.ListPartiesRequest())
        desk = town.desk(FINANCE, total_s=5.0)
        changes = desk.watch(idle_s=20.0)
        watching = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0.3)

        await registers(
            town, tmp_path / "loss", "lose", "officer", "",
            "--of", str(credential.chain_file),
        )  # fmt: skip

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ListParties(registry_pb2.ListPartiesRequest())
        assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
        with pytest.raises(DeskRefused) as cut:
            await watching
        assert cut.value.reason == "CERTIFICATE_LOST"
        await desk.close()


@pytest.mark.clause("hubei-14")
@pytest.mark.refusal("CERTIFICATE_LOST")
async def test_a_lost_certificate_does_not_call_in_other_bytes(
    town: Town, tmp_path: Path
) -> None:
    credential = town.ca.credential(FINANCE, "system", "1")
    ours = tmp_path / "ours.pem"
    ours.write_bytes(credential.chain_file.read_bytes())
    # What whoever has the key can do: the authority's signature holds all the same.
    first, *authorities = load_pem_chain(ours.read_bytes())
    thief = [
        x509.load_der_x509_certificate(one) for one in (twin_of(first), *authorities)
    ]
    credential.chain_file.write_bytes(
        b"".join(one.public_bytes(Encoding.PEM) for one in thief)
    )
    async with running(town, FINANCE), town.channel(FINANCE) as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        await stub.ListParties(registry_pb2.ListPartiesRequest())

        lost = ("--of", str(ours))
        await registers(town, tmp_path / "loss", "lose", "officer", "", *lost)

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ListParties(registry_pb2.ListPartiesRequest())
        assert reason_of(caught.value) == "CERTIFICATE_LOST"


@pytest.mark.clause("hubei-6")
@pytest.mark.refusal("AGREEMENT_SUSPENDED")
async def test_a_suspended_agreement_stops_both_sides(
    town: Town, tmp_path: Path
) -> None:
    async with running(town, FINANCE, BANK) as gateways, town.desk(BANK) as bank:
        register = gateways[BANK]._vault.register
        digest = next(
            digest
            for digest, state in register.agreements.items()
            if set(state.agreement.parties) == {UNIT, BANK}
        )
        options = ("--digest", digest.hex(), "--told", BANK)

        done = await registers(
            town, tmp_path / "stop", "suspend", "supervisor", "", *options
        )
        assert done == cli.DONE

        theirs = gateways[BANK]
        await becomes(theirs, lambda now: bool(now.agreements[digest].suspended_by))
        (refused,) = await bank.submit([notice(1, BANK, UNIT)])
        assert isinstance(refused, DeskRefused)
        assert refused.reason == "AGREEMENT_SUSPENDED"

        resumed = await registers(
            town, tmp_path / "go", "resume", "officer", "supervisor", *options
        )
        assert resumed == cli.DONE
        await becomes(theirs, lambda now: not now.agreements[digest].suspended_by)
        again = await submit(bank, notice(2, BANK, UNIT))
        await reaches(bank, again, Standing.ARRIVED)


async def test_a_seal_is_renewed_by_three_persons(town: Town, tmp_path: Path) -> None:
    new = town.ca.issue(FINANCE, "institution", "2", now=datetime.now(UTC))
    holder = ("--holder", urn(FINANCE, "institution", "2"))
    of = ("--of", str(new.chain_file))
    async with running(town, FINANCE) as gateways:
        applied = tmp_path / "apply"
        assert (
            await registers(town, applied, "apply", "manager", "", *holder, *of)
            == cli.DONE
        )
        (digest,) = gateways[FINANCE]._vault.register.certificates
        about = ("--digest", digest.hex())
        early = tmp_path / "early"
        assert await registers(town, early, "activate", "manager", "", *about, *of) == 1
        approve = tmp_path / "approve"
        assert (
            await registers(town, approve, "approve", "officer", "", *about) == cli.DONE
        )
        assert (
            await registers(
                town, tmp_path / "use", "activate", "manager", "", *about, *of
            )
            == cli.DONE
        )
        in_use = gateways[FINANCE]._vault.register.in_use
        assert len(in_use) == 3  # finance's two, and the unit's


@pytest.mark.refusal("FORM_REFUSED")
async def test_too_much_at_once_is_refused_as_a_whole(town: Town) -> None:
    requests = (
        registry_pb2.RegisterRequest(registrations=[b"x"] * 65),
        registry_pb2.RegisterRequest(),
        registry_pb2.RegisterRequest(registrations=[b"x"], certificates=[b"y"] * 257),
    )
    async with running(town, FINANCE), town.channel(FINANCE, "person", "officer") as c:
        stub = registry_pb2_grpc.RegistryServiceStub(c)
        calls: list[Any] = [stub.Register(request) for request in requests]
        for size in (-1, 257):
            listing = registry_pb2.ListRegistrationsRequest(page_size=size)
            calls.append(stub.ListRegistrations(listing))
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.refusal("MALFORMED_PAYLOAD", "NOT_THE_ISSUER", "SEAL_MISSING")
async def test_what_cannot_be_read_is_refused_alone(town: Town) -> None:
    person = town.person(FINANCE, "officer")
    now = datetime.now(UTC)
    check = matters.audit_check("vouchers of November", "in order")
    good = registering.registration(FINANCE, "check-1", check, stated_time=now)
    theirs = registering.registration(BANK, "check-1", check, stated_time=now)
    async with running(town, FINANCE), town.channel(FINANCE, "person", "officer") as c:
        stub = registry_pb2_grpc.RegistryServiceStub(c)
        response = await stub.Register(
            registry_pb2.RegisterRequest(
                registrations=[
                    b"nonsense",
                    good.signed(person, stated_time=now).to_bytes(),
                    theirs.signed(person, stated_time=now).to_bytes(),
                    good.to_bytes(),
                ],
                certificates=[person.certificate],
            )
        )
    first, second, third, fourth = response.results
    assert first.refusal.reason == "MALFORMED_PAYLOAD"
    assert second.done.is_new
    assert second.done.digest == good.digest
    assert third.refusal.reason == "NOT_THE_ISSUER"
    assert fourth.refusal.reason == "SEAL_MISSING"
    assert all(one.refusal.text_zh for one in (first, third, fourth))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda _text: b"nonsense", "not a registration file"),
        (lambda text: text[: len(text) // 2], "register.founding"),
        (lambda _text: b"", "none of its registrations opens the register"),
    ],
)
def test_stores_are_not_made_from_a_broken_founding(
    tmp_path: Path,
    change: Callable[[bytes], bytes],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    town = Town(directory=tmp_path / "town")
    file = town.founding(BANK)
    file.write_bytes(change(file.read_bytes()))

    assert cli.main(["init", "--config", str(town.file(BANK))]) == cli.USAGE

    assert says in capsys.readouterr().err
    assert not (town.state(BANK) / "vault").exists()


def test_a_founding_by_one_key_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = Town(directory=tmp_path / "town")
    now = datetime.now(UTC)
    manager = town.person(BANK, "manager")
    seal = town.ca.credential(BANK, "institution").certificate
    matter = matters.founding(
        urn(BANK, "person", "manager"),
        urn(BANK, "person", "manager"),
        [seal.public_bytes(Encoding.DER)],
    )
    signed = registering.registration(BANK, "founding", matter, stated_time=now)
    for _ in range(2):
        signed = signed.signed(manager, stated_time=now)
    town.founding(BANK).write_bytes(
        registering.registration_file([signed], [manager.certificate])
    )

    assert cli.main(["init", "--config", str(town.file(BANK))]) == cli.USAGE

    assert "SAME_PERSON" in capsys.readouterr().err
