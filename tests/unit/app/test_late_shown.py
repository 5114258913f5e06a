"""What a late document rests on is shown to whoever inquires, and checked there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from counterfoil.app.inquire import ActEvidence, Way
from counterfoil.daemon.inquire_earlier import export_earlier, tell_earlier
from counterfoil.desk.v1 import desk_pb2
from counterfoil.domain.deeds import Send
from counterfoil.domain.leaf import Leaf
from counterfoil.domain.refusals import VaultCorrupt
from counterfoil.domain.standing import Act
from counterfoil.rpc.answers import way_response
from counterfoil.tlog.proof_file import ProofFile
from tests.unit.app.house import House, fine
from tests.unit.app.papers import BANK, FINANCE, direct_payment
from tests.unit.app.test_late import Line, due, until, witness


async def shown(
    finance: House, bank: House, *, at_once: bool = False
) -> tuple[Way, ActEvidence]:
    """Return the way of a voucher that came late, and its arrival.

    It is leaf 0 of two: entered, and sent by another act, or at once before another.
    """
    row = await finance.sealed(direct_payment("1"), send=at_once)
    if at_once:
        await finance.sealed(direct_payment("9"))
    else:
        lanes = {BANK: BANK}
        await finance.vault.perform([Send(key=row.key, digest=row.digest, lanes=lanes)])
    assert await witness(bank, finance)
    until(bank, 400)
    line = Line(finance, bank)
    fine((await line.carry(due(await line.carry()))).outcomes[0])
    way = await bank.inquire(row.key, caller=bank.caller())
    (arrival,) = [act for act in way.acts if act.leaf.act is Act.ARRIVE]
    return way, arrival


def record(way: Way, bank: House) -> desk_pb2.ActRecord:
    """Return the arrival as the desk answers it."""
    response = way_response(way, bank.certificates)
    (act,) = [one for one in response.acts if one.earlier_proof]
    return act


@pytest.mark.clause("hubei-16", "hubei-18")
@pytest.mark.parametrize("at_once", [False, True])
async def test_an_inquiry_shows_what_a_late_voucher_rests_on(
    finance: House, bank: House, capsys: pytest.CaptureFixture[str], *, at_once: bool
) -> None:
    way, arrival = await shown(finance, bank, at_once=at_once)

    theirs = ProofFile.from_bytes(arrival.earlier_proof)
    ours = ProofFile.from_bytes(arrival.witness_proof)
    assert theirs.extra is not None
    assert Leaf.from_bytes(theirs.extra) == finance.vault.leaf(0)
    assert ours.extra is not None
    assert Leaf.from_bytes(ours.extra).by == FINANCE
    assert ours.checkpoint == way.checkpoint
    told = record(way, bank)
    tell_earlier(told, way.checkpoint)
    words = capsys.readouterr().out.split("\t")
    assert words[0] == "earlier"
    assert words[3] == f"leaf 0 of 2 in {FINANCE}/log"
    assert export_earlier([told, desk_pb2.ActRecord(leaf_index=9)]) == {
        f"earlier-{told.leaf_index:010}.tlog-proof": arrival.earlier_proof,
        f"witness-{told.leaf_index:010}.tlog-proof": arrival.witness_proof,
    }


async def test_what_came_in_time_shows_nothing_of_the_kind(
    finance: House, bank: House
) -> None:
    row = await finance.sent(direct_payment("1"))
    assert await witness(bank, finance)
    await Line(finance, bank).carry()

    way = await bank.inquire(row.key, caller=bank.caller())

    assert [(act.earlier_proof, act.witness_proof) for act in way.acts] == [(b"", b"")]


def changed(file: bytes, **changes: Any) -> bytes:  # noqa: ANN401
    return replace(ProofFile.from_bytes(file), **changes).to_bytes()


@pytest.mark.refusal("VAULT_CORRUPT")
async def test_what_does_not_show_it_is_not_printed(
    finance: House, bank: House, capsys: pytest.CaptureFixture[str]
) -> None:
    way, arrival = await shown(finance, bank)
    told = record(way, bank)
    earlier, witnessed = arrival.earlier_proof, arrival.witness_proof
    entered = finance.vault.leaf(0)
    for wrong in (
        {"earlier_proof": witnessed},
        {"witness_proof": earlier},
        {"earlier_proof": changed(earlier, proof=())},
        {"witness_proof": changed(witnessed, proof=())},
        {
            "earlier_proof": changed(
                earlier, extra=replace(entered, time_us=1).to_bytes()
            )
        },
        {"leaf": replace(arrival.leaf, version=b"v" * 32).to_bytes()},
    ):
        spoilt = desk_pb2.ActRecord()
        spoilt.CopyFrom(told)
        for name, value in wrong.items():
            setattr(spoilt, name, value)
        with pytest.raises(VaultCorrupt, match=f"leaf {told.leaf_index}"):
            tell_earlier(spoilt, way.checkpoint)
    newer = bank.vault.checkpoint()
    assert newer == way.checkpoint
    with pytest.raises(VaultCorrupt, match="was not witnessed"):
        tell_earlier(told, finance.vault.checkpoint())

    assert capsys.readouterr().out == ""


@pytest.mark.refusal("VAULT_CORRUPT")
async def test_other_leaves_of_the_same_logs_do_not_show_it(
    finance: House, bank: House
) -> None:
    first, arrival = await shown(finance, bank)
    await finance.sent(direct_payment("2"))
    assert await witness(bank, finance)
    way = await bank.inquire(first.key, caller=bank.caller())
    told, head = record(way, bank), bank.vault.witnessed(FINANCE, arrival.leaf.time_us)
    assert head is not None
    tell_earlier(told, way.checkpoint)
    # That finance sent it is no proof of its seals, though the leaf names them too.
    sent = changed(
        told.earlier_proof,
        index=1,
        extra=finance.vault.leaf(1).to_bytes(),
        proof=finance.vault.inclusion_proof(1, head.size),
    )
    newest = bank.vault.witnessed(FINANCE, bank.clock.us)
    assert newest is not None
    other = changed(
        told.witness_proof,
        index=newest.leaf,
        extra=bank.vault.leaf(newest.leaf).to_bytes(),
        proof=bank.vault.inclusion_proof(newest.leaf, bank.vault.size()),
    )

    for name, proof in (("earlier_proof", sent), ("witness_proof", other)):
        spoilt = desk_pb2.ActRecord()
        spoilt.CopyFrom(told)
        setattr(spoilt, name, proof)
        with pytest.raises(VaultCorrupt, match="was not witnessed"):
            tell_earlier(spoilt, way.checkpoint)


@pytest.mark.refusal("VAULT_CORRUPT")
async def test_a_damaged_proof_is_not_shown(finance: House, bank: House) -> None:
    way, arrival = await shown(finance, bank)
    engine: Any = bank.vault._engine
    engine._evidence[arrival.index] += b"!"

    with pytest.raises(VaultCorrupt, match="earlier proof is damaged"):
        await bank.inquire(way.key, caller=bank.caller())
