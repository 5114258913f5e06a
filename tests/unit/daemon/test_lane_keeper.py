"""Lanes are opened, closed and opened anew by what stands registered, no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from counterfoil.daemon.config import Configuration, load_configuration
from counterfoil.daemon.lane_keeper import DISCONNECTED, LaneKeeper
from counterfoil.daemon.lane_making import LaneMaking
from counterfoil.daemon.lanes import Condition, Link
from counterfoil.domain.catalogue import PartyKind
from counterfoil.domain.register import Register
from counterfoil.domain.register_states import PartyState, PeerState
from counterfoil.domain.registration import PeerConnection
from counterfoil.domain.registry import Party
from counterfoil.peer.link import PeerAddress
from counterfoil.vault.heads import HeadStore
from counterfoil.vault.vault import EngineVault
from counterfoil.wire.certificates import KeptCertificates
from tests.doubles import SetClock
from tests.unit.app.house import Keys
from tests.unit.daemon.test_config import SMALLEST

FINANCE, BANK, OTHER, UNIT = (
    "420000-011",
    "420000-102",
    "420000-103",
    "420000-101001",
)
EMPTY = Register(home=FINANCE, carriers={FINANCE: FINANCE})


class Home:
    """A link to ourselves that nobody opens here."""

    address = ""
    peer = PeerAddress(party=FINANCE, addresses=(), server_name="")


class Shelf:
    """A vault of which only the lengths of lanes count."""

    def lane_lengths(self) -> Counter[str]:
        return Counter({BANK: 3})


@dataclass
class Tasks:
    """What runs: the names of what was begun, and the tasks in their place."""

    begun: list[str] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        work.close()
        self.begun.append(name)
        task = asyncio.create_task(asyncio.Event().wait(), name=name)
        self.tasks.append(cast("asyncio.Task[None]", task))
        return self.tasks[-1]


@pytest.fixture(scope="module")
def heads() -> dict[str, tuple[str, ...]]:
    keys = Keys.new().heads[BANK]
    return {BANK: tuple(one.key.to_text() for one in keys)}


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    file = tmp_path / "gateway.toml"
    file.write_text(SMALLEST)
    return load_configuration(file)


def keeper_of(configuration: Configuration, tasks: Tasks) -> LaneKeeper:
    vault = cast(EngineVault, Shelf())
    making = LaneMaking(
        configuration=configuration,
        vault=vault,
        heads=cast(HeadStore, None),
        clock=SetClock(0),
        credentials=lambda: cast(Any, None),
        certificates=cast(KeptCertificates, None),
    )
    return LaneKeeper(
        making=making,
        vault=vault,
        home=cast(Link, Home()),
        home_verifiers=(),
        spawn=tasks.spawn,
    )


def peer(
    heads: tuple[str, ...], entry: bytes = b"1", *, at: str = "b:1", over: bool = False
) -> Register:
    """Return a register with the bank as a peer."""
    connection = PeerConnection(
        party=BANK, addresses=(at,), heads=heads, server_name="bank.example"
    )
    state = PeerState(peer=connection, entry=entry, is_over=over)
    return replace(EMPTY, peers={BANK: state})


async def test_a_lane_stays_as_it_is_until_its_peer_changes(
    configuration: Configuration, heads: dict[str, tuple[str, ...]]
) -> None:
    tasks = Tasks()
    keeper = keeper_of(configuration, tasks)
    register = peer(heads[BANK])
    await keeper.go_by(register)
    lane = keeper.lanes[BANK]
    assert tasks.begun == [f"lane {BANK}"]

    await keeper.go_by(replace(register, demanding=frozenset({FINANCE})))
    assert keeper.lanes[BANK] is lane
    assert not tasks.tasks[0].done()

    await keeper.go_by(peer(heads[BANK][:1], b"2", at="b:2"))

    assert tasks.tasks[0].cancelled()
    assert len(tasks.begun) == 2
    (view,) = keeper.views()
    assert (view.party, view.addresses, view.entry) == (BANK, ("b:2",), b"2")
    assert view.heads == heads[BANK][:1]
    assert len(keeper.lanes[BANK].record.verifiers) == 1
    assert keeper.lanes[BANK].link.peer.server_name == "bank.example"


async def test_the_lane_of_a_disconnected_peer_is_shown_and_does_not_run(
    configuration: Configuration,
    heads: dict[str, tuple[str, ...]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = Tasks()
    keeper = keeper_of(configuration, tasks)
    await keeper.go_by(peer(heads[BANK]))

    await keeper.go_by(peer(heads[BANK], b"2", over=True))

    assert tasks.tasks[0].cancelled()
    assert len(tasks.begun) == 1
    (view,) = keeper.views()
    assert (view.condition, view.last_reason) == (
        Condition.STOPPED.value,
        DISCONNECTED,
    )
    (record,) = caplog.records
    assert vars(record)["count"] == 3
    await keeper.go_by(peer(heads[BANK], b"3"))
    assert len(tasks.begun) == 2
    assert keeper.views()[0].condition == Condition.BACKING_OFF.value


async def test_a_lane_to_ourselves_is_opened_with_the_first_party_hosted_here(
    configuration: Configuration, heads: dict[str, tuple[str, ...]]
) -> None:
    tasks = Tasks()
    keeper = keeper_of(configuration, tasks)
    alone = peer(heads[BANK])

    def party(code: str, carrier: str) -> PartyState:
        kind = PartyKind.BUDGET_UNIT
        return PartyState(party=Party(code=code, name="", kind=kind, carrier=carrier))

    theirs = {FINANCE: party(FINANCE, FINANCE), OTHER: party(OTHER, BANK)}
    await keeper.go_by(replace(alone, parties=theirs))
    assert FINANCE not in keeper.lanes

    hosting = replace(alone, parties={**theirs, UNIT: party(UNIT, FINANCE)})
    for _ in range(2):
        await keeper.go_by(hosting)

    assert tasks.begun == [f"lane {BANK}", f"lane {FINANCE}"]
    assert [one.party for one in keeper.views()] == [BANK, FINANCE]
