"""What a running gateway watches of itself, beside the vault's own scrub."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from counterfoil.app.ports import Clock
from counterfoil.daemon.alerts import Alerts
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.expiry_watch import ExpiryWatch
from counterfoil.daemon.lines_watch import LinesWatch
from counterfoil.daemon.program_watch import ProgramWatch
from counterfoil.daemon.room_watch import RoomWatch
from counterfoil.vault.vault import EngineVault


def watches(
    goes_by: Callable[[], Configuration],
    vault: EngineVault,
    alerts: Alerts,
    clock: Clock,
) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
    """Yield each watch with its name; it runs until it is cancelled.

    Args:
        goes_by: Returns the configuration that the gateway goes by.
        vault: The gateway's.
        alerts: Where all of them tell what they find.
        clock: Our clock.
    """
    configuration = goes_by()
    yield "program", ProgramWatch(configuration=configuration, alerts=alerts).run()
    yield "room", RoomWatch(configuration, alerts).run()
    yield "expiry", ExpiryWatch(vault, alerts, clock).run()
    yield "lines", LinesWatch(goes_by, vault, alerts).run()
