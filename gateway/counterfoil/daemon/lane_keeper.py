"""Keeps a lane open to each peer that is connected, as the register says it now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final

from counterfoil.daemon.lane_making import LaneMaking
from counterfoil.daemon.lanes import Condition, Lane, Link
from counterfoil.daemon.tasks import ended
from counterfoil.domain.register import Register
from counterfoil.domain.register_states import PeerState
from counterfoil.rpc.views import LaneView
from counterfoil.tlog.note import NoteVerifier
from counterfoil.vault.vault import EngineVault

log = logging.getLogger("counterfoil.lanes")

DISCONNECTED: Final = "PEER_DISCONNECTED"
"""Why a lane is stopped; see `registry.v1.Peer.last_reason`."""


@dataclass(slots=True, kw_only=True)
class LaneKeeper:
    """Opens lanes, closes them, and opens them anew where a peer has changed.

    Attributes:
        making: Makes the lanes.
        vault: Where documents wait.
        home: Leads to ourselves; for parties hosted here.
        home_verifiers: Verify our own checkpoints.
        spawn: Runs something beside the calls, under a name, until the gateway stops.
    """

    making: LaneMaking
    vault: EngineVault
    home: Link
    home_verifiers: tuple[NoteVerifier, ...]
    spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
    lanes: dict[str, Lane] = field(default_factory=dict)
    _peers: dict[str, PeerState] = field(default_factory=dict)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def views(self) -> list[LaneView]:
        """Return how it stands with each lane, the one to ourselves last."""
        known = [(code, self._peers.get(code)) for code in self.lanes]
        return [
            replace(
                self.lanes[code].view(),
                heads=() if state is None else state.peer.heads,
                entry=b"" if state is None else state.entry,
            )
            for code, state in sorted(known, key=lambda one: one[1] is None)
        ]

    async def go_by(self, register: Register) -> None:
        """Open and close lanes by what stands registered; return when it is done.

        What was under way in a lane that is closed waits in the vault as before.

        Raises:
            ConfigurationRefused: The configuration names a key that is none.
        """
        for code, state in register.peers.items():
            if self._peers.get(code) == state:
                continue
            await self._close(code)
            self._peers[code] = state
            self.lanes[code] = lane = self.making.to_peer(state.peer)
            if state.is_over:
                lane.condition, lane.last_reason = Condition.STOPPED, DISCONNECTED
                waiting = self.vault.lane_lengths().get(code, 0)
                log.warning("lane closed", extra={"peer": code, "count": waiting})
            else:
                self._run(code, lane)
        home = register.home
        is_host = any(
            one.party.carrier == home != code for code, one in register.parties.items()
        )
        if is_host and home not in self.lanes:
            self.lanes[home] = self.making.over(self.home, self.home_verifiers)
            self._run(home, self.lanes[home])

    def _run(self, code: str, lane: Lane) -> None:
        self._running[code] = self.spawn(lane.run(), f"lane {code}")

    async def _close(self, code: str) -> None:
        if (task := self._running.pop(code, None)) is not None:
            await ended([task])
