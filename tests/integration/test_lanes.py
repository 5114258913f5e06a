"""Lanes: what waits, goes on, is set aside, and whom a gateway never talks to."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from counterfoil.daemon.stores import PeerHeadBook, open_heads
from counterfoil.devca.certificates import (
    Authority,
    Validity,
    make_authority,
    make_certificate,
    make_crl,
    urn,
)
from counterfoil.domain.party import origin_of
from counterfoil.exchange.v1 import exchange_pb2
from counterfoil.office import AsyncDesk, NotFound, Standing, VoucherKey, Way
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.seal.head_keys import head_signers, load_log_keys
from counterfoil.seal.keys import KeyReference
from counterfoil.tlog.merkle import TreeHead
from tests.houses import BANK, FINANCE, OTHER_BANK, UNIT, Town, free_port, running
from tests.integration.desks import accept_at, issue, reaches, until
from tests.integration.papers import Papers
from tests.integration.scripted import scripted

FAST = {
    "trust": "reload_s = 0.1",
    "limits": "retry_s_min = 0.05\nretry_s_max = 0.2\ncall_s_max = 2.0",
}


def _town(directory: Path, *carriers: str) -> Town:
    town = Town(
        directory=directory / "town",
        carriers=carriers or (FINANCE, BANK),
        settings=dict(FAST),
    )
    town.initialise()
    return town


async def _peers(town: Town, party: str = FINANCE) -> dict[str, registry_pb2.Peer]:
    async with town.channel(party) as channel:
        answer = await registry_pb2_grpc.RegistryServiceStub(channel).ListPeers(
            registry_pb2.ListPeersRequest()
        )
    return {peer.party: peer for peer in answer.peers}


async def test_a_dead_peer_does_not_delay_a_live_one_and_gets_its_own_later(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path, FINANCE, BANK, OTHER_BANK)
    async with running(town, FINANCE, BANK):
        waiting = await issue(town, Papers(bank=OTHER_BANK).direct_payment())
        papers = Papers()
        papers.sample()  # the number that the other bank's voucher has
        live = await issue(town, papers.direct_payment())
        async with town.desk(BANK) as bank:
            await accept_at(bank, live.reference)
        peers = await _peers(town)
        assert peers[OTHER_BANK].waiting == 1
        assert peers[OTHER_BANK].condition == registry_pb2.LANE_CONDITION_BACKING_OFF
        assert peers[OTHER_BANK].last_reason == "PEER_UNREACHABLE"
        assert peers[BANK].condition == registry_pb2.LANE_CONDITION_OPEN

        async with running(town, OTHER_BANK), town.desk(OTHER_BANK) as late:
            await accept_at(late, waiting.reference)


@pytest.mark.clause("wuhai-6d")
async def test_a_spare_address_is_used_by_itself(tmp_path: Path) -> None:
    town = _town(tmp_path)
    real = f'"127.0.0.1:{town.ports[BANK]}"'
    dead = f"127.0.0.1:{free_port()}"
    town.rewrite(FINANCE, f"addresses = [{real}]", f'addresses = ["{dead}", {real}]')
    async with running(town):
        issued = await issue(town, Papers().direct_payment())
        async with town.desk(BANK) as bank:
            await accept_at(bank, issued.reference)

        peer = (await _peers(town))[BANK]

    assert list(peer.addresses) == [dead, real.strip('"')]
    assert peer.address == real.strip('"')


@pytest.mark.clause("hubei-9")
@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_a_gateway_whose_certificate_bears_another_name_is_told_nothing(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path, FINANCE, BANK, OTHER_BANK)
    town.rewrite(
        FINANCE,
        f'party = "{BANK}"\naddresses = ["127.0.0.1:{town.ports[BANK]}"]',
        f'party = "{BANK}"\naddresses = ["127.0.0.1:{town.ports[OTHER_BANK]}"]',
    )
    async with running(town, FINANCE, OTHER_BANK) as gateways:
        before = gateways[OTHER_BANK]._vault.size()
        issued = await issue(town, Papers().direct_payment())

        peer = (
            await until(
                lambda: _peers(town),
                lambda peers: peers[BANK].last_reason == "PEER_UNREACHABLE",
            )
        )[BANK]

        assert peer.waiting == 1
        assert peer.condition == registry_pb2.LANE_CONDITION_BACKING_OFF
        assert gateways[OTHER_BANK]._vault.size() == before
        async with town.desk(FINANCE) as finance:
            await reaches(finance, issued.reference, Standing.SENT)


@pytest.mark.refusal("PEER_FORKED")
async def test_a_peer_that_signs_with_other_log_keys_has_proved_nothing(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path, FINANCE, BANK, OTHER_BANK)
    folder = town.pki / OTHER_BANK
    keys = load_log_keys(
        *(
            KeyReference(
                f"file:{folder}/head-{name}.key", f"file:{folder}/head-{name}.pass"
            )
            for name in ("ed25519", "ml-dsa-44")
        )
    )
    wrong = [one.key.to_text() for one in head_signers(origin_of(BANK), *keys)]
    town.rewrite(FINANCE, f"heads = {town.heads(BANK)!r}", f"heads = {wrong!r}")

    await _expect_nothing_recorded(town)


@pytest.mark.refusal("PEER_FORKED")
async def test_a_head_that_contradicts_one_seen_before_proves_nothing(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path)
    # A head of the size that the bank's log will have when its first voucher is in.
    heads = open_heads(town.configuration(FINANCE))
    other = TreeHead(1, hashlib.sha256(b"another history").digest())
    PeerHeadBook(heads).see(origin_of(BANK), other, b"seen before")
    heads.close()

    await _expect_nothing_recorded(town)


async def _expect_nothing_recorded(town: Town) -> None:
    async with running(town, FINANCE, BANK):
        issued = await issue(town, Papers().direct_payment())

        peer = (
            await until(
                lambda: _peers(town),
                lambda peers: peers[BANK].last_reason == "PEER_FORKED",
            )
        )[BANK]

        assert peer.waiting == 1
        assert not peer.HasField("last_arrival_time")
        async with town.desk(FINANCE) as finance:
            way = await finance.inquire(issued.reference.digest)
        assert set(way.standings.values()) == {Standing.SENT}
        assert not [act for act in way.acts if act.act.startswith("DELIVER")]


@pytest.mark.clause("hubei-19b")
@pytest.mark.refusal("SEAL_UNDETERMINED")
@pytest.mark.clause("menghai-4.6a")
async def test_what_cannot_be_judged_now_is_set_aside_and_passes_later(
    tmp_path: Path,
) -> None:
    # Finance's seal is of an authority of its own, whose revocation list is old; the
    # unit's is not, and so their vouchers part in the one lane to the bank.
    town = Town(directory=tmp_path / "town", settings=dict(FAST))
    sealing = _second_authority(town)
    town.found()
    _write_list(town, sealing, age=timedelta(days=2))
    for party in town.carriers:
        town.rewrite(
            party, "'pki/authority.crl'", "'pki/authority.crl', 'pki/seal.crl'"
        )
    town.initialise()
    async with running(town):
        undetermined = await issue(town, Papers().direct_payment())
        papers = Papers()
        papers.sample()
        passing = await issue(town, papers.authorised_payment(), UNIT)
        async with town.desk(BANK) as bank, town.desk(FINANCE) as finance:
            await accept_at(bank, passing.reference)
            peers = await until(
                lambda: _peers(town), lambda peers: peers[BANK].set_aside == 1
            )
            assert peers[BANK].condition == registry_pb2.LANE_CONDITION_OPEN
            assert peers[BANK].last_reason == "SEAL_UNDETERMINED"
            await reaches(finance, undetermined.reference, Standing.SENT)

            _write_list(town, sealing, age=timedelta(0))

            await accept_at(bank, undetermined.reference)
            await reaches(finance, undetermined.reference, Standing.ACCEPTED)
            await until(
                lambda: _peers(town),
                lambda peers: peers[BANK].waiting == 0 and peers[BANK].set_aside == 0,
            )


def _second_authority(town: Town) -> Authority:
    now = datetime.now(UTC).replace(microsecond=0)
    validity = Validity(now - timedelta(days=20), now + timedelta(days=20))
    sealing = make_authority("seal authority", town.ca.root, validity)
    credential = town.ca.credential(FINANCE, "institution")
    key = credential.load_key()
    certificate = make_certificate(
        sealing,
        key.public_key(),  # type: ignore[arg-type]
        urn(FINANCE, "institution", "1"),
        validity,
    )
    pem = serialization.Encoding.PEM
    credential.chain_file.write_bytes(certificate.public_bytes(pem))
    authorities = town.pki / "authorities.pem"
    authorities.write_bytes(
        authorities.read_bytes() + sealing.certificate.public_bytes(pem)
    )
    return sealing


def _write_list(town: Town, authority: Authority, *, age: timedelta) -> None:
    end = datetime.now(UTC).replace(microsecond=0) - age + timedelta(days=1)
    made = make_crl(authority, Validity(end - timedelta(days=7), end), {})
    # At once, as whoever downloads such a list should.
    fresh = town.pki / "seal.crl.new"
    fresh.write_bytes(made.public_bytes(serialization.Encoding.DER))
    fresh.rename(town.pki / "seal.crl")


@pytest.mark.refusal("PEER_UNREACHABLE")
async def test_a_peer_that_takes_and_never_answers_is_left_after_a_while(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path)

    taken: list[int] = []

    async def silent(
        _request: exchange_pb2.DeliverRequest, _context: object
    ) -> AsyncIterator[exchange_pb2.DeliverResponse]:
        taken.append(1)
        for _ in ():
            yield exchange_pb2.DeliverResponse()

    async with scripted(town, BANK, silent), running(town, FINANCE):
        await issue(town, Papers().direct_payment())

        await until(
            lambda: _peers(town),
            lambda peers: (
                peers[BANK].last_reason == "PEER_UNREACHABLE" and len(taken) >= 1
            ),
        )
        # The same bytes are sent again, for as long as it takes.
        await until(_count(taken), lambda count: count >= 2)
        assert (await _peers(town))[BANK].waiting == 1


def _count(taken: list[int]) -> Any:  # noqa: ANN401 -- a coroutine function
    async def tell() -> int:
        return len(taken)

    return tell


async def test_a_lane_goes_on_when_its_peer_comes_back_again_and_again(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path)
    papers = Papers()
    async with running(town, FINANCE):
        for _ in range(3):
            async with running(town, BANK), town.desk(BANK) as bank:
                issued = await issue(town, papers.direct_payment())
                await accept_at(bank, issued.reference)


@pytest.mark.clause("hubei-9")
async def test_new_revocation_lists_forget_no_certificate_of_an_open_stream(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path)
    papers = Papers()
    async with running(town) as gateways, town.desk(BANK) as bank:
        first = await issue(town, papers.direct_payment())
        await accept_at(bank, first.reference)
        trust = gateways[BANK]._trust.store

        town.ca.renew_crls(now=datetime.now(UTC))

        async def renewed() -> bool:
            return gateways[BANK]._trust.store is not trust

        await until(renewed, lambda done: done)
        for _ in range(3):
            later = await issue(town, papers.direct_payment())
            await accept_at(bank, later.reference)


async def test_every_worker_knows_the_certificates_of_a_stream(tmp_path: Path) -> None:
    town = Town(directory=tmp_path / "town", settings=FAST | {"seal": "workers = 2"})
    town.initialise()
    papers = Papers()
    async with running(town), town.desk(UNIT) as unit, town.desk(BANK) as bank:
        # Many small batches at the same time: both workers get some of them.
        vouchers = [papers.notice() for _ in range(60)]
        for start in range(0, 60, 3):
            await bank.submit(vouchers[start : start + 3])

        for voucher in vouchers:
            way = await until(
                lambda key=voucher.key: _found(unit, key),  # type: ignore[misc]
                lambda found: found is not None,
            )
            assert way


async def _found(desk: AsyncDesk, key: VoucherKey) -> Way | None:
    try:
        return await desk.inquire(key)
    except NotFound:
        return None


@pytest.mark.clause("hubei-18")
@pytest.mark.refusal("PEER_FORKED")
async def test_a_peer_whose_vault_was_put_back_and_went_on_is_not_believed(
    tmp_path: Path,
) -> None:
    town = _town(tmp_path)
    papers = Papers()
    state, older, true = town.state(BANK), tmp_path / "older", tmp_path / "true"
    async with running(town), town.desk(BANK) as bank:
        first = await issue(town, papers.direct_payment())
        await accept_at(bank, first.reference)
    shutil.copytree(state, older)
    async with running(town), town.desk(BANK) as bank:
        second = await issue(town, papers.direct_payment())
        await accept_at(bank, second.reference)
        async with town.desk(FINANCE) as finance:
            await reaches(finance, second.reference, Standing.ACCEPTED)
    state.rename(true)
    shutil.copytree(older, state)
    async with running(town, BANK), town.desk(BANK) as bank:
        # Another history, longer than the one that finance has seen.
        await bank.submit([papers.notice() for _ in range(20)])

        async with running(town, FINANCE):
            third = await issue(town, papers.direct_payment())
            await until(
                lambda: _peers(town),
                lambda peers: peers[BANK].last_reason == "PEER_FORKED",
            )
            async with town.desk(FINANCE) as finance:
                await reaches(finance, third.reference, Standing.SENT)

    shutil.rmtree(state)
    true.rename(state)
    async with running(town), town.desk(BANK) as bank:
        await accept_at(bank, third.reference)
