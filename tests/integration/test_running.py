"""Starting, stopping and failing: one port, one vault, no silence, no text too much."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from counterfoil.daemon.config import ConfigurationRefused
from counterfoil.daemon.gateway import Gateway
from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from counterfoil.office import Busy, Defect, Done, Patience, Standing
from counterfoil.office.desk import AsyncDesk
from counterfoil.vault.locking import VaultLocked
from tests.houses import BANK, FINANCE, UNIT, Process, Town, running
from tests.integration.desks import (
    accept_at,
    act_on,
    issue,
    reaches,
    submit,
    until,
)
from tests.integration.papers import Papers, notice, receipt_of


async def test_a_second_gateway_on_one_vault_refuses_to_start(town: Town) -> None:
    async with running(town, FINANCE):
        with pytest.raises(VaultLocked):
            await Gateway(town.configuration(FINANCE)).start()


async def test_a_second_gateway_on_one_port_refuses_to_start(town: Town) -> None:
    town.rewrite(
        BANK,
        f'listen = "127.0.0.1:{town.ports[BANK]}"',
        f'listen = "127.0.0.1:{town.ports[FINANCE]}"',
    )
    async with running(town, FINANCE):
        with pytest.raises(ConfigurationRefused, match="cannot be bound"):
            await Gateway(town.configuration(BANK)).start()


async def _health(town: Town, party: str, service: str = "") -> int:
    async with town.channel(party) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        answer = await check(health_pb2.HealthCheckRequest(service=service))
    assert isinstance(answer, health_pb2.HealthCheckResponse)
    return answer.status


async def test_a_vault_that_stopped_is_told_and_refuses(town: Town) -> None:
    async with running(town, BANK) as gateways, town.desk(BANK, total_s=0.1) as desk:
        assert await _health(town, BANK) == health_pb2.HealthCheckResponse.SERVING
        await submit(desk, notice(1, BANK, UNIT))
        vault = gateways[BANK]._vault

        # The disk goes away under the engine.
        vault._engine._env.close()  # type: ignore[attr-defined]
        with pytest.raises((Busy, Defect)):
            await desk.submit([notice(2, BANK, UNIT)])

        for service in ("", "counterfoil.exchange.v1.ExchangeService"):
            await until(
                lambda name=service: _health(town, BANK, name),  # type: ignore[misc]
                lambda status: status == health_pb2.HealthCheckResponse.NOT_SERVING,
            )
        assert vault.stopped_reason


async def test_a_defect_reaches_the_caller_as_a_bare_internal(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(town, BANK) as gateways, town.channel(BANK) as channel:
        # The database is closed, which nothing at this desk expects.
        await gateways[BANK]._follower.caught_up(0)
        gateways[BANK]._vault._engine._env.close()  # type: ignore[attr-defined]
        with (
            caplog.at_level(logging.ERROR, "counterfoil.rpc"),
            pytest.raises(grpc.aio.AioRpcError) as caught,
        ):
            await desk_pb2_grpc.DeskServiceStub(channel).Inquire(
                desk_pb2.InquireRequest(digest=bytes(32))
            )

    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert caught.value.details() == ""
    names = {name for name, _ in caught.value.trailing_metadata() or ()}
    assert "grpc-status-details-bin" not in names
    (record,) = [one for one in caplog.records if one.message == "defect"]
    assert record.exc_info is not None


@pytest.mark.refusal("VAULT_BUSY")
async def test_a_worker_that_ended_is_replaced(town: Town) -> None:
    async with (
        running(town, BANK) as gateways,
        town.desk(BANK, total_s=0.1) as desk,
        town.channel(BANK) as channel,
    ):
        await submit(desk, notice(1, BANK, UNIT))
        watch = channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        told = watch(health_pb2.HealthCheckRequest())
        states = [await status_of(told)]
        (worker,) = gateways[BANK]._works._workers
        ended = worker.pid

        os.kill(ended, signal.SIGKILL)
        states.append(await status_of(told))
        # Nobody waits for a process that is not there.
        with pytest.raises(Busy, match="VAULT_BUSY"):
            await desk.submit([notice(2, BANK, UNIT)])

        states.append(await status_of(told))
        await submit(desk, notice(2, BANK, UNIT))
        told.cancel()

    assert worker.pid != ended
    status = health_pb2.HealthCheckResponse
    assert states == [status.SERVING, status.NOT_SERVING, status.SERVING]


async def status_of(told: grpc.aio.UnaryStreamCall[Any, Any]) -> int:
    """Return the next status that a health watcher is told."""
    answer = await told.read()
    assert isinstance(answer, health_pb2.HealthCheckResponse)
    return answer.status


async def test_calls_under_way_finish_when_a_gateway_is_told_to_stop(
    town: Town,
) -> None:
    gateway = Gateway(town.configuration(BANK))
    await gateway.start()
    desk = AsyncDesk(
        f"127.0.0.1:{town.ports[BANK]}", town.access(BANK), Patience(total_s=0.1)
    )
    async with desk:
        await submit(desk, notice(1, BANK, UNIT))
        vouchers = [notice(number, BANK, UNIT) for number in range(2, 202)]
        call = asyncio.create_task(desk.submit(vouchers))

        # Looked at without a pause: a worker is done with them in a few milliseconds.
        async with asyncio.timeout(30):
            while not any(gateway._works._busy):  # noqa: ASYNC110
                await asyncio.sleep(0)
        await gateway.stop()

        outcomes = await call

    assert len(outcomes) == 200
    assert all(isinstance(one, Done) for one in outcomes)
    async with running(town, BANK), town.desk(BANK) as again:
        found = await again.search(standings=[Standing.SENT])
    assert len(found) == 201


def test_sigterm_ends_a_process_in_order_and_sigkill_leaves_nothing_behind(
    town: Town,
) -> None:
    process = Process(town=town, party=BANK)
    process.start()
    assert process.stop() == 0

    process.start()
    children = _children(process.pid)
    assert children, "a gateway has worker processes"
    process.kill()

    for child in children:
        _wait_for_end(child, within_s=10)
    # Nobody holds the vault's lock, so the gateway starts again.
    process.start()
    assert process.stop() == 0


def _shown(pid: int) -> list[str]:
    """Return what the process list shows of a gateway and its workers."""
    return [
        Path(f"/proc/{one}/{name}").read_bytes().decode(errors="replace")
        for one in (pid, *_children(pid))
        for name in ("cmdline", "environ")
    ]


def _children(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text().split()]


def _wait_for_end(pid: int, *, within_s: float) -> None:
    """Wait for the end of a process that is no child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(within_s * 1000), f"process {pid} lives on"
    finally:
        os.close(descriptor)


@pytest.mark.clause("wuhai-4a")
async def test_no_secret_payload_amount_or_account_is_written_anywhere(
    town: Town,
) -> None:
    for party in town.carriers:
        town.rewrite(
            party,
            f'directory = "state-{party}"',
            f'directory = "state-{party}"\nlog_level = "debug"',
        )
    processes = [Process(town=town, party=party) for party in town.carriers]
    for process in processes:
        await asyncio.to_thread(process.start)
    errors: list[str] = []
    try:
        issued = await issue(town, Papers().direct_payment())
        async with town.desk(BANK) as bank, town.desk(FINANCE) as finance:
            voucher = await accept_at(bank, issued.reference)
            await act_on(bank, issued.reference)
            await bank.issue_receipt([receipt_of(issued.reference, voucher)])
            await reaches(finance, issued.reference, Standing.CLOSED)
            # Refusals of all sorts: what they say must be as clean as the logs.
            told = notice(1, BANK, UNIT, amount_fen=8_765_432_19)
            await bank.submit([told])
            refusals = [
                *await bank.submit([notice(1, BANK, UNIT, amount_fen=8_765_432_20)]),
                *await bank.issue_receipt([receipt_of(issued.reference, voucher)]),
                *await finance.begin_acting([issued.reference]),
            ]
            errors = [repr(vars(one)) for one in refusals if not isinstance(one, Done)]
            assert errors
        listed = [shown for process in processes for shown in _shown(process.pid)]
    finally:
        for process in processes:
            await asyncio.to_thread(process.stop)
    logs = [process.log_file.read_text() for process in processes]
    assert any("answered" in log for log in logs)

    fen = voucher.form.fen("pay_amt_fen")
    secrets = {path.read_text().strip() for path in town.pki.rglob("*.pass")}
    forbidden = secrets | {
        str(fen),
        f"{fen // 100}.{fen % 100:02}",
        "876543219",
        "8765432.19",
        *(str(row["payee_acct_no"]) for row in voucher.form.rows),
        *(str(row["payee_acct_name"]) for row in voucher.form.rows),
        str(told.form.rows[0]["payee_acct_no"]),
        str(told.form.rows[0]["payee_acct_name"]),
        "-----BEGIN",
    }
    for text in (*logs, *listed, *errors):
        assert not {word for word in forbidden if word in text}


async def test_a_fast_writer_that_reads_nothing_waits_in_its_own_socket(
    town: Town,
) -> None:
    process = Process(town=town, party=FINANCE)
    await asyncio.to_thread(process.start)
    try:
        # A quarter of a mebibyte in each of four documents that are none.
        batch = exchange_pb2.DeliverRequest(batch=1, documents=[bytes(4_000)] * 256)
        async with town.channel(BANK, "gateway", at=FINANCE) as channel:
            stub = exchange_pb2_grpc.ExchangeServiceStub(channel)
            before = _resident_bytes(process.pid)
            call = stub.Deliver()
            written = 0
            try:
                async with asyncio.timeout(20):
                    while written < 400:
                        await call.write(batch)
                        written += 1
            except TimeoutError:
                pass
            grown = _resident_bytes(process.pid) - before
            call.cancel()
    finally:
        await asyncio.to_thread(process.stop)

    # The writer stood still long before it had sent 400 MB, and the gateway holds
    # no more than its window of batches and their answers.
    assert written < 400
    assert grown < 64 * 1024 * 1024


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
