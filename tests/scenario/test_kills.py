"""Gateways that are killed at any instant lose nothing and double nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.houses import BANK, FINANCE
from tests.scenario.killable import Phase
from tests.scenario.siege import Books, Siege, besieged, nursery, wrongs

_RECEIVERS = (
    *[Phase.STORED] * 7,
    Phase.STORING,
    Phase.EXAMINING,
)
"""Where the receiver dies in one round; at STORED its peer has no answer yet."""
_SENDERS = (
    Phase.ENTERED,
    Phase.ENTERING,
    Phase.SEALING,
    Phase.RECORDING,
    Phase.RECORDED,
)


async def _wound_receiver(siege: Siege, rounds: int) -> None:
    for _ in range(rounds):
        for phase in _RECEIVERS:
            delay_ms = siege.chance.randint(0, 3) if phase is Phase.STORING else 0
            await siege.kill_at(FINANCE, phase, delay_ms=delay_ms)
        for _ in range(3):
            await siege.kill_now(FINANCE)


async def _wound_sender(siege: Siege, rounds: int) -> None:
    for _ in range(rounds):
        for phase in _SENDERS:
            in_commit = phase in {Phase.ENTERING, Phase.RECORDING}
            delay_ms = siege.chance.randint(0, 3) if in_commit else 0
            await siege.kill_at(BANK, phase, delay_ms=delay_ms)
        for _ in range(3):
            await siege.kill_now(BANK)


async def _siege(directory: Path, *, pairs: int, rounds: int) -> list[Siege]:
    """Kill both gateways of every pair, pairs and sides at the same time."""

    async def one(number: int) -> Siege:
        async with (
            besieged(directory / f"pair-{number}", born, seed=number) as siege,
            asyncio.TaskGroup() as sides,
        ):
            sides.create_task(_wound_receiver(siege, rounds))
            sides.create_task(_wound_sender(siege, rounds))
        await siege.settle()
        return siege

    async with nursery() as born, asyncio.TaskGroup() as group:
        sieges = [group.create_task(one(number)) for number in range(pairs)]
    return [siege.result() for siege in sieges]


def _judge(sieges: list[Siege], report: Path) -> Counter[tuple[str, str, str]]:
    """Return the kills by place, after making sure that nothing is wrong."""
    kills: Counter[tuple[str, str, str]] = Counter()
    for siege in sieges:
        books = Books.of(siege.town)
        assert wrongs(siege.acknowledged.values(), books) == []
        assert len(siege.acknowledged) > len(siege.wounds), "there was hardly a load"
        kills.update(
            (
                "sender" if wound.party == BANK else "receiver",
                wound.phase.name,
                "chosen" if wound.chosen else "by chance",
            )
            for wound in siege.wounds
        )
    lines = [
        f"{count:4} {' '.join(place)}\n"
        for place, count in sorted((place, count) for place, count in kills.items())
    ]
    report.write_text("".join(lines))
    return kills


@pytest.mark.slow
@pytest.mark.timeout(480)
async def test_two_hundred_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    sieges = await _siege(tmp_path, pairs=2, rounds=5)

    kills = _judge(sieges, tmp_path / "kills.txt")

    print((tmp_path / "kills.txt").read_text())  # noqa: T201 -- the count by place
    assert kills.total() >= 200
    assert kills["receiver", "STORED", "chosen"] >= 50


@pytest.mark.tools
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_neither_tree_of_a_gateway_that_is_killed_falls_behind(
    tmp_path: Path, program: Callable[[str], Path]
) -> None:
    program("libcrypto")
    async with nursery() as born:
        async with besieged(
            tmp_path / "pair", born, seed=3, sm3=(FINANCE, BANK)
        ) as siege:
            for phase in (Phase.STORED, Phase.STORING, Phase.STORED, Phase.EXAMINING):
                await siege.kill_at(FINANCE, phase)
                await siege.kill_now(BANK)
            for phase in (Phase.ENTERED, Phase.ENTERING, Phase.RECORDING):
                await siege.kill_at(BANK, phase)
                await siege.kill_now(FINANCE)
        await siege.settle()

    books = Books.of(siege.town)

    assert wrongs(siege.acknowledged.values(), books) == []
    assert len(siege.acknowledged) > len(siege.wounds) == 14
    # Verified above, against the newest heads of both trees.
    assert set(books.sm3_roots) == {FINANCE, BANK}


@pytest.mark.slow
async def test_a_gateway_that_answers_before_it_commits_is_caught(
    tmp_path: Path,
) -> None:
    async with nursery() as born:
        async with besieged(tmp_path / "pair", born, seed=1, premature=True) as siege:
            for _ in range(3):
                await siege.kill_at(BANK, Phase.ENTERED)
        await siege.settle()

    found = wrongs(siege.acknowledged.values(), Books.of(siege.town))

    assert any(one.startswith("lost by the sender") for one in found)


async def test_the_reckoning_notices_what_is_doubled_or_claimed(
    tmp_path: Path,
) -> None:
    async with nursery() as born:
        async with besieged(tmp_path / "pair", born, seed=1) as siege:
            await siege.kill_at(FINANCE, Phase.STORED)
        await siege.settle()
    books = Books.of(siege.town)
    digests = list(siege.acknowledged.values())
    assert wrongs(digests, books) == []

    doubled = replace(books, arrived=[*books.arrived, *books.arrived])
    claimed = replace(books, arrived=books.arrived[:1])
    forgotten = replace(books, sent=books.sent[:1])

    assert any("arrived 2 times" in one for one in wrongs(digests, doubled))
    assert any("but never arrived" in one for one in wrongs(digests, claimed))
    assert any("lost on the way" in one for one in wrongs(digests, claimed))
    assert any("lost by the sender" in one for one in wrongs(digests, forgotten))
