"""Other seals and another key for connections are taken up without a restart."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from counterfoil.devca.credential import Credential
from counterfoil.office import AsyncDesk, Done, Reference, Standing
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from counterfoil.wire.sealed import open_sealed
from counterfoil.wire.seals import parse_statement
from tests.houses import BANK, FINANCE, UNIT, Process, Town, running
from tests.integration.desks import reaches, refused, submit, until
from tests.integration.papers import notice
from tests.integration.test_tls_renewal import shown

pytestmark = pytest.mark.slow


def made(directory: Path, *, founded: bool = False) -> Town:
    town = Town(
        directory=directory / "town",
        settings={"limits": "retry_s_min = 0.05\nretry_s_max = 0.5"},
        founded=founded,
    )
    town.initialise()
    return town


def issued(town: Town, party: str, use: str, name: str) -> bytes:
    """Let the authority issue a new certificate; return its digest."""
    now = datetime.now(UTC).replace(microsecond=0)
    return digest(town.ca.issue(party, use, name, now=now))


def digest(credential: Credential) -> bytes:
    """Return the SHA-256 of a certificate in DER."""
    return sha256(credential.certificate.public_bytes(Encoding.DER)).digest()


async def signer(desk: AsyncDesk, voucher: Reference) -> bytes:
    """Return the digest of the certificate that sealed a voucher last."""
    async for pieces in desk.sealed([voucher]):
        (sealed,) = pieces
        assert isinstance(sealed, bytes)
        return parse_statement(
            open_sealed(sealed).seals[-1].statement
        ).certificate_digest
    raise AssertionError(voucher)


def told(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(
        text in (record.getMessage() + getattr(record, "detail", ""))
        for record in caplog.records
    )


async def test_a_new_seal_is_used_from_the_reloading_on(tmp_path: Path) -> None:
    town = made(tmp_path)
    old = digest(town.ca.credential(BANK, "institution"))
    async with running(town) as gateways, town.desk(BANK) as bank:
        before = await submit(bank, notice(1, BANK, UNIT))
        new = issued(town, BANK, "institution", "2")
        town.rewrite(BANK, "institution-1.pem", "institution-2.pem")
        town.rewrite(BANK, "institution-1.key", "institution-2.key")
        town.rewrite(BANK, "institution-1.pass", "institution-2.pass")
        still = await submit(bank, notice(2, BANK, UNIT))
        assert await signer(bank, before) == await signer(bank, still) == old

        assert await gateways[BANK]._reloading.reload()

        after = await submit(bank, notice(3, BANK, UNIT))
        assert await signer(bank, after) == new
        for voucher in (before, still, after):
            await reaches(bank, voucher, Standing.ARRIVED)
        # What takes the place of a worker that ended seals with it as well.
        works = gateways[BANK]._works
        ended = works._workers[0].pid
        os.kill(ended, signal.SIGKILL)

        async def works_again() -> bool:
            return works._workers[0].pid != ended and works.is_ready

        await until(works_again, bool)
        later = await submit(bank, notice(4, BANK, UNIT))
        assert await signer(bank, later) == new
        async with town.channel(BANK) as channel:
            stub = registry_pb2_grpc.RegistryServiceStub(channel)
            request = registry_pb2.ListCertificatesRequest(party=BANK)
            shown_now = (await stub.ListCertificates(request)).certificates
        assert new in {one.digest for one in shown_now}
        assert old not in {one.digest for one in shown_now}


async def test_a_party_that_is_hosted_from_now_on_seals_from_now_on(
    tmp_path: Path,
) -> None:
    town = made(tmp_path)
    hosted = re.search(
        r"\[\[hosted\]\]\n(?:\w+ = .*\n)+", town.file(FINANCE).read_text()
    )
    assert hosted is not None
    town.rewrite(FINANCE, hosted[0], "")
    async with (
        running(town) as gateways,
        town.desk(BANK) as bank,
        town.desk(UNIT) as unit,
    ):
        sent = await submit(bank, notice(1, BANK, UNIT))
        await reaches(unit, sent, Standing.ARRIVED)
        (outcome,) = await unit.accept([sent])
        assert refused(outcome) == "NOT_THE_ISSUER"
        town.file(FINANCE).write_text(town.file(FINANCE).read_text() + hosted[0])

        assert await gateways[FINANCE]._reloading.reload()

        (outcome,) = await unit.accept([sent])
        assert isinstance(outcome, Done)
        await reaches(bank, sent, Standing.ACCEPTED)


def _without_key(town: Town) -> None:
    town.rewrite(BANK, f"pki/{BANK}/institution-1.key", "pki/none.key")


def _broken(town: Town) -> None:
    town.file(BANK).write_text("[gateway")


def _of_another(town: Town) -> None:
    town.file(BANK).write_text(town.file(FINANCE).read_text())


def _nobody(town: Town) -> None:
    section = '[[hosted]]\nparty = "330000-1"\ncertificate = "x"\nkey = "file:x"\n'
    town.file(BANK).write_text(town.file(BANK).read_text() + section)


def _other_tls_key(town: Town) -> None:
    for end in ("key", "pass"):
        town.rewrite(
            BANK, f"pki/{BANK}/gateway-1.{end}", f"pki/{FINANCE}/gateway-1.{end}"
        )
    # With a seal beside it that would fit.
    _other_seal(town)


def _other_seal(town: Town) -> None:
    issued(town, BANK, "institution", "2")
    for end in ("pem", "key", "pass"):
        town.rewrite(BANK, f"institution-1.{end}", f"institution-2.{end}")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_without_key, "seal of 420000-102: cannot be opened"),
        (_broken, "not TOML"),
        (_of_another, "gateway.party: another gateway's file"),
        (_nobody, "party 330000-1: is named but has no [[party]] section"),
        (_other_tls_key, "it is for another key than the one of tls.key"),
    ],
)
async def test_what_cannot_be_used_changes_nothing(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Town], None],
    says: str,
) -> None:
    town = made(tmp_path)
    old = digest(town.ca.credential(BANK, "institution"))
    async with running(town) as gateways, town.desk(BANK) as bank:
        certificate = await asyncio.to_thread(shown, town, BANK)
        spoil(town)

        with caplog.at_level(logging.WARNING, "counterfoil.daemon"):
            assert not await gateways[BANK]._reloading.reload()

        assert told(caplog, "not reloaded")
        assert told(caplog, says)
        voucher = await submit(bank, notice(1, BANK, UNIT))
        assert await signer(bank, voucher) == old
        assert await asyncio.to_thread(shown, town, BANK) == certificate
        await reaches(bank, voucher, Standing.ARRIVED)


async def test_a_seal_that_was_not_put_to_use_is_not_taken_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    town = made(tmp_path, founded=True)
    old = digest(town.ca.credential(BANK, "institution"))
    async with running(town) as gateways, town.desk(BANK) as bank:
        _other_seal(town)

        with caplog.at_level(logging.WARNING, "counterfoil.daemon"):
            assert not await gateways[BANK]._reloading.reload()

        assert told(caplog, "was not put to use")
        voucher = await submit(bank, notice(1, BANK, UNIT))
        assert await signer(bank, voucher) == old


async def test_a_defect_in_one_reloading_keeps_nobody_from_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = made(tmp_path)
    async with running(town, BANK) as gateways:
        gateway = gateways[BANK]
        worker = gateway._works._workers[0].pid
        os.kill(worker, signal.SIGHUP)  # as a terminal that hangs up sends to all

        async def fails(*_: object) -> None:
            raise RuntimeError("a defect")

        async def heard(message: str) -> None:
            async def said() -> bool:
                return message in caplog.messages

            gateway.reload()
            await until(said, bool)

        with caplog.at_level(logging.INFO, "counterfoil.daemon"):
            with monkeypatch.context() as patch:
                patch.setattr(gateway._works, "reseal", fails)
                await heard("defect")
            await heard("reloaded")
        # It still works, and is not the one that took its place.
        assert gateway._works.is_ready
        assert gateway._works._workers[0].pid == worker


async def test_a_hangup_lets_a_gateway_take_up_another_key_for_connections(
    tmp_path: Path,
) -> None:
    town = made(tmp_path)
    process = Process(town=town, party=BANK)
    await asyncio.to_thread(process.start)
    try:
        async with running(town, FINANCE), town.desk(BANK) as bank:
            first = await submit(bank, notice(1, BANK, UNIT))
            await reaches(bank, first, Standing.ARRIVED)
            issued(town, BANK, "gateway", "1")
            new = town.ca.credential(BANK, "gateway").certificate

            os.kill(process.pid, signal.SIGHUP)

            async def now() -> object:
                return await asyncio.to_thread(shown, town, BANK)

            await until(now, lambda one: one == new)
            second = await submit(bank, notice(2, BANK, UNIT))
            await reaches(bank, second, Standing.ARRIVED)
    finally:
        assert await asyncio.to_thread(process.stop) == 0
    assert '"reloaded"' in process.log_file.read_text()
