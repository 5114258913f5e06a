"""Parties and peers by registration: between running gateways, without a restart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from counterfoil.daemon import cli
from counterfoil.daemon.alerts import AlertCode
from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.gateway import Gateway
from counterfoil.daemon.selftest_peers import check_peers
from counterfoil.daemon.selftest_report import Level
from counterfoil.domain.party import origin_of
from counterfoil.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from counterfoil.office import Draft, Standing, matters, registering
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.rpc.views import LaneView
from counterfoil.seal.head_keys import head_signers, load_log_keys
from counterfoil.seal.keys import KeyReference
from tests.houses import BANK, FINANCE, KINDS, OTHER_BANK, UNIT, Town, running
from tests.integration.desks import (
    accept_at,
    issue,
    reaches,
    reason_of,
    refused,
    review,
    submit,
    until,
    write,
)
from tests.integration.papers import Papers, notice
from tests.integration.test_register import (
    becomes,
    connection,
    registers,
    run,
    urn,
)

pytestmark = pytest.mark.slow

FAST = {"limits": "retry_s_min = 0.05\nretry_s_max = 0.2\ncall_s_max = 5.0"}


def made(directory: Path, *carriers: str) -> Town:
    return Town(
        directory=directory / "town",
        carriers=carriers or (FINANCE, BANK),
        settings=dict(FAST),
    )


def strike(town: Town, party: str, *named: str) -> None:
    """Take the sections of some parties and peers out of a configuration, or of all."""
    sections = re.split(r"(?=^\[)", town.file(party).read_text(), flags=re.MULTILINE)
    kept = [
        section
        for section in sections
        if not section.startswith(("[[party]]", "[[peer]]"))
        or (named and not any(f'= "{code}"' in section for code in named))
    ]
    town.file(party).write_text("".join(kept))


def admission(town: Town, code: str, *rest: str) -> list[str]:
    return [
        *("--party", code, "--name", f"机构{code}", "--kind", KINDS[code]),
        *(() if town.carrier_of(code) == code else ("--carrier", FINANCE)),
        *rest,
    ]


def route(
    town: Town, code: str, *, address: str = "", heads: Sequence[str] = ()
) -> list[str]:
    return [
        *("--party", code),
        *("--addresses", address or f"127.0.0.1:{town.ports[code]}"),
        *("--heads", ",".join(heads or town.heads(code))),
    ]


def view(gateway: Gateway, peer: str = BANK) -> LaneView:
    return next(one for one in gateway._lanes.views() if one.party == peer)


async def called(town: Town) -> str:
    """Let the bank's gateway call finance's; return why it is refused."""
    async with town.channel(BANK, "gateway", "1", at=FINANCE) as channel:
        try:
            await exchange_pb2_grpc.ExchangeServiceStub(channel).GetCheckpoint(
                exchange_pb2.GetCheckpointRequest()
            )
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
    return ""


async def told(gateway: Gateway, reason: str, peer: str = BANK) -> None:
    """Wait until a lane says why it waits."""

    async def last() -> str:
        return view(gateway, peer).last_reason

    await until(last, lambda found: found == reason)


async def takes_in(town: Town, file: Path, code: str = BANK) -> None:
    """Let finance's persons register that a party takes part, and how to reach it."""
    admit = admission(town, code)
    assert await registers(town, file, "admit", "manager", "supervisor", *admit) == 0
    connect = route(town, code)
    file = file.with_suffix(".c")
    assert await registers(town, file, "connect", "manager", "officer", *connect) == 0


def other_keys(town: Town) -> list[str]:
    """Return keys of the bank's log that the bank does not have."""
    stems = [
        f"file:{town.pki / FINANCE}/head-{one}" for one in ("ed25519", "ml-dsa-44")
    ]
    keys = load_log_keys(*(KeyReference(f"{s}.key", f"{s}.pass") for s in stems))
    return [one.key.to_text() for one in head_signers(origin_of(BANK), *keys)]


def founded_alone(town: Town, party: str) -> None:
    """Let a founding file say who takes part, and the configuration nothing."""
    rows, certificates = registering.read_registration_file(
        town.founding(party).read_bytes()
    )
    now = town.founders().now

    def signed(
        number: str, matter: matters.Matter, *names: str
    ) -> registering.SignedRegistration:
        one = registering.registration(party, number, matter, stated_time=now)
        for name in names:
            one = one.signed(town.person(party, name), stated_time=now)
        return one

    others = [code for code in town.parties if code != party]
    admitted = [
        signed(
            f"admit-{code}",
            matters.party_admission(
                code, f"机构{code}", KINDS[code], carrier=town.carrier_of(code)
            ),
            *("manager", "supervisor"),
        )
        # One that carries for others before them, and the own party last.
        for code in (*sorted(others), party)
    ]
    connected = [
        signed(
            f"connect-{code}",
            matters.peer_connection(
                code, [f"127.0.0.1:{town.ports[code]}"], town.heads(code)
            ),
            *("manager", "officer"),
        )
        for code in town.carriers
        if code != party
    ]
    posts = sum("post-" in str(registering.told(one)["number"]) for one in rows) + 1
    order = [rows[0], *admitted, *rows[1:posts], *connected, *rows[posts:]]
    town.founding(party).write_bytes(registering.registration_file(order, certificates))
    strike(town, party)


@pytest.mark.clause("hubei-24")
async def test_a_founding_file_says_who_takes_part_and_the_configuration_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, papers = made(tmp_path), Papers()
    for party in town.carriers:
        founded_alone(town, party)
        text = town.file(party).read_text()
        assert "[[party]]" not in text
        assert "[[peer]]" not in text
    town.initialise()
    for _ in range(2):
        async with running(town), town.desk(BANK) as bank:
            issued = await issue(town, papers.direct_payment())
            await accept_at(bank, issued.reference)
            hosted = await submit(bank, notice(papers_number(), BANK, UNIT))
            await reaches(bank, hosted, Standing.ARRIVED)

    reader = town.channel(FINANCE, "person", "officer")
    async with running(town), reader as channel:
        # Nor does the self-test need a section to ask the bank.
        configuration = town.configuration(FINANCE)
        (asked,) = await until(lambda: check_peers(configuration), bool)
        assert (asked.level, asked.about) == (Level.OK, BANK)
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        listed = await stub.ListParties(registry_pb2.ListPartiesRequest())
        peers = (await stub.ListPeers(registry_pb2.ListPeersRequest())).peers
        register = await stub.GetRegister(registry_pb2.GetRegisterRequest())
    assert [one.code for one in listed.parties] == sorted(town.parties)
    assert all(len(one.entry) == 32 for one in (*listed.parties, *register.parties))
    (bank_peer,) = (one for one in peers if one.party == BANK)
    assert list(bank_peer.heads) == town.heads(BANK)
    assert bank_peer.entry == register.peers[0].entry
    capsys.readouterr()
    for party in town.carriers:
        assert await run("vault", "verify", "--config", str(town.file(party))) == 0
    assert capsys.readouterr().err.count(": no findings") == len(town.carriers)

    # One person adds a peer in the configuration: the gateway does not start by it.
    town.file(FINANCE).write_text(
        town.file(FINANCE).read_text()
        + f'[[party]]\ncode = "{OTHER_BANK}"\nname = "他行"\nkind = "agent-bank"\n'
    )
    with pytest.raises(ConfigurationRefused, match="register alone says who takes"):
        async with running(town, FINANCE):
            pass


NUMBERS = iter(range(1, 1000))


def papers_number() -> int:
    return next(NUMBERS)


@pytest.mark.refusal("CALLER_UNKNOWN", "PARTY_UNKNOWN")
async def test_a_peer_that_is_registered_while_both_run_exchanges_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, papers = made(tmp_path), Papers()
    agreed = registering.read_registration_file(town.founding(FINANCE).read_bytes())[0]
    # Finance knows nothing of the bank, neither by its founding nor by lines.
    rows, certificates = registering.read_registration_file(
        town.founding(FINANCE).read_bytes()
    )
    own = [one for one in rows if BANK not in str(registering.told(one))]
    town.founding(FINANCE).write_bytes(registering.registration_file(own, certificates))
    strike(town, FINANCE, BANK)
    town.initialise()
    async with running(town), town.desk(BANK) as bank:
        assert await called(town) == "CALLER_UNKNOWN"
        async with town.desk(FINANCE) as finance:
            (outcome,) = await finance.write([papers.direct_payment()])
        assert refused(outcome) == "PARTY_UNKNOWN"

        await takes_in(town, tmp_path / "in")

        assert await called(town) == ""
        # What was signed before the bank took part: the agreement is handed in now.
        agreement = next(
            one
            for one in agreed
            if registering.told(one)["number"] == f"agreement-{FINANCE}-{BANK}"
        )
        file = tmp_path / "agreement"
        file.write_bytes(registering.registration_file([agreement], certificates))
        officer = connection(town, FINANCE, "officer")
        assert await run("register", "submit", str(file), *officer) == cli.DONE
        # The bank's own persons tell how far its seal reaches.
        filed = ("--valid-from", "20260101", "--valid-until", "20271231")
        holder = ("--holder", urn(BANK, "institution", "1"), "--told", FINANCE)
        assert (
            await registers(
                town,
                tmp_path / "filed",
                *("file", "officer", "supervisor", *holder, *filed),
                by=BANK,
            )
            == cli.DONE
        )
        issued = await issue(town, papers.direct_payment())
        await accept_at(bank, issued.reference)
        async with town.desk(FINANCE) as finance:
            await reaches(finance, issued.reference, Standing.ACCEPTED)
        capsys.readouterr()
        assert await run("register", "show", *officer) == cli.DONE
        out = capsys.readouterr().out
        name = f"party\t{BANK}\tadmitted\tagent-bank\t{BANK}\t机构{BANK}\t"
        assert name in out
        assert f"peer\t{BANK}\tconnected\t127.0.0.1:{town.ports[BANK]}\t" in out
        assert f"head\t{BANK}\t{town.heads(BANK)[0]}\n" in out

    # Again from the log alone, with nothing in the configuration.
    async with running(town), town.desk(BANK) as bank:
        issued = await issue(town, papers.direct_payment())
        await accept_at(bank, issued.reference)
    assert await run("vault", "verify", "--config", str(town.file(FINANCE))) == 0


@pytest.mark.clause("hubei-24", "hubei-36")
@pytest.mark.refusal("SIGNERS_REFUSED", "SAME_PERSON", "PEER_FORKED")
async def test_two_persons_and_no_less_say_by_which_keys_a_peer_is_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, papers = made(tmp_path), Papers()
    town.initialise()
    async with running(town) as gateways, town.desk(BANK) as bank:
        first = await issue(town, papers.direct_payment())
        await accept_at(bank, first.reference)
        await takes_in(town, tmp_path / "in")
        # The officer sees what she signs.
        out = capsys.readouterr().out
        assert f'says\t{{"party": "{BANK}", "addresses": ' in out
        assert all(key in out for key in town.heads(BANK))
        wrong = route(town, BANK, heads=other_keys(town))
        for at, (second, reason) in enumerate(
            [
                ("", "SIGNERS_REFUSED"),
                ("manager", "SAME_PERSON"),
                ("supervisor", "SIGNERS_REFUSED"),
                ("first", "SIGNERS_REFUSED"),
            ]
        ):
            file = tmp_path / f"wrong-{at}"
            capsys.readouterr()
            done = await registers(town, file, "connect", "manager", second, *wrong)
            assert done == 1
            assert reason in capsys.readouterr().err
        assert view(gateways[FINANCE]).heads == tuple(town.heads(BANK))
        second_voucher = await issue(town, papers.direct_payment())
        await accept_at(bank, second_voucher.reference)

        # Two persons say other keys: what the bank proves by its own is no proof.
        file = tmp_path / "wrong"
        assert await registers(town, file, "connect", "manager", "officer", *wrong) == 0
        await told(gateways[FINANCE], "PEER_FORKED")
        third = await issue(town, papers.direct_payment())
        async with town.desk(FINANCE) as finance:
            await reaches(finance, third.reference, Standing.SENT)

        # And the right ones again, at an address that is dead first, then alive.
        dead = route(town, BANK, address="127.0.0.1:1")
        file = tmp_path / "dead"
        assert await registers(town, file, "connect", "manager", "officer", *dead) == 0
        await told(gateways[FINANCE], "PEER_UNREACHABLE")
        right = route(town, BANK)
        file = tmp_path / "right"
        assert await registers(town, file, "connect", "manager", "officer", *right) == 0
        await accept_at(bank, third.reference)
        async with town.desk(FINANCE) as finance:
            await reaches(finance, third.reference, Standing.ACCEPTED)
    for party in town.carriers:
        assert await run("vault", "verify", "--config", str(town.file(party))) == 0


@pytest.mark.refusal("PARTY_DISMISSED", "CALLER_UNKNOWN", "PARTIES_REMAIN")
async def test_an_ended_peer_exchanges_nothing_and_strands_nothing_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, papers = made(tmp_path), Papers()
    town.initialise()
    async with running(town) as gateways, town.desk(BANK) as bank:
        finance = gateways[FINANCE]
        await takes_in(town, tmp_path / "in")
        sent = [await issue(town, papers.direct_payment()) for _ in range(2)]
        for one in sent:
            await reaches(bank, one.reference, Standing.ARRIVED)
        dead = route(town, BANK, address="127.0.0.1:1")
        file = tmp_path / "dead"
        assert await registers(town, file, "connect", "manager", "officer", *dead) == 0
        waiting = await issue(town, papers.direct_payment())
        early = tmp_path / "early"
        party = ("--party", BANK)
        assert await registers(town, early, "disconnect", "manager", "officer", *party)
        assert "PARTIES_REMAIN" in capsys.readouterr().err
        file = tmp_path / "over"
        over = ("dismiss", "manager", "supervisor", *party)
        assert await registers(town, file, *over) == cli.DONE

        # No voucher any more, in either direction; what was exchanged goes on.
        assert await sealed(town, papers.direct_payment()) == "PARTY_DISMISSED"
        await submit(bank, notice(7, BANK, UNIT))
        await told(gateways[BANK], "PARTY_DISMISSED", FINANCE)
        await accept_at(bank, sent[0].reference)
        async with town.desk(FINANCE) as desk:
            await reaches(desk, sent[0].reference, Standing.ACCEPTED)

        file = tmp_path / "cut"
        cut = ("disconnect", "manager", "officer", *party)
        assert await registers(town, file, *cut) == cli.DONE

        assert await called(town) == "CALLER_UNKNOWN"
        methods = {one.method for one in finance._guard._streams.values()}
        assert not any("Exchange" in method for method in methods)
        assert (view(finance).condition, view(finance).last_reason) == (
            registry_pb2.LANE_CONDITION_STOPPED,
            "PEER_DISCONNECTED",
        )
        assert finance._vault.lane_lengths()[BANK] == 1
        await accept_at(bank, sent[1].reference)
        told_of = finance._alerts.about(AlertCode.CONFIGURATION_CONTRADICTED)
        assert sorted(told_of) == [f"party {BANK}", f"peer {BANK}"]

    # Not in silence: a configuration that still names it does not start.
    with pytest.raises(ConfigurationRefused, match=f"{BANK}: a registration ended it"):
        async with running(town, FINANCE):
            pass
    strike(town, FINANCE, BANK)
    async with running(town) as gateways, town.desk(FINANCE) as desk:
        assert view(gateways[FINANCE]).condition == registry_pb2.LANE_CONDITION_STOPPED
        assert await called(town) == "CALLER_UNKNOWN"
        await reaches(desk, sent[1].reference, Standing.ARRIVED)

        await takes_in(town, tmp_path / "again")

        # What waited on either side goes on where it was.
        async with town.desk(BANK) as bank:
            await accept_at(bank, waiting.reference)
        for one in (sent[1], waiting):
            await reaches(desk, one.reference, Standing.ACCEPTED)
    for code in town.carriers:
        assert await run("vault", "verify", "--config", str(town.file(code))) == 0


@pytest.mark.clause("hubei-14")
async def test_a_peer_without_a_line_is_told_of_a_loss_when_it_has_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, party = made(tmp_path), ("--party", BANK)
    town.initialise()
    lost = town.ca.credential(FINANCE, "system", "1")
    async with running(town, FINANCE) as gateways:
        await takes_in(town, tmp_path / "in")
        for matter, second in (("dismiss", "supervisor"), ("disconnect", "officer")):
            file = tmp_path / matter
            assert await registers(town, file, matter, "manager", second, *party) == 0
        capsys.readouterr()

        lose = ("register", "lose", "--by", FINANCE, "--of", str(lost.chain_file))
        assert await run(*lose, *connection(town, FINANCE, "second")) == cli.DONE

        assert capsys.readouterr().out.endswith(f"told\t{BANK}\n")
        assert gateways[FINANCE]._vault.lane_lengths()[BANK] == 1
    strike(town, FINANCE, BANK)
    async with running(town) as gateways:
        await takes_in(town, tmp_path / "again")

        told_there = await becomes(gateways[BANK], lambda now: bool(now.voided))
        (void,) = told_there.voided.values()
        assert void.holder.to_urn() == urn(FINANCE, "system", "1")


async def sealed(town: Town, draft: Draft) -> str:
    """Let finance write, review and send a voucher; return why it is refused."""
    async with town.desk(FINANCE) as desk:
        issued = await write(desk, draft)
        await review(town, issued)
        (outcome,) = await desk.seal([issued.reference.digest], send=True)
    return refused(outcome)
