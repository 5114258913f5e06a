"""Puts the record of refused calls of a gateway together with its vault and heads."""

from __future__ import annotations

from counterfoil.app.ports import Clock, Vault
from counterfoil.daemon.alerts import Alerts
from counterfoil.daemon.config import Configuration
from counterfoil.daemon.refusal_opening import open_record, record_origin, record_path
from counterfoil.daemon.refusals import RefusalRecord, hinted_leaf
from counterfoil.domain.deeds import Bind
from counterfoil.domain.refusals import CounterfoilError
from counterfoil.vault.heads import HeadStore


def record_of(
    configuration: Configuration,
    vault: Vault,
    heads: HeadStore,
    alerts: Alerts,
    clock: Clock,
) -> RefusalRecord:
    """Open the record of a gateway whose vault is open.

    Raises:
        OSError: It cannot be read or written.
    """

    async def bind(end: bytes, before: bytes) -> int:
        (committed,) = await vault.perform([Bind(end=end, before=before)])
        (outcome,) = committed.outcomes
        if isinstance(outcome, CounterfoilError):
            raise outcome
        return outcome.leaf

    origin = record_origin(configuration)
    return RefusalRecord(
        opened=open_record(
            record_path(configuration),
            heads,
            origin,
            rows_max=configuration.refusals.rows_max,
            leaf=vault.leaf,
            size=vault.size(),
            now_us=clock.now_us(),
            hint=hinted_leaf(alerts),
        ),
        heads=heads,
        origin=origin,
        settings=configuration.refusals,
        alerts=alerts,
        now_us=clock.now_us,
        bind=bind,
        size=vault.size,
    )
