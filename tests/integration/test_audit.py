"""The security officer asks a running gateway; that he asked stands in the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import grpc
import pytest

from counterfoil.daemon import cli
from counterfoil.domain.standing import Act
from counterfoil.keeping.v1 import audit_pb2, audit_pb2_grpc
from counterfoil.office import DeskRefused, matters, registering
from counterfoil.registry.v1 import registry_pb2, registry_pb2_grpc
from tests.houses import BANK, FINANCE, UNIT, Town
from tests.integration.conftest import Pair
from tests.integration.desks import issue, reason_of, until
from tests.integration.test_register import connection, run, urn

pytestmark = pytest.mark.asyncio(loop_scope="module")

_TOLD = "AUDIT_CHECK_REFUSED"


@asynccontextmanager
async def auditing(
    town: Town, name: str = "officer", party: str = FINANCE
) -> AsyncIterator[audit_pb2_grpc.AuditServiceAsyncStub]:
    async with town.channel(party, "person", name) as channel:
        yield audit_pb2_grpc.AuditServiceStub(channel)


def request(
    town: Town,
    number: str,
    matter: matters.Matter | None = None,
    *,
    by: str = FINANCE,
    signer: tuple[str, str] = (FINANCE, "officer"),
) -> audit_pb2.AuditRequest:
    """Return a call's request: a check that one person signed."""
    now, person = datetime.now(UTC), town.person(*signer)
    question = matters.audit_question("the log", "acts")
    one = registering.registration(by, number, matter or question, stated_time=now)
    return audit_pb2.AuditRequest(
        check=one.signed(person, stated_time=now).to_bytes(),
        certificates=[person.certificate],
    )


async def refusal(town: Town, asked: audit_pb2.AuditRequest, *who: str) -> str:
    """Return why a call is refused."""
    async with auditing(town, *who) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Audit(asked, timeout=20)
    return reason_of(caught.value)


def ask(town: Town, subject: str, number: str, *options: str) -> tuple[str, ...]:
    """Return the command line of a question."""
    return (
        *("audit", "ask", subject, "--by", FINANCE, "--number", number),
        *("--about", "a test", *options, *connection(town, FINANCE, "officer")),
    )


@pytest.mark.clause("hubei-37c", "hubei-37a1")
async def test_the_officer_reads_the_acts_and_his_question_stands_in_the_log(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    issued = await issue(pair.town, pair.papers.direct_payment(), send=False)
    vault = pair.finance._vault
    before = vault.size()

    command = ask(pair.town, "acts", "ask-1", "--kinds", "voucher", "--acts", "enter")
    assert await run(*command) == cli.DONE

    printed = capsys.readouterr()
    rows = [line.split("\t") for line in printed.out.splitlines()]
    assert {(row[2], row[3], row[4]) for row in rows} == {("ENTER", "VOUCHER", FINANCE)}
    assert rows[-1][6] == issued.reference.digest.hex()
    assert issued.reference.key.number in rows[-1][5]
    # One leaf, before the answer: the question itself, word by word.
    assert vault.size() == before + 1
    assert vault.leaf(before).act is Act.REGISTER
    assert f"leaf {before}," in printed.err
    listing = ("register", "list", "--json", *connection(pair.town, FINANCE, "officer"))
    assert await run(*listing) == cli.DONE
    last = capsys.readouterr().out.splitlines()[-1]
    assert '"SUBJECT_ACTS"' in last
    assert '["ENTER"]' in last


@pytest.mark.clause("hubei-37c", "hubei-24")
@pytest.mark.refusal("POST_REFUSED")
@pytest.mark.parametrize(
    "name", ["first", "second", "manager", "supervisor", "archivist"]
)
async def test_no_other_post_is_answered_whatever_it_hands_in(
    pair: Pair, name: str
) -> None:
    size = pair.finance._vault.size()
    of_the_officer = request(pair.town, f"other-{name}")
    own = request(pair.town, f"own-{name}", signer=(FINANCE, name))

    assert await refusal(pair.town, of_the_officer, name) == "POST_REFUSED"
    assert await refusal(pair.town, own, name) == "POST_REFUSED"
    assert pair.finance._vault.size() == size


@pytest.mark.clause("hubei-37c")
@pytest.mark.refusal("AUDIT_CHECK_REFUSED")
async def test_nothing_is_answered_without_a_check_of_the_caller_s(pair: Pair) -> None:
    town, size = pair.town, pair.finance._vault.size()
    note = matters.audit_check("the log", "in order")
    lost = matters.loss_notice(town.person(FINANCE, "first").certificate)

    assert await refusal(town, request(town, "note", note)) == _TOLD
    # It is signed by whom it needs; but this is not the place for it.
    assert await refusal(town, request(town, "lost", lost)) == _TOLD
    of_another = request(town, "of-another", signer=(FINANCE, "manager"))
    assert await refusal(town, of_another) == _TOLD
    assert await refusal(town, audit_pb2.AuditRequest()) == "FORM_REFUSED"
    assert pair.finance._vault.size() == size


@pytest.mark.clause("hubei-37c")
async def test_the_officer_of_a_hosted_unit_does_not_look_into_its_host_s_log(
    pair: Pair,
) -> None:
    town, size = pair.town, pair.finance._vault.size()
    who, signer = ("officer", UNIT), (UNIT, "officer")

    for_the_host = request(town, "unit-1", signer=signer)
    assert await refusal(town, for_the_host, *who) == "SIGNERS_REFUSED"
    for_itself = request(town, "unit-2", by=UNIT, signer=signer)
    assert await refusal(town, for_itself, *who) == "MATTER_FOREIGN"
    of_a_peer = request(town, "bank", by=BANK, signer=(BANK, "officer"))
    assert await refusal(town, of_a_peer, "officer", FINANCE) == _TOLD
    assert pair.finance._vault.size() == size


async def test_a_number_that_was_used_is_no_check(pair: Pair) -> None:
    town = pair.town
    async with auditing(town) as stub:
        await stub.Audit(request(town, "twice"), timeout=20)
    other = matters.audit_question("something else", "streams")

    assert (
        await refusal(town, request(town, "twice", other))
        == "REGISTRATION_NUMBER_REUSED"
    )


async def test_the_same_check_again_tells_nothing_that_came_later(pair: Pair) -> None:
    town = pair.town
    once = request(town, "again")
    async with auditing(town) as stub:
        first = await _whole(stub, once)
        await issue(town, pair.papers.direct_payment(), send=False)
        size = pair.finance._vault.size()

        second = await _whole(stub, once)

    assert second == first
    assert [act.leaf for act in first] == list(range(len(first)))
    # Known, so that nothing was written.
    assert pair.finance._vault.size() == size


async def _whole(
    stub: audit_pb2_grpc.AuditServiceAsyncStub, asked: audit_pb2.AuditRequest
) -> list[audit_pb2.LoggedAct]:
    page = await stub.Audit(asked, timeout=20)
    assert not page.HasField("next_leaf")
    return list(page.acts)


@pytest.mark.clause("hubei-37c")
async def test_registrations_are_found_by_their_matter(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    matters = ("--matters", "founding,audit-check")

    assert await run(*ask(pair.town, "registrations", "ask-2", *matters)) == cli.DONE

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows[0][2] == "founding"
    assert {row[2] for row in rows[1:]} <= {"audit_check"}


@pytest.mark.clause("hubei-37c", "hubei-36")
async def test_who_was_refused_is_told_and_counted(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        async with pair.town.desk(FINANCE, "person", "manager") as desk:
            with pytest.raises(DeskRefused):
                await desk.seal([b"\0" * 32])

    assert await run(*ask(pair.town, "refusals", "ask-3")) == cli.DONE

    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    (row,) = (
        row
        for row in rows
        if row[4] == urn(FINANCE, "person", "manager") and row[5].endswith("/Seal")
    )
    assert row[:2] == ["POST_REFUSED", "2"]
    # Of another party there are none.
    unit = ("--party", BANK)
    assert await run(*ask(pair.town, "refusals", "ask-4", *unit)) == cli.DONE
    assert capsys.readouterr().out == ""


async def _watched(pair: Pair) -> list[str]:
    """Return whose streams are open."""
    return [one.identity for one in pair.finance._guard.sightings.streams()]


@pytest.mark.clause("hubei-37c")
async def test_callers_and_open_streams_are_told(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    watcher = urn(FINANCE, "system", "1")
    async with pair.town.desk(FINANCE) as desk:
        watching = asyncio.ensure_future(anext(desk.watch(idle_s=20.0)))
        await until(partial(_watched, pair), lambda urns: watcher in urns)

        assert await run(*ask(pair.town, "streams", "ask-5", "--party", FINANCE)) == 0
        streams = capsys.readouterr().out
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert f"\t{watcher}\t/counterfoil.desk.v1.DeskService/Watch\n" in streams

    assert await run(*ask(pair.town, "callers", "ask-6")) == cli.DONE
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    by_urn = {row[0]: row[1:] for row in rows}
    assert by_urn[watcher][0] == "business-system"
    assert int(by_urn[watcher][1]) > 0
    # Who holds a post and never called is told as well.
    assert by_urn[urn(UNIT, "person", "archivist")] == ["archivist", "0", "-"]


@pytest.mark.clause("hubei-37c")
async def test_what_was_found_is_recorded_by_one_command(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    note = (
        *("audit", "note", "--by", FINANCE, "--number", "found-1"),
        *("--about", "acts of November", "--finding", "in order"),
    )
    who = connection(pair.town, FINANCE, "officer")
    assert await run(*note, *who) == cli.DONE
    assert capsys.readouterr().out.startswith("registered\t")
    # Nobody else's word is one.
    others = connection(pair.town, FINANCE, "supervisor")
    assert await run(*note[:4], "--number", "found-2", *note[6:], *others) == 1
    assert "SIGNERS_REFUSED" in capsys.readouterr().err

    async with pair.town.channel(FINANCE, "person", "officer") as channel:
        stub = registry_pb2_grpc.RegistryServiceStub(channel)
        page = await stub.ListRegistrations(
            registry_pb2.ListRegistrationsRequest(page_size=256)
        )
    assert b"acts of November" in page.registrations[-1].sealed


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--from", "yesterday"), "--from: not an instant"),
        (("--acts", "steal"), "FORM_REFUSED"),
        (("--matters", "theft"), "FORM_REFUSED"),
        (("--party", "nobody"), "FORM_REFUSED"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_not_recorded(
    pair: Pair,
    options: tuple[str, ...],
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    size = pair.finance._vault.size()

    assert await run(*ask(pair.town, "acts", "bad", *options)) != cli.DONE

    assert says in capsys.readouterr().err
    assert pair.finance._vault.size() == size


async def test_a_check_that_neither_asks_nor_finds_is_refused(pair: Pair) -> None:
    empty = matters.audit_check("the log", "")

    assert (
        await refusal(pair.town, request(pair.town, "empty", empty)) == "FORM_REFUSED"
    )
