"""The largest that the contract takes passes, and what is larger is told."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from counterfoil.desk.v1 import desk_pb2, desk_pb2_grpc
from counterfoil.office import DeskRefused, Done, Form, Standing, Voucher
from counterfoil.office.calls import BATCH_BYTES_MAX
from tests.houses import BANK, FINANCE, UNIT, Town, running
from tests.integration.desks import done, reaches, submit
from tests.integration.papers import notice

FEN_MAX = 10**17 - 1
FAST = {"limits": "retry_s_min = 0.05\nretry_s_max = 0.2"}


def town_of(directory: Path) -> Town:
    town = Town(directory=directory / "town", settings=dict(FAST))
    town.initialise()
    return town


def large(number: int, rows: int) -> Voucher:
    """Return a notice of the bank with so many rows of long texts."""
    made = notice(number, BANK, UNIT, amount_fen=rows)
    (row,) = made.form.rows
    # Of three and four bytes in UTF-8.
    longest = dict(row) | {"agency_name": "𠀀" * 15, "payee_acct_name": "字" * 30}
    many = [
        longest | {"id": f"{number}-{at}", "pay_amt_fen": 1, "x_pay_amt_fen": 1}
        for at in range(rows)
    ]
    fields = dict(made.form.fields) | {"pay_amt_fen": rows}
    return replace(made, form=Form(fields, tuple(many)))


async def test_the_largest_voucher_passes_and_a_larger_one_is_refused_at_the_desk(
    tmp_path: Path,
) -> None:
    town = town_of(tmp_path)
    async with running(town), town.desk(BANK) as bank, town.desk(UNIT) as unit:
        ways = [
            await bank.inquire((await submit(bank, large(number, rows))).digest)
            for number, rows in ((1, 1), (2, 101))
        ]
        small, more = (len(way.documents[0]) for way in ways)
        row_bytes = (more - small) / 100
        fits = int((BATCH_BYTES_MAX - 16 * 1024) / row_bytes)

        taken = await submit(bank, large(3, fits))
        (refused,) = await bank.submit([large(4, fits + int(32 * 1024 / row_bytes))])
        after = await submit(bank, large(5, 1))

        assert isinstance(refused, DeskRefused)
        assert refused.reason == "BATCH_TOO_LARGE"
        assert "divide it" in refused.text
        for reference in (taken, after):
            await reaches(bank, reference, Standing.ARRIVED)
        # The recipient reads it, has it again, and has it as the national document.
        arrivals = [one async for batch in unit.read() for one in batch]
        read = [one for one in arrivals if one.voucher == taken]
        assert BATCH_BYTES_MAX - 48 * 1024 < len(read[0].sealed) <= BATCH_BYTES_MAX
        way = await unit.inquire(taken.digest)
        assert way.documents[0] == read[0].sealed
        documents = await unit.national([after, taken, after], gb18030=True)
        assert all(isinstance(one, bytes) and one for one in documents)


@pytest.mark.parametrize("sign", [1, -1])
async def test_the_largest_amount_is_the_same_wherever_it_is_told(
    tmp_path: Path, sign: int
) -> None:
    town = town_of(tmp_path)
    async with running(town), town.desk(BANK) as bank, town.desk(UNIT) as unit:
        largest = [
            await submit(bank, notice(number, BANK, UNIT, amount_fen=sign * FEN_MAX))
            for number in (1, 2)
        ]
        for one in largest:
            await reaches(bank, one, Standing.ARRIVED)
        for desk in (bank, unit):
            found = await desk.search()
            assert [one.amount_fen for one in found] == [sign * FEN_MAX] * 2
        documents = await unit.national(largest)

    text = f"<PayAmt>{'-' if sign < 0 else ''}999999999999999.99</PayAmt>"
    for document in documents:
        assert isinstance(document, bytes)
        # In the voucher itself, which stands inside in base 64, and in its row.
        (inner,) = re.findall(rb"<Voucher>(.*?)</Voucher>", document, re.DOTALL)
        assert b64decode(inner).decode("gbk").count(text) == 2


async def test_what_a_peer_finds_too_large_does_not_stop_its_lane(
    tmp_path: Path,
) -> None:
    town = town_of(tmp_path)
    town.rewrite(
        FINANCE, "retry_s_min = 0.05", "retry_s_min = 0.05\ndocument_bytes_max = 60000"
    )
    async with running(town), town.desk(BANK) as bank:
        sent = [
            await submit(bank, large(number, rows))
            for number, rows in ((1, 1), (2, 500), (3, 1))
        ]

        await reaches(bank, sent[0], Standing.ARRIVED)
        await reaches(bank, sent[1], Standing.REFUSED)
        await reaches(bank, sent[2], Standing.ARRIVED)


async def test_who_is_configured_to_send_little_takes_what_the_contract_allows(
    tmp_path: Path,
) -> None:
    town = town_of(tmp_path)
    small = "batch_documents_max = 2\nbatch_bytes_max = 4000"
    town.rewrite(FINANCE, "retry_s_min = 0.05", f"retry_s_min = 0.05\n{small}")
    async with running(town), town.desk(BANK) as bank, town.desk(UNIT) as unit:
        outcomes = await bank.submit([large(number, 3) for number in range(1, 31)])
        sent = {done(one).digest for one in outcomes}

        last = await submit(bank, large(31, 1))
        await reaches(bank, last, Standing.ARRIVED)
        read = [one async for batch in unit.read() for one in batch]
        # And what it sends, in batches as small as it likes, arrives there.
        taken = await unit.accept([one.voucher for one in read[:2]])
        for one in read[:2]:
            await reaches(bank, one.voucher, Standing.ACCEPTED)

    assert sent <= {one.digest for one in read}
    assert all(isinstance(one, Done) for one in taken)


async def test_a_call_with_more_faults_than_trailers_hold_is_told_the_first(
    town: Town,
) -> None:
    wrong = desk_pb2.SendRequest(vouchers=[desk_pb2.SendRequest().vouchers.add()] * 256)
    async with running(town), town.channel(BANK) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await desk_pb2_grpc.DeskServiceStub(channel).Send(wrong)

    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    trailers = dict(caught.value.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    cause, fields = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(cause)
    assert cause.reason == "FORM_REFUSED"
    assert status.details[-1].Unpack(fields)
    assert fields.field_violations[0].field == "vouchers[0].key"


async def test_a_batch_of_nothing_but_faults_is_answered_item_by_item(
    town: Town,
) -> None:
    async with running(town), town.desk(BANK) as bank:
        # Each breaks more rules than are told of one voucher.
        made = large(1, 1)
        empty = replace(made, form=Form({"id": "1"}, ({},) * 40))
        outcomes = await bank.submit([empty] * 256)

    assert {one.reason for one in outcomes if isinstance(one, DeskRefused)} == {
        "FORM_REFUSED"
    }
    assert all(isinstance(one, DeskRefused) and one.violations for one in outcomes)
