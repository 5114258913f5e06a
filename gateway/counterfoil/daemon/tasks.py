"""Background tasks of a gateway: ended together, and mourned aloud."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

log = logging.getLogger("counterfoil.daemon")


async def ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended."""
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)


def report_death(task: asyncio.Task[None]) -> None:
    """Log a background task that died of a defect: silence would be worse."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error(
            "a background task died",
            extra={"detail": task.get_name()},
            exc_info=error,
        )
