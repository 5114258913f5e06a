"""`[limits]` of the configuration: how much a gateway takes, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsSection:
    """`[limits]`: every bound, unit last."""

    message_bytes_max: int = 2_097_152
    batch_documents_max: int = 256
    batch_bytes_max: int = 1_048_576
    streams_max: int = 64
    window_batches: int = 4
    document_bytes_max: int = 1_048_576
    queue_calls_max: int = 4_096
    vault_bytes_max: int = 1_099_511_627_776
    retry_s_min: float = 0.5
    retry_s_max: float = 60.0
    call_s_max: float = 30.0
    drain_s_max: float = 20.0
    witness_s: float = 3_600.0
