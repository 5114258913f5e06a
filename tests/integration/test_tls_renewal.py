"""Roots and our own certificate are read again; connections use what is newest."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.tls import TlsKeeper
from counterfoil.devca.certificates import Validity, make_certificate, urn
from counterfoil.devca.directory import hosts_of
from counterfoil.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from tests.houses import BANK, FINANCE, Town, running
from tests.integration.desks import reason_of, until


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Town]:
    """Finance's gateway, which reads its files ten times a second."""
    town = Town(directory=tmp_path / "house", settings={"trust": "reload_s = 0.1"})
    town.initialise(FINANCE)
    async with running(town, FINANCE):
        yield town


def put(path: Path, content: bytes) -> None:
    """Replace a file as an operator should: it is never seen half written."""
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(content)
    fresh.replace(path)


def shown(town: Town, party: str = FINANCE) -> x509.Certificate:
    """Return the certificate that a gateway shows in a new handshake."""
    pem = ssl.get_server_certificate(("127.0.0.1", town.ports[party]), timeout=10)
    return x509.load_pem_x509_certificate(pem.encode())


def renewed(town: Town) -> bytes:
    """Return a chain with a new certificate for the key that finance has."""
    now = datetime.now(UTC)
    key = town.ca.credential(FINANCE, "gateway").load_key()
    assert isinstance(key, EllipticCurvePrivateKey)
    certificate = make_certificate(
        town.ca.authority,
        key.public_key(),
        urn(FINANCE, "gateway", "1"),
        Validity(now - timedelta(minutes=5), now + timedelta(days=30)),
        hosts=hosts_of(FINANCE),
    )
    authority = town.ca.authority.certificate
    return b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, authority))


@pytest.mark.clause("hubei-9")
async def test_a_root_is_believed_from_its_reading_to_its_removal(
    house: Town, tmp_path: Path
) -> None:
    stranger = Town(directory=tmp_path / "stranger")
    credential = stranger.ca.credential(BANK, "gateway")
    key = credential.load_key().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    credentials = grpc.ssl_channel_credentials(
        (house.pki / "authorities.pem").read_bytes(),
        key,
        credential.chain_file.read_bytes(),
    )

    async def reason() -> str:
        """Return why finance refuses the stranger; empty: there is no connection."""
        async with grpc.aio.secure_channel(
            f"127.0.0.1:{house.ports[FINANCE]}",
            credentials,
            options=[("grpc.use_local_subchannel_pool", 1)],
        ) as channel:
            stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.GetCheckpoint(exchange_pb2.GetCheckpointRequest(), timeout=9)
            return reason_of(caught.value)

    assert await reason() == ""
    ours, theirs = (town.pki / "authorities.pem" for town in (house, stranger))
    before = ours.read_bytes()

    # The handshake ends well, and the guard refuses: there is no list of theirs.
    put(ours, before + theirs.read_bytes())
    await until(reason, lambda one: one == "SEAL_UNDETERMINED")

    put(ours, before)
    await until(reason, lambda one: one == "")


async def test_a_renewed_certificate_is_shown_without_a_restart(house: Town) -> None:
    file = house.ca.credential(FINANCE, "gateway").chain_file
    chain = renewed(house)
    new = x509.load_pem_x509_certificates(chain)[0]

    async def certificate() -> x509.Certificate:
        return await asyncio.to_thread(shown, house)

    assert await certificate() != new
    put(file, chain)

    await until(certificate, lambda one: one == new)


async def test_a_certificate_for_another_key_is_not_taken(
    house: Town, caplog: pytest.LogCaptureFixture
) -> None:
    before = await asyncio.to_thread(shown, house)
    file = house.ca.credential(FINANCE, "gateway").chain_file

    with caplog.at_level(logging.WARNING, "counterfoil.daemon"):
        put(file, house.ca.credential(BANK, "gateway").chain_file.read_bytes())

        async def warned() -> bool:
            return any(
                "another key" in getattr(r, "detail", "") for r in caplog.records
            )

        await until(warned, bool)

    assert await asyncio.to_thread(shown, house) == before
    with pytest.raises(ConfigurationRefused, match="another key"):
        TlsKeeper(house.configuration(FINANCE))


@pytest.mark.parametrize("file", ["tls.certificate", "trust.authorities"])
def test_what_is_no_certificate_is_refused_at_the_start(
    tmp_path: Path, file: str
) -> None:
    town = Town(directory=tmp_path / "house")
    configuration = town.configuration(FINANCE)
    section, _, key = file.partition(".")
    name = getattr(getattr(configuration, section), key)
    put(configuration.path(name), b"nothing of the kind")

    with pytest.raises(ConfigurationRefused, match="not certificates in PEM"):
        TlsKeeper(configuration)
