"""Structured logs: one JSON object a line on standard error.

Nothing that a log line carries may be a payload, an amount or a secret. Only the
fields listed here are written; everything else that a caller attaches is dropped.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

_FIELDS: Final = (
    "method",
    "caller",
    "reason",
    "detail",
    "peer",
    "address",
    "party",
    "wait_s",
    "took_ms",
    "size",
    "count",
    "cut",
    "signal",
    "check",
    "alert",
)


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for a record."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {
            name: getattr(record, name) for name in _FIELDS if hasattr(record, name)
        }
        if record.exc_info:
            # The place and kind of a defect; its text could quote a payload.
            kind, _, trace = record.exc_info
            line["defect"] = kind.__name__ if kind else ""
            frames = []
            while trace is not None:
                code = trace.tb_frame.f_code
                frames.append(f"{code.co_qualname}:{trace.tb_lineno}")
                trace = trace.tb_next
            line["trace"] = frames
        return json.dumps(line, ensure_ascii=False)


def set_up_logs(level: str) -> None:
    """Send every log of this process to standard error as JSON lines."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(level.upper())
    # Says at every start that there is nothing to migrate.
    logging.getLogger("alembic").setLevel(logging.WARNING)
