"""Alerts that are open: logged once with a stable code, kept until they are over.

A log line of level `error` with the field `alert` is what a monitor looks for. What
is open stands in a file of the state directory as well, so that `counterfoil status`
tells it with the gateway running or not, and a restart forgets nothing.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Any, Final

log = logging.getLogger("counterfoil.alerts")

FILE: Final = "watch.json"
"""Name of the file in the state directory."""

KEPT_MAX: Final = 1_000
"""Open alerts that are kept one by one; beyond, the vault is lost anyway."""


class AlertCode(Enum):
    """What an alert is about; the names are stable, the texts are not."""

    VAULT_DAMAGED = "the vault is not what its log says (凭证库数据被改动)"
    PROGRAM_CHANGED = "program files are not those of the signed list (程序文件被改动)"
    PROGRAM_UNCHECKED = "program files cannot be checked (程序文件无法核对)"
    SCRUB_FAILED = "the vault cannot be looked through (凭证库巡检失败)"
    REFUSALS_ALTERED = "the record of refused calls was altered (拒绝记录被改动)"
    RESPONDER_SILENT = "a responder does not answer (应答机构无应答)"
    REFUSALS_UNRECORDED = "refused calls are not recorded (拒绝记录无法写入)"
    TIMESTAMP_SILENT = "no authority gives time stamps (时间戳服务中断)"
    CONFIGURATION_CONTRADICTED = (
        "the configuration contradicts the register (配置与登记簿不一致)"
    )
    ROOM_SHORT = "the disk or the vault is nearly full (磁盘或凭证库空间不足)"
    CERTIFICATE_EXPIRING = "a registered certificate ends soon (登记的证书即将到期)"


@dataclass(slots=True)
class Alerts:
    """The open alerts of one gateway, and what its watches remember.

    Safe for threads. Writing the file is the caller's time: never call it in an
    event loop.

    Attributes:
        file: Where they are kept.
    """

    file: Path
    _open: dict[str, dict[str, str]] = field(default_factory=dict)
    _watches: dict[str, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _saving: Lock = field(default_factory=Lock)

    @classmethod
    def load(cls, directory: Path) -> Alerts:
        """Return what was open when a gateway last ran; nothing if it cannot be read.

        The file is a note, no evidence: what it forgets, the next pass finds again.
        """
        alerts = cls(directory / FILE)
        alerts._open, alerts._watches = read_watch_file(alerts.file)
        return alerts

    def open(self, code: AlertCode, about: str, detail: str) -> bool:
        """Open an alert, and log it; return False if it is open already.

        Args:
            code: What kind of thing.
            about: Which thing, the same each time.
            detail: What exactly, for people; no payload, amount or secret.
        """
        key = f"{code.name} {about}"
        with self._lock:
            if key in self._open or len(self._open) >= KEPT_MAX:
                return False
            self._open[key] = {"code": code.name, "about": about, "detail": detail}
        extra = {"alert": code.name, "detail": f"{about}: {detail}"}
        log.error(code.value, extra=extra)
        return True

    def close(self, code: AlertCode, about: str) -> None:
        """Close an alert that is over, and log that; nothing if it is not open."""
        with self._lock:
            closed = self._open.pop(f"{code.name} {about}", None)
        if closed is not None:
            log.warning("an alert is over", extra={"alert": code.name, "detail": about})

    def about(self, code: AlertCode) -> list[str]:
        """Return what the open alerts of a kind are about."""
        with self._lock:
            rows = list(self._open.values())
        return [row["about"] for row in rows if row["code"] == code.name]

    def watch(self, name: str) -> Mapping[str, Any]:
        """Return what a watch last noted of itself; empty if nothing."""
        noted = self._watches.get(name)
        return noted if isinstance(noted, dict) else {}

    def note(self, name: str, state: Mapping[str, Any]) -> None:
        """Let a watch note of itself what `counterfoil status` is to show."""
        with self._lock:
            self._watches[name] = dict(state)

    def save(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: It cannot be written.
        """
        # Several watches save, each on its own thread.
        with self._saving:
            self._save()

    def _save(self) -> None:
        with self._lock:
            state = {"alerts": list(self._open.values()), "watches": self._watches}
            text = json.dumps(state, ensure_ascii=False, indent=1)
        new = self.file.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(self.file)


def told_of(alert: Mapping[str, str]) -> str:
    """Return what an open alert says, and what it is about unless that is said."""
    about, detail = alert["about"], alert["detail"]
    return detail if about in detail else f"{detail} ({about})"


def read_watch_file(file: Path) -> tuple[dict[str, dict[str, str]], dict[str, Any]]:
    """Return open alerts and notes of watches as a file has them.

    Nothing of either if there is no file, or it is none of ours.
    """
    try:
        state = json.loads(file.read_text("utf-8"))
        rows = [
            {name: str(row[name]) for name in ("code", "about", "detail")}
            for row in state["alerts"]
        ]
        watches = dict(state["watches"])
    except FileNotFoundError:
        return {}, {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("notes of watches not read", extra={"detail": type(error).__name__})
        return {}, {}
    return {f"{row['code']} {row['about']}": row for row in rows}, watches
