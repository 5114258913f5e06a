"""Who gets in: certificates that are missing, foreign, expired, revoked or wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from counterfoil.daemon.gateway import Gateway
from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.devca.certificates import (
    Validity,
    make_certificate,
    make_crl,
    make_key,
)
from counterfoil.devca.directory import DevelopmentCa
from counterfoil.domain.audit import RecordEnd, RefusedCall
from counterfoil.domain.party import Identity
from counterfoil.domain.registry import Registry
from counterfoil.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from counterfoil.rpc.callers import CallerGate
from counterfoil.rpc.guard import Guard
from counterfoil.rpc.sightings import Sightings
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import reason_of, until
from tests.integration.hand import call_error

pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAMS_MAX = 3


@dataclass(frozen=True, slots=True)
class House:
    """Finance's gateway, which looks at its revocation lists ten times a second."""

    town: Town
    gateway: Gateway

    async def streams(self) -> int:
        """Return how many streams the guard counts; a new one is silent at first."""
        return len(self.gateway._guard._streams)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    town = Town(
        directory=tmp_path_factory.mktemp("house"),
        settings={
            "trust": "reload_s = 0.1",
            "limits": f"streams_max = {STREAMS_MAX}\nretry_s_min = 5.0",
        },
    )
    town.initialise(FINANCE)
    async with running(town, FINANCE) as gateways:
        yield House(town, gateways[FINANCE])


async def _checkpoint(town: Town, credentials: grpc.ChannelCredentials) -> None:
    """Call the exchange service with any credentials."""
    async with grpc.aio.secure_channel(
        f"127.0.0.1:{town.ports[FINANCE]}",
        credentials,
        options=[("grpc.use_local_subchannel_pool", 1)],
    ) as channel:
        await exchange_pb2_grpc.ExchangeServiceStub(channel).GetCheckpoint(
            exchange_pb2.GetCheckpointRequest(), timeout=20
        )


def _roots(town: Town) -> bytes:
    return (town.pki / "authorities.pem").read_bytes()


def _credentials(town: Town, key: object, *chain: object) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        _roots(town),
        key.private_bytes(  # type: ignore[attr-defined]
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        b"".join(
            one.public_bytes(serialization.Encoding.PEM)  # type: ignore[attr-defined]
            for one in chain
        ),
    )


async def test_the_peer_s_gateway_gets_in(house: House) -> None:
    await _checkpoint(house.town, house.town.credentials(BANK, "gateway"))


@pytest.mark.clause("hubei-9")
async def test_without_a_certificate_there_is_no_connection(house: House) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _checkpoint(house.town, grpc.ssl_channel_credentials(_roots(house.town)))

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert reason_of(caught.value) == ""


@pytest.mark.clause("hubei-9")
async def test_a_certificate_of_another_authority_makes_no_connection(
    house: House, tmp_path: Path
) -> None:
    foreign = DevelopmentCa.create(tmp_path / "pki", [BANK], now=datetime.now(UTC))
    credential = foreign.credential(BANK, "gateway")
    credentials = _credentials(
        house.town,
        credential.load_key(),
        credential.certificate,
        foreign.authority.certificate,
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _checkpoint(house.town, credentials)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.clause("hubei-9")
async def test_an_expired_certificate_makes_no_connection(house: House) -> None:
    now = datetime.now(UTC)
    credential = house.town.ca.issue(
        BANK,
        "gateway",
        "old",
        now=now,
        validity=Validity(now - timedelta(days=9), now - timedelta(days=1)),
    )
    credentials = _credentials(
        house.town,
        credential.load_key(),
        credential.certificate,
        house.town.ca.authority.certificate,
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _checkpoint(house.town, credentials)

    assert caught.value.code() in {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.PERMISSION_DENIED,
    }


@pytest.mark.refusal("CALLER_UNKNOWN")
async def test_a_certificate_that_names_nobody_is_refused(house: House) -> None:
    ca, now = house.town.ca, datetime.now(UTC)
    key = make_key()
    certificate = make_certificate(
        ca.authority,
        key.public_key(),
        None,
        Validity(now - timedelta(hours=1), now + timedelta(days=1)),
        usages=[ExtendedKeyUsageOID.CLIENT_AUTH],
        hosts=["localhost"],
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _checkpoint(
            house.town,
            _credentials(house.town, key, certificate, ca.authority.certificate),
        )

    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert reason_of(caught.value) == "CALLER_UNKNOWN"


@pytest.mark.parametrize(
    ("party", "use", "name"),
    [(BANK, "person", "first"), (BANK, "system", "1"), (FINANCE, "system", "1")],
)
@pytest.mark.refusal("CALLER_UNKNOWN")
async def test_the_exchange_is_for_gateways_only(
    house: House, party: str, use: str, name: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _checkpoint(house.town, house.town.credentials(party, use, name))

    assert reason_of(caught.value) == "CALLER_UNKNOWN"


@pytest.mark.parametrize(
    ("party", "use", "name"), [(BANK, "system", "1"), (FINANCE, "gateway", "1")]
)
@pytest.mark.refusal("CALLER_UNKNOWN")
async def test_the_desk_is_for_the_own_systems_and_people_only(
    house: House, party: str, use: str, name: str
) -> None:
    async with house.town.channel(party, use, name, at=FINANCE) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await desk_pb2_grpc.DeskServiceStub(channel).Search(
                desk_pb2.SearchRequest()
            )

    assert reason_of(caught.value) == "CALLER_UNKNOWN"


@dataclass
class Book:
    """Remembers what was refused."""

    calls: list[tuple[str, bytes, str, str]] = field(default_factory=list)

    async def refused(
        self, identity: str, certificate: bytes, method: str, reason: str
    ) -> None:
        self.calls.append((identity, certificate, method, reason))

    def refusals(self) -> list[RefusedCall]:
        return []

    def end(self) -> RecordEnd:
        return RecordEnd(entries=len(self.calls), digest=b"")

    def told(self) -> None:
        """Nobody asks."""


@pytest.mark.refusal("CALLER_UNKNOWN")
async def test_the_guard_admits_nobody_who_shows_no_certificate() -> None:
    # A listener that does not ask for certificates: the guard is the second wall.
    def judge(_der: bytes) -> Identity:
        raise AssertionError("there is nothing to judge")

    gate = CallerGate(
        registry=Registry(home=FINANCE, parties={}),
        posts=lambda _caller: frozenset(),
        judge=judge,
    )
    book = Book()
    sightings = Sightings(now_us=lambda: 5, holders=dict, book=book)
    guard = Guard(gate=gate, streams_max=1, sightings=sightings)
    server = grpc.aio.server(interceptors=[guard])
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await health_pb2_grpc.HealthStub(channel).Check(  # type: ignore[attr-defined]
                    health_pb2.HealthCheckRequest()
                )
    finally:
        await server.stop(None)

    assert reason_of(caught.value) == "CALLER_UNKNOWN"
    method = "/grpc.health.v1.Health/Check"
    assert book.calls == [("", b"", method, "CALLER_UNKNOWN")]


@pytest.mark.refusal("CALLER_REVOKED")
async def test_open_streams_of_a_revoked_caller_are_cut_and_others_go_on(
    house: House,
) -> None:
    town, now = house.town, datetime.now(UTC)
    lost = town.ca.issue(UNIT, "system", "1", now=now).certificate
    other = town.ca.issue(BANK, "gateway", "2", now=now).certificate
    async with (
        town.channel(UNIT) as unit,
        town.channel(BANK, "gateway", "2", at=FINANCE) as gateway,
        town.channel(FINANCE) as finance,
    ):
        desk = desk_pb2_grpc.DeskServiceStub(unit)
        read = desk.Read(desk_pb2.ReadRequest(follow=True))
        watch = desk.Watch(desk_pb2.WatchRequest(from_start=True))
        deliver = exchange_pb2_grpc.ExchangeServiceStub(gateway).Deliver()
        staying = desk_pb2_grpc.DeskServiceStub(finance).Watch(
            desk_pb2.WatchRequest(from_start=True)
        )
        await deliver.write(exchange_pb2.DeliverRequest(batch=1, documents=[b"x"]))
        await deliver.read()
        await until(house.streams, lambda count: count == 4)

        town.ca.revoke(lost, at=datetime.now(UTC))
        town.ca.revoke(other, at=datetime.now(UTC))

        async with asyncio.timeout(10):
            errors = [await call_error(call) for call in (read, watch)]
            with pytest.raises(grpc.aio.AioRpcError) as cut:
                await deliver.read()
        errors.append(cut.value)
        assert [reason_of(error) for error in errors] == ["CALLER_REVOKED"] * 3
        assert not staying.done()
        staying.cancel()
        await until(house.streams, lambda count: count == 0)

        with pytest.raises(grpc.aio.AioRpcError) as later:
            await desk.Search(desk_pb2.SearchRequest())
        assert later.value.code() is grpc.StatusCode.PERMISSION_DENIED
        assert reason_of(later.value) == "CALLER_REVOKED"

    # A new certificate of the same system is as good as the lost one was.
    town.ca.issue(UNIT, "system", "1", now=datetime.now(UTC))
    async with town.desk(UNIT) as desk_again:
        assert await desk_again.search() == []


async def _refused(desk: desk_pb2_grpc.DeskServiceAsyncStub) -> str:
    """Open one more stream than is allowed; return why it is refused."""
    call = desk.Watch(desk_pb2.WatchRequest(from_start=True), timeout=0.3)
    return reason_of(await call_error(call))


@pytest.mark.refusal("VAULT_BUSY")
async def test_one_caller_has_only_so_many_streams_and_leaves_others_theirs(
    house: House,
) -> None:
    async with house.town.channel(FINANCE) as channel:
        desk = desk_pb2_grpc.DeskServiceStub(channel)
        calls = [
            desk.Watch(desk_pb2.WatchRequest(from_start=True))
            for _ in range(STREAMS_MAX)
        ]
        await until(house.streams, lambda count: count == STREAMS_MAX)
        assert await _refused(desk) == "VAULT_BUSY"

        async with house.town.channel(FINANCE, "person", "first") as other:
            person = desk_pb2_grpc.DeskServiceStub(other)
            open_call = person.Watch(
                desk_pb2.WatchRequest(from_start=True), timeout=0.5
            )
            error = await call_error(open_call)
            assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED

        # A stream that ends makes room for another.
        calls.pop().cancel()
        await until(house.streams, lambda count: count == STREAMS_MAX - 1)
        assert await _refused(desk) == ""
        for call in calls:
            call.cancel()
    await until(house.streams, lambda count: count == 0)


@pytest.mark.refusal("SEAL_UNDETERMINED")
async def test_while_no_revocation_list_is_current_nobody_is_called_revoked_or_admitted(
    house: House,
) -> None:
    ca = house.town.ca
    now = datetime.now(UTC)
    current = (ca.directory / "authority.crl").read_bytes()
    stale = make_crl(
        ca.authority, Validity(now - timedelta(days=9), now - timedelta(days=2)), {}
    )
    (ca.directory / "authority.crl").write_bytes(
        stale.public_bytes(serialization.Encoding.DER)
    )
    try:
        error = await _until_refused(house.town)

        assert error.code() is grpc.StatusCode.UNAVAILABLE
        assert reason_of(error) == "SEAL_UNDETERMINED"
    finally:
        (ca.directory / "authority.crl").write_bytes(current)
    await until(lambda: _admitted(house.town), lambda admitted: admitted)


@pytest.mark.clause("hubei-9")
async def test_a_damaged_revocation_list_leaves_the_last_good_one_in_force(
    house: House,
) -> None:
    ca = house.town.ca
    current = (ca.directory / "authority.crl").read_bytes()
    (ca.directory / "authority.crl").write_bytes(current[:100])
    try:
        # Several rounds of reloading later the peer still gets in.
        loop = asyncio.get_running_loop()
        end = loop.time() + 0.5
        while loop.time() < end:
            assert await _admitted(house.town)
    finally:
        (ca.directory / "authority.crl").write_bytes(current)


async def _until_refused(town: Town) -> grpc.aio.AioRpcError:
    async def tell() -> grpc.aio.AioRpcError | None:
        try:
            await _checkpoint(town, town.credentials(BANK, "gateway"))
        except grpc.aio.AioRpcError as error:
            return error
        return None

    found = await until(tell, lambda error: error is not None)
    assert found is not None
    return found


async def _admitted(town: Town) -> bool:
    try:
        await _checkpoint(town, town.credentials(BANK, "gateway"))
    except grpc.aio.AioRpcError:
        return False
    return True
