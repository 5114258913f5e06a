"""Two gateways that know of revocation by responders, and hand their answers on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.daemon import asking, cli
from counterfoil.daemon.alerts import AlertCode
from counterfoil.daemon.gateway import Gateway
from counterfoil.daemon.selftest_report import Level
from counterfoil.daemon.selftest_revocation import check_revocation
from counterfoil.devca.certificates import Validity
from counterfoil.exchange.v1 import exchange_pb2 as pb
from counterfoil.exchange.v1 import exchange_pb2_grpc
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.desks import reason_of, until
from tests.integration.hand import Hand, outcomes
from tests.integration.papers import Papers
from tests.responders import Responder, answer_of, responding


@pytest.fixture
def each(tmp_path: Path) -> Iterator[tuple[Town, dict[str, Responder]]]:
    """Return a town with a list of the root only, and a responder for each gateway."""
    with ExitStack() as stack:
        town = Town(directory=tmp_path / "town", settings={"trust": "reload_s = 0.2"})
        issuers = [town.ca.root, town.ca.authority]
        responders = {
            party: stack.enter_context(responding(Responder(issuers)))
            for party in town.carriers
        }
        for party, responder in responders.items():
            lists = f"revocation_lists = {[f'pki/{n}.crl' for n in town.ca.names]!r}"
            town.rewrite(
                party,
                lists,
                'revocation_lists = ["pki/root.crl"]\n'
                f'ocsp = true\nocsp_responder = "{responder.url}"',
            )
        yield town, responders


def certificate_of(
    town: Town, party: str, use: str, name: str = "1"
) -> x509.Certificate:
    return town.ca.credential(party, use, name).certificate


async def connected(town: Town, party: str, at: str) -> str:
    """Return why a gateway is not let in at another; empty if it is."""
    async with town.channel(party, "gateway", at=at) as channel:
        stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
        call = stub.GetCheckpoint(pb.GetCheckpointRequest())
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
    return ""


async def test_whoever_gets_answers_with_a_seal_need_not_ask(
    each: tuple[Town, dict[str, Responder]],
) -> None:
    town, responders = each
    town.initialise()
    papers = Papers()
    seal = certificate_of(town, BANK, "institution").serial_number
    async with running(town) as gateways:
        # Each gateway asks about itself, and about who calls it.
        await until(lambda: connected(town, BANK, FINANCE), lambda reason: reason == "")
        before = gateways[FINANCE]._vault.size()
        system = certificate_of(town, BANK, "system")
        gateways[BANK]._ask.want([system.public_bytes(Encoding.DER)])
        async with town.desk(BANK) as bank:
            await bank.submit([papers.notice()])

        async def arrived() -> bool:
            return gateways[FINANCE]._vault.size() > before

        await until(arrived, lambda done: done)

    assert seal in responders[BANK].asked
    assert seal not in responders[FINANCE].asked
    answers = list((town.state(BANK) / "answers").glob("*.ocsp"))
    assert len(answers) >= 3


async def test_a_seal_is_held_back_until_somebody_can_tell(
    each: tuple[Town, dict[str, Responder]],
) -> None:
    town, responders = each
    town.initialise()
    hand = Hand(town, BANK)
    one = certificate_of(town, BANK, "institution")
    silent = {one.serial_number}
    finance = responders[FINANCE]
    documents = hand.seal([Papers().notice()])
    now = datetime.now(UTC).replace(microsecond=0)
    current = Validity(now - timedelta(minutes=1), now + timedelta(hours=1))

    def quiet(body: bytes) -> bytes | None:
        return None if finance.asked[-1] in silent else body

    finance.twist = quiet
    async with running(town, FINANCE):
        await until(lambda: connected(town, BANK, FINANCE), lambda reason: reason == "")

        bare = await hand.deliver_one(documents, at=FINANCE)
        assert outcomes(bare) == ["SEAL_UNDETERMINED"]

        forged = answer_of(town.ca.authority, one, current, signer=town.ca.root)
        request = hand.request(documents)
        request.revocation_answers.append(forged)
        (answer,) = await hand.deliver([request], at=FINANCE)
        assert outcomes(answer) == ["SEAL_UNDETERMINED"]

        request.revocation_answers.append(answer_of(town.ca.authority, one, current))
        (answer,) = await hand.deliver([request], at=FINANCE)
        assert outcomes(answer) == ["stored"]


@pytest.mark.clause("hubei-13")
async def test_a_revoked_seal_is_refused_as_soon_as_the_responder_says_so(
    each: tuple[Town, dict[str, Responder]],
) -> None:
    town, responders = each
    town.initialise()
    hand = Hand(town, BANK)
    one = certificate_of(town, BANK, "institution")
    responders[FINANCE].revoked[one.serial_number] = datetime.now(UTC).replace(
        microsecond=0
    )
    documents = hand.seal([Papers().notice()])
    async with running(town, FINANCE):
        await until(lambda: connected(town, BANK, FINANCE), lambda reason: reason == "")

        async def delivered() -> list[str]:
            return outcomes(await hand.deliver_one(documents, at=FINANCE))

        # The first time nobody can tell, which is what makes it ask.
        assert await delivered() == ["SEAL_UNDETERMINED"]
        await until(delivered, lambda found: found == ["SEAL_FORGED"])


async def test_a_responder_that_is_down_costs_no_start_and_comes_back(
    each: tuple[Town, dict[str, Responder]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town, responders = each
    town.initialise()
    monkeypatch.setattr(asking, "_REST_US", 200_000)
    works = {"now": False}
    responders[FINANCE].twist = lambda body: body if works["now"] else None
    async with running(town, FINANCE):
        assert await connected(town, BANK, FINANCE) == "SEAL_UNDETERMINED"

        works["now"] = True
        await until(lambda: connected(town, BANK, FINANCE), lambda reason: reason == "")

    # What it knew, it knows again, though nobody answers any more.
    works["now"] = False
    async with running(town, FINANCE):
        assert await connected(town, BANK, FINANCE) == ""


async def test_soft_fail_lets_in_and_takes_by_an_overdue_list_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    soft = f'revocation = "soft"\nsoft_age_s_max = {31 * 86_400}'
    town = Town(directory=tmp_path / "town")
    town.initialise()
    town.ca.renew_crls(
        now=datetime.now(UTC).replace(microsecond=0) - timedelta(days=31)
    )
    hand = Hand(town, BANK)
    documents = hand.seal([Papers().notice()])
    async with running(town, FINANCE):
        assert await connected(town, BANK, FINANCE) == "SEAL_UNDETERMINED"
    town.rewrite(FINANCE, "[trust]", f"[trust]\n{soft}")
    town.ca.renew_crls(
        now=datetime.now(UTC).replace(microsecond=0) - timedelta(days=30, minutes=30)
    )

    async with running(town, FINANCE):
        answer = await hand.deliver_one(documents, at=FINANCE)

    assert outcomes(answer) == ["stored"]
    assert "seals held by overdue revocation lists or answers only (soft fail)" in (
        caplog.messages
    )
    assert any("a caller's revocation" in text for text in caplog.messages)


async def _silent(gateway: Gateway) -> list[str]:
    return gateway._alerts.about(AlertCode.RESPONDER_SILENT)


@pytest.mark.clause("hubei-13", "hubei-40")
async def test_a_responder_that_answers_nonsense_is_told_until_it_does_better(
    each: tuple[Town, dict[str, Responder]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    town, responders = each
    town.initialise()
    monkeypatch.setattr(asking, "_REST_US", 200_000)
    with town.file(FINANCE).open("a", encoding="utf-8") as file:
        file.write("[responders]\nsilence_s = 0.5\n")
    finance = responders[FINANCE]
    with caplog.at_level(logging.ERROR, "counterfoil.alerts"):
        async with running(town, FINANCE) as gateways:
            await until(
                lambda: connected(town, BANK, FINANCE), lambda reason: reason == ""
            )
            assert await _silent(gateways[FINANCE]) == []
            finance.twist = lambda _: b"nonsense"
            answers = town.state(FINANCE) / "answers"
            for one in answers.glob("*.ocsp"):
                one.unlink()

    # A start without what was kept, and a responder that is there and says nothing.
    with caplog.at_level(logging.ERROR, "counterfoil.alerts"):
        async with running(town, FINANCE) as gateways:
            silent = await until(lambda: _silent(gateways[FINANCE]), bool)
            assert silent == [finance.url]
            status = ("status", "--config", str(town.file(FINANCE)))
            assert await asyncio.to_thread(cli.main, status) == 1
            found = list(check_revocation(town.configuration(FINANCE), _now_us()))
            faults = [one for one in found if one.level is Level.FAULT]
            assert {"none is kept" in one.detail for one in faults} == {True}
            assert len(faults) == 3  # our gateway, our seal, the unit's

            finance.twist = lambda body: body
            await until(lambda: _silent(gateways[FINANCE]), lambda open_: not open_)
            await until(
                lambda: connected(town, BANK, FINANCE), lambda reason: reason == ""
            )
    # Other loggers may have had something to say.
    told = [one for one in caplog.records if one.name == "counterfoil.alerts"]
    assert [one.__dict__["alert"] for one in told] == ["RESPONDER_SILENT"]


def _now_us() -> int:
    return int(datetime.now(UTC).timestamp()) * 1_000_000


@pytest.mark.clause("hubei-40")
async def test_the_selftest_tells_how_old_kept_answers_are(
    each: tuple[Town, dict[str, Responder]],
) -> None:
    town, responders = each
    town.initialise()
    async with running(town, FINANCE):
        await until(lambda: connected(town, BANK, FINANCE), lambda reason: reason == "")
    configuration = town.configuration(FINANCE)
    hour_us = 3_600_000_000

    def levels(hours: float) -> dict[str, Level]:
        at_us = _now_us() + int(hours * hour_us)
        found = check_revocation(configuration, at_us)
        return {one.about: one.level for one in found if "answer" in one.about}

    now = levels(0)
    assert len(now) == 4  # ours, and a sum of the others
    assert set(now.values()) == {Level.OK}
    lasts = responders[FINANCE].lasts.total_seconds() / 3600
    late = levels(lasts * 0.9)
    assert Level.WARNING in late.values()
    over = levels(lasts + 1)
    of_ours = {level for about, level in over.items() if "answer about" in about}
    assert of_ours == {Level.FAULT}
    details = [one.detail for one in check_revocation(configuration, _now_us())]
    assert any("kept, the oldest 0 hours old, 0 overdue" in one for one in details)
